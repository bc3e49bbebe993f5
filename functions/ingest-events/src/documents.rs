//! The documents that browser clients fetch before they send anything.

use http::{
    HeaderMap,
    header::{HOST, HeaderName},
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// Segment's settings: send everything back to the host that was asked.
pub fn settings(key: &str, headers: &HeaderMap) -> Value {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    // Without a proxy in front, which names the scheme, the request came over plain HTTP.
    let protocol = match text(FORWARDED_PROTO).and_then(|all| all.split(',').next()).map(str::trim) {
        Some("https") => "https",
        _ => "http",
    };
    let host = text(HOST).unwrap_or("localhost");
    json!({
        "integrations": {
            "Segment.io": { "apiKey": key, "apiHost": format!("{host}/v1"), "protocol": protocol },
        },
    })
}

/// RudderStack's source configuration: enabled, nothing else to load. Which workspace a key belongs to is nothing a
/// browser needs, so the ids are the key's hash.
pub fn source_config(key: &str) -> Value {
    let id: String =
        Sha256::digest(key.as_bytes()).iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    json!({
        "source": {
            "id": id,
            "name": "Barometer",
            "writeKey": key,
            "enabled": true,
            "workspaceId": id,
            "config": {},
            "destinations": [],
        },
    })
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn the_document_points_to_the_host_that_was_asked() {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, HeaderValue::from_static("127.0.0.1:8080"));
        let plain = settings("wk", &headers);
        assert_eq!(
            plain,
            json!({"integrations":{"Segment.io":{"apiKey":"wk","apiHost":"127.0.0.1:8080/v1","protocol":"http"}}})
        );
        headers.insert(FORWARDED_PROTO, HeaderValue::from_static("https"));
        assert_eq!(settings("wk", &headers)["integrations"]["Segment.io"]["protocol"], "https");
    }

    #[test]
    fn the_source_is_enabled() {
        let source = &source_config("wk")["source"];
        assert_eq!(source["enabled"], true);
        assert_eq!(source["writeKey"], "wk");
        assert_eq!(source["destinations"], json!([]));
    }
}
