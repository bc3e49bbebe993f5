//! Sources as people see and change them: what the API and the page have in common. Every change is kept in the
//! [audit](crate::table::audit).

use barometer_domain::WorkspaceId;
use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};

use crate::{
    StoreError, Table,
    table::{
        audit::{Action, Entry},
        sources::{Change, Counts, DAYS_KEPT, Reason, Rotation, Source},
    },
    workspaces,
};

/// Most sources of a workspace.
pub const MAX_SOURCES: usize = 100;

/// Longest name, in characters.
pub const LONGEST_NAME: usize = 100;

/// Most origins of a source.
pub const MAX_ORIGINS: usize = 50;

/// Largest rate and burst, in events.
pub const MAX_EVENTS: u32 = 1_000_000;

/// How long a replaced key works on, unless the rotation says otherwise.
pub const OVERLAP: TimeDelta = TimeDelta::hours(24);

/// The longest that a replaced key can work on.
pub const MAX_OVERLAP: TimeDelta = TimeDelta::days(30);

/// Most reasons that are shown.
pub const REASONS: usize = 10;

/// A source with what came from it in the last [`DAYS_KEPT`] days.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overview {
    /// The source.
    pub source: Source,
    /// What came, for every UTC day since the source was made, the oldest first.
    pub days: Vec<(NaiveDate, Counts)>,
    /// Why something was not taken: the last [`REASONS`] reasons, the latest first.
    pub reasons: Vec<Reason>,
}

impl Overview {
    /// Reads what came from a source.
    pub async fn read(table: &Table, source: Source, now: DateTime<Utc>) -> Result<Self, StoreError> {
        let today = now.date_naive();
        let first = today.checked_sub_days(Days::new(u64::from(DAYS_KEPT) - 1)).unwrap_or(today);
        let (ws, id) = (&source.workspace_id, &source.id);
        let (known, mut reasons) = futures_util::try_join!(
            table.source_days(ws, id, first, today),
            table.source_reasons(ws, id, first, today)
        )?;
        reasons.truncate(REASONS);
        let earliest = known.first().map(|(day, _)| *day).into_iter();
        let begin = earliest.chain([source.created_at.date_naive()]).min().unwrap_or(today).max(first);
        let days = begin
            .iter_days()
            .take_while(|day| *day <= today)
            .map(|day| {
                let counts = known.iter().find(|(of, _)| *of == day);
                (day, counts.map(|(_, counts)| counts.clone()).unwrap_or_default())
            })
            .collect();
        Ok(Self { source, days, reasons })
    }

    /// Reads what came from every source of a workspace, the oldest source first.
    pub async fn all(
        table: &Table,
        workspace: &WorkspaceId,
        now: DateTime<Utc>,
    ) -> Result<Vec<Self>, StoreError> {
        let mut sources = table.sources(workspace).await?;
        sources.sort_by(|a, b| (a.created_at, &a.id).cmp(&(b.created_at, &b.id)));
        futures_util::future::try_join_all(sources.into_iter().map(|source| Self::read(table, source, now)))
            .await
    }

    /// What came in the last `count` days, today among them.
    pub fn last_days(&self, count: usize) -> Counts {
        let mut sum = Counts::default();
        for (_, counts) in self.days.iter().rev().take(count) {
            sum.add(counts);
        }
        sum
    }

    /// When the latest accepted event arrived; nothing when none did in the last [`DAYS_KEPT`] days.
    pub fn last_event_at(&self) -> Option<DateTime<Utc>> {
        self.days.iter().filter_map(|(_, counts)| counts.last_event_at).max()
    }
}

/// A source with a new key. Errors: the operating system has no random numbers.
pub fn new(
    workspace: &WorkspaceId,
    name: String,
    author: String,
    now: DateTime<Utc>,
) -> Result<Source, getrandom::Error> {
    let (id, key) = (workspaces::random_id()?, workspaces::secret("wk")?);
    Ok(Source::new(workspace, id, key, name, author, now))
}

/// Stores a source on behalf of its author. Errors: [`StoreError::Conflict`] when the key is taken.
pub async fn create(table: &Table, source: &Source) -> Result<(), StoreError> {
    let entry = Entry::new(Action::SourceCreated, &source.id, &source.author, source.created_at)?;
    let entry = entry.change(&(), &source.settings())?;
    table.recording(&source.workspace_id, &entry).add_source(source).await
}

/// Changes a source that was read. Returns it as it is then; nothing when there is none any more. What is so already is
/// left alone.
pub async fn change(
    table: &Table,
    source: Source,
    change: &Change,
    by: &str,
    now: DateTime<Utc>,
) -> Result<Option<Source>, StoreError> {
    let entry = Entry::new(Action::SourceChanged, &source.id, by, now)?;
    let entry = entry.change(&source.settings(), &change.upon(&source).settings())?;
    if entry.changes_nothing() {
        return Ok(Some(source));
    }
    let (workspace, id) = (&source.workspace_id, &source.id);
    table.recording(workspace, &entry).change_source(workspace, id, change).await
}

/// Gives a source a new key; older ones work for `overlap` more. Errors: [`StoreError::Conflict`] when somebody else
/// rotates.
pub async fn rotate(
    table: &Table,
    workspace: &WorkspaceId,
    id: &str,
    (key, overlap): (&str, TimeDelta),
    by: &str,
    now: DateTime<Utc>,
) -> Result<Rotation, StoreError> {
    let end = serde_json::json!({ "older_keys_end": now + overlap });
    let entry = Entry::new(Action::SourceRotated, id, by, now)?.change(&(), &end)?;
    table.recording(workspace, &entry).rotate_source(workspace, id, key, overlap, now).await
}

/// Deletes a source with all its keys. Returns whether there was one.
pub async fn delete(
    table: &Table,
    workspace: &WorkspaceId,
    id: &str,
    by: &str,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let Some(source) = table.source(workspace, id).await? else { return Ok(false) };
    let entry = Entry::new(Action::SourceDeleted, id, by, now)?.change(&source.settings(), &())?;
    table.recording(workspace, &entry).delete_source(workspace, id).await
}

/// Why a text is no origin that can be allowed.
pub const NOT_AN_ORIGIN: &str = "an origin as browsers send it, such as https://app.example.com, or \
                                 https://*.example.com for every subdomain";

/// An allowed origin as it is kept: scheme and host in small letters, no path, no default port. `https://*.example.com`
/// stands for every subdomain. Nothing for what isn't one.
pub fn origin(text: &str) -> Option<String> {
    let text = text.trim().to_ascii_lowercase();
    let text = text.strip_suffix('/').unwrap_or(&text);
    let (scheme, rest) = text.split_once("://")?;
    let default = match scheme {
        "https" => "443",
        "http" => "80",
        _ => return None,
    };
    let (host, port) = match rest.rsplit_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (rest, None),
    };
    if port.is_some_and(|port| port.starts_with('0') || port.parse::<u16>().is_err()) {
        return None;
    }
    let (wild, domain) = match host.strip_prefix("*.") {
        Some(domain) => ("*.", domain),
        None => ("", host),
    };
    let label = |label: &str| {
        !label.is_empty() && label.bytes().all(|byte| byte == b'-' || byte.is_ascii_alphanumeric())
    };
    // `https://*.com` would be everybody.
    let legal =
        domain.len() <= 253 && domain.split('.').all(label) && (wild.is_empty() || domain.contains('.'));
    let port = port.filter(|port| *port != default).map(|port| format!(":{port}")).unwrap_or_default();
    legal.then(|| format!("{scheme}://{wild}{domain}{port}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_kept_as_browsers_send_them() {
        for (given, kept) in [
            ("https://App.Example.com", "https://app.example.com"),
            (" https://app.example.com/ ", "https://app.example.com"),
            ("https://app.example.com:443", "https://app.example.com"),
            ("http://localhost:3000", "http://localhost:3000"),
            ("https://*.example.com:8443", "https://*.example.com:8443"),
            ("http://127.0.0.1", "http://127.0.0.1"),
        ] {
            assert_eq!(origin(given).as_deref(), Some(kept), "{given}");
        }
        for wrong in [
            "",
            "*",
            "null",
            "app.example.com",
            "https://",
            "https://*",
            "https://*.com",
            "https://a.*.example.com",
            "https://app.example.com/path",
            "https://user@app.example.com",
            "https://app.example.com:0",
            "https://app.example.com:99999",
            "https://app.example.com:x",
            "ftp://app.example.com",
            "https://app..example.com",
            "https://bücher.example",
        ] {
            assert_eq!(origin(wrong), None, "{wrong}");
        }
    }
}
