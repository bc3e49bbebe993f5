//! Every route of the OpenAPI document with another workspace's ids and credentials: a new route can't be forgotten.

use std::collections::BTreeMap;

use barometer::client::Answer;
use barometer_cloud::watch::Watch;
use barometer_domain::{
    CompanyId, Percent,
    alert::{Finding, Rule},
    band::Band,
    disagreement::Readings,
    status::Status,
};
use http::Method;
use serde_json::{Value, json};

use crate::home::{Running, at, create_workspace, read, send, text};
use crate::openapi::checked_in;

const NOW: &str = "2026-09-02T09:00:00Z";

/// Stands in everything that the first workspace keeps.
const OURS: &str = "ours-7d1";

/// An operation of the document.
struct Operation {
    id: String,
    method: Method,
    path: String,
    public: bool,
}

/// The operations of workspaces' people, for whom tokens and sessions are. What products send has a test of its own, and of
/// what links open the functions' tests tell.
fn operations() -> Vec<Operation> {
    operations_of(|tag| tag != "Ingestion" && tag != "Links")
}

fn operations_of(wanted: fn(&str) -> bool) -> Vec<Operation> {
    let document = checked_in();
    let mut operations = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            if !wanted(operation["tags"][0].as_str().unwrap()) {
                continue;
            }
            operations.push(Operation {
                id: operation["operationId"].as_str().unwrap().to_owned(),
                method: method.to_uppercase().parse().unwrap(),
                path: path.clone(),
                public: operation["security"] == json!([]),
            });
        }
    }
    assert!(operations.len() > 10, "{}", operations.len());
    operations
}

/// A body with which the operation would do something.
fn body(id: &str) -> Value {
    match id {
        "changeCompany" => json!({ "plan": "stolen" }),
        "setStatus" => json!({ "status": "thriving", "note": "stolen" }),
        "setStatuses" => {
            json!({ "changes": [{ "company_id": OURS, "status": "thriving", "note": "stolen" }] })
        }
        "changeUser" => json!({ "primary_contact": true }),
        "changeTask" => json!({ "state": "done" }),
        "changeAlert" => json!({ "state": "resolved", "note": "stolen" }),
        "answerDisagreement" => json!({ "answer": "confirm" }),
        "voidAnswer" => json!({ "reason": "stolen" }),
        "changeAction" => json!({ "state": "cancelled" }),
        "saveSettings" | "previewSettings" => json!({ "feedback_method": "faces" }),
        "tryRule" => json!({ "rule_id": OURS }),
        "createSource" => json!({ "name": "theirs" }),
        "changeSource" => json!({ "disabled": true }),
        "createWebhook" => json!({ "name": "theirs", "url": "https://theirs.example.com/" }),
        "changeWebhook" => json!({ "enabled": false }),
        "createToken" => json!({ "label": "theirs", "scope": "read" }),
        "addMember" => json!({ "email": "theirs@initech.example", "role": "admin" }),
        "changeMember" => json!({ "role": "admin" }),
        _ => Value::Null,
    }
}

/// The ids of what a workspace keeps, by the path of what they are.
async fn filled(running: &Running) -> BTreeMap<&'static str, String> {
    let company = CompanyId::new(OURS).unwrap();
    running.event(json!({ "type": "group", "userId": OURS, "groupId": OURS, "messageId": "g", "traits": { "name": OURS } })).await;
    running
        .event(json!({ "type": "identify", "userId": OURS, "messageId": "i", "traits": { "email": "ours-7d1@acme.example" } }))
        .await;
    let rating = json!({ "user_id": OURS, "company_id": OURS, "rating": 3, "scale": "nps", "comment": OURS });
    let answered = running.post("/v1/feedback", rating.to_string()).await;
    assert!(answered.status.is_success(), "{}", text(&answered));
    let own = json!({ "id": OURS, "name": OURS, "enabled": true,
        "trigger": { "on": "status", "to": ["struggling"] }, "actions": [{ "do": "tag", "add": [OURS] }] });
    let mut rules = running.get("/v1/settings").await["rules"].as_array().unwrap().clone();
    rules.push(own);
    let saved = running.api(Method::PUT, "/v1/settings", &json!({ "rules": rules, "note": OURS })).await;
    assert!(saved.status.is_success(), "{}", text(&saved));
    running.settle().await;
    let set = json!({ "status": "struggling", "note": OURS });
    let answer = running.api(Method::PUT, &format!("/v1/companies/{OURS}/status"), &set).await;
    assert!(answer.status.is_success(), "{}", text(&answer));
    running.settle().await;
    let workspace = &running.keys.workspace_id;
    let watch = Watch { table: running.home.table(), workspace, company: Some(&company), now: at(NOW) };
    let finding = Finding {
        rule: Rule::EngagementSuddenDrop,
        period: "2026-W35".parse().unwrap(),
        at: at(NOW),
        severity: Percent::whole(30),
        baseline: None,
        sentence: OURS.to_owned(),
    };
    watch.found(finding).await.unwrap();
    watch.compare(Some(Readings { status: Status::Thriving, engagement: Band::AtRisk })).await.unwrap();
    let make = async |path: &str, body: Value| {
        let answer = running.api(Method::POST, path, &body).await;
        assert!(answer.status.is_success(), "{}", text(&answer));
        read(&answer)["id"].as_str().unwrap().to_owned()
    };
    let first = async |path: &str| running.get(path).await["items"][0]["id"].as_str().unwrap().to_owned();
    BTreeMap::from([
        ("tasks", first("/v1/tasks").await),
        ("alerts", first("/v1/alerts").await),
        ("disagreements", first("/v1/disagreements").await),
        ("feedback", first("/v1/feedback").await),
        ("actions", first("/v1/actions").await),
        ("sources", make("/v1/sources", json!({ "name": OURS })).await),
        (
            "webhooks",
            make("/v1/webhooks", json!({ "name": OURS, "url": "https://ours-7d1.example.com/" })).await,
        ),
        ("api-tokens", make("/v1/api-tokens", json!({ "label": OURS, "scope": "read" })).await),
        ("members", make("/v1/members", json!({ "email": "ours-7d1@initech.example", "role": "csm" })).await),
        ("rules", OURS.to_owned()),
    ])
}

/// The path with ids of what is there.
fn ours(path: &str, ids: &BTreeMap<&str, String>) -> String {
    let path = path.replace("{company_id}", OURS).replace("{user_id}", OURS);
    let path = path.replace("{group}", "work").replace("{name}", "Problem");
    if !path.contains("{id}") {
        return path;
    }
    let kind = path.split('/').nth(2).unwrap();
    let id = ids.get(kind).unwrap_or_else(|| panic!("no id of {kind}: {path} needs one here"));
    path.replace("{id}", id)
}

async fn call(running: &Running, operation: &Operation, path: &str, token: Option<&str>) -> Answer {
    send(&running.client, operation.method.clone(), path, token, &body(&operation.id)).await
}

/// Everything that a workspace keeps, apart from who asked for it.
async fn kept(running: &Running) -> String {
    let path = "/v1/export";
    let answer = send(&running.client, Method::GET, path, Some(&running.keys.api_token), &Value::Null).await;
    assert!(answer.status.is_success(), "{}", text(&answer));
    let lines = String::from_utf8(answer.body.to_vec()).unwrap();
    // What came from a source is counted a while after it came.
    lines.lines().filter(|line| !line.starts_with("{\"kind\":\"source\"")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn no_route_shows_or_changes_what_is_another_workspaces() {
    let running = Running::start(NOW, "Etc/UTC").await;
    let ids = filled(&running).await;
    let neighbour = create_workspace(&running.client, "Etc/UTC").await;
    let before = kept(&running).await;
    for operation in operations().iter().filter(|operation| !operation.public) {
        let path = ours(&operation.path, &ids);
        let theirs = call(&running, operation, &path, Some(&neighbour.api_token)).await;
        let said = String::from_utf8_lossy(&theirs.body).into_owned();
        let name = format!("{} {path}", operation.method);
        if operation.path.contains('{') {
            assert_eq!(theirs.status, 404, "{name}: {said}");
        }
        // What an answer repeats of the request is none of ours.
        let own = said.replace(&format!("\"subject\":{{\"kind\":\"company\",\"id\":\"{OURS}\"}}"), "");
        assert!(
            !own.contains(OURS) || matches!(operation.id.as_str(), "tryRule" | "setStatuses"),
            "{name}: {said}"
        );
    }
    assert_eq!(kept(&running).await, before, "nothing of ours was changed");
    for operation in operations().iter().filter(|operation| operation.method == Method::GET) {
        let answer =
            call(&running, operation, &ours(&operation.path, &ids), Some(&running.keys.api_token)).await;
        let why = operation.id == "explainChange" || operation.id == "getOverview";
        assert!(
            answer.status.is_success() || (why && answer.status == 404),
            "{}: {}",
            operation.path,
            text(&answer)
        );
    }
    running.home.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_route_but_the_document_answers_without_a_valid_credential() {
    let running = Running::start(NOW, "Etc/UTC").await;
    let ids = filled(&running).await;
    let before = kept(&running).await;
    let write_key = running.keys.write_key.clone();
    for operation in &operations() {
        let path = ours(&operation.path, &ids);
        for token in [None, Some("bat_nobodys"), Some(write_key.as_str())] {
            let answer = call(&running, operation, &path, token).await;
            let expected = if operation.public { 200 } else { 401 };
            assert_eq!(
                answer.status,
                expected,
                "{} {path} with {token:?}: {}",
                operation.method,
                text(&answer)
            );
        }
    }
    assert_eq!(kept(&running).await, before);
    running.home.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_products_send_is_taken_with_a_write_key_only() {
    let running = Running::start(NOW, "Etc/UTC").await;
    let token = running.keys.api_token.clone();
    for operation in operations_of(|tag| tag == "Ingestion").iter().filter(|operation| !operation.public) {
        let path = operation.path.replace("{type}", "track");
        let event = match operation.id.as_str() {
            "giveFeedback" => json!({ "user_id": "u", "company_id": "c", "rating": 3 }),
            _ => {
                json!({ "type": "track", "event": "Export", "userId": "u", "messageId": "m", "distinct_id": "u",
                "specversion": "1.0", "id": "1", "source": "s", "subject": "u" })
            }
        };
        let call = async |token: Option<&str>| {
            send(&running.client, operation.method.clone(), &path, token, &event).await
        };
        for token in [None, Some("wk_nobodys"), Some(token.as_str())] {
            let answer = call(token).await;
            assert_eq!(answer.status, 401, "{path} with {token:?}: {}", text(&answer));
        }
        let answer = call(Some(&running.keys.write_key)).await;
        assert_eq!(answer.status, 200, "{path}: {}", text(&answer));
    }
    running.home.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_may_only_read_changes_nothing_and_a_writer_administers_nothing() {
    let running = Running::start(NOW, "Etc/UTC").await;
    let ids = filled(&running).await;
    let document = checked_in();
    let mut tokens = BTreeMap::new();
    for scope in ["read", "write"] {
        let made =
            running.api(Method::POST, "/v1/api-tokens", &json!({ "label": scope, "scope": scope })).await;
        tokens.insert(scope, read(&made)["token"].as_str().unwrap().to_owned());
    }
    // That a token was used is noted, by the hour.
    let all = operations();
    let settings = all.iter().find(|operation| operation.path == "/v1/settings" && operation.method == "GET");
    for token in tokens.values() {
        let answer = call(&running, settings.unwrap(), "/v1/settings", Some(token)).await;
        assert_eq!(answer.status, 200);
    }
    let before = kept(&running).await;
    for operation in operations().iter().filter(|operation| !operation.public) {
        let method = operation.method.as_str().to_lowercase();
        let needed = &document["paths"][&operation.path][method]["security"][0]["token"][0];
        let refused: &[&str] = match needed.as_str().unwrap() {
            "read" => &[],
            "write" => &["read"],
            _ => &["read", "write"],
        };
        for scope in refused {
            let path = ours(&operation.path, &ids);
            let answer = call(&running, operation, &path, Some(&tokens[scope])).await;
            assert_eq!(answer.status, 403, "{} {path} with {scope}: {}", operation.method, text(&answer));
        }
    }
    assert_eq!(kept(&running).await, before);
    running.home.stop().await;
}
