//! A CSM sets the business status of a company.
//!
//! In: `PUT /v1/companies/{company_id}/status` with `{"status": "struggling", "note": "…"}`, an API token or
//! session that may write, optionally `If-Match` (the status version that was seen) and `Idempotency-Key`.
//! Out: the change. Writes, all or nothing: the history, the company's current status, and `status.changed`
//! when it is a transition. Setting the same status again is a confirmation: it renews review-by, is logged, and
//! fires nothing. A status that contradicts engagement opens a disagreement.

mod will;

use axum::{
    Router,
    body::Bytes,
    extract::{Path, State},
    response::{IntoResponse, Response},
    routing::put,
};
use barometer_cloud::{
    Bus, Clock, StoreError, Table,
    automation::Automation,
    bus::{DetailType, Event},
    http::{Json, Problem, auth, json, problem::FieldError, replay},
    lambda::Chain,
    table::{
        companies::Company,
        credentials::Scope,
        idempotency::{self, Remembered},
        statuses::StatusChange,
    },
    watch::Watch,
    workspaces,
};
use barometer_domain::{
    CompanyId, WorkspaceId,
    disagreement::Readings,
    status::{BusinessStatus, ChangeKind, Status},
};
use chrono::{DateTime, Utc};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::{Deserialize, Serialize};

use will::{Will, will};

/// Longest note, in characters.
const MAX_NOTE: usize = 5_000;

/// How often a write is tried when somebody else sets the status at the same moment.
const TRIES: u32 = 3;

/// What the function works with.
#[derive(Debug, Clone)]
pub struct Deps {
    /// The table.
    pub table: Table,
    /// The bus.
    pub bus: Bus,
    /// The time.
    pub clock: Clock,
}

/// The function's routes.
pub fn router(deps: Deps) -> Router {
    Router::new()
        .route("/v1/companies/{company_id}/status", put(set))
        .method_not_allowed_fallback(method_not_allowed)
        .fallback(|| async { Problem::not_found("there is nothing at this path") })
        .with_state(deps)
}

async fn method_not_allowed() -> Response {
    let problem =
        Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "a status is set with PUT");
    let mut response = problem.into_response();
    response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("PUT"));
    response
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SetStatus {
    status: Status,
    note: String,
}

/// The answer: what was set, and what it changed.
#[derive(Debug, Serialize)]
struct Changed {
    company_id: CompanyId,
    #[serde(flatten)]
    change: StatusChange,
    /// How often the status was set; the `ETag`.
    status_version: u32,
    /// The events that went out because of it; none for a confirmation.
    events: Vec<&'static str>,
    /// What rules will do about it; absent when that can't be found out.
    #[serde(skip_serializing_if = "Option::is_none")]
    will: Option<Vec<Will>>,
}

async fn set(
    State(deps): State<Deps>,
    Path(company): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    let now = deps.clock.now();
    let caller = auth::caller(&deps.table, &headers, Scope::Write, now).await?;
    let company = CompanyId::new(company).map_err(|_| unknown_company())?;
    let key = headers.get("idempotency-key").and_then(|key| key.to_str().ok());
    let request = idempotency::fingerprint("PUT", &format!("/companies/{company}/status"), &body);
    if let Some(key) = key
        && let Some(before) = deps.table.remembered(&caller.workspace, key, now).await?
    {
        return repeat(&before, &request);
    }
    let wanted = read(&body)?;
    let changed = write(&deps, &caller, &company, wanted, if_match(&headers)?, now).await?;
    if let Some(key) = key {
        let body = serde_json::to_string(&changed).map_err(StoreError::from)?;
        let answer = Remembered { request, status: 200, body, expires_at: now + idempotency::KEPT };
        deps.table.remember(&caller.workspace, key, &answer).await?;
    }
    let etag = HeaderValue::from_str(&format!("\"{}\"", changed.status_version));
    let mut response = Json(changed).into_response();
    if let Ok(etag) = etag {
        response.headers_mut().insert(header::ETAG, etag);
    }
    Ok(response)
}

fn unknown_company() -> Problem {
    Problem::not_found("there is no such company")
}

fn read(body: &[u8]) -> Result<SetStatus, Problem> {
    let wanted: SetStatus = json::parse(body)?;
    let note = wanted.note.trim();
    let wrong = if note.is_empty() {
        "a status needs a note: why do you see it so?"
    } else if note.chars().count() > MAX_NOTE {
        "a note has at most 5,000 characters"
    } else {
        return Ok(wanted);
    };
    let error = FieldError { pointer: "/note".to_owned(), detail: wrong.to_owned() };
    Err(Problem::invalid(wrong, vec![error]))
}

/// The version in `If-Match`; nothing without one or with `*`.
fn if_match(headers: &HeaderMap) -> Result<Option<u32>, Problem> {
    let Some(value) = headers.get(header::IF_MATCH) else { return Ok(None) };
    let value = value.to_str().unwrap_or_default().trim();
    if value == "*" {
        return Ok(None);
    }
    value.trim_matches('"').parse().map(Some).map_err(|_| {
        Problem::bad_request("If-Match takes the ETag of the company or of an earlier change, such as \"3\"")
    })
}

/// The same request again gets the same answer; another request under the same key is refused.
fn repeat(before: &Remembered, request: &str) -> Result<Response, Problem> {
    replay::check(before, request)?;
    let status = StatusCode::from_u16(before.status).unwrap_or(StatusCode::OK);
    let mut response = (status, before.body.clone()).into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response.headers_mut().insert("idempotency-replayed", HeaderValue::from_static("true"));
    Ok(response)
}

async fn write(
    deps: &Deps,
    caller: &auth::Caller,
    id: &CompanyId,
    wanted: SetStatus,
    seen: Option<u32>,
    now: DateTime<Utc>,
) -> Result<Changed, Problem> {
    let workspace = &caller.workspace;
    let settings = deps.table.settings(workspace).await?.ok_or_else(Problem::internal)?.settings;
    let change_id = workspaces::random_id().map_err(|_| Problem::internal())?;
    for _ in 0..TRIES {
        let company = deps.table.company(workspace, id).await?.ok_or_else(unknown_company)?;
        if let Some(seen) = seen
            && seen != company.status_version
        {
            return Err(stale(&company));
        }
        let from = company.status.as_ref().map(|status| status.value);
        let change = StatusChange {
            id: change_id.clone(),
            kind: ChangeKind::of(from, wanted.status),
            from,
            status: BusinessStatus {
                value: wanted.status,
                note: wanted.note.trim().to_owned(),
                author: caller.author.clone(),
                set_at: now,
                review_by: settings.review_days.review_by(wanted.status, now),
            },
        };
        let events = events(workspace, id, &change)?;
        // Before the change is told: whoever hears of it makes the rules quiet.
        let automation = Automation { table: &deps.table, workspace, now };
        let will = will(&automation, &company, &change, &settings).await;
        match deps.table.set_status(workspace, id, company.status_version, &change, &events).await {
            Ok(()) => {
                deps.table.publish_or_leave(&deps.bus, workspace, &events).await;
                compare(deps, workspace, &company, wanted.status, now).await;
                return Ok(Changed {
                    company_id: id.clone(),
                    change,
                    status_version: company.status_version + 1,
                    events: events.iter().map(|event| event.detail_type.as_str()).collect(),
                    will,
                });
            }
            // Somebody was faster: look again; with If-Match that now fails.
            Err(StoreError::Conflict) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(StoreError::Conflict.into())
}

/// Opens or closes the company's disagreement with its engagement. The status stands whatever comes of it; what fails
/// here is done with the next weekly scoring.
async fn compare(
    deps: &Deps,
    workspace: &WorkspaceId,
    company: &Company,
    status: Status,
    now: DateTime<Utc>,
) {
    let band = company.engagement.as_ref().map(|engagement| engagement.band);
    let readings = Readings::of(Some(status), band);
    if company.open_disagreements == 0 && !readings.is_some_and(Readings::disagree) {
        return;
    }
    let watch = Watch { table: &deps.table, workspace, company: Some(&company.company_id), now };
    if let Err(error) = watch.compare(readings).await {
        tracing::warn!(%workspace, company = %company.company_id, error = %Chain(&error), "disagreement left");
    }
}

fn stale(company: &Company) -> Problem {
    Problem::precondition_failed(format!(
        "the status was set meanwhile; its version is now {}",
        company.status_version
    ))
}

fn events(
    workspace: &WorkspaceId,
    company: &CompanyId,
    change: &StatusChange,
) -> Result<Vec<Event>, Problem> {
    if change.kind == ChangeKind::Confirmation {
        return Ok(Vec::new());
    }
    let detail = serde_json::json!({
        "from": change.from, "to": change.status.value, "by": change.status.author,
        "note": change.status.note, "review_by": change.status.review_by,
    });
    let at = change.status.set_at;
    let event = Event::new(DetailType::StatusChanged, workspace, Some(company), at, &change.id, &detail);
    Ok(vec![event.map_err(StoreError::from)?])
}
