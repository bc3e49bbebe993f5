//! A small HTTP client for a home, or for a deployment by its HTTPS address: no redirects. Clones share their
//! connections.

use aws_smithy_http_client::{Connector, tls};
use aws_smithy_runtime_api::client::http::{HttpConnector, SharedHttpConnector};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};
use http_body_util::BodyExt;
use thiserror::Error;

/// Why there is no answer.
#[derive(Debug, Error)]
pub enum ClientError {
    /// Not the address of a home.
    #[error("{0:?} is not the address of a home, such as http://127.0.0.1:8080")]
    Url(String),
    /// No home answers there.
    #[error("no home answers at {url}")]
    Unreachable {
        /// Where.
        url: String,
        /// Why.
        source: ConnectorError,
    },
    /// The answer broke off.
    #[error("the answer of {url} broke off")]
    Broken {
        /// Where.
        url: String,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// A client of one home.
#[derive(Debug, Clone)]
pub struct Client {
    base: String,
    connector: SharedHttpConnector,
}

/// An answer, read to its end.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The HTTP status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

impl Client {
    /// A client for what answers at `base`, such as `http://127.0.0.1:8080`.
    #[must_use]
    pub fn new(base: &str) -> Self {
        let builder = Connector::builder();
        // Loading the system's certificates takes time, which a home on this machine needn't spend.
        let connector = if base.starts_with("https://") {
            builder.tls_provider(tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring)).build()
        } else {
            builder.build_http()
        };
        Self { base: base.trim_end_matches('/').to_owned(), connector: SharedHttpConnector::new(connector) }
    }

    /// Sends one request and reads the answer.
    ///
    /// # Errors
    /// When the address isn't one or nobody answers there; any HTTP status is an answer.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&'static str, &str)],
        body: impl Into<SdkBody>,
    ) -> Result<Answer, ClientError> {
        let wrong = || ClientError::Url(self.base.clone());
        if !self.base.starts_with("http://") && !self.base.starts_with("https://") {
            return Err(wrong());
        }
        let mut request = HttpRequest::new(body.into());
        request.set_method(method.as_str()).map_err(|_| wrong())?;
        request.set_uri(format!("{}{path}", self.base)).map_err(|_| wrong())?;
        for (name, value) in headers {
            request.headers_mut().try_insert(*name, (*value).to_owned()).map_err(|_| wrong())?;
        }
        let response = self
            .connector
            .call(request)
            .await
            .map_err(|source| ClientError::Unreachable { url: self.base.clone(), source })?;
        let status = StatusCode::from_u16(response.status().as_u16()).map_err(|_| wrong())?;
        let headers = response
            .headers()
            .iter()
            .filter_map(|(name, value)| Some((name.parse().ok()?, value.parse().ok()?)))
            .collect::<Vec<(http::HeaderName, http::HeaderValue)>>();
        let body = response
            .into_body()
            .collect()
            .await
            .map_err(|source| ClientError::Broken { url: self.base.clone(), source })?;
        Ok(Answer { status, headers: headers.into_iter().collect(), body: body.to_bytes() })
    }
}
