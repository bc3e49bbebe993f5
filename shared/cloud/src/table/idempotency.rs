//! Answers to requests with an `Idempotency-Key`: the same key with the same body gets the same answer again.

use barometer_domain::WorkspaceId;
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{StoreError, Table, item, or_done};
use crate::bus::hex;

/// How long an answer is kept.
pub const KEPT: TimeDelta = TimeDelta::hours(24);

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

/// The fingerprint of a request.
pub fn fingerprint(method: &str, path: &str, body: &[u8]) -> String {
    let mut hash = Sha256::new();
    for part in [method.as_bytes(), path.as_bytes(), body] {
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

    /// Keeps the answer to a key; the first one stays until it is forgotten, whether the table's TTL has removed
    /// it by then or not.
    pub async fn remember(
        &self,
        workspace: &WorkspaceId,
        key: &str,
        answer: &Remembered,
    ) -> Result<(), StoreError> {
        let put = item::write(pk(workspace, key), "answer".to_owned(), answer)?;
        let kept = self
            .client
            .put_item()
            .table_name(&self.name)
            .set_item(Some(put))
            .condition_expression("attribute_not_exists(pk) OR expires_at <= :given")
            .expression_attribute_values(":given", item::expiry(answer.expires_at - KEPT))
            .send()
            .await;
        or_done(kept)
    }
}
