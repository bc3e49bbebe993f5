//! `DELETE /v1/webhooks/{id}`: ends an endpoint.

use axum::extract::State;
use barometer_cloud::http::Problem;
use http::{StatusCode, Uri};

use super::{WebhookPath, no_webhook};
use crate::{Deps, caller::Admin, params::Params};

/// Deletes an endpoint with its secrets. What was to be sent there isn't any more.
pub async fn remove(
    State(deps): State<Deps>,
    Admin(caller): Admin,
    WebhookPath(id): WebhookPath,
    uri: Uri,
) -> Result<StatusCode, Problem> {
    Params::read(&uri, &[])?;
    if deps.table.delete_webhook(&caller.workspace, &id).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(no_webhook())
    }
}
