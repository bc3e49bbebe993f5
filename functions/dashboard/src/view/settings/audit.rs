//! Who changed what.

use askama::Template;
use barometer_cloud::table::audit::Action;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::Value;

use super::diff::{self, Changed};
use crate::{
    api::segment,
    notice::Notice,
    view::{Scene, chrome::Chrome},
};

/// Changes of an entry that are named at most.
const NAMED: usize = 8;

/// The filters, as the address has them.
pub const FILTERS: [&str; 5] = ["from", "to", "by", "action", "subject"];

/// An entry as the API shows it.
#[derive(Debug, Clone, Deserialize)]
pub struct Entry {
    at: DateTime<Utc>,
    by: String,
    action: String,
    subject: Subject,
    company_id: Option<String>,
    from: Value,
    to: Value,
}

#[derive(Debug, Clone, Deserialize)]
struct Subject {
    kind: String,
    id: String,
}

/// An entry on the page.
#[derive(Debug, Clone)]
pub struct EntryRow {
    /// When.
    pub when: String,
    /// Who.
    pub by: String,
    /// What was done.
    pub action: String,
    /// To what.
    pub subject: String,
    /// The page of the company that it is about.
    pub href: Option<String>,
    /// What changed.
    pub changes: Vec<Changed>,
    /// Changes that aren't named.
    pub more: usize,
}

/// What of the audit is wanted.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// The filters' values, in their order.
    pub filters: [String; 5],
    /// The same as a query, for links.
    pub query: String,
}

/// The page.
#[derive(Debug, Clone, Template)]
#[template(path = "settings/audit.html")]
pub struct AuditPage {
    chrome: Chrome,
    notice: Option<Notice>,
    rows: Vec<EntryRow>,
    wanted: Wanted,
    next: Option<String>,
}

impl AuditPage {
    /// The entries, the newest first; `next` is the address of the next page.
    pub fn build(
        chrome: Chrome,
        notice: Option<Notice>,
        entries: Vec<Entry>,
        wanted: Wanted,
        next: Option<String>,
        scene: Scene<'_>,
    ) -> Self {
        let rows = entries.into_iter().map(|entry| row(entry, scene)).collect();
        Self { chrome, notice, rows, wanted, next }
    }

    fn filter(&self, name: &str) -> &str {
        let place = FILTERS.iter().position(|known| *known == name);
        place.and_then(|place| self.wanted.filters.get(place)).map_or("", String::as_str)
    }

    fn actions(&self) -> Vec<(&'static str, String, bool)> {
        let chosen = self.filter("action");
        Action::ALL
            .iter()
            .map(|action| (action.name(), words(action.name()), action.name() == chosen))
            .collect()
    }
}

/// `settings.saved` as people read it.
fn words(action: &str) -> String {
    action.replace(['.', '_'], " ")
}

fn row(entry: Entry, scene: Scene<'_>) -> EntryRow {
    let mut changes = diff::changes(&entry.from, &entry.to);
    let more = changes.len().saturating_sub(NAMED);
    changes.truncate(NAMED);
    EntryRow {
        when: scene.minute(entry.at),
        by: entry.by,
        action: words(&entry.action),
        subject: match (words(&entry.subject.kind), entry.subject.id) {
            (kind, id) if kind == id => kind,
            (kind, id) => format!("{kind} {id}"),
        },
        href: entry.company_id.map(|id| format!("/companies/{}", segment(&id))),
        changes,
        more,
    }
}
