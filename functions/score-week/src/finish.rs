//! After the last shard: everybody is told that the week is scored.

use barometer_cloud::{
    bus::{DetailType, Event},
    sharded::RunError,
    table::runs::{Run, RunKey},
    watch::Watch,
};
use barometer_domain::{WorkspaceId, alert};
use chrono::{DateTime, Utc};

use crate::{Deps, census};

/// Tells the workspace's admins of a data gap, and everybody of a complete run, once; a crash on the way has it told again under the same event id.
pub async fn finish(
    deps: &Deps,
    workspace: &WorkspaceId,
    key: RunKey,
    run: &Run,
    now: DateTime<Utc>,
) -> Result<(), RunError> {
    if let RunKey::Week(week, _) = key {
        let settings = deps.table.settings_version(workspace, run.settings_version).await?;
        let settings = settings.ok_or(RunError::Missing("version of the settings"))?.settings;
        let gap = alert::data_gap(week, census::sum(deps, workspace, key, run).await?, settings.time_zone);
        if let Some(gap) = gap {
            let watch = Watch { table: &deps.table, workspace, company: None, now };
            let events: Vec<Event> = watch.found(gap).await?.into_iter().collect();
            deps.table.publish_or_leave(&deps.bus, workspace, &events).await;
        }
    }
    let change = serde_json::json!({
        "run": key.to_string(), "settings_version": run.settings_version, "telemetry": run.telemetry,
    });
    let event = Event::new(DetailType::RunCompleted, workspace, None, now, &key.to_string(), &change)?;
    deps.bus.publish_all(&[event]).await?;
    deps.table.finish_run(workspace, key, now).await?;
    tracing::info!(%workspace, run = %key, "run completed");
    Ok(())
}
