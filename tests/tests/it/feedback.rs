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
    assert_eq!((&given["rating"], &given["scale"]), (&json!(9), &json!("nps")));
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

    let change = running.get("/v1/companies/acme/happiness").await["change"].take();
    assert_eq!((&change["kind"], &change["answers"]), (&json!("appeared"), &json!(3)), "{change}");
    running.clock("2026-10-12T12:00:00Z").await;
    give(&running, None, &json!({ "user_id": "ada", "rating": 6 })).await;
    happiness(&running, |level| level["score"] == 50).await;
    let change = running.get("/v1/companies/acme/happiness").await["change"].take();
    assert_eq!(change["sentence"], "60 → 50: same people −10 (1 of 3 rated lower)", "{change}");

    let all = inbox(&running, "").await;
    let all: Vec<Value> = all.into_iter().filter(|answer| answer["at"].as_str() < Some("2026-10")).collect();
    let said: Vec<_> = all.iter().map(|answer| (&answer["user_id"], &answer["source"])).collect();
    let by = |user, source| (json!(user), json!(source));
    let wanted = [by("ada", "api"), by("ben", "api"), by("cleo", "event")];
    assert_eq!(all.len(), 3);
    assert!(wanted.iter().all(|(user, source)| said.contains(&(user, source))), "{said:?}");
    let low = inbox(&running, "?max_rating=5").await;
    assert_eq!(low.len(), 2, "{low:?}");
    assert_eq!(inbox(&running, "?max_rating=4&company_id=acme").await.len(), 1);
    assert_eq!(inbox(&running, "?company_id=other").await.len(), 0);
    assert_eq!(inbox(&running, "?from=2026-10-13").await.len(), 0);
    let first = running.get("/v1/feedback?limit=3").await;
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = running.get(&format!("/v1/feedback?limit=3&cursor={cursor}")).await;
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

async fn tasks(running: &Running, query: &str) -> Vec<Value> {
    running.get(&format!("/v1/tasks{query}")).await["items"].as_array().unwrap().clone()
}

/// The open tasks, once they fit.
async fn tasks_that(running: &Running, fit: impl Fn(&[Value]) -> bool) -> Vec<Value> {
    let mut last = Vec::new();
    for _ in 0..200 {
        last = tasks(running, "").await;
        if fit(&last) {
            return last;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("{last:?}")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_low_rating_makes_one_task_which_the_csm_does() {
    let running = start().await;
    running.api(Method::PATCH, "/v1/companies/acme", &json!({ "owner": "cleo@vendor.example" })).await;
    let low = json!({ "user_id": "ada", "company_id": "acme", "rating": 3, "comment": "Too slow." });
    give(&running, None, &low).await;
    let made = tasks_that(&running, |tasks| tasks.len() == 1).await;
    let task = &made[0];
    // Monday at noon: due on Tuesday at 17:00.
    assert_eq!((&task["priority"], &task["due_at"]), (&json!("high"), &json!("2026-09-08T17:00:00Z")));
    assert_eq!((&task["about"], &task["user_id"]), (&json!("follow_up"), &json!("ada")));
    assert_eq!(task["assignee"], "cleo@vendor.example");
    assert!(task["title"].as_str().unwrap().contains("ada rated 3 of 10"), "{task}");
    assert_eq!(running.get("/v1/companies/acme").await["open_tasks"], 1);
    let told = running.get_bus().await;
    assert_eq!(told.iter().filter(|event| event["detail-type"] == "task.created").count(), 1);

    // A worse answer of the same person changes the task; a good one of another makes none.
    running.clock("2026-09-07T13:00:00Z").await;
    give(&running, None, &json!({ "user_id": "ada", "company_id": "acme", "rating": 1 })).await;
    give(&running, None, &json!({ "user_id": "ben", "company_id": "acme", "rating": 10 })).await;
    let changed = tasks_that(&running, |tasks| tasks[0]["title"].as_str().unwrap().contains("1 of 10")).await;
    assert_eq!((changed.len(), &changed[0]["id"]), (1, &task["id"]));
    happiness(&running, |level| level["answers"] == 2).await;
    assert_eq!(tasks(&running, "").await.len(), 1);
    assert_eq!(tasks(&running, "?owner=somebody").await.len(), 0);

    let path = format!("/v1/tasks/{}", task["id"].as_str().unwrap());
    for (wrong, pointer) in [
        (json!({}), "/state"),
        (json!({ "state": "snoozed" }), "/until"),
        (json!({ "state": "snoozed", "until": "2026-09-07T12:00:00Z" }), "/until"),
        (json!({ "note": "x", "until": "2026-09-09T12:00:00Z" }), "/until"),
    ] {
        let answer = running.api(Method::PATCH, &path, &wrong).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", text(&answer));
        assert_eq!(read(&answer)["errors"][0]["pointer"], pointer);
    }
    let snoozed = json!({ "state": "snoozed", "until": "2026-09-09T08:00:00Z", "note": "On holiday." });
    assert_eq!(read(&running.api(Method::PATCH, &path, &snoozed).await)["state"], "snoozed");
    assert_eq!((tasks(&running, "").await.len(), tasks(&running, "?state=snoozed").await.len()), (0, 1));
    running.clock("2026-09-09T09:00:00Z").await;
    let back = tasks(&running, "").await;
    assert_eq!((&back[0]["overdue"], &back[0]["note"]), (&json!(true), &json!("On holiday.")));
    let done = running.api(Method::PATCH, &path, &json!({ "state": "done", "note": "Called her." })).await;
    assert_eq!((done.status, &read(&done)["state"]), (StatusCode::OK, &json!("done")));
    let again = running.api(Method::PATCH, &path, &json!({ "state": "done" })).await;
    assert_eq!(again.status, StatusCode::CONFLICT, "{}", text(&again));
    assert_eq!(tasks(&running, "?state=done").await.len(), 1);
    assert_eq!(running.get("/v1/companies/acme").await["open_tasks"], 0);
    running.home.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
pub async fn the_task_of_a_void_answer_is_cancelled() {
    let running = start().await;
    give(&running, None, &json!({ "user_id": "ada", "company_id": "acme", "rating": 0 })).await;
    tasks_that(&running, |tasks| tasks.len() == 1).await;
    let id = inbox(&running, "").await[0]["id"].as_str().unwrap().to_owned();
    let reason = json!({ "reason": "A test." });
    running.api(Method::POST, &format!("/v1/feedback/{id}/void"), &reason).await;
    // What the API wrote goes out with the next sweep of the outbox.
    running.clock("2026-09-07T14:00:00Z").await;
    tasks_that(&running, |tasks| tasks.is_empty()).await;
    assert_eq!(tasks(&running, "?state=cancelled").await.len(), 1);
    running.home.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_owner_gets_one_digest_at_eight_and_none_when_there_is_nothing_to_say() {
    let running = start().await;
    running.api(Method::PATCH, "/v1/companies/acme", &json!({ "owner": "cleo@vendor.example" })).await;
    let low = json!({ "user_id": "ada", "company_id": "acme", "rating": 3, "comment": "Too <slow>." });
    give(&running, None, &low).await;
    tasks_that(&running, |tasks| tasks.len() == 1).await;
    running.clock("2026-09-08T07:59:00Z").await;
    assert_eq!(digests(&running).await, Vec::<Value>::new());
    running.clock("2026-09-08T12:00:00Z").await;
    let mails = digests(&running).await;
    assert_eq!(mails.len(), 1, "{mails:?}");
    let (plain, html) = (mails[0]["text"].as_str().unwrap(), mails[0]["html"].as_str().unwrap());
    for part in ["Tasks due today (1)", "Answers (1)", "ada rated 3 of 10", "/companies/acme"] {
        assert!(plain.contains(part) && html.contains(part), "{part}\n{plain}\n{html}");
    }
    assert!(plain.contains("Too <slow>.") && !html.contains("<slow>"), "{html}");
    assert_eq!(mails[0]["subject"], "Your customers today: 1 task due today, 1 answer");
    // Done: the next morning has nothing to say.
    let id = tasks(&running, "").await[0]["id"].as_str().unwrap().to_owned();
    running.api(Method::PATCH, &format!("/v1/tasks/{id}"), &json!({ "state": "done" })).await;
    running.clock("2026-09-09T12:00:00Z").await;
    assert_eq!(digests(&running).await.len(), 1);
    running.home.stop().await;
}

/// The digests in the mailbox.
async fn digests(running: &Running) -> Vec<Value> {
    let mails = running.get("/local/mail").await;
    let mails = mails.as_array().or(mails["items"].as_array()).or(mails["mails"].as_array()).unwrap().clone();
    mails
        .into_iter()
        .filter(|mail| mail["subject"].as_str().unwrap_or_default().starts_with("Your customers"))
        .collect()
}
