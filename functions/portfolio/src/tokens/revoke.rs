//! `DELETE /v1/api-tokens/{id}`: ends a token at once.

use axum::extract::{Path, State, rejection::PathRejection};
use barometer_cloud::{http::Problem, table::credentials::Kind};
use http::{StatusCode, Uri};

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
    if deps.table.revoke(&caller.workspace, Kind::ApiToken, &id).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(no_token())
    }
}
