//! `GET /v1/sources`: where events come from, and what came lately.

use axum::extract::State;
use barometer_cloud::{
    http::{Json, Problem},
    sources::Overview,
    table::instant_key,
};
use http::Uri;

use super::SourceView;
use crate::{
    Deps,
    caller::Reader,
    paging::{self, Page},
    params::Params,
};

/// The workspace's sources, the oldest first.
pub async fn list(
    State(deps): State<Deps>,
    Reader(caller): Reader,
    uri: Uri,
) -> Result<Json<Page<SourceView>>, Problem> {
    let params = Params::read(&uri, &["limit", "cursor"])?;
    let now = deps.clock.now();
    let all = Overview::all(&deps.table, &caller.workspace, now).await?;
    let key = |of: &Overview| format!("{}#{}", instant_key(of.source.created_at), of.source.id);
    let Page { items, next_cursor } = paging::by_key(all, &params, "sources", false, key)?;
    let items = items.into_iter().map(|overview| SourceView::new(overview, now)).collect();
    Ok(Json(Page { items, next_cursor }))
}
