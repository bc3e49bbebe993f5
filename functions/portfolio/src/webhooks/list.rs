//! `GET /v1/webhooks`: where events and notes are sent.

use axum::extract::State;
use barometer_cloud::{
    http::{Json, Problem},
    table::{instant_key, webhooks::Webhook},
};
use http::Uri;

use super::WebhookView;
use crate::{
    Deps,
    caller::Admin,
    paging::{self, Page},
    params::Params,
};

/// The workspace's endpoints, the oldest first.
pub async fn list(
    State(deps): State<Deps>,
    Admin(caller): Admin,
    uri: Uri,
) -> Result<Json<Page<WebhookView>>, Problem> {
    let params = Params::read(&uri, &["limit", "cursor"])?;
    let now = deps.clock.now();
    let key = |webhook: &Webhook| format!("{}#{}", instant_key(webhook.created_at), webhook.id);
    let mut all = deps.table.webhooks(&caller.workspace).await?;
    all.sort_by_cached_key(key);
    let Page { items, next_cursor } = paging::by_key(all, &params, "webhooks", false, key)?;
    let items =
        items.into_iter().map(|webhook| WebhookView::new(webhook, deps.webhooks.reach(), now)).collect();
    Ok(Json(Page { items, next_cursor }))
}
