//! `GET /v1/sources/{id}`: one source, day by day.

use axum::extract::State;
use barometer_cloud::http::{Json, Problem};
use http::Uri;

use super::{DetailView, SourcePath, no_source};
use crate::{Deps, caller::Reader, params::Params};

/// A source with the last 30 days.
pub async fn get(
    State(deps): State<Deps>,
    Reader(caller): Reader,
    SourcePath(id): SourcePath,
    uri: Uri,
) -> Result<Json<DetailView>, Problem> {
    Params::read(&uri, &[])?;
    let source = deps.table.source(&caller.workspace, &id).await?.ok_or_else(no_source)?;
    Ok(Json(DetailView::read(&deps.table, source, deps.clock.now()).await?))
}
