//! Rolls the weeks of every company up into months.
//!
//! In: the schedule's `{"scheduled_time": …}`, or a `rollup.shard` event from the bus. Out: what was done.
//! A month is rolled up whenever another of its weeks was scored or scored again after its grace, so it is
//! there while it still runs; it is final when its last week is. Such a run is planned once; its shards go over
//! the bus back to this function.
//! Writes: runs, monthly snapshots, the month on companies' rows, the month's overview, `run.completed`.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use barometer_cloud::{
    Bus, StoreError, Table,
    bus::{self, DetailType},
    lambda::Trigger,
    metrics::{Metric, count},
    sharded::{self, OVERDUE, Outcome, RunError, Walk},
    table::{
        companies::{MonthScore, Readings, SCORE_SHARDS},
        runs::{Pass, Run, RunKey, Step},
        settings::SettingsVersion,
        snapshots::Published,
    },
};
use barometer_domain::{
    CompanyId, IsoWeek, Month, WorkspaceId, Zone,
    month::{self, MonthSnapshot},
    tally::Scored,
};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// Months that are looked at: the current one, and those whose weeks may still be scored after an outage or a late
/// start, at most twelve weeks back.
const MONTHS: usize = 4;

/// What the function works with.
#[derive(Debug, Clone)]
pub struct Deps {
    /// The table.
    pub table: Table,
    /// The bus.
    pub bus: Bus,
    /// How long an invocation goes on before it hands over.
    pub budget: Duration,
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
    /// The month.
    pub month: Month,
    /// How many of its weeks were scored when the run was planned.
    pub scored: u8,
    /// How many of them need no further scoring.
    pub settled: u8,
    /// The shard.
    pub shard: u8,
}

/// Plans what is due, or rolls up one shard.
pub async fn handle(event: Event, deps: &Deps) -> Result<Outcome, RunError> {
    match event {
        Event::Scheduled { scheduled_time } => due(deps, scheduled_time).await,
        Event::Bus { detail } => shard(deps, &detail).await,
    }
}

async fn due(deps: &Deps, now: DateTime<Utc>) -> Result<Outcome, RunError> {
    let mut outcome = Outcome::default();
    for workspace in deps.table.workspaces().await? {
        let id = &workspace.workspace_id;
        let settings = deps.table.settings(id).await?.ok_or(RunError::Missing("settings"))?;
        let current = IsoWeek::at(now, settings.settings.time_zone).previous().month();
        let earlier = std::iter::successors(Some(current), |month| Some(month.previous()));
        for month in earlier.take(MONTHS) {
            outcome.shards_planned += due_in(deps, id, &settings, month, now).await?;
        }
    }
    Ok(outcome)
}

/// The roll-up of a month that its weeks call for, as far as they are scored; nothing when none is.
pub async fn due_run(
    table: &Table,
    workspace: &WorkspaceId,
    month: Month,
    zone: Zone,
) -> Result<Option<RunKey>, StoreError> {
    let weeks = month.weeks();
    let (Some(first), Some(last)) = (weeks.first(), weeks.last()) else { return Ok(None) };
    let runs = table.week_runs(workspace, *first, *last).await?;
    let count = |counts: &(dyn Fn(&(IsoWeek, Pass, Run)) -> bool + Sync)| {
        let weeks: BTreeSet<IsoWeek> =
            runs.iter().filter(|run| counts(run)).map(|(week, _, _)| *week).collect();
        u8::try_from(weeks.len()).unwrap_or(u8::MAX)
    };
    let scored = count(&|(_, _, run)| run.is_complete());
    let settled = count(&|(week, pass, run)| run.settles(*week, *pass, zone));
    Ok((scored > 0).then_some(RunKey::Month(month, scored, settled)))
}

async fn due_in(
    deps: &Deps,
    workspace: &WorkspaceId,
    settings: &SettingsVersion,
    month: Month,
    now: DateTime<Utc>,
) -> Result<usize, RunError> {
    let zone = settings.settings.time_zone;
    let Some(key) = due_run(&deps.table, workspace, month, zone).await? else { return Ok(0) };
    let run = Run {
        planned_at: now,
        settings_version: settings.scoring_version(),
        shards: SCORE_SHARDS,
        done: Default::default(),
        counted: Default::default(),
        telemetry: None,
        finished_at: None,
    };
    let run = match deps.table.run(workspace, key).await? {
        Some(run) => run,
        None => deps.table.plan_run(workspace, key, &run).await?,
    };
    if run.is_complete() && run.finished_at.is_none() {
        // A crash came between the last shard and what follows it.
        finish(deps, workspace, key, &run, now).await?;
    }
    if run.planned_at + OVERDUE <= now && !run.is_complete() {
        tracing::error!(%workspace, %month, left = run.left().count(), "run overdue");
        count(Metric::Overdue, 1);
    }
    let events = run
        .left()
        .map(|shard| shard_event(workspace, key, shard, None, now))
        .collect::<Result<Vec<_>, _>>()?;
    deps.bus.publish_all(&events).await?;
    Ok(events.len())
}

async fn shard(deps: &Deps, detail: &ShardDetail) -> Result<Outcome, RunError> {
    let workspace = &detail.workspace_id;
    let key = RunKey::Month(detail.month, detail.scored, detail.settled);
    let run = deps.table.run(workspace, key).await?.ok_or(RunError::Missing("run"))?;
    if run.done.contains(&detail.shard) {
        return Ok(Outcome::default());
    }
    let walk = Walk {
        table: &deps.table,
        workspace,
        key,
        shard: detail.shard,
        step: Step::Score,
        now: detail.occurred_at,
        until: Instant::now() + deps.budget,
    };
    let versions = Versions::default();
    let mut outcome = Outcome::default();
    let mut progress = walk.begin().await?;
    let work = |company| roll_up_company(deps, workspace, company, detail, &versions);
    while let Some(page) = walk.page(&progress, work).await? {
        outcome.companies += page.brought.len();
        outcome.published += page.brought.iter().filter(|published| **published).count();
        if let Some(after) = walk.keep(&mut progress, page).await? {
            let again = shard_event(workspace, key, detail.shard, Some(&after), detail.occurred_at)?;
            deps.bus.publish_all(&[again]).await?;
            return Ok(Outcome { handed_over: true, ..outcome });
        }
    }
    outcome.failed = usize::try_from(progress.failed).unwrap_or(usize::MAX);
    let run = deps.table.shard_done(workspace, key, detail.shard).await?;
    if run.is_complete() {
        finish(deps, workspace, key, &run, detail.occurred_at).await?;
    }
    Ok(outcome)
}

/// Ends a complete run. The bands are those of the settings that it was planned with.
async fn finish(
    deps: &Deps,
    workspace: &WorkspaceId,
    key: RunKey,
    run: &Run,
    now: DateTime<Utc>,
) -> Result<(), RunError> {
    let settings = deps.table.settings_version(workspace, run.settings_version).await?;
    let bands = settings.ok_or(RunError::Missing("version of the settings"))?.settings.bands;
    sharded::finish(&deps.table, &deps.bus, workspace, key, run, bands, now).await
}

/// What has a shard of a run rolled up, from behind a company on.
fn shard_event(
    workspace: &WorkspaceId,
    key: RunKey,
    shard: u8,
    after: Option<&CompanyId>,
    now: DateTime<Utc>,
) -> Result<bus::Event, RunError> {
    let RunKey::Month(month, scored, settled) = key else { return Err(RunError::Missing("month")) };
    let change = serde_json::json!({ "month": month, "scored": scored, "settled": settled, "shard": shard });
    let name = format!("{month} {scored} {settled} {shard} {}", after.map_or("", CompanyId::as_str));
    Ok(bus::Event::new(DetailType::RollupShard, workspace, None, now, &name, &change)?)
}

/// A company's month as the roll-up publishes it, from its weeks; nothing without any. Writes nothing.
pub async fn recompute(
    table: &Table,
    workspace: &WorkspaceId,
    company: &CompanyId,
    month: Month,
    versions: &Versions,
) -> Result<Option<MonthSnapshot>, RunError> {
    let weeks = month.weeks();
    let (Some(first), Some(last)) = (weeks.first(), weeks.last()) else { return Ok(None) };
    let weeks = table.weeks(workspace, company, *first, *last).await?;
    let Some(latest) = weeks.last() else { return Ok(None) };
    // The bands of the latest week: saving other settings never rewrites a month.
    let version = latest.snapshot.settings_version;
    let settings = versions.get(table, workspace, version).await?;
    let weeks: Vec<_> = weeks.into_iter().map(|published| (published.revision, published.snapshot)).collect();
    Ok(Some(month::roll_up(month, &settings.settings, version, &weeks)))
}

/// Versions of the settings, each read about once.
#[derive(Debug, Default)]
pub struct Versions(Mutex<BTreeMap<u32, Arc<SettingsVersion>>>);

impl Versions {
    /// One version. Errors: [`RunError::Missing`] when there is none.
    pub async fn get(
        &self,
        table: &Table,
        workspace: &WorkspaceId,
        version: u32,
    ) -> Result<Arc<SettingsVersion>, RunError> {
        let known = |versions: &Mutex<BTreeMap<u32, Arc<SettingsVersion>>>| {
            versions.lock().unwrap_or_else(PoisonError::into_inner).get(&version).cloned()
        };
        if let Some(settings) = known(&self.0) {
            return Ok(settings);
        }
        let read = table.settings_version(workspace, version).await?;
        let settings = Arc::new(read.ok_or(RunError::Missing("version of the settings"))?);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(version, settings.clone());
        Ok(settings)
    }
}

/// Rolls one company up; returns whether there was anything new to publish.
async fn roll_up_company(
    deps: &Deps,
    workspace: &WorkspaceId,
    id: CompanyId,
    detail: &ShardDetail,
    versions: &Versions,
) -> Result<bool, RunError> {
    let Some(snapshot) = recompute(&deps.table, workspace, &id, detail.month, versions).await? else {
        return Ok(false);
    };
    let Some(company) = deps.table.company(workspace, &id).await? else { return Ok(false) };
    let before = deps.table.months(workspace, &id, detail.month, detail.month).await?.pop();
    let unchanged = before.as_ref().is_some_and(|before| before.snapshot == snapshot);
    let revision = before.as_ref().map_or(1, |before| before.revision + u32::from(!unchanged));
    let score = MonthScore {
        month: detail.month,
        revision,
        score: snapshot.score,
        shown: snapshot.shown,
        band: snapshot.band,
        previous: match company.month {
            Some(current) if current.month == detail.month => current.previous,
            Some(current) if current.month == detail.month.previous() => {
                Some(Scored { band: current.band, score: current.score })
            }
            _ => None,
        },
    };
    let later = company.month.is_some_and(|current| current.month > detail.month);
    let readings = Readings {
        month: Some(score).filter(|score| !later && company.month != Some(*score)),
        ..Readings::default()
    };
    if unchanged {
        deps.table.write_readings(workspace, &id, &readings).await?;
        return Ok(false);
    }
    let published = Published { revision, published_at: detail.occurred_at, snapshot };
    deps.table.publish_month(workspace, &id, &published, &readings, &[]).await?;
    Ok(true)
}
