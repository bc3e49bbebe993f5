//! `DELETE /v1/sources/{id}`: ends a source and all its keys.

use axum::extract::State;
use barometer_cloud::{http::Problem, sources};
use http::{StatusCode, Uri};

use super::{SourcePath, no_source};
use crate::{Deps, caller::Admin, params::Params};

/// Deletes a source. What it has sent stays; its keys are unknown within a minute, and clients that still use them
/// lose what they send: disabling can be undone, this can't.
pub async fn remove(
    State(deps): State<Deps>,
    Admin(caller): Admin,
    SourcePath(id): SourcePath,
    uri: Uri,
) -> Result<StatusCode, Problem> {
    Params::read(&uri, &[])?;
    if sources::delete(&deps.table, &caller.workspace, &id, &caller.author, deps.clock.now()).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(no_source())
    }
}
