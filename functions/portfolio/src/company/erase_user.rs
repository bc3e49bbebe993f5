//! `DELETE /v1/companies/{company_id}/users/{user_id}`: a person's data goes, scores stay.

use axum::extract::{Path, State};
use barometer_cloud::{erasure, http::Problem};
use barometer_domain::{CompanyId, UserId};
use http::{StatusCode, Uri};

use super::patch_user::no_user;
use crate::{
    Deps,
    caller::Admin,
    params::{Params, no_company},
};

/// Erases a person at all companies where they were seen; see [`erasure`]. What this answer doesn't wait for, the packed
/// log, is gone through within a day. Asking again is safe: 204 while that goes on, 404 afterwards.
pub async fn erase(
    State(deps): State<Deps>,
    Admin(caller): Admin,
    Path((company, user)): Path<(String, String)>,
    uri: Uri,
) -> Result<StatusCode, Problem> {
    Params::read(&uri, &[])?;
    let id = CompanyId::new(company).map_err(|_| no_company())?;
    let user = UserId::new(user).map_err(|_| no_user())?;
    let (table, workspace, now) = (&deps.table, &caller.workspace, deps.clock.now());
    let (_, settings) = super::read(table, workspace, &id).await?;
    if erasure::begin(table, workspace, &id, &user, &settings, &caller.author, now).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(no_user())
    }
}
