//! Requests that come again under their `Idempotency-Key`.

use axum::response::Response;
use barometer_cloud::{
    StoreError,
    http::{Problem, replay},
    table::idempotency::{self, Remembered},
};
use barometer_domain::WorkspaceId;
use chrono::{DateTime, Utc};
use http::HeaderMap;
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
    /// A request told by its fingerprint, with its `Idempotency-Key` if it has one. Errors: 400 for a key that can't be
    /// used.
    pub fn new(
        deps: &'a Deps,
        workspace: &'a WorkspaceId,
        headers: &'a HeaderMap,
        request: String,
        now: DateTime<Utc>,
    ) -> Result<Self, Problem> {
        Ok(Self { deps, workspace, key: replay::key(headers)?, request, now })
    }

    /// The answer that it got before, if it came before. Errors: 422 when the key was another request's.
    pub async fn answered(&self) -> Result<Option<Response>, Problem> {
        let Some(key) = self.key else { return Ok(None) };
        let Some(before) = self.deps.table.remembered(self.workspace, key, self.now).await? else {
            return Ok(None);
        };
        replay::again(before, &self.request).map(Some)
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
