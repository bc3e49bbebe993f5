//! API tokens of a workspace. The secret of a token is shown once, when it is made.

pub mod create;
pub mod list;
pub mod revoke;

use barometer_cloud::table::credentials::{ApiToken, Credential, Scope};
use chrono::{DateTime, Utc};
use serde::Serialize;

/// A token without its secret.
#[derive(Serialize, schemars::JsonSchema)]
pub struct TokenView {
    id: String,
    label: String,
    scope: Scope,
    created_at: DateTime<Utc>,
    expires_at: Option<DateTime<Utc>>,
    /// To the hour; null before the first time.
    last_used: Option<DateTime<Utc>>,
}

impl From<ApiToken> for TokenView {
    fn from(ApiToken { credential, last_used_at }: ApiToken) -> Self {
        Self {
            id: credential.id,
            label: credential.label,
            scope: credential.scope.unwrap_or(Scope::Read),
            created_at: credential.created_at,
            expires_at: credential.expires_at,
            last_used: last_used_at,
        }
    }
}

/// What the audit says of a token.
fn token_settings(token: &Credential) -> impl Serialize {
    serde_json::json!({ "label": token.label, "scope": token.scope, "expires_at": token.expires_at })
}
