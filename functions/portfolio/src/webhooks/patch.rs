//! `PATCH /v1/webhooks/{id}`: changes an endpoint; disables and enables it.

use axum::extract::State;
use barometer_cloud::{
    http::{Json, Problem, body::Fields},
    table::webhooks::Change,
};
use http::Uri;

use super::{WebhookPath, WebhookView, input, no_webhook};
use crate::{Deps, caller::Admin, params::Params};

/// Changes `name`, `url` and `enabled`, those that are given. What an endpoint takes can't be changed.
pub async fn patch(
    State(deps): State<Deps>,
    Admin(caller): Admin,
    WebhookPath(id): WebhookPath,
    uri: Uri,
    mut fields: Fields,
) -> Result<Json<WebhookView>, Problem> {
    Params::read(&uri, &[])?;
    let now = deps.clock.now();
    let (name, url) = (input::name(&mut fields), input::url(&mut fields, deps.reach));
    let enabled: Option<bool> = fields.value("enabled");
    fields.finish()?;
    let change = Change { name, url, disabled_at: enabled.map(|enabled| (!enabled).then_some(now)) };
    let changed = deps.table.change_webhook(&caller.workspace, &id, &change).await?;
    Ok(Json(WebhookView::new(changed.ok_or_else(no_webhook)?, deps.reach, now)))
}
