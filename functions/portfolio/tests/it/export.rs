//! Everything that is kept, as JSON lines.

use std::collections::{BTreeMap, BTreeSet};

use barometer_cloud::table::{
    answers::{Answer, Source},
    companies::Readings,
    credentials::{Kind, Scope},
    snapshots::Published,
};
use barometer_domain::{activity::of_event, answer::Rating, status::Status};
use chrono::TimeDelta;
use http::Method;
use serde_json::{Value, json};

use crate::common::{Home, at, became, company, reachable, snapshot, user};

/// All parts of an export, and how many they were.
async fn whole(home: &Home) -> (Vec<Value>, usize) {
    let (mut lines, mut parts, mut path) = (Vec::new(), 0, "/v1/export".to_owned());
    loop {
        let part = home.get(&path).await;
        assert_eq!(part.status, 200, "{}", part.text);
        assert_eq!(part.headers["content-type"], "application/x-ndjson");
        assert!(part.text.len() < 5_000_000, "{}", part.text.len());
        lines.extend(part.text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()));
        parts += 1;
        let Some(link) = part.headers.get("link") else { return (lines, parts) };
        let link = link.to_str().unwrap();
        path = link.strip_prefix('<').unwrap().strip_suffix(">; rel=\"next\"").unwrap().to_owned();
    }
}

async fn answer(home: &Home, id: &str, number: i64, comment: &str) {
    let answer = Answer {
        user_id: user("ada"),
        rating: Rating::nps(9).unwrap(),
        comment: Some(comment.to_owned()),
        at: at("2026-08-01T00:00:00Z") + TimeDelta::seconds(number),
        source: Source::Event,
        origin: format!("{number}"),
        void: None,
    };
    let none = Readings::default();
    home.table.record_answer(&home.workspace, &company(id), &answer, &none, &[]).await.unwrap();
}

async fn filled(home: &Home) {
    for id in ["acme", "initrode"] {
        home.company(id, id, "2026-06-01T00:00:00Z").await;
        reachable(home, id, "ada").await;
        answer(home, id, 1, "fine").await;
        became(home, id, Status::Struggling).await;
        for (of, done) in of_event(at("2026-09-01T09:00:00Z"), None, &[], Default::default()) {
            home.table.add_activity(&home.workspace, &company(id), &user("ada"), of, &done).await.unwrap();
        }
        for revision in [1, 2] {
            let published_at = at("2026-09-07T00:00:00Z");
            let published = Published { revision, published_at, snapshot: snapshot("2026-W36", Some(50)) };
            let none = Readings::default();
            home.table.publish_week(&home.workspace, &company(id), &published, &none, &[]).await.unwrap();
        }
        home.patch(id, &json!({ "plan": "gold" })).await.ok();
    }
}

#[tokio::test]
async fn every_kind_of_every_company_is_there_once_and_nothing_secret() {
    let home = Home::new().await;
    filled(&home).await;
    let neighbour = home.neighbour().await;
    neighbour.company("secret-neighbour", "Secret", "2026-06-01T00:00:00Z").await;
    let created = json!({ "name": "receiver", "url": "https://hooks.example.com/x" });
    let webhook = home.json(Method::POST, "/v1/webhooks", &created).await.json();

    let (lines, parts) = whole(&home).await;
    assert_eq!(parts, 1);
    let mut counts = BTreeMap::<(String, Option<&str>), usize>::new();
    for line in &lines {
        let kind = line["kind"].as_str().unwrap().to_owned();
        *counts.entry((kind, line["company_id"].as_str())).or_default() += 1;
    }
    for id in ["acme", "initrode"] {
        for (kind, expected) in [
            ("company", 1),
            ("user", 1),
            ("status_change", 1),
            ("answer", 1),
            ("week", 2),
            ("action", 2),
            ("activity", 1),
        ] {
            assert_eq!(counts.get(&(kind.to_owned(), Some(id))), Some(&expected), "{kind} of {id}");
        }
    }
    for (kind, expected) in [("settings", 1), ("source", 1), ("webhook", 1), ("api_token", 1)] {
        assert_eq!(counts.get(&(kind.to_owned(), None)), Some(&expected), "{kind}");
    }
    let audited: Vec<&Value> = lines.iter().filter(|line| line["kind"] == "audit").collect();
    assert_eq!(audited.len(), 3, "two changes of plans and a webhook");
    let text = serde_json::to_string(&lines).unwrap();
    assert!(!text.contains("secret-neighbour"));
    assert!(!text.contains(webhook["secret"].as_str().unwrap()) && !text.contains(&home.token));
}

#[tokio::test]
async fn what_is_too_large_for_one_answer_comes_in_parts_that_are_the_whole() {
    let home = Home::new().await;
    filled(&home).await;
    let long = "x".repeat(4_000);
    for number in 2..1_300 {
        answer(&home, "acme", number, &long).await;
    }
    let (lines, parts) = whole(&home).await;
    assert_eq!(parts, 2);
    let answers = lines.iter().filter(|line| line["kind"] == "answer" && line["company_id"] == "acme");
    let ids: Vec<&str> = answers.map(|line| line["data"]["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), 1_299);
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), 1_299);
    let companies: Vec<&Value> =
        lines.iter().filter(|line| line["kind"] == "company").map(|line| &line["company_id"]).collect();
    assert_eq!(companies, ["acme", "initrode"]);
}

#[tokio::test]
async fn only_an_admin_exports() {
    let home = Home::new().await;
    for scope in [Scope::Read, Scope::Write] {
        let token = home.credential(Kind::ApiToken, scope, &format!("{scope:?}")).await;
        let bearer = format!("Bearer {token}");
        home.request(Method::GET, "/v1/export", &[("authorization", &bearer)], String::new())
            .await
            .problem(403, None);
    }
    home.get("/v1/export?cursor=x").await.problem(400, Some("cursor"));
}
