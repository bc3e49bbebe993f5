//! Actions: what rules are about to do, undone, approved and tried again.

use barometer_cloud::table::actions::{Action, ActionPlace, ActionState};
use barometer_domain::status::Status;
use http::Method;
use serde_json::{Value, json};

use crate::common::{Home, NOW, at, became, reachable};

/// A workspace in which a mail to Ann waits.
async fn waiting(approval: bool) -> (Home, String) {
    let home = Home::new().await;
    home.company("acme", "Acme", "2026-06-01T00:00:00Z").await;
    reachable(&home, "acme", "ann").await;
    let mail = json!({"do": "email", "subject": "Hi", "text": "Hello", "approval": approval});
    let rules = json!([{"id": "mail", "name": "Mail", "trigger": {"on": "status"}, "actions": [mail]}]);
    home.json(Method::PUT, "/v1/settings", &json!({ "rules": rules })).await.ok();
    let state = if approval { "awaiting_approval" } else { "planned" };
    // A rule doesn't act on what was before it, and the clock stands still.
    became(&home, "acme", Status::Struggling).await;
    let found = home.get(&format!("/v1/actions?state={state}")).await.ok();
    let id = found["items"][0]["id"].as_str().unwrap().to_owned();
    (home, id)
}

async fn set(home: &Home, id: &str, state: &str) -> crate::common::Answer {
    home.json(Method::PATCH, &format!("/v1/actions/{id}"), &json!({ "state": state })).await
}

async fn stored(home: &Home, id: &str) -> Action {
    home.table.action(&home.workspace, &ActionPlace::of(id).unwrap()).await.unwrap().unwrap()
}

async fn listed(home: &Home, query: &str) -> Vec<Value> {
    home.get(&format!("/v1/actions?{query}")).await.ok()["items"].as_array().unwrap().clone()
}

#[tokio::test]
async fn actions_are_listed_by_state_company_and_rule() {
    let (home, id) = waiting(false).await;
    home.company("other", "Other", "2026-06-01T00:00:00Z").await;
    reachable(&home, "other", "bob").await;
    became(&home, "other", Status::Healthy).await;
    assert_eq!(listed(&home, "").await.len(), 2, "what is planned unless said");
    let of_acme = listed(&home, "company_id=acme&rule=mail&state=planned").await;
    assert_eq!((of_acme.len(), &of_acme[0]["id"]), (1, &json!(id)));
    let shown = json!({
        "id": id, "company_id": "acme", "rule": "mail", "settings_version": 2,
        "happened": {"on": "status", "from": null, "to": "struggling"}, "occurred_at": NOW,
        "action": {"do": "email", "user_id": "ann", "subject": "Hi", "text": "Hello", "language": "en", "csm": null},
        "state": "planned", "reason": null, "due_at": "2026-09-09T12:15:00Z", "attempts": 0, "planned_at": NOW,
        "ended_at": null, "mail": null, "by": null,
    });
    assert_eq!(of_acme[0], shown);
    assert_eq!(listed(&home, "rule=other").await, [] as [Value; 0]);
    assert_eq!(listed(&home, "state=done").await, [] as [Value; 0]);
    let page = home.get("/v1/actions?limit=1").await.ok();
    let cursor = page["next_cursor"].as_str().unwrap();
    let rest = home.get(&format!("/v1/actions?limit=1&cursor={cursor}")).await.ok();
    assert_eq!(rest["next_cursor"], Value::Null);
    assert_ne!(page["items"], rest["items"]);
    home.get("/v1/actions?company_id=nobody").await.problem(404, None);
    home.get("/v1/actions?state=finished").await.problem(400, None);
    home.get("/v1/actions?rule=No%20Rule").await.problem(400, None);
}

#[tokio::test]
async fn what_is_undone_stays_undone_and_the_rule_quiet() {
    let (home, id) = waiting(false).await;
    let undone = set(&home, &id, "cancelled").await.ok();
    assert_eq!((&undone["state"], &undone["reason"]), (&json!("cancelled"), &json!("undone by hand")));
    assert_eq!(undone["ended_at"], NOW);
    assert!(undone["by"].is_string());
    assert_eq!(listed(&home, "state=cancelled").await, [undone]);
    assert_eq!(home.table.due_actions(&home.workspace, at("2026-12-01T00:00:00Z"), 10).await.unwrap(), []);
    set(&home, &id, "cancelled").await.problem(409, None);
    set(&home, &id, "planned").await.problem(409, None);
    let dry = home.json(Method::POST, "/v1/rules/dry-run", &json!({"rule_id": "mail"})).await.ok();
    assert_eq!(dry["quiet"], 1, "undoing keeps the cool-down");
}

#[tokio::test]
async fn what_is_approved_is_due_at_once() {
    let (home, id) = waiting(true).await;
    assert_eq!(home.table.due_actions(&home.workspace, at("2026-12-01T00:00:00Z"), 10).await.unwrap(), []);
    let approved = set(&home, &id, "approved").await.ok();
    assert_eq!((&approved["state"], &approved["due_at"]), (&json!("planned"), &json!(NOW)));
    let due = home.table.due_actions(&home.workspace, at(NOW), 10).await.unwrap();
    assert_eq!(due, [stored(&home, &id).await]);
    set(&home, &id, "approved").await.problem(409, None);
}

#[tokio::test]
async fn a_dead_letter_is_tried_again_and_a_mail_that_may_be_out_never() {
    let (home, id) = waiting(false).await;
    let mut action = stored(&home, &id).await;
    action.attempts = 8;
    action.end(ActionState::Unknown, Some("no answer".to_owned()), at(NOW));
    let mut action = home.table.write_action(&home.workspace, &action).await.unwrap();
    let refused = set(&home, &id, "planned").await.problem(409, None);
    assert!(refused["detail"].as_str().unwrap().contains("never sent twice"), "{refused}");
    action.end(ActionState::Failed, Some("the endpoint answered 500".to_owned()), at(NOW));
    home.table.write_action(&home.workspace, &action).await.unwrap();
    let again = set(&home, &id, "planned").await.ok();
    let told = ["state", "due_at", "attempts", "reason", "ended_at"].map(|name| again[name].clone());
    assert_eq!(told.to_vec(), [json!("planned"), json!(NOW), json!(0), json!(null), json!(null)]);
    assert_eq!(home.table.due_actions(&home.workspace, at(NOW), 10).await.unwrap().len(), 1);
}

#[tokio::test]
async fn another_workspaces_action_is_not_there() {
    let (home, id) = waiting(false).await;
    let other = home.neighbour().await;
    set(&other, &id, "cancelled").await.problem(404, None);
    assert_eq!(listed(&other, "").await, [] as [Value; 0]);
    other.get("/v1/actions?company_id=acme").await.problem(404, None);
    set(&home, "nothing", "cancelled").await.problem(404, None);
    assert_eq!(stored(&home, &id).await.state, ActionState::Planned);
}

#[tokio::test]
async fn a_change_says_one_of_three_states() {
    let (home, id) = waiting(false).await;
    let path = format!("/v1/actions/{id}");
    for (body, pointer) in [
        (json!({}), "/state"),
        (json!({"state": null}), "/state"),
        (json!({"state": "done"}), "/state"),
        (json!({"state": "cancelled", "note": "x"}), "/note"),
    ] {
        home.json(Method::PATCH, &path, &body).await.problem(422, Some(pointer));
    }
    home.json(Method::PATCH, &format!("{path}?x=1"), &json!({"state": "cancelled"})).await.problem(400, None);
}
