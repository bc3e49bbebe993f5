//! Who calls: an API token or a session, and the workspace that follows from it and from nowhere else.

use barometer_domain::WorkspaceId;
use chrono::{DateTime, Utc};
use http::{HeaderMap, Method, StatusCode, header};

use super::{Problem, pages};
use crate::{
    Table,
    lambda::Chain,
    table::{
        credentials::{Credential, Scope},
        sessions::{Holder, Session},
        team::Member,
    },
};

/// Name of the session cookie over plain HTTP, where browsers keep none with the prefix: the one-machine home.
pub const SESSION_COOKIE: &str = "barometer_session";

/// Name of the session cookie. Browsers keep a cookie with this prefix only when the host itself set it over HTTPS for
/// all of its paths, so no other host of the domain can put one of its own in its place.
pub const HOST_COOKIE: &str = "__Host-barometer_session";

/// The name of the session cookie.
pub fn session_cookie_name(secure: bool) -> &'static str {
    if secure { HOST_COOKIE } else { SESSION_COOKIE }
}

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

/// The caller behind a request's API token or session cookie, who may at least do `scope`. By cookie only our own pages
/// change anything: see [`pages`]. Errors: 401 without a valid credential, 403 when it may not, 503 when the store can't
/// be asked.
pub async fn caller(
    table: &Table,
    method: &Method,
    headers: &HeaderMap,
    scope: Scope,
    now: DateTime<Utc>,
) -> Result<Caller, Problem> {
    let found = match bearer(headers) {
        Some(token) => by_token(table, token, now).await?,
        None => {
            if !method.is_safe() && !pages::may_change(headers) {
                return Err(Problem::forbidden(
                    "a session can only write from our own pages: Sec-Fetch-Site must be same-origin or none",
                ));
            }
            session(table, headers, now).await?.map(SignedIn::into_caller)
        }
    };
    let Some(caller) = found else {
        return Err(Problem::unauthorized("an API token is needed: Authorization: Bearer …"));
    };
    if caller.scope < scope {
        return Err(Problem::new(StatusCode::FORBIDDEN, "forbidden", "this credential may not do that"));
    }
    Ok(caller)
}

async fn by_token(table: &Table, secret: &str, now: DateTime<Utc>) -> Result<Option<Caller>, Problem> {
    let Some(token) = table.api_token(secret, now).await? else { return Ok(None) };
    if token.is_to_be_noted(now)
        && let Err(error) = table.note_token_use(secret, &token.credential, now).await
    {
        tracing::warn!(error = %Chain(&error), "the use of an API token isn't noted");
    }
    let Credential { workspace_id, scope, author, .. } = token.credential;
    Ok(Some(Caller { workspace: workspace_id, scope: scope.unwrap_or(Scope::Read), author }))
}

/// A signed-in browser, with what it may do at this moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedIn {
    /// Its session.
    pub session: Session,
    /// What it may do.
    pub scope: Scope,
    /// Who it is; nothing for one that signed in with an API token.
    pub member: Option<Member>,
}

impl SignedIn {
    fn into_caller(self) -> Caller {
        Caller { workspace: self.session.workspace_id, scope: self.scope, author: self.session.author }
    }
}

/// The text of a request's session cookie, and whether it came under the name that only we can set.
fn session_cookie(headers: &HeaderMap) -> Option<(&str, bool)> {
    match cookie(headers, HOST_COOKIE) {
        Some(text) => Some((text, true)),
        None => cookie(headers, SESSION_COOKIE).map(|text| (text, false)),
    }
}

/// Who is signed in by a request's cookie: its session, as long as the member or API token that holds it is there, which
/// is looked up every time. Notes now and then that the session is used.
pub async fn session(
    table: &Table,
    headers: &HeaderMap,
    now: DateTime<Utc>,
) -> Result<Option<SignedIn>, Problem> {
    let Some((text, host_only)) = session_cookie(headers) else { return Ok(None) };
    let Some(session) = table.session(text, host_only, now).await? else { return Ok(None) };
    let workspace = &session.workspace_id;
    let (scope, member) = match &session.holder {
        Holder::Member(id) => match table.team_member(workspace, id).await? {
            Some(member) => (member.role.scope(), Some(member)),
            None => return Ok(None),
        },
        Holder::ApiToken(id) => match table.api_token_of(workspace, id, now).await? {
            Some(token) => (token.credential.scope.unwrap_or(Scope::Read), None),
            None => return Ok(None),
        },
    };
    if session.is_to_be_renewed(now)
        && let Err(error) = table.renew_session(&session, now).await
    {
        tracing::warn!(error = %Chain(&error), "a session isn't renewed");
    }
    Ok(Some(SignedIn { session, scope, member }))
}
