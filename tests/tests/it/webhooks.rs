//! Endpoints of webhooks in the one-machine home.

use barometer::home::{Home, Options};
use barometer_webhook::Reach;
use http::{Method, StatusCode};
use serde_json::json;

use crate::home::{Running, read, text};

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
        (Method::DELETE, path.clone(), StatusCode::NO_CONTENT),
        (Method::GET, path, StatusCode::NOT_FOUND),
    ] {
        let answer = running.api(method.clone(), &path, &json!({})).await;
        assert_eq!(answer.status, status, "{method} {path}: {}", text(&answer));
    }
}
