//! Rules as a workspace keeps them.

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use super::template;
use crate::{
    alert, band::Band, follow_up::Priority, happiness::Level, language::Language, quadrant::Cell,
    settings::SettingsError, status::Status,
};

/// Most rules of a workspace.
pub const MAX_RULES: usize = 50;
/// Most actions of a rule.
const MAX_ACTIONS: usize = 8;
/// Longest name, title and subject, in characters.
const LONGEST_LINE: usize = 200;
/// Longest text of a mail or a note, in characters.
const LONGEST_TEXT: usize = 5_000;
/// Longest cool-down, in days.
const LONGEST_COOL_DOWN: u16 = 365;
/// Longest time in which a mail can be undone, in minutes: a day.
const LONGEST_UNDO: u16 = 1_440;
/// Longest a task may be due ahead, in business days.
const LONGEST_DUE: u8 = 60;
/// Farthest a renewal is looked ahead to, in days.
const FARTHEST_RENEWAL: u16 = 365;

/// A rule's id: 1 to 40 of `a`–`z`, `0`–`9` and `-`.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(try_from = "String", into = "String")]
pub struct RuleId(String);

/// Not an id of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a rule's id has 1 to 40 characters of a–z, 0–9 and -")]
pub struct RuleIdError;

impl RuleId {
    /// Checks and wraps an id.
    pub fn new(id: impl Into<String>) -> Result<Self, RuleIdError> {
        let id = id.into();
        let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if (1..=40).contains(&id.len()) && id.bytes().all(fits) { Ok(Self(id)) } else { Err(RuleIdError) }
    }

    /// The id.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for RuleId {
    type Error = RuleIdError;
    fn try_from(id: String) -> Result<Self, RuleIdError> {
        Self::new(id)
    }
}

impl From<RuleId> for String {
    fn from(id: RuleId) -> Self {
        id.0
    }
}

impl std::fmt::Display for RuleId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// A rule: when what happens at which companies, what is done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AutomationRule {
    /// Its id, which stays the same when the rule is changed.
    pub id: RuleId,
    /// Its name.
    pub name: String,
    /// Whether it acts.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// What sets it off.
    pub trigger: Trigger,
    /// Which companies it is for; all of them must hold.
    #[serde(default)]
    pub conditions: Conditions,
    /// What it does, 1 to 8.
    pub actions: Vec<Action>,
    /// For how many days it stays quiet at a company after it acted there.
    #[serde(default = "month")]
    pub cooldown_days: u16,
}

fn yes() -> bool {
    true
}

/// Rule: cool-down 30 days per company and rule.
fn month() -> u16 {
    30
}

/// Rule: a mail can be undone for 15 minutes.
fn quarter() -> u16 {
    15
}

fn one_day() -> u8 {
    1
}

fn normal() -> Priority {
    Priority::Normal
}

/// What sets a rule off. An empty list of values stands for any.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(tag = "on", rename_all = "snake_case", deny_unknown_fields)]
pub enum Trigger {
    /// The business status is set to another value.
    Status {
        /// From one of these.
        #[serde(default)]
        from: BTreeSet<Status>,
        /// To one of these.
        #[serde(default)]
        to: BTreeSet<Status>,
    },
    /// The engagement moves to another band and stays: see [`settle`](super::settle).
    Engagement {
        /// From one of these.
        #[serde(default)]
        from: BTreeSet<Band>,
        /// To one of these.
        #[serde(default)]
        to: BTreeSet<Band>,
    },
    /// The happiness moves to another level and stays.
    Happiness {
        /// From one of these.
        #[serde(default)]
        from: BTreeSet<Level>,
        /// To one of these.
        #[serde(default)]
        to: BTreeSet<Level>,
    },
    /// An alert of the company opens, or gets worse.
    Alert {
        /// By one of these.
        #[serde(default)]
        rules: BTreeSet<alert::Rule>,
    },
    /// A user answers. Ratings of other scales count by their value: 3 of 5 stars are 5 of 10.
    Answer {
        /// With this rating of 0 to 10 or a lower one.
        #[serde(default)]
        at_most: Option<u8>,
        /// With this rating of 0 to 10 or a higher one.
        #[serde(default)]
        at_least: Option<u8>,
    },
    /// The business status is past its review-by.
    ReviewOverdue {},
    /// The contract renews in so many days.
    Renewal {
        /// 1 to 365.
        days: u16,
    },
}

/// Which companies a rule is for. What is empty excludes nobody.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Conditions {
    /// One of these CSMs looks after it.
    pub owners: BTreeSet<String>,
    /// It has one of these plans.
    pub plans: BTreeSet<String>,
    /// Its engagement is in one of these bands.
    pub bands: BTreeSet<Band>,
    /// It is in one of these cells of the quadrant.
    pub quadrants: BTreeSet<Cell>,
    /// Each of these traits, by its name without case and punctuation, has one of its values.
    pub traits: BTreeMap<String, BTreeSet<String>>,
    /// It has one of these tags.
    pub tags: BTreeSet<String>,
}

/// What a rule does. Texts may hold placeholders such as `{{company}}`; see [`Placeholder`](super::Placeholder).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[schemars(rename = "RuleAction")]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub enum Action {
    /// Mails the company's contacts in the CSM's name.
    Email {
        /// The subject.
        subject: String,
        /// The text, in plain text.
        text: String,
        /// The language of subject and text; the workspace's unless said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        language: Option<Language>,
        /// The same in other languages: a contact who speaks one of them is written to in it.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        #[schemars(with = "Translations")]
        translations: BTreeMap<Language, MailText>,
        /// For how many minutes it waits, so that it can be undone; 0 to 1,440.
        #[serde(default = "quarter")]
        undo_minutes: u16,
        /// Whether it waits until somebody approves it.
        #[serde(default)]
        approval: bool,
    },
    /// Opens a task.
    Task {
        /// What is to be done, in one line.
        title: String,
        /// How urgent.
        #[serde(default = "normal")]
        priority: Priority,
        /// In how many business days it is due; 1 to 60.
        #[serde(default = "one_day")]
        due_in_days: u8,
        /// Who is to do it; the company's owner unless said.
        #[serde(default)]
        assignee: Option<String>,
    },
    /// Posts the event to a webhook endpoint.
    Webhook {
        /// The endpoint's id.
        endpoint: String,
    },
    /// Posts a note to a chat's webhook.
    Chat {
        /// The endpoint's id.
        endpoint: String,
        /// The note.
        text: String,
    },
    /// Adds tags to the company and takes others away.
    Tag {
        /// These come.
        #[serde(default)]
        add: BTreeSet<String>,
        /// These go.
        #[serde(default)]
        remove: BTreeSet<String>,
    },
}

/// What a mail says in one language.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MailText {
    /// The subject.
    pub subject: String,
    /// The text, in plain text.
    pub text: String,
}

/// Texts by language. A name for the schema only: generators of clients stumble over maps without one.
#[derive(schemars::JsonSchema)]
#[schemars(rename = "MailTranslations")]
#[expect(dead_code, reason = "only its schema is used")]
struct Translations(BTreeMap<Language, MailText>);

impl AutomationRule {
    /// How long it stays quiet at a company after it acted there.
    pub fn cool_down(&self) -> TimeDelta {
        TimeDelta::days(i64::from(self.cooldown_days))
    }

    /// Whether it mails anybody.
    pub fn mails(&self) -> bool {
        self.actions.iter().any(|action| matches!(action, Action::Email { .. }))
    }
}

/// Rules that no single field's type can hold. Returns what is wrong, with JSON pointers below `/rules`.
pub fn check(rules: &[AutomationRule]) -> Vec<SettingsError> {
    let mut found = Findings::default();
    if rules.len() > MAX_RULES {
        found.add("", "a workspace has at most 50 rules");
    }
    let mut ids = BTreeSet::new();
    for (index, rule) in rules.iter().enumerate() {
        let at = format!("/{index}");
        if !ids.insert(&rule.id) {
            found.add(&format!("{at}/id"), "another rule has this id");
        }
        rule.check(&at, &mut found);
    }
    found.0
}

/// What was found to be wrong.
#[derive(Default)]
struct Findings(Vec<SettingsError>);

impl Findings {
    fn add(&mut self, pointer: &str, detail: impl Into<String>) {
        self.0.push(SettingsError { pointer: format!("/rules{pointer}"), detail: detail.into() });
    }

    fn line(&mut self, pointer: &str, text: &str) {
        self.text(pointer, text, LONGEST_LINE);
        if text.chars().any(char::is_control) {
            self.add(pointer, "is one line");
        }
    }

    fn text(&mut self, pointer: &str, text: &str, most: usize) {
        if text.trim().is_empty() {
            self.add(pointer, "says something");
        } else if text.chars().count() > most {
            self.add(pointer, format!("has at most {most} characters"));
        }
        for unknown in template::unknown(text) {
            self.add(pointer, format!("there is no placeholder {{{{{unknown}}}}}"));
        }
    }
}

impl AutomationRule {
    fn check(&self, at: &str, found: &mut Findings) {
        if self.name.trim().is_empty() || self.name.chars().count() > LONGEST_LINE {
            found.add(&format!("{at}/name"), "a rule's name has 1 to 200 characters");
        }
        if self.cooldown_days > LONGEST_COOL_DOWN {
            found.add(&format!("{at}/cooldown_days"), "a cool-down lasts at most 365 days");
        }
        if self.actions.is_empty() || self.actions.len() > MAX_ACTIONS {
            found.add(&format!("{at}/actions"), "a rule does 1 to 8 things");
        }
        match &self.trigger {
            Trigger::Answer { at_most, at_least } => {
                let bounds = [("at_most", at_most), ("at_least", at_least)];
                for (field, _) in bounds.iter().filter(|(_, bound)| bound.is_some_and(|bound| bound > 10)) {
                    found.add(&format!("{at}/trigger/{field}"), "a rating is 0 to 10");
                }
            }
            Trigger::Renewal { days } if !(1..=FARTHEST_RENEWAL).contains(days) => {
                found.add(&format!("{at}/trigger/days"), "1 to 365 days");
            }
            _ => {}
        }
        for (index, action) in self.actions.iter().enumerate() {
            action.check(&format!("{at}/actions/{index}"), found);
        }
    }
}

impl Action {
    fn check(&self, at: &str, found: &mut Findings) {
        match self {
            Self::Email { subject, text, language, translations, undo_minutes, .. } => {
                found.line(&format!("{at}/subject"), subject);
                found.text(&format!("{at}/text"), text, LONGEST_TEXT);
                for (other, MailText { subject, text }) in translations {
                    let at = format!("{at}/translations/{}", other.tag());
                    if *language == Some(*other) {
                        found.add(&at, "is the language of the text itself");
                    }
                    found.line(&format!("{at}/subject"), subject);
                    found.text(&format!("{at}/text"), text, LONGEST_TEXT);
                }
                if *undo_minutes > LONGEST_UNDO {
                    found.add(&format!("{at}/undo_minutes"), "a mail can be undone for at most a day");
                }
            }
            Self::Task { title, due_in_days, assignee, .. } => {
                found.line(&format!("{at}/title"), title);
                if !(1..=LONGEST_DUE).contains(due_in_days) {
                    found.add(&format!("{at}/due_in_days"), "a task is due in 1 to 60 business days");
                }
                if assignee.as_ref().is_some_and(|name| name.trim().is_empty()) {
                    found.add(&format!("{at}/assignee"), "null, or somebody");
                }
            }
            Self::Webhook { endpoint } => endpoint_is_named(at, endpoint, found),
            Self::Chat { endpoint, text } => {
                endpoint_is_named(at, endpoint, found);
                found.text(&format!("{at}/text"), text, LONGEST_TEXT);
            }
            Self::Tag { add, remove } => {
                if add.is_empty() && remove.is_empty() {
                    found.add(at, "a tag is added or taken away");
                }
                for (field, tags) in [("add", add), ("remove", remove)] {
                    if !tags.iter().all(|tag| is_tag(tag)) {
                        found.add(&format!("{at}/{field}"), "a tag has 1 to 40 characters on one line");
                    }
                }
            }
        }
    }
}

/// Whether a text can be a tag of a company: 1 to 40 characters on one line, no blanks at the ends.
pub fn is_tag(tag: &str) -> bool {
    (1..=40).contains(&tag.chars().count()) && tag.trim() == tag && !tag.chars().any(char::is_control)
}

fn endpoint_is_named(at: &str, endpoint: &str, found: &mut Findings) {
    if endpoint.trim().is_empty() {
        found.add(&format!("{at}/endpoint"), "names an endpoint of /v1/webhooks");
    }
}
