//! Scores every company every week.
//!
//! In: the schedule's `{"scheduled_time": …}`, or a `score.shard` event from the bus. Out: what was done.
//! The schedule fires often; the handler decides per workspace and zone what is due: a week that has ended and
//! isn't scored, or one whose grace is over and that wasn't scored again for late events. Such a run is planned
//! once, its shards go over the bus back to this function, and each shard scores its companies.
//! Writes: runs, weekly snapshots, the readings on companies' rows, `engagement.changed` and `happiness.changed`.

mod plan;
mod shard;

use barometer_cloud::table::runs::Pass;
use barometer_cloud::{Bus, StoreError, Table, bus::BusError};
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
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Event {
    /// The schedule.
    Scheduled {
        /// The instant for which it fires: the only time that counts.
        scheduled_time: DateTime<Utc>,
    },
    /// The bus.
    Bus {
        /// The shard to score.
        detail: ShardDetail,
    },
}

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

/// What an invocation did.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Outcome {
    /// Shards put on the bus.
    pub shards_planned: usize,
    /// Companies looked at.
    pub companies: usize,
    /// Snapshots published: first revisions and corrections.
    pub published: usize,
}

/// Why an invocation failed. It is retried, and what is done already is not done twice.
#[derive(Debug, thiserror::Error)]
pub enum ScoreError {
    /// The table.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The bus.
    #[error(transparent)]
    Bus(#[from] BusError),
    /// A run that nobody planned, or settings that aren't there.
    #[error("there is no {0}")]
    Missing(&'static str),
    /// Some companies of a shard couldn't be scored; the others were.
    #[error("{failed} of {companies} companies couldn't be scored")]
    Companies {
        /// Companies that couldn't.
        failed: usize,
        /// Companies in the shard.
        companies: usize,
    },
}

impl From<serde_json::Error> for ScoreError {
    fn from(error: serde_json::Error) -> Self {
        Self::Store(error.into())
    }
}

/// Plans what is due, or scores one shard.
pub async fn handle(event: Event, deps: &Deps) -> Result<Outcome, ScoreError> {
    match event {
        Event::Scheduled { scheduled_time } => plan::due(deps, scheduled_time).await,
        Event::Bus { detail } => shard::score(deps, &detail).await,
    }
}
