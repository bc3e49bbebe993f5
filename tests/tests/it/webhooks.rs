//! Endpoints of webhooks in the one-machine home.

use std::sync::{Arc, Mutex};

use axum::{Router, body::Bytes, extract::State, http::HeaderMap, routing::post};
use barometer::home::{Home, Options};
use barometer_webhook::{MessageId, Reach, Secret, Secrets, sign};
use chrono::DateTime;
use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::home::{Running, at, read, text};

#[tokio::test(flavor = "multi_thread")]
async fn only_a_home_that_is_told_so_takes_an_endpoint_on_its_own_machine() {
    let body = json!({ "name": "Mine", "url": "http://127.0.0.1:3000/hook" });
    for (webhooks, status) in
        [(Reach::PublicOnly, StatusCode::UNPROCESSABLE_ENTITY), (Reach::Anywhere, StatusCode::CREATED)]
    {
        let home = Home::start(Options { webhooks, ..Options::default() }).await.unwrap();
        let running = Running::with_workspace(home, "Etc/UTC").await;
        let answer = running.api(Method::POST, "/v1/webhooks", &body).await;
        assert_eq!(answer.status, status, "{}", text(&answer));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_of_webhooks_is_in_the_template() {
    let running = Running::start("2026-09-02T09:00:00Z", "Etc/UTC").await;
    let body = json!({ "name": "CRM", "url": "https://crm.example.com/hook" });
    let answer = running.api(Method::POST, "/v1/webhooks", &body).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", text(&answer));
    let path = format!("/v1/webhooks/{}", read(&answer)["id"].as_str().unwrap());
    for (method, path, status) in [
        (Method::GET, "/v1/webhooks".to_owned(), StatusCode::OK),
        (Method::GET, path.clone(), StatusCode::OK),
        (Method::PATCH, path.clone(), StatusCode::OK),
        (Method::POST, format!("{path}/rotate"), StatusCode::OK),
        (Method::POST, format!("{path}/test"), StatusCode::OK),
        (Method::DELETE, path.clone(), StatusCode::NO_CONTENT),
        (Method::GET, path, StatusCode::NOT_FOUND),
    ] {
        let answer = running.api(method.clone(), &path, &json!({})).await;
        assert_eq!(answer.status, status, "{method} {path}: {}", text(&answer));
    }
}

type Heard = Arc<Mutex<Vec<(HeaderMap, Bytes)>>>;

async fn hear(State(heard): State<Heard>, headers: HeaderMap, body: Bytes) -> StatusCode {
    heard.lock().unwrap().push((headers, body));
    StatusCode::IM_A_TEAPOT
}

async fn made(running: &Running, body: Value) -> Value {
    let answer = running.api(Method::POST, "/v1/webhooks", &body).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", text(&answer));
    read(&answer)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_is_sent_at_once_signed_and_says_what_the_receiver_answered() {
    let (heard, listener) = (Heard::default(), tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap());
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    let app = Router::new().route("/hook", post(hear)).with_state(heard.clone());
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    let now = Some(at("2026-09-02T09:00:00Z"));
    let options = Options { now, webhooks: Reach::Anywhere, ..Options::default() };
    let running = Running::with_workspace(Home::start(options).await.unwrap(), "Etc/UTC").await;
    let webhook = made(&running, json!({ "name": "CRM", "url": url })).await;
    let path = format!("/v1/webhooks/{}", webhook["id"].as_str().unwrap());

    let answer = running.api(Method::POST, &format!("{path}/test"), &json!({})).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", text(&answer));
    let tested = read(&answer);
    assert_eq!((&tested["ok"], &tested["status"]), (&json!(false), &json!(418)), "{tested}");
    assert_eq!(tested["reason"], "the endpoint answered 418");
    assert!(tested["duration_ms"].as_u64().unwrap() < 10_000);
    let (headers, body) = heard.lock().unwrap().pop().unwrap();
    let event: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!((&event["type"], &event["data"]["webhook_id"]), (&json!("webhook.test"), &webhook["id"]));
    let of = |name: &str| headers[name].to_str().unwrap().to_owned();
    assert_eq!(tested["message_id"], json!(of("webhook-id")));
    let signed_at = DateTime::from_timestamp(of("webhook-timestamp").parse().unwrap(), 0).unwrap();
    let current = Secret::parse(webhook["secret"].as_str().unwrap()).unwrap();
    let id = MessageId::new(of("webhook-id")).unwrap();
    let signed = sign::headers(&Secrets { current, previous: None }, &id, signed_at, &body).unwrap();
    assert_eq!(signed["webhook-signature"].to_str().unwrap(), of("webhook-signature"));
    assert_eq!(running.get(&path).await["last_call"]["status"], 418);

    // Nobody makes a load generator of it.
    let again = running.api(Method::POST, &format!("{path}/test"), &json!({})).await;
    assert_eq!(again.status, StatusCode::TOO_MANY_REQUESTS, "{}", text(&again));
    assert_eq!(again.headers["retry-after"], "10");
    assert!(heard.lock().unwrap().is_empty());
    running.clock("2026-09-02T09:00:30Z").await;
    let later = running.api(Method::POST, &format!("{path}/test"), &json!({})).await;
    assert_eq!((later.status, heard.lock().unwrap().len()), (StatusCode::OK, 1));

    let chat = made(&running, json!({ "name": "Team", "kind": "chat", "url": url })).await;
    let path = format!("/v1/webhooks/{}/test", chat["id"].as_str().unwrap());
    let tested = read(&running.api(Method::POST, &path, &json!({})).await);
    assert_eq!((&tested["status"], &tested["message_id"]), (&json!(418), &Value::Null), "{tested}");
    let (_, note) = heard.lock().unwrap().pop().unwrap();
    assert!(String::from_utf8(note.to_vec()).unwrap().contains("A test of “Team”"));
    running.home.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_goes_to_public_addresses_only() {
    let running = Running::start("2026-09-02T09:00:00Z", "Etc/UTC").await;
    let webhook = made(&running, json!({ "name": "CRM", "url": "https://crm.example.com/hook" })).await;
    let (table, id) = (running.home.table(), webhook["id"].as_str().unwrap());
    let mut stored = table.webhook(&running.keys.workspace_id, id).await.unwrap().unwrap();
    // As if it had been allowed when it was set.
    (stored.id, stored.url) = ("wh_private".to_owned(), "https://127.0.0.1/hook".to_owned());
    table.add_webhook(&stored).await.unwrap();
    let answer = running.api(Method::POST, "/v1/webhooks/wh_private/test", &json!({})).await;
    let tested = read(&answer);
    assert_eq!((&tested["ok"], &tested["status"]), (&json!(false), &Value::Null), "{tested}");
    assert!(tested["reason"].as_str().unwrap().starts_with("the URL may not be called"), "{tested}");
    assert_eq!(running.get("/v1/webhooks/wh_private").await["last_call"]["ok"], json!(false));
    running.home.stop().await;
}
