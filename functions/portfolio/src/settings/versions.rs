//! `GET /v1/settings/versions`: what was saved, by whom and why.

use axum::extract::State;
use barometer_cloud::{
    http::{Json, Problem},
    table::settings::SettingsVersion,
};
use http::Uri;

use super::Shown;
use crate::{
    Deps,
    caller::Reader,
    paging::{self, Page},
    params::Params,
};

/// All versions of the settings, newest first.
pub async fn versions(
    State(deps): State<Deps>,
    Reader(caller): Reader,
    uri: Uri,
) -> Result<Json<Page<Shown>>, Problem> {
    let params = Params::read(&uri, &["limit", "cursor"])?;
    let versions = deps.table.settings_versions(&caller.workspace).await?;
    let key = |version: &SettingsVersion| format!("{:010}", version.version);
    let Page { items, next_cursor } = paging::by_key(versions, &params, "settings", true, key)?;
    Ok(Json(Page { items: items.into_iter().map(Shown::from).collect(), next_cursor }))
}
