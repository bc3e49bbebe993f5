//! What happened with a company, the newest first.

use barometer_cloud::{
    table::{
        answers::{Answer, Source},
        asks::{Ask, AskState},
        companies::Readings,
        snapshots::Published,
    },
    watch::Watch,
};
use barometer_domain::{
    Percent, SendId,
    activity::{FeatureSource, Sighting, of_event},
    alert::{Finding, Rule},
    answer::Rating,
    status::Status,
};
use serde_json::{Value, json};

use crate::common::{Home, at, became, company, snapshot, user, week};

/// A company with something of every kind, within two weeks and once half a year before.
async fn acme() -> Home {
    let home = Home::new().await;
    home.company("acme", "Acme", "2026-03-02T00:00:00Z").await;
    let (table, workspace, acme) = (&home.table, &home.workspace, company("acme"));
    let day = "2026-03-02".parse().unwrap();
    table.note_member(workspace, &acme, &user("ada"), at("2026-03-02T08:00:00Z"), day).await.unwrap();
    for when in
        ["2026-03-03T09:00:00Z", "2026-09-01T09:00:00Z", "2026-09-01T13:00:00Z", "2026-09-02T09:00:00Z"]
    {
        let names = [Sighting::new(FeatureSource::Event, "Export").unwrap()];
        for (of, done) in of_event(at(when), None, &names, Default::default()) {
            table.add_activity(workspace, &acme, &user("ada"), of, &done).await.unwrap();
        }
    }
    let send = SendId::derive(workspace, &acme, &user("ada"), "ask", 1);
    let asked = at("2026-09-03T09:00:00Z");
    let ask = Ask {
        send_id: send,
        workspace_id: workspace.clone(),
        company_id: acme.clone(),
        user_id: user("ada"),
        cycle: 1,
        state: AskState::Delivered,
        reason: None,
        planned_at: asked,
        submitted_at: Some(asked),
        accepted_at: Some(asked),
        message_id: None,
        answered_at: None,
        scanned_at: None,
        expires: asked,
    };
    table.plan_ask(&ask).await.unwrap();
    let answer = Answer {
        user_id: user("ada"),
        rating: Rating::nps(2).unwrap(),
        comment: Some("too slow".to_owned()),
        at: at("2026-09-04T09:00:00Z"),
        source: Source::Mail,
        origin: send.to_string(),
        void: None,
    };
    table.record_answer(workspace, &acme, &answer, &Readings::default(), &[]).await.unwrap();
    for (of, score) in [("2026-W35", 7_600), ("2026-W36", 5_000)] {
        let published = Published {
            revision: 1,
            published_at: at("2026-09-07T00:00:00Z"),
            snapshot: snapshot(of, Some(score)),
        };
        table.publish_week(workspace, &acme, &published, &Readings::default(), &[]).await.unwrap();
    }
    let watch = Watch { table, workspace, company: Some(&acme), now: at("2026-09-07T01:00:00Z") };
    let finding = Finding {
        rule: Rule::EngagementSuddenDrop,
        period: week("2026-W36"),
        severity: Percent::whole(26),
        baseline: None,
        sentence: "fell".to_owned(),
        at: at("2026-09-07T01:00:00Z"),
    };
    watch.found(finding).await.unwrap();
    home.patch("acme", &json!({ "plan": "gold" })).await.ok();
    became(&home, "acme", Status::Steady).await;
    home
}

async fn timeline(home: &Home, query: &str) -> Vec<Value> {
    let page = home.get(&format!("/v1/companies/acme/timeline{query}")).await.ok();
    page["items"].as_array().unwrap().clone()
}

fn kinds(entries: &[Value]) -> Vec<&str> {
    entries.iter().map(|entry| entry["kind"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn everything_that_happened_comes_newest_first() {
    let home = acme().await;
    let entries = timeline(&home, "?from=2026-08-31").await;
    let mut expected = vec!["alert", "happiness", "engagement", "answer", "mail", "activity", "activity"];
    let mut told = kinds(&entries);
    // The status and the change of the plan are of the same instant.
    let newest: Vec<&str> = told.drain(..2).collect();
    assert!(newest.contains(&"change") && newest.contains(&"status"), "{newest:?}");
    told.sort_unstable();
    expected.sort_unstable();
    assert_eq!(told, expected);
    let instants: Vec<&str> = entries.iter().map(|entry| entry["at"].as_str().unwrap()).collect();
    assert!(instants.is_sorted_by(|a, b| at(a) >= at(b)), "{instants:?}");

    let of = |kind: &str| entries.iter().find(|entry| entry["kind"] == kind).unwrap()["detail"].clone();
    assert_eq!(of("change")["to"], json!({ "plan": "gold" }));
    assert_eq!(of("status")["value"], "steady");
    assert_eq!(
        of("engagement"),
        json!({ "week": "2026-W36", "from": "thriving", "to": "steady", "score": 50 })
    );
    assert_eq!(
        of("happiness"),
        json!({ "week": "2026-W36", "from": "no_data", "to": "not_happy", "score": 20 })
    );
    assert_eq!((&of("answer")["comment"], &of("mail")["state"]), (&json!("too slow"), &json!("delivered")));
    assert_eq!(
        (&of("alert")["happened"], &of("alert")["case"]["sentence"]),
        (&json!("opened"), &json!("fell"))
    );
    let first = timeline(&home, "?kind=activity&from=2026-09-01&to=2026-09-01").await;
    let day = json!({ "day": "2026-09-01", "users": 1, "sessions": 2, "minutes": 10,
        "features": [{ "name": "Export", "users": 1 }] });
    assert_eq!(first[0]["detail"], day);
    assert_eq!(first.len(), 1);
}

#[tokio::test]
async fn pages_neither_repeat_nor_skip_also_across_months_of_silence() {
    let home = acme().await;
    let all = timeline(&home, "").await;
    assert_eq!(all.last().unwrap()["at"], "2026-03-03T09:00:00Z");
    let (mut met, mut query) = (Vec::new(), "?limit=2".to_owned());
    loop {
        let page = home.get(&format!("/v1/companies/acme/timeline{query}")).await.ok();
        met.extend(page["items"].as_array().unwrap().iter().cloned());
        let Some(next) = page["next_cursor"].as_str() else { break };
        query = format!("?limit=2&cursor={next}");
    }
    assert_eq!(met, all);
}

#[tokio::test]
async fn a_year_of_silence_ends_a_page_and_not_the_timeline() {
    let home = acme().await;
    let (table, workspace) = (&home.table, &home.workspace);
    for (of, done) in of_event(at("2024-05-06T09:00:00Z"), None, &[], Default::default()) {
        table.add_activity(workspace, &company("acme"), &user("ada"), of, &done).await.unwrap();
    }
    let (mut cursor, mut days, mut pages) = (String::new(), Vec::new(), 0);
    loop {
        let page = home.get(&format!("/v1/companies/acme/timeline?kind=activity&cursor={cursor}")).await.ok();
        days.extend(page["items"].as_array().unwrap().iter().map(|entry| entry["detail"]["day"].clone()));
        pages += 1;
        let Some(next) = page["next_cursor"].as_str() else { break };
        cursor = next.to_owned();
    }
    assert_eq!(days, ["2026-09-02", "2026-09-01", "2026-03-03", "2024-05-06"]);
    assert!(pages <= 3, "{pages}");
}

#[tokio::test]
async fn kinds_are_chosen_and_what_is_none_is_named() {
    let home = acme().await;
    let some = timeline(&home, "?kind=answer,mail").await;
    assert_eq!(kinds(&some), ["answer", "mail"]);
    home.get("/v1/companies/acme/timeline?kind=answer,x").await.problem(400, Some("kind"));
    home.get("/v1/companies/acme/timeline?from=2026-09-03&to=2026-09-01").await.problem(400, Some("from"));
    home.get("/v1/companies/acme/timeline?cursor=x").await.problem(400, Some("cursor"));
    home.get("/v1/companies/nobody/timeline").await.problem(404, None);
}

#[tokio::test]
async fn an_alert_that_was_acknowledged_stands_twice() {
    let home = acme().await;
    let alerts = home.get("/v1/alerts").await.ok();
    let id = alerts["items"][0]["id"].as_str().unwrap();
    let acknowledged = json!({ "state": "acknowledged" });
    home.json(http::Method::PATCH, &format!("/v1/alerts/{id}"), &acknowledged).await.ok();
    let entries = timeline(&home, "?kind=alert").await;
    let happened: Vec<&str> =
        entries.iter().map(|entry| entry["detail"]["happened"].as_str().unwrap()).collect();
    assert_eq!(happened, ["acknowledged", "opened"]);
}
