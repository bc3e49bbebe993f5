//! What functions share that run over all companies: a schedule plans the run, its shards come back over the bus.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{StoreError, bus::BusError};

/// What invokes such a function; `D` names a shard.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Trigger<D> {
    /// The schedule.
    Scheduled {
        /// The instant for which it fires: the only time that counts.
        scheduled_time: DateTime<Utc>,
    },
    /// The bus.
    Bus {
        /// The shard to do.
        detail: D,
    },
}

/// What an invocation did.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Outcome {
    /// Shards put on the bus.
    pub shards_planned: usize,
    /// Companies looked at.
    pub companies: usize,
    /// Snapshots published: first revisions and later ones.
    pub published: usize,
}

/// Why an invocation failed. It is retried, and what is done already is not done twice.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The table.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The bus.
    #[error(transparent)]
    Bus(#[from] BusError),
    /// A run that nobody planned, or settings that aren't there.
    #[error("there is no {0}")]
    Missing(&'static str),
    /// Some companies of a shard failed; the others are done.
    #[error("{failed} of {companies} companies failed")]
    Companies {
        /// Companies that failed.
        failed: usize,
        /// Companies in the shard.
        companies: usize,
    },
}

impl From<serde_json::Error> for RunError {
    fn from(error: serde_json::Error) -> Self {
        Self::Store(error.into())
    }
}
