//! Does what follows from a change.
//!
//! In: `feedback.received` and `feedback.voided` from the bus. Out: what was done. Writes: the company's happiness as
//! recomputed from all that is stored, with `happiness.changed`; the follow-up task of an answer, with `task.created`; an
//! alert where happiness dropped suddenly, with `alert.opened`; when the user was last asked by another survey. Everything
//! is decided from what is stored by then, so that an event that comes twice, late or out of order changes nothing more.

mod answered;

use barometer_cloud::{
    Bus, Clock, StoreError, Table,
    bus::{Detail, DetailType},
};
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

/// A bus event as the rule hands it over.
#[derive(Debug, Clone, Deserialize)]
pub struct Event {
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
}

/// Does what follows from an event; kinds that nothing follows from are ignored. Errors: [`ReactError`].
pub async fn handle(event: Event, deps: &Deps) -> Result<Outcome, ReactError> {
    match event.detail_type {
        DetailType::FeedbackReceived | DetailType::FeedbackVoided => answered::follow(&event, deps).await,
        _ => Ok(Outcome::default()),
    }
}
