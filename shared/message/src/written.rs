//! What the mail says, twice: as text and as HTML.

use askama::Template;
use barometer_domain::{Settings, accent::Accent, language::Language};

use crate::{
    clean,
    texts::{Texts, texts},
};

/// What the words of a mail follow from.
#[derive(Debug, Clone, Copy)]
pub struct Words<'a> {
    /// The language of all of it.
    pub language: Language,
    /// The workspace's settings: the product that is asked about, and how the mail looks.
    pub settings: &'a Settings,
    /// The user's name.
    pub name: Option<&'a str>,
    /// Public address of the pages, without a slash at the end.
    pub origin: &'a str,
    /// Token of the answer page.
    pub feedback: &'a str,
    /// Token of the unsubscribe page.
    pub unsubscribe: &'a str,
}

/// A mail's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The subject line.
    pub subject: String,
    /// All of it as text.
    pub text: String,
    /// All of it as HTML.
    pub html: String,
}

struct Choice {
    href: String,
    label: String,
}

#[derive(Template)]
#[template(path = "ask.html")]
struct Html<'a> {
    language: Language,
    texts: &'a Texts,
    accent: Accent,
    logo: Option<&'a str>,
    product: &'a str,
    subject: &'a str,
    greeting: &'a str,
    question: &'a str,
    choices: &'a [Choice],
    why: &'a str,
    unsubscribe: &'a str,
    footer: &'a str,
}

impl Words<'_> {
    /// Writes the words. Errors: the template can't be rendered.
    pub fn write(&self) -> Result<Written, askama::Error> {
        let texts = texts(self.language);
        let product = clean::name(self.settings.product()).unwrap_or_default();
        let named = |text: &str| text.replace("{product}", &product);
        let subject = named(texts.subject);
        let greeting = match self.name.and_then(clean::greetable) {
            Some(name) => texts.greeting_by_name.replace("{name}", &name),
            None => texts.greeting.to_owned(),
        };
        let choices: Vec<Choice> = (0..=10)
            .map(|rating| Choice {
                href: format!("{}/f/{}?s={rating}", self.origin, self.feedback),
                label: texts.rating.replace("{rating}", &rating.to_string()),
            })
            .collect();
        let html = Html {
            language: self.language,
            texts,
            accent: self.settings.mail.accent(),
            logo: self.settings.mail.logo(),
            product: &product,
            subject: &subject,
            greeting: &greeting,
            question: &named(texts.question),
            choices: &choices,
            why: &named(texts.why),
            unsubscribe: &self.unsubscribe_url(),
            footer: &clean::lines(&self.settings.mail.footer),
        };
        Ok(Written { text: plain(&html), html: html.render()?, subject })
    }

    /// Where the unsubscribe page is.
    pub fn unsubscribe_url(&self) -> String {
        format!("{}/u/{}", self.origin, self.unsubscribe)
    }
}

/// Everything that the HTML says, links included.
fn plain(mail: &Html<'_>) -> String {
    let texts = mail.texts;
    let mut text = format!("{}\n\n{}\n{}\n\n", mail.greeting, mail.question, texts.scale);
    for Choice { href, label } in mail.choices {
        text.push_str(&format!("{label}: {href}\n"));
    }
    text.push_str(&format!("\n{}\n{}\n\n-- \n{}\n", texts.click, texts.reason, mail.why));
    text.push_str(&format!("{}: {}\n", texts.unsubscribe, mail.unsubscribe));
    if !mail.footer.is_empty() {
        text.push_str(&format!("\n{}\n", mail.footer));
    }
    text
}
