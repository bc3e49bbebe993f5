//! `POST /v1/companies/statuses`: up to 500 at once, such as those that were kept elsewhere until now.
//!
//! Each row stands alone: what is wrong with one is told with its index, and the others are set. Unless `fire` says
//! otherwise the events that go out say `"silent": true`, and nothing is set in motion by them. A row that says what is
//! so already changes nothing, so that a request that broke off can be sent again.

use std::collections::BTreeMap;

use axum::{
    body::Bytes,
    extract::{State, rejection::BytesRejection},
    response::{IntoResponse, Response},
};
use barometer_cloud::{
    bus::Event,
    http::{Json, Problem, auth, json, problem::FieldError},
    lambda::Chain,
    table::{credentials::Scope, idempotency},
};
use barometer_domain::{CompanyId, status::Status};
use chrono::{DateTime, TimeDelta, Utc};
use futures_util::{StreamExt, stream};
use http::{HeaderMap, Method, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    Deps,
    change::{self, Desk, Wanted},
    repeat::Repeatable,
};

/// Most rows of a request.
pub const MOST: usize = 500;

/// Companies that are written at the same time.
const AT_ONCE: usize = 8;

/// A row without an instant that says again what the same author said within this time is the same request again.
const SAME: TimeDelta = TimeDelta::hours(24);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Request {
    #[serde(default)]
    fire: bool,
    changes: Vec<Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    company_id: CompanyId,
    status: Status,
    note: String,
    #[serde(default)]
    set_at: Option<DateTime<Utc>>,
}

/// What became of the rows.
#[derive(Debug, Default, Serialize, schemars::JsonSchema)]
#[schemars(rename = "StatusReceipt")]
pub struct Receipt {
    /// Rows that were set, confirmations among them.
    accepted: usize,
    /// Rows that say what is so already.
    unchanged: usize,
    /// Rows that were not.
    rejected: usize,
    /// Those, in their order.
    errors: Vec<Remark>,
}

/// Why a row was not set.
#[derive(Debug, Serialize, schemars::JsonSchema)]
#[schemars(rename = "RejectedStatus")]
struct Remark {
    /// Its place in the request, from 0.
    index: usize,
    /// The word a program can compare.
    code: &'static str,
    /// The sentence.
    message: String,
}

/// What became of one row.
enum Became {
    Set(Vec<Event>),
    Unchanged,
    Rejected(Remark),
}

/// Sets the statuses of many companies.
pub async fn set(
    State(deps): State<Deps>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let now = deps.clock.now();
    let caller = auth::caller(&deps.table, &Method::POST, &headers, Scope::Write, now).await?;
    let body = body.map_err(|_| {
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", "the body is larger than 2 MB")
    })?;
    let request = idempotency::fingerprint("POST", "/companies/statuses", &body);
    let repeatable = Repeatable::new(&deps, &caller.workspace, &headers, request, now)?;
    if let Some(before) = repeatable.answered().await? {
        return Ok(before);
    }
    let Request { fire, changes } = json::parse(&body)?;
    if changes.is_empty() || changes.len() > MOST {
        let detail = format!("1 to {MOST} changes");
        let error = FieldError { pointer: "/changes".to_owned(), detail: detail.clone() };
        return Err(Problem::invalid(detail, vec![error]));
    }
    let desk = Desk::open(&deps, &caller, now).await?;
    let (mut receipt, mut events) = (Receipt::default(), Vec::new());
    for became in set_all(&desk, changes, !fire).await {
        match became {
            Became::Set(told) => {
                receipt.accepted += 1;
                events.extend(told);
            }
            Became::Unchanged => receipt.unchanged += 1,
            Became::Rejected(remark) => receipt.errors.push(remark),
        }
    }
    receipt.errors.sort_by_key(|remark| remark.index);
    receipt.rejected = receipt.errors.len();
    deps.table.publish_or_leave(&deps.bus, &caller.workspace, &events).await;
    // What failed on our side is to be tried again under the same key.
    if receipt.errors.iter().all(|remark| remark.code != UNAVAILABLE) {
        repeatable.remember(&receipt).await?;
    }
    Ok(Json(receipt).into_response())
}

const UNAVAILABLE: &str = "unavailable";

/// Sets the rows: those of a company in their order, companies beside one another.
async fn set_all(desk: &Desk<'_>, changes: Vec<Value>, silent: bool) -> Vec<Became> {
    let mut became = Vec::new();
    let mut companies: BTreeMap<CompanyId, Vec<(usize, Wanted)>> = BTreeMap::new();
    for (index, row) in changes.into_iter().enumerate() {
        match read(row, desk.now, silent) {
            Ok((company, wanted)) => companies.entry(company).or_default().push((index, wanted)),
            Err(message) => became.push(Became::Rejected(Remark { index, code: "invalid", message })),
        }
    }
    let rows = companies.into_iter().map(|(company, rows)| async move {
        let mut became = Vec::new();
        for (index, wanted) in rows {
            became.push(set_one(desk, &company, index, &wanted).await);
        }
        became
    });
    // Collected first: a borrowing closure inside the stream would need a lifetime that it can't name.
    let rows: Vec<_> = rows.collect();
    let of_companies: Vec<Vec<Became>> = stream::iter(rows).buffer_unordered(AT_ONCE).collect().await;
    became.extend(of_companies.into_iter().flatten());
    became
}

fn read(row: Value, now: DateTime<Utc>, silent: bool) -> Result<(CompanyId, Wanted), String> {
    let Row { company_id, status, note, set_at } =
        serde_json::from_value(row).map_err(|error| error.to_string())?;
    let note = change::note(&note)?;
    if set_at.is_some_and(|at| at > now) {
        return Err("set_at lies in the future".to_owned());
    }
    Ok((company_id, Wanted { status, note, set_at, silent, look_ahead: false }))
}

async fn set_one(desk: &Desk<'_>, id: &CompanyId, index: usize, wanted: &Wanted) -> Became {
    let rejected =
        |code, message: &str| Became::Rejected(Remark { index, code, message: message.to_owned() });
    let company = match desk.deps.table.company(&desk.caller.workspace, id).await {
        Ok(Some(company)) => company,
        Ok(None) => return rejected("unknown_company", "there is no such company"),
        Err(error) => {
            tracing::warn!(error = %Chain(&error), "a row isn't set");
            return rejected(UNAVAILABLE, "the store can't be reached; send the row again");
        }
    };
    if let Some(current) = &company.status {
        let same_words = current.value == wanted.status && current.note == wanted.note;
        let same_time = match wanted.set_at {
            Some(at) => at == current.set_at,
            None => current.author == desk.caller.author && desk.now - current.set_at < SAME,
        };
        if same_words && same_time {
            return Became::Unchanged;
        }
        if wanted.set_at.is_some_and(|at| at < current.set_at) {
            return rejected("outdated", "the company has a status that was set later");
        }
    }
    match desk.set(id, wanted, Some(company.status_version)).await {
        Ok(outcome) => Became::Set(outcome.events),
        Err(_) => rejected(
            UNAVAILABLE,
            "the status was set meanwhile, or the store can't be reached; send the row again",
        ),
    }
}
