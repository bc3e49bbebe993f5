//! `PATCH /v1/sources/{id}`: changes a source; disables and enables it.

use axum::extract::State;
use barometer_cloud::{
    http::{Json, Problem, body::Fields},
    sources,
    table::sources::Change,
};
use http::Uri;

use super::{DetailView, SourcePath, input, no_source};
use crate::{Deps, caller::Admin, params::Params};

/// Changes `name`, `disabled`, `allowed_origins`, `rate` and `burst`, those that are given. Ingestion follows within
/// a minute.
pub async fn patch(
    State(deps): State<Deps>,
    Admin(caller): Admin,
    SourcePath(id): SourcePath,
    uri: Uri,
    mut fields: Fields,
) -> Result<Json<DetailView>, Problem> {
    Params::read(&uri, &[])?;
    let now = deps.clock.now();
    let disabled_at = input::disabled(&mut fields, now);
    let mut change = Change { disabled_at, ..input::change(&mut fields) };
    fields.finish()?;
    let source = deps.table.source(&caller.workspace, &id).await?.ok_or_else(no_source)?;
    // Disabling what is disabled doesn't make it younger.
    if source.disabled_at.is_some() && change.disabled_at.is_some_and(|at| at.is_some()) {
        change.disabled_at = None;
    }
    let source =
        sources::change(&deps.table, source, &change, &caller.author, now).await?.ok_or_else(no_source)?;
    Ok(Json(DetailView::read(&deps.table, source, now).await?))
}
