//! Texts with placeholders.

use std::borrow::Cow;

use crate::language::Language;

/// What may stand in a text as `{{name}}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placeholder {
    /// The company's name.
    Company,
    /// The name of whom a mail is to. When it isn't known: `there` in English, nothing in German.
    Contact,
    /// The CSM's name.
    Csm,
    /// The product's name.
    Product,
    /// The reading before.
    From,
    /// The reading now.
    To,
    /// The day the contract renews.
    RenewalOn,
}

impl Placeholder {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Company, Self::Contact, Self::Csm, Self::Product, Self::From, Self::To, Self::RenewalOn];

    /// As it is written between the braces.
    pub fn name(self) -> &'static str {
        match self {
            Self::Company => "company",
            Self::Contact => "contact",
            Self::Csm => "csm",
            Self::Product => "product",
            Self::From => "from",
            Self::To => "to",
            Self::RenewalOn => "renewal_on",
        }
    }

    fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|placeholder| placeholder.name() == name.trim())
    }
}

/// What stands for the placeholders.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Values<'a> {
    /// The language of the text.
    pub language: Language,
    /// The company's name.
    pub company: &'a str,
    /// The contact's name.
    pub contact: Option<Cow<'a, str>>,
    /// The CSM's name.
    pub csm: Cow<'a, str>,
    /// The product's name.
    pub product: &'a str,
    /// The reading before.
    pub from: &'a str,
    /// The reading now.
    pub to: &'a str,
    /// The day the contract renews.
    pub renewal_on: String,
}

impl Values<'_> {
    fn get(&self, placeholder: Placeholder) -> &str {
        match placeholder {
            Placeholder::Company => self.company,
            Placeholder::Contact => self.contact.as_deref().unwrap_or(match self.language {
                Language::English => "there",
                Language::German => "",
            }),
            Placeholder::Csm => &self.csm,
            Placeholder::Product => self.product,
            Placeholder::From => self.from,
            Placeholder::To => self.to,
            Placeholder::RenewalOn => &self.renewal_on,
        }
    }
}

/// A piece of a text.
enum Piece<'a> {
    Plain(&'a str),
    Named(&'a str),
}

fn pieces(mut text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    while let Some((before, rest)) = text.split_once("{{") {
        let Some((name, after)) = rest.split_once("}}") else { break };
        pieces.push(Piece::Plain(before));
        pieces.push(Piece::Named(name));
        text = after;
    }
    pieces.push(Piece::Plain(text));
    pieces
}

/// The names in a text that are no placeholder.
pub(super) fn unknown(text: &str) -> Vec<&str> {
    let named = pieces(text).into_iter().filter_map(|piece| match piece {
        Piece::Named(name) if Placeholder::of(name).is_none() => Some(name.trim()),
        _ => None,
    });
    named.collect()
}

/// The text with every placeholder replaced. What replaces one is taken as it is: it can't bring in another placeholder. Where
/// there is nothing to say, the blank before it goes too.
pub fn fill(text: &str, values: &Values<'_>) -> String {
    let mut filled = String::new();
    for piece in pieces(text) {
        let said = match piece {
            Piece::Plain(plain) => plain,
            Piece::Named(name) => {
                let value = Placeholder::of(name).map_or("", |placeholder| values.get(placeholder));
                if value.is_empty() && filled.ends_with(' ') {
                    filled.pop();
                }
                value
            }
        };
        filled.push_str(said);
    }
    filled
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values() -> Values<'static> {
        Values { company: "{{csm}} & Sons", csm: "Ada".into(), ..Values::default() }
    }

    #[test]
    fn what_stands_for_a_placeholder_is_no_text_with_placeholders() {
        assert_eq!(fill("{{ company }}, {{contact}}: {{csm}}", &values()), "{{csm}} & Sons, there: Ada");
    }

    #[test]
    fn who_has_no_name_is_greeted_without_one() {
        let text = "Guten Tag {{contact}},";
        let german = Values { language: Language::German, ..Values::default() };
        assert_eq!(fill(text, &german), "Guten Tag,");
        assert_eq!(fill(text, &Values { contact: Some("Ada".into()), ..german }), "Guten Tag Ada,");
        assert_eq!(fill("Hi {{contact}},", &Values::default()), "Hi there,");
    }

    #[test]
    fn braces_that_never_close_are_text() {
        assert_eq!(fill("a {{company} b {{", &values()), "a {{company} b {{");
        assert_eq!(unknown("{{company}} {{ rating }} {{"), ["rating"]);
    }
}
