//! Which weeks are due, and the shards that score them.

use barometer_cloud::{
    bus::{DetailType, Event},
    sharded::{Outcome, RunError},
    table::{
        companies::{Company, SCORE_SHARDS},
        runs::{Pass, Run, RunKey},
        settings::SettingsVersion,
    },
    workspaces::Workspace,
};
use barometer_domain::{
    IsoWeek, WorkspaceId, Zone,
    telemetry::{self, Telemetry},
};
use chrono::{DateTime, Utc};

use crate::Deps;

/// After a longer outage than this, older weeks are left to a rebuild.
const CATCH_UP_WEEKS: i64 = 12;

/// Weeks of activity that make a company a regular sender.
pub(crate) const REGULAR_WEEKS: i64 = 4;

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
    let Some((week, pass)) = next_step(deps, workspace, zone, now).await? else {
        return Ok(0);
    };
    let key = RunKey::Week(week, pass);
    let run = match deps.table.run(id, key).await? {
        Some(run) => run,
        None => {
            let run = new_run(deps, id, &settings, week, pass, now).await?;
            deps.table.plan_run(id, key, &run).await?
        }
    };
    let events =
        run.left().map(|shard| shard_event(id, week, pass, shard, now)).collect::<Result<Vec<_>, _>>()?;
    deps.bus.publish_all(&events).await?;
    tracing::info!(workspace = %id, %week, ?pass, shards = events.len(), "week planned");
    Ok(events.len())
}

/// Weeks are scored in their order, because each looks back on the ones before it: the earliest that is missing
/// comes first, and its second scoring before the next week's first. A week that was first scored after its grace
/// needs no second one.
async fn next_step(
    deps: &Deps,
    workspace: &Workspace,
    zone: Zone,
    now: DateTime<Utc>,
) -> Result<Option<(IsoWeek, Pass)>, RunError> {
    let last = IsoWeek::at(now, zone).previous();
    let oldest = last.plus(-CATCH_UP_WEEKS);
    let runs = deps.table.week_runs(&workspace.workspace_id, oldest, last).await?;
    let first = match runs.iter().map(|(week, _, _)| *week).min() {
        Some(first) => first,
        None => first_week(deps, workspace, zone).await?.max(oldest),
    };
    let weeks = std::iter::successors(Some(first), |week| Some(week.next())).take_while(|week| *week <= last);
    for week in weeks {
        let mut of_week = runs.iter().filter(|(of, _, run)| *of == week && run.is_complete());
        if !of_week.clone().any(|(_, pass, _)| *pass == Pass::First) {
            return Ok(Some((week, Pass::First)));
        }
        if now >= week.grace_end(zone) && !of_week.any(|(_, pass, run)| run.settles(week, *pass, zone)) {
            return Ok(Some((week, Pass::Final)));
        }
    }
    Ok(None)
}

/// Where a workspace without any scored week begins: with its earliest activity, which may have been posted
/// afterwards, else with the week it was made in.
async fn first_week(deps: &Deps, workspace: &Workspace, zone: Zone) -> Result<IsoWeek, RunError> {
    let mut first = IsoWeek::at(workspace.created_at, zone);
    for company in deps.table.companies(&workspace.workspace_id).await? {
        let heard = deps.table.first_heard(&workspace.workspace_id, &company.company_id).await?;
        first = heard.map_or(first, |heard| first.min(heard));
    }
    Ok(first)
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
        settings_version: first.map_or(settings.version, |first| first.settings_version),
        shards: SCORE_SHARDS,
        done: Default::default(),
        telemetry: Some(telemetry_of(deps, workspace, week).await?),
    })
}

/// Whether the workspace's telemetry was whole in the week. One item is read of each company.
async fn telemetry_of(deps: &Deps, workspace: &WorkspaceId, week: IsoWeek) -> Result<Telemetry, RunError> {
    let (mut heard, mut regular, mut silent) = (0_u64, 0_u64, 0_u64);
    for company in deps.table.companies(workspace).await? {
        if company.churned_on.is_some_and(|churned| churned <= week.thursday()) {
            continue;
        }
        let sent = deps.table.heard_in(workspace, &company.company_id, week).await?;
        heard += u64::from(sent);
        if is_regular(&company, week) {
            regular += 1;
            silent += u64::from(!sent);
        }
    }
    Ok(if heard == 0 {
        Telemetry::WorkspaceSilent
    } else if telemetry::is_data_gap(regular, silent) {
        Telemetry::DataGap
    } else {
        Telemetry::Normal
    })
}

/// Events in each of the four weeks before.
fn is_regular(company: &Company, week: IsoWeek) -> bool {
    let heard = company.engagement.as_ref().map(|engagement| engagement.heard.as_slice()).unwrap_or_default();
    (1..=REGULAR_WEEKS).all(|back| heard.contains(&week.plus(-back)))
}

fn shard_event(
    workspace: &WorkspaceId,
    week: IsoWeek,
    pass: Pass,
    shard: u8,
    now: DateTime<Utc>,
) -> Result<Event, serde_json::Error> {
    let change = serde_json::json!({ "week": week, "pass": pass, "shard": shard });
    let key = format!("{week} {pass:?} {shard}");
    Event::new(DetailType::ScoreShard, workspace, None, now, &key, &change)
}
