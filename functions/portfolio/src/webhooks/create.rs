//! `POST /v1/webhooks`: makes an endpoint.

use axum::extract::State;
use barometer_cloud::{
    http::{Json, Problem, body::Fields},
    table::{
        audit::{Action, Entry},
        webhooks::{Kind, Webhook},
    },
    workspaces::random_id,
};
use barometer_webhook::Secret;
use http::{StatusCode, Uri};

use super::{SecretView, WebhookView, input, no_randomness};
use crate::{Deps, caller::Admin, params::Params};

/// Most endpoints of a workspace.
pub const MAX_WEBHOOKS: usize = 20;

/// Makes an endpoint from `name`, `url` and `kind` (`standard` unless it is said). The answer has the secret that signs,
/// this once.
pub async fn create(
    State(deps): State<Deps>,
    Admin(caller): Admin,
    uri: Uri,
    mut fields: Fields,
) -> Result<(StatusCode, Json<SecretView>), Problem> {
    Params::read(&uri, &[])?;
    input::require(&mut fields, &["name", "url"]);
    let (name, url) = (input::name(&mut fields), input::url(&mut fields, deps.webhooks.reach()));
    let kind = if fields.has("kind") { fields.value("kind") } else { Some(Kind::Standard) };
    fields.finish()?;
    let (Some(name), Some(url), Some(kind)) = (name, url, kind) else { return Err(Problem::internal()) };
    if deps.table.webhooks(&caller.workspace).await?.len() >= MAX_WEBHOOKS {
        let detail = format!("a workspace has at most {MAX_WEBHOOKS} webhooks; delete one first");
        return Err(Problem::new(StatusCode::CONFLICT, "too_many_webhooks", detail));
    }
    let secret = match kind {
        Kind::Standard => Some(Secret::random().map_err(no_randomness)?.reveal()),
        Kind::Chat => None,
    };
    let now = deps.clock.now();
    let webhook = Webhook {
        id: format!("wh_{}", random_id().map_err(no_randomness)?),
        workspace_id: caller.workspace,
        name,
        kind,
        url,
        secret,
        previous: None,
        disabled: None,
        created_by: caller.author,
        created_at: now,
        last: None,
    };
    let workspace = webhook.workspace_id.clone();
    let entry = Entry::new(Action::WebhookCreated, &webhook.id, &webhook.created_by, now)?;
    let entry = entry.change(&(), &WebhookView::new(webhook.clone(), deps.webhooks.reach(), now))?;
    deps.table.recording(&workspace, &entry).add_webhook(&webhook).await?;
    Ok((StatusCode::CREATED, Json(SecretView::new(webhook, deps.webhooks.reach(), now))))
}
