//! What clients are told. Rule: ingestion, answers.
//!
//! Every success is exactly 200 with a JSON object that has `"success": true` and no `error`; several official
//! clients send again, one of them forever, after any other success. Errors carry RFC 9457's members and
//! also `code`, `message` and `error`, without which several clients retry a 4xx.

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use http::{
    HeaderMap, HeaderValue, StatusCode,
    header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER},
};
use serde::Serialize;
use serde_json::{Value, json};

use crate::{cors, fault::Remark, read::Reading, refusal::Refusal};

/// What became of a request's events.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Receipt {
    /// Always true.
    success: bool,
    #[serde(skip)]
    strict: bool,
    /// Events that are stored; one that was stored before counts again.
    pub accepted: usize,
    /// Events that are not.
    pub rejected: usize,
    /// Accepted events whose company isn't known yet.
    pub unattributed: usize,
    /// The rejected events by index.
    pub errors: Vec<Remark>,
    /// What was odd about accepted ones.
    pub warnings: Vec<Remark>,
}

impl Receipt {
    /// The receipt of a reading all of whose valid events were stored; `unattributed` of them have no company.
    pub fn new(reading: Reading, unattributed: usize) -> Self {
        Self {
            success: true,
            strict: reading.strict,
            accepted: reading.events.len(),
            rejected: reading.rejected,
            unattributed,
            errors: reading.errors,
            warnings: reading.warnings,
        }
    }
}

impl IntoResponse for Receipt {
    fn into_response(self) -> Response {
        if self.strict && self.accepted == 0 && self.rejected > 0 {
            return Refusal::NothingValid { rejected: self.rejected, errors: self.errors }.into_response();
        }
        json_answer(StatusCode::OK, "application/json", &self)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = self.status();
        let detail = self.to_string();
        let mut problem = json!({
            "type": "about:blank",
            "title": status.canonical_reason().unwrap_or("Error"),
            "status": status.as_u16(),
            "detail": detail,
            "success": false,
            "code": self.code(),
            "message": detail,
            "error": self.code(),
        });
        if let (Self::NothingValid { rejected, errors }, Some(problem)) = (&self, problem.as_object_mut()) {
            problem.insert("accepted".to_owned(), json!(0));
            problem.insert("rejected".to_owned(), json!(rejected));
            problem.insert("errors".to_owned(), json!(errors));
        }
        let mut answer = json_answer(status, "application/problem+json", &problem);
        if let Some(seconds) = self.retry_after() {
            answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        if let Self::Method { allow } = self {
            answer.headers_mut().insert(ALLOW, HeaderValue::from_static(allow));
        }
        // For the source's numbers, which want to know why; nothing that is sent.
        answer.extensions_mut().insert(self);
        answer
    }
}

/// A success that has nothing to report: a preflight, health, what is dropped.
pub fn done() -> Response {
    json_answer(StatusCode::OK, "application/json", &json!({ "success": true }))
}

/// The empty object that PostHog's clients take for "no feature flags".
pub fn nothing() -> Response {
    json_answer(StatusCode::OK, "application/json", &json!({}))
}

/// A document for a browser client. The same for everybody who asks at this host, so a short while in caches is fine.
pub fn document(document: &Value) -> Response {
    let mut answer = json_answer(StatusCode::OK, "application/json", document);
    answer.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("private, max-age=300"));
    answer
}

/// Adds what browsers need. `request` holds the request's headers.
pub fn finish(request: &HeaderMap, mut answer: Response) -> Response {
    cors::allow(request, answer.headers_mut());
    answer
}

fn json_answer(status: StatusCode, content_type: &'static str, body: &impl Serialize) -> Response {
    // Serialising these types can't fail: no maps with other than text keys, no failing writers.
    let body = serde_json::to_vec(body).unwrap_or_default();
    let mut answer = Response::new(Body::from(body));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    answer
}
