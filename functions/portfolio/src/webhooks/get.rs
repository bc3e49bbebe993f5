//! `GET /v1/webhooks/{id}`: one endpoint.

use axum::extract::State;
use barometer_cloud::http::{Json, Problem};
use http::Uri;

use super::{WebhookPath, WebhookView, no_webhook};
use crate::{Deps, caller::Admin, params::Params};

/// An endpoint, without its secrets.
pub async fn get(
    State(deps): State<Deps>,
    Admin(caller): Admin,
    WebhookPath(id): WebhookPath,
    uri: Uri,
) -> Result<Json<WebhookView>, Problem> {
    Params::read(&uri, &[])?;
    let webhook = deps.table.webhook(&caller.workspace, &id).await?.ok_or_else(no_webhook)?;
    Ok(Json(WebhookView::new(webhook, deps.webhooks.reach(), deps.clock.now())))
}
