//! `GET /v1/members`: who works with the workspace.

use axum::extract::State;
use barometer_cloud::{
    http::{Json, Problem},
    table::{instant_key, team::Member},
};
use http::Uri;

use super::MemberView;
use crate::{
    Deps,
    caller::Reader,
    paging::{self, Page},
    params::Params,
};

/// The members, the first added first.
pub async fn list(
    State(deps): State<Deps>,
    Reader(caller): Reader,
    uri: Uri,
) -> Result<Json<Page<MemberView>>, Problem> {
    let params = Params::read(&uri, &["limit", "cursor"])?;
    let key = |member: &Member| format!("{}#{}", instant_key(member.added_at), member.id);
    let mut all = deps.table.team(&caller.workspace).await?;
    all.sort_by_cached_key(key);
    let Page { items, next_cursor } = paging::by_key(all, &params, "members", false, key)?;
    Ok(Json(Page { items: items.into_iter().map(MemberView::from).collect(), next_cursor }))
}
