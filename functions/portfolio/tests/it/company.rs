//! One company: readings, snapshots, happiness, users, status history.

use barometer_cloud::table::{
    answers::{Answer, Source},
    asks::{Ask, AskState},
    companies::{Patch, Readings},
    members::Person,
    snapshots::Published,
    statuses::StatusChange,
};
use barometer_domain::{
    Month, SendId, Settings,
    activity::UserWeek,
    answer::Rating,
    month,
    status::{BusinessStatus, ChangeKind, Status},
};
use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::common::{Home, at, company, engagement, snapshot, user, week};

async fn acme() -> Home {
    let home = Home::new().await;
    home.company("acme", "Acme", "2026-06-01T00:00:00Z").await;
    home
}

async fn publish(home: &Home, of: &str, revision: u32, score: Option<u16>) {
    let published =
        Published { revision, published_at: at("2026-09-07T00:00:00Z"), snapshot: snapshot(of, score) };
    let none = Readings::default();
    home.table.publish_week(&home.workspace, &company("acme"), &published, &none, &[]).await.unwrap();
}

fn periods(list: &Value) -> Vec<&str> {
    list["items"].as_array().unwrap().iter().map(|item| item["period"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_company_has_its_readings_and_the_tag_of_its_status() {
    let home = acme().await;
    let answer = home.get("/v1/companies/acme").await;
    assert!(answer.headers["etag"].to_str().unwrap().starts_with("\"0-"));
    let view = answer.ok();
    assert_eq!(view["company_id"], "acme");
    assert_eq!(view["created_at"], "2026-06-01T00:00:00Z");
    assert_eq!(view["engagement"], json!(null));
    assert_eq!(view["happiness"]["level"], "no_data");
    assert_eq!(view["quadrant"], "unknown");
    assert_eq!(view["request_feedback"], false);
    home.get("/v1/companies/acme?x=1").await.problem(400, Some("x"));

    let readings = Readings { engagement: Some(engagement("2026-W36", Some(7_550))), ..Readings::default() };
    home.readings("acme", &readings).await;
    let view = home.get("/v1/companies/acme").await.ok();
    assert_eq!(view["engagement"]["score"], 75.5);
    assert_eq!(view["engagement"]["shown"], 76);
    assert_eq!(view["engagement"]["band"], "thriving");
    assert_eq!(view["engagement"]["provisional"], false);
    assert_eq!(view["engagement"]["components"]["feedback"]["value"], json!(null));
    assert_eq!(view["engagement"]["components"]["feedback"]["missing"], "no_answers");
}

#[tokio::test]
async fn an_id_may_hold_what_a_path_must_encode() {
    let home = Home::new().await;
    home.company("a/b c?ü", "Odd", "2026-06-01T00:00:00Z").await;
    let view = home.get("/v1/companies/a%2Fb%20c%3F%C3%BC").await.ok();
    assert_eq!(view["company_id"], "a/b c?ü");
    home.get("/v1/companies/a%2Fb%20c%3F%C3%BC/weeks").await.ok();
}

#[tokio::test]
async fn weeks_are_the_latest_revisions_unless_all_are_asked_for() {
    let home = acme().await;
    for (of, revision, score) in [
        ("2026-W09", 1, Some(1_000)),
        ("2026-W35", 1, None),
        ("2026-W36", 1, Some(5_000)),
        ("2026-W36", 2, Some(7_549)),
        ("2026-W37", 1, Some(0)),
    ] {
        publish(&home, of, revision, score).await;
    }
    let weeks = home.get("/v1/companies/acme/weeks").await.ok();
    assert_eq!(periods(&weeks), ["2026-W35", "2026-W36", "2026-W37"], "the last 26 weeks");
    assert_eq!(weeks["next_cursor"], json!(null));
    let [insufficient, scored, running] = [0, 1, 2].map(|index| &weeks["items"][index]);
    assert_eq!(insufficient["score"], json!(null));
    assert_eq!(insufficient["band"], "insufficient");
    assert_eq!(scored["revision"], 2);
    assert_eq!(
        (&scored["score"], &scored["shown"], &scored["band"]),
        (&json!(75.49), &json!(75), &json!("healthy"))
    );
    assert_eq!(scored["provisional"], false);
    assert_eq!(running["provisional"], true);
    assert_eq!(running["score"], 0, "0 is a score");
    let mut fields: Vec<&str> = scored.as_object().unwrap().keys().map(String::as_str).collect();
    fields.sort_unstable();
    let wanted = "band components confidence coverage missing_policy period provisional published_at revision \
                  score settings_version shown telemetry valid_weeks";
    assert_eq!(fields.join(" "), wanted);

    let all = home.get("/v1/companies/acme/weeks?revisions=all&from=2026-W36&to=2026-W36").await.ok();
    assert_eq!(periods(&all), ["2026-W36", "2026-W36"]);
    let from = home.get("/v1/companies/acme/weeks?from=2026-W01&to=2026-W35").await.ok();
    assert_eq!(periods(&from), ["2026-W09", "2026-W35"]);

    let path = "/v1/companies/acme/weeks?revisions=all&limit=1";
    let (mut met, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = home.get(&format!("{path}&cursor={cursor}")).await.ok();
        met.extend(page["items"].as_array().unwrap().iter().map(|item| item["revision"].clone()));
        let Some(next) = page["next_cursor"].as_str() else { break };
        cursor = next.to_owned();
    }
    assert_eq!(met, [1, 1, 2, 1]);
}

#[tokio::test]
async fn periods_that_are_not_are_named() {
    let home = acme().await;
    for (path, pointer) in [
        ("weeks?from=2026-09", "from"),
        ("weeks?to=2026-W54", "to"),
        ("weeks?from=2026-W10&to=2026-W09", "from"),
        ("weeks?revisions=some", "revisions"),
        ("months?from=2026-W09", "from"),
        ("months?to=2026-13", "to"),
        ("happiness?from=yesterday", "from"),
        ("happiness?from=2000-W01", "from"),
        ("users?from=2026-W01", "from"),
        ("status-changes?limit=0", "limit"),
    ] {
        home.get(&format!("/v1/companies/acme/{path}")).await.problem(400, Some(pointer));
    }
}

#[tokio::test]
async fn months_say_what_went_in() {
    let home = acme().await;
    let settings = Settings::default();
    for (of, first) in [("2026-08", "2026-W32"), ("2026-09", "2026-W36")] {
        let of: Month = of.parse().unwrap();
        let first = week(first);
        let weeks: Vec<_> = [(first, 4_000), (first.next(), 6_001)]
            .map(|(week, score)| (1, snapshot(&week.to_string(), Some(score))))
            .into();
        let published = Published {
            revision: 1,
            published_at: at("2026-09-07T00:00:00Z"),
            snapshot: month::roll_up(of, &settings, 1, &weeks),
        };
        let none = Readings::default();
        home.table.publish_month(&home.workspace, &company("acme"), &published, &none, &[]).await.unwrap();
    }
    let months = home.get("/v1/companies/acme/months").await.ok();
    assert_eq!(periods(&months), ["2026-08", "2026-09"]);
    let (august, september) = (&months["items"][0], &months["items"][1]);
    assert_eq!(august["score"], 50.01);
    assert_eq!(august["band"], "steady");
    assert_eq!(august["provisional"], false);
    assert_eq!(september["provisional"], true);
    assert_eq!(august["weeks"][0], json!({"week": "2026-W32", "revision": 1, "score": 40}));
    assert_eq!(august["revision"], 1);
    assert_eq!(august["settings_version"], 1);
    let none = home.get("/v1/companies/acme/months?from=2026-01&to=2026-07").await.ok();
    assert_eq!(none["items"], json!([]));
}

async fn member(home: &Home, id: &str, email: Option<&str>) {
    let (acme, seen) = (company("acme"), at("2026-06-01T08:00:00Z"));
    let first = seen.date_naive();
    home.table.note_member(&home.workspace, &acme, &user(id), seen, first).await.unwrap();
    let person =
        Person { email: email.map(str::to_owned), name: Some(id.to_uppercase()), ..Person::default() };
    home.table.describe_member(&home.workspace, &acme, &user(id), &person).await.unwrap();
}

async fn answer(home: &Home, id: &str, rating: u8, given: &str, void: bool) {
    let answer = Answer {
        user_id: user(id),
        rating: Rating::nps(rating).unwrap(),
        comment: None,
        at: at(given),
        source: Source::Event,
        origin: format!("{id} {given}"),
        void: void.then(crate::common::void),
    };
    let none = Readings::default();
    home.table.record_answer(&home.workspace, &company("acme"), &answer, &none, &[]).await.unwrap();
}

async fn ask(home: &Home, id: &str, cycle: u32, accepted: &str, answered: Option<&str>) {
    let (workspace, acme) = (home.workspace.clone(), company("acme"));
    let ask = Ask {
        send_id: SendId::derive(&workspace, &acme, &user(id), "ask", cycle),
        workspace_id: workspace,
        company_id: acme,
        user_id: user(id),
        cycle,
        state: AskState::Accepted,
        reason: None,
        planned_at: at(accepted),
        submitted_at: None,
        scanned_at: None,
        accepted_at: Some(at(accepted)),
        message_id: None,
        answered_at: answered.map(at),
        expires: at(accepted) + TimeDelta::days(30),
    };
    home.table.plan_ask(&ask).await.unwrap();
}

#[tokio::test]
async fn happiness_is_told_week_by_week() {
    let home = acme().await;
    for id in ["ana", "bob", "cyd"] {
        member(&home, id, None).await;
    }
    // The last instant of W35 and the first of W36.
    answer(&home, "ana", 2, "2026-08-30T23:59:59.999999Z", false).await;
    answer(&home, "bob", 9, "2026-08-31T00:00:00Z", false).await;
    answer(&home, "ana", 10, "2026-09-08T09:00:00Z", false).await;
    answer(&home, "cyd", 0, "2026-09-08T09:00:00Z", true).await;
    ask(&home, "ana", 1, "2026-08-29T09:00:00Z", Some("2026-08-30T23:59:59.999999Z")).await;
    ask(&home, "cyd", 1, "2026-08-29T09:00:00Z", None).await;

    let told = home.get("/v1/companies/acme/happiness").await.ok();
    let items = told["items"].as_array().unwrap();
    assert_eq!(items.len(), 12);
    assert_eq!(items[0]["week"], "2026-W26");
    assert_eq!(items[0]["level"], "no_data");
    assert_eq!(items[0]["score"], json!(null), "no answer is not 0");
    assert_eq!(items[0]["response_rate"], json!(null));
    let (w35, w36, w37) = (&items[9], &items[10], &items[11]);
    assert_eq!((&w35["week"], &w35["score"], &w35["answers"]), (&json!("2026-W35"), &json!(20), &json!(1)));
    assert_eq!(w35["level"], "not_happy");
    assert_eq!(w35["response_rate"], 50);
    assert_eq!(w35["provisional"], true);
    assert_eq!(w35["nps"]["value"], -100.0);
    assert!(w35["nps"]["low"].is_number() && w35["nps"]["high"].is_number());
    assert_eq!((&w36["score"], &w36["answers"]), (&json!(55), &json!(2)));
    assert_eq!((&w37["score"], &w37["answers"]), (&json!(95), &json!(2)), "the void answer doesn't count");
    assert_eq!(w37["as_of"], "2026-09-09T12:00:00Z");
    assert_eq!(told["current"]["score"], 95);
    assert_eq!(told["current"]["level"], "very_happy");

    let one = home.get("/v1/companies/acme/happiness?from=2026-W36&to=2026-W36").await.ok();
    assert_eq!(one["items"].as_array().unwrap().len(), 1);
    let ahead = home.get("/v1/companies/acme/happiness?from=2026-W40").await.ok();
    assert_eq!(ahead["items"], json!([]), "nothing is known of weeks to come");
}

#[tokio::test]
async fn users_say_how_asking_them_stands() {
    let home = acme().await;
    let (workspace, acme) = (&home.workspace, company("acme"));
    member(&home, "ana", Some("ana@acme.example")).await;
    member(&home, "bob", None).await;
    member(&home, "cyd", Some("cyd@acme.example")).await;
    member(&home, "dan", Some("dan@acme.example")).await;
    home.table.unsubscribe(workspace, &user("cyd"), at("2026-09-01T00:00:00Z")).await.unwrap();
    let left = Some("2026-08-01".parse().unwrap());
    home.table.end_membership(workspace, &acme, &user("dan"), left).await.unwrap();
    answer(&home, "ana", 3, "2026-03-01T00:00:00Z", false).await;
    answer(&home, "ana", 0, "2026-08-01T00:00:00Z", false).await;
    answer(&home, "bob", 8, "2026-08-01T00:00:00Z", true).await;
    for (id, of, slot) in [("ana", "2026-W35", 13), ("bob", "2026-W36", 300), ("bob", "2026-W35", 1)] {
        let done = UserWeek { slots: [0, slot].into(), ..UserWeek::default() };
        home.table.add_activity(workspace, &acme, &user(id), week(of), &done).await.unwrap();
    }

    let users = home.get("/v1/companies/acme/users").await.ok();
    let items = users["items"].as_array().unwrap();
    let ids: Vec<&str> = items.iter().map(|item| item["user_id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["ana", "bob", "cyd", "dan"]);
    let ana = &items[0];
    assert_eq!((&ana["name"], &ana["email"]), (&json!("ANA"), &json!("ana@acme.example")));
    assert_eq!(ana["first_seen_at"], "2026-06-01T08:00:00Z");
    assert_eq!(ana["last_answer"], json!({"scale": "nps", "rating": 0, "at": "2026-08-01T00:00:00Z"}));
    assert_eq!(ana["last_seen_at"], "2026-08-24T01:05:00Z");
    assert_eq!(items[1]["last_seen_at"], "2026-09-01T01:00:00Z");
    assert_eq!(items[1]["last_answer"], json!(null), "a void answer is none");
    assert_eq!(items[2]["last_seen_at"], json!(null));
    assert_eq!(items[3]["left"], "2026-08-01");
    let reachable: Vec<bool> = items.iter().map(|item| item["reachable"].as_bool().unwrap()).collect();
    assert_eq!(reachable, [true, false, false, false]);
    assert!(items.iter().all(|item| item["next_ask_at"].is_null()), "the switch is off");

    let on = Patch { request_feedback: Some(true), ..Patch::default() };
    home.table.patch_company(workspace, &acme, &on).await.unwrap();
    let users = home.get("/v1/companies/acme/users?limit=1").await.ok();
    assert_eq!(users["items"][0]["next_ask_at"], "2026-06-15T08:00:00Z");
    let cursor = users["next_cursor"].as_str().unwrap();
    let rest = home.get(&format!("/v1/companies/acme/users?cursor={cursor}")).await.ok();
    assert_eq!(rest["items"].as_array().unwrap().len(), 3);
    assert!(rest["items"].as_array().unwrap().iter().all(|item| item["next_ask_at"].is_null()));
}

#[tokio::test]
async fn status_changes_are_told_newest_first() {
    let home = acme().await;
    let settings = [(Status::Healthy, "2026-09-01T00:00:00Z"), (Status::Struggling, "2026-09-02T00:00:00Z")];
    for (version, (value, set_at)) in (0_u32..).zip(settings) {
        let change = StatusChange {
            id: format!("change-{version}"),
            kind: ChangeKind::Transition,
            from: (version > 0).then_some(Status::Healthy),
            status: BusinessStatus {
                value,
                note: "a note".to_owned(),
                author: "ana@initech.example".to_owned(),
                set_at: at(set_at),
                review_by: at(set_at) + TimeDelta::days(30),
            },
        };
        home.table.set_status(&home.workspace, &company("acme"), version, &change, &[]).await.unwrap();
    }
    let changes = home.get("/v1/companies/acme/status-changes").await.ok();
    assert_eq!(changes["next_cursor"], json!(null));
    let items = changes["items"].as_array().unwrap();
    assert_eq!((&items[0]["value"], &items[0]["from"]), (&json!("struggling"), &json!("healthy")));
    assert_eq!((&items[1]["value"], &items[1]["from"]), (&json!("healthy"), &json!(null)));
    assert_eq!((&items[0]["note"], &items[0]["author"]), (&json!("a note"), &json!("ana@initech.example")));
    let tag = home.get("/v1/companies/acme").await.headers["etag"].clone();
    assert!(tag.to_str().unwrap().starts_with("\"2-"), "{tag:?}");

    let first = home.get("/v1/companies/acme/status-changes?limit=1").await.ok();
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = home.get(&format!("/v1/companies/acme/status-changes?limit=1&cursor={cursor}")).await.ok();
    assert_eq!(second["items"][0]["value"], "healthy");
    assert_eq!(second["next_cursor"], json!(null));
}
