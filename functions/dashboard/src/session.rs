//! How a session begins and ends in a browser, and the links that begin one.

use barometer_cloud::{
    StoreError, Table,
    http::auth::session_cookie_name,
    table::{
        audit::{Action, Entry},
        credentials::Credential,
        sessions::{Holder, LONGEST, Session},
        sign_ins::{GOOD_FOR, SignIn},
        team::Member,
    },
    workspaces,
};
use barometer_domain::{WorkspaceId, email::EmailAddress};
use chrono::{DateTime, Utc};
use http::{HeaderMap, header};

use crate::{Deps, cookies, user_agent};

/// A session or a link can't be made.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// The operating system has no random numbers.
    #[error("no random numbers")]
    Random(#[from] getrandom::Error),
    /// The table.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Makes a link that signs a member of the workspace in, once within 15 minutes, in any browser: for whoever runs the
/// program and can read what it prints.
pub async fn sign_in_link(
    table: &Table,
    workspace: &WorkspaceId,
    origin: &str,
    email: &EmailAddress,
    now: DateTime<Utc>,
) -> Result<String, LinkError> {
    let code = new_code(table, email, Some(workspace), None, now).await?;
    Ok(link(origin, &code))
}

/// The address of the page behind a link.
pub fn link(origin: &str, code: &str) -> String {
    format!("{}/sign-in/{code}", origin.trim_end_matches('/'))
}

/// Stores a new link and returns its code. `browser` is the hash of what the browser that asked has.
pub async fn new_code(
    table: &Table,
    email: &EmailAddress,
    workspace: Option<&WorkspaceId>,
    browser: Option<String>,
    now: DateTime<Utc>,
) -> Result<String, LinkError> {
    let code = workspaces::secret("bsi")?;
    let sign_in = SignIn {
        email: email.clone(),
        workspace_id: workspace.cloned(),
        browser,
        expires_at: now + GOOD_FOR,
    };
    table.add_sign_in(&code, &sign_in).await?;
    Ok(code)
}

/// How somebody showed who they are.
#[derive(Debug, Clone, Copy)]
pub enum Shown<'a> {
    /// With an API token.
    ApiToken(&'a Credential),
    /// As a member, with the code of a link, which is used up.
    Link(&'a Member, &'a str),
    /// As a member for whom the OpenID Connect issuer vouches.
    Issuer(&'a Member),
}

/// Begins a session in the browser that sent these headers and returns its cookie. Errors: [`StoreError::Conflict`] when
/// the link was used by somebody faster, or the member was removed.
pub async fn begin(deps: &Deps, headers: &HeaderMap, shown: Shown<'_>) -> Result<String, LinkError> {
    let now = deps.clock.now();
    let (workspace, holder, author, until, with, code) = match shown {
        Shown::ApiToken(token) => {
            let holder = Holder::ApiToken(token.id.clone());
            (&token.workspace_id, holder, token.author.clone(), token.expires_at, "api_token", None)
        }
        Shown::Link(member, code) => {
            let holder = Holder::Member(member.id.clone());
            (&member.workspace_id, holder, member.email.to_string(), None, "link", Some(code))
        }
        Shown::Issuer(member) => {
            let holder = Holder::Member(member.id.clone());
            (&member.workspace_id, holder, member.email.to_string(), None, "oidc", None)
        }
    };
    let secret = workspaces::secret("bse")?;
    let session = Session::begin(workspaces::random_id()?, workspace.clone(), holder, author, now, until);
    let agent = headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok()).unwrap_or_default();
    let session = Session { browser: user_agent::name(agent), host_only: deps.secure_cookies, ..session };
    let entry = Entry::new(Action::SignedIn, &session.id, &session.author, now)?;
    let entry = entry.change(&(), &serde_json::json!({ "with": with }))?;
    deps.table.recording(workspace, &entry).add_session(&secret, &session, code).await?;
    let lasts = (session.ends_at - session.begun_at).num_seconds().clamp(0, LONGEST.num_seconds());
    let name = session_cookie_name(deps.secure_cookies);
    Ok(cookies::set(name, &session.cookie(&secret), lasts, deps.secure_cookies))
}

/// The cookie that ends a session in the browser.
pub fn ended(secure: bool) -> String {
    cookies::set(session_cookie_name(secure), "", 0, secure)
}
