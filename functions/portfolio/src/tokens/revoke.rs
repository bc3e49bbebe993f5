//! `DELETE /v1/api-tokens/{id}`: ends a token at once.

use axum::extract::{Path, State, rejection::PathRejection};
use barometer_cloud::{
    http::Problem,
    table::{
        audit::{Action, Entry},
        credentials::Kind,
    },
};
use http::{StatusCode, Uri};

use super::token_settings;
use crate::{Deps, caller::Admin, params::Params};

/// Ends a token; the caller's own, too.
pub async fn revoke(
    State(deps): State<Deps>,
    Admin(caller): Admin,
    uri: Uri,
    id: Result<Path<String>, PathRejection>,
) -> Result<StatusCode, Problem> {
    Params::read(&uri, &[])?;
    let no_token = || Problem::not_found("there is no such token");
    let Path(id) = id.map_err(|_| no_token())?;
    let workspace = &caller.workspace;
    let tokens = deps.table.credentials(workspace, Kind::ApiToken).await?;
    let token = tokens.iter().find(|token| token.id == id).ok_or_else(no_token)?;
    let entry = Entry::new(Action::ApiTokenRevoked, &id, &caller.author, deps.clock.now())?;
    let entry = entry.change(&token_settings(token), &())?;
    if deps.table.recording(workspace, &entry).revoke(workspace, Kind::ApiToken, &id).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(no_token())
    }
}
