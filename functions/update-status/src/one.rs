//! `PUT /v1/companies/{company_id}/status`

use axum::{
    body::Bytes,
    extract::{Path, State},
    response::{IntoResponse, Response},
};
use barometer_cloud::{
    http::{Json, Problem, auth, json, problem::FieldError},
    table::{credentials::Scope, idempotency, statuses::StatusChange},
};
use barometer_domain::{CompanyId, status::Status};
use http::{HeaderMap, HeaderValue, Method, header};
use serde::{Deserialize, Serialize};

use crate::{
    Deps,
    change::{self, Desk, Outcome, Wanted, unknown_company},
    repeat::Repeatable,
    will::Will,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SetStatus {
    status: Status,
    note: String,
}

/// The answer: what was set, and what it changed.
#[derive(Debug, Serialize, schemars::JsonSchema)]
#[schemars(rename = "StatusSet")]
pub struct Changed {
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

/// Sets the status of one company.
pub async fn set(
    State(deps): State<Deps>,
    Path(company): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    let now = deps.clock.now();
    let caller = auth::caller(&deps.table, &Method::PUT, &headers, Scope::Write, now).await?;
    let company_id = CompanyId::new(company).map_err(|_| unknown_company())?;
    let request = idempotency::fingerprint("PUT", &format!("/companies/{company_id}/status"), &body);
    let repeatable = Repeatable::new(&deps, &caller.workspace, &headers, request, now)?;
    if let Some(before) = repeatable.answered().await? {
        return Ok(before);
    }
    let (status, note) = read(&body)?;
    let wanted = Wanted { status, note, set_at: None, silent: false, look_ahead: true };
    let desk = Desk::open(&deps, &caller, now).await?;
    let Outcome { change, status_version, events, will } =
        desk.set(&company_id, &wanted, if_match(&headers)?).await?;
    deps.table.publish_or_leave(&deps.bus, &caller.workspace, &events).await;
    let events = events.iter().map(|event| event.detail_type.as_str()).collect();
    let changed = Changed { company_id, change, status_version, events, will };
    repeatable.remember(&changed).await?;
    let etag = HeaderValue::from_str(&format!("\"{status_version}\""));
    let mut response = Json(changed).into_response();
    if let Ok(etag) = etag {
        response.headers_mut().insert(header::ETAG, etag);
    }
    Ok(response)
}

fn read(body: &[u8]) -> Result<(Status, String), Problem> {
    let SetStatus { status, note } = json::parse(body)?;
    match change::note(&note) {
        Ok(note) => Ok((status, note)),
        Err(wrong) => {
            let error = FieldError { pointer: "/note".to_owned(), detail: wrong.to_owned() };
            Err(Problem::invalid(wrong, vec![error]))
        }
    }
}

/// The version of the status in `If-Match`: what stands before the `-` of a company's tag, or a change's tag. Nothing
/// without one or with `*`.
fn if_match(headers: &HeaderMap) -> Result<Option<u32>, Problem> {
    let Some(value) = headers.get(header::IF_MATCH) else { return Ok(None) };
    let value = value.to_str().unwrap_or_default().trim();
    if value == "*" {
        return Ok(None);
    }
    // Something on the way that compresses may have weakened the tag.
    let tag = value.strip_prefix("W/").unwrap_or(value).trim_matches('"');
    let version = tag.split_once('-').map_or(tag, |(version, _)| version);
    version.parse().map(Some).map_err(|_| {
        Problem::bad_request("If-Match takes the ETag of the company or of an earlier change, such as \"3\"")
    })
}
