//! `GET /v1/rules/presets`: rules to choose from.

use barometer_cloud::http::{Json, Problem};
use barometer_domain::automation::{self, AutomationRule};
use http::Uri;
use serde::Serialize;

use crate::{caller::Reader, params::Params};

/// Rules as they go into the settings' `rules`.
#[derive(Serialize, schemars::JsonSchema)]
pub struct Presets {
    /// Those that a workspace begins with.
    defaults: Vec<AutomationRule>,
    /// Others, which do nothing until they are taken over.
    presets: Vec<AutomationRule>,
}

/// The rules that a workspace begins with, and others.
pub async fn presets(_: Reader, uri: Uri) -> Result<Json<Presets>, Problem> {
    Params::read(&uri, &[])?;
    Ok(Json(Presets { defaults: automation::defaults(), presets: automation::presets() }))
}
