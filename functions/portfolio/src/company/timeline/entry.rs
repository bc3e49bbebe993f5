//! What stands in a timeline.

use barometer_cloud::table::{
    actions::{Action, ActionState},
    asks::{Ask, AskState},
    audit, instant_key,
    statuses::StatusChange,
};
use barometer_domain::{
    IsoWeek, Percent, UserId,
    automation::{RuleId, Wanted},
    band::Standing,
    day::Day,
    happiness::Level,
};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{alerts::AlertView, disagreements::DisagreementView, feedback::AnswerView, tasks::TaskView};

/// The kinds of entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// What users did on a day.
    Activity,
    /// An answer.
    Answer,
    /// A mail to a user.
    Mail,
    /// The business status was set.
    Status,
    /// The band of engagement changed.
    Engagement,
    /// The level of happiness changed.
    Happiness,
    /// Somebody changed what is known of the company.
    Change,
    /// An alert was opened, acknowledged or resolved.
    Alert,
    /// A task was opened, done or cancelled.
    Task,
    /// A disagreement was opened or closed.
    Disagreement,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Activity,
        Self::Answer,
        Self::Mail,
        Self::Status,
        Self::Engagement,
        Self::Happiness,
        Self::Change,
        Self::Alert,
        Self::Task,
        Self::Disagreement,
    ];
}

/// Something that happened.
#[derive(Debug, Serialize, schemars::JsonSchema)]
#[schemars(rename = "TimelineEntry")]
pub struct Entry {
    /// Tells it apart from all others of the company.
    pub id: String,
    /// When. Activity: the last of the day, to five minutes; a change of a reading: the end of its week.
    pub at: DateTime<Utc>,
    /// What.
    #[serde(flatten)]
    pub what: What,
}

/// What happened.
#[derive(Debug, Serialize, schemars::JsonSchema)]
#[schemars(rename = "TimelineDetail")]
#[serde(rename_all = "snake_case", tag = "kind", content = "detail")]
pub enum What {
    /// What users did on a day.
    Activity(Day),
    /// An answer.
    Answer(Box<AnswerView>),
    /// A mail to a user.
    Mail(Mail),
    /// The business status was set.
    Status(Box<StatusChange>),
    /// The band of engagement changed.
    Engagement(Engagement),
    /// The level of happiness changed.
    Happiness(Happiness),
    /// Somebody changed what is known of the company.
    Change(Change),
    /// An alert was opened, acknowledged or resolved.
    Alert(Step<AlertView>),
    /// A task was opened, done or cancelled.
    Task(Step<TaskView>),
    /// A disagreement was opened or closed.
    Disagreement(Step<DisagreementView>),
}

/// A mail to a user.
#[derive(Debug, Serialize, schemars::JsonSchema)]
#[schemars(rename = "TimelineMail")]
pub struct Mail {
    user_id: UserId,
    /// The rule that wanted it; null for one that asks for feedback.
    rule: Option<RuleId>,
    /// The subject of a rule's mail.
    subject: Option<String>,
    state: MailState,
    /// Why it got no further.
    reason: Option<String>,
    /// When it was answered, if it asked and was.
    answered_at: Option<DateTime<Utc>>,
}

/// How far a mail got: as a mail that asks or as a rule's action.
#[derive(Debug, Serialize, schemars::JsonSchema)]
#[serde(untagged)]
enum MailState {
    Ask(AskState),
    Action(ActionState),
}

/// The band of engagement changed from one week to the next.
#[derive(Debug, Serialize, schemars::JsonSchema)]
#[schemars(rename = "EngagementMove")]
pub struct Engagement {
    /// The week.
    pub week: IsoWeek,
    /// Null before the first week.
    pub from: Option<Standing>,
    /// The week's band, or why there is none.
    pub to: Standing,
    /// The week's score.
    pub score: Option<Percent>,
}

/// The level of happiness changed from one week's end to the next.
#[derive(Debug, Serialize, schemars::JsonSchema)]
#[schemars(rename = "HappinessMove")]
pub struct Happiness {
    /// The week.
    pub week: IsoWeek,
    /// The level at the end of the week before.
    pub from: Level,
    /// The level at its end, or now in the running week.
    pub to: Level,
    /// The score behind it.
    pub score: Option<Percent>,
}

/// Somebody changed what is known of the company.
#[derive(Debug, Serialize, schemars::JsonSchema)]
#[schemars(rename = "CompanyChange")]
pub struct Change {
    by: String,
    /// The fields that changed, as they were.
    from: Value,
    /// The same fields, as they are.
    to: Value,
}

/// A case moved on.
#[derive(Debug, Serialize, schemars::JsonSchema)]
#[schemars(rename = "{V}Move")]
pub struct Step<V> {
    /// How.
    pub happened: Moved,
    /// The case as it stands now.
    pub case: V,
}

/// How a case moves on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[schemars(rename = "CaseMove")]
#[serde(rename_all = "snake_case")]
pub enum Moved {
    /// It began.
    Opened,
    /// Somebody looks after it.
    Acknowledged,
    /// It ended.
    Closed,
}

impl Entry {
    /// Its place in the timeline: later ones are greater.
    pub fn key(&self) -> String {
        format!("{}#{}", instant_key(self.at), self.id)
    }
}

impl From<Ask> for Entry {
    fn from(ask: Ask) -> Self {
        let mail = Mail {
            user_id: ask.user_id,
            rule: None,
            subject: None,
            state: MailState::Ask(ask.state),
            reason: ask.reason,
            answered_at: ask.answered_at,
        };
        let at = ask.accepted_at.or(ask.submitted_at).unwrap_or(ask.planned_at);
        Self { id: format!("ask-{}", ask.send_id), at, what: What::Mail(mail) }
    }
}

impl Entry {
    /// The mail that an action is, if it is one and there is somebody to mail.
    pub fn of_action(action: Action) -> Option<Self> {
        let id = action.place().id();
        let Wanted::Email { user_id: Some(user_id), subject, .. } = action.wanted else { return None };
        let mail = Mail {
            user_id,
            rule: Some(action.rule),
            subject: Some(subject),
            state: MailState::Action(action.state),
            reason: action.reason,
            answered_at: None,
        };
        Some(Self { id, at: action.occurred_at, what: What::Mail(mail) })
    }
}

impl From<StatusChange> for Entry {
    fn from(change: StatusChange) -> Self {
        let at = change.status.set_at;
        Self { id: change.id.clone(), at, what: What::Status(Box::new(change)) }
    }
}

impl From<audit::Entry> for Entry {
    fn from(entry: audit::Entry) -> Self {
        let audit::Entry { id, at, by, from, to, .. } = entry;
        Self { id, at, what: What::Change(Change { by, from, to }) }
    }
}
