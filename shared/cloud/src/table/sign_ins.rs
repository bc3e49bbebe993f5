//! Links that sign somebody in: found by the SHA-256 of their code, good once and for [`GOOD_FOR`].
//!
//! A link that was asked for at the page works only in the browser that asked: it got a random text as a cookie, whose
//! hash is kept here. So a link that was forwarded, or mailed to somebody because somebody else asked for it, signs
//! nobody in. [`Table::add_session`] uses a link up.

use barometer_domain::{WorkspaceId, email::EmailAddress};
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::{StoreError, Table, credentials::hash, item};

/// How long a link can be used.
pub const GOOD_FOR: TimeDelta = TimeDelta::minutes(15);

pub(super) const SK: &str = "sign-in";

/// A link, without its code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignIn {
    /// Whom it signs in.
    pub email: EmailAddress,
    /// Where to; any workspace of theirs when absent.
    #[serde(default)]
    pub workspace_id: Option<WorkspaceId>,
    /// The hash of the text that the browser which asked has; any browser when absent.
    #[serde(default)]
    pub browser: Option<String>,
    /// When it ends; also the table's TTL.
    #[serde(with = "chrono::serde::ts_seconds")]
    pub expires_at: DateTime<Utc>,
}

impl SignIn {
    /// Whether it works in a browser that has this text, or none.
    pub fn is_for(&self, browser: Option<&str>) -> bool {
        self.browser.as_ref().is_none_or(|wanted| browser.is_some_and(|text| hash(text) == *wanted))
    }
}

pub(super) fn pk(code: &str) -> String {
    format!("sign-in#{}", hash(code))
}

impl Table {
    /// Stores a link under its code. Errors: [`StoreError::Conflict`] when the code is taken.
    pub async fn add_sign_in(&self, code: &str, sign_in: &SignIn) -> Result<(), StoreError> {
        self.put(item::write(pk(code), SK.to_owned(), sign_in)?, true).await
    }

    /// The link with this code, unless it was used or has ended at `now`.
    pub async fn sign_in(&self, code: &str, now: DateTime<Utc>) -> Result<Option<SignIn>, StoreError> {
        let found: Option<SignIn> = self.get(pk(code), SK.to_owned()).await?;
        Ok(found.filter(|found| now < found.expires_at))
    }
}
