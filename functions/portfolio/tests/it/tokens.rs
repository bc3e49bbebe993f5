//! API tokens.

use axum::body::Body;
use http::Method;
use serde_json::{Value, json};

use crate::common::{Answer, Home};

async fn create(home: &Home, body: &Value) -> Answer {
    home.json(Method::POST, "/v1/api-tokens", body).await
}

async fn with(home: &Home, token: &str, path: &str) -> u16 {
    let bearer = format!("Bearer {token}");
    home.request(Method::GET, path, &[("authorization", &bearer)], Body::empty()).await.status.as_u16()
}

#[tokio::test]
async fn a_token_is_shown_once_works_and_ends() {
    let home = Home::new().await;
    let made = create(&home, &json!({"label": "reports", "scope": "read"})).await;
    assert_eq!(made.status, 201);
    assert_eq!(made.headers["cache-control"], "no-store");
    let made = made.json();
    let (id, secret) = (made["id"].as_str().unwrap(), made["token"].as_str().unwrap());
    assert_eq!(
        (&made["label"], &made["scope"], &made["expires_at"]),
        (&json!("reports"), &json!("read"), &Value::Null)
    );
    assert_eq!(with(&home, secret, "/v1/companies").await, 200);
    assert_eq!(with(&home, secret, "/v1/api-tokens").await, 403);

    let list = home.get("/v1/api-tokens").await;
    assert!(!list.text.contains(secret) && !list.text.contains("hash"));
    let list = list.ok();
    let labels: Vec<&str> =
        list["items"].as_array().unwrap().iter().map(|item| item["label"].as_str().unwrap()).collect();
    assert!(labels.len() == 2 && labels.contains(&"reports") && labels.contains(&"first API token"));

    let path = format!("/v1/api-tokens/{id}");
    home.neighbour().await.request(Method::DELETE, &path, &[], Body::empty()).await.problem(404, None);
    let ended = home.request(Method::DELETE, &path, &[], Body::empty()).await;
    assert_eq!((ended.status.as_u16(), ended.text.as_str()), (204, ""));
    assert_eq!(with(&home, secret, "/v1/companies").await, 401);
    home.request(Method::DELETE, &path, &[], Body::empty()).await.problem(404, None);
}

#[tokio::test]
async fn a_token_may_end_by_itself() {
    let home = Home::new().await;
    let body = json!({"label": "short", "scope": "admin", "expires_at": "2026-09-09T12:00:01.5Z"});
    let made = create(&home, &body).await.json();
    assert_eq!(made["expires_at"], "2026-09-09T12:00:01Z");
    assert_eq!(with(&home, made["token"].as_str().unwrap(), "/v1/api-tokens").await, 200);
    let list = home.get("/v1/api-tokens").await.ok();
    assert!(list["items"].as_array().unwrap().iter().any(|item| item["expires_at"] == made["expires_at"]));
}

#[tokio::test]
async fn every_wrong_field_is_named() {
    let home = Home::new().await;
    for (body, pointer) in [
        (json!({"scope": "read"}), "/label"),
        (json!({"label": null, "scope": "read"}), "/label"),
        (json!({"label": " ", "scope": "read"}), "/label"),
        (json!({"label": "x"}), "/scope"),
        (json!({"label": "x", "scope": "root"}), "/scope"),
        (json!({"label": "x", "scope": "read", "expires_at": "2026-09-09T12:00:00Z"}), "/expires_at"),
        (json!({"label": "x", "scope": "read", "expires_at": "tomorrow"}), "/expires_at"),
        (json!({"label": "x", "scope": "read", "token": "mine"}), "/token"),
    ] {
        let problem = create(&home, &body).await.problem(422, Some(pointer));
        assert_eq!(problem["errors"].as_array().unwrap().len(), 1, "{problem}");
    }
    home.request(Method::POST, "/v1/api-tokens", &[], "label=x").await.problem(400, None);
    assert_eq!(home.get("/v1/api-tokens").await.ok()["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_tokens_last_use_is_listed_and_a_new_one_has_none() {
    let home = Home::new().await;
    create(&home, &json!({"label": "idle", "scope": "read"})).await;
    let list = home.get("/v1/api-tokens").await.ok();
    for item in list["items"].as_array().unwrap() {
        let expected = if item["label"] == "idle" { Value::Null } else { json!(crate::common::NOW) };
        assert_eq!(item["last_used"], expected, "{item}");
    }
}
