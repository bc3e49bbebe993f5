//! Does what follows from a change, and from time passing.
//!
//! In: from the bus `status.changed`, `engagement.settled`, `happiness.settled`, `alert.opened`, `feedback.received` and
//! `feedback.voided`; from the schedule, every hour, `{"scheduled_time": …}`. Out: the kinds of the events that went out.
//! Writes: after an answer the company's happiness as recomputed from all that is stored, the follow-up task, an alert
//! where happiness dropped suddenly, when the user was last asked by another survey; for every rule that is about what
//! happened its firing with the actions, and the tasks and tags that it wants; in a workspace's morning what follows from
//! reviews, renewals and tasks that are overdue. Events are written with what they tell of. Everything is decided from
//! what is stored by then, so that an event that comes twice, late or out of order changes nothing more.

mod answered;
mod daily;
mod rules;

use barometer_cloud::{
    Bus, Clock, StoreError, Table,
    bus::{self, Detail, DetailType},
};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// What the function works with.
#[derive(Debug, Clone)]
pub struct Deps {
    /// The table.
    pub table: Table,
    /// The bus.
    pub bus: Bus,
    /// The time.
    pub clock: Clock,
}

/// What invokes the function.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum Event {
    /// The schedule.
    Scheduled {
        /// The time the schedule meant.
        scheduled_time: DateTime<Utc>,
    },
    /// The bus.
    Bus(BusEvent),
}

/// A bus event as the rule hands it over.
#[derive(Debug, Clone, Deserialize)]
pub struct BusEvent {
    /// What kind it is.
    #[serde(rename = "detail-type")]
    pub detail_type: DetailType,
    /// What it says.
    pub detail: Detail,
}

/// What an invocation did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Outcome {
    /// The kinds of the events that went out because of it.
    pub events: Vec<&'static str>,
}

/// Why an invocation failed. It is retried, and goes on where it ended.
#[derive(Debug, thiserror::Error)]
pub enum ReactError {
    /// The table.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The event lacks what every event of its kind says.
    #[error("the event doesn't say its {0}")]
    Incomplete(&'static str),
    /// The event says something else than its kind does.
    #[error("the event can't be read")]
    Unreadable(#[source] serde_json::Error),
}

impl Outcome {
    fn of(events: &[bus::Event]) -> Self {
        Self { events: events.iter().map(|event| event.detail_type.as_str()).collect() }
    }
}

/// Does what follows from an event; kinds that nothing follows from are ignored. Errors: [`ReactError`].
pub async fn handle(event: Event, deps: &Deps) -> Result<Outcome, ReactError> {
    let event = match event {
        Event::Scheduled { scheduled_time } => return daily::look(scheduled_time, deps).await,
        Event::Bus(event) => event,
    };
    let mut outcome = match event.detail_type {
        DetailType::FeedbackReceived | DetailType::FeedbackVoided => answered::follow(&event, deps).await?,
        _ => Outcome::default(),
    };
    outcome.events.extend(rules::act(&event, deps).await?.events);
    Ok(outcome)
}
