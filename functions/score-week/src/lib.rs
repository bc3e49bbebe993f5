//! Scores every company every week.
//!
//! In: the schedule's `{"scheduled_time": …}`, or a `score.shard` event from the bus. Out: what was done.
//! The schedule fires often; the handler decides per workspace and zone what is due: a week that has ended and
//! isn't scored, or one whose grace is over and that wasn't scored again for late events. Such a run is planned
//! once. Its shards go over the bus back to this function: first each counts who was heard, which together tell
//! whether silence is a real 0; then each scores its companies. A shard that runs out of time hands over to itself.
//! Writes: runs, weekly snapshots, the readings on companies' rows, alerts, disagreements, `engagement.changed`,
//! `happiness.changed`, `alert.opened` and `run.completed`.

mod census;
mod finish;
mod plan;
mod shard;
mod watch;

pub use shard::recompute;

use std::time::{Duration, Instant};

use barometer_cloud::{
    Bus, Table,
    bus::{self, DetailType},
    lambda::Trigger,
    sharded::{Outcome, RunError, Walk},
    table::runs::{Pass, Run, RunKey, Step},
};
use barometer_domain::{CompanyId, IsoWeek, WorkspaceId};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

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
    /// The week.
    pub week: IsoWeek,
    /// The first scoring or the one after the grace.
    pub pass: Pass,
    /// The shard.
    pub shard: u8,
}

impl ShardDetail {
    fn walk<'a>(&'a self, deps: &'a Deps, step: Step) -> Walk<'a> {
        Walk {
            table: &deps.table,
            workspace: &self.workspace_id,
            key: RunKey::Week(self.week, self.pass),
            shard: self.shard,
            step,
            now: self.occurred_at,
            until: Instant::now() + deps.budget,
        }
    }

    /// Has another invocation go on behind a company.
    async fn hand_over(&self, deps: &Deps, step: Step, after: &CompanyId) -> Result<(), RunError> {
        let Self { workspace_id, week, pass, shard, occurred_at } = self;
        let again = shard_event(workspace_id, *week, *pass, *shard, step, Some(after), *occurred_at)?;
        Ok(deps.bus.publish_all(&[again]).await?)
    }
}

/// Plans what is due, or does the next step of one shard.
pub async fn handle(event: Event, deps: &Deps) -> Result<Outcome, RunError> {
    let detail = match event {
        Event::Scheduled { scheduled_time } => return plan::due(deps, scheduled_time).await,
        Event::Bus { detail } => detail,
    };
    let key = RunKey::Week(detail.week, detail.pass);
    let run = deps.table.run(&detail.workspace_id, key).await?.ok_or(RunError::Missing("run"))?;
    match run.telemetry {
        None => census::count(deps, &detail, run).await,
        Some(telemetry) => shard::score(deps, &detail, &run, telemetry).await,
    }
}

/// What has the shards do the step that a run is at.
fn shard_events(
    workspace: &WorkspaceId,
    week: IsoWeek,
    pass: Pass,
    run: &Run,
    now: DateTime<Utc>,
) -> Result<Vec<bus::Event>, serde_json::Error> {
    let (step, done) = match run.telemetry {
        None => (Step::Census, &run.counted),
        Some(_) => (Step::Score, &run.done),
    };
    let left = (0..run.shards).filter(|shard| !done.contains(shard));
    left.map(|shard| shard_event(workspace, week, pass, shard, step, None, now)).collect()
}

/// What has a shard do a step, from behind a company on.
fn shard_event(
    workspace: &WorkspaceId,
    week: IsoWeek,
    pass: Pass,
    shard: u8,
    step: Step,
    after: Option<&CompanyId>,
    now: DateTime<Utc>,
) -> Result<bus::Event, serde_json::Error> {
    let change = serde_json::json!({ "week": week, "pass": pass, "shard": shard });
    let after = after.map_or("", CompanyId::as_str);
    let key = format!("{week} {pass:?} {shard} {step:?} {after}");
    bus::Event::new(DetailType::ScoreShard, workspace, None, now, &key, &change)
}
