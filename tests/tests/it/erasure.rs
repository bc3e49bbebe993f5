//! A person is erased: nothing in the table names them any more, and every score stays.

use barometer_cloud::Table;
use barometer_domain::WorkspaceId;
use chrono::NaiveDate;
use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::home::{Running, text};

/// What only the person's data say.
const SAYS_WHO: [&str; 5] =
    ["u-lovelace-42", "anon-7f3", "ada@acme.example", "Ada Lovelace", "too slow for us"];

const ADA: &str = "/v1/companies/acme/users/u-lovelace-42";

/// A company with two people, a scored week, an answer with its task, mails that ask and a mail that a rule planned.
async fn acme() -> Running {
    let running = Running::start("2026-08-31T00:00:00Z", "Etc/UTC").await;
    for (id, email, name) in
        [("u-lovelace-42", "ada@acme.example", "Ada Lovelace"), ("bob", "bob@acme.example", "Bob")]
    {
        let traits = json!({ "email": email, "name": name });
        running
            .event(
                json!({ "type": "group", "userId": id, "groupId": "acme", "messageId": format!("g-{id}") }),
            )
            .await;
        running
            .event(
                json!({ "type": "identify", "userId": id, "traits": traits, "messageId": format!("i-{id}") }),
            )
            .await;
    }
    let answer = running.api(Method::PATCH, "/v1/companies/acme", &json!({ "request_feedback": true })).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", text(&answer));
    for day in ["02", "03"] {
        running.clock(&format!("2026-09-{day}T09:00:00Z")).await;
        running.event(json!({ "type": "track", "event": "Export", "anonymousId": "anon-7f3", "messageId": format!("a-{day}") })).await;
        for id in ["u-lovelace-42", "bob"] {
            let context = json!({ "groupId": "acme" });
            running
                .event(json!({ "type": "track", "event": "Export", "userId": id, "context": context,
                    "sessionId": "s-1", "messageId": format!("t-{id}-{day}") }))
                .await;
        }
    }
    running
        .event(json!({ "type": "identify", "userId": "u-lovelace-42", "anonymousId": "anon-7f3", "messageId": "j" }))
        .await;
    // Two weeks after their first day they are asked.
    running.clock("2026-09-16T09:00:00Z").await;
    let rating = json!({ "user_id": "u-lovelace-42", "company_id": "acme", "rating": 2, "scale": "nps",
        "comment": "too slow for us" });
    let answered = running.post("/v1/feedback", rating.to_string()).await;
    assert!(answered.status.is_success(), "{}", text(&answered));
    running.settle().await;
    let contact = running.api(Method::PATCH, ADA, &json!({ "primary_contact": true })).await;
    assert_eq!(contact.status, StatusCode::OK, "{}", text(&contact));
    let set = json!({ "status": "struggling", "note": "Lost a client." });
    let answer = running.api(Method::PUT, "/v1/companies/acme/status", &set).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", text(&answer));
    running.settle().await;
    running
}

/// Every item of the table as text, with its partition; packs of the log unpacked.
async fn dump(table: &Table, workspace: &WorkspaceId) -> Vec<(String, String)> {
    let mut items = Vec::new();
    let mut pages =
        table.client().scan().table_name(table.name()).consistent_read(true).into_paginator().send();
    while let Some(page) = pages.next().await {
        for item in page.unwrap().items.unwrap_or_default() {
            items.push((item["pk"].as_s().unwrap().clone(), format!("{item:?}")));
        }
    }
    let first: NaiveDate = "2026-08-31".parse().unwrap();
    for day in first.iter_days().take(30) {
        for pack in table.log_of_day(workspace, day).await.unwrap() {
            items.push((format!("{workspace}#log"), String::from_utf8(pack.content).unwrap()));
        }
    }
    items
}

/// Where something says who it was, by partition.
async fn named(running: &Running) -> Vec<(String, &'static str)> {
    let items = dump(running.home.table(), &running.keys.workspace_id).await;
    // The audit keeps the id under which a CSM made somebody a contact.
    let items = items.into_iter().filter(|(pk, _)| !pk.contains("#audit#"));
    let said = |(pk, text): (String, String)| {
        let words = SAYS_WHO.into_iter().filter(move |word| text.contains(word));
        words.map(move |word| (pk.clone(), word))
    };
    items.flat_map(said).collect()
}

async fn erase(running: &Running) -> StatusCode {
    running.api(Method::DELETE, ADA, &Value::Null).await.status
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_says_who_it_was_and_every_score_stays() {
    let running = acme().await;
    let weeks = running.get("/v1/companies/acme/weeks").await;
    assert!(weeks["items"].as_array().is_some_and(|weeks| weeks.len() >= 2), "{weeks}");
    let tasks = running.get("/v1/tasks").await;
    assert!(tasks.to_string().contains("Ada Lovelace rated 2 of 10"), "{tasks}");
    let planned = running.get("/v1/actions").await;
    assert_eq!(planned["items"][0]["action"]["user_id"], "u-lovelace-42", "{planned}");
    let found = named(&running).await;
    for word in SAYS_WHO {
        assert!(found.iter().any(|(_, said)| *said == word), "{word} isn't there");
    }

    assert_eq!(erase(&running).await, StatusCode::NO_CONTENT);
    let left = named(&running).await;
    let in_table: Vec<_> =
        left.iter().filter(|(pk, _)| !pk.ends_with("#erasures") && !pk.contains("#log")).collect();
    assert!(in_table.is_empty(), "{in_table:?}");
    assert!(left.iter().any(|(pk, _)| pk.ends_with("#log")), "the log is gone through later");
    assert_eq!(erase(&running).await, StatusCode::NO_CONTENT, "asking again is safe");

    running.clock("2026-09-16T12:00:00Z").await;
    let left = named(&running).await;
    assert!(left.is_empty(), "{left:?}");
    assert_eq!(erase(&running).await, StatusCode::NOT_FOUND);

    assert_eq!(running.get("/v1/companies/acme/weeks").await, weeks);
    let users = running.get("/v1/companies/acme/users").await;
    let [bob, alias] = users["items"].as_array().unwrap().as_slice() else { panic!("{users}") };
    assert_eq!((&bob["user_id"], &bob["email"]), (&json!("bob"), &json!("bob@acme.example")));
    assert!(alias["user_id"].as_str().unwrap().starts_with("erased-"), "{alias}");
    assert_eq!(
        (&alias["name"], &alias["email"], &alias["reachable"]),
        (&Value::Null, &Value::Null, &json!(false))
    );
    assert_eq!(alias["left"], "2026-09-16");
    let answers = running.get("/v1/feedback").await;
    assert_eq!((&answers["items"][0]["rating"], &answers["items"][0]["comment"]), (&json!(2), &Value::Null));
    let tasks = running.get("/v1/tasks").await;
    assert!(tasks.to_string().contains("Somebody rated 2 of 10"), "{tasks}");
    let days = running.get("/v1/companies/acme/timeline?kind=activity").await;
    let users: Vec<&Value> =
        days["items"].as_array().unwrap().iter().map(|day| &day["detail"]["users"]).collect();
    assert_eq!(users, [&json!(2), &json!(2)], "what was done stays");
    let actions = running.get("/v1/actions?state=cancelled").await;
    assert_eq!(actions["items"][0]["action"]["user_id"], Value::Null, "{actions}");
    let entry = running.get("/v1/audit?action=user.erased").await;
    assert_eq!(entry["items"].as_array().unwrap().len(), 1);
    assert_eq!(entry["items"][0]["subject"]["id"], alias["user_id"]);
    running.home.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
pub async fn stragglers_of_an_hour_go_too_and_later_events_are_of_somebody_new() {
    let running = acme().await;
    assert_eq!(erase(&running).await, StatusCode::NO_CONTENT);
    let come = |id: &'static str| {
        json!({ "type": "track", "event": "Export", "userId": "u-lovelace-42", "messageId": id,
            "context": { "groupId": "acme" } })
    };
    running.clock("2026-09-16T09:30:00Z").await;
    running.event(come("straggler")).await;
    assert!(!named(&running).await.is_empty());
    running.clock("2026-09-16T11:00:00Z").await;
    let left = named(&running).await;
    assert!(left.is_empty(), "{left:?}");

    running.clock("2026-09-18T09:00:00Z").await;
    running.event(come("later")).await;
    let users = running.get("/v1/companies/acme/users").await;
    let new =
        users["items"].as_array().unwrap().iter().find(|user| user["user_id"] == "u-lovelace-42").unwrap();
    assert_eq!((&new["asks"], &new["email"]), (&json!(0), &Value::Null), "nothing is known of them");
    assert_eq!(erase(&running).await, StatusCode::NO_CONTENT);
    running.clock("2026-09-18T12:00:00Z").await;
    assert!(named(&running).await.is_empty());
    running.home.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_an_admin_erases_and_only_who_is_there() {
    let running = acme().await;
    let label = json!({ "label": "writer", "scope": "write" });
    let made = crate::home::read(&running.api(Method::POST, "/v1/api-tokens", &label).await);
    let token = made["token"].as_str();
    let refused = crate::home::send(&running.client, Method::DELETE, ADA, token, &Value::Null).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    for path in ["/v1/companies/acme/users/nobody", "/v1/companies/nobody/users/u-lovelace-42"] {
        let unknown = running.api(Method::DELETE, path, &Value::Null).await;
        assert_eq!(unknown.status, StatusCode::NOT_FOUND, "{path}");
    }
    assert!(!named(&running).await.is_empty(), "nothing was erased");
    running.home.stop().await;
}
