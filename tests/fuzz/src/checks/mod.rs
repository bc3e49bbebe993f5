//! What must hold for any input that a stranger can send, however broken. The fuzzers look for an input that breaks it;
//! the ordinary tests of ingest-events include this file and replay the seeds and every input that once did.
//!
//! Everything here is the reading of ingest-events, which is pure: no table, no clock.

mod body;
mod key;
mod message;
mod request;
mod seeds;
mod time;

pub use message::Message;
pub use seeds::of;

use chrono::{DateTime, Utc};

/// A fuzzer: what it feeds, and so what its input looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// A body: what surrounds the JSON, and the tolerant pass.
    Body,
    /// A [`Message`] on the paths of Segment and RudderStack.
    Segment,
    /// A [`Message`] on Jitsu's paths.
    Jitsu,
    /// A [`Message`] on PostHog's paths.
    PostHog,
    /// A [`Message`] on the path of CloudEvents.
    CloudEvents,
    /// A timestamp, a line feed and when it was sent.
    Time,
    /// A [`Message`] whose headers and query hold a key.
    Key,
}

impl Target {
    /// All fuzzers.
    pub const ALL: [Self; 7] =
        [Self::Body, Self::Segment, Self::Jitsu, Self::PostHog, Self::CloudEvents, Self::Time, Self::Key];

    /// The paths that it posts to; the first stands for any other.
    fn paths(self) -> &'static [&'static str] {
        match self {
            Self::Body | Self::Time => &[],
            Self::Segment | Self::Key => &[
                "/v1/batch",
                "/v1/import",
                "/v1/b",
                "/beacon/v1/batch",
                "/v1/track",
                "/v1/identify",
                "/v1/group",
                "/v1/page",
                "/v1/screen",
                "/v1/alias",
                "/v1/t",
                "/v1/m",
            ],
            Self::Jitsu => &[
                "/api/s/track",
                "/api/s/identify",
                "/api/s/group",
                "/api/s/page",
                "/api/s/screen",
                "/api/s/alias",
                "/api/s/s2s/track",
                "/api/s/s2s/event",
                "/api/s/s2s/batch",
                "/api/s/event",
            ],
            Self::PostHog => &["/batch", "/e", "/i/v0/e", "/capture", "/flags", "/decide"],
            Self::CloudEvents => &["/events"],
        }
    }

    /// The name of the fuzzer, of its seeds and of what it found.
    pub fn name(self) -> &'static str {
        match self {
            Self::Body => "body",
            Self::Segment => "segment",
            Self::Jitsu => "jitsu",
            Self::PostHog => "posthog",
            Self::CloudEvents => "cloudevents",
            Self::Time => "time",
            Self::Key => "key",
        }
    }

    /// Panics when the input breaks what must hold.
    pub fn check(self, input: &[u8]) {
        match self {
            Self::Body => body::check(input),
            Self::Time => time::check(input),
            Self::Key => key::check(input),
            Self::Segment | Self::Jitsu | Self::PostHog | Self::CloudEvents => request::check(self, input),
        }
    }
}

/// When every input arrives.
fn received() -> DateTime<Utc> {
    DateTime::from_timestamp_millis(1_795_300_000_123).unwrap_or_default()
}

/// Writes the seeds of a fuzzer where it looks for them.
pub fn seed(target: Target) {
    seeds::write(target);
}
