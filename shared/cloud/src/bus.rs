//! Events on the bus: what changed, for everybody who wants to hear of it. `shared/cloud/schemas` describes each kind.

use aws_sdk_eventbridge::types::PutEventsRequestEntry;
use barometer_domain::{CompanyId, WorkspaceId};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::invocation;

/// Source of all our events.
pub const SOURCE: &str = "barometer";

/// Most entries that one `PutEvents` call takes.
const BATCH: usize = 10;

/// The kinds of events, as `detail-type` on the bus.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum DetailType {
    /// A business status was set to another value.
    #[serde(rename = "status.changed")]
    StatusChanged,
    /// A week's band differs from the week's before.
    #[serde(rename = "engagement.changed")]
    EngagementChanged,
    /// The happiness level changed.
    #[serde(rename = "happiness.changed")]
    HappinessChanged,
    /// The engagement has settled in another band: 2 points past the threshold, or for the second week.
    #[serde(rename = "engagement.settled")]
    EngagementSettled,
    /// The happiness has settled on another level: 2 points past the threshold, or for the second week.
    #[serde(rename = "happiness.settled")]
    HappinessSettled,
    /// A mail to a company is planned.
    #[serde(rename = "mail.requested")]
    MailRequested,
    /// A rule has something to do at once.
    #[serde(rename = "actions.due")]
    ActionsDue,
    /// A task is overdue and was made more urgent.
    #[serde(rename = "task.escalated")]
    TaskEscalated,
    /// A user answered.
    #[serde(rename = "feedback.received")]
    FeedbackReceived,
    /// A CSM voided an answer.
    #[serde(rename = "feedback.voided")]
    FeedbackVoided,
    /// A task was made.
    #[serde(rename = "task.created")]
    TaskCreated,
    /// An alert was opened, or became worse.
    #[serde(rename = "alert.opened")]
    AlertOpened,
    /// A shard of a week is to be scored.
    #[serde(rename = "score.shard")]
    ScoreShard,
    /// A shard of a month is to be rolled up.
    #[serde(rename = "rollup.shard")]
    RollupShard,
    /// A week was scored, or a month rolled up, for all companies.
    #[serde(rename = "run.completed")]
    RunCompleted,
}

impl DetailType {
    /// All of them. Each has a schema in `shared/cloud/schemas`.
    pub const ALL: [Self; 15] = [
        Self::StatusChanged,
        Self::EngagementChanged,
        Self::HappinessChanged,
        Self::EngagementSettled,
        Self::HappinessSettled,
        Self::MailRequested,
        Self::ActionsDue,
        Self::TaskEscalated,
        Self::FeedbackReceived,
        Self::FeedbackVoided,
        Self::TaskCreated,
        Self::AlertOpened,
        Self::ScoreShard,
        Self::RollupShard,
        Self::RunCompleted,
    ];

    /// The text on the bus.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::StatusChanged => "status.changed",
            Self::EngagementChanged => "engagement.changed",
            Self::HappinessChanged => "happiness.changed",
            Self::EngagementSettled => "engagement.settled",
            Self::HappinessSettled => "happiness.settled",
            Self::MailRequested => "mail.requested",
            Self::ActionsDue => "actions.due",
            Self::TaskEscalated => "task.escalated",
            Self::FeedbackReceived => "feedback.received",
            Self::FeedbackVoided => "feedback.voided",
            Self::TaskCreated => "task.created",
            Self::AlertOpened => "alert.opened",
            Self::ScoreShard => "score.shard",
            Self::RollupShard => "rollup.shard",
            Self::RunCompleted => "run.completed",
        }
    }
}

/// What stands in the `detail` of every event of ours.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Detail {
    /// Deterministic where the change is: consumers deduplicate by it.
    pub event_id: String,
    /// The workspace.
    pub workspace_id: WorkspaceId,
    /// The company, for events of one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub company_id: Option<CompanyId>,
    /// When the change happened.
    pub occurred_at: DateTime<Utc>,
    /// Version of the event's schema.
    pub schema: u8,
    /// The matter that it came of, see [`crate::invocation`]; in every log line of what follows, too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace_id: Option<String>,
    /// The change.
    #[serde(flatten)]
    pub change: serde_json::Map<String, serde_json::Value>,
}

/// An event to publish.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// The kind.
    pub detail_type: DetailType,
    /// The content.
    pub detail: Detail,
}

impl Event {
    /// An event whose id follows from what it says: the same change published twice has the same id.
    ///
    /// `key` names the change within the workspace, such as a status change's id or a snapshot's revision.
    /// Errors: `change` isn't a JSON object.
    pub fn new(
        detail_type: DetailType,
        workspace: &WorkspaceId,
        company: Option<&CompanyId>,
        occurred_at: DateTime<Utc>,
        key: &str,
        change: &impl Serialize,
    ) -> Result<Self, serde_json::Error> {
        let mut hash = Sha256::new();
        for part in [workspace.as_str(), company.map_or("", CompanyId::as_str), detail_type.as_str(), key] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part.as_bytes());
        }
        let event_id = hex(hash.finalize().iter().take(16));
        let change = serde_json::from_value(serde_json::to_value(change)?)?;
        Ok(Self {
            detail_type,
            detail: Detail {
                event_id,
                workspace_id: workspace.clone(),
                company_id: company.cloned(),
                occurred_at,
                schema: 1,
                trace_id: invocation::trace_id(),
                change,
            },
        })
    }
}

/// Bytes as lower-case hexadecimal digits.
pub fn hex<'a>(bytes: impl IntoIterator<Item = &'a u8>) -> String {
    use std::fmt::Write;
    bytes.into_iter().fold(String::new(), |mut text, byte| {
        let _infallible = write!(text, "{byte:02x}");
        text
    })
}

/// Publishing failed for some events or all.
#[derive(Debug, thiserror::Error)]
pub enum BusError {
    /// The call failed.
    #[error("publishing to the bus failed")]
    Call(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The bus took some entries and refused others.
    #[error("the bus refused {refused} of {sent} events, the first with {code}")]
    Refused {
        /// Entries refused.
        refused: usize,
        /// Entries sent.
        sent: usize,
        /// The first refusal's code.
        code: String,
    },
    /// An event can't be written as JSON.
    #[error("an event can't be written as JSON")]
    Json(#[from] serde_json::Error),
}

/// The event bus.
#[derive(Debug, Clone)]
pub struct Bus {
    client: aws_sdk_eventbridge::Client,
    name: String,
}

impl Bus {
    /// The bus `name`.
    pub fn new(client: aws_sdk_eventbridge::Client, name: impl Into<String>) -> Self {
        Self { client, name: name.into() }
    }

    /// Publishes events in order and returns the ids of those that the bus took; the others are left to the
    /// caller (the outbox sweep). Errors: a call that failed as a whole.
    pub async fn publish(&self, events: &[Event]) -> Result<Vec<String>, BusError> {
        let mut taken = Vec::with_capacity(events.len());
        for batch in events.chunks(BATCH) {
            let entries = batch
                .iter()
                .map(|event| {
                    Ok(PutEventsRequestEntry::builder()
                        .event_bus_name(&self.name)
                        .source(SOURCE)
                        .detail_type(event.detail_type.as_str())
                        .time(std::time::SystemTime::from(event.detail.occurred_at).into())
                        .detail(serde_json::to_string(&event.detail)?)
                        .build())
                })
                .collect::<Result<Vec<_>, serde_json::Error>>()?;
            let answer = self
                .client
                .put_events()
                .set_entries(Some(entries))
                .send()
                .await
                .map_err(|error| BusError::Call(error.into()))?;
            for (event, result) in batch.iter().zip(answer.entries()) {
                match result.error_code() {
                    None => taken.push(event.detail.event_id.clone()),
                    Some(code) => {
                        tracing::warn!(code, event_id = event.detail.event_id, "the bus refused an event");
                    }
                }
            }
        }
        Ok(taken)
    }

    /// Publishes all or fails. Errors: the call, or that some were refused.
    pub async fn publish_all(&self, events: &[Event]) -> Result<(), BusError> {
        let taken = self.publish(events).await?;
        if taken.len() == events.len() {
            Ok(())
        } else {
            Err(BusError::Refused {
                refused: events.len() - taken.len(),
                sent: events.len(),
                code: "see the log".to_owned(),
            })
        }
    }
}
