//! `GET /v1/api-tokens`: which tokens there are.

use axum::extract::State;
use barometer_cloud::{
    http::{Json, Problem},
    table::{credentials::ApiToken, instant_key},
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
    let key = |ApiToken { credential, .. }: &ApiToken| {
        format!("{}#{}", instant_key(credential.created_at), credential.id)
    };
    let mut tokens = deps.table.api_tokens(&caller.workspace).await?;
    tokens.retain(|token| token.credential.expires_at.is_none_or(|end| now < end));
    tokens.sort_by_cached_key(|token| std::cmp::Reverse(key(token)));
    let Page { items, next_cursor } = paging::by_key(tokens, &params, "api-tokens", true, key)?;
    Ok(Json(Page { items: items.into_iter().map(TokenView::from).collect(), next_cursor }))
}
