//! Any text is an instant in bounds, or none.

use chrono::Timelike;
use ingest_events::time::{self, AHEAD, Times};

use super::received;

/// A timestamp, a line feed, and when it was sent.
pub fn check(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let (timestamp, sent) = text.split_once('\n').unwrap_or((text, ""));
    if let Some(at) = time::parse(timestamp) {
        assert_eq!(at.nanosecond() % 1_000_000, 0, "whole milliseconds");
        let again = at.to_rfc3339_opts(chrono::SecondsFormat::Millis, true);
        // RFC 3339 has years of four digits.
        if again.len() == 24 && !again.starts_with(['-', '+']) {
            assert_eq!(time::parse(&again), Some(at), "{again}");
        }
        assert_eq!(time::parse(&format!(" {timestamp}\t")), Some(at));
    }
    for from_device in [false, true] {
        let times = Times { timestamp: Some(timestamp), sent_at: Some(sent), from_device };
        let (at, oddity) = time::instant(times, received());
        assert!(at <= received() + AHEAD, "{at} lies ahead");
        assert_eq!(at.nanosecond() % 1_000_000, 0, "whole milliseconds");
        assert_eq!(time::instant(times, received()), (at, oddity), "reading twice");
        if oddity.is_some() {
            assert_eq!(
                at.timestamp_millis(),
                received().timestamp_millis(),
                "what can't be used is the arrival"
            );
        }
    }
}
