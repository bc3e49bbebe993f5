//! `/local/*`: what only this home has, for whoever sits at this machine.

use std::collections::BTreeMap;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::middleware;
use axum::routing::{get, post};
use barometer_cloud::http::json::parse;
use barometer_cloud::http::{Json, Problem};
use barometer_cloud::workspaces::{self, CreateError, Created};
use chrono::{DateTime, Utc};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::delivery::DeadLetter;
use crate::engine::{EngineError, Passed};
use crate::faults::{Fault, Plan, Service};
use crate::functions::CallError;
use crate::mailbox::Mail;
use crate::records::RecordError;
use crate::server::Served;
use crate::wanted::Wanted;

mod guard;
mod page;

/// A Lambda event is at most 6 MB.
const MOST_BYTES: usize = 6 * 1024 * 1024;

/// The control surface.
pub fn router() -> Router<Served> {
    Router::new()
        .route("/clock", get(show_clock).post(move_clock))
        .route("/invoke/{function}", post(invoke))
        .route("/mail", get(mail))
        .route("/mailbox", get(mailbox))
        .route("/bus", get(bus))
        .route("/dead", get(dead))
        .route("/workspaces", post(create_workspace))
        .route("/faults", post(set_faults))
        .fallback(async || Problem::not_found("the home has no such path"))
        .layer(DefaultBodyLimit::max(MOST_BYTES))
        .layer(middleware::from_fn(guard::local_only))
}

#[derive(Deserialize)]
struct Move {
    now: DateTime<Utc>,
}

#[derive(Serialize)]
struct Moved {
    now: DateTime<Utc>,
    #[serde(flatten)]
    passed: Passed,
}

async fn show_clock(State(served): State<Served>) -> Json<Value> {
    Json(serde_json::json!({ "now": served.engine.clock.now() }))
}

async fn move_clock(State(served): State<Served>, body: Bytes) -> Result<Json<Moved>, Problem> {
    let Move { now } = parse(&body)?;
    // On its own, so that a client that goes away doesn't stop time half-way.
    let engine = served.engine.clone();
    let moving = tokio::spawn(async move { engine.move_clock(now).await });
    let passed = moving.await.map_err(|error| {
        tracing::error!(%error, "moving the clock panicked");
        Problem::internal()
    })??;
    Ok(Json(Moved { now: served.engine.clock.now(), passed }))
}

async fn invoke(
    State(served): State<Served>,
    Path(function): Path<String>,
    body: Bytes,
) -> Result<Json<Value>, Problem> {
    let event = parse(&body)?;
    Ok(Json(served.engine.invoke(&function, event).await?))
}

async fn mail(State(served): State<Served>) -> Result<Json<Vec<Mail>>, Problem> {
    Ok(Json(served.mailbox.list().await?))
}

async fn mailbox(State(served): State<Served>) -> Result<page::Page, Problem> {
    Ok(page::render(&served.mailbox.list().await?))
}

async fn bus(State(served): State<Served>) -> Result<Json<Vec<Value>>, Problem> {
    Ok(Json(served.engine.bus.log(&served.engine.delivery).await?))
}

async fn dead(State(served): State<Served>) -> Result<Json<Vec<DeadLetter>>, Problem> {
    Ok(Json(served.engine.delivery.dead().await?))
}

async fn create_workspace(
    State(served): State<Served>,
    body: Bytes,
) -> Result<(StatusCode, Json<Created>), Problem> {
    let wanted: Wanted = parse(&body)?;
    let created = workspaces::create(&served.table, wanted.into(), served.engine.clock.now())
        .await
        .map_err(not_created)?;
    Ok((StatusCode::CREATED, Json(created)))
}

async fn set_faults(State(served): State<Served>, body: Bytes) -> Result<Json<Plan>, Problem> {
    let changes: BTreeMap<Service, Option<Fault>> = parse(&body)?;
    if changes.iter().any(|(service, fault)| fault.as_ref().is_some_and(|fault| !fault.fits(*service))) {
        let only = "quota, paused, reject, error_after_accept, bounce and complain are faults of ses only";
        return Err(Problem::invalid(only.to_owned(), Vec::new()));
    }
    Ok(Json(served.faults.set(changes)))
}

fn not_created(error: CreateError) -> Problem {
    match error {
        CreateError::Taken => Problem::new(StatusCode::CONFLICT, "taken", error.to_string()),
        CreateError::Store(error) => error.into(),
        CreateError::Random(_) | CreateError::Id(_) => {
            tracing::error!(%error, "a workspace could not be made");
            Problem::internal()
        }
        CreateError::Name | CreateError::WriteKey => Problem::invalid(error.to_string(), Vec::new()),
    }
}

impl From<RecordError> for Problem {
    fn from(error: RecordError) -> Self {
        tracing::error!(%error, "the home's records failed");
        Self::internal()
    }
}

impl From<EngineError> for Problem {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::Backwards { .. } => Self::new(StatusCode::CONFLICT, "backwards", error.to_string()),
            EngineError::Records(error) => error.into(),
            EngineError::Input(error) => {
                tracing::error!(%error, "a schedule's input has no JSON form");
                Self::internal()
            }
        }
    }
}

impl From<CallError> for Problem {
    fn from(error: CallError) -> Self {
        let detail = error.to_string();
        match error {
            CallError::Unknown(_) => Self::not_found(detail),
            CallError::Event(_) => Self::invalid(detail, Vec::new()),
            CallError::Answer(_) | CallError::Handler(_) | CallError::Panicked => {
                Self::new(StatusCode::BAD_GATEWAY, "function_failed", detail)
            }
        }
    }
}

#[cfg(test)]
mod tests;
