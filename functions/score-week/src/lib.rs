//! Scores every company every week.
//!
//! In: the schedule's `{"scheduled_time": …}`, or a `score.shard` event from the bus. Out: what was done.
//! The schedule fires often; the handler decides per workspace and zone what is due: a week that has ended and
//! isn't scored, or one whose grace is over and that wasn't scored again for late events. Such a run is planned
//! once, its shards go over the bus back to this function, and each shard scores its companies.
//! Writes: runs, weekly snapshots, the readings on companies' rows, `engagement.changed` and `happiness.changed`.

mod plan;
mod shard;

use barometer_cloud::{
    Bus, Table,
    sharded::{Outcome, RunError, Trigger},
    table::runs::Pass,
};
use barometer_domain::{IsoWeek, WorkspaceId};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// What the function works with.
#[derive(Debug, Clone)]
pub struct Deps {
    /// The table.
    pub table: Table,
    /// The bus.
    pub bus: Bus,
}

/// What invokes the function.
pub type Event = Trigger<ShardDetail>;

/// One shard of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShardDetail {
    /// The workspace.
    pub workspace_id: WorkspaceId,
    /// The schedule's time.
    pub occurred_at: DateTime<Utc>,
    /// The week.
    pub week: IsoWeek,
    /// The first scoring or the one after the grace.
    pub pass: Pass,
    /// The shard.
    pub shard: u8,
}

/// Plans what is due, or scores one shard.
pub async fn handle(event: Event, deps: &Deps) -> Result<Outcome, RunError> {
    match event {
        Event::Scheduled { scheduled_time } => plan::due(deps, scheduled_time).await,
        Event::Bus { detail } => shard::score(deps, &detail).await,
    }
}
