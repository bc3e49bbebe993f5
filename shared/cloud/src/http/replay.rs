//! Requests that come again under their `Idempotency-Key`.

use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};

use super::Problem;
use crate::table::idempotency::Remembered;

/// Longest key, in bytes.
const LONGEST: usize = 255;

/// The header with the key.
pub const KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// The key of a request, if it has one. Errors: 400 for one that can't be used.
pub fn key(headers: &HeaderMap) -> Result<Option<&str>, Problem> {
    let Some(value) = headers.get(KEY) else { return Ok(None) };
    let key = value.to_str().unwrap_or_default().trim();
    if key.is_empty() || key.len() > LONGEST {
        let detail = format!("Idempotency-Key is a text of 1 to {LONGEST} ASCII characters");
        return Err(Problem::bad_request(detail));
    }
    Ok(Some(key))
}

/// The answer again that a request got, told by its fingerprint. Errors: 422 when the key was used for another request,
/// 409 while the first one is at work.
pub fn again(before: Remembered, request: &str) -> Result<Response, Problem> {
    if before.request != request {
        return Err(Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "idempotency_key_reused",
            "this Idempotency-Key was used for another request",
        ));
    }
    if before.is_pending() {
        return Err(Problem::new(
            StatusCode::CONFLICT,
            "idempotency_key_in_use",
            "the first request with this Idempotency-Key is at work; come back for its answer",
        )
        .retry_after(2));
    }
    let status = StatusCode::from_u16(before.status).unwrap_or(StatusCode::OK);
    let kind = if status.is_success() { "application/json" } else { "application/problem+json" };
    let mut response = (status, before.body).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert("idempotency-replayed", HeaderValue::from_static("true"));
    Ok(response)
}
