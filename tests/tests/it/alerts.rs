//! What the product tells without being asked, from events to the CSM's answer.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::home::{Running, read, text};

const USERS: usize = 6;

/// Mondays from 2026-W28 on.
const MONDAYS: [&str; 11] = [
    "2026-07-06",
    "2026-07-13",
    "2026-07-20",
    "2026-07-27",
    "2026-08-03",
    "2026-08-10",
    "2026-08-17",
    "2026-08-24",
    "2026-08-31",
    "2026-09-07",
    "2026-09-14",
];

/// Everybody of a company is there on a day.
async fn visit(running: &Running, company: &str, day: &str) {
    for number in 0..USERS {
        let at = format!("{day}T09:{number:02}:00Z");
        running
            .event(json!({ "type": "track", "event": "Signed In", "userId": format!("{company}-{number}"),
                "timestamp": at, "messageId": format!("{company} {at}"), "context": { "groupId": company } }))
            .await;
    }
}

/// Weeks in which "steady" is always there and "acme" in those that are told.
async fn weeks(acme: &[bool]) -> Running {
    let running = Running::start("2026-07-06T00:00:00Z", "Etc/UTC").await;
    for (monday, there) in MONDAYS.iter().zip(acme) {
        running.clock(&format!("{monday}T12:00:00Z")).await;
        visit(&running, "steady", monday).await;
        if *there {
            visit(&running, "acme", monday).await;
        }
    }
    running.clock(&format!("{}T06:00:00Z", MONDAYS[acme.len()])).await;
    running
}

async fn list(running: &Running, path: &str) -> Vec<Value> {
    running.get(path).await["items"].as_array().unwrap().clone()
}

async fn patch(running: &Running, path: &str, body: Value) -> (StatusCode, Value) {
    let answer = running.api(Method::PATCH, path, &body).await;
    (answer.status, read(&answer))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_company_that_stays_away_opens_one_alert_which_a_csm_closes() {
    let running = weeks(&[true, true, true, true, true, true, true, false, false]).await;
    let alerts = list(&running, "/v1/alerts").await;
    let rules: Vec<&Value> = alerts.iter().map(|alert| &alert["rule"]).collect();
    assert_eq!(rules, ["engagement_sustained_drop", "engagement_sudden_drop"], "{alerts:?}");
    let sudden = &alerts[1];
    assert_eq!((&sudden["company_id"], &sudden["period"]), (&json!("acme"), &json!("2026-W35")));
    assert!(sudden["sentence"].as_str().unwrap().contains("2026-W35"), "{sudden}");
    assert_eq!(running.get("/v1/companies/acme").await["open_alerts"], 2);
    assert_eq!(running.get("/v1/companies/steady").await["open_alerts"], 0);
    // The second scoring and the next week found the same again: it was told once.
    let told: Vec<Value> = running.get_bus().await;
    let told = told.iter().filter(|event| event["detail-type"] == "alert.opened");
    assert_eq!(told.count(), 2);

    let path = format!("/v1/alerts/{}", sudden["id"].as_str().unwrap());
    let (status, taken) = patch(&running, &path, json!({ "state": "acknowledged" })).await;
    assert_eq!((status, &taken["state"]), (StatusCode::OK, &json!("acknowledged")), "{taken}");
    assert_eq!(list(&running, "/v1/alerts?company_id=acme").await.len(), 2);
    let (status, refused) = patch(&running, &path, json!({ "state": "resolved" })).await;
    assert_eq!(
        (status, &refused["errors"][0]["pointer"]),
        (StatusCode::UNPROCESSABLE_ENTITY, &json!("/note"))
    );
    let resolve = json!({ "state": "resolved", "note": "On holiday until October." });
    assert_eq!(patch(&running, &path, resolve.clone()).await.0, StatusCode::OK);
    assert_eq!(patch(&running, &path, resolve).await.0, StatusCode::CONFLICT);
    assert_eq!(running.get("/v1/companies/acme").await["open_alerts"], 1);
    let closed = list(&running, "/v1/alerts?which=closed").await;
    assert_eq!((closed.len(), &closed[0]["note"]), (1, &json!("On holiday until October.")));
    assert_eq!(list(&running, "/v1/alerts").await.len(), 1);

    for wrong in ["/v1/alerts?which=all", "/v1/alerts?state=open", "/v1/alerts?limit=0"] {
        let answer = running.api(Method::GET, wrong, &Value::Null).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", text(&answer));
    }
    let (status, _) = patch(&running, "/v1/alerts/bm9uZQ", json!({ "state": "acknowledged" })).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    running.home.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alert_closes_by_itself_when_the_company_is_back() {
    let running = weeks(&[true, true, true, true, true, true, true, false, true]).await;
    assert_eq!(list(&running, "/v1/alerts").await, Vec::<Value>::new());
    let closed = list(&running, "/v1/alerts?which=closed").await;
    assert_eq!(closed.len(), 1, "{closed:?}");
    assert_eq!((&closed[0]["state"], &closed[0]["changed_by"]), (&json!("resolved"), &Value::Null));
    assert_ne!(closed[0]["note"], "");
    assert_eq!(running.get("/v1/companies/acme").await["open_alerts"], 0);
    running.home.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_company_that_nobody_logs_in_to_is_told_of() {
    let running = Running::start("2026-07-06T00:00:00Z", "Etc/UTC").await;
    running.clock("2026-07-06T12:00:00Z").await;
    for (index, company) in ["mute", "lively"].into_iter().enumerate() {
        running
            .event(json!({ "type": "group", "userId": format!("{company}-0"), "groupId": company,
                "messageId": format!("g{index}"), "traits": { "name": company } }))
            .await;
    }
    visit(&running, "lively", "2026-07-06").await;
    running.clock("2026-07-13T06:00:00Z").await;
    visit(&running, "lively", "2026-07-13").await;
    running.clock("2026-07-20T06:00:00Z").await;
    let alerts = list(&running, "/v1/alerts").await;
    let told: Vec<_> = alerts.iter().map(|alert| (&alert["rule"], &alert["company_id"])).collect();
    assert_eq!(told, [(&json!("no_login_first_7_days"), &json!("mute"))], "{alerts:?}");
    running.home.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_data_gap_is_told_to_the_admins_once() {
    let running = Running::start("2026-07-06T00:00:00Z", "Etc/UTC").await;
    let companies = ["a", "b", "c", "d", "e", "steady"];
    for (index, monday) in MONDAYS.iter().enumerate().take(5) {
        running.clock(&format!("{monday}T12:00:00Z")).await;
        let there = if index == 4 { &companies[5..] } else { &companies[..] };
        for company in there {
            visit(&running, company, monday).await;
        }
    }
    running.clock("2026-08-13T00:00:00Z").await;
    let alerts = list(&running, "/v1/alerts").await;
    let told: Vec<_> = alerts.iter().map(|alert| (&alert["rule"], &alert["for_admins"])).collect();
    assert_eq!(told, [(&json!("data_gap"), &json!(true))], "{alerts:?}");
    assert_eq!(alerts[0]["company_id"], Value::Null);
    let bus = running.get_bus().await;
    assert_eq!(bus.iter().filter(|event| event["detail-type"] == "alert.opened").count(), 1);
    running.home.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn readings_that_contradict_each_other_ask_the_csm() {
    let running = weeks(&[true, true, true, true, true, true]).await;
    let none = list(&running, "/v1/disagreements").await;
    assert_eq!(none, Vec::<Value>::new());
    let engagement = running.get("/v1/companies/acme").await["engagement"]["band"].clone();
    assert!(["healthy", "thriving"].contains(&engagement.as_str().unwrap()), "{engagement}");
    let status = json!({ "status": "struggling", "note": "They lost a big client." });
    let set = running.api(Method::PUT, "/v1/companies/acme/status", &status).await;
    assert_eq!(set.status, StatusCode::OK, "{}", text(&set));
    let asked = list(&running, "/v1/disagreements").await;
    assert_eq!(asked.len(), 1);
    assert_eq!((&asked[0]["status"], &asked[0]["engagement"]), (&json!("struggling"), &engagement));
    assert_eq!(running.get("/v1/companies/acme").await["disagreement"], true);

    let path = format!("/v1/disagreements/{}", asked[0]["id"].as_str().unwrap());
    let (status, refused) = patch(&running, &path, json!({ "answer": "dispute" })).await;
    assert_eq!(
        (status, &refused["errors"][0]["pointer"]),
        (StatusCode::UNPROCESSABLE_ENTITY, &json!("/reason"))
    );
    let (status, answered) = patch(&running, &path, json!({ "answer": "both_right" })).await;
    assert_eq!((status, &answered["state"]), (StatusCode::OK, &json!("both_right")), "{answered}");
    assert_eq!(patch(&running, &path, json!({ "answer": "confirm" })).await.0, StatusCode::CONFLICT);
    assert_eq!(list(&running, "/v1/disagreements").await.len(), 0);
    // The same two readings aren't asked about again with the next scoring.
    running.clock("2026-08-24T06:00:00Z").await;
    assert_eq!(list(&running, "/v1/disagreements").await.len(), 0);
    running.home.stop().await;
}
