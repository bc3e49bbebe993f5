//! `GET /v1/companies/{company_id}`: one company.

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use barometer_cloud::{
    StoreError,
    bus::hex,
    http::{Json, Problem},
    table::companies::Company,
    views,
};
use barometer_domain::Settings;
use chrono::{DateTime, Utc};
use http::Uri;
use sha2::{Digest, Sha256};

use crate::{
    Deps,
    caller::Reader,
    if_match::tag,
    params::{CompanyPath, Params},
};

/// A company with its three readings.
pub async fn get(
    State(deps): State<Deps>,
    Reader(caller): Reader,
    CompanyPath(id): CompanyPath,
    uri: Uri,
) -> Result<Response, Problem> {
    Params::read(&uri, &[])?;
    let (company, settings) = super::read(&deps.table, &caller.workspace, &id).await?;
    answer(&company, &settings, deps.clock.now())
}

/// A company as an answer, with its version as `ETag`.
pub fn answer(company: &Company, settings: &Settings, now: DateTime<Utc>) -> Result<Response, Problem> {
    Ok((tag(version(company)?), Json(views::company(company, settings, now))).into_response())
}

/// The version of what somebody can change of a company, as `<status>-<fields>`: how often its business status was set,
/// which is what `PUT …/status` looks at, and a hash of the fields that PATCH changes.
pub fn version(company: &Company) -> Result<String, Problem> {
    let fields = serde_json::to_vec(&company.fields()).map_err(StoreError::from)?;
    let hash = hex(Sha256::digest(fields).iter().take(8));
    Ok(format!("{}-{hash}", company.status_version))
}
