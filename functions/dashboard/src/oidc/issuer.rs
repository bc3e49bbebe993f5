//! The issuer as we call it: its description and its keys, kept for an hour, and the exchange of a code for a token.

use std::{
    net::IpAddr,
    sync::{Arc, OnceLock},
    time::Duration,
};

use barometer_cloud::config::OidcSettings;
use barometer_domain::email::EmailAddress;
use barometer_webhook::{Https, to_trusted};
use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use http::{HeaderValue, Method, Request, Uri, header};
use http_body_util::{BodyExt, Full, Limited};
use serde::{Deserialize, de::DeserializeOwned};
use tokio::sync::Mutex;

use super::id_token::{self, Expected, Keys, Refusal};

/// How long what an issuer says of itself is kept.
const KEPT: TimeDelta = TimeDelta::hours(1);
/// How old the keys must be before they are read again because one is missing: a forged token makes no traffic.
const AGAIN: TimeDelta = TimeDelta::minutes(1);
/// Time for connecting.
const CONNECT: Duration = Duration::from_secs(2);
/// Time for a whole call.
const WHOLE: Duration = Duration::from_secs(4);
/// Most bytes of an answer.
const MOST_READ: usize = 256 * 1_024;

/// Why nobody is known by an issuer's word.
#[derive(Debug, thiserror::Error)]
pub enum OidcError {
    /// The machine has no root certificates.
    #[error("no root certificates")]
    NoRoots(#[source] std::io::Error),
    /// It took too long.
    #[error("the issuer doesn't answer in time")]
    TimedOut,
    /// It can't be called.
    #[error("the issuer can't be called")]
    Call(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// It answered something else.
    #[error("the issuer answered {0}")]
    Status(u16),
    /// Its answer can't be read.
    #[error("the issuer's answer can't be read")]
    Answer(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Its description is another's, or leads to where no secret may go.
    #[error("the issuer's description isn't right: {0}")]
    Description(&'static str),
    /// The token isn't believed.
    #[error("the ID token is refused: {0}")]
    Token(#[from] Refusal),
}

/// What an issuer says of itself (OpenID Connect Discovery 1.0).
#[derive(Debug, Clone, Deserialize)]
pub struct Description {
    issuer: String,
    pub authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
    #[serde(default)]
    token_endpoint_auth_methods_supported: Vec<String>,
}

#[derive(Debug, Clone)]
struct Known {
    description: Description,
    keys: Keys,
    read_at: DateTime<Utc>,
}

/// What a code is exchanged for.
#[derive(Deserialize)]
struct Tokens {
    id_token: String,
}

/// An issuer that members may sign in with. Clones share what is known of it.
#[derive(Debug, Clone)]
pub struct Oidc {
    pub(super) settings: OidcSettings,
    https: Arc<OnceLock<Https>>,
    known: Arc<Mutex<Option<Known>>>,
}

/// Whether secrets may be sent there: by HTTPS, or within this machine.
fn may_be_called(url: &str) -> bool {
    let Ok(uri) = url.parse::<Uri>() else { return false };
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
    match uri.scheme_str() {
        Some("https") => !host.is_empty(),
        Some("http") => host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback()),
        _ => false,
    }
}

impl Oidc {
    /// An issuer by its settings. Nothing is called before somebody signs in.
    pub fn new(settings: OidcSettings) -> Self {
        Self { settings, https: Arc::default(), known: Arc::default() }
    }

    /// What people call it: the host of its address.
    pub fn name(&self) -> &str {
        let issuer = &self.settings.issuer;
        let rest = issuer.split_once("://").map_or(issuer.as_str(), |(_, rest)| rest);
        rest.split('/').next().unwrap_or(rest)
    }

    /// What it says of itself. Errors: `OidcError`.
    pub async fn description(&self, now: DateTime<Utc>) -> Result<Description, OidcError> {
        Ok(self.known(now, KEPT).await?.description)
    }

    /// Exchanges a code for the verified address of who signed in. Errors: `OidcError`.
    pub async fn exchange(
        &self,
        code: &str,
        redirect: &str,
        verifier: &str,
        nonce: &str,
        now: DateTime<Utc>,
    ) -> Result<EmailAddress, OidcError> {
        let known = self.known(now, KEPT).await?;
        let redemption = self.redemption(&known.description, code, redirect, verifier)?;
        let Tokens { id_token } = self.call(redemption).await?;
        let OidcSettings { issuer, client_id, .. } = &self.settings;
        let expected = Expected { issuer, client_id, nonce };
        match id_token::verify(&id_token, &known.keys, expected, now) {
            // The issuer may have new keys.
            Err(Refusal::UnknownKey) if now - known.read_at >= AGAIN => {
                let keys = self.known(now, AGAIN).await?.keys;
                Ok(id_token::verify(&id_token, &keys, expected, now)?)
            }
            verified => Ok(verified?),
        }
    }

    /// What is known, read anew when it is older than that.
    async fn known(&self, now: DateTime<Utc>, older: TimeDelta) -> Result<Known, OidcError> {
        let mut known = self.known.lock().await;
        if let Some(known) = known.as_ref().filter(|known| now - known.read_at < older) {
            return Ok(known.clone());
        }
        let issuer = &self.settings.issuer;
        let url = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
        let description: Description = self.get(&url).await?;
        if description.issuer != *issuer {
            return Err(OidcError::Description("it names another issuer"));
        }
        let leads_to =
            [&description.authorization_endpoint, &description.token_endpoint, &description.jwks_uri];
        if !leads_to.into_iter().all(|url| may_be_called(url)) {
            return Err(OidcError::Description("it leads to an address that isn't https://"));
        }
        let keys = self.get(&description.jwks_uri).await?;
        Ok(known.insert(Known { description, keys, read_at: now }).clone())
    }

    /// The request that exchanges a code for tokens.
    fn redemption(
        &self,
        issuer: &Description,
        code: &str,
        redirect: &str,
        verifier: &str,
    ) -> Result<Request<Full<Bytes>>, OidcError> {
        let OidcSettings { client_id, client_secret, .. } = &self.settings;
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("grant_type", "authorization_code")
            .append_pair("code", code)
            .append_pair("redirect_uri", redirect)
            .append_pair("code_verifier", verifier);
        let methods = &issuer.token_endpoint_auth_methods_supported;
        // Basic unless the issuer says that it takes something else only (Discovery 1.0, 3).
        let basic = methods.is_empty() || methods.iter().any(|method| method == "client_secret_basic");
        let mut request = Request::builder().method(Method::POST).uri(&issuer.token_endpoint);
        if basic {
            // Both parts are form-encoded first (RFC 6749, 2.3.1).
            let part = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
            let pair = format!("{}:{}", part(client_id), part(client_secret));
            request = request.header(header::AUTHORIZATION, format!("Basic {}", STANDARD.encode(pair)));
        } else {
            form.append_pair("client_id", client_id).append_pair("client_secret", client_secret);
        }
        request
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Full::new(Bytes::from(form.finish())))
            .map_err(|error| OidcError::Call(error.into()))
    }

    async fn get<T: DeserializeOwned>(&self, url: &str) -> Result<T, OidcError> {
        if !may_be_called(url) {
            return Err(OidcError::Description("its address isn't https://"));
        }
        let request = Request::get(url).body(Full::default());
        self.call(request.map_err(|error| OidcError::Call(error.into()))?).await
    }

    async fn call<T: DeserializeOwned>(&self, mut request: Request<Full<Bytes>>) -> Result<T, OidcError> {
        let https = self.https()?;
        request.headers_mut().insert(header::ACCEPT, HeaderValue::from_static("application/json"));
        let called = async {
            let answer = https.request(request).await.map_err(|error| OidcError::Call(error.into()))?;
            let status = answer.status();
            if !status.is_success() {
                return Err(OidcError::Status(status.as_u16()));
            }
            let body =
                Limited::new(answer.into_body(), MOST_READ).collect().await.map_err(OidcError::Answer)?;
            serde_json::from_slice(&body.to_bytes()).map_err(|error| OidcError::Answer(error.into()))
        };
        tokio::time::timeout(WHOLE, called).await.map_err(|_| OidcError::TimedOut)?
    }

    /// The client below, made when it is first needed: reading the machine's root certificates takes milliseconds. It
    /// follows no redirect.
    fn https(&self) -> Result<&Https, OidcError> {
        if let Some(https) = self.https.get() {
            return Ok(https);
        }
        let https = to_trusted(CONNECT).map_err(OidcError::NoRoots)?;
        Ok(self.https.get_or_init(|| https))
    }
}

#[cfg(test)]
mod tests {
    use super::may_be_called;

    #[test]
    fn secrets_go_by_https_or_stay_on_this_machine() {
        for (url, may) in [
            ("https://login.example.com/token", true),
            ("http://127.0.0.1:9000/token", true),
            ("http://[::1]:9000/token", true),
            ("http://login.example.com/token", false),
            ("http://localhost.evil.example/token", false),
            ("ftp://login.example.com", false),
            ("login.example.com", false),
            ("", false),
        ] {
            assert_eq!(may_be_called(url), may, "{url}");
        }
    }
}
