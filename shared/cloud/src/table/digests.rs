//! That a CSM's digest of a day was sent: written before the call, so that nobody gets it twice.

use barometer_domain::{SendId, WorkspaceId};
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{StoreError, Table, item};
use crate::bus::hex;

/// How long it is kept.
const KEPT: TimeDelta = TimeDelta::days(30);

/// How far a digest got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DigestState {
    /// The call is about to be made, or was made and its end isn't recorded: never sent again.
    Submitting,
    /// SES took it.
    Accepted,
    /// It can't be known whether SES took it.
    Unknown,
    /// SES will never take it.
    Failed,
}

/// A digest that was sent or is being sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sent {
    /// Its id.
    pub send_id: SendId,
    /// The local day it is of.
    pub day: NaiveDate,
    /// How far it got.
    pub state: DigestState,
    /// When.
    pub at: DateTime<Utc>,
}

/// Sort key of the mark that all digests of a day have been dealt with.
fn all(day: NaiveDate) -> String {
    format!("{day}#all")
}

fn partition(workspace: &WorkspaceId) -> String {
    format!("{workspace}#digests")
}

fn key(workspace: &WorkspaceId, owner: &str, day: NaiveDate) -> (String, String) {
    let owner = hex(Sha256::digest(owner.as_bytes()).iter().take(12));
    (partition(workspace), format!("{day}#{owner}"))
}

impl Table {
    /// Records that a digest is about to be sent. Returns whether it is this worker's to send.
    pub async fn begin_digest(
        &self,
        workspace: &WorkspaceId,
        owner: &str,
        sent: &Sent,
    ) -> Result<bool, StoreError> {
        match self.put_digest(workspace, owner, sent, true).await {
            Ok(()) => Ok(true),
            Err(StoreError::Conflict) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Records how it ended.
    pub async fn end_digest(
        &self,
        workspace: &WorkspaceId,
        owner: &str,
        sent: &Sent,
    ) -> Result<(), StoreError> {
        self.put_digest(workspace, owner, sent, false).await
    }

    /// Forgets a digest that SES didn't take for now: it is to be sent again.
    pub async fn forget_digest(
        &self,
        workspace: &WorkspaceId,
        owner: &str,
        day: NaiveDate,
    ) -> Result<(), StoreError> {
        let (pk, sk) = key(workspace, owner, day);
        self.delete(pk, sk).await
    }

    /// Whether all digests of a day have been dealt with.
    pub async fn digests_are_done(
        &self,
        workspace: &WorkspaceId,
        day: NaiveDate,
    ) -> Result<bool, StoreError> {
        let mark: Option<serde_json::Value> = self.get(partition(workspace), all(day)).await?;
        Ok(mark.is_some())
    }

    /// Records that all digests of a day have been dealt with: nothing needs to be read for them again.
    pub async fn note_digests_done(
        &self,
        workspace: &WorkspaceId,
        day: NaiveDate,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let mut mark = item::key(partition(workspace), all(day));
        mark.insert("expires_at".to_owned(), item::expiry(at + KEPT));
        self.put(mark, false).await
    }

    async fn put_digest(
        &self,
        workspace: &WorkspaceId,
        owner: &str,
        sent: &Sent,
        new: bool,
    ) -> Result<(), StoreError> {
        let (pk, sk) = key(workspace, owner, sent.day);
        let mut put = item::write(pk, sk, sent)?;
        put.insert("expires_at".to_owned(), item::expiry(sent.at + KEPT));
        self.put(put, new).await
    }
}
