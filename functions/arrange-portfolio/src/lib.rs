//! Arranges the portfolio in every order, so that a page of it costs the same whatever its size.
//!
//! In: from the bus `run.completed`, when all companies have new scores; from the schedule, every hour,
//! `{"scheduled_time": …}`. Out: how many portfolios were arranged, and how many companies were marked. Writes: the sheets of
//! an arrangement, and which arrangement is read; marks.
//!
//! Each workspace has its hour of the UTC day, in which its companies are compared with their arrangement: where many have
//! changed, or stand elsewhere because time has passed, all are arranged anew; where few have, they are marked, and readers
//! take them from their rows. So whatever was missed is made up for within a day. Doing it twice changes nothing.

use barometer_cloud::{
    Clock, StoreError, Table,
    bus::Detail,
    lambda::Trigger,
    portfolio::{self, ArrangeError, Difference},
};
use barometer_domain::{Settings, WorkspaceId};
use chrono::{Timelike, Utc};
use serde::Serialize;
use sha2::{Digest, Sha256};

/// What the function works with.
#[derive(Debug, Clone)]
pub struct Deps {
    /// The table.
    pub table: Table,
    /// The current time: what is arranged is the present, whenever somebody asked for it.
    pub clock: Clock,
}

/// What invokes the function.
pub type Event = Trigger<Detail>;

/// What an invocation did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Outcome {
    /// Portfolios arranged.
    pub arranged: usize,
    /// Companies in them.
    pub companies: usize,
    /// Companies marked as changed.
    pub marked: usize,
}

/// Why an invocation failed. It is retried; until then what was arranged before is read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The table.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Arranging.
    #[error(transparent)]
    Arrange(#[from] ArrangeError),
}

/// The hour of the UTC day in which a workspace is looked at: spread evenly.
pub fn hour_of(workspace: &WorkspaceId) -> u32 {
    let hash = Sha256::digest(workspace.as_str().as_bytes());
    hash.first().map_or(0, |byte| u32::from(*byte) % 24)
}

/// Arranges the workspace whose run is complete, or looks after those whose hour it is.
pub async fn handle(event: Event, deps: &Deps) -> Result<Outcome, Error> {
    let mut outcome = Outcome::default();
    match event {
        Event::Bus { detail } => arrange(deps, &detail.workspace_id, &mut outcome).await?,
        Event::Scheduled { scheduled_time } => {
            for workspace in deps.table.workspaces().await? {
                if hour_of(&workspace.workspace_id) == scheduled_time.hour() {
                    look_after(deps, &workspace.workspace_id, &mut outcome).await?;
                }
            }
        }
    }
    Ok(outcome)
}

async fn look_after(deps: &Deps, workspace: &WorkspaceId, outcome: &mut Outcome) -> Result<(), Error> {
    let settings = settings(deps, workspace).await?;
    match portfolio::compare(&deps.table, workspace, &settings, deps.clock.now()).await? {
        Difference::Much => arrange(deps, workspace, outcome).await?,
        Difference::Little { changed, settled } => {
            for mark in &settled {
                deps.table.unmark(workspace, mark).await?;
            }
            for company in &changed {
                deps.table.mark_touched(workspace, company, Utc::now()).await?;
            }
            outcome.marked += changed.len();
        }
    }
    Ok(())
}

async fn arrange(deps: &Deps, workspace: &WorkspaceId, outcome: &mut Outcome) -> Result<(), Error> {
    let settings = settings(deps, workspace).await?;
    let companies = portfolio::arrange(&deps.table, workspace, &settings, deps.clock.now()).await?;
    tracing::info!(%workspace, companies, "portfolio arranged");
    outcome.arranged += 1;
    outcome.companies += companies;
    Ok(())
}

async fn settings(deps: &Deps, workspace: &WorkspaceId) -> Result<Settings, StoreError> {
    Ok(deps.table.settings(workspace).await?.map(|version| version.settings).unwrap_or_default())
}
