//! The portfolio: filters, CSV and the quadrant.

use axum::body::Body;
use barometer_cloud::table::{
    companies::{Patch, Readings},
    statuses::StatusChange,
};
use barometer_domain::{
    band::Standing,
    happiness::{Happiness, Level},
    status::{BusinessStatus, ChangeKind, Status},
};
use http::Method;
use serde_json::json;

use crate::common::{Home, at, company, engagement, percent};

pub fn happiness(score: Option<u16>, level: Level) -> Happiness {
    Happiness {
        score: score.map(percent),
        level,
        answers: u32::from(score.is_some()) * 3,
        response_rate: None,
        provisional: score.is_none(),
        silent: score.is_none(),
        oldest_answer_at: None,
        nps: None,
    }
}

async fn status(home: &Home, id: &str, value: Status, set_at: &str, days: i64) {
    let set_at = at(set_at);
    let change = StatusChange {
        id: format!("{id}-1"),
        kind: ChangeKind::Transition,
        from: None,
        status: BusinessStatus {
            value,
            note: "a word, and another".to_owned(),
            author: "ana@initech.example".to_owned(),
            set_at,
            review_by: set_at + chrono::TimeDelta::days(days),
        },
    };
    home.table.set_status(&home.workspace, &company(id), 0, &change, &[]).await.unwrap();
}

/// Five companies: one in every cell of the quadrant, and one that was lost.
async fn portfolio() -> Home {
    let home = Home::new().await;
    for (id, name, score, level) in [
        ("a", "Advocate", Some(9_000), Some((9_500, Level::VeryHappy))),
        ("b", "business Problem", Some(2_000), Some((7_000, Level::Happy))),
        ("p", "Product problem", Some(8_000), Some((1_000, Level::NotHappy))),
        ("u", "=Urgent", Some(1_000), Some((1_000, Level::NotHappy))),
        ("x", "Unknown, new", None, None),
        ("z", "Zombie", Some(5_000), None),
    ] {
        home.company(id, name, "2026-06-01T00:00:00Z").await;
        let happiness = match level {
            Some((score, level)) => happiness(Some(score), level),
            None => happiness(None, Level::NoData),
        };
        let mut engagement = engagement("2026-W36", score);
        if id == "x" {
            engagement.band = Standing::Onboarding;
            engagement.week = engagement.week.next();
        }
        let readings = Readings {
            engagement: Some(engagement),
            happiness: Some(happiness),
            last_seen_at: Some(at("2026-09-06T10:00:00Z")),
            ..Readings::default()
        };
        home.readings(id, &readings).await;
    }
    let patch = Patch { churned_on: Some(Some("2026-09-01".parse().unwrap())), ..Patch::default() };
    home.table.patch_company(&home.workspace, &company("z"), &patch).await.unwrap();
    let patch = Patch { owner: Some(Some("Ana@initech.example".to_owned())), ..Patch::default() };
    home.table.patch_company(&home.workspace, &company("a"), &patch).await.unwrap();
    home
}

fn ids(list: &serde_json::Value) -> String {
    list["items"].as_array().unwrap().iter().map(|item| item["company_id"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn who_needs_attention_most_comes_first_then_the_names() {
    let home = portfolio().await;
    let list = home.get("/v1/companies").await.ok();
    // 3: u (two reasons), b (at risk), p (not happy); then 0: x, where nobody answers, and a.
    assert_eq!(ids(&list), "ubpxa");
    assert_eq!(list["next_cursor"], json!(null));
    let first = &list["items"][1];
    assert_eq!(first["name"], "business Problem");
    assert_eq!(first["engagement"]["score"], 20);
    assert_eq!(first["engagement"]["band"], "at_risk");
    assert_eq!(first["engagement"]["week"], "2026-W36");
    assert_eq!(first["engagement"]["month"], "2026-09");
    assert_eq!(first["happiness"]["level"], "happy");
    assert_eq!(first["quadrant"], "business_problem");
    assert_eq!(first["business_status"], json!(null));
    assert_eq!(first["open_tasks"], 0);
}

#[tokio::test]
async fn filters_combine() {
    let home = portfolio().await;
    status(&home, "a", Status::Struggling, "2026-09-01T00:00:00Z", 30).await;
    status(&home, "u", Status::Steady, "2026-05-01T00:00:00Z", 90).await;
    for (query, found) in [
        ("q=problem", "bp"),
        ("q=PROBLEM&engagement=thriving", "p"),
        ("owner=ana@initech.example", "a"),
        ("owner=nobody", ""),
        ("owner=&q=", "uabpx"),
        ("status=struggling", "a"),
        ("status=steady", "u"),
        ("engagement=at_risk", "ub"),
        ("engagement=onboarding", "x"),
        ("quadrant=urgent", "u"),
        ("quadrant=unknown", "x"),
        ("flag=silent", "x"),
        ("flag=stale", "u"),
        ("flag=disagreement", "a"),
        ("flag=provisional", "x"),
        ("flag=onboarding", "x"),
        ("flag=churned", "z"),
        ("flag=churned&status=steady", ""),
    ] {
        let list = home.get(&format!("/v1/companies?{query}")).await.ok();
        let (mut have, mut want): (Vec<char>, Vec<char>) =
            (ids(&list).chars().collect(), found.chars().collect());
        have.sort_unstable();
        want.sort_unstable();
        assert_eq!(have, want, "{query}");
    }
}

#[tokio::test]
async fn a_parameter_that_is_not_understood_is_named() {
    let home = portfolio().await;
    for (query, pointer) in [
        ("sort=colour", "sort"),
        ("sort=--name", "sort"),
        ("status=at_risk", "status"),
        ("engagement=struggling", "engagement"),
        ("quadrant=north", "quadrant"),
        ("flag=red", "flag"),
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("limit=many", "limit"),
        ("cursor=nonsense", "cursor"),
        ("stauts=steady", "stauts"),
        ("q=a&q=b", "q"),
    ] {
        home.get(&format!("/v1/companies?{query}")).await.problem(400, Some(pointer));
        home.get(&format!("/v1/companies.csv?{query}")).await.problem(400, Some(pointer));
    }
}

#[tokio::test]
async fn the_portfolio_is_also_a_file() {
    let home = portfolio().await;
    status(&home, "a", Status::Struggling, "2026-09-01T00:00:00Z", 30).await;
    let by_path = home.get("/v1/companies.csv?sort=name").await;
    assert_eq!(by_path.headers["content-type"], "text/csv; charset=utf-8; header=present");
    assert_eq!(by_path.headers["cache-control"], "no-store");
    let headers = [("accept", "text/csv")];
    let by_accept =
        home.request(Method::GET, "/v1/companies?sort=name&limit=1", &headers, Body::empty()).await;
    assert_eq!(by_path.text, by_accept.text, "all rows, whatever the limit");
    assert_eq!(by_accept.headers["vary"], "Accept");

    let lines: Vec<&str> = by_path.text.strip_suffix("\r\n").unwrap().split("\r\n").collect();
    assert_eq!(lines.len(), 6);
    assert!(lines[0].starts_with("company_id,name,owner,plan,"));
    assert!(lines[1].starts_with("u,'=Urgent,,,"), "a name is never a formula: {}", lines[1]);
    assert!(lines[2].starts_with("a,Advocate,Ana@initech.example,"));
    assert!(lines[2].contains(",struggling,\"a word, and another\","));
    assert!(lines[5].starts_with("x,\"Unknown, new\",,"));
    let columns = lines[0].split(',').count();
    assert_eq!(lines[4].split(',').count(), columns);
    let header: Vec<&str> = lines[0].split(',').collect();
    let cell = |name: &str| {
        lines[4].split(',').nth(header.iter().position(|column| *column == name).unwrap()).unwrap()
    };
    assert_eq!(cell("engagement_score"), "80");
    assert_eq!(cell("adoption"), "", "what is missing is empty, never 0");
    assert_eq!(cell("happiness_level"), "not_happy");
    assert_eq!(cell("quadrant"), "product_problem");
}

#[tokio::test]
async fn the_quadrant_has_five_cells() {
    let home = portfolio().await;
    let quadrant = home.get("/v1/quadrant").await.ok();
    let cells = quadrant["cells"].as_object().unwrap();
    assert_eq!(cells.len(), 5);
    for (cell, id) in [
        ("urgent", "u"),
        ("product_problem", "p"),
        ("business_problem", "b"),
        ("advocate", "a"),
        ("unknown", "x"),
    ] {
        assert_eq!(cells[cell]["count"], 1, "{cell}");
        assert_eq!(cells[cell]["companies"][0]["company_id"], id);
        assert!(cells[cell]["meaning"].is_string());
    }
    assert_eq!(cells["urgent"]["companies"], json!([{"company_id": "u", "name": "=Urgent"}]));
    home.get("/v1/quadrant?x=1").await.problem(400, Some("x"));
}
