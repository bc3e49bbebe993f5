//! Logs as flat JSON lines on standard output. No e-mail addresses, names, tokens or bodies.

use tracing_subscriber::EnvFilter;

/// Starts logging for a Lambda function: JSON, no time stamps (the service adds them), level from `RUST_LOG`,
/// `info` by default. Calling it twice does nothing.
pub fn init() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let _already_started = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .without_time()
        .with_env_filter(filter)
        .try_init();
}
