//! The write key of any headers and query.

use ingest_events::key;

use super::{Message, Target};

/// A key is never blank, whatever stands around it, and never changes from one reading to the next.
pub fn check(input: &[u8]) {
    let message = Message::parse(input, Target::Key.paths());
    let found = key::of_request(&message.headers, message.uri.query());
    assert_eq!(key::of_request(&message.headers, message.uri.query()), found, "reading twice");
    let Some(found) = found else { return };
    assert!(!found.trim().is_empty() && found.trim() == found, "{found:?}");
    let present = |name: &str| message.headers.contains_key(name);
    if !present("authorization") && !present("x-write-key") {
        assert!(message.uri.query().is_some(), "a key from nowhere: {found:?}");
    }
}
