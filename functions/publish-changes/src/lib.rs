//! Publishes what a crash left in the outbox.
//!
//! In: the schedule's `{"scheduled_time": …}`. Out: how many events the bus took. Writes: removes them from the
//! outbox. Every change publishes its own events right after its transaction; this sweep is for those whose
//! process ended in between. An event may be published twice; consumers deduplicate by its id.

use barometer_cloud::{Bus, StoreError, Table, table::outbox::PublishError};
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

/// Younger events are left to the process that wrote them.
const SETTLED: TimeDelta = TimeDelta::minutes(1);

/// What the function works with.
#[derive(Debug, Clone)]
pub struct Deps {
    /// The table.
    pub table: Table,
    /// The bus.
    pub bus: Bus,
}

/// What invokes the function.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Event {
    /// The instant for which the schedule fires.
    pub scheduled_time: DateTime<Utc>,
}

/// What an invocation did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Outcome {
    /// Events the bus took.
    pub published: usize,
}

/// Why an invocation failed. It is retried; what the bus took isn't published again.
#[derive(Debug, thiserror::Error)]
pub enum SweepError {
    /// The table.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The bus or the table behind a publication.
    #[error(transparent)]
    Publish(#[from] PublishError),
}

/// Publishes every event that has waited for a minute or longer.
pub async fn handle(event: Event, deps: &Deps) -> Result<Outcome, SweepError> {
    let mut outcome = Outcome::default();
    for workspace in deps.table.workspaces().await? {
        let id = &workspace.workspace_id;
        let mut events = deps.table.unpublished(id).await?;
        events.retain(|left| left.detail.occurred_at + SETTLED <= event.scheduled_time);
        if !events.is_empty() {
            outcome.published += deps.table.publish(&deps.bus, id, &events).await?;
            tracing::warn!(workspace = %id, events = events.len(), "published what was left in the outbox");
        }
    }
    Ok(outcome)
}
