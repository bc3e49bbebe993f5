//! What a change sets in motion by itself: mails, tasks, tags and webhooks, each once.

use std::sync::{Arc, Mutex};

use axum::{Router, body::Bytes, extract::State, http::HeaderMap, routing::post};
use barometer::home::{Home, Options};
use barometer_webhook::Reach;
use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::home::{Running, at, read, send, text};

/// Acme with Ada, who was there, and Ben, who was there before her.
pub async fn with_company(now: &str) -> Running {
    let home = Home::start(Options { now: Some(at(now)), webhooks: Reach::Anywhere, ..Options::default() });
    let running = Running::with_workspace(home.await.unwrap(), "Europe/Berlin").await;
    for (user, seconds) in [("ben", 0), ("ada", 600)] {
        let seen = (at(now) + chrono::TimeDelta::seconds(seconds - 3_600)).to_rfc3339();
        running
            .event(json!({ "type": "identify", "userId": user, "messageId": format!("i {user}"), "timestamp": seen,
                "traits": { "email": format!("{user}@acme.example"), "name": user.to_uppercase() } }))
            .await;
        running
            .event(json!({ "type": "track", "event": "Signed In", "userId": user, "messageId": format!("t {user}"),
                "timestamp": seen, "context": { "groupId": "acme" } }))
            .await;
    }
    running
        .event(json!({ "type": "group", "userId": "ada", "groupId": "acme", "messageId": "g",
            "traits": { "name": "Acme" } }))
        .await;
    let owned = json!({ "owner": "cleo.csm@initech.example" });
    let answer = running.api(Method::PATCH, "/v1/companies/acme", &owned).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", text(&answer));
    running
}

pub async fn set(running: &Running, status: &str) {
    let body = json!({ "status": status, "note": "Seen in the last call." });
    let answer = running.api(Method::PUT, "/v1/companies/acme/status", &body).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", text(&answer));
    running.settle().await;
}

pub async fn rules(running: &Running, rules: Value) {
    let body = json!({ "rules": rules, "note": "Rules of the test." });
    let answer = running.api(Method::PUT, "/v1/settings", &body).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", text(&answer));
}

pub async fn mails(running: &Running) -> Vec<Value> {
    let answer = send(&running.client, Method::GET, "/local/mail", None, &Value::Null).await;
    let mails = read(&answer).as_array().unwrap().clone();
    mails.into_iter().filter(|mail| mail["to"].to_string().contains("acme.example")).collect()
}

async fn tasks(running: &Running, state: &str) -> Vec<Value> {
    running.get(&format!("/v1/tasks?state={state}")).await["items"].as_array().unwrap().clone()
}

/// Gives the function an event that it had before.
async fn replay(running: &Running) {
    for event in running.get_bus().await {
        let answer = send(&running.client, Method::POST, "/local/invoke/react", None, &event).await;
        assert!(answer.status.is_success(), "{}", text(&answer));
    }
    running.settle().await;
}

#[tokio::test(flavor = "multi_thread")]
pub async fn a_company_that_struggles_is_mailed_after_a_quarter_of_an_hour_and_its_csm_has_a_task_at_once() {
    let running = with_company("2026-09-02T09:00:00Z").await;
    set(&running, "struggling").await;
    let open = tasks(&running, "open").await;
    assert_eq!(open.len(), 1, "{open:?}");
    assert_eq!(open[0]["title"], "Acme is struggling: call them and agree on what helps");
    assert_eq!((&open[0]["priority"], &open[0]["about"]), (&json!("high"), &json!("automation")));
    assert_eq!(open[0]["assignee"], "cleo.csm@initech.example");
    // Thursday, 17:00 in Berlin.
    assert_eq!(open[0]["due_at"], "2026-09-03T15:00:00Z");

    running.clock("2026-09-02T09:14:00Z").await;
    assert!(mails(&running).await.is_empty(), "it can still be undone");
    running.clock("2026-09-02T09:30:00Z").await;
    let sent = mails(&running).await;
    assert_eq!(sent.len(), 1, "one mail, to whoever was there last: {sent:?}");
    let mail = &sent[0];
    assert!(mail["to"].to_string().contains("ada@acme.example"), "{mail}");
    assert_eq!(mail["subject"], "How can we help?");
    let written = mail["text"].as_str().unwrap();
    assert!(written.contains("Hi ADA,") && written.contains("I look after Acme at Initech"), "{written}");
    assert!(written.contains("Cleo Csm"), "{written}");
    let raw = mail["raw"].as_str().unwrap();
    assert!(raw.contains("Reply-To: cleo.csm@initech.example"), "{raw}");

    // The whole of it is told again.
    replay(&running).await;
    running.clock("2026-09-03T09:00:00Z").await;
    assert_eq!((mails(&running).await.len(), tasks(&running, "open").await.len()), (1, 1));
    running.home.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_set_back_in_time_is_undone_and_can_happen_again() {
    let running = with_company("2026-09-02T09:00:00Z").await;
    set(&running, "struggling").await;
    running.clock("2026-09-02T09:10:00Z").await;
    set(&running, "healthy").await;
    assert!(tasks(&running, "open").await.is_empty());
    assert_eq!(tasks(&running, "cancelled").await.len(), 1);
    running.clock("2026-09-02T12:00:00Z").await;
    assert!(mails(&running).await.is_empty(), "it was undone");
    replay(&running).await;
    running.clock("2026-09-02T13:00:00Z").await;
    assert!(mails(&running).await.is_empty() && tasks(&running, "open").await.is_empty());

    // This time it is meant.
    set(&running, "struggling").await;
    running.clock("2026-09-02T14:00:00Z").await;
    assert_eq!((mails(&running).await.len(), tasks(&running, "open").await.len()), (1, 1));
    // Later it is no slip any more: what was done stays done, and the rule is quiet for 30 days.
    set(&running, "healthy").await;
    running.clock("2026-09-12T14:00:00Z").await;
    set(&running, "struggling").await;
    running.clock("2026-09-12T15:00:00Z").await;
    assert_eq!((mails(&running).await.len(), tasks(&running, "open").await.len()), (1, 1));
    set(&running, "steady").await;
    running.clock("2026-10-03T14:00:00Z").await;
    set(&running, "struggling").await;
    running.clock("2026-10-03T15:00:00Z").await;
    assert_eq!(mails(&running).await.len(), 2, "the cool-down is over");
    running.home.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_changes_in_the_same_second_the_last_one_counts_in_whatever_order_they_are_told() {
    let running = with_company("2026-09-02T09:00:00Z").await;
    running.fault(&json!({ "events": { "throttle": true } })).await;
    for status in ["struggling", "healthy", "struggling", "steady"] {
        let body = json!({ "status": status, "note": "Back and forth." });
        let answer = running.api(Method::PUT, "/v1/companies/acme/status", &body).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", text(&answer));
    }
    running.fault(&json!({ "events": null })).await;
    // The sweep of the outbox tells them, and then they are told again, the other way round.
    running.clock("2026-09-02T11:00:00Z").await;
    let mut told: Vec<Value> = running.get_bus().await;
    told.retain(|event| event["detail-type"] == "status.changed");
    assert_eq!(told.len(), 4, "{told:?}");
    for event in told.iter().rev() {
        let answer = send(&running.client, Method::POST, "/local/invoke/react", None, event).await;
        assert!(answer.status.is_success(), "{}", text(&answer));
    }
    running.clock("2026-09-02T13:00:00Z").await;
    assert!(mails(&running).await.is_empty(), "it is steady");
    assert!(tasks(&running, "open").await.is_empty());
    running.home.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nobody_can_be_mailed_the_task_says_so() {
    let running = Running::start("2026-09-02T09:00:00Z", "Etc/UTC").await;
    running
        .event(json!({ "type": "group", "userId": "ada", "groupId": "acme", "messageId": "g",
            "traits": { "name": "Acme" } }))
        .await;
    set(&running, "struggling").await;
    let open = tasks(&running, "open").await;
    assert_eq!(open.len(), 1, "{open:?}");
    assert!(open[0]["title"].as_str().unwrap().ends_with("(nobody there can be mailed)"), "{open:?}");
    running.clock("2026-09-02T12:00:00Z").await;
    assert!(mails(&running).await.is_empty());
    running.home.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_has_its_conditions_sets_tags_and_never_acts_on_what_was_before_it() {
    let running = with_company("2026-09-02T09:00:00Z").await;
    let tag = |id: &str, conditions: Value| {
        json!({ "id": id, "name": id, "trigger": { "on": "status", "to": ["struggling"] }, "conditions": conditions,
            "actions": [{ "do": "tag", "add": [id] }] })
    };
    rules(
        &running,
        json!([
            tag("all", json!({})),
            tag("pro", json!({ "plans": ["pro"] })),
            tag("cleos", json!({ "owners": ["cleo.csm@initech.example"] }))
        ]),
    )
    .await;
    set(&running, "struggling").await;
    let tagged = |company: &Value| company["tags"].clone();
    assert_eq!(tagged(&running.get("/v1/companies/acme").await), json!(["all", "cleos"]));
    // A rule that comes later doesn't act on the change of before, however often it is told.
    rules(&running, json!([tag("later", json!({}))])).await;
    replay(&running).await;
    assert_eq!(tagged(&running.get("/v1/companies/acme").await), json!(["all", "cleos"]));
    running.home.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn time_alone_brings_about_reviews_renewals_and_escalations() {
    let running = with_company("2026-09-02T09:00:00Z").await;
    let task = |id: &str, trigger: Value| {
        json!({ "id": id, "name": id, "trigger": trigger, "actions": [{ "do": "task", "title": "{{company}}: look",
            "due_in_days": 1 }] })
    };
    let renewal = task("renewal", json!({ "on": "renewal", "days": 60 }));
    rules(&running, json!([task("review", json!({ "on": "review_overdue" })), renewal])).await;
    set(&running, "struggling").await;
    let dated = json!({ "renewal_on": "2026-11-20" });
    assert_eq!(running.api(Method::PATCH, "/v1/companies/acme", &dated).await.status, StatusCode::OK);
    running.clock("2026-09-20T12:00:00Z").await;
    assert!(tasks(&running, "open").await.is_empty(), "61 days ahead");
    running.clock("2026-09-21T12:00:00Z").await;
    let open = tasks(&running, "open").await;
    assert_eq!(
        (open.len(), &open[0]["rule"], &open[0]["priority"]),
        (1, &json!("renewal"), &json!("normal"))
    );
    // Due on Tuesday the 22nd; nobody does it until Thursday morning.
    running.clock("2026-09-24T12:00:00Z").await;
    let open = tasks(&running, "open").await;
    assert_eq!((open.len(), &open[0]["priority"]), (1, &json!("high")), "{open:?}");
    running.clock("2026-10-03T12:00:00Z").await;
    let open = tasks(&running, "open").await;
    let mut rules: Vec<&str> = open.iter().map(|task| task["rule"].as_str().unwrap()).collect();
    rules.sort_unstable();
    assert_eq!(rules, ["renewal", "review"], "30 days after it was set it is to be reviewed");
    let told = running.get_bus().await;
    let escalated = told.iter().filter(|event| event["detail-type"] == "task.escalated").count();
    assert_eq!(escalated, 1, "once, however many mornings come");
    running.home.stop().await;
}

/// What a receiver heard, and how it answers.
#[derive(Clone, Default)]
struct Receiver {
    heard: Arc<Mutex<Vec<(HeaderMap, Bytes)>>>,
    broken: Arc<Mutex<bool>>,
}

async fn receive(State(receiver): State<Receiver>, headers: HeaderMap, body: Bytes) -> StatusCode {
    receiver.heard.lock().unwrap().push((headers, body));
    if *receiver.broken.lock().unwrap() { StatusCode::INTERNAL_SERVER_ERROR } else { StatusCode::NO_CONTENT }
}

#[tokio::test(flavor = "multi_thread")]
pub async fn a_receiver_that_fails_for_an_hour_gets_it_in_the_end_and_always_the_same() {
    let receiver = Receiver::default();
    *receiver.broken.lock().unwrap() = true;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    let app = Router::new().route("/hook", post(receive)).with_state(receiver.clone());
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });

    let running = with_company("2026-09-02T09:00:00Z").await;
    let made = running
        .api(Method::POST, "/v1/webhooks", &json!({ "name": "CRM", "kind": "standard", "url": url }))
        .await;
    assert!(made.status.is_success(), "{}", text(&made));
    let made = read(&made);
    let endpoint = made["id"].as_str().unwrap();
    rules(
        &running,
        json!([{ "id": "crm", "name": "Tell the CRM", "trigger": { "on": "status" },
        "actions": [{ "do": "webhook", "endpoint": endpoint }] }]),
    )
    .await;
    set(&running, "struggling").await;
    assert_eq!(receiver.heard.lock().unwrap().len(), 1, "at once, not with the next sweep");
    for minute in (5..=60).step_by(5) {
        running.clock(&(at("2026-09-02T09:00:00Z") + chrono::TimeDelta::minutes(minute)).to_rfc3339()).await;
    }
    *receiver.broken.lock().unwrap() = false;
    running.clock("2026-09-03T11:00:00Z").await;
    let heard = receiver.heard.lock().unwrap().clone();
    assert!((4..=8).contains(&heard.len()), "{}", heard.len());
    let first = &heard[0];
    assert!(heard.iter().all(|call| call.1 == first.1 && call.0["webhook-id"] == first.0["webhook-id"]));
    let said: Value = serde_json::from_slice(&first.1).unwrap();
    assert_eq!((&said["type"], &said["data"]["company_id"]), (&json!("status.changed"), &json!("acme")));
    assert_eq!(said["data"]["happened"], json!({ "on": "status", "from": null, "to": "struggling" }));

    // Told again, it isn't called again.
    replay(&running).await;
    running.clock("2026-09-04T11:00:00Z").await;
    assert_eq!(receiver.heard.lock().unwrap().len(), heard.len());
    running.home.stop().await;
}
