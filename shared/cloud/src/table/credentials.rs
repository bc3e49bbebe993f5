//! Credentials: write keys and API tokens, found by the SHA-256 of their text, which is not stored, save for write
//! keys: see [`sources`](super::sources). People sign in otherwise: see [`sessions`](super::sessions).

use aws_sdk_dynamodb::types::{Delete, TransactWriteItem, Update};
use barometer_domain::WorkspaceId;
use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Range, StoreError, Table, item, or_done};
use crate::bus::hex;

/// What a credential is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Posts events and nothing else; may sit in a browser.
    WriteKey,
    /// Calls the CSM's API.
    ApiToken,
}

impl Kind {
    fn as_str(self) -> &'static str {
        match self {
            Self::WriteKey => "write_key",
            Self::ApiToken => "api_token",
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

/// How long after an API token's last noted use another one is noted.
pub const NOTED_EVERY: TimeDelta = TimeDelta::hours(1);

/// An API token as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiToken {
    /// The credential.
    #[serde(flatten)]
    pub credential: Credential,
    /// When it was used last, noted once in [`NOTED_EVERY`] at most; nothing before the first time.
    #[serde(default)]
    pub last_used_at: Option<DateTime<Utc>>,
}

impl ApiToken {
    /// Whether another use is to be noted.
    pub fn is_to_be_noted(&self, now: DateTime<Utc>) -> bool {
        self.last_used_at.is_none_or(|last| now - last >= NOTED_EVERY)
    }

    fn live(self, now: DateTime<Utc>) -> Option<Self> {
        let works = self.credential.kind == Kind::ApiToken;
        (works && self.credential.expires_at.is_none_or(|end| now < end)).then_some(self)
    }
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

    /// The API token with this text, unless it has ended at `now`.
    pub async fn api_token(&self, secret: &str, now: DateTime<Utc>) -> Result<Option<ApiToken>, StoreError> {
        let found: Option<ApiToken> = self.get(pk(&hash(secret)), SK.to_owned()).await?;
        Ok(found.and_then(|token| token.live(now)))
    }

    /// An API token by its id, unless it has ended at `now`.
    pub async fn api_token_of(
        &self,
        workspace: &WorkspaceId,
        id: &str,
        now: DateTime<Utc>,
    ) -> Result<Option<ApiToken>, StoreError> {
        let sk = format!("{}#{id}", Kind::ApiToken.as_str());
        Ok(self.get::<ApiToken>(list(workspace), sk).await?.and_then(|token| token.live(now)))
    }

    /// The API tokens of a workspace, ended ones too.
    pub async fn api_tokens(&self, workspace: &WorkspaceId) -> Result<Vec<ApiToken>, StoreError> {
        let prefix = format!("{}#", Kind::ApiToken.as_str());
        self.query_as(list(workspace), Range::Prefix(prefix)).await
    }

    /// Notes that an API token is used. One that was revoked meanwhile stays so.
    pub async fn note_token_use(
        &self,
        secret: &str,
        credential: &Credential,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let sk = format!("{}#{}", Kind::ApiToken.as_str(), credential.id);
        let places = [(pk(&hash(secret)), SK.to_owned()), (list(&credential.workspace_id), sk)];
        let mut writes = Vec::new();
        for (pk, sk) in places {
            let update = Update::builder()
                .table_name(&self.name)
                .set_key(Some(item::key(pk, sk)))
                .update_expression("SET last_used_at = :now")
                .condition_expression("attribute_exists(pk)")
                .expression_attribute_values(":now", item::value(&now.trunc_subsecs(0))?)
                .build()?;
            writes.push(TransactWriteItem::builder().update(update).build());
        }
        or_done(self.transact(writes).await)
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
