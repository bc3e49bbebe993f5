//! Which step of which week is due, and the shards that do it.

use barometer_cloud::{
    StoreError,
    metrics::{Metric, count},
    sharded::{OVERDUE, Outcome, RunError},
    table::{
        companies::SCORE_SHARDS,
        runs::{Pass, Run, RunKey},
        settings::SettingsVersion,
    },
    workspaces::Workspace,
};
use barometer_domain::{IsoWeek, WorkspaceId, Zone};
use chrono::{DateTime, Utc};

use crate::{Deps, census, finish, shard_events};

/// After a longer outage than this, older weeks are left to a rebuild.
const CATCH_UP_WEEKS: i64 = 12;

/// Plans the earliest step that is due in every workspace.
pub async fn due(deps: &Deps, now: DateTime<Utc>) -> Result<Outcome, RunError> {
    let mut outcome = Outcome::default();
    for workspace in deps.table.workspaces().await? {
        outcome.shards_planned += due_in(deps, &workspace, now).await?;
    }
    Ok(outcome)
}

async fn due_in(deps: &Deps, workspace: &Workspace, now: DateTime<Utc>) -> Result<usize, RunError> {
    let id = &workspace.workspace_id;
    let settings = deps.table.settings(id).await?.ok_or(RunError::Missing("settings"))?;
    let zone = settings.settings.time_zone;
    let runs = runs(deps, workspace, zone, now).await?;
    // A crash came between the last shard and what follows it.
    for (week, pass, run) in runs.iter().filter(|(_, _, run)| run.is_complete() && run.finished_at.is_none())
    {
        finish::finish(deps, id, *week, RunKey::Week(*week, *pass), run, now).await?;
    }
    let Some((week, pass)) = next_step(&runs, workspace, zone, now) else { return Ok(0) };
    let key = RunKey::Week(week, pass);
    let run = match deps.table.run(id, key).await? {
        Some(run) => run,
        None => {
            let run = new_run(deps, id, &settings, week, pass, now).await?;
            deps.table.plan_run(id, key, &run).await?
        }
    };
    if run.planned_at + OVERDUE <= now {
        tracing::error!(workspace = %id, %week, ?pass, left = run.left().count(), "run overdue");
        count(Metric::Overdue, 1);
    }
    if run.telemetry.is_none() && run.is_counted() {
        return census::decide(deps, id, week, pass, &run, now).await;
    }
    let events = shard_events(id, week, pass, &run, now)?;
    deps.bus.publish_all(&events).await?;
    tracing::info!(workspace = %id, %week, ?pass, shards = events.len(), "week planned");
    Ok(events.len())
}

/// Weeks are scored in their order, because each looks back on the ones before it: the earliest that is missing
/// comes first, and its second scoring before the next week's first. A week that was first scored after its grace
/// needs no second one.
fn next_step(
    runs: &[(IsoWeek, Pass, Run)],
    workspace: &Workspace,
    zone: Zone,
    now: DateTime<Utc>,
) -> Option<(IsoWeek, Pass)> {
    let last = IsoWeek::at(now, zone).previous();
    let first = match runs.iter().map(|(week, _, _)| *week).min() {
        Some(first) => first,
        None => first_week(workspace, zone).max(last.plus(-CATCH_UP_WEEKS)),
    };
    let weeks = std::iter::successors(Some(first), |week| Some(week.next())).take_while(|week| *week <= last);
    for week in weeks {
        let mut of_week = runs.iter().filter(|(of, _, run)| *of == week && run.is_complete());
        if !of_week.clone().any(|(_, pass, _)| *pass == Pass::First) {
            return Some((week, Pass::First));
        }
        if now >= week.grace_end(zone) && !of_week.any(|(_, pass, run)| run.settles(week, *pass, zone)) {
            return Some((week, Pass::Final));
        }
    }
    None
}

/// Where a workspace without any scored week begins: with its earliest activity, which may have been posted
/// afterwards, else with the week it was made in.
fn first_week(workspace: &Workspace, zone: Zone) -> IsoWeek {
    let made = IsoWeek::at(workspace.created_at, zone);
    workspace.first_week.map_or(made, |first| first.min(made))
}

async fn runs(
    deps: &Deps,
    workspace: &Workspace,
    zone: Zone,
    now: DateTime<Utc>,
) -> Result<Vec<(IsoWeek, Pass, Run)>, StoreError> {
    let last = IsoWeek::at(now, zone).previous();
    deps.table.week_runs(&workspace.workspace_id, last.plus(-CATCH_UP_WEEKS), last).await
}

async fn new_run(
    deps: &Deps,
    workspace: &WorkspaceId,
    settings: &SettingsVersion,
    week: IsoWeek,
    pass: Pass,
    now: DateTime<Utc>,
) -> Result<Run, RunError> {
    // The second scoring uses the settings of the first: saving others never rewrites a week.
    let first = match pass {
        Pass::First => None,
        Pass::Final => deps.table.run(workspace, RunKey::Week(week, Pass::First)).await?,
    };
    Ok(Run {
        planned_at: now,
        settings_version: first.map_or(settings.scoring_version(), |first| first.settings_version),
        shards: SCORE_SHARDS,
        done: Default::default(),
        counted: Default::default(),
        telemetry: None,
        finished_at: None,
    })
}
