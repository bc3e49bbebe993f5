//! Sources of a workspace: write keys with their limits, and what came from each.

pub mod create;
pub mod get;
mod input;
pub mod list;
pub mod patch;
pub mod remove;
pub mod rotate;

use axum::extract::{FromRequestParts, Path};
use barometer_cloud::{
    Table,
    http::Problem,
    sources::Overview,
    table::sources::{Counts, Reason, Source, Unit},
};
use chrono::{DateTime, NaiveDate, Utc};
use http::request::Parts;
use serde::Serialize;

/// A source with what came from it lately.
#[derive(Serialize, schemars::JsonSchema)]
pub struct SourceView {
    id: String,
    name: String,
    /// The write key; null for one made before keys were kept readable.
    key: Option<String>,
    /// Replaced keys that still work.
    previous_keys: Vec<PreviousView>,
    created_at: DateTime<Utc>,
    disabled_at: Option<DateTime<Utc>>,
    allowed_origins: Vec<String>,
    rate: u32,
    burst: u32,
    /// Null when nothing came in the last 30 days.
    last_event_at: Option<DateTime<Utc>>,
    today: CountsView,
    last_7_days: CountsView,
    /// The last ten reasons of the last 30 days.
    rejections: Vec<ReasonView>,
}

#[derive(Serialize, schemars::JsonSchema)]
struct PreviousView {
    key: Option<String>,
    expires_at: DateTime<Utc>,
}

/// Accepted and rejected events, refused requests.
#[derive(Serialize, schemars::JsonSchema)]
struct CountsView {
    accepted: u64,
    rejected: u64,
    refused_requests: u64,
}

#[derive(Serialize, schemars::JsonSchema)]
struct ReasonView {
    counts: Unit,
    code: String,
    message: String,
    message_id: Option<String>,
    index: Option<u64>,
    last_at: DateTime<Utc>,
    count: u64,
}

/// What came on a UTC day.
#[derive(Serialize, schemars::JsonSchema)]
struct DayView {
    day: NaiveDate,
    #[serde(flatten)]
    counts: CountsView,
}

/// A source with every day of the last 30 since it was made, the oldest first.
#[derive(Serialize, schemars::JsonSchema)]
#[schemars(rename = "SourceDetail")]
pub struct DetailView {
    #[serde(flatten)]
    source: SourceView,
    days: Vec<DayView>,
}

impl From<Counts> for CountsView {
    fn from(counts: Counts) -> Self {
        Self { accepted: counts.accepted, rejected: counts.rejected, refused_requests: counts.refused }
    }
}

impl From<Reason> for ReasonView {
    fn from(reason: Reason) -> Self {
        let Reason { unit, code, message, message_id, index, last_at, count } = reason;
        Self { counts: unit, code, message, message_id, index, last_at, count }
    }
}

impl SourceView {
    /// A source as it is shown.
    pub fn new(overview: Overview, now: DateTime<Utc>) -> Self {
        let working = overview.source.working_previous(now);
        let previous_keys = working
            .map(|previous| PreviousView { key: previous.key.clone(), expires_at: previous.expires_at })
            .collect();
        Self {
            previous_keys,
            last_event_at: overview.last_event_at(),
            today: overview.last_days(1).into(),
            last_7_days: overview.last_days(7).into(),
            rejections: overview.reasons.into_iter().map(ReasonView::from).collect(),
            id: overview.source.id,
            name: overview.source.name,
            key: overview.source.key,
            created_at: overview.source.created_at,
            disabled_at: overview.source.disabled_at,
            allowed_origins: overview.source.allowed_origins,
            rate: overview.source.rate,
            burst: overview.source.burst,
        }
    }
}

impl DetailView {
    fn new(overview: Overview, now: DateTime<Utc>) -> Self {
        let days =
            overview.days.iter().map(|(day, counts)| DayView { day: *day, counts: counts.clone().into() });
        Self { days: days.collect(), source: SourceView::new(overview, now) }
    }

    /// Reads what came from a source.
    async fn read(table: &Table, source: Source, now: DateTime<Utc>) -> Result<Self, Problem> {
        Ok(Self::new(Overview::read(table, source, now).await?, now))
    }
}

/// The source's id in a request's path.
pub struct SourcePath(pub String);

impl<S: Send + Sync> FromRequestParts<S> for SourcePath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let id = Path::<String>::from_request_parts(parts, state).await.map_err(|_| no_source())?;
        Ok(Self(id.0))
    }
}

/// 404 for a source that isn't there, or is another workspace's.
fn no_source() -> Problem {
    Problem::not_found("there is no such source")
}

fn no_randomness(error: getrandom::Error) -> Problem {
    tracing::error!(%error, "no random numbers");
    Problem::internal()
}
