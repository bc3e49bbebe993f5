//! Requests that make something, and come again under their `Idempotency-Key` when their answer was lost.
//!
//! A key is taken before the request begins and kept with its answer for 24 hours; a request that fails lets go of it. A
//! secret that an answer shows once isn't kept: the repeat makes nothing, and says what to do.

use axum::{
    body::{Body, Bytes},
    extract::{MatchedPath, Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use barometer_cloud::{
    StoreError,
    http::{
        Problem,
        auth::{self, Caller},
        json::MAX_BODY,
        replay,
    },
    lambda::Chain,
    table::{
        credentials::Scope,
        idempotency::{self, Remembered},
    },
};
use http::{Method, StatusCode};
use serde_json::Value;

use crate::Deps;

/// What is kept of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kept {
    /// All of it.
    Whole,
    /// That it was given, and the id in it: the rest is a secret.
    Id,
}

/// The POSTs that make or change something, by their path.
const REPEATABLE: [(&str, Kept); 7] = [
    ("/v1/api-tokens", Kept::Id),
    ("/v1/feedback/{id}/void", Kept::Whole),
    ("/v1/members", Kept::Whole),
    // A write key may be read again at its source at any time.
    ("/v1/sources", Kept::Whole),
    ("/v1/sources/{id}/rotate", Kept::Whole),
    ("/v1/webhooks", Kept::Id),
    ("/v1/webhooks/{id}/rotate", Kept::Id),
];

/// Answers a repeat as the first time was answered; lets others through. Errors: 400 for a key that can't be used, 422 for
/// one that was another request's, 409 while the first request is at work.
pub async fn repeat(State(deps): State<Deps>, request: Request, next: Next) -> Response {
    match kept(&request) {
        Some(kept) => attempt(&deps, request, next, kept).await.unwrap_or_else(IntoResponse::into_response),
        None => next.run(request).await,
    }
}

fn kept(request: &Request) -> Option<Kept> {
    if request.method() != Method::POST || !request.headers().contains_key(replay::KEY) {
        return None;
    }
    let path = request.extensions().get::<MatchedPath>()?.as_str();
    REPEATABLE.iter().find(|(of, _)| *of == path).map(|(_, kept)| *kept)
}

async fn attempt(deps: &Deps, request: Request, next: Next, kept: Kept) -> Result<Response, Problem> {
    let (head, body) = request.into_parts();
    let Some(key) = replay::key(&head.headers)?.map(str::to_owned) else { return Err(Problem::internal()) };
    let now = deps.clock.now();
    // What the request needs is for its handler to say; a repeat is answered to the same caller with the same rights only.
    let caller = auth::caller(&deps.table, &head.method, &head.headers, Scope::Read, now).await?;
    let body = read(body).await?;
    let fingerprint = fingerprint(&caller, head.uri.path(), &body);
    let workspace = &caller.workspace;
    if let Some(before) = deps.table.take_key(workspace, &key, &fingerprint, now).await? {
        return replay::again(before, &fingerprint);
    }
    let response = next.run(Request::from_parts(head, Body::from(body))).await;
    if !response.status().is_success() {
        if let Err(error) = deps.table.release_key(workspace, &key).await {
            tracing::warn!(error = %Chain(&error), "an idempotency key is held for a minute");
        }
        return Ok(response);
    }
    let (head, body) = response.into_parts();
    let body = read(body).await?;
    let (status, text) = match kept {
        Kept::Whole => (head.status, String::from_utf8_lossy(&body).into_owned()),
        Kept::Id => (StatusCode::CONFLICT, not_kept(&body)?),
    };
    let expires_at = now + idempotency::KEPT;
    let answer = Remembered { request: fingerprint, status: status.as_u16(), body: text, expires_at };
    // It is made, whether that can be remembered or not.
    if let Err(error) = deps.table.answer_key(workspace, &key, &answer).await {
        tracing::warn!(error = %Chain(&error), "an answer isn't kept for its repeat");
    }
    Ok(Response::from_parts(head, Body::from(body)))
}

fn fingerprint(caller: &Caller, path: &str, body: &[u8]) -> String {
    let scope = format!("{:?}", caller.scope);
    idempotency::fingerprint_of(&[b"POST", path.as_bytes(), body, caller.author.as_bytes(), scope.as_bytes()])
}

async fn read(body: Body) -> Result<Bytes, Problem> {
    axum::body::to_bytes(body, MAX_BODY)
        .await
        .map_err(|_| Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", "the body is larger than 1 MB"))
}

/// What a repeat is told where the answer had a secret.
fn not_kept(answer: &[u8]) -> Result<String, Problem> {
    let answer: Value = serde_json::from_slice(answer).map_err(StoreError::from)?;
    let id = answer.get("id").and_then(Value::as_str).unwrap_or_default();
    let detail = format!(
        "this was done before, at {id}; its secret was in the answer then and isn't kept: if it is lost, ask for another one \
         under another Idempotency-Key, and end this one"
    );
    Ok(serde_json::to_string(&Problem::new(StatusCode::CONFLICT, "secret_not_kept", detail))
        .map_err(StoreError::from)?)
}
