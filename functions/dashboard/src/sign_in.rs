//! Signing in with an API token or a link, and out again.

use askama::Template;
use axum::{
    Form,
    extract::{Path, State, rejection::FormRejection},
    response::{IntoResponse, Response},
};
use barometer_cloud::{
    http::{
        Problem,
        auth::{self, SESSION_COOKIE},
    },
    lambda::Chain,
    table::{
        audit::{Action, Entry},
        credentials::{Credential, Kind},
    },
};
use http::{HeaderMap, StatusCode, header};

use crate::{
    Deps,
    html::{self, Failure},
    session::{self, LinkError},
};

/// The form.
#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignIn {
    failed: bool,
}

/// The page behind a link. Its button posts, so that a mail scanner that opens links doesn't use the link up.
#[derive(Template)]
#[template(path = "sign_in_link.html")]
struct SignInLink;

/// What the form sends.
#[derive(serde::Deserialize)]
pub struct Token {
    token: String,
}

impl From<LinkError> for Failure {
    fn from(error: LinkError) -> Self {
        match error {
            LinkError::Store(error) => error.into(),
            LinkError::Random(error) => {
                tracing::error!(error = %Chain(&error), "no session");
                Problem::internal().into()
            }
        }
    }
}

/// `GET /sign-in`
pub async fn form() -> Response {
    html::page(StatusCode::OK, &SignIn { failed: false })
}

/// `POST /sign-in`
pub async fn with_token(
    State(deps): State<Deps>,
    form: Result<Form<Token>, FormRejection>,
) -> Result<Response, Failure> {
    let now = deps.clock.now();
    let Ok(Form(Token { token })) = form else { return Ok(refused()) };
    match deps.table.credential(token.trim(), now).await? {
        Some(found) if found.kind == Kind::ApiToken => welcome(&deps, &found).await,
        _ => Ok(refused()),
    }
}

/// `GET /sign-in/{code}`: the same for every code, so it tells nothing about it.
pub async fn link() -> Response {
    html::page(StatusCode::OK, &SignInLink)
}

/// `POST /sign-in/{code}`
pub async fn with_code(State(deps): State<Deps>, Path(code): Path<String>) -> Result<Response, Failure> {
    let now = deps.clock.now();
    // The kind comes first: consuming would end whatever credential is named in the path.
    let known = deps.table.credential(&code, now).await?;
    if known.is_none_or(|found| found.kind != Kind::SignIn) {
        return Ok(refused());
    }
    match deps.table.consume(&code, now).await? {
        Some(found) => welcome(&deps, &found).await,
        None => Ok(refused()),
    }
}

/// `POST /sign-out`
pub async fn out(State(deps): State<Deps>, headers: HeaderMap) -> Result<Response, Failure> {
    let now = deps.clock.now();
    if let Some(session) = auth::session(&deps.table, &headers, now).await?
        && let Some(secret) = auth::cookie(&headers, SESSION_COOKIE)
    {
        let entry = Entry::new(Action::SignedOut, &session.id, &session.author, now)?;
        deps.table.recording(&session.workspace_id, &entry).consume(secret, now).await?;
    }
    Ok(go("/sign-in", Some(session::ended(deps.secure_cookies))))
}

/// Sends the browser to another of our pages.
pub fn go(to: &str, cookie: Option<String>) -> Response {
    let mut response = (StatusCode::SEE_OTHER, [(header::LOCATION, to)]).into_response();
    if let Some(cookie) = cookie.and_then(|cookie| cookie.parse().ok()) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response
}

async fn welcome(deps: &Deps, shown: &Credential) -> Result<Response, Failure> {
    let cookie = session::begin(&deps.table, shown, deps.secure_cookies, deps.clock.now()).await?;
    Ok(go("/", Some(cookie)))
}

/// One answer for every cause, so that nobody learns which tokens and links exist.
fn refused() -> Response {
    html::page(StatusCode::FORBIDDEN, &SignIn { failed: true })
}
