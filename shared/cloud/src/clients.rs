//! SDK clients: built once per process, with one shared HTTP client, one TLS stack (ring) and explicit time-outs,
//! because the SDK has none of its own.

use std::time::Duration;

use aws_credential_types::Credentials;
use aws_smithy_http_client::tls::{self, TlsContext, TrustStore};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_types::{retry::RetryConfig, timeout::TimeoutConfig};

use crate::metering;

/// What every client is built from.
#[derive(Debug, Clone)]
pub struct Aws {
    /// The region, such as `eu-central-1`.
    pub region: String,
    /// The function's credentials.
    pub credentials: Credentials,
    /// Another endpoint than AWS's, for the one-machine home and tests.
    pub endpoint_url: Option<String>,
    /// The shared HTTP client.
    pub http_client: SharedHttpClient,
}

/// Whom an HTTPS client trusts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Roots {
    /// Amazon's own five, which this program has with it.
    Amazon,
    /// Those of the system, or of `SSL_CERT_FILE`.
    System,
    /// Nobody: for plain endpoints, where nothing is checked.
    None,
}

impl Roots {
    /// What AWS's endpoints in a region are checked against. Reading the system's roots is most of what a function does
    /// before its first call, and endpoints in AWS's commercial regions (`eu-central-1`) lead to Amazon's. Whose leads
    /// elsewhere isn't ours to know: other partitions (`cn-north-1`, `us-gov-west-1`, `eusc-de-east-1`), endpoints
    /// that somebody named, and a machine that was given certificates of its own are checked against the system's. At a
    /// plain endpoint there is nothing to check.
    pub fn of(region: &str, own_endpoint: Option<&str>, own_certificates: bool) -> Self {
        let commercial = region.split('-').count() == 3 && !region.starts_with("cn-");
        match own_endpoint {
            Some(url) if url.starts_with("http://") => Self::None,
            None if commercial && !own_certificates => Self::Amazon,
            _ => Self::System,
        }
    }

    fn store(self) -> TrustStore {
        match self {
            Self::Amazon => TrustStore::empty().with_pem_certificate(&include_bytes!("amazon-roots.pem")[..]),
            Self::System => TrustStore::default(),
            Self::None => TrustStore::empty(),
        }
    }
}

/// An HTTP client, with ring for HTTPS. One kind for both: each kind is a whole client in every package.
pub fn https_client(roots: Roots) -> SharedHttpClient {
    let builder = aws_smithy_http_client::Builder::new()
        .tls_provider(tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring));
    // The builder can't fail with a store that is there.
    match TlsContext::builder().with_trust_store(roots.store()).build() {
        Ok(context) => builder.tls_context(context).build_https(),
        Err(_) => builder.build_https(),
    }
}

/// A client for loopback endpoints.
pub fn http_client() -> SharedHttpClient {
    https_client(Roots::None)
}

fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(2))
        .operation_attempt_timeout(Duration::from_secs(5))
        .operation_timeout(Duration::from_secs(15))
        .build()
}

/// The configuration of a client of one of the SDK's crates, which share its shape and not its types.
macro_rules! config {
    ($sdk:ident, $aws:expr, $retries:expr) => {{
        use $sdk::config::{BehaviorVersion, Builder, Region};
        let aws: &Aws = $aws;
        let mut config = Builder::new()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::new(aws.region.clone()))
            .credentials_provider(aws.credentials.clone())
            .http_client(aws.http_client.clone())
            .timeout_config(timeouts())
            .retry_config($retries)
            .interceptor(metering::Retries);
        config.set_endpoint_url(aws.endpoint_url.clone());
        config
    }};
}

/// How often a call to the table is tried in all.
pub const TABLE_ATTEMPTS: u32 = 6;

/// DynamoDB: throttled and failed calls are tried again, since every write of ours is idempotent. It answers in
/// milliseconds and throttles for moments, so the waits begin far below the SDK's second: a random share (the SDK's
/// jitter) of 50, 100, 200, 400 and 800 ms, which is 0.8 seconds on average. A caller that must answer in a certain
/// time sets its own limit around all of its calls.
pub fn dynamodb(aws: &Aws) -> aws_sdk_dynamodb::Client {
    let retries = RetryConfig::standard()
        .with_max_attempts(TABLE_ATTEMPTS)
        .with_initial_backoff(Duration::from_millis(50))
        .with_max_backoff(Duration::from_secs(1));
    let config = config!(aws_sdk_dynamodb, aws, retries).interceptor(metering::Units);
    aws_sdk_dynamodb::Client::from_conf(config.build())
}

/// EventBridge: consumers deduplicate by event id, so retries are harmless.
pub fn eventbridge(aws: &Aws) -> aws_sdk_eventbridge::Client {
    let config = config!(aws_sdk_eventbridge, aws, RetryConfig::standard().with_max_attempts(3));
    aws_sdk_eventbridge::Client::from_conf(config.build())
}

/// SES: retries are off, and an attempt has five seconds. `SendEmail` has no idempotency token, and a repeated call may send a second mail.
pub fn sesv2(aws: &Aws) -> aws_sdk_sesv2::Client {
    aws_sdk_sesv2::Client::from_conf(config!(aws_sdk_sesv2, aws, RetryConfig::disabled()).build())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amazons_roots_are_for_amazons_endpoints_only() {
        for region in ["eu-central-1", "us-east-1", "ap-southeast-7", "mx-central-1"] {
            assert_eq!(Roots::of(region, None, false), Roots::Amazon, "{region}");
        }
        for region in ["cn-north-1", "us-gov-west-1", "us-iso-east-1", "eusc-de-east-1", "local", ""] {
            assert_eq!(Roots::of(region, None, false), Roots::System, "{region}");
        }
        assert_eq!(Roots::of("eu-central-1", Some("https://proxy.example.com"), false), Roots::System);
        assert_eq!(Roots::of("eu-central-1", None, true), Roots::System);
        assert_eq!(Roots::of("eu-central-1", Some("http://127.0.0.1:8000"), true), Roots::None);
    }

    #[test]
    fn amazons_roots_can_be_read() {
        let aws = Aws {
            region: "eu-central-1".to_owned(),
            credentials: Credentials::from_keys("EXAMPLE", "EXAMPLE", None),
            endpoint_url: None,
            http_client: https_client(Roots::Amazon),
        };
        // Making an SDK client reads them, and panics when one is no certificate.
        dynamodb(&aws);
        assert_eq!(include_str!("amazon-roots.pem").matches("BEGIN CERTIFICATE").count(), 5);
    }
}
