//! The JSON test suite, as whole bodies and as a property's value, posted to a running home: what is valid is stored,
//! what isn't is refused with a reason or repaired, and nothing is read by half or answered with 5xx.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::home::{Running, read, text};

/// Invalid values that the tolerant pass makes valid, since real clients send them.
const REPAIRED: [&str; 4] = ["n_number_-NaN", "n_number_NaN", "n_number_infinity", "n_number_minus_infinity"];

fn suite() -> BTreeMap<String, Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/published/json-test-suite");
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut suite: BTreeMap<String, Vec<u8>> = files
        .filter(|file| file.extension().is_some_and(|kind| kind == "json"))
        .map(|file| (file.file_stem().unwrap().to_str().unwrap().to_owned(), fs::read(&file).unwrap()))
        .collect();
    suite.insert("n_structure_100000_opening_arrays".to_owned(), b"[".repeat(100_000));
    suite.insert("n_structure_open_array_object".to_owned(), br#"[{"":"#.repeat(50_000));
    assert_eq!(suite.len(), 318);
    suite
}

async fn post(running: &Running, path: &str, body: Vec<u8>) -> (StatusCode, Value, String) {
    let bearer = format!("Bearer {}", running.keys.write_key);
    let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
    let answer = running.client.send(Method::POST, path, &headers, body).await.unwrap();
    (answer.status, read(&answer), text(&answer))
}

/// Whether the body was taken; a refusal must be a 4xx that says why.
fn taken(case: &str, status: StatusCode, body: &Value, text: &str) -> bool {
    if status == StatusCode::OK {
        assert_eq!(body["success"], true, "{case}: {text}");
        return true;
    }
    assert!(status.is_client_error(), "{case}: {text}");
    for member in ["type", "title", "detail", "code", "message", "error"] {
        assert!(body[member].is_string(), "{case}: no {member} in {text}");
    }
    assert_eq!((&body["code"], &body["status"]), (&json!("malformed_body"), &json!(400)), "{case}");
    false
}

#[tokio::test(flavor = "multi_thread")]
async fn as_whole_bodies() {
    let running = Running::start("2026-09-02T00:00:00Z", "Etc/UTC").await;
    let mut repaired = BTreeSet::new();
    for (name, content) in suite() {
        for path in ["/v1/batch", "/v1/track"] {
            let (status, body, text) = post(&running, path, content.clone()).await;
            let taken = taken(&name, status, &body, &text);
            if taken {
                assert_eq!(body["accepted"], 0, "none of them is an event: {name}: {text}");
            }
            if taken && name.starts_with("n_") {
                repaired.insert(name.clone());
            }
            let is_array = content.trim_ascii().starts_with(b"[");
            if name.starts_with("y_") && (is_array || path == "/v1/track") {
                assert!(taken, "{name} is valid: {text}");
            }
        }
    }
    assert_eq!(repaired, REPAIRED.map(str::to_owned).into());
    running.home.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn as_a_propertys_value() {
    let running = Running::start("2026-09-02T00:00:00Z", "Etc/UTC").await;
    let mut repaired = BTreeSet::new();
    let mut users = 0;
    for (name, content) in suite() {
        let event = |place: &str, value: &[u8]| {
            let head = format!(
                r#"{{"type":"track","event":"Opened","userId":"{place} {name}","messageId":"{place} {name}","context":{{"groupId":"acme"}},"properties":{{"before":1,"value":"#
            );
            [head.as_bytes(), value, br#","feature":"export"}}"#].concat()
        };
        let parts = [b"{\"batch\":[".to_vec(), event("1", b"{}"), event("2", &content), event("3", b"[]")];
        let parts = [&parts[0][..], &parts[1], b",", &parts[2], b",", &parts[3], b"]}"];
        let (status, body, text) = post(&running, "/v1/batch", parts.concat()).await;
        if taken(&name, status, &body, &text) {
            assert_eq!((&body["accepted"], &body["rejected"]), (&json!(3), &json!(0)), "{name}: {text}");
            users += 3;
            if name.starts_with("n_") {
                repaired.insert(name);
            }
        } else {
            assert!(!name.starts_with("y_"), "{name} is valid: {text}");
        }
    }
    assert_eq!(repaired, REPAIRED.map(str::to_owned).into());
    assert!(users >= 3 * 95, "{users}");
    // Every accepted event is stored, and nothing of a request that was refused.
    running.clock("2026-09-07T01:00:00Z").await;
    let weeks = running.get("/v1/companies/acme/weeks").await;
    assert_eq!(weeks["items"][0]["components"]["login"]["counts"]["active_users"], users);
    running.home.stop().await;
}
