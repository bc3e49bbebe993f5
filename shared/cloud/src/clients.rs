//! SDK clients: built once per process, with one shared HTTP client, one TLS stack (ring) and explicit time-outs,
//! because the SDK has none of its own.

use std::time::Duration;

use aws_credential_types::Credentials;
use aws_smithy_http_client::tls;
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

/// An HTTPS client with ring and the system's root certificates.
pub fn https_client() -> SharedHttpClient {
    aws_smithy_http_client::Builder::new()
        .tls_provider(tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring))
        .build_https()
}

/// A plain HTTP client, for loopback endpoints only.
pub fn http_client() -> SharedHttpClient {
    aws_smithy_http_client::Builder::new().build_http()
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
