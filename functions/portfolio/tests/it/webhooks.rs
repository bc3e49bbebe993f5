//! Webhooks: endpoints, their secrets, and which URLs they can have.

use axum::body::Body;
use barometer_cloud::table::webhooks::LastCall;
use barometer_webhook::Secret;
use http::Method;
use serde_json::{Value, json};

use crate::common::{Home, NOW, at};

const URL: &str = "https://crm.example.com/hook?x=1";
const CHAT: &str = "https://hooks.slack.com/services/T0/B0/very-secret";

async fn create(home: &Home, body: &Value) -> Value {
    let made = home.json(Method::POST, "/v1/webhooks", body).await;
    assert_eq!(made.status, 201, "{}", made.text);
    made.json()
}

fn path(of: &Value) -> String {
    format!("/v1/webhooks/{}", of["id"].as_str().unwrap())
}

/// The same without what is shown once.
fn without_secret(mut view: Value) -> Value {
    view.as_object_mut().unwrap().remove("secret");
    view
}

#[tokio::test]
async fn an_endpoint_shows_its_secret_once() {
    let home = Home::new().await;
    let made = create(&home, &json!({"name": " CRM ", "url": URL})).await;
    let secret = made["secret"].as_str().unwrap();
    assert!(Secret::parse(secret).is_ok(), "{secret}");
    assert!(made["id"].as_str().unwrap().starts_with("wh_"));
    let shown = json!({
        "id": made["id"], "name": "CRM", "kind": "standard", "url": URL, "enabled": true, "disabled_at": null,
        "disabled_by": null, "previous_secret_until": null, "created_by": made["created_by"],
        "created_at": NOW, "last_call": null,
    });
    assert_eq!(without_secret(made.clone()), shown);
    for answer in [home.get(&path(&made)).await, home.get("/v1/webhooks").await] {
        assert!(!answer.text.contains("whsec_"), "{}", answer.text);
    }
    assert_eq!(home.get(&path(&made)).await.ok(), shown);
    assert_eq!(home.get("/v1/webhooks").await.ok(), json!({"items": [shown], "next_cursor": null}));
}

#[tokio::test]
async fn a_chats_url_is_never_shown() {
    let home = Home::new().await;
    let made = create(&home, &json!({"name": "Team", "kind": "chat", "url": CHAT})).await;
    assert_eq!((&made["kind"], &made["secret"]), (&json!("chat"), &Value::Null));
    let changed = home.json(Method::PATCH, &path(&made), &json!({"name": "Us"})).await.ok();
    let (list, one) = (home.get("/v1/webhooks").await.ok(), home.get(&path(&made)).await.ok());
    for view in [&made, &changed, &list["items"][0], &one] {
        assert_eq!(view["url"], "https://hooks.slack.com/…");
    }
    // It is kept all the same.
    let kept = home.table.webhook(&home.workspace, made["id"].as_str().unwrap()).await.unwrap().unwrap();
    assert_eq!((kept.url.as_str(), kept.name.as_str()), (CHAT, "Us"));
}

#[tokio::test]
async fn a_rotation_signs_with_both_secrets_for_a_day() {
    let home = Home::new().await;
    let made = create(&home, &json!({"name": "CRM", "url": URL})).await;
    let rotate = format!("{}/rotate", path(&made));
    let second = home.request(Method::POST, &rotate, &[], Body::empty()).await.ok();
    assert!(second["secret"].is_string() && second["secret"] != made["secret"]);
    assert_eq!(second["previous_secret_until"], "2026-09-10T12:00:00Z");
    assert_eq!(home.get(&path(&made)).await.ok(), without_secret(second.clone()));
    let kept = home.table.webhook(&home.workspace, made["id"].as_str().unwrap()).await.unwrap().unwrap();
    assert_eq!(kept.secret.as_deref(), second["secret"].as_str());
    assert_eq!(
        kept.signing_previous(at(NOW)).map(|previous| previous.secret.as_str()),
        made["secret"].as_str()
    );

    home.json(Method::POST, &rotate, &json!({"secret": "mine"})).await.problem(422, Some("/secret"));
    let chat = create(&home, &json!({"name": "Team", "kind": "chat", "url": CHAT})).await;
    let refused = home.request(Method::POST, &format!("{}/rotate", path(&chat)), &[], Body::empty()).await;
    assert_eq!(refused.problem(409, None)["code"], "no_secret");
}

#[tokio::test]
async fn an_endpoint_is_changed_disabled_and_deleted() {
    let home = Home::new().await;
    let made = without_secret(create(&home, &json!({"name": "CRM", "url": URL})).await);
    let path = path(&made);
    assert_eq!(home.json(Method::PATCH, &path, &json!({})).await.ok(), made);
    let url = "https://crm.example.com:8443/other";
    let changed = home.json(Method::PATCH, &path, &json!({"url": url, "enabled": false})).await.ok();
    assert_eq!(
        (
            &changed["name"],
            &changed["url"],
            &changed["enabled"],
            &changed["disabled_at"],
            &changed["disabled_by"]
        ),
        (&json!("CRM"), &json!(url), &json!(false), &json!(NOW), &json!("admin"))
    );
    let enabled = home.json(Method::PATCH, &path, &json!({"enabled": true, "url": URL})).await.ok();
    assert_eq!(enabled, made);
    let gone = home.request(Method::DELETE, &path, &[], Body::empty()).await;
    assert_eq!((gone.status.as_u16(), gone.text.as_str()), (204, ""));
    home.get(&path).await.problem(404, None);
    home.request(Method::DELETE, &path, &[], Body::empty()).await.problem(404, None);
    home.json(Method::PATCH, &path, &json!({"name": "x"})).await.problem(404, None);
    home.request(Method::POST, &format!("{path}/rotate"), &[], Body::empty()).await.problem(404, None);
}

#[tokio::test]
async fn an_endpoint_that_answered_gone_says_so() {
    let home = Home::new().await;
    let made = create(&home, &json!({"name": "CRM", "url": URL})).await;
    let call = LastCall {
        at: at(NOW),
        ok: false,
        status: Some(410),
        reason: Some("the endpoint answered 410".to_owned()),
    };
    home.table.note_webhook_call(&home.workspace, made["id"].as_str().unwrap(), &call, true).await.unwrap();
    let found = home.get(&path(&made)).await.ok();
    assert_eq!((&found["enabled"], &found["disabled_by"]), (&json!(false), &json!("gone")));
    let last = json!({"at": NOW, "ok": false, "status": 410, "reason": "the endpoint answered 410"});
    assert_eq!(found["last_call"], last);
}

#[tokio::test]
async fn another_workspaces_endpoint_is_not_there() {
    let home = Home::new().await;
    let made = create(&home, &json!({"name": "CRM", "url": URL})).await;
    let path = path(&made);
    let other = home.neighbour().await;
    other.get(&path).await.problem(404, None);
    other.json(Method::PATCH, &path, &json!({"url": "https://evil.example/"})).await.problem(404, None);
    other.request(Method::POST, &format!("{path}/rotate"), &[], Body::empty()).await.problem(404, None);
    other.request(Method::DELETE, &path, &[], Body::empty()).await.problem(404, None);
    assert_eq!(other.get("/v1/webhooks").await.ok()["items"], json!([]));
    assert_eq!(home.get(&path).await.ok(), without_secret(made));
    home.get(&format!("/v1/webhooks/{}", "x".repeat(3_000))).await.problem(404, None);
}

#[tokio::test]
async fn every_wrong_field_is_named() {
    let home = Home::new().await;
    let made = create(&home, &json!({"name": "CRM", "url": URL})).await;
    let path = path(&made);
    home.json(Method::POST, "/v1/webhooks", &json!({"url": URL})).await.problem(422, Some("/name"));
    home.json(Method::POST, "/v1/webhooks", &json!({"name": "CRM"})).await.problem(422, Some("/url"));
    for kind in [json!(null), json!("email")] {
        let body = json!({"name": "CRM", "url": URL, "kind": kind});
        home.json(Method::POST, "/v1/webhooks", &body).await.problem(422, Some("/kind"));
    }
    home.json(Method::PATCH, &path, &json!({"kind": "chat"})).await.problem(422, Some("/kind"));
    for enabled in [json!(null), json!(1)] {
        home.json(Method::PATCH, &path, &json!({"enabled": enabled})).await.problem(422, Some("/enabled"));
    }
    for (field, value) in [
        ("name", json!(null)),
        ("name", json!(" ")),
        ("name", json!("x".repeat(101))),
        ("url", json!(null)),
        ("url", json!(1)),
        ("url", json!("crm.example.com")),
        ("url", json!("http://crm.example.com/")),
        ("url", json!("https://ana:secret@crm.example.com/")),
        ("url", json!("https://crm.example.com:22/")),
        ("url", json!("https://localhost/")),
        ("url", json!("https://127.0.0.1/")),
        ("url", json!("https://169.254.169.254/latest/meta-data/")),
        ("url", json!("https://[::ffff:10.0.0.1]/")),
        ("secret", json!("whsec_mine")),
    ] {
        let mut body = json!({"name": "CRM", "url": URL});
        body[field] = value;
        for (method, path) in [(Method::POST, "/v1/webhooks"), (Method::PATCH, path.as_str())] {
            let problem = home.json(method, path, &body).await.problem(422, Some(&format!("/{field}")));
            assert_eq!(problem["errors"].as_array().unwrap().len(), 1, "{problem}");
        }
    }
    home.request(Method::POST, "/v1/webhooks", &[], "url=x").await.problem(400, None);
    home.get("/v1/webhooks?order=name").await.problem(400, None);
    assert_eq!(home.get("/v1/webhooks").await.ok()["items"], json!([without_secret(made)]));
}

#[tokio::test]
async fn a_workspace_has_at_most_twenty_in_pages() {
    let home = Home::new().await;
    let mut ids = Vec::new();
    for number in 0..20 {
        let made = create(&home, &json!({"name": format!("CRM {number}"), "url": URL})).await;
        ids.push(made["id"].as_str().unwrap().to_owned());
    }
    let body = json!({"name": "CRM 20", "url": URL});
    let full = home.json(Method::POST, "/v1/webhooks", &body).await.problem(409, None);
    assert_eq!(full["code"], "too_many_webhooks");
    // All were made in one instant, so their ids decide.
    ids.sort();
    let first = home.get("/v1/webhooks?limit=15").await.ok();
    let rest =
        home.get(&format!("/v1/webhooks?cursor={}", first["next_cursor"].as_str().unwrap())).await.ok();
    let items = [&first, &rest].into_iter().flat_map(|page| page["items"].as_array().unwrap());
    assert_eq!(items.map(|item| item["id"].as_str().unwrap()).collect::<Vec<_>>(), ids);
}
