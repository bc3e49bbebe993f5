//! `POST /v1/webhooks/{id}/rotate`: gives an endpoint a new secret.

use axum::extract::State;
use barometer_cloud::{
    http::{Json, Problem, body::OptionalFields},
    table::audit::{Action, Entry},
};
use barometer_webhook::Secret;
use chrono::TimeDelta;
use http::{StatusCode, Uri};

use super::{SecretView, WebhookPath, no_randomness, no_webhook};
use crate::{Deps, caller::Admin, params::Params};

/// How long the replaced secret signs on, beside the new one.
const OVERLAP: TimeDelta = TimeDelta::hours(24);

/// Gives an endpoint a new secret, which the answer shows this once. For 24 hours calls carry a signature by each of the
/// two, so that a receiver can change its own at any moment in between; the secret before those two signs no more.
/// Errors: 409 for a chat, which has no secret, and when somebody else rotates at the same moment.
pub async fn rotate(
    State(deps): State<Deps>,
    Admin(caller): Admin,
    WebhookPath(id): WebhookPath,
    uri: Uri,
    OptionalFields(fields): OptionalFields,
) -> Result<Json<SecretView>, Problem> {
    Params::read(&uri, &[])?;
    fields.finish()?;
    let webhook = deps.table.webhook(&caller.workspace, &id).await?.ok_or_else(no_webhook)?;
    if webhook.secret.is_none() {
        let detail = "a chat has no secret; to change what lets Barometer write there, give it another url";
        return Err(Problem::new(StatusCode::CONFLICT, "no_secret", detail));
    }
    let secret = Secret::random().map_err(no_randomness)?.reveal();
    let now = deps.clock.now();
    let until = serde_json::json!({ "previous_secret_until": now + OVERLAP });
    let entry = Entry::new(Action::WebhookRotated, &id, &caller.author, now)?.change(&(), &until)?;
    let table = deps.table.recording(&caller.workspace, &entry);
    let webhook = table.rotate_webhook(webhook, secret, now + OVERLAP).await?;
    Ok(Json(SecretView::new(webhook, deps.webhooks.reach(), now)))
}
