//! `POST /v1/webhooks/{id}/test`: sends a test to an endpoint at once, and says what the receiver answered.

use std::time::Instant;

use axum::extract::State;
use barometer_cloud::{
    bus::hex,
    http::{Json, Problem, body::OptionalFields},
    table::{
        audit::{Action, Entry},
        webhooks::{LastCall, TEST_PAUSE, Webhook},
    },
};
use barometer_webhook::{MessageId, Outcome, Secret, Secrets, chat, event};
use chrono::{DateTime, Utc};
use http::{StatusCode, Uri};
use serde::Serialize;
use serde_json::json;

use super::{WebhookPath, no_randomness, no_webhook};
use crate::{Deps, caller::Admin, params::Params};

/// What became of the test.
#[derive(Debug, Serialize, schemars::JsonSchema)]
#[schemars(rename = "WebhookTest")]
pub struct Tested {
    /// Whether the receiver took it: it answered with 2xx.
    ok: bool,
    /// The status of its answer; null when there was none.
    status: Option<u16>,
    /// Why it failed, as a sentence.
    reason: Option<String>,
    /// From looking the host up to the end of the answer, in milliseconds.
    duration_ms: u64,
    /// `webhook-id` of the call; null for a chat.
    message_id: Option<String>,
}

/// Sends an event `webhook.test`, signed as every event is, or a note to a chat, also to an endpoint that is disabled. It is
/// tried once; a 410 disables nothing. Errors: 404; 429 within 10 seconds of the test before.
pub async fn test(
    State(deps): State<Deps>,
    Admin(caller): Admin,
    WebhookPath(id): WebhookPath,
    uri: Uri,
    OptionalFields(fields): OptionalFields,
) -> Result<Json<Tested>, Problem> {
    Params::read(&uri, &[])?;
    fields.finish()?;
    let (table, workspace, now) = (&deps.table, &caller.workspace, deps.clock.now());
    let webhook = table.webhook(workspace, &id).await?.ok_or_else(no_webhook)?;
    let entry = Entry::new(Action::WebhookTested, &id, &caller.author, now)?.change(&(), &json!({}))?;
    if !table.recording(workspace, &entry).take_webhook_test(workspace, &id, now).await? {
        let detail = "a webhook is tested at most once in ten seconds";
        let seconds = u32::try_from(TEST_PAUSE.num_seconds()).unwrap_or(u32::MAX);
        let problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, "too_many_requests", detail);
        return Err(problem.retry_after(seconds));
    }
    let message_id = webhook.secret.is_some().then(message_id).transpose()?;
    let began = Instant::now();
    let outcome = call(&deps, &webhook, message_id.as_deref(), &caller.author, now).await?;
    let duration_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    let reason = match &outcome {
        Outcome::Delivered { .. } => None,
        Outcome::Failed { reason, .. } => Some(reason.to_string()),
    };
    let (ok, status) = (reason.is_none(), outcome.status());
    let last = LastCall { at: now, ok, status, reason: reason.clone() };
    table.note_webhook_call(workspace, &id, &last, false).await?;
    Ok(Json(Tested { ok, status, reason, duration_ms, message_id }))
}

fn message_id() -> Result<String, Problem> {
    let mut random = [0; 16];
    getrandom::fill(&mut random).map_err(no_randomness)?;
    Ok(format!("msg_test_{}", hex(&random)))
}

async fn call(
    deps: &Deps,
    webhook: &Webhook,
    message_id: Option<&str>,
    by: &str,
    now: DateTime<Utc>,
) -> Result<Outcome, Problem> {
    let (Some(secret), Some(message_id)) = (&webhook.secret, message_id) else {
        let text = format!("A test of “{}” by {by}: Barometer can write here.", webhook.name);
        return Ok(deps.webhooks.send_note(&webhook.url, chat::note(&text)).await);
    };
    let data = json!({ "webhook_id": webhook.id, "name": webhook.name, "by": by });
    let body = event::body("webhook.test", now, &data).map_err(unsendable)?;
    let current = Secret::parse(secret).map_err(unsendable)?;
    let previous = webhook.signing_previous(now).and_then(|previous| Secret::parse(&previous.secret).ok());
    let id = MessageId::new(message_id).map_err(unsendable)?;
    Ok(deps.webhooks.send_event(&webhook.url, &Secrets { current, previous }, &id, now, body).await)
}

fn unsendable(error: impl std::fmt::Display) -> Problem {
    tracing::error!(%error, "a test can't be put together");
    Problem::internal()
}
