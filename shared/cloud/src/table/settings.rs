//! Settings: every save a version that stays, and the current one beside them.

use barometer_domain::{Settings, WorkspaceId};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{Range, StoreError, Table, item, keys};

/// A version of a workspace's settings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SettingsVersion {
    /// 1, then one more for every save.
    pub version: u32,
    /// When it was saved.
    pub saved_at: DateTime<Utc>,
    /// Who saved it.
    pub author: String,
    /// Why, in the author's words.
    #[serde(default)]
    pub note: String,
    /// The version since which nothing has changed that scores depend on; 0 where it wasn't kept yet.
    #[serde(default)]
    pub scoring_since: u32,
    /// The settings, kept as JSON so that what was saved stays what was saved.
    #[serde(with = "as_json")]
    pub settings: Settings,
}

/// Settings as one JSON text: they are always read and written whole.
mod as_json {
    use barometer_domain::Settings;
    use serde::{Deserialize, Deserializer, Serializer, de, ser};

    pub fn serialize<S: Serializer>(settings: &Settings, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&serde_json::to_string(settings).map_err(ser::Error::custom)?)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Settings, D::Error> {
        serde_json::from_str(&String::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

impl SettingsVersion {
    /// The version that scores are computed with: the first of those that score like this one, so that saving a rule or a
    /// mail's text makes no week incomparable with the ones before.
    pub fn scoring_version(&self) -> u32 {
        if self.scoring_since == 0 { self.version } else { self.scoring_since }
    }

    /// The version after this one.
    pub fn next(&self, settings: Settings, author: &str, note: &str, saved_at: DateTime<Utc>) -> Self {
        let version = self.version + 1;
        let scoring_since =
            if settings.score_like(&self.settings) { self.scoring_version() } else { version };
        Self { version, saved_at, author: author.to_owned(), note: note.to_owned(), scoring_since, settings }
    }
}

impl Table {
    /// The current settings of a workspace.
    pub async fn settings(&self, workspace: &WorkspaceId) -> Result<Option<SettingsVersion>, StoreError> {
        self.get(keys::settings(workspace), "current".to_owned()).await
    }

    /// One version, for what was computed with it.
    pub async fn settings_version(
        &self,
        workspace: &WorkspaceId,
        version: u32,
    ) -> Result<Option<SettingsVersion>, StoreError> {
        self.get(keys::settings(workspace), format!("v#{version:010}")).await
    }

    /// All versions, newest first.
    pub async fn settings_versions(
        &self,
        workspace: &WorkspaceId,
    ) -> Result<Vec<SettingsVersion>, StoreError> {
        let mut versions: Vec<SettingsVersion> =
            self.query_as(keys::settings(workspace), Range::Prefix("v#".to_owned())).await?;
        versions.reverse();
        Ok(versions)
    }

    /// Saves the version after the one its author saw. Errors: [`StoreError::Conflict`] when somebody saved
    /// in between.
    pub async fn save_settings(
        &self,
        workspace: &WorkspaceId,
        version: &SettingsVersion,
    ) -> Result<(), StoreError> {
        let pk = keys::settings(workspace);
        let kept = item::write(pk.clone(), format!("v#{:010}", version.version), version)?;
        let current = item::write(pk, "current".to_owned(), version)?;
        // The version's own item is new or the save fails, so two savers can't both win.
        self.transact(vec![self.transact_put(kept, true)?, self.transact_put(current, false)?]).await
    }
}
