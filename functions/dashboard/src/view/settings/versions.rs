//! Every save of the settings: who, when, why, and what changed.

use askama::Template;

use super::diff::{self, Changed};
use crate::{
    settings::Version,
    view::{Scene, chrome::Chrome},
};

/// Changes of a version that are named at most.
const NAMED: usize = 15;

/// A version.
#[derive(Debug, Clone)]
pub struct VersionRow {
    /// Its number.
    pub version: u32,
    /// When it was saved.
    pub when: String,
    /// Who saved it.
    pub author: String,
    /// Why.
    pub note: String,
    /// What it changed.
    pub changes: Vec<Changed>,
    /// Changes that aren't named.
    pub more: usize,
}

/// The page.
#[derive(Debug, Clone, Template)]
#[template(path = "settings/versions.html")]
pub struct VersionsPage {
    chrome: Chrome,
    rows: Vec<VersionRow>,
    next: Option<String>,
}

impl VersionsPage {
    /// The versions, the newest first; `before` is the one that came before the last of them, `next` the address of the
    /// next page.
    pub fn build(
        chrome: Chrome,
        versions: &[Version],
        before: Option<&Version>,
        next: Option<String>,
        scene: Scene<'_>,
    ) -> Self {
        let earlier = versions.iter().skip(1).map(Some).chain([before]);
        let rows =
            versions.iter().zip(earlier).map(|(version, earlier)| row(version, earlier, scene)).collect();
        Self { chrome, rows, next }
    }
}

fn row(version: &Version, earlier: Option<&Version>, scene: Scene<'_>) -> VersionRow {
    let mut changes = match earlier {
        Some(earlier) => diff::changes(&earlier.settings.clone().into(), &version.settings.clone().into()),
        None => Vec::new(),
    };
    let more = changes.len().saturating_sub(NAMED);
    changes.truncate(NAMED);
    VersionRow {
        version: version.version,
        when: scene.minute(version.saved_at),
        author: version.author.clone(),
        note: version.note.clone(),
        changes,
        more,
    }
}
