//! `PATCH /v1/webhooks/{id}`: changes an endpoint; disables and enables it.

use axum::extract::State;
use barometer_cloud::{
    http::{Json, Problem, body::Fields},
    table::{
        audit::{Action, Entry},
        webhooks::{Change, Webhook},
    },
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
    let (name, url) = (input::name(&mut fields), input::url(&mut fields, deps.webhooks.reach()));
    let enabled: Option<bool> = fields.value("enabled");
    fields.finish()?;
    let change = Change { name, url, disabled_at: enabled.map(|enabled| (!enabled).then_some(now)) };
    let (table, workspace) = (&deps.table, &caller.workspace);
    let before = table.webhook(workspace, &id).await?.ok_or_else(no_webhook)?;
    let shown = |webhook: Webhook| WebhookView::new(webhook, deps.webhooks.reach(), now);
    let after = change.upon(before.clone());
    if before == after {
        return Ok(Json(shown(before)));
    }
    let entry = Entry::new(Action::WebhookChanged, &id, &caller.author, now)?;
    let entry = entry.change(&shown(before), &shown(after))?;
    let changed = table.recording(workspace, &entry).change_webhook(workspace, &id, &change).await?;
    Ok(Json(shown(changed.ok_or_else(no_webhook)?)))
}
