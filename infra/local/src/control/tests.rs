//! The control surface over HTTP.

use http::Method;
use serde_json::{Value, json};

use crate::client::Client;
use crate::home::tests::{Notes, start};

async fn call(client: &Client, method: Method, path: &str, body: &Value) -> (u16, Value) {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let answer = client.send(method, path, &[], body).await.unwrap();
    (answer.status.as_u16(), serde_json::from_slice(&answer.body).unwrap_or_default())
}

#[tokio::test]
async fn time_passes_and_shows_what_it_did() {
    let home = start(None, Some("2026-09-06T23:30:00Z"), &Notes::default()).await.unwrap();
    let client = Client::new(&home.url());
    let post = async |path, body: Value| call(&client, Method::POST, path, &body).await;
    let get = async |path| call(&client, Method::GET, path, &Value::Null).await;

    let (status, moved) = post("/local/clock", json!({"now": "2026-09-07T00:30:00Z"})).await;
    assert_eq!(status, 200);
    assert!(moved["now"].as_str().unwrap().starts_with("2026-09-07T00:30:0"));
    let at = "2026-09-07T00:00:00Z";
    let expected = json!({"runs": 1, "failed": 0, "first": at, "last": at});
    assert_eq!(moved["ran"], json!({"daily": expected, "plan": expected}));
    let (status, problem) = post("/local/clock", json!({"now": "2026-09-07T00:00:00Z"})).await;
    assert_eq!((status, problem["status"].as_u64()), (409, Some(409)));
    assert_eq!(post("/local/clock", json!({"now": "soon"})).await.0, 422);
    assert_eq!(post("/local/clock", Value::Null).await.0, 400);

    let (_, mails) = get("/local/mail").await;
    assert_eq!(mails[0]["to"], json!(["b@example.com"]));
    for field in ["subject", "headers", "text", "html", "raw", "sent_at", "send_id"] {
        assert!(mails[0].get(field).is_some(), "{field}");
    }
    let (_, bus) = get("/local/bus").await;
    assert_eq!(bus[0]["detail"], json!({"shard": at}));
    assert_eq!(get("/local/dead").await.1, json!([]));
    assert_eq!(get("/local/nothing").await.0, 404);
    home.stop().await;
}

#[tokio::test]
async fn functions_are_invoked_by_name() {
    let home = start(None, Some("2026-09-06T23:30:00Z"), &Notes::default()).await.unwrap();
    let client = Client::new(&home.url());
    let invoke = async |function: &str, event: Value| {
        call(&client, Method::POST, &format!("/local/invoke/{function}"), &event).await
    };
    let event = json!({"scheduled_time": "2026-09-07T00:00:00Z"});
    assert_eq!(invoke("plan", event.clone()).await, (200, json!({"planned": "2026-09-07T00:00:00Z"})));
    assert_eq!(invoke("none", event).await.0, 404);
    assert_eq!(invoke("plan", json!({"detail": {"shard": "bad"}})).await.0, 502);
    assert_eq!(invoke("web", json!({"not": "a request"})).await.0, 422);
    home.stop().await;
}

#[tokio::test]
async fn workspaces_and_faults_are_set() {
    let home = start(None, None, &Notes::default()).await.unwrap();
    let client = Client::new(&home.url());
    let post = async |path, body: Value| call(&client, Method::POST, path, &body).await;
    let wanted = json!({"name": "Acme", "time_zone": "Europe/Berlin", "write_key": "write-key-1"});
    let (status, created) = post("/local/workspaces", wanted.clone()).await;
    assert_eq!((status, &created["write_key"]), (201, &json!("write-key-1")));
    assert!(created["workspace_id"].is_string() && created["api_token"].is_string());
    assert_eq!(post("/local/workspaces", wanted).await.0, 409);
    assert_eq!(post("/local/workspaces", json!({"name": "B", "time_zone": "Mars/Base"})).await.0, 422);
    assert_eq!(post("/local/workspaces", json!({"name": " "})).await.0, 422);

    let (status, plan) = post("/local/faults", json!({"ses": {"error": true, "times": 2}})).await;
    assert_eq!((status, &plan["ses"]["times"]), (200, &json!(2)));
    assert_eq!(post("/local/faults", json!({"smtp": {}})).await.0, 422);
    assert_eq!(post("/local/faults", json!({"events": {"bounce": true}})).await.0, 422);
    assert_eq!(post("/local/faults", json!({"ses": {"bounce": true}})).await.0, 200);
    home.stop().await;
}

#[tokio::test]
async fn requests_reach_their_function_and_foreign_hosts_are_refused() {
    let home = start(None, Some("2026-09-06T23:30:00Z"), &Notes::default()).await.unwrap();
    let client = Client::new(&home.url());
    let send = async |path, headers: &[(&'static str, &str)], body: Vec<u8>| {
        client.send(Method::POST, path, headers, body).await.unwrap().status.as_u16()
    };
    assert_eq!(send("/v1/batch", &[], b"shard".to_vec()).await, 200);
    assert_eq!(send("/v1/batch", &[("host", "example.com")], b"shard".to_vec()).await, 200);
    assert_eq!(send("/local/faults", &[("host", "example.com")], b"{}".to_vec()).await, 403);
    assert_eq!(send("/local/faults", &[("origin", "https://example.com")], b"{}".to_vec()).await, 403);
    assert_eq!(send("/local/faults", &[], b"{}".to_vec()).await, 200);
    assert_eq!(send("/v1/batch", &[], vec![b' '; 11 * 1024 * 1024]).await, 413);
    home.stop().await;
}
