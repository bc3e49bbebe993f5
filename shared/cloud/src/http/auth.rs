//! Who calls: an API token or a session, and the workspace that follows from it and from nowhere else.

use barometer_domain::WorkspaceId;
use chrono::{DateTime, Utc};
use http::{HeaderMap, StatusCode, header};

use super::Problem;
use crate::{
    Table,
    table::credentials::{Credential, Kind, Scope},
};

/// Name of the session cookie.
pub const SESSION_COOKIE: &str = "barometer_session";

/// A caller of the CSM's API or page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The caller's workspace.
    pub workspace: WorkspaceId,
    /// What the caller may do.
    pub scope: Scope,
    /// Who stands behind the credential, for histories.
    pub author: String,
}

/// The bearer token of a request.
pub fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim()).filter(|token| !token.is_empty())
}

/// The value of a cookie.
pub fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|cookies| cookies.to_str().ok())
        .flat_map(|cookies| cookies.split(';'))
        .filter_map(|cookie| cookie.trim().split_once('='))
        .find(|(found, _)| *found == name)
        .map(|(_, value)| value)
}

/// The caller behind a request's API token or session cookie, who may at least do `scope`. Errors: 401 without a
/// valid credential, 403 when it may not, 503 when the store can't be asked.
pub async fn caller(
    table: &Table,
    headers: &HeaderMap,
    scope: Scope,
    now: DateTime<Utc>,
) -> Result<Caller, Problem> {
    let found = match bearer(headers) {
        Some(token) => table.credential(token, now).await?.filter(|found| found.kind == Kind::ApiToken),
        None => session(table, headers, now).await?,
    };
    let Some(credential) = found else {
        return Err(Problem::unauthorized("an API token is needed: Authorization: Bearer …"));
    };
    let granted = credential.scope.unwrap_or(Scope::Read);
    if granted < scope {
        return Err(Problem::new(StatusCode::FORBIDDEN, "forbidden", "this credential may not do that"));
    }
    Ok(Caller { workspace: credential.workspace_id, scope: granted, author: credential.author })
}

/// The session behind a request's cookie.
pub async fn session(
    table: &Table,
    headers: &HeaderMap,
    now: DateTime<Utc>,
) -> Result<Option<Credential>, Problem> {
    match cookie(headers, SESSION_COOKIE) {
        Some(secret) => Ok(table.credential(secret, now).await?.filter(|found| found.kind == Kind::Session)),
        None => Ok(None),
    }
}
