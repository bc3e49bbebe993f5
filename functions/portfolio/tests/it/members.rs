//! Members of a workspace.

use axum::body::Body;
use barometer_domain::email::EmailAddress;
use http::Method;
use serde_json::{Value, json};

use crate::common::{Answer, Home, NOW};

async fn add(home: &Home, email: &str, role: &str) -> Answer {
    home.json(Method::POST, "/v1/members", &json!({ "email": email, "role": role })).await
}

/// Adds a member and returns the id.
async fn added(home: &Home, email: &str, role: &str) -> String {
    let answer = add(home, email, role).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    answer.json()["id"].as_str().unwrap().to_owned()
}

async fn change(home: &Home, id: &str, body: &Value) -> Answer {
    home.json(Method::PATCH, &format!("/v1/members/{id}"), body).await
}

async fn remove(home: &Home, id: &str) -> Answer {
    home.request(Method::DELETE, &format!("/v1/members/{id}"), &[], Body::empty()).await
}

#[tokio::test]
async fn a_member_is_added_changed_listed_and_removed() {
    let home = Home::new().await;
    let admin = added(&home, "ana@initech.example", "admin").await;
    let body = json!({ "email": " Ben@Initech.example", "name": "Ben", "role": "viewer" });
    let ben = home.json(Method::POST, "/v1/members", &body).await;
    assert_eq!(ben.status, 201);
    let ben = ben.json();
    assert_eq!(
        (&ben["email"], &ben["name"], &ben["role"], &ben["last_sign_in"]),
        (&json!("ben@initech.example"), &json!("Ben"), &json!("viewer"), &Value::Null)
    );
    assert_eq!((&ben["added_by"], &ben["added_at"]), (&json!("first API token"), &json!(NOW)));
    let id = ben["id"].as_str().unwrap();
    let changed = change(&home, id, &json!({ "name": "Benno", "role": "csm" })).await.ok();
    assert_eq!((&changed["name"], &changed["role"]), (&json!("Benno"), &json!("csm")));

    let list = home.get("/v1/members").await.ok();
    let names: Vec<&str> =
        list["items"].as_array().unwrap().iter().map(|m| m["name"].as_str().unwrap()).collect();
    assert!(names.len() == 2 && names.contains(&"Benno") && names.contains(&"ana"), "{names:?}");
    assert_eq!(remove(&home, id).await.status, 204);
    remove(&home, id).await.problem(404, None);
    assert_eq!(home.get("/v1/members").await.ok()["items"][0]["id"], json!(admin));
    // Who was removed can come back.
    added(&home, "ben@initech.example", "csm").await;
}

#[tokio::test]
async fn an_address_is_one_member_of_a_workspace_and_may_be_of_several_workspaces() {
    let home = Home::new().await;
    let other = home.neighbour().await;
    added(&home, "ana@initech.example", "admin").await;
    let again = add(&home, "ANA@initech.example", "csm").await.problem(409, Some("/email"));
    assert_eq!(again["code"], "taken");
    added(&other, "ana@initech.example", "viewer").await;
    let email = EmailAddress::new("ana@initech.example").unwrap();
    assert_eq!(home.table.memberships(&email).await.unwrap().len(), 2);
}

#[tokio::test]
async fn the_last_admin_is_neither_removed_nor_made_less() {
    let home = Home::new().await;
    let ana = added(&home, "ana@initech.example", "admin").await;
    added(&home, "ben@initech.example", "csm").await;
    for role in ["csm", "viewer"] {
        assert_eq!(
            change(&home, &ana, &json!({ "role": role })).await.problem(409, None)["code"],
            "last_admin"
        );
    }
    assert_eq!(remove(&home, &ana).await.problem(409, None)["code"], "last_admin");
    change(&home, &ana, &json!({ "role": "admin", "name": "Ana" })).await.ok();

    let eve = added(&home, "eve@initech.example", "admin").await;
    change(&home, &ana, &json!({ "role": "csm" })).await.ok();
    remove(&home, &eve).await.problem(409, None);
    assert_eq!(remove(&home, &ana).await.status, 204);
}

#[tokio::test]
async fn two_admins_who_remove_each_other_at_once_leave_one() {
    for _ in 0..5 {
        let home = Home::new().await;
        let ana = added(&home, "ana@initech.example", "admin").await;
        let ben = added(&home, "ben@initech.example", "admin").await;
        let (one, other) = tokio::join!(remove(&home, &ana), remove(&home, &ben));
        let mut statuses = [one.status.as_u16(), other.status.as_u16()];
        statuses.sort_unstable();
        assert_eq!(statuses, [204, 409]);
        assert_eq!(home.table.team(&home.workspace).await.unwrap().len(), 1);
    }
}

#[tokio::test]
async fn every_wrong_field_of_a_member_is_named() {
    let home = Home::new().await;
    let ana = added(&home, "ana@initech.example", "admin").await;
    for (body, pointers) in [
        (json!({}), vec!["/email", "/role"]),
        (json!({ "email": "nobody", "role": "owner" }), vec!["/email", "/role"]),
        (json!({ "email": null, "role": null }), vec!["/email", "/role"]),
        (json!({ "email": "a@b.example", "role": "csm", "name": "" }), vec!["/name"]),
        (json!({ "email": "a@b.example", "role": "csm", "scope": "admin" }), vec!["/scope"]),
    ] {
        let problem = home.json(Method::POST, "/v1/members", &body).await.problem(422, None);
        let named: Vec<&str> =
            problem["errors"].as_array().unwrap().iter().map(|e| e["pointer"].as_str().unwrap()).collect();
        for pointer in pointers {
            assert!(named.contains(&pointer), "{body}: {problem}");
        }
    }
    change(&home, &ana, &json!({ "email": "b@initech.example" })).await.problem(422, Some("/email"));
    change(&home, &ana, &json!({ "name": null })).await.problem(422, Some("/name"));
    assert_eq!(home.table.team(&home.workspace).await.unwrap().len(), 1);
}

#[tokio::test]
async fn another_workspaces_member_is_not_there() {
    let home = Home::new().await;
    let ana = added(&home, "ana@initech.example", "admin").await;
    let other = home.neighbour().await;
    change(&other, &ana, &json!({ "name": "x" })).await.problem(404, None);
    remove(&other, &ana).await.problem(404, None);
    assert_eq!(other.get("/v1/members").await.ok()["items"], json!([]));
}
