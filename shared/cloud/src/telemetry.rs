//! Logs as flat JSON lines on standard output, each with the call and the matter that it belongs to
//! ([`crate::invocation`]). No e-mail addresses, names, tokens or bodies.

mod flat;

use tracing::level_filters::LevelFilter;
use tracing_subscriber::{filter::Targets, layer::SubscriberExt, util::SubscriberInitExt};

pub use flat::Flat;

/// Starts logging for a Lambda function: JSON, no time stamps (the service adds them), levels by target from `RUST_LOG`
/// (such as `info,hyper=warn`), `info` by default. A panic is a line, too, with its place and without its words, which may hold
/// what a user sent. Calling it twice does nothing.
pub fn init() {
    let wanted = std::env::var("RUST_LOG").ok().and_then(|wanted| wanted.parse().ok());
    // Plain targets: filtering by fields and spans would bring a regular expression engine into every package.
    let targets = wanted.unwrap_or_else(|| Targets::new().with_default(LevelFilter::INFO));
    let lines = tracing_subscriber::fmt::layer().event_format(Flat);
    let started = tracing_subscriber::registry().with(lines).with(targets).try_init();
    if started.is_ok() {
        std::panic::set_hook(Box::new(|panic| {
            let place = panic.location().map(ToString::to_string).unwrap_or_default();
            tracing::error!(place, "panicked");
        }));
    }
}
