//! Rules: presets, their place in the settings, dry runs, and their logs.

use barometer_cloud::table::companies::Readings;
use barometer_domain::{
    answer::Rating,
    automation::{AutomationRule, presets},
    band::Band,
    status::Status,
};
use http::Method;
use serde_json::{Value, json};

use crate::common::{Home, at, became, company, reachable, user};

const DRY_RUN: &str = "/v1/rules/dry-run";

async fn acme() -> Home {
    let home = Home::new().await;
    home.company("acme", "Acme", "2026-06-01T00:00:00Z").await;
    home
}

async fn dry_run(home: &Home, rule: Value) -> Value {
    home.json(Method::POST, DRY_RUN, &json!({ "rule": rule })).await.ok()
}

fn rule(trigger: Value, actions: Value) -> Value {
    json!({"id": "mine", "name": "Mine", "trigger": trigger, "actions": actions})
}

fn call(title: &str) -> Value {
    json!([{"do": "task", "title": title}])
}

async fn endpoint(home: &Home, kind: &str) -> String {
    let body = json!({"name": kind, "kind": kind, "url": "https://hooks.example.com/x"});
    home.json(Method::POST, "/v1/webhooks", &body).await.json()["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn presets_and_defaults_can_be_saved_as_they_are_shown() {
    let home = Home::new().await;
    let shown = home.get("/v1/rules/presets").await.ok();
    assert_eq!(shown["defaults"], home.get("/v1/settings").await.ok()["rules"]);
    let of_domain: Vec<AutomationRule> = serde_json::from_value(shown["presets"].clone()).unwrap();
    assert_eq!(of_domain, presets());
    let saved = home.json(Method::PUT, "/v1/settings", &json!({"rules": shown["presets"]})).await.ok();
    assert_eq!(saved["rules"], shown["presets"]);
}

#[tokio::test]
async fn every_wrong_rule_of_the_settings_is_named() {
    let home = Home::new().await;
    let trigger = json!({"on": "status"});
    let good = rule(trigger.clone(), call("Call"));
    let mut unknown = good.clone();
    unknown["priority"] = json!("high");
    for (rules, pointer) in [
        (json!([good, unknown]), "/rules/1"),
        (json!([rule(json!({"on": "status", "until": "x"}), call("Call"))]), "/rules/0"),
        (json!([rule(trigger.clone(), json!([{"do": "task", "title": "x", "due": 1}]))]), "/rules/0"),
        (json!([rule(trigger.clone(), json!([]))]), "/rules/0/actions"),
        (json!([good, good]), "/rules/1/id"),
        (json!({"a": 1}), "/rules"),
        (json!(null), "/rules"),
    ] {
        let body = json!({ "rules": rules });
        home.json(Method::PUT, "/v1/settings", &body).await.problem(422, Some(pointer));
    }
    assert_eq!(home.get("/v1/settings").await.ok()["version"], 1);
}

#[tokio::test]
async fn a_rule_names_endpoints_of_its_workspace_and_of_its_kind() {
    let home = Home::new().await;
    let (standard, chat) = (endpoint(&home, "standard").await, endpoint(&home, "chat").await);
    let foreign = endpoint(&home.neighbour().await, "standard").await;
    let webhook = |id: &str| json!({"do": "webhook", "endpoint": id});
    let note = |id: &str| json!({"do": "chat", "endpoint": id, "text": "Look"});
    let wrong = json!([webhook("wh_nothing"), webhook(&foreign), webhook(&chat), note(&standard)]);
    let body = json!({"rules": [rule(json!({"on": "status"}), wrong.clone())]});
    let problem = home.json(Method::PUT, "/v1/settings", &body).await.problem(422, None);
    let pointers: Vec<_> =
        problem["errors"].as_array().unwrap().iter().map(|error| &error["pointer"]).collect();
    let expected: Vec<_> = (0..4).map(|index| json!(format!("/rules/0/actions/{index}/endpoint"))).collect();
    assert_eq!(pointers, expected.iter().collect::<Vec<_>>());
    let problem =
        home.json(Method::POST, DRY_RUN, &json!({"rule": rule(json!({"on": "status"}), wrong)})).await;
    problem.problem(422, Some("/rule/actions/3/endpoint"));
    let right = rule(json!({"on": "status"}), json!([webhook(&standard), note(&chat)]));
    let saved = home.json(Method::PUT, "/v1/settings", &json!({"rules": [right]})).await.ok();
    assert_eq!(saved["rules"][0]["actions"][1]["endpoint"], json!(chat));
    // An endpoint that is gone stands in the way of no other setting.
    home.request(Method::DELETE, &format!("/v1/webhooks/{chat}"), &[], "").await;
    home.json(Method::PUT, "/v1/settings", &json!({"rules": saved["rules"], "cadence_days": 60})).await.ok();
}

#[tokio::test]
async fn the_log_tells_what_a_rule_did_newest_first() {
    let home = acme().await;
    home.company("initrode", "Initrode", "2026-06-01T00:00:00Z").await;
    reachable(&home, "acme", "ann").await;
    became(&home, "acme", Status::Struggling).await;
    became(&home, "initrode", Status::Struggling).await;
    became(&home, "acme", Status::Healthy).await;
    became(&home, "acme", Status::Struggling).await;
    let path = "/v1/rules/struggling/runs";
    let all = home.get(path).await.ok()["items"].as_array().unwrap().clone();
    let of = |id: &str, outcome: &str| {
        let found = all.iter().filter(|run| run["company_id"] == id && run["outcome"] == outcome);
        found.cloned().collect::<Vec<_>>()
    };
    let (first, again) = (of("acme", "acted"), of("acme", "cooling_down"));
    assert_eq!((all.len(), first.len(), again.len(), of("initrode", "acted").len()), (3, 1, 1, 1));
    assert_eq!(again[0]["until"], "2026-10-09T12:00:00Z");
    assert_eq!(again[0]["actions"], json!([]));
    assert_eq!(first[0]["happened"], json!({"on": "status", "from": null, "to": "struggling"}));
    let states: Vec<_> =
        first[0]["actions"].as_array().unwrap().iter().map(|action| action["state"].clone()).collect();
    assert_eq!(states, ["planned", "done"]);

    let page = home.get(&format!("{path}?limit=2")).await.ok();
    let cursor = page["next_cursor"].as_str().unwrap();
    let rest = home.get(&format!("{path}?limit=2&cursor={cursor}")).await.ok();
    assert_eq!(rest["next_cursor"], Value::Null);
    let paged: Vec<_> =
        [&page, &rest].into_iter().flat_map(|page| page["items"].as_array().unwrap().clone()).collect();
    assert_eq!(paged, all);
    home.get(&format!("{path}?limit=201")).await.problem(400, None);
}

#[tokio::test]
async fn a_rule_that_never_was_has_no_log() {
    let home = acme().await;
    assert_eq!(home.get("/v1/rules/struggling/runs").await.ok()["items"], json!([]));
    home.get("/v1/rules/never/runs").await.problem(404, None);
    home.get("/v1/rules/Never%20!/runs").await.problem(404, None);
    became(&home, "acme", Status::Struggling).await;
    home.json(Method::PUT, "/v1/settings", &json!({"rules": []})).await.ok();
    let kept = home.get("/v1/rules/struggling/runs").await.ok();
    assert_eq!(kept["items"].as_array().unwrap().len(), 1, "a rule that was deleted keeps its log");
    let others = home.neighbour().await.get("/v1/rules/struggling/runs").await.ok();
    assert_eq!(others["items"], json!([]), "a log is its workspace's");
}

#[tokio::test]
async fn a_dry_run_tells_whom_a_rule_would_reach_and_writes_nothing() {
    let home = acme().await;
    home.company("initrode", "Initrode", "2026-06-01T00:00:00Z").await;
    home.company("fine", "Fine", "2026-06-01T00:00:00Z").await;
    home.company("lost", "Lost", "2026-06-01T00:00:00Z").await;
    reachable(&home, "acme", "ann").await;
    home.json(Method::PUT, "/v1/settings", &json!({"rules": []})).await.ok();
    for (id, status) in [
        ("acme", Status::Struggling),
        ("initrode", Status::Struggling),
        ("fine", Status::Healthy),
        ("lost", Status::Struggling),
    ] {
        became(&home, id, status).await;
    }
    home.patch("lost", &json!({"churned_on": "2026-09-01"})).await.ok();
    home.patch("acme", &json!({"owner": "ada.lovelace@initech.example"})).await.ok();
    let mut struggling = home.get("/v1/rules/presets").await.ok()["defaults"][0].clone();
    struggling["enabled"] = json!(false);
    let answer = dry_run(&home, struggling.clone()).await;
    let counts = json!({"email": 1, "task": 2, "webhook": 0, "chat": 0, "tag": 0});
    assert_eq!(answer["counts"], counts);
    let whole =
        ["companies", "looked_at", "quiet", "nobody", "complete", "rule_id"].map(|name| answer[name].clone());
    assert_eq!(whole.to_vec(), [json!(2), json!(2), json!(0), json!(1), json!(true), json!("struggling")]);
    let items = answer["items"].as_array().unwrap();
    assert_eq!((&items[0]["company_id"], &items[1]["company_id"]), (&json!("acme"), &json!("initrode")));
    let mail = &items[0]["would"][0];
    assert_eq!(mail["due_at"], "2026-09-09T12:15:00Z");
    assert_eq!((&mail["action"]["do"], &mail["action"]["user_id"]), (&json!("email"), &json!("ann")));
    let text = mail["action"]["text"].as_str().unwrap();
    assert!(text.contains("I look after Acme") && text.contains("Ada Lovelace"), "{text}");
    assert_eq!(items[0]["would"][1]["action"]["due_at"].as_str().unwrap().get(..10), Some("2026-09-10"));
    assert_eq!(items[1]["nobody"], true);
    let title = items[1]["would"][1]["action"]["title"].as_str().unwrap();
    assert!(title.ends_with("(nobody there can be mailed)"), "{title}");
    for state in ["planned", "done", "skipped"] {
        assert_eq!(home.get(&format!("/v1/actions?state={state}")).await.ok()["items"], json!([]), "{state}");
    }
    assert_eq!(dry_run(&home, struggling).await, answer, "asking changes nothing");
}

#[tokio::test]
async fn a_dry_run_says_where_the_rule_is_quiet() {
    let home = acme().await;
    reachable(&home, "acme", "ann").await;
    became(&home, "acme", Status::Struggling).await;
    let answer = home.json(Method::POST, DRY_RUN, &json!({"rule_id": "struggling"})).await.ok();
    assert_eq!(
        (&answer["companies"], &answer["quiet"], &answer["counts"]["email"]),
        (&json!(1), &json!(1), &json!(0))
    );
    let item = &answer["items"][0];
    assert_eq!((&item["quiet_until"], &item["would"]), (&json!("2026-10-09T12:00:00Z"), &json!([])));
}

#[tokio::test]
async fn a_dry_run_counts_whom_the_conditions_leave() {
    let home = acme().await;
    home.company("initrode", "Initrode", "2026-06-01T00:00:00Z").await;
    home.patch("acme", &json!({"plan": "pro", "renewal_on": "2026-10-01"})).await.ok();
    home.patch("initrode", &json!({"plan": "basic", "renewal_on": "2026-10-01"})).await.ok();
    let mut renewal = rule(json!({"on": "renewal", "days": 30}), call("{{company}} on {{renewal_on}}"));
    assert_eq!(dry_run(&home, renewal.clone()).await["companies"], 2);
    renewal["conditions"] = json!({"plans": ["pro"]});
    let answer = dry_run(&home, renewal.clone()).await;
    assert_eq!(answer["companies"], 1);
    assert_eq!(answer["items"][0]["would"][0]["action"]["title"], "Acme on 2026-10-01");
    renewal["trigger"]["days"] = json!(10);
    assert_eq!(dry_run(&home, renewal).await["companies"], 0, "it is not near yet");
}

#[tokio::test]
async fn a_dry_run_goes_by_what_automations_take_a_reading_for() {
    let home = acme().await;
    let risk = rule(json!({"on": "engagement", "to": ["at_risk"]}), call("{{from}} to {{to}}"));
    assert_eq!(dry_run(&home, risk.clone()).await["companies"], 0);
    let settled =
        barometer_domain::automation::Settled { before: Some(Band::Steady), now: Some(Band::AtRisk) };
    home.readings("acme", &Readings { settled_band: Some(settled), ..Readings::default() }).await;
    let answer = dry_run(&home, risk).await;
    assert_eq!(answer["items"][0]["would"][0]["action"]["title"], "Steady to At Risk");
}

#[tokio::test]
async fn a_dry_run_finds_answers_that_still_count() {
    let home = acme().await;
    let answer = |who: &str, rating: u8, when: &str| barometer_cloud::table::answers::Answer {
        user_id: user(who),
        rating: Rating::nps(rating).unwrap(),
        comment: None,
        at: at(when),
        source: barometer_cloud::table::answers::Source::Api,
        origin: format!("{who}-{when}"),
        void: None,
    };
    let record = async |given| {
        home.table
            .record_answer(&home.workspace, &company("acme"), &given, &Readings::default(), &[])
            .await
            .unwrap();
    };
    record(answer("old", 10, "2026-05-01T00:00:00Z")).await;
    let promoter = rule(json!({"on": "answer", "at_least": 9}), call("Ask"));
    assert_eq!(dry_run(&home, promoter.clone()).await["companies"], 0);
    record(answer("ann", 9, "2026-09-01T00:00:00Z")).await;
    record(answer("bob", 3, "2026-09-02T00:00:00Z")).await;
    let found = dry_run(&home, promoter).await;
    assert_eq!((&found["companies"], &found["complete"]), (&json!(1), &json!(true)));
    assert_eq!(found["items"][0]["happened"]["on"], "answer");
}

#[tokio::test]
async fn a_dry_run_is_of_one_rule_that_is_right() {
    let home = Home::new().await;
    let good = rule(json!({"on": "status"}), call("Call"));
    for (body, pointer) in [
        (json!({}), "/rule"),
        (json!({"rule": good, "rule_id": "struggling"}), "/rule"),
        (json!({"rule_id": "nothing"}), "/rule_id"),
        (json!({"rule_id": "No Id"}), "/rule_id"),
        (json!({"rule": null}), "/rule"),
        (json!({"rule": rule(json!({"on": "status"}), call("{{nothing}}"))}), "/rule/actions/0/title"),
        (json!({"rule": {"id": "x"}}), "/rule"),
        (json!({"rule": good, "weeks": 1}), "/weeks"),
    ] {
        home.json(Method::POST, DRY_RUN, &body).await.problem(422, Some(pointer));
    }
}
