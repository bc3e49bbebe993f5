//! Which source a write key opens, remembered for a short while by a warm function. Bounded; forgetting costs
//! reads and nothing else.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use barometer_cloud::{StoreError, Table, table::sources::Source};
use barometer_domain::{Settings, WorkspaceId};
use chrono::{DateTime, TimeDelta, Utc};

/// Most keys that are remembered, of those that open something and of those that don't.
const MAX_KEYS: usize = 10_000;

/// How long a key, its source and its workspace's settings are believed. So long does a change take at most.
const KNOWN_FOR: TimeDelta = TimeDelta::seconds(60);

/// How long a key is believed to open nothing. Short, so that one that was only just made works.
const UNKNOWN_FOR: TimeDelta = TimeDelta::seconds(10);

/// The longest write key there can be, in bytes. What is longer isn't looked up.
const LONGEST: usize = 200;

/// The workspace of a write key.
#[derive(Debug, Clone)]
pub struct Known {
    /// The workspace.
    pub workspace: WorkspaceId,
    /// Its settings.
    pub settings: Settings,
}

/// What a write key opens.
#[derive(Debug, Clone)]
pub struct Grant {
    /// Where the events go.
    pub known: Known,
    /// Where they come from.
    pub source: Source,
    /// When the key stops working, if another has replaced it.
    pub ends_at: Option<DateTime<Utc>>,
}

/// Why the key of a source doesn't work. The client only learns that the key is unknown or disabled; these words are
/// for the source's own people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Closed {
    /// The source is disabled.
    #[error("the source is disabled")]
    Disabled,
    /// The key was replaced, and its overlap is over.
    #[error("this key was replaced and has stopped working; the client needs the new one")]
    Replaced,
}

impl Closed {
    /// The word a program can compare.
    pub fn code(self) -> &'static str {
        match self {
            Self::Disabled => "key_disabled",
            Self::Replaced => "key_replaced",
        }
    }
}

impl Grant {
    /// Whether the key works at `now`.
    pub fn check(&self, now: DateTime<Utc>) -> Result<(), Closed> {
        if self.source.disabled_at.is_some() {
            Err(Closed::Disabled)
        } else if self.ends_at.is_some_and(|end| end <= now) {
            Err(Closed::Replaced)
        } else {
            Ok(())
        }
    }
}

#[derive(Debug, Default)]
struct Keys {
    known: HashMap<String, (DateTime<Utc>, Arc<Grant>)>,
    // Apart, so that made-up keys can't drive out those that work.
    unknown: HashMap<String, DateTime<Utc>>,
}

/// The write keys that one process has met.
#[derive(Debug, Default)]
pub struct Access(Mutex<Keys>);

impl Access {
    fn with<T>(&self, access: impl FnOnce(&mut Keys) -> T) -> T {
        // A panic while the lock was held can't leave a map half changed.
        access(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// What a write key opens; nothing for a key that isn't known. Errors: the table.
    pub async fn grant(
        &self,
        table: &Table,
        key: &str,
        now: DateTime<Utc>,
    ) -> Result<Option<Arc<Grant>>, StoreError> {
        if key.len() > LONGEST {
            return Ok(None);
        }
        if let Some(remembered) = self.with(|keys| keys.recall(key, now)) {
            return Ok(remembered);
        }
        let grant = read(table, key).await?.map(Arc::new);
        self.with(|keys| keys.keep(key, grant.clone(), now));
        Ok(grant)
    }
}

impl Keys {
    fn recall(&self, key: &str, now: DateTime<Utc>) -> Option<Option<Arc<Grant>>> {
        let fresh = |at: DateTime<Utc>, life| now >= at && now < at + life;
        if let Some((at, grant)) = self.known.get(key)
            && fresh(*at, KNOWN_FOR)
        {
            return Some(Some(Arc::clone(grant)));
        }
        self.unknown.get(key).is_some_and(|at| fresh(*at, UNKNOWN_FOR)).then_some(None)
    }

    fn keep(&mut self, key: &str, grant: Option<Arc<Grant>>, now: DateTime<Utc>) {
        match grant {
            Some(grant) => {
                self.unknown.remove(key);
                make_room(&mut self.known);
                self.known.insert(key.to_owned(), (now, grant));
            }
            None => {
                self.known.remove(key);
                make_room(&mut self.unknown);
                self.unknown.insert(key.to_owned(), now);
            }
        }
    }
}

fn make_room<V>(map: &mut HashMap<String, V>) {
    if map.len() >= MAX_KEYS {
        map.clear();
    }
}

async fn read(table: &Table, key: &str) -> Result<Option<Grant>, StoreError> {
    let Some(found) = table.write_key(key).await? else { return Ok(None) };
    let workspace = found.workspace_id;
    let (source, settings) =
        futures_util::try_join!(table.source(&workspace, &found.id), table.settings(&workspace))?;
    let (Some(source), Some(settings)) = (source, settings) else { return Ok(None) };
    let known = Known { workspace, settings: settings.settings };
    Ok(Some(Grant { known, source, ends_at: found.expires_at }))
}
