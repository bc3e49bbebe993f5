//! After the last shard: the workspace's overview, its admins' alert of a data gap, and everybody is told that the week
//! is scored.

use barometer_cloud::{
    bus::Event,
    sharded::{self, RunError},
    table::runs::{Run, RunKey},
    watch::Watch,
};
use barometer_domain::{IsoWeek, WorkspaceId, alert};
use chrono::{DateTime, Utc};

use crate::{Deps, census};

/// Finishes a complete run. A crash on the way has all of it done again, which changes nothing.
pub async fn finish(
    deps: &Deps,
    workspace: &WorkspaceId,
    week: IsoWeek,
    key: RunKey,
    run: &Run,
    now: DateTime<Utc>,
) -> Result<(), RunError> {
    let settings = deps.table.settings_version(workspace, run.settings_version).await?;
    let settings = settings.ok_or(RunError::Missing("version of the settings"))?.settings;
    let counted = census::sum(deps, workspace, key, run).await?;
    if let Some(gap) = alert::data_gap(week, counted, settings.time_zone) {
        let watch = Watch { table: &deps.table, workspace, company: None, now };
        let events: Vec<Event> = watch.found(gap).await?.into_iter().collect();
        deps.table.publish_or_leave(&deps.bus, workspace, &events).await;
    }
    sharded::finish(&deps.table, &deps.bus, workspace, key, run, settings.bands, now).await
}
