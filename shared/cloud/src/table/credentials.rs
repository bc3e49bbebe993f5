//! Credentials: write keys, API tokens, sessions and sign-in codes, found by the SHA-256 of their text, which is
//! not stored, save for write keys: see [`sources`](super::sources).

use aws_sdk_dynamodb::types::{Delete, TransactWriteItem};
use barometer_domain::WorkspaceId;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Range, StoreError, Table, item};
use crate::bus::hex;

/// What a credential is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Posts events and nothing else; may sit in a browser.
    WriteKey,
    /// Calls the CSM's API.
    ApiToken,
    /// A signed-in browser.
    Session,
    /// A link that signs in once.
    SignIn,
}

impl Kind {
    fn as_str(self) -> &'static str {
        match self {
            Self::WriteKey => "write_key",
            Self::ApiToken => "api_token",
            Self::Session => "session",
            Self::SignIn => "sign_in",
        }
    }
}

/// What a credential may do in the CSM's API. Each includes the ones before it.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Read everything.
    Read,
    /// Change companies, statuses and tasks.
    Write,
    /// Change settings, tokens and members.
    Admin,
}

/// A credential as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credential {
    /// Its id, which isn't secret.
    pub id: String,
    /// The workspace: where every request's workspace comes from.
    pub workspace_id: WorkspaceId,
    /// What it is for.
    pub kind: Kind,
    /// What it may do; nothing for a write key.
    #[serde(default)]
    pub scope: Option<Scope>,
    /// A name for people.
    pub label: String,
    /// Who acts when it is used.
    pub author: String,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it ends; also the table's TTL.
    #[serde(default, with = "chrono::serde::ts_seconds_option")]
    pub expires_at: Option<DateTime<Utc>>,
}

/// A credential in the list of its workspace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Listed {
    #[serde(flatten)]
    credential: Credential,
    hash: String,
    /// The text of a write key, which sits in browsers and may be read again; of nothing else.
    #[serde(default)]
    key: Option<String>,
}

/// The key under which a credential's text is found.
pub fn hash(secret: &str) -> String {
    hex(Sha256::digest(secret.as_bytes()).iter())
}

pub(super) fn pk(hash: &str) -> String {
    format!("credential#{hash}")
}

pub(super) fn list(workspace: &WorkspaceId) -> String {
    format!("{workspace}#credentials")
}

pub(super) const SK: &str = "credential";

impl Table {
    /// The credential with this text, unless it has ended at `now`.
    pub async fn credential(
        &self,
        secret: &str,
        now: DateTime<Utc>,
    ) -> Result<Option<Credential>, StoreError> {
        let found: Option<Credential> = self.get(pk(&hash(secret)), SK.to_owned()).await?;
        Ok(found.filter(|credential| credential.expires_at.is_none_or(|end| now < end)))
    }

    /// Stores a credential and lists it with its workspace. Errors: [`StoreError::Conflict`] when the text is
    /// taken.
    pub async fn add_credential(&self, secret: &str, credential: &Credential) -> Result<(), StoreError> {
        self.transact(self.credential_writes(secret, credential)?).await
    }

    pub(crate) fn credential_writes(
        &self,
        secret: &str,
        credential: &Credential,
    ) -> Result<Vec<TransactWriteItem>, StoreError> {
        let hash = hash(secret);
        let stored = item::write(pk(&hash), SK.to_owned(), credential)?;
        let sk = format!("{}#{}", credential.kind.as_str(), credential.id);
        let key = (credential.kind == Kind::WriteKey).then(|| secret.to_owned());
        let listed = Listed { credential: credential.clone(), hash, key };
        let listed = item::write(list(&credential.workspace_id), sk, &listed)?;
        Ok(vec![self.transact_put(stored, true)?, self.transact_put(listed, false)?])
    }

    /// Credentials of a workspace of one kind.
    pub async fn credentials(
        &self,
        workspace: &WorkspaceId,
        kind: Kind,
    ) -> Result<Vec<Credential>, StoreError> {
        let listed: Vec<Listed> =
            self.query_as(list(workspace), Range::Prefix(format!("{}#", kind.as_str()))).await?;
        Ok(listed.into_iter().map(|listed| listed.credential).collect())
    }

    /// Ends a credential by its id. Returns whether there was one.
    pub async fn revoke(&self, workspace: &WorkspaceId, kind: Kind, id: &str) -> Result<bool, StoreError> {
        let sk = format!("{}#{id}", kind.as_str());
        let Some(listed) = self.get::<Listed>(list(workspace), sk.clone()).await? else {
            return Ok(false);
        };
        self.transact(vec![
            self.transact_delete(pk(&listed.hash), SK.to_owned(), None)?,
            self.transact_delete(list(workspace), sk, None)?,
        ])
        .await?;
        Ok(true)
    }

    /// Uses up a credential that works once. Returns it, or nothing when it was used before or has ended.
    pub async fn consume(&self, secret: &str, now: DateTime<Utc>) -> Result<Option<Credential>, StoreError> {
        let Some(credential) = self.credential(secret, now).await? else { return Ok(None) };
        let sk = format!("{}#{}", credential.kind.as_str(), credential.id);
        let used = self
            .transact(vec![
                self.transact_delete(pk(&hash(secret)), SK.to_owned(), Some("attribute_exists(pk)"))?,
                self.transact_delete(list(&credential.workspace_id), sk, None)?,
            ])
            .await;
        match used {
            Ok(()) => Ok(Some(credential)),
            Err(StoreError::Conflict) => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub(super) fn transact_delete(
        &self,
        pk: String,
        sk: String,
        condition: Option<&str>,
    ) -> Result<TransactWriteItem, StoreError> {
        let delete = Delete::builder()
            .table_name(&self.name)
            .set_key(Some(item::key(pk, sk)))
            .set_condition_expression(condition.map(str::to_owned))
            .build()?;
        Ok(TransactWriteItem::builder().delete(delete).build())
    }
}
