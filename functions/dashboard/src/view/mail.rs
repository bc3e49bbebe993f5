//! The mail that asks, as users will get it, and how it looks.

use askama::Template;
use barometer_cloud::table::test_mails::MOST_AN_HOUR;
use barometer_domain::{Settings, language::Language, mail, token};
use barometer_message::{Words, Written};

use super::chrome::Chrome;

/// Whom a preview greets.
const SAMPLE: &str = "Ada Lovelace";

/// The words of a preview. Errors: its template can't be rendered.
pub fn sample(settings: &Settings, language: Language, origin: &str) -> Result<Written, askama::Error> {
    let test = token::of_test(language);
    Words { language, settings, name: Some(SAMPLE), origin, feedback: &test, unsubscribe: &test }.write()
}

/// A language in words.
fn name(language: Language) -> &'static str {
    match language {
        Language::English => "English",
        Language::German => "German",
    }
}

/// The mail in one language.
#[derive(Debug, Clone)]
struct Preview {
    tag: &'static str,
    name: &'static str,
    subject: String,
    text: String,
    /// What users get whose language isn't known.
    default: bool,
}

/// What came of a form.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Outcome {
    /// A test was sent.
    pub sent: bool,
    /// What was wrong.
    pub problem: Option<String>,
    /// The address as it was typed.
    pub to: Option<String>,
}

/// The page of mails.
#[derive(Debug, Clone, Template)]
#[template(path = "mail.html")]
pub struct MailPage {
    chrome: Chrome,
    facts: Vec<(&'static str, String)>,
    mails: Vec<Preview>,
    may_send: bool,
    most: u32,
    to: String,
    sent: bool,
    problem: Option<String>,
}

impl MailPage {
    /// The page under a workspace's settings; `from` is whom its mails come from. Errors: a mail can't be rendered.
    pub fn build(
        chrome: Chrome,
        settings: &Settings,
        from: &str,
        origin: &str,
        may_send: bool,
        outcome: Outcome,
    ) -> Result<Self, askama::Error> {
        let mails = Language::ALL.into_iter().map(|language| {
            let Written { subject, text, .. } = sample(settings, language, origin)?;
            let default = language == settings.mail.language;
            Ok(Preview { tag: language.tag(), name: name(language), subject, text, default })
        });
        let mails = mails.collect::<Result<_, askama::Error>>()?;
        // Whoever signed in by token may have a name that is no address.
        let own = Some(chrome.author.clone()).filter(|author| mail::is_address(author));
        Ok(Self {
            facts: facts(settings, from),
            mails,
            may_send,
            most: MOST_AN_HOUR,
            to: outcome.to.or(own).unwrap_or_default(),
            sent: outcome.sent,
            problem: outcome.problem,
            chrome,
        })
    }
}

fn facts(settings: &Settings, from: &str) -> Vec<(&'static str, String)> {
    let mail = &settings.mail;
    let or = |text: &str, otherwise: &str| if text.is_empty() { otherwise } else { text }.to_owned();
    vec![
        ("Product", settings.product().to_owned()),
        ("From", from.to_owned()),
        ("Replies to", or(mail.reply_to.as_deref().unwrap_or_default(), "the sender")),
        ("Accent", mail.accent().to_string()),
        ("Logo", or(mail.logo().unwrap_or_default(), "none")),
        ("Otherwise in", name(mail.language).to_owned()),
        ("Footer", or(&mail.footer, "none")),
    ]
}
