//! `GET /v1/settings`: the current settings.

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use barometer_cloud::http::{Json, Problem};
use http::Uri;

use super::{Shown, current};
use crate::{Deps, caller::Reader, if_match::tag, params::Params};

/// The current settings; their version is the `ETag`.
pub async fn get(State(deps): State<Deps>, Reader(caller): Reader, uri: Uri) -> Result<Response, Problem> {
    Params::read(&uri, &[])?;
    let version = current(&deps.table, &caller.workspace).await?;
    Ok((tag(version.version), Json(Shown::from(version))).into_response())
}
