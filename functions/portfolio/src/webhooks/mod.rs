//! Webhooks of a workspace: the endpoints to which events and notes are sent. For admins only, reading too: a URL can be
//! a secret.

pub mod create;
pub mod get;
mod input;
pub mod list;
pub mod patch;
pub mod remove;
pub mod rotate;
pub mod test;

use axum::extract::{FromRequestParts, Path};
use barometer_cloud::{
    http::Problem,
    table::webhooks::{DisabledBy, Kind, LastCall, Webhook},
};
use barometer_webhook::{Destination, Reach};
use chrono::{DateTime, Utc};
use http::request::Parts;
use serde::Serialize;

/// An endpoint without its secrets.
#[derive(Serialize, schemars::JsonSchema)]
pub struct WebhookView {
    id: String,
    name: String,
    kind: Kind,
    /// A chat's without its path, which lets anybody write there.
    url: String,
    enabled: bool,
    disabled_at: Option<DateTime<Utc>>,
    /// `admin`, or `gone` when the endpoint answered 410.
    disabled_by: Option<DisabledBy>,
    /// Until when the secret before the current one signs too.
    previous_secret_until: Option<DateTime<Utc>>,
    created_by: String,
    created_at: DateTime<Utc>,
    /// How the latest call went; null before the first.
    last_call: Option<LastCall>,
}

/// An endpoint with the secret that it got just now.
#[derive(Serialize, schemars::JsonSchema)]
#[schemars(rename = "WebhookWithSecret")]
pub struct SecretView {
    #[serde(flatten)]
    view: WebhookView,
    /// Can't be shown again. Null for a chat.
    secret: Option<String>,
}

impl WebhookView {
    /// An endpoint as it is shown.
    pub fn new(webhook: Webhook, reach: Reach, now: DateTime<Utc>) -> Self {
        let previous_secret_until = webhook.signing_previous(now).map(|previous| previous.until);
        let url = match webhook.kind {
            Kind::Standard => webhook.url,
            Kind::Chat => Destination::parse(&webhook.url, reach)
                .map_or_else(|_| "…".to_owned(), |destination| destination.masked()),
        };
        Self {
            id: webhook.id,
            name: webhook.name,
            kind: webhook.kind,
            url,
            enabled: webhook.disabled.is_none(),
            disabled_at: webhook.disabled.map(|disabled| disabled.at),
            disabled_by: webhook.disabled.map(|disabled| disabled.by),
            previous_secret_until,
            created_by: webhook.created_by,
            created_at: webhook.created_at,
            last_call: webhook.last,
        }
    }
}

impl SecretView {
    fn new(webhook: Webhook, reach: Reach, now: DateTime<Utc>) -> Self {
        Self { secret: webhook.secret.clone(), view: WebhookView::new(webhook, reach, now) }
    }
}

/// The endpoint's id in a request's path.
pub struct WebhookPath(pub String);

impl<S: Send + Sync> FromRequestParts<S> for WebhookPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let id = Path::<String>::from_request_parts(parts, state).await.map_err(|_| no_webhook())?;
        // Nothing that couldn't be an id is looked for: a key has its limits.
        if id.0.len() <= 64 { Ok(Self(id.0)) } else { Err(no_webhook()) }
    }
}

/// 404 for an endpoint that isn't there, or is another workspace's.
fn no_webhook() -> Problem {
    Problem::not_found("there is no such webhook")
}

fn no_randomness(error: getrandom::Error) -> Problem {
    tracing::error!(%error, "no random numbers");
    Problem::internal()
}
