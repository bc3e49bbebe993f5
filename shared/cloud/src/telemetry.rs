//! Logs as flat JSON lines on standard output, each with the call and the matter that it belongs to
//! ([`crate::invocation`]). No e-mail addresses, names, tokens or bodies.

mod flat;

use tracing_subscriber::EnvFilter;

pub use flat::Flat;

/// Starts logging for a Lambda function: JSON, no time stamps (the service adds them), level from `RUST_LOG`,
/// `info` by default. Calling it twice does nothing.
pub fn init() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let _already_started = tracing_subscriber::fmt().event_format(Flat).with_env_filter(filter).try_init();
}
