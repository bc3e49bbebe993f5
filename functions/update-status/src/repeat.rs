//! Requests that come again under their `Idempotency-Key`.

use axum::response::{IntoResponse, Response};
use barometer_cloud::{
    StoreError,
    http::{Problem, replay},
    table::idempotency::{self, Remembered},
};
use barometer_domain::WorkspaceId;
use chrono::{DateTime, Utc};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::Serialize;

use crate::Deps;

/// A request that may come again.
pub struct Repeatable<'a> {
    deps: &'a Deps,
    workspace: &'a WorkspaceId,
    key: Option<&'a str>,
    request: String,
    now: DateTime<Utc>,
}

impl<'a> Repeatable<'a> {
    /// A request told by its fingerprint, with its `Idempotency-Key` if it has one.
    pub fn new(
        deps: &'a Deps,
        workspace: &'a WorkspaceId,
        headers: &'a HeaderMap,
        request: String,
        now: DateTime<Utc>,
    ) -> Self {
        let key = headers.get("idempotency-key").and_then(|key| key.to_str().ok());
        Self { deps, workspace, key, request, now }
    }

    /// The answer that it got before, if it came before. Errors: 422 when the key was another request's.
    pub async fn answered(&self) -> Result<Option<Response>, Problem> {
        let Some(key) = self.key else { return Ok(None) };
        let Some(before) = self.deps.table.remembered(self.workspace, key, self.now).await? else {
            return Ok(None);
        };
        replay::check(&before, &self.request)?;
        let status = StatusCode::from_u16(before.status).unwrap_or(StatusCode::OK);
        let mut response = (status, before.body).into_response();
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        response.headers_mut().insert("idempotency-replayed", HeaderValue::from_static("true"));
        Ok(Some(response))
    }

    /// Keeps the answer for when it comes again.
    pub async fn remember(self, answer: &impl Serialize) -> Result<(), Problem> {
        let Some(key) = self.key else { return Ok(()) };
        let body = serde_json::to_string(answer).map_err(StoreError::from)?;
        let expires_at = self.now + idempotency::KEPT;
        let answer = Remembered { request: self.request, status: 200, body, expires_at };
        Ok(self.deps.table.remember(self.workspace, key, &answer).await?)
    }
}
