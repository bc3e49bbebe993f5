//! `GET /v1/api-tokens`: which tokens there are.

use axum::extract::State;
use barometer_cloud::{
    http::{Json, Problem},
    table::{
        credentials::{Credential, Kind},
        instant_key,
    },
};
use http::Uri;

use super::TokenView;
use crate::{
    Deps,
    caller::Admin,
    paging::{self, Page},
    params::Params,
};

/// The workspace's tokens that haven't ended, newest first.
pub async fn list(
    State(deps): State<Deps>,
    Admin(caller): Admin,
    uri: Uri,
) -> Result<Json<Page<TokenView>>, Problem> {
    let params = Params::read(&uri, &["limit", "cursor"])?;
    let now = deps.clock.now();
    let key = |token: &Credential| format!("{}#{}", instant_key(token.created_at), token.id);
    let mut tokens = deps.table.credentials(&caller.workspace, Kind::ApiToken).await?;
    tokens.retain(|token| token.expires_at.is_none_or(|end| now < end));
    tokens.sort_by_cached_key(|token| std::cmp::Reverse(key(token)));
    let Page { items, next_cursor } = paging::by_key(tokens, &params, "api-tokens", true, key)?;
    Ok(Json(Page { items: items.into_iter().map(TokenView::from).collect(), next_cursor }))
}
