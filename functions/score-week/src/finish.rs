//! After the last shard: everybody is told that the week is scored.

use barometer_cloud::{
    bus::{DetailType, Event},
    sharded::RunError,
    table::runs::{Run, RunKey},
};
use barometer_domain::WorkspaceId;
use chrono::{DateTime, Utc};

use crate::Deps;

/// Tells of a complete run, once; a crash on the way has it told again under the same event id.
pub async fn finish(
    deps: &Deps,
    workspace: &WorkspaceId,
    key: RunKey,
    run: &Run,
    now: DateTime<Utc>,
) -> Result<(), RunError> {
    let change = serde_json::json!({
        "run": key.to_string(), "settings_version": run.settings_version, "telemetry": run.telemetry,
    });
    let event = Event::new(DetailType::RunCompleted, workspace, None, now, &key.to_string(), &change)?;
    deps.bus.publish_all(&[event]).await?;
    deps.table.finish_run(workspace, key, now).await?;
    tracing::info!(%workspace, run = %key, "run completed");
    Ok(())
}
