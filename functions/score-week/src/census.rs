//! Before a week is scored: which companies were heard in it. Only all of them together tell whether silence is a real 0,
//! or the workspace's telemetry that broke.

use barometer_cloud::{
    StoreError,
    sharded::{Outcome, RunError, Walk},
    table::runs::{Pass, Run, RunKey, Step},
};
use barometer_domain::{
    CompanyId, IsoWeek, WorkspaceId,
    telemetry::{Census, is_regular},
};
use chrono::{DateTime, Utc};

use crate::{Deps, ShardDetail, shard_events};

/// Counts the companies of a shard; after the last shard, decides and has all shards scored.
pub async fn count(deps: &Deps, detail: &ShardDetail, run: Run) -> Result<Outcome, RunError> {
    let workspace = &detail.workspace_id;
    let key = RunKey::Week(detail.week, detail.pass);
    let mut run = run;
    if !run.counted.contains(&detail.shard) {
        let walk = detail.walk(deps, Step::Census);
        let mut progress = walk.begin().await?;
        while let Some(page) =
            walk.page(&progress, |company| count_company(walk, detail.week, company)).await?
        {
            page.brought.iter().for_each(|one| progress.census.add(*one));
            if let Some(after) = walk.keep(&mut progress, page).await? {
                return detail.hand_over(deps, Step::Census, &after).await.map(|()| Outcome::handed_over());
            }
        }
        run = deps.table.shard_counted(workspace, key, detail.shard).await?;
    }
    let mut outcome = Outcome::default();
    if run.is_counted() {
        outcome.shards_planned =
            decide(deps, workspace, detail.week, detail.pass, &run, detail.occurred_at).await?;
    }
    Ok(outcome)
}

async fn count_company(walk: Walk<'_>, week: IsoWeek, id: CompanyId) -> Result<Census, RunError> {
    let mut census = Census::default();
    let Some(company) = walk.table.company(walk.workspace, &id).await? else { return Ok(census) };
    if company.churned_on.is_some_and(|churned| churned <= week.thursday()) {
        return Ok(census);
    }
    let known = company.engagement.as_ref().map(|engagement| engagement.heard.as_slice()).unwrap_or_default();
    census.count(walk.table.heard_in(walk.workspace, &id, week).await?, is_regular(known, week));
    Ok(census)
}

/// Decides with which telemetry the week is scored and has what is left of it scored. Returns the shards.
pub async fn decide(
    deps: &Deps,
    workspace: &WorkspaceId,
    week: IsoWeek,
    pass: Pass,
    run: &Run,
    now: DateTime<Utc>,
) -> Result<usize, RunError> {
    let key = RunKey::Week(week, pass);
    let census = sum(deps, workspace, key, run).await?;
    let run = deps.table.decide_telemetry(workspace, key, census.telemetry()).await?;
    tracing::info!(
        %workspace, %week, ?pass, heard = census.heard, regular = census.regular, silent = census.silent,
        telemetry = ?run.telemetry, "companies counted"
    );
    let events = shard_events(workspace, week, pass, &run, now)?;
    deps.bus.publish_all(&events).await?;
    Ok(events.len())
}

/// What all shards counted together.
pub async fn sum(deps: &Deps, workspace: &WorkspaceId, key: RunKey, run: &Run) -> Result<Census, StoreError> {
    let mut census = Census::default();
    for shard in 0..run.shards {
        census.add(deps.table.progress(workspace, key, shard, Step::Census).await?.census);
    }
    Ok(census)
}
