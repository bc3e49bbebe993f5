//! `If-Match`: what somebody else has changed meanwhile isn't overwritten.

use barometer_cloud::watch::Watch;
use barometer_domain::{
    Percent,
    alert::{Finding, Rule},
    band::Band,
    disagreement::Readings,
    status::Status,
};
use http::Method;
use serde_json::{Value, json};

use crate::common::{Answer, Home, NOW, at, became, company};

async fn change(home: &Home, path: &str, seen: &str, body: &Value) -> Answer {
    home.request(Method::PATCH, path, &[("if-match", seen)], body.to_string()).await
}

fn tag(answer: &Answer) -> String {
    answer.headers["etag"].to_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_company_is_changed_only_as_it_was_seen() {
    let home = Home::new().await;
    home.company("acme", "Acme", "2026-06-01T00:00:00Z").await;
    let path = "/v1/companies/acme";
    let seen = tag(&home.get(path).await);
    let changed = change(&home, path, &seen, &json!({ "plan": "pro" })).await;
    let now = tag(&changed);
    assert_eq!(changed.ok()["plan"], "pro");
    assert_eq!(now, tag(&home.get(path).await));
    let late = change(&home, path, &seen, &json!({ "plan": "basic", "owner": "late@initech.example" })).await;
    assert_eq!(tag(&late), now, "the current version");
    assert_eq!(late.problem(412, None)["code"], "precondition_failed");
    assert_eq!(home.get(path).await.ok()["plan"], "pro");
    assert_eq!(change(&home, path, "*", &json!({ "plan": "basic" })).await.ok()["plan"], "basic");
}

#[tokio::test]
async fn a_status_that_was_set_meanwhile_is_no_change_of_the_fields() {
    let home = Home::new().await;
    home.company("acme", "Acme", "2026-06-01T00:00:00Z").await;
    let seen = tag(&home.get("/v1/companies/acme").await);
    became(&home, "acme", Status::Steady).await;
    assert_ne!(seen, tag(&home.get("/v1/companies/acme").await));
    let changed = change(&home, "/v1/companies/acme", &seen, &json!({ "plan": "pro" })).await;
    assert_eq!(changed.ok()["plan"], "pro");
}

#[tokio::test]
async fn tasks_alerts_and_disagreements_are_changed_only_as_they_were_seen() {
    let home = Home::new().await;
    home.company("acme", "Acme", "2026-06-01T00:00:00Z").await;
    became(&home, "acme", Status::Struggling).await;
    let company = company("acme");
    let watch =
        Watch { table: &home.table, workspace: &home.workspace, company: Some(&company), now: at(NOW) };
    let finding = Finding {
        rule: Rule::EngagementSuddenDrop,
        period: "2026-W35".parse().unwrap(),
        at: at(NOW),
        severity: Percent::whole(30),
        baseline: None,
        sentence: "Engagement fell".to_owned(),
    };
    watch.found(finding).await.unwrap();
    watch.compare(Some(Readings { status: Status::Thriving, engagement: Band::AtRisk })).await.unwrap();
    for (list, body) in [
        ("/v1/tasks", json!({ "note": "Called." })),
        ("/v1/alerts", json!({ "state": "acknowledged" })),
        ("/v1/disagreements", json!({ "answer": "both_right" })),
    ] {
        let item = home.get(list).await.ok()["items"][0].clone();
        let version = item["version"].as_u64().unwrap();
        let path = format!("{list}/{}", item["id"].as_str().unwrap());
        let late = change(&home, &path, &format!("\"{}\"", version + 1), &body).await;
        assert_eq!(tag(&late), format!("\"{version}\""), "{list}");
        late.problem(412, None);
        let changed = change(&home, &path, &format!("\"{version}\""), &body).await;
        assert_eq!(tag(&changed), format!("\"{}\"", version + 1), "{list}");
        assert_eq!(changed.ok()["version"], version + 1, "{list}");
        change(&home, &path, &format!("\"{version}\""), &body).await.problem(412, None);
    }
}
