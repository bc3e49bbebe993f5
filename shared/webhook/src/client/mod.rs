//! The call: one POST to an endpoint that somebody else runs and that may be anything.
//!
//! Every call resolves its host anew, drops addresses that it may not reach, and connects to what is left: there is no
//! moment between check and use in which a name could be made to lead elsewhere, and no connection is kept for the next
//! call. Redirects aren't followed, so nothing else is ever reached; proxies of the environment aren't asked.

mod failure;
mod resolver;
#[cfg(test)]
mod tests;

use std::{
    fmt,
    net::IpAddr,
    sync::{Arc, OnceLock},
    time::Duration,
};

use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use http::{
    HeaderMap, HeaderValue, Method, Request, Response, StatusCode,
    header::{CONTENT_TYPE, LOCATION, RETRY_AFTER, USER_AGENT},
};
use http_body_util::{BodyExt, Full};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{self, connect::HttpConnector},
    rt::TokioExecutor,
};

use crate::{
    address::is_public,
    destination::{Destination, Reach},
    sign::{self, MessageId, Secrets},
};
pub use failure::Reason;
use resolver::{Checked, Lookup};

/// Time for connecting to the host's addresses, all of them together.
const CONNECT: Duration = Duration::from_secs(3);

/// Time for the whole call, from looking up the name to the end of the answer.
const WHOLE: Duration = Duration::from_secs(10);

/// The most of an answer that is read, head and body each, in bytes.
const MOST_READ: usize = 16 * 1_024;

const AGENT: HeaderValue = HeaderValue::from_static(concat!("Barometer/", env!("CARGO_PKG_VERSION")));
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// What became of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The receiver took it: it answered with 2xx.
    Delivered {
        /// The answer's status.
        status: u16,
    },
    /// It was not delivered, or nobody knows.
    Failed {
        /// Why.
        reason: Reason,
        /// The endpoint is gone for good (410) and wants no further calls: it is to be disabled.
        permanent: bool,
        /// How long the receiver asks to wait (`Retry-After` in seconds; the form with a date isn't read).
        retry_after: Option<TimeDelta>,
    },
}

impl Outcome {
    /// The status of the answer, if there was one.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Delivered { status } => Some(*status),
            Self::Failed { reason, .. } => reason.status(),
        }
    }
}

impl From<Reason> for Outcome {
    fn from(reason: Reason) -> Self {
        Self::Failed { reason, permanent: false, retry_after: None }
    }
}

/// Sends webhooks. Cheap to clone; the root certificates are read at the first call.
#[derive(Clone)]
pub struct Client {
    rules: Arc<Rules>,
    https: Arc<OnceLock<Https>>,
}

/// What makes calls with bodies that are at hand.
pub type Https = legacy::Client<HttpsConnector<HttpConnector<Checked>>, Full<Bytes>>;

/// An HTTPS client to addresses that this program was set up with, which may be plain HTTP and lie anywhere. Connecting may take
/// `connect`. It keeps no connection and follows no redirect.
///
/// # Errors
/// When the machine has no root certificates, which are read here: that takes milliseconds.
pub fn to_trusted(connect: Duration) -> std::io::Result<Https> {
    client(Checked::new(resolver::system(), |_| true), connect, true)
}

/// A client that connects to what its resolver gives it; `plain` HTTP only where it says so.
fn client(resolver: Checked, connect: Duration, plain: bool) -> std::io::Result<Https> {
    let mut http = HttpConnector::new_with_resolver(resolver);
    http.enforce_http(false);
    http.set_connect_timeout(Some(connect));
    let builder = HttpsConnectorBuilder::new()
        .with_provider_and_native_roots(rustls::crypto::ring::default_provider())?;
    let builder = if plain { builder.https_or_http() } else { builder.https_only() };
    Ok(legacy::Client::builder(TokioExecutor::new())
        .pool_max_idle_per_host(0)
        .retry_canceled_requests(false)
        .http1_max_buf_size(MOST_READ)
        .build(builder.enable_http1().wrap_connector(http)))
}

/// What a client may do, and for how long.
struct Rules {
    reach: Reach,
    /// The addresses that may be connected to; as `reach` says, except in tests of names that change their address.
    permits: fn(IpAddr) -> bool,
    lookup: Lookup,
    connect: Duration,
    whole: Duration,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("reach", &self.rules.reach).finish_non_exhaustive()
    }
}

impl Client {
    /// A client that goes where `reach` says.
    pub fn new(reach: Reach) -> Self {
        let permits = if reach.is_anywhere() { |_| true } else { is_public };
        Self::with(Rules { reach, permits, lookup: resolver::system(), connect: CONNECT, whole: WHOLE })
    }

    fn with(rules: Rules) -> Self {
        Self { rules: Arc::new(rules), https: Arc::default() }
    }

    /// Where this client goes.
    pub fn reach(&self) -> Reach {
        self.rules.reach
    }

    /// Sends a signed event to an endpoint of the kind `standard`. `id` is that of the message, the same at every attempt;
    /// `at` is the time of this attempt.
    pub async fn send_event(
        &self,
        url: &str,
        secrets: &Secrets,
        id: &MessageId,
        at: DateTime<Utc>,
        body: Bytes,
    ) -> Outcome {
        match sign::headers(secrets, id, at, &body) {
            Ok(headers) => self.post(url, headers, body).await,
            Err(_) => Reason::Broken.into(),
        }
    }

    /// Sends a [`note`](crate::chat::note) to an endpoint of the kind `chat`. There is no signature: the URL is the secret.
    pub async fn send_note(&self, url: &str, note: Bytes) -> Outcome {
        self.post(url, HeaderMap::new(), note).await
    }

    async fn post(&self, url: &str, headers: HeaderMap, body: Bytes) -> Outcome {
        let destination = match Destination::parse(url, self.rules.reach) {
            Ok(destination) => destination,
            Err(refusal) => return Reason::Refused(refusal).into(),
        };
        let Some(https) = self.https() else { return Reason::NoRoots.into() };
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = destination.uri().clone();
        *request.headers_mut() = headers;
        request.headers_mut().insert(CONTENT_TYPE, JSON);
        request.headers_mut().insert(USER_AGENT, AGENT);

        let end = tokio::time::Instant::now() + self.rules.whole;
        match tokio::time::timeout_at(end, https.request(request)).await {
            Err(_) => Reason::TimedOut.into(),
            Ok(Err(error)) => failure::of(&error).into(),
            Ok(Ok(answer)) => {
                let outcome = judge(&answer);
                // What it says doesn't matter any more, nor does its end when it comes too late. It is read because
                // a receiver may give up its work when nobody listens.
                let _ = tokio::time::timeout_at(end, drain(answer)).await;
                outcome
            }
        }
    }

    /// The client below, made when it is first needed: reading the machine's root certificates takes milliseconds, which
    /// a start that sends nothing needn't pay. Nothing when the machine has none.
    fn https(&self) -> Option<&Https> {
        if self.https.get().is_none() {
            match self.rules.client() {
                Ok(client) => {
                    // Another task may have been faster; both are the same.
                    let _ = self.https.set(client);
                }
                Err(error) => tracing::error!(%error, "no root certificates"),
            }
        }
        self.https.get()
    }
}

impl Rules {
    fn client(&self) -> std::io::Result<Https> {
        client(Checked::new(self.lookup.clone(), self.permits), self.connect, self.reach.is_anywhere())
    }
}

/// What an answer means: 2xx is delivered, 410 is gone for good, everything else is tried again.
fn judge<B>(answer: &Response<B>) -> Outcome {
    let status = answer.status();
    if status.is_success() {
        return Outcome::Delivered { status: status.as_u16() };
    }
    let redirect = status.is_redirection() && answer.headers().contains_key(LOCATION);
    let asked = answer.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse().ok());
    Outcome::Failed {
        reason: if redirect { Reason::Redirect(status.as_u16()) } else { Reason::Status(status.as_u16()) },
        permanent: status == StatusCode::GONE,
        retry_after: asked.and_then(|seconds: u32| TimeDelta::try_seconds(seconds.into())),
    }
}

/// Reads an answer to its end, or as much of it as is ever read.
async fn drain(answer: Response<impl BodyExt<Data = Bytes> + Unpin>) {
    let mut body = answer.into_body();
    let mut read = 0;
    while let Some(Ok(frame)) = body.frame().await {
        read += frame.data_ref().map_or(0, Bytes::len);
        if read >= MOST_READ {
            return;
        }
    }
}
