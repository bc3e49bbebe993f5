//! Jitsu's wire format: Segment's, one call a request, with the type in the path.
//!
//! Its one library runs in browsers and on servers. Which of both it is stands in the path (`/api/s/s2s/` is from
//! server to server) or in `context.library.env`; it decides whether the clock is believed.

use crate::{
    event::Kind,
    fields::{Around, Read},
    segment,
};

/// Where a path below `/api/s/` leads: whether a server sends there, and the type that it names. Nothing for paths
/// that no client calls.
pub fn path(rest: &str) -> Option<(bool, Option<Kind>)> {
    let (server, name) = match rest.strip_prefix("s2s/") {
        Some(name) => (true, name),
        None => (false, rest),
    };
    match name {
        // An event that says its type itself, or several.
        "event" | "batch" => Some((server, None)),
        "track" | "page" | "screen" | "identify" | "group" | "alias" => Some((server, Kind::parse(name))),
        _ => None,
    }
}

/// Reads one event from its JSON. `server`: it came to a path for servers.
pub fn event(text: &str, around: Around<'_>, server: bool) -> Read {
    segment::event(text, Around { from_server: server, ..around })
}
