//! The settings of a workspace: every save is a version that stays.

mod draft;
pub mod endpoints;
pub mod get;
pub mod put;
pub mod versions;
pub mod what_if;

use barometer_cloud::{Table, http::Problem, table::settings::SettingsVersion};
use barometer_domain::{Settings, WorkspaceId};
use chrono::{DateTime, Utc};
use serde::Serialize;

/// The current version. Every workspace has one from its beginning.
pub async fn current(table: &Table, workspace: &WorkspaceId) -> Result<SettingsVersion, Problem> {
    table.settings(workspace).await?.ok_or_else(|| {
        tracing::error!(%workspace, "a workspace has no settings");
        Problem::internal()
    })
}

/// A version as it is shown: the settings themselves, with what is known of the save beside them, so that what
/// was read can be changed and put back.
#[derive(Serialize, schemars::JsonSchema)]
#[schemars(rename = "SavedSettings")]
pub struct Shown {
    version: u32,
    saved_at: DateTime<Utc>,
    author: String,
    note: String,
    #[serde(flatten)]
    settings: Settings,
}

impl From<SettingsVersion> for Shown {
    fn from(version: SettingsVersion) -> Self {
        let SettingsVersion { version, saved_at, author, note, settings, .. } = version;
        Self { version, saved_at, author, note, settings }
    }
}
