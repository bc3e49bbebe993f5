//! Which workspace a write key belongs to, remembered for a short while by a warm function. Bounded; forgetting
//! costs a read and nothing else.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use barometer_cloud::{StoreError, Table, table::credentials::Kind};
use barometer_domain::{Settings, WorkspaceId};
use chrono::{DateTime, TimeDelta, Utc};

/// Most keys that are remembered.
const MAX_KEYS: usize = 20_000;

/// How long a write key and its workspace's settings are believed.
const KEY_LIFE: TimeDelta = TimeDelta::seconds(60);

/// The workspace of a write key.
#[derive(Debug, Clone)]
pub struct Known {
    /// The workspace.
    pub workspace: WorkspaceId,
    /// Its settings.
    pub settings: Settings,
}

#[derive(Debug)]
struct Read {
    known: Known,
    at: DateTime<Utc>,
}

/// The write keys that one process has met.
#[derive(Debug, Default)]
pub struct Access(Mutex<HashMap<String, Read>>);

impl Access {
    fn with<T>(&self, access: impl FnOnce(&mut HashMap<String, Read>) -> T) -> T {
        // A panic while the lock was held can't leave the map half changed.
        access(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The workspace of a write key; nothing for a key that isn't known. Errors: the table.
    pub async fn workspace(
        &self,
        table: &Table,
        key: &str,
        now: DateTime<Utc>,
    ) -> Result<Option<Known>, StoreError> {
        let fresh = |read: &&Read| now >= read.at && now < read.at + KEY_LIFE;
        if let Some(known) = self.with(|keys| keys.get(key).filter(fresh).map(|read| read.known.clone())) {
            return Ok(Some(known));
        }
        let credential = table.credential(key, now).await?.filter(|found| found.kind == Kind::WriteKey);
        let Some(credential) = credential else { return Ok(None) };
        let Some(settings) = table.settings(&credential.workspace_id).await? else { return Ok(None) };
        let known = Known { workspace: credential.workspace_id, settings: settings.settings };
        self.with(|keys| {
            if keys.len() >= MAX_KEYS && !keys.contains_key(key) {
                keys.clear();
            }
            keys.insert(key.to_owned(), Read { known: known.clone(), at: now });
        });
        Ok(Some(known))
    }
}
