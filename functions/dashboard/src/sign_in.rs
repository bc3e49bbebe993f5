//! The form: signing in with a mailed link, an API token or at an issuer; and signing out.

use askama::Template;
use axum::{
    Form,
    extract::{State, rejection::FormRejection},
    response::{IntoResponse, Response},
};
use barometer_cloud::{
    StoreError,
    http::{Problem, auth, client},
    lambda::Chain,
    table::{
        audit::{Action, Entry},
        limits::{Allowed, Limit},
    },
};
use chrono::TimeDelta;
use http::{Extensions, HeaderMap, HeaderValue, StatusCode, header};

use crate::{
    Deps, ask_link,
    html::{self, Failure},
    oidc::Oidc,
    pages,
    session::{self, LinkError, Shown},
};

/// How often one client may try to sign in or ask for a link, whatever became of it. People behind one address share it.
const CLIENT: Limit = Limit { name: "sign-in-client", most: 30, window: TimeDelta::minutes(15) };

/// Why somebody sees the form again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// What was entered isn't a token that opens anything.
    Token,
    /// The link was used, has ended, or never was one.
    Link,
    /// What was entered isn't an e-mail address.
    Address,
}

/// The form.
#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignIn<'a> {
    trouble: Option<Trouble>,
    /// What the OpenID Connect issuer is called, if there is one.
    issuer: Option<&'a str>,
}

impl SignIn<'_> {
    fn is_about(&self, trouble: Trouble) -> bool {
        self.trouble == Some(trouble)
    }

    /// What went wrong, for people.
    fn said(&self) -> Option<&'static str> {
        self.trouble.map(|trouble| match trouble {
            Trouble::Token => "That didn’t sign you in. Check what you entered, or ask for a new token.",
            Trouble::Link => "This link doesn’t work any more: it was used, or is older than 15 minutes. Ask for another one.",
            Trouble::Address => "This is not an e-mail address.",
        })
    }
}

/// What the form sends: one of the two.
#[derive(serde::Deserialize)]
pub struct Entered {
    email: Option<String>,
    token: Option<String>,
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
pub async fn form(State(deps): State<Deps>, headers: HeaderMap) -> Response {
    match pages::elsewhere(&deps, &headers) {
        // A cookie set here would not be sent to where the mailed link leads.
        Some(origin) => go(&format!("{origin}/sign-in"), &[]),
        None => again(&deps, StatusCode::OK, None),
    }
}

/// `POST /sign-in`
pub async fn enter(
    State(deps): State<Deps>,
    headers: HeaderMap,
    extensions: Extensions,
    form: Result<Form<Entered>, FormRejection>,
) -> Result<Response, Failure> {
    if let Some(refused) = too_often(&deps, &extensions).await? {
        return Ok(refused);
    }
    match form {
        Ok(Form(Entered { email: Some(email), token: None })) => ask_link::ask(&deps, &headers, &email).await,
        Ok(Form(Entered { token: Some(token), .. })) => with_token(&deps, &headers, token.trim()).await,
        _ => Ok(again(&deps, StatusCode::FORBIDDEN, Some(Trouble::Token))),
    }
}

async fn with_token(deps: &Deps, headers: &HeaderMap, token: &str) -> Result<Response, Failure> {
    // One answer for every cause, so that nobody learns which tokens there are.
    let refused = || again(deps, StatusCode::FORBIDDEN, Some(Trouble::Token));
    match deps.table.api_token(token, deps.clock.now()).await? {
        Some(found) => welcome(deps, headers, Shown::ApiToken(&found.credential), refused).await,
        None => Ok(refused()),
    }
}

/// Begins a session; refuses when somebody was faster.
pub async fn welcome(
    deps: &Deps,
    headers: &HeaderMap,
    shown: Shown<'_>,
    refused: impl FnOnce() -> Response,
) -> Result<Response, Failure> {
    match session::begin(deps, headers, shown).await {
        Ok(cookie) => Ok(go("/", &[cookie, ask_link::forgotten(deps.secure_cookies)])),
        Err(LinkError::Store(StoreError::Conflict)) => Ok(refused()),
        Err(error) => Err(error.into()),
    }
}

/// The page for a client that tries too often; nothing for the others, who are counted.
pub async fn too_often(deps: &Deps, extensions: &Extensions) -> Result<Option<Response>, Failure> {
    let client = client::counted_as(extensions);
    let Allowed::After(seconds) = deps.table.allow(CLIENT, &client, deps.clock.now()).await? else {
        return Ok(None);
    };
    let minutes = seconds.div_ceil(60);
    let text = format!("Too many attempts came from your network. Try again in {minutes} minutes.");
    let mut response = html::message(StatusCode::TOO_MANY_REQUESTS, "Not so fast", &text);
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    Ok(Some(response))
}

/// `POST /sign-out`
pub async fn out(State(deps): State<Deps>, headers: HeaderMap) -> Result<Response, Failure> {
    let now = deps.clock.now();
    if let Some(signed_in) = auth::session(&deps.table, &headers, now).await? {
        let session = signed_in.session;
        let entry = Entry::new(Action::SignedOut, &session.id, &session.author, now)?;
        match deps.table.recording(&session.workspace_id, &entry).end_session(&session).await {
            Ok(()) | Err(StoreError::Conflict) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(go("/sign-in", &[session::ended(deps.secure_cookies)]))
}

/// Sends the browser to another page.
pub fn go(to: &str, cookies: &[String]) -> Response {
    let mut response = (StatusCode::SEE_OTHER, [(header::LOCATION, to)]).into_response();
    for cookie in cookies.iter().filter_map(|cookie| cookie.parse().ok()) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

/// The form, once more.
pub fn again(deps: &Deps, status: StatusCode, trouble: Option<Trouble>) -> Response {
    html::page(status, &SignIn { trouble, issuer: deps.oidc.as_ref().map(Oidc::name) })
}
