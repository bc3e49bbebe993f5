//! `DELETE /v1/webhooks/{id}`: ends an endpoint.

use axum::extract::State;
use barometer_cloud::{
    http::Problem,
    table::audit::{Action, Entry},
};
use http::{StatusCode, Uri};

use super::{WebhookPath, WebhookView, no_webhook};
use crate::{Deps, caller::Admin, params::Params};

/// Deletes an endpoint with its secrets. What was to be sent there isn't any more.
pub async fn remove(
    State(deps): State<Deps>,
    Admin(caller): Admin,
    WebhookPath(id): WebhookPath,
    uri: Uri,
) -> Result<StatusCode, Problem> {
    Params::read(&uri, &[])?;
    let now = deps.clock.now();
    let webhook = deps.table.webhook(&caller.workspace, &id).await?.ok_or_else(no_webhook)?;
    let entry = Entry::new(Action::WebhookDeleted, &id, &caller.author, now)?;
    let entry = entry.change(&WebhookView::new(webhook, deps.webhooks.reach(), now), &())?;
    if deps.table.recording(&caller.workspace, &entry).delete_webhook(&caller.workspace, &id).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(no_webhook())
    }
}
