//! Changing a company.

use barometer_cloud::table::members::Person;
use http::Method;
use serde_json::{Value, json};

use crate::common::{Home, at, company, reachable, user};

async fn acme() -> Home {
    let home = Home::new().await;
    home.company("acme", "Acme", "2026-06-01T00:00:00Z").await;
    home
}

#[tokio::test]
async fn fields_are_set_cleared_and_left() {
    let home = acme().await;
    let all = json!({
        "name": " Acme Inc. ", "owner": "ana@initech.example", "plan": "pro", "time_zone": "Europe/Berlin", "language": "de",
        "renewal_on": "2027-01-01", "notice_on": "2026-10-01", "churned_on": "2026-12-31",
    });
    let view = home.patch("acme", &all).await.ok();
    for (name, value) in all.as_object().unwrap() {
        let value = if name == "name" { &json!("Acme Inc.") } else { value };
        assert_eq!(&view[name], value, "{name}");
    }
    assert_eq!(home.patch("acme", &json!({"plan": "basic"})).await.ok()["owner"], "ana@initech.example");
    assert_eq!(home.patch("acme", &json!({})).await.ok()["plan"], "basic");
    let cleared: Value = all
        .as_object()
        .unwrap()
        .keys()
        .map(|name| (name.clone(), Value::Null))
        .collect::<serde_json::Map<_, _>>()
        .into();
    let view = home.patch("acme", &cleared).await.ok();
    for name in all.as_object().unwrap().keys().filter(|name| *name != "name") {
        assert_eq!(view[name], Value::Null, "{name}");
    }
    assert_eq!(view["name"], "acme", "without a name, the id");
    assert_eq!(home.get("/v1/companies/acme").await.ok(), view);
}

#[tokio::test]
async fn every_wrong_field_is_named_and_nothing_is_changed() {
    let home = acme().await;
    let long = "x".repeat(201);
    for (body, pointer) in [
        (json!({"time_zone": "Mars/Olympus"}), "/time_zone"),
        (json!({"language": "fr"}), "/language"),
        (json!({"renewal_on": "2026-02-30"}), "/renewal_on"),
        (json!({"churned_on": "soon"}), "/churned_on"),
        (json!({"notice_on": 20260101}), "/notice_on"),
        (json!({"request_feedback": "yes"}), "/request_feedback"),
        (json!({"request_feedback": null}), "/request_feedback"),
        (json!({"owner": ""}), "/owner"),
        (json!({"owner": ["ana"]}), "/owner"),
        (json!({"plan": long}), "/plan"),
        (json!({"name": "two\nlines"}), "/name"),
        (json!({"company_id": "other"}), "/company_id"),
        (json!({"engagement": {"score": 100}}), "/engagement"),
        (json!({"a/b~c": 1}), "/a~1b~0c"),
        (json!([]), ""),
        (json!("text"), ""),
    ] {
        let mut body = body;
        if let Some(object) = body.as_object_mut() {
            object.entry("plan").or_insert("good".into());
        }
        home.patch("acme", &body).await.problem(422, Some(pointer));
    }
    let two =
        home.patch("acme", &json!({"time_zone": "x", "nothing": 1})).await.problem(422, Some("/nothing"));
    assert_eq!(two["errors"].as_array().unwrap().len(), 2);
    for body in ["", "{", "{\"plan\": \"pro\"", "nonsense"] {
        home.request(Method::PATCH, "/v1/companies/acme", &[], body).await.problem(400, None);
    }
    assert_eq!(home.get("/v1/companies/acme").await.ok()["plan"], Value::Null);
    home.patch("nobody", &json!({"plan": "pro"})).await.problem(404, None);
    assert_eq!(home.table.company(&home.workspace, &company("nobody")).await.unwrap(), None);
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused() {
    let home = acme().await;
    let body = json!({"plan": "x".repeat(1_000_000)});
    home.patch("acme", &body).await.problem(413, None);
}

#[tokio::test]
async fn the_switch_puts_users_on_the_list_of_those_to_be_asked() {
    let home = acme().await;
    let (workspace, acme) = (&home.workspace, company("acme"));
    let seen = at("2026-06-01T08:00:00Z");
    home.table.note_member(workspace, &acme, &user("ana"), seen, seen.date_naive()).await.unwrap();
    let person = Person { email: Some("ana@acme.example".to_owned()), ..Person::default() };
    home.table.describe_member(workspace, &acme, &user("ana"), &person).await.unwrap();
    home.table.schedule_ask(workspace, &acme, &user("ana"), None).await.unwrap();

    for _ in 0..2 {
        let view = home.patch("acme", &json!({"request_feedback": true})).await.ok();
        assert_eq!(view["request_feedback"], true);
        let member = home.table.member(workspace, &acme, &user("ana")).await.unwrap().unwrap();
        assert!(member.due_at.unwrap() >= at(crate::common::NOW));
    }
    let users = home.get("/v1/companies/acme/users").await.ok();
    assert!(users["items"][0]["next_ask_at"].is_string());
    let view = home.patch("acme", &json!({"request_feedback": false})).await.ok();
    assert_eq!(view["request_feedback"], false);
    assert_eq!(home.get("/v1/companies/acme/users").await.ok()["items"][0]["next_ask_at"], Value::Null);
}

/// Acme with Ann, whom the product calls a primary contact.
async fn ann() -> Home {
    let home = acme().await;
    reachable(&home, "acme", "ann").await;
    let told = Person { primary_contact: Some(true), ..Person::default() };
    home.table.describe_member(&home.workspace, &company("acme"), &user("ann"), &told).await.unwrap();
    home
}

const ANN: &str = "/v1/companies/acme/users/ann";

#[tokio::test]
async fn whom_the_csm_makes_a_primary_contact_is_one_whatever_the_product_says() {
    let home = ann().await;
    let users = async || home.get("/v1/companies/acme/users").await.ok()["items"][0].clone();
    assert_eq!(users().await["primary_contact"], true, "the product's word");
    for (set, shown) in [(json!(false), false), (json!(null), true), (json!(true), true)] {
        let changed = home.json(Method::PATCH, ANN, &json!({"primary_contact": set})).await.ok();
        assert_eq!(changed["primary_contact"], shown, "{set}");
        assert_eq!(changed, users().await);
    }
    let said = Person { primary_contact: Some(false), ..Person::default() };
    home.table.describe_member(&home.workspace, &company("acme"), &user("ann"), &said).await.unwrap();
    assert_eq!(users().await["primary_contact"], true, "what the CSM set wins");
}

#[tokio::test]
async fn a_primary_contact_is_somebody_at_the_company() {
    let home = ann().await;
    let body = json!({"primary_contact": true});
    home.json(Method::PATCH, "/v1/companies/acme/users/bob", &body).await.problem(404, None);
    home.json(Method::PATCH, "/v1/companies/nobody/users/ann", &body).await.problem(404, None);
    home.neighbour().await.json(Method::PATCH, ANN, &body).await.problem(404, None);
    let nobody = home.table.member(&home.workspace, &company("acme"), &user("bob")).await.unwrap();
    assert_eq!(nobody, None, "a refusal makes nobody a member");
    for (body, pointer) in [
        (json!({}), "/primary_contact"),
        (json!({"primary_contact": "yes"}), "/primary_contact"),
        (json!({"primary_contact": true, "name": "x"}), "/name"),
    ] {
        home.json(Method::PATCH, ANN, &body).await.problem(422, Some(pointer));
    }
}

#[tokio::test]
async fn tags_are_set_whole_shown_everywhere_and_filtered_by() {
    let home = acme().await;
    home.company("other", "Other", "2026-06-01T00:00:00Z").await;
    assert_eq!(home.get("/v1/companies/acme").await.ok()["tags"], json!([]));
    let view = home.patch("acme", &json!({"tags": ["vip", "=pilot", "vip"]})).await.ok();
    assert_eq!(view["tags"], json!(["=pilot", "vip"]));
    assert_eq!(
        home.patch("acme", &json!({"plan": "pro"})).await.ok()["tags"],
        view["tags"],
        "left as they are"
    );
    let tagged = home.get("/v1/companies?tag=vip").await.ok();
    let ids: Vec<_> = tagged["items"].as_array().unwrap().iter().map(|item| &item["company_id"]).collect();
    assert_eq!(ids, ["acme"]);
    assert_eq!(tagged["items"][0]["tags"], view["tags"]);
    assert_eq!(home.get("/v1/companies?tag=VIP").await.ok()["items"], json!([]));
    let file = home.get("/v1/companies.csv?tag=vip").await.text;
    let lines: Vec<&str> = file.lines().collect();
    assert!(lines[0].ends_with(",tags") && lines[1].ends_with(",'=pilot; vip"), "{file}");
    for (cleared, with) in [(json!([]), "nothing"), (json!(null), "null")] {
        home.patch("acme", &json!({"tags": ["vip"]})).await.ok();
        assert_eq!(home.patch("acme", &json!({ "tags": cleared })).await.ok()["tags"], json!([]), "{with}");
    }
}

#[tokio::test]
async fn every_wrong_tag_is_named() {
    let home = acme().await;
    let many: Vec<String> = (0..51).map(|number| format!("tag {number}")).collect();
    for (tags, pointer) in [
        (json!(["ok", ""]), "/tags/1"),
        (json!([" vip"]), "/tags/0"),
        (json!(["two\nlines"]), "/tags/0"),
        (json!(["x".repeat(41)]), "/tags/0"),
        (json!(many), "/tags"),
        (json!("vip"), "/tags"),
        (json!([1]), "/tags"),
    ] {
        home.patch("acme", &json!({ "tags": tags })).await.problem(422, Some(pointer));
    }
    assert_eq!(
        home.patch("acme", &json!({"tags": many[1..]})).await.ok()["tags"].as_array().unwrap().len(),
        50
    );
}
