//! What a draft of the settings would have changed, before anything is saved.

use barometer_cloud::table::{Item, companies::Patch, team::Role};
use barometer_domain::Settings;
use http::Method;
use serde_json::{Value, json};

use crate::{
    common::{Answer, Home, company},
    scored::{CALM, Done, week_of},
};

async fn what_if(home: &Home, draft: &Value) -> Answer {
    home.json(Method::POST, "/v1/settings/what-if", draft).await
}

/// The two weeks before the running one of four companies: calm is at 71, middle at 55, low at 50; lost has churned.
async fn portfolio() -> Home {
    let home = Home::new().await;
    let settings = home.table.settings(&home.workspace).await.unwrap().unwrap().settings;
    for (id, active, minutes) in [("calm", 6, 320), ("low", 4, 240), ("middle", 4, 290), ("lost", 4, 290)] {
        home.company(id, id, "2026-01-05T00:00:00Z").await;
        for of in ["2026-W35", "2026-W36"] {
            week_of(&home, id, Done { of, active, minutes, uses: &[] }, &settings, 1).await;
        }
    }
    let patch = Patch { churned_on: Some(Some("2026-09-09".parse().unwrap())), ..Patch::default() };
    home.table.patch_company(&home.workspace, &company("lost"), &patch).await.unwrap();
    home
}

#[tokio::test]
async fn says_which_companies_would_stand_elsewhere() {
    let home = portfolio().await;
    let answer = what_if(&home, &json!({"bands": "gocsm-2026", "time_zone": "Europe/Berlin"})).await.ok();
    let standings = |healthy: u32, steady: u32| {
        json!({
            "standings": {
                "thriving": 0, "healthy": healthy, "steady": steady,
                "at_risk": 0, "onboarding": 0, "insufficient": 0,
            },
            "mean": 58.68,
        })
    };
    let week = |week: &str| json!({ "week": week, "before": standings(2, 1), "after": standings(1, 2) });
    assert_eq!(
        answer,
        json!({
            "settings_version": 1,
            "companies_total": 3, "companies_sampled": 3,
            "companies": 3, "changed": 1, "changed_in_any_week": 1, "weeks_left_as_stored": 0,
            "not_applied": ["time_zone"],
            "weeks": [week("2026-W35"), week("2026-W36")],
            "moves": [{ "from": "healthy", "to": "steady", "companies": 1 }],
            "changes": [{
                "company_id": "middle",
                "from": { "band": "healthy", "score": 55.21 },
                "to": { "band": "steady", "score": 55.21 },
            }],
        })
    );
}

#[tokio::test]
async fn as_many_weeks_as_are_asked_for_and_breadth_looks_back_beyond_them() {
    let home = Home::new().await;
    home.company("acme", "Acme", "2026-01-05T00:00:00Z").await;
    let settings = Settings::default();
    for of in ["2026-W32", "2026-W33", "2026-W34", "2026-W35", "2026-W36"] {
        let uses: &[&str] = if of == "2026-W33" { &["export"] } else { &[] };
        week_of(&home, "acme", Done { of, uses, ..CALM }, &settings, 1).await;
    }
    let catalogue = json!([{"key": "export"}, {"key": "import"}]);
    let one = what_if(&home, &json!({"weeks": 1, "catalogue": catalogue})).await.ok();
    assert_eq!(one["weeks"].as_array().unwrap().len(), 1);
    // One of two features: adoption is 60 % × 50 + 40 % × 66.67 = 56.67, login 75.
    assert_eq!(one["weeks"][0]["week"], "2026-W36");
    assert_eq!(one["weeks"][0]["after"]["mean"], 65.84);
    let all = what_if(&home, &json!({"weeks": 52, "catalogue": catalogue})).await.ok();
    assert_eq!(all["weeks"].as_array().unwrap().len(), 5);
    assert_eq!(all["weeks"][4], one["weeks"][0]);
}

/// Everything in the table, in the order of the keys.
async fn everything(home: &Home) -> Vec<Item> {
    let mut pages = home.table.client().scan().table_name(home.table.name()).into_paginator().items().send();
    let mut items = Vec::new();
    while let Some(item) = pages.next().await {
        items.push(item.unwrap());
    }
    items.sort_by_key(|item: &Item| ["pk", "sk"].map(|name| item[name].as_s().unwrap().clone()));
    items
}

#[tokio::test]
async fn nothing_is_saved() {
    let home = portfolio().await;
    // The token's first use is noted, and no other within the hour.
    home.get("/v1/settings").await.ok();
    let before = everything(&home).await;
    assert!(before.len() > 12, "{} items", before.len());
    let draft =
        json!({"bands": "gocsm-2026", "weights": {"login": 100, "adoption": 0, "feedback": 0}, "note": "?"});
    assert_eq!(what_if(&home, &draft).await.ok()["changed"], 1);
    assert_eq!(everything(&home).await, before);
}

#[tokio::test]
async fn a_workspace_without_weeks_has_nothing_to_change() {
    let home = Home::new().await;
    home.company("acme", "Acme", "2026-01-05T00:00:00Z").await;
    let answer = what_if(&home, &json!({})).await.ok();
    assert_eq!(
        (&answer["companies_total"], &answer["companies"], &answer["weeks"]),
        (&json!(1), &json!(0), &json!([]))
    );
}

#[tokio::test]
async fn the_settings_as_they_are_read_are_a_draft_too() {
    let home = portfolio().await;
    let mut settings = home.get("/v1/settings").await.ok();
    assert_eq!(what_if(&home, &settings).await.ok()["changed_in_any_week"], 0);
    settings["bands"] = json!({"thriving": 71, "healthy": 56, "steady": 26});
    let answer = what_if(&home, &settings).await.ok();
    assert_eq!(answer["changes"].as_array().unwrap().len(), 2);
    assert_eq!(
        (&answer["changes"][0]["company_id"], &answer["changes"][0]["to"]["band"]),
        (&json!("calm"), &json!("thriving"))
    );
}

#[tokio::test]
async fn what_cannot_be_saved_cannot_be_tried() {
    let home = Home::new().await;
    for body in [
        json!({"weights": {"login": 50, "adoption": 50, "feedback": 50}}),
        json!({"bands": "gocsm-2025"}),
        json!({"bands": {"preset": "other"}}),
        json!({"name": " "}),
        json!({"login_days": 0, "colour": "red"}),
        json!({"catalogue": [{"key": "a"}, {"key": "a"}]}),
        json!({"note": 5}),
        json!([]),
    ] {
        let tried = what_if(&home, &body).await.problem(422, None);
        let saved = home.json(Method::PUT, "/v1/settings", &body).await.problem(422, None);
        assert_eq!(tried, saved);
    }
    for weeks in [json!(0), json!(53), json!(-1), json!(1.5), json!("4"), json!(300), json!(null)] {
        what_if(&home, &json!({"weeks": weeks})).await.problem(422, Some("/weeks"));
    }
    let both = what_if(&home, &json!({"weeks": 0, "login_days": 0})).await.problem(422, Some("/weeks"));
    assert_eq!(both["errors"].as_array().unwrap().len(), 2);
    let path = "/v1/settings/what-if";
    home.request(Method::POST, path, &[], "{").await.problem(400, None);
    home.request(Method::POST, &format!("{path}?weeks=4"), &[], "{}").await.problem(400, Some("weeks"));
    home.request(Method::GET, path, &[], "").await.problem(405, None);
}

#[tokio::test]
async fn only_the_workspace_of_the_credential_is_looked_at() {
    let home = portfolio().await;
    let other = home.neighbour().await;
    assert_eq!(what_if(&other, &json!({})).await.ok()["companies_total"], 0);
    let path = "/v1/settings/what-if";
    home.request(Method::POST, path, &[("authorization", "Bearer nonsense")], "{}").await.problem(401, None);
    let cookie = home.session(Role::Viewer, "ana").await;
    let cookie = ("cookie", cookie.as_str());
    home.request(Method::POST, path, &[cookie, ("sec-fetch-site", "same-origin")], "{}").await.ok();
    home.request(Method::POST, path, &[cookie], "{}").await.problem(403, None);
}
