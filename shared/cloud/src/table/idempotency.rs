//! Answers to requests with an `Idempotency-Key`: the same key with the same body gets the same answer again.
//!
//! A request that makes something takes its key first, so that two that come at once don't both make it; it lets go of the
//! key when it made nothing.

use barometer_domain::WorkspaceId;
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{StoreError, Table, item, or_done};
use crate::bus::hex;

/// How long an answer is kept.
pub const KEPT: TimeDelta = TimeDelta::hours(24);

/// How long a key is held for a request that is at work: longer than any function runs.
const HELD: TimeDelta = TimeDelta::minutes(1);

/// The status of a request that is at work.
const PENDING: u16 = 0;

/// A stored answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remembered {
    /// SHA-256 of method, path and body.
    pub request: String,
    /// HTTP status of the answer.
    pub status: u16,
    /// JSON text of the answer.
    pub body: String,
    /// When it is forgotten.
    #[serde(with = "chrono::serde::ts_seconds")]
    pub expires_at: DateTime<Utc>,
}

impl Remembered {
    /// Whether the request is at work still.
    pub fn is_pending(&self) -> bool {
        self.status == PENDING
    }
}

/// The fingerprint of a request.
pub fn fingerprint(method: &str, path: &str, body: &[u8]) -> String {
    fingerprint_of(&[method.as_bytes(), path.as_bytes(), body])
}

/// The fingerprint of a request by everything that tells it from others.
pub fn fingerprint_of(parts: &[&[u8]]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hex(hash.finalize().iter())
}

fn pk(workspace: &WorkspaceId, key: &str) -> String {
    format!("{workspace}#idempotency#{}", hex(Sha256::digest(key.as_bytes()).iter().take(16)))
}

impl Table {
    /// The answer given to a key, unless it is forgotten at `now`.
    pub async fn remembered(
        &self,
        workspace: &WorkspaceId,
        key: &str,
        now: DateTime<Utc>,
    ) -> Result<Option<Remembered>, StoreError> {
        let found: Option<Remembered> = self.get(pk(workspace, key), "answer".to_owned()).await?;
        Ok(found.filter(|found| now < found.expires_at))
    }

    /// Takes a key for a request that begins. Returns the one that has the key already, at work or answered.
    pub async fn take_key(
        &self,
        workspace: &WorkspaceId,
        key: &str,
        request: &str,
        now: DateTime<Utc>,
    ) -> Result<Option<Remembered>, StoreError> {
        let expires_at = now + HELD;
        let held =
            Remembered { request: request.to_owned(), status: PENDING, body: String::new(), expires_at };
        match self.put_answer(workspace, key, &held, now).await {
            Ok(()) => Ok(None),
            // Who let go of it in between lets this one come again.
            Err(StoreError::Conflict) => {
                Ok(Some(self.remembered(workspace, key, now).await?.unwrap_or(held)))
            }
            Err(error) => Err(error),
        }
    }

    /// Keeps the answer of the request that has taken a key.
    pub async fn answer_key(
        &self,
        workspace: &WorkspaceId,
        key: &str,
        answer: &Remembered,
    ) -> Result<(), StoreError> {
        self.put(item::write(pk(workspace, key), "answer".to_owned(), answer)?, false).await
    }

    /// Lets go of a key that was taken and came to nothing.
    pub async fn release_key(&self, workspace: &WorkspaceId, key: &str) -> Result<(), StoreError> {
        self.delete(pk(workspace, key), "answer".to_owned()).await
    }

    /// Keeps the answer to a key; the first one stays until it is forgotten, whether the table's TTL has removed
    /// it by then or not.
    pub async fn remember(
        &self,
        workspace: &WorkspaceId,
        key: &str,
        answer: &Remembered,
    ) -> Result<(), StoreError> {
        or_done(self.put_answer(workspace, key, answer, answer.expires_at - KEPT).await)
    }

    async fn put_answer(
        &self,
        workspace: &WorkspaceId,
        key: &str,
        answer: &Remembered,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let put = item::write(pk(workspace, key), "answer".to_owned(), answer)?;
        self.client
            .put_item()
            .table_name(&self.name)
            .set_item(Some(put))
            .condition_expression("attribute_not_exists(pk) OR expires_at <= :now")
            .expression_attribute_values(":now", item::expiry(now))
            .send()
            .await?;
        Ok(())
    }
}
