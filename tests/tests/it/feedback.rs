//! What users answer, by whatever way it comes, and what follows from it at once.

use std::time::Duration;

use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::home::{Running, read, text};

const NOON: &str = "2026-09-07T12:00:00Z";

async fn start() -> Running {
    let running = Running::start(NOON, "Etc/UTC").await;
    for (index, user) in ["ada", "ben", "cleo"].into_iter().enumerate() {
        running
            .event(json!({ "type": "track", "event": "Signed In", "userId": user, "timestamp": NOON,
                "messageId": format!("m{index}"), "context": { "groupId": "acme" } }))
            .await;
    }
    running
}

async fn give(running: &Running, key: Option<&str>, body: &Value) -> (StatusCode, Value) {
    let bearer = format!("Bearer {}", running.keys.write_key);
    let mut headers = vec![("authorization", bearer.as_str()), ("content-type", "application/json")];
    headers.extend(key.map(|key| ("idempotency-key", key)));
    let answer = running.client.send(Method::POST, "/v1/feedback", &headers, body.to_string()).await.unwrap();
    (answer.status, read(&answer))
}

/// The company's happiness, once it fits: it follows from the bus, a moment after the answer.
async fn happiness(running: &Running, fits: impl Fn(&Value) -> bool) -> Value {
    let mut last = Value::Null;
    for _ in 0..200 {
        last = running.get("/v1/companies/acme").await["happiness"].take();
        if fits(&last) {
            return last;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("{last}")
}

async fn inbox(running: &Running, query: &str) -> Vec<Value> {
    running.get(&format!("/v1/feedback{query}")).await["items"].as_array().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_by_api_and_event_make_the_level_at_once() {
    let running = start().await;
    let (status, given) = give(
        &running,
        Some("k1"),
        &json!({ "user_id": "ada", "company_id": "acme", "rating": 9, "comment": "Fast." }),
    )
    .await;
    assert_eq!(status, StatusCode::OK, "{given}");
    assert_eq!((&given["success"], &given["value"]), (&json!(true), &json!(90)));
    let level = happiness(&running, |level| level["answers"] == 1).await;
    assert_eq!((&level["level"], &level["score"]), (&json!("very_happy"), &json!(90)));

    // Four faces, of a user who belongs to one company.
    let (status, given) =
        give(&running, None, &json!({ "user_id": "ben", "rating": 2, "scale": "faces" })).await;
    assert_eq!((status, &given["company_id"]), (StatusCode::OK, &json!("acme")), "{given}");
    running
        .event(json!({ "type": "track", "event": "NPS Submitted", "userId": "cleo", "messageId": "nps",
            "timestamp": "2026-09-07T11:59:00Z", "properties": { "score": 4 }, "context": { "groupId": "acme" } }))
        .await;
    let level = happiness(&running, |level| level["answers"] == 3).await;
    assert_eq!((&level["score"], &level["provisional"]), (&json!(60), &json!(false)), "(90 + 50 + 40) / 3");

    let all = inbox(&running, "").await;
    let said: Vec<_> = all.iter().map(|answer| (&answer["user_id"], &answer["source"])).collect();
    let by = |user, source| (json!(user), json!(source));
    let wanted = [by("ada", "api"), by("ben", "api"), by("cleo", "event")];
    assert_eq!(all.len(), 3);
    assert!(wanted.iter().all(|(user, source)| said.contains(&(user, source))), "{said:?}");
    let low = inbox(&running, "?max_rating=5").await;
    assert_eq!(low.len(), 2, "{low:?}");
    assert_eq!(inbox(&running, "?max_rating=4&company_id=acme").await.len(), 1);
    assert_eq!(inbox(&running, "?company_id=other").await.len(), 0);
    assert_eq!(inbox(&running, "?from=2026-09-08").await.len(), 0);
    let first = running.get("/v1/feedback?limit=2").await;
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = running.get(&format!("/v1/feedback?limit=2&cursor={cursor}")).await;
    assert_eq!((second["items"].as_array().unwrap().len(), &second["next_cursor"]), (1, &Value::Null));
    running.home.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_with_its_key_is_the_same_answer_and_another_body_is_refused() {
    let running = start().await;
    let body = json!({ "user_id": "ada", "company_id": "acme", "rating": 3 });
    let (_, first) = give(&running, Some("k1"), &body).await;
    running.clock("2026-09-07T12:10:00Z").await;
    let (status, again) = give(&running, Some("k1"), &body).await;
    assert_eq!((status, &again), (StatusCode::OK, &first));
    let (status, refused) = give(&running, Some("k1"), &json!({ "user_id": "ada", "rating": 4 })).await;
    assert_eq!(
        (status, &refused["code"]),
        (StatusCode::UNPROCESSABLE_ENTITY, &json!("idempotency_key_reused"))
    );
    // The answer to the key is forgotten after a day; the answer itself isn't given twice.
    running.clock("2026-09-09T12:00:00Z").await;
    assert_eq!(give(&running, Some("k1"), &body).await.0, StatusCode::OK);
    assert_eq!(inbox(&running, "").await.len(), 1);
    running.home.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_taken_says_why_and_stores_nothing() {
    let running = start().await;
    let (status, nobody) = give(&running, None, &json!({ "user_id": "eve", "rating": 3 })).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(nobody["errors"][0]["pointer"], "/company_id");
    let (status, wrong) = give(&running, None, &json!({ "user_id": "ada", "rating": 11, "why": 1 })).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    let pointers: Vec<_> =
        wrong["errors"].as_array().unwrap().iter().map(|error| &error["pointer"]).collect();
    assert_eq!(pointers, ["/rating", "/why"]);
    let answer = running.post("/v1/feedback", "{").await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", text(&answer));
    let foreign = running
        .client
        .send(Method::POST, "/v1/feedback", &[("authorization", "Bearer nobody")], "{}")
        .await
        .unwrap();
    assert_eq!(foreign.status, StatusCode::UNAUTHORIZED);
    assert_eq!(inbox(&running, "").await, Vec::<Value>::new());
    running.home.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_void_answer_stays_readable_and_stops_counting() {
    let running = start().await;
    for (user, rating) in [("ada", 9), ("ben", 0)] {
        give(&running, None, &json!({ "user_id": user, "company_id": "acme", "rating": rating })).await;
    }
    happiness(&running, |level| level["answers"] == 2).await;
    let low = inbox(&running, "?max_rating=0").await;
    let path = format!("/v1/feedback/{}/void", low[0]["id"].as_str().unwrap());
    let refused = running.api(Method::POST, &path, &json!({})).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", text(&refused));
    assert_eq!(read(&refused)["errors"][0]["pointer"], "/reason");

    let reason = json!({ "reason": "A test of ours." });
    let voided = running.api(Method::POST, &path, &reason).await;
    assert_eq!(voided.status, StatusCode::OK, "{}", text(&voided));
    assert_eq!(read(&voided)["void"]["reason"], "A test of ours.");
    let level = happiness(&running, |level| level["answers"] == 1).await;
    assert_eq!(level["level"], "very_happy");
    let again = running.api(Method::POST, &path, &reason).await;
    assert_eq!(again.status, StatusCode::CONFLICT, "{}", text(&again));
    let listed = inbox(&running, "?max_rating=0").await;
    assert!(listed[0]["void"]["by"].is_string(), "{listed:?}");
    let none = running.api(Method::POST, "/v1/feedback/bm9uZQ/void", &reason).await;
    assert_eq!(none.status, StatusCode::NOT_FOUND);
    running.home.stop().await;
}
