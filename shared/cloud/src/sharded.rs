//! What functions share that run over all companies: a schedule plans the run, its shards come back over the bus, and
//! each walks through its companies a page at a time.
//!
//! A page is checkpointed when all of it is done, so a walk that is killed or runs out of time is taken up behind the
//! last whole page; doing a company twice changes nothing.

use std::time::{Duration, Instant};

use barometer_domain::{CompanyId, WorkspaceId, band::Bands};
use chrono::{DateTime, TimeDelta, Utc};
use futures_util::{StreamExt, stream};
use serde::Serialize;

use crate::{
    Bus, StoreError, Table,
    bus::{BusError, DetailType, Event},
    lambda::Chain,
    metrics::{Metric, count},
    table::runs::{Progress, Run, RunKey, Step},
};

/// Companies of a page.
const PAGE: i32 = 64;
/// Companies of a page that are worked on at the same time.
const AT_ONCE: usize = 16;
/// How often a company is tried again when another worker changes it meanwhile.
const ATTEMPTS: usize = 3;

/// A run that isn't complete after this is somebody's business; the template's alarm waits for the log line.
pub const OVERDUE: TimeDelta = TimeDelta::hours(6);

/// How long a walk goes on; then it hands over. The functions' time-out is 300 seconds.
pub const BUDGET: Duration = Duration::from_secs(240);

/// What an invocation did.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Outcome {
    /// Shards put on the bus.
    pub shards_planned: usize,
    /// Companies looked at.
    pub companies: usize,
    /// Snapshots published: first revisions and later ones.
    pub published: usize,
    /// Companies that failed and will fail again.
    pub failed: usize,
    /// Time ran out; another invocation goes on.
    pub handed_over: bool,
}

impl Outcome {
    /// Nothing but that another invocation goes on.
    pub fn handed_over() -> Self {
        Self { handed_over: true, ..Self::default() }
    }
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
}

/// A walk through the companies of a shard, for one step of a run.
#[derive(Debug, Clone, Copy)]
pub struct Walk<'a> {
    /// The table.
    pub table: &'a Table,
    /// The workspace.
    pub workspace: &'a WorkspaceId,
    /// The run.
    pub key: RunKey,
    /// The shard.
    pub shard: u8,
    /// The step.
    pub step: Step,
    /// The schedule's time.
    pub now: DateTime<Utc>,
    /// When it hands over.
    pub until: Instant,
}

/// What a page of companies brought.
#[derive(Debug)]
pub struct Page<T> {
    /// What the work on each brought.
    pub brought: Vec<T>,
    last: CompanyId,
    failed: u64,
}

impl Walk<'_> {
    /// Where the walk was left.
    pub async fn begin(&self) -> Result<Progress, RunError> {
        Ok(self.table.progress(self.workspace, self.key, self.shard, self.step).await?)
    }

    /// Does `work` for the next page of companies; nothing when none is left. A company whose own items can't be
    /// read or written is logged and counted, and keeps nobody waiting. Errors: what stops everybody, or may go well
    /// the next time.
    pub async fn page<T, F>(
        &self,
        progress: &Progress,
        work: impl Fn(CompanyId) -> F,
    ) -> Result<Option<Page<T>>, RunError>
    where
        F: Future<Output = Result<T, RunError>>,
    {
        let Self { table, workspace, shard, .. } = *self;
        let companies = table.companies_to_score(workspace, shard, progress.after.as_ref(), PAGE).await?;
        let Some(last) = companies.last().cloned() else { return Ok(None) };
        let attempts: Vec<_> = companies.into_iter().map(|company| attempt(company, &work)).collect();
        let done: Vec<_> = stream::iter(attempts).buffer_unordered(AT_ONCE).collect().await;
        let mut page = Page { brought: Vec::with_capacity(done.len()), last, failed: 0 };
        for result in done {
            match result {
                Ok(one) => page.brought.push(one),
                Err((company, RunError::Store(error))) if error.is_of_the_item() => {
                    page.failed += 1;
                    tracing::error!(%workspace, %company, error = %Chain(&error), "company failed");
                }
                Err((_, error)) => return Err(error),
            }
        }
        // Whom counting leaves out may still be scored.
        if self.step == Step::Score {
            count(Metric::Scored, page.brought.len());
            count(Metric::Failed, usize::try_from(page.failed).unwrap_or(usize::MAX));
        }
        Ok(Some(page))
    }

    /// Keeps that a page is done, with what was counted in `progress`; where another worker is further, goes on from
    /// there. Returns the company to go on behind when time is up.
    pub async fn keep<T>(
        &self,
        progress: &mut Progress,
        page: Page<T>,
    ) -> Result<Option<CompanyId>, RunError> {
        progress.after = Some(page.last);
        progress.failed += page.failed;
        let kept = self
            .table
            .keep_progress(self.workspace, self.key, self.shard, self.step, progress, self.now)
            .await;
        match kept {
            Ok(()) => {}
            // Going back would count its companies anew while others rely on them.
            Err(StoreError::Conflict) => *progress = self.begin().await?,
            Err(error) => return Err(error.into()),
        }
        Ok(progress.after.clone().filter(|_| Instant::now() >= self.until))
    }
}

/// Works on a company, again when another worker was quicker: it then finds what that one wrote.
async fn attempt<T, F>(company: CompanyId, work: &impl Fn(CompanyId) -> F) -> Result<T, (CompanyId, RunError)>
where
    F: Future<Output = Result<T, RunError>>,
{
    let mut attempts = 1;
    loop {
        match work(company.clone()).await {
            Err(RunError::Store(StoreError::Conflict)) if attempts < ATTEMPTS => attempts += 1,
            Err(error) => return Err((company, error)),
            Ok(brought) => return Ok(brought),
        }
    }
}

impl From<serde_json::Error> for RunError {
    fn from(error: serde_json::Error) -> Self {
        Self::Store(error.into())
    }
}

/// Ends a complete run: publishes the overview of its period and tells everybody, then marks the run. A crash on the
/// way has it done again, with the same event.
pub async fn finish(
    table: &Table,
    bus: &Bus,
    workspace: &WorkspaceId,
    key: RunKey,
    run: &Run,
    bands: Bands,
    now: DateTime<Utc>,
) -> Result<(), RunError> {
    table.publish_overview(workspace, key, bands, run.settings_version, now).await?;
    let change = serde_json::json!({
        "run": key.to_string(), "settings_version": run.settings_version, "telemetry": run.telemetry,
    });
    let event = Event::new(DetailType::RunCompleted, workspace, None, now, &key.to_string(), &change)?;
    bus.publish_all(&[event]).await?;
    table.finish_run(workspace, key, now).await?;
    tracing::info!(%workspace, run = %key, "run completed");
    Ok(())
}
