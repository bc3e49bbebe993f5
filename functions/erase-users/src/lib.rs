//! Takes people who are to be erased out of the packed log.
//!
//! In: the schedule's `{"scheduled_time": …}`. Out: how many packs were rewritten and how many erasures are through.
//! Writes: the packs that name such a person, without them, and how far each erasure is. An hour after somebody asked, what
//! stragglers brought meanwhile goes as well; then the log is gone through day by day. When time is up, the next
//! invocation goes on where this one ended; doing a day twice changes nothing.

use std::time::{Duration, Instant};

use barometer_cloud::{
    StoreError, Table,
    erasure::{self, STRAGGLERS},
    table::erasures::Erasure,
};
use barometer_domain::WorkspaceId;
use chrono::{DateTime, Utc};
use ingest_events::replay;
use serde::{Deserialize, Serialize};

/// How long one invocation works; the function's time-out leaves room for a large day more.
pub const BUDGET: Duration = Duration::from_secs(200);

/// What the function works with.
#[derive(Debug, Clone)]
pub struct Deps {
    /// The table.
    pub table: Table,
    /// How long it works.
    pub budget: Duration,
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
    /// Packs of the log that named somebody.
    pub rewritten: usize,
    /// Erasures that are through.
    pub erased: usize,
}

/// Why an invocation failed. It is retried, and goes on where it ended.
#[derive(Debug, thiserror::Error)]
pub enum EraseError {
    /// The table.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A workspace without settings.
    #[error("workspace {0} has no settings")]
    NoSettings(WorkspaceId),
}

/// Goes on with every erasure that was asked for an hour ago or longer.
pub async fn handle(event: Event, deps: &Deps) -> Result<Outcome, EraseError> {
    let until = Instant::now() + deps.budget;
    let mut outcome = Outcome::default();
    for workspace in deps.table.workspaces().await? {
        let id = &workspace.workspace_id;
        let mut erasures = deps.table.erasures(id).await?;
        erasures.retain(|erasure| erasure.requested_at + STRAGGLERS <= event.scheduled_time);
        for erasure in erasures {
            if Instant::now() >= until {
                return Ok(outcome);
            }
            erase(deps, id, erasure, until, &mut outcome).await?;
        }
    }
    Ok(outcome)
}

async fn erase(
    deps: &Deps,
    workspace: &WorkspaceId,
    mut erasure: Erasure,
    until: Instant,
    outcome: &mut Outcome,
) -> Result<(), EraseError> {
    let table = &deps.table;
    let ends = erasure.requested_at + STRAGGLERS;
    let settings =
        table.settings(workspace).await?.ok_or_else(|| EraseError::NoSettings(workspace.clone()))?;
    erasure::forget(table, workspace, &erasure, &settings.settings, ends).await?;
    while erasure.log_day <= ends.date_naive() {
        for logged in table.logged_on(workspace, erasure.log_day).await? {
            if let Some(content) = replay::without(&logged.pack, &erasure.ids, &erasure.alias)? {
                table.rewrite_log(workspace, &logged, content).await?;
                outcome.rewritten += 1;
            }
        }
        let Some(next) = erasure.log_day.succ_opt() else { break };
        erasure.log_day = next;
        table.write_erasure(workspace, &erasure).await?;
        if Instant::now() >= until {
            return Ok(());
        }
    }
    table.end_erasure(workspace, &erasure).await?;
    outcome.erased += 1;
    tracing::info!(%workspace, "somebody was erased");
    Ok(())
}
