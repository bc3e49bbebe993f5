//! Signing in with an OpenID Connect issuer: authorization code with PKCE.
//!
//! What belongs to an attempt (state, nonce, PKCE verifier) lies in a cookie of the browser that began it, for ten minutes
//! and one use; an answer that comes to another browser is refused. Only addresses that the issuer has verified and that
//! are members' get in: the issuer says who somebody is, and the workspace whether they may.

mod id_token;
mod issuer;

use axum::{
    extract::{Query, State, rejection::QueryRejection},
    response::Response,
};
use barometer_cloud::{http::auth, lambda::Chain};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{Extensions, HeaderMap, StatusCode};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::{
    Deps, ask_link, cookies,
    html::{self, Failure},
    pages,
    session::{self, LinkError, Shown},
    sign_in::{self, go},
};

pub use issuer::Oidc;

/// How long somebody may take at the issuer, in seconds.
const ATTEMPT: i64 = 600;

const COOKIE: &str = "barometer_oidc";
const HOST_COOKIE: &str = "__Host-barometer_oidc";

fn cookie_name(secure: bool) -> &'static str {
    if secure { HOST_COOKIE } else { COOKIE }
}

/// What an attempt to sign in is known by.
struct Attempt {
    state: String,
    nonce: String,
    verifier: String,
}

impl Attempt {
    fn new() -> Result<Self, LinkError> {
        Ok(Self { state: random()?, nonce: random()?, verifier: random()? })
    }

    fn read(text: &str) -> Option<Self> {
        let mut parts = text.split('.').map(str::to_owned);
        let attempt = Self { state: parts.next()?, nonce: parts.next()?, verifier: parts.next()? };
        let whole = [&attempt.state, &attempt.nonce, &attempt.verifier].iter().all(|part| part.len() == 43);
        (whole && parts.next().is_none()).then_some(attempt)
    }

    fn text(&self) -> String {
        format!("{}.{}.{}", self.state, self.nonce, self.verifier)
    }

    /// The challenge of the method S256 (RFC 7636, 4.2).
    fn challenge(&self) -> String {
        URL_SAFE_NO_PAD.encode(Sha256::digest(&self.verifier))
    }
}

/// 32 bytes of randomness in 43 characters: what RFC 7636 asks of a verifier.
fn random() -> Result<String, LinkError> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

fn redirect(deps: &Deps, headers: &HeaderMap) -> String {
    format!("{}/sign-in/oidc/callback", pages::own_origin(deps, headers))
}

/// `GET /sign-in/oidc`: to the issuer.
pub async fn begin(State(deps): State<Deps>, headers: HeaderMap) -> Result<Response, Failure> {
    let Some(oidc) = &deps.oidc else { return Ok(pages::not_found().await) };
    let description = match oidc.description(deps.clock.now()).await {
        Ok(description) => description,
        Err(error) => {
            tracing::error!(error = %Chain(&error), "the OpenID Connect issuer can't be asked");
            return Ok(not_now());
        }
    };
    let attempt = Attempt::new()?;
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("response_type", "code")
        .append_pair("client_id", &oidc.settings.client_id)
        .append_pair("redirect_uri", &redirect(&deps, &headers))
        .append_pair("scope", "openid email")
        .append_pair("state", &attempt.state)
        .append_pair("nonce", &attempt.nonce)
        .append_pair("code_challenge", &attempt.challenge())
        .append_pair("code_challenge_method", "S256")
        .finish();
    let endpoint = &description.authorization_endpoint;
    let joint = if endpoint.contains('?') { '&' } else { '?' };
    let name = cookie_name(deps.secure_cookies);
    let cookie = cookies::set(name, &attempt.text(), ATTEMPT, deps.secure_cookies);
    Ok(go(&format!("{endpoint}{joint}{query}"), &[cookie]))
}

/// What the issuer sends the browser back with.
#[derive(Deserialize)]
pub struct Answered {
    #[serde(default)]
    state: String,
    #[serde(default)]
    code: Option<String>,
}

/// `GET /sign-in/oidc/callback`: back from the issuer. Whatever comes of it, the attempt is over.
pub async fn callback(
    State(deps): State<Deps>,
    headers: HeaderMap,
    extensions: Extensions,
    answered: Result<Query<Answered>, QueryRejection>,
) -> Result<Response, Failure> {
    if deps.oidc.is_none() {
        return Ok(pages::not_found().await);
    }
    if let Some(refused) = sign_in::too_often(&deps, &extensions).await? {
        return Ok(refused);
    }
    let mut response = match answered {
        Ok(Query(answered)) => answer(&deps, &headers, answered).await?,
        Err(_) => refused(),
    };
    let over = cookies::set(cookie_name(deps.secure_cookies), "", 0, deps.secure_cookies);
    if let Ok(over) = over.parse() {
        response.headers_mut().append(http::header::SET_COOKIE, over);
    }
    Ok(response)
}

async fn answer(deps: &Deps, headers: &HeaderMap, answered: Answered) -> Result<Response, Failure> {
    let attempt = auth::cookie(headers, cookie_name(deps.secure_cookies)).and_then(Attempt::read);
    let (Some(oidc), Some(attempt)) = (&deps.oidc, attempt) else { return Ok(refused()) };
    let Answered { state, code: Some(code) } = answered else { return Ok(refused()) };
    if state != attempt.state {
        return Ok(refused());
    }
    let now = deps.clock.now();
    let back = redirect(deps, headers);
    let email = match oidc.exchange(&code, &back, &attempt.verifier, &attempt.nonce, now).await {
        Ok(email) => email,
        Err(error) => {
            // What it was doesn't name the person.
            tracing::warn!(error = %Chain(&error), "nobody is signed in by the OpenID Connect issuer");
            return Ok(refused());
        }
    };
    let members = deps.table.memberships(&email).await?;
    match members.as_slice() {
        [] => Ok(html::message(
            StatusCode::FORBIDDEN,
            "You aren’t a member",
            "The issuer knows you, and your e-mail address is no member’s here. Ask an admin of your workspace to add it.",
        )),
        [only] => sign_in::welcome(deps, headers, Shown::Issuer(only), refused).await,
        _ => {
            // Which workspace is chosen behind a link for this browser, as after a mail.
            let browser = ask_link::remember(deps, headers)?;
            let code = session::new_code(&deps.table, &email, None, Some(browser.hash()), now).await?;
            Ok(go(&session::link("", &code), &[browser.cookie(deps.secure_cookies)]))
        }
    }
}

fn not_now() -> Response {
    let text =
        "The issuer can’t be reached at the moment. Try again in a while, or have a link mailed to you.";
    html::message(StatusCode::BAD_GATEWAY, "That doesn’t work now", text)
}

/// One answer for whatever is wrong; the log says what it was.
fn refused() -> Response {
    let text = "That didn’t sign you in: it took too long, was begun in another browser, or the issuer didn’t vouch for a \
                verified e-mail address of yours. Begin again.";
    html::message(StatusCode::FORBIDDEN, "Not signed in", text)
}
