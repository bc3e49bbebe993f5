//! Broken requests get a clear answer and lose nothing.

use std::time::{Duration, Instant};

use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::home::{Running, post, read, text};

fn track(id: &str) -> Value {
    json!({ "type": "track", "event": "Opened", "userId": "ada", "messageId": id, "timestamp": "2026-09-01T09:00:00Z",
        "context": { "groupId": "acme" } })
}

#[tokio::test(flavor = "multi_thread")]
async fn every_broken_request_is_told_what_is_wrong() {
    let running = Running::start("2026-09-02T00:00:00Z", "Etc/UTC").await;
    let good = json!({ "batch": [track("1")] }).to_string();
    let huge = "x".repeat(5 * 1024 * 1024);
    let cases = [
        (
            "not JSON",
            running.post("/v1/batch", "{\"batch\": [").await,
            StatusCode::BAD_REQUEST,
            "malformed_body",
        ),
        (
            "no key",
            running.client.send(Method::POST, "/v1/batch", &[], good.clone()).await.unwrap(),
            StatusCode::UNAUTHORIZED,
            "missing_key",
        ),
        (
            "wrong key",
            post(&running.client, "wk_nobody", "/v1/batch", good.clone()).await,
            StatusCode::UNAUTHORIZED,
            "unknown_key",
        ),
        (
            "an API token isn't a write key",
            post(&running.client, &running.keys.api_token, "/v1/batch", good.clone()).await,
            StatusCode::UNAUTHORIZED,
            "unknown_key",
        ),
        ("too large", running.post("/v1/batch", huge).await, StatusCode::PAYLOAD_TOO_LARGE, "too_large"),
        ("no such path", running.post("/v1/nothing", good.clone()).await, StatusCode::NOT_FOUND, "not_found"),
    ];
    for (case, answer, status, code) in cases {
        assert_eq!(answer.status, status, "{case}: {}", text(&answer));
        let problem = read(&answer);
        for member in ["type", "title", "status", "detail", "code", "message", "error"] {
            assert!(!problem[member].is_null(), "{case}: no {member} in {problem}");
        }
        assert_eq!(problem["code"], code, "{case}");
        assert_eq!(problem["status"], status.as_u16(), "{case}");
    }
    let write_key_on_api =
        post(&running.client, &running.keys.write_key, "/v1/settings", "{}".to_owned()).await;
    assert_ne!(write_key_on_api.status, StatusCode::OK);
    running.home.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn good_events_beside_bad_ones_are_kept_and_the_bad_ones_named() {
    let running = Running::start("2026-09-02T00:00:00Z", "Etc/UTC").await;
    let mut unknown = track("unknown");
    unknown["type"] = json!("trakc");
    let mut nobody = track("nobody");
    nobody["userId"] = Value::Null;
    let mut big = track("big");
    big["properties"] = json!({ "blob": "y".repeat(33 * 1024) });
    let mut old = track("old");
    old["timestamp"] = json!("1970-01-01T00:00:00Z");
    let mut future = track("future");
    future["timestamp"] = json!("2099-01-01T00:00:00Z");
    let mut homeless = track("homeless");
    homeless["context"] = Value::Null;
    homeless["userId"] = json!("carl");
    let batch = [track("good"), unknown, nobody, big, old, future, homeless, json!(7)];
    let answer = running.post("/v1/batch", json!({ "batch": batch }).to_string()).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", text(&answer));
    let receipt = read(&answer);
    assert_eq!(receipt["success"], true);
    assert_eq!((&receipt["accepted"], &receipt["rejected"]), (&json!(3), &json!(5)), "{receipt}");
    assert_eq!(receipt["unattributed"], 1, "an event without company is kept, not refused");
    let named: Vec<(u64, &str)> = receipt["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| (error["index"].as_u64().unwrap(), error["code"].as_str().unwrap()))
        .collect();
    assert_eq!(
        named.iter().map(|(index, _)| *index).collect::<std::collections::BTreeSet<_>>(),
        [1, 2, 3, 4, 7].into(),
        "{receipt}"
    );
    for (index, code) in [(1, "unknown_type"), (2, "missing_user"), (3, "too_large"), (4, "too_old")] {
        assert!(named.contains(&(index, code)), "{receipt}");
    }
    assert_eq!(receipt["warnings"][0]["index"], 5, "2099 counts as arrived now: {receipt}");
    // Ada's good event and the one from 2099 are there; both lie in this week.
    running.clock("2026-09-07T01:00:00Z").await;
    let weeks = running.get("/v1/companies/acme/weeks").await;
    assert_eq!(weeks["items"][0]["components"]["login"]["counts"]["active_users"], 1);
    running.home.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_of_600_kilobytes_is_taken() {
    let running = Running::start("2026-09-02T00:00:00Z", "Etc/UTC").await;
    let events: Vec<Value> = (0..100)
        .map(|index| {
            let mut event = track(&format!("m{index}"));
            event["properties"] = json!({ "text": "z".repeat(6_000) });
            event
        })
        .collect();
    let body = json!({ "batch": events }).to_string();
    assert!(body.len() > 600_000);
    let answer = running.post("/v1/batch", body).await;
    assert_eq!(read(&answer)["accepted"], 100, "{}", text(&answer));
    running.home.stop().await;
}

/// A home whose table has a fault, after a request that must be refused in time and one after the fault's end.
async fn refused_and_sent_again(fault: Value) {
    let running = Running::start("2026-09-02T00:00:00Z", "Etc/UTC").await;
    let body = json!({ "batch": [track("1")] }).to_string();
    running.fault(&json!({ "dynamodb": fault })).await;
    let began = Instant::now();
    let refused = running.post("/v1/batch", body.clone()).await;
    // The function's own time is 20 seconds, and the clients wait for 10.
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE, "{}", text(&refused));
    assert_eq!(read(&refused)["code"], "unavailable");
    let retry_after: u32 = refused.headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=60).contains(&retry_after), "{retry_after}");
    running.fault(&json!({ "dynamodb": null })).await;
    let answer = running.post("/v1/batch", body).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", text(&answer));
    running.clock("2026-09-07T01:00:00Z").await;
    let weeks = running.get("/v1/companies/acme/weeks").await;
    assert_eq!(weeks["items"][0]["components"]["login"]["counts"]["active_users"], 1);
    running.home.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_throttled_table_is_told_and_nothing_is_lost() {
    refused_and_sent_again(json!({ "throttle": true })).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_hangs_is_told_in_time_and_nothing_is_lost() {
    refused_and_sent_again(json!({ "delay_ms": 60_000 })).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_throttles_for_a_moment_is_not_noticed() {
    let running = Running::start("2026-09-02T00:00:00Z", "Etc/UTC").await;
    running.fault(&json!({ "dynamodb": { "throttle": true, "times": 4 } })).await;
    running.event(track("1")).await;
    running.home.stop().await;
}

/// A write key is public: whoever has it can send names without end, and so can a product that puts ids into names.
#[tokio::test(flavor = "multi_thread")]
async fn names_without_end_never_stop_a_user_from_being_counted() {
    let running = Running::start("2026-09-02T00:00:00Z", "Etc/UTC").await;
    // An item of the table holds 400 KB; this is twice that of names.
    for round in 0..12 {
        let events: Vec<Value> = (0..1_000)
            .map(|index| {
                let mut event = track(&format!("{round} {index}"));
                event["event"] = json!(format!("Opened report {round}-{index} {}", "x".repeat(40)));
                event
            })
            .collect();
        let answer = running.post("/v1/batch", json!({ "batch": events }).to_string()).await;
        assert_eq!(answer.status, StatusCode::OK, "{round}: {}", text(&answer));
    }
    running.clock("2026-09-07T01:00:00Z").await;
    let weeks = running.get("/v1/companies/acme/weeks").await;
    assert_eq!(weeks["items"][0]["components"]["login"]["counts"]["active_users"], 1);
    running.home.stop().await;
}
