//! The mail that asks, as users will get it, and how it looks.

use askama::Template;
use barometer_cloud::table::test_mails::MOST_AN_HOUR;
use barometer_domain::{Settings, language::Language, mail, token};
use barometer_message::{Words, Written};

use super::{
    chrome::Chrome,
    settings::fields::{self, Field, Group, GroupView, Kind},
};
use crate::{api::WrongField, notice::Notice, settings::Typed};

/// What can be changed on the page.
pub const GROUPS: [Group; 2] = [
    Group {
        id: "asking",
        title: "Asking",
        about: "How often the same user may be asked, and which events of your product are answers.",
        fields: &[
            Field {
                path: "/cadence_days",
                label: "A user is asked every",
                kind: Kind::Choice(&[
                    ("30", "30 days"),
                    ("60", "60 days"),
                    ("90", "90 days"),
                    ("180", "180 days"),
                ]),
            },
            Field {
                path: "/feedback_events",
                label: "Events that are answers, one a line",
                kind: Kind::Lines,
            },
        ],
    },
    Group {
        id: "words",
        title: "Sender and look",
        about: "An empty field falls back: the sender to the product, the product to the workspace’s name.",
        fields: &[
            Field { path: "/mail/product", label: "Product", kind: Kind::Line },
            Field { path: "/mail/sender_name", label: "Sender’s name", kind: Kind::Line },
            Field { path: "/mail/reply_to", label: "Replies go to", kind: Kind::OptionalLine },
            Field { path: "/mail/accent", label: "Accent, #rrggbb", kind: Kind::OptionalLine },
            Field { path: "/mail/logo_url", label: "Logo, https://…", kind: Kind::OptionalLine },
            Field {
                path: "/mail/language",
                label: "Language where none is known",
                kind: Kind::Choice(&[("en", "English"), ("de", "German")]),
            },
            Field { path: "/mail/footer", label: "Footer, with your postal address", kind: Kind::Text },
        ],
    },
];

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

/// The settings of mails, and what came of saving them.
#[derive(Debug, Clone, Default)]
pub struct Look<'a> {
    /// The version that the visitor sees.
    pub version: u32,
    /// The settings as the API writes them.
    pub settings: serde_json::Value,
    /// What was typed, if a form was sent.
    pub typed: Option<&'a Typed>,
    /// What was wrong with it.
    pub wrong: &'a [WrongField],
    /// What is said first.
    pub notice: Option<Notice>,
}

/// The page of mails.
#[derive(Debug, Clone, Template)]
#[template(path = "mail.html")]
pub struct MailPage {
    chrome: Chrome,
    notice: Option<Notice>,
    version: u32,
    groups: Vec<GroupView>,
    note: String,
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
        look: Look<'_>,
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
            version: look.version,
            groups: fields::views(&GROUPS, &look.settings, look.typed, look.wrong),
            note: look.typed.map(|typed| typed.text("note").to_owned()).unwrap_or_default(),
            notice: look.notice,
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
