//! `Idempotency-Key`: what makes something makes it once.

use axum::body::Body;
use barometer_cloud::table::credentials::{Kind, Scope};
use http::Method;
use serde_json::{Value, json};

use crate::{
    common::{Answer, Home, NOW, at},
    openapi::checked_in,
};

async fn post(home: &Home, path: &str, key: &str, body: &Value) -> Answer {
    home.request(Method::POST, path, &[("idempotency-key", key)], body.to_string()).await
}

async fn count(home: &Home, path: &str) -> usize {
    home.get(path).await.ok()["items"].as_array().unwrap().len()
}

#[tokio::test]
async fn a_repeat_makes_nothing_and_is_answered_as_the_first_time() {
    let home = Home::new().await;
    for (path, body) in [
        ("/v1/sources", json!({ "name": "Backend" })),
        ("/v1/members", json!({ "email": "ann@initech.example", "role": "csm" })),
    ] {
        let before = count(&home, path).await;
        let first = post(&home, path, path, &body).await;
        assert!(!first.headers.contains_key("idempotency-replayed"));
        let again = post(&home, path, path, &body).await;
        assert_eq!((first.status.as_u16(), again.status.as_u16()), (201, 201), "{path}: {}", again.text);
        assert_eq!(again.headers["idempotency-replayed"], "true");
        assert_eq!(again.headers["content-type"], "application/json");
        assert_eq!(first.json(), again.json(), "{path}");
        assert_eq!(count(&home, path).await, before + 1, "{path}");
    }
}

#[tokio::test]
async fn a_secret_is_in_the_first_answer_and_nowhere_after() {
    let home = Home::new().await;
    for (path, body, secret) in [
        ("/v1/api-tokens", json!({ "label": "CI", "scope": "read" }), "token"),
        ("/v1/webhooks", json!({ "name": "CRM", "url": "https://crm.example.com/hook" }), "secret"),
    ] {
        let before = count(&home, path).await;
        let first = post(&home, path, path, &body).await.json();
        let (id, secret) = (first["id"].as_str().unwrap(), first[secret].as_str().unwrap());
        let kept = home.table.remembered(&home.workspace, path, at(NOW)).await.unwrap().unwrap();
        assert!(kept.body.contains(id) && !kept.body.contains(secret), "{path}: {}", kept.body);
        let again = post(&home, path, path, &body).await;
        assert_eq!(again.headers["idempotency-replayed"], "true");
        let problem = again.problem(409, None);
        assert_eq!(problem["code"], "secret_not_kept");
        assert!(problem["detail"].as_str().unwrap().contains(id), "{problem}");
        assert_eq!(count(&home, path).await, before + 1, "{path}");
    }
}

#[tokio::test]
async fn a_key_is_one_request_of_one_caller() {
    let home = Home::new().await;
    let backend = json!({ "name": "Backend" });
    assert_eq!(post(&home, "/v1/sources", "k", &backend).await.status, 201);
    let member = json!({ "email": "ann@initech.example", "role": "csm" });
    for (path, body) in [("/v1/sources", json!({ "name": "Frontend" })), ("/v1/members", member)] {
        let problem = post(&home, path, "k", &body).await.problem(422, None);
        assert_eq!(problem["code"], "idempotency_key_reused", "{path}");
    }
    // Who may not make a source isn't shown what was made, either.
    let reader = home.credential(Kind::ApiToken, Scope::Read, "reader").await;
    let bearer = format!("Bearer {reader}");
    let headers = [("authorization", bearer.as_str()), ("idempotency-key", "k")];
    let theirs = home.request(Method::POST, "/v1/sources", &headers, backend.to_string()).await;
    assert_eq!(theirs.problem(422, None)["code"], "idempotency_key_reused");
    let neighbour = home.neighbour().await;
    let other = post(&neighbour, "/v1/sources", "k", &backend).await;
    assert_eq!(other.status, 201, "another workspace's keys are its own");
    assert!(!other.headers.contains_key("idempotency-replayed"));
}

#[tokio::test]
async fn what_failed_may_come_again_under_its_key() {
    let home = Home::new().await;
    post(&home, "/v1/sources", "k", &json!({ "name": "" })).await.problem(422, Some("/name"));
    assert_eq!(post(&home, "/v1/sources", "k", &json!({ "name": "Backend" })).await.status, 201);
}

#[tokio::test]
async fn of_two_at_once_one_makes_something() {
    let home = Home::new().await;
    let before = count(&home, "/v1/sources").await;
    let body = json!({ "name": "Backend" });
    let (one, other) =
        tokio::join!(post(&home, "/v1/sources", "k", &body), post(&home, "/v1/sources", "k", &body));
    let mut codes = [one.status.as_u16(), other.status.as_u16()];
    codes.sort_unstable();
    assert!(codes == [201, 201] || codes == [201, 409], "{codes:?}");
    assert_eq!(count(&home, "/v1/sources").await, before + 1);
}

#[tokio::test]
async fn every_operation_that_takes_a_key_looks_at_it() {
    let home = Home::new().await;
    let document = checked_in();
    let long = "k".repeat(256);
    let (mut taken, mut others) = (0, Vec::new());
    for (path, methods) in document["paths"].as_object().unwrap() {
        let Some(operation) = methods.get("post").filter(|_| path.starts_with("/v1/")) else { continue };
        let tag = operation["tags"][0].as_str().unwrap();
        if tag == "Ingestion" || path == "/v1/companies/statuses" {
            continue;
        }
        let parameters = operation["parameters"].as_array();
        if parameters.is_none_or(|all| all.iter().all(|one| one["name"] != "Idempotency-Key")) {
            others.push(path.as_str());
            continue;
        }
        let headers = [("idempotency-key", long.as_str())];
        let answer = home.request(Method::POST, &path.replace("{id}", "x"), &headers, Body::empty()).await;
        assert!(answer.problem(400, None)["detail"].as_str().unwrap().contains("Idempotency-Key"), "{path}");
        taken += 1;
    }
    assert_eq!(taken, 7);
    // They write nothing, or may be sent as often as one likes.
    assert_eq!(others, ["/v1/rules/dry-run", "/v1/settings/what-if", "/v1/webhooks/{id}/test"]);
}
