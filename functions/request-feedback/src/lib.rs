//! Every 15 minutes: asks whoever's turn it is.
//!
//! What a sweep reads follows from how many are due and not from how many there are. A second firing for the
//! same time finds nobody left and sends nothing.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use barometer_cloud::{Mailer, StoreError, Table, table::members::DUE_SHARDS};
use barometer_domain::token::Keys;
use barometer_message::{AddressError, Mailbox};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

pub mod allowance;
pub mod gate;
mod sweep;

/// What the function works with.
#[derive(Debug, Clone)]
pub struct Deps {
    /// The table.
    pub table: Table,
    /// Sends mail.
    pub mailer: Mailer,
    /// Sign the links in a mail.
    pub link_keys: Keys,
    /// Public address of the pages that the links open, without a slash at the end.
    pub origin: String,
}

/// What the schedule says.
#[derive(Debug, Clone, Deserialize)]
pub struct ScheduledInput {
    /// The time the schedule meant; a late start works for the time it was meant for.
    pub scheduled_time: DateTime<Utc>,
}

/// What a sweep did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Members looked at.
    pub due: u32,
    /// Mails that SES took.
    pub sent: u32,
    /// Members who are to be looked at later.
    pub rescheduled: u32,
    /// Members off the list until something changes.
    pub taken_off: u32,
    /// Members whom another worker had, or had dealt with.
    pub held: u32,
    /// Mails that SES will never take.
    pub failed: u32,
    /// Mails of which it can't be known whether SES took them.
    pub unknown: u32,
    /// Asks whose end an earlier sweep didn't write down.
    pub recovered: u32,
    /// Mails that SES didn't take for now; the rest of their shard waits too.
    pub paused: u32,
    /// Members of workspaces whose mailing has stopped or has reached the day's cap; they are looked at later.
    pub held_back: u32,
    /// Members with whom something else went wrong; they are put off.
    pub errors: u32,
    /// Nobody who is due is left.
    pub complete: bool,
}

/// A sweep failed as a whole.
#[derive(Debug, thiserror::Error)]
pub enum SweepError {
    /// The store: firing again goes on where this one ended.
    #[error("the sweep stopped")]
    Store(#[from] StoreError),
    /// The configured sender is no address.
    #[error("the sender isn't an address")]
    Sender(#[from] AddressError),
}

/// How long a sweep goes on; what is left then is the next one's. The function's time-out is 300 seconds.
const BUDGET: Duration = Duration::from_secs(240);

/// Asks whoever's turn it is at the scheduled time. Errors: [`SweepError`]; firing again is safe.
pub async fn handle(event: ScheduledInput, deps: &Deps) -> Result<Summary, SweepError> {
    let now = event.scheduled_time;
    let sender: Mailbox = deps.mailer.from().parse()?;
    let mut sweep = sweep::Sweep {
        deps,
        sender,
        now,
        deadline: Instant::now() + BUDGET,
        settings: BTreeMap::new(),
        allowances: BTreeMap::new(),
        closed: false,
        summary: Summary { complete: true, ..Summary::default() },
    };
    // Each sweep begins with another shard, so that none is always the one that time runs out on.
    let quarter = now.timestamp().div_euclid(barometer_cloud::asking::SWEEP_EVERY.num_seconds());
    let first = u8::try_from(quarter.rem_euclid(i64::from(DUE_SHARDS))).unwrap_or(0);
    for ahead in 0..DUE_SHARDS {
        if sweep.closed {
            break;
        }
        sweep.shard((first + ahead) % DUE_SHARDS).await?;
    }
    tracing::info!(
        due = sweep.summary.due,
        sent = sweep.summary.sent,
        unknown = sweep.summary.unknown,
        failed = sweep.summary.failed,
        errors = sweep.summary.errors,
        complete = sweep.summary.complete,
        "sweep"
    );
    Ok(sweep.summary)
}
