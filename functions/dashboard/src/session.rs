//! Sessions of the page and the links that begin one.

use barometer_cloud::{
    StoreError, Table,
    http::auth::SESSION_COOKIE,
    table::{
        audit::{Action, Entry},
        credentials::{Credential, Kind, Scope},
    },
    workspaces,
};
use barometer_domain::WorkspaceId;
use chrono::{DateTime, TimeDelta, Utc};

/// How long a session lasts.
const SESSION: TimeDelta = TimeDelta::hours(8);

/// How long a sign-in link can be used.
const LINK: TimeDelta = TimeDelta::minutes(15);

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

/// Makes a link that signs `author` in once within 15 minutes, with every scope: whoever can call this owns the
/// workspace.
pub async fn sign_in_link(
    table: &Table,
    workspace: &WorkspaceId,
    origin: &str,
    author: &str,
    now: DateTime<Utc>,
) -> Result<String, LinkError> {
    let code = workspaces::secret("bsi")?;
    let credential = Credential {
        id: workspaces::random_id()?,
        workspace_id: workspace.clone(),
        kind: Kind::SignIn,
        scope: Some(Scope::Admin),
        label: "sign-in link".to_owned(),
        author: author.to_owned(),
        created_at: now,
        expires_at: Some(now + LINK),
    };
    table.add_credential(&code, &credential).await?;
    Ok(format!("{}/sign-in/{code}", origin.trim_end_matches('/')))
}

/// Begins a session with the scope and author of the credential that was shown, and returns its cookie. A session
/// never outlives an API token that it came from.
pub async fn begin(
    table: &Table,
    shown: &Credential,
    secure: bool,
    now: DateTime<Utc>,
) -> Result<String, LinkError> {
    let secret = workspaces::secret("bse")?;
    let end = now + SESSION;
    let end = match (shown.kind, shown.expires_at) {
        (Kind::ApiToken, Some(token_end)) => end.min(token_end),
        _ => end,
    };
    let session = Credential {
        id: workspaces::random_id()?,
        workspace_id: shown.workspace_id.clone(),
        kind: Kind::Session,
        scope: shown.scope,
        label: "web page".to_owned(),
        author: shown.author.clone(),
        created_at: now,
        expires_at: Some(end),
    };
    let with = if shown.kind == Kind::ApiToken { "api_token" } else { "link" };
    let entry = Entry::new(Action::SignedIn, &session.id, &session.author, now)?;
    let entry = entry.change(&(), &serde_json::json!({ "with": with, "scope": session.scope }))?;
    table.recording(&session.workspace_id, &entry).add_credential(&secret, &session).await?;
    Ok(cookie(&secret, (end - now).num_seconds(), secure))
}

/// The cookie that ends a session in the browser.
pub fn ended(secure: bool) -> String {
    cookie("", 0, secure)
}

fn cookie(value: &str, max_age: i64, secure: bool) -> String {
    let secure = if secure { "; Secure" } else { "" };
    format!("{SESSION_COOKIE}={value}; Path=/; Max-Age={max_age}; HttpOnly; SameSite=Lax{secure}")
}
