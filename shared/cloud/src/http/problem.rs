//! Errors as `application/problem+json` (RFC 9457), the external message apart from the internal cause.

use std::fmt::Display;

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;

use crate::{StoreError, bus::BusError};

/// One field that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct FieldError {
    /// JSON pointer into the request's body, or the parameter's name.
    pub pointer: String,
    /// What is wrong, for people.
    pub detail: String,
}

/// A problem document. `code`, `message` and `error` repeat `type` and `detail` for clients that look for them
/// and would otherwise retry a request that can't succeed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Problem {
    #[serde(rename = "type")]
    kind: String,
    title: &'static str,
    status: u16,
    detail: String,
    code: &'static str,
    message: String,
    error: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldError>,
    #[serde(skip)]
    retry_after: Option<u32>,
    #[serde(skip)]
    tag: Option<String>,
}

impl Problem {
    /// A problem with a short code such as `not_found` and a sentence for people.
    pub fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        Self {
            kind: format!("urn:barometer:problem:{code}"),
            title: status.canonical_reason().unwrap_or("Error"),
            status: status.as_u16(),
            message: detail.clone(),
            detail,
            code,
            error: code,
            errors: Vec::new(),
            retry_after: None,
            tag: None,
        }
    }

    /// 400: the request can't be read.
    pub fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad_request", detail)
    }

    /// 401: no credential, or one that isn't valid.
    pub fn unauthorized(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", detail)
    }

    /// 403: a valid credential that may not do this.
    pub fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", detail)
    }

    /// 404: nothing there, or nothing that this credential may see.
    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", detail)
    }

    /// 409: what is asked for doesn't fit what is there.
    pub fn conflict(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, "conflict", detail)
    }

    /// 412: somebody else was faster. `version` is what is there now; the answer has it as `ETag`, too.
    pub fn precondition_failed(version: impl Display) -> Self {
        let detail = format!("somebody else changed it; its version is now {version}");
        let problem = Self::new(StatusCode::PRECONDITION_FAILED, "precondition_failed", detail);
        Self { tag: Some(format!("\"{version}\"")), ..problem }
    }

    /// 422: the request can be read, and says something that can't be.
    pub fn invalid(detail: impl Into<String>, errors: Vec<FieldError>) -> Self {
        Self { errors, ..Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", detail) }
    }

    /// Names the fields or parameters that are wrong.
    pub fn with_errors(self, errors: Vec<FieldError>) -> Self {
        Self { errors, ..self }
    }

    /// 503: the store or the bus can't be reached; asks to come back.
    pub fn unavailable() -> Self {
        let detail = "the store can't be reached at the moment; nothing was lost, try again";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", detail).retry_after(2)
    }

    /// 500: our fault, told in the log and not to the client.
    pub fn internal() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "something went wrong on our side")
    }

    /// Asks to come back after a number of seconds.
    pub fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// The HTTP status.
    pub fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = serde_json::to_vec(&self).unwrap_or_default();
        let mut response = (self.status(), body).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if let Some(tag) = self.tag.and_then(|tag| HeaderValue::try_from(tag).ok()) {
            headers.insert(header::ETAG, tag);
        }
        response
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Conflict => Self::new(
                StatusCode::CONFLICT,
                "conflict",
                "somebody else changed this at the same time; try again",
            ),
            StoreError::Throttled(_) | StoreError::Unavailable(_) => {
                tracing::warn!(error = %crate::lambda::Chain(&error), "store unavailable");
                Self::unavailable()
            }
            StoreError::Refused(_)
            | StoreError::TooLarge(_)
            | StoreError::Corrupt(_)
            | StoreError::Pack(_) => {
                tracing::error!(error = %crate::lambda::Chain(&error), "store failed");
                Self::internal()
            }
        }
    }
}

impl From<BusError> for Problem {
    fn from(error: BusError) -> Self {
        tracing::error!(error = %crate::lambda::Chain(&error), "bus failed");
        Self::unavailable()
    }
}
