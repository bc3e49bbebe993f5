//! `GET /v1/companies/{company_id}/status-changes`: the history of the business status.

use axum::extract::State;
use barometer_cloud::{
    http::{Json, Problem},
    table::{instant_key, statuses::StatusChange},
};
use http::Uri;

use crate::{
    Deps,
    caller::Reader,
    paging::{self, Page},
    params::{CompanyPath, Params},
};

/// Every setting of the business status, newest first.
pub async fn status_changes(
    State(deps): State<Deps>,
    Reader(caller): Reader,
    CompanyPath(id): CompanyPath,
    uri: Uri,
) -> Result<Json<Page<StatusChange>>, Problem> {
    let params = Params::read(&uri, &["limit", "cursor"])?;
    super::read(&deps.table, &caller.workspace, &id).await?;
    let changes = deps.table.status_changes(&caller.workspace, &id).await?;
    let key = |change: &StatusChange| format!("{}#{}", instant_key(change.status.set_at), change.id);
    paging::by_key(changes, &params, "status-changes", true, key).map(Json)
}
