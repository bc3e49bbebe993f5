//! How much one request and one event may hold.

use chrono::TimeDelta;

/// The limits of reading. [`Limits::default`] holds the product's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Largest body as it comes over the wire, in bytes: 4 MiB. The largest batches of official clients reach
    /// 4 MB, and Lambda carries about 4.5 MB of binary.
    pub body_bytes: usize,
    /// Largest body after decompression, in bytes: 10 MB.
    pub inflated_bytes: usize,
    /// Largest event, in bytes of its JSON and of the context it inherits from its batch: 32 KiB. A larger one is
    /// rejected by its index.
    pub event_bytes: usize,
    /// Most events of one request. Those after them are rejected by their index.
    pub events: usize,
    /// How far back an event may lie; older ones are rejected by their index.
    pub retention: TimeDelta,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body_bytes: 4 * 1024 * 1024,
            inflated_bytes: 10_000_000,
            event_bytes: 32 * 1024,
            events: 1_000,
            retention: TimeDelta::days(90),
        }
    }
}

/// Most errors, and most warnings, that one answer lists. All are counted; a body of a million zeros mustn't
/// be answered with a million lines.
pub const MAX_LISTED: usize = 1_000;

/// Most memory that reading and answering one request takes beside its body, in bytes: 64 MiB. It is a bound for any
/// body; a test holds it for the worst that are known. The function has 512 MB.
pub const MAX_REQUEST_MEMORY: usize = 64 * 1024 * 1024;
