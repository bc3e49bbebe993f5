//! The body of a signed call, as Standard Webhooks recommends it: `type`, `timestamp`, `data`.

use bytes::Bytes;
use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;

#[derive(Serialize)]
struct Event<'a, T> {
    r#type: &'a str,
    timestamp: String,
    data: &'a T,
}

/// The body that tells of an event: what it is, such as `status.changed`, when it happened (not when it is sent), and
/// what it says. Errors: `data` can't be written as JSON.
pub fn body(
    kind: &str,
    happened_at: DateTime<Utc>,
    data: &impl Serialize,
) -> Result<Bytes, serde_json::Error> {
    let timestamp = happened_at.to_rfc3339_opts(SecondsFormat::AutoSi, true);
    serde_json::to_vec(&Event { r#type: kind, timestamp, data }).map(Bytes::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_has_type_timestamp_and_data() {
        let at = "2026-09-09T12:00:00Z".parse().unwrap();
        let body = body("status.changed", at, &serde_json::json!({"company_id": "acme"})).unwrap();
        let expected =
            br#"{"type":"status.changed","timestamp":"2026-09-09T12:00:00Z","data":{"company_id":"acme"}}"#;
        assert_eq!(body, &expected[..]);
    }
}
