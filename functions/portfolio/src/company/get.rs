//! `GET /v1/companies/{company_id}`: one company.

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use barometer_cloud::{
    http::{Json, Problem},
    table::companies::Company,
    views,
};
use barometer_domain::Settings;
use chrono::{DateTime, Utc};
use http::{Uri, header};

use crate::{
    Deps,
    caller::Reader,
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
    Ok(answer(&company, &settings, deps.clock.now()))
}

/// A company as an answer. Its `ETag` is the version of its business status: what `PUT …/status` takes in
/// `If-Match`.
pub fn answer(company: &Company, settings: &Settings, now: DateTime<Utc>) -> Response {
    let tag = format!("\"{}\"", company.status_version);
    ([(header::ETAG, tag)], Json(views::company(company, settings, now))).into_response()
}
