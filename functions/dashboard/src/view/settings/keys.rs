//! API keys.

use askama::Template;
use chrono::{DateTime, Utc};
use serde::Deserialize;

use crate::{
    notice::Notice,
    view::{Scene, chrome::Chrome},
};

/// For how many days a key can be made: value and label.
pub const SPANS: [(&str, &str); 4] =
    [("30", "30 days"), ("90", "90 days"), ("365", "a year"), ("", "until it is revoked")];

/// What a key may do: value and label.
pub const SCOPES: [(&str, &str); 3] =
    [("read", "read"), ("write", "write: change companies"), ("admin", "admin: settings, keys, audit")];

/// A key as the API shows it.
#[derive(Debug, Clone, Deserialize)]
pub struct Key {
    id: String,
    label: String,
    scope: String,
    created_at: DateTime<Utc>,
    expires_at: Option<DateTime<Utc>>,
    last_used: Option<DateTime<Utc>>,
}

/// A key on the page.
#[derive(Debug, Clone)]
pub struct KeyRow {
    /// Its id.
    pub id: String,
    /// Its label.
    pub label: String,
    /// What it may do.
    pub scope: String,
    /// When it was made.
    pub made: String,
    /// When it ends.
    pub ends: String,
    /// When it was last used; nothing when that isn't known.
    pub used: Option<String>,
}

/// What is shown this once.
#[derive(Debug, Clone)]
pub struct Shown {
    /// The key's label.
    pub label: String,
    /// The key.
    pub token: String,
}

/// What was typed of a new key.
#[derive(Debug, Clone, Default)]
pub struct Given {
    /// Its label.
    pub label: String,
    /// What it may do.
    pub scope: String,
    /// For how many days.
    pub days: String,
}

/// The page.
#[derive(Debug, Clone, Template)]
#[template(path = "settings/keys.html")]
pub struct KeysPage {
    chrome: Chrome,
    notice: Option<Notice>,
    rows: Vec<KeyRow>,
    shown: Option<Shown>,
    given: Given,
}

impl KeysPage {
    /// The page.
    pub fn build(
        chrome: Chrome,
        notice: Option<Notice>,
        keys: Vec<Key>,
        shown: Option<Shown>,
        given: Given,
        scene: Scene<'_>,
    ) -> Self {
        let row = |key: Key| KeyRow {
            id: key.id,
            label: key.label,
            scope: key.scope,
            made: scene.day(key.created_at),
            ends: key.expires_at.map_or_else(|| "never".to_owned(), |at| scene.minute(at)),
            used: key.last_used.map(|at| scene.day(at)),
        };
        Self { chrome, notice, rows: keys.into_iter().map(row).collect(), shown, given }
    }
}
