//! Settings: versions, checks, two writers.

use futures_util::future::join_all;
use http::Method;
use serde_json::{Value, json};

use crate::common::{Answer, Home};

async fn put(home: &Home, body: &Value) -> Answer {
    home.json(Method::PUT, "/v1/settings", body).await
}

async fn put_if(home: &Home, tag: &str, body: &Value) -> Answer {
    home.request(Method::PUT, "/v1/settings", &[("if-match", tag)], body.to_string()).await
}

#[tokio::test]
async fn what_is_read_can_be_changed_and_put_back() {
    let home = Home::new().await;
    let answer = home.get("/v1/settings").await;
    assert_eq!(answer.headers["etag"], "\"1\"");
    let mut settings = answer.ok();
    assert_eq!(settings["version"], 1);
    assert_eq!(settings["name"], "Initech");
    assert_eq!(settings["weights"], json!({"login": 33.33, "adoption": 33.33, "feedback": 33.33}));

    let same = put_if(&home, "\"1\"", &settings).await;
    assert_eq!(same.headers["etag"], "\"1\"", "without a change there is no version");
    same.ok();

    settings["login_days"] = 3.into();
    settings["note"] = "three days".into();
    let saved = put_if(&home, "\"1\"", &settings).await;
    assert_eq!(saved.headers["etag"], "\"2\"");
    let saved = saved.ok();
    assert_eq!(
        (&saved["version"], &saved["login_days"], &saved["note"]),
        (&json!(2), &json!(3), &json!("three days"))
    );
    assert_eq!(saved["saved_at"], "2026-09-09T12:00:00Z");
    assert_eq!(saved["author"], "first API token");
    assert_eq!(home.get("/v1/settings").await.ok(), saved);
}

#[tokio::test]
async fn what_is_absent_keeps_its_value() {
    let home = Home::new().await;
    put(&home, &json!({"login_days": 5})).await.ok();
    let settings = put(&home, &json!({"time_zone": "Europe/Berlin"})).await.ok();
    assert_eq!((&settings["login_days"], &settings["time_zone"]), (&json!(5), &json!("Europe/Berlin")));
    assert_eq!((&settings["version"], &settings["note"]), (&json!(3), &json!("")));
}

#[tokio::test]
async fn of_two_writers_one_wins_and_the_other_hears_of_it() {
    let home = Home::new().await;
    let (first, second) = (json!({"login_days": 2}), json!({"login_days": 3}));
    let (first, second) = tokio::join!(put_if(&home, "\"1\"", &first), put_if(&home, "\"1\"", &second));
    let (won, lost) = if first.status == 200 { (first, second) } else { (second, first) };
    let won = won.ok();
    assert_eq!(lost.headers["etag"], "\"2\"");
    let problem = lost.problem(412, None);
    assert!(problem["detail"].as_str().unwrap().contains('2'));
    assert_eq!(home.get("/v1/settings").await.ok()["login_days"], won["login_days"]);

    for tag in ["\"1\"", "\"3\"", "2", "nonsense"] {
        put_if(&home, tag, &json!({"login_days": 4})).await.problem(412, None);
    }
    for (tag, days) in [("\"7\", \"2\"", 4), ("W/\"3\"", 5), ("*", 6)] {
        put_if(&home, tag, &json!({"login_days": days})).await.ok();
    }
}

#[tokio::test]
async fn of_many_writers_at_once_one_wins_and_all_others_hear_of_it() {
    let home = Home::new().await;
    let drafts: Vec<Value> = (1..=12).map(|days| json!({"feature_days": days + 1})).collect();
    let answers = join_all(drafts.iter().map(|draft| put_if(&home, "\"1\"", draft))).await;
    let (won, lost): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 200);
    assert_eq!((won.len(), lost.len()), (1, 11));
    for answer in lost {
        assert_eq!(answer.headers["etag"], "\"2\"");
        answer.problem(412, None);
    }
    let won = won.into_iter().next().unwrap().ok();
    assert_eq!(home.get("/v1/settings").await.ok(), won);
}

#[tokio::test]
async fn without_if_match_every_writers_field_stays() {
    let home = Home::new().await;
    let drafts = [
        json!({"login_days": 2}),
        json!({"feature_days": 2}),
        json!({"cadence_days": 60}),
        json!({"minutes_per_user_week": 90}),
        json!({"answer_age_days": 60}),
    ];
    for answer in join_all(drafts.iter().map(|draft| put(&home, draft))).await {
        answer.ok();
    }
    let settings = home.get("/v1/settings").await.ok();
    assert_eq!(settings["version"], 6);
    for (name, value) in drafts.iter().flat_map(|draft| draft.as_object().unwrap()) {
        assert_eq!(&settings[name], value, "{name}");
    }
}

#[tokio::test]
async fn weights_add_up_give_or_take() {
    let home = Home::new().await;
    let weights = |each: f64| json!({"weights": {"login": each, "adoption": each, "feedback": each}});
    put(&home, &json!({"weights": {"login": 50, "adoption": 50, "feedback": 0}})).await.ok();
    // 99.96, 99.99, 100.02 and 100.05.
    for each in [33.32, 33.33, 33.34, 33.35] {
        put(&home, &weights(each)).await.ok();
    }
    // 99.93 and 100.08; three decimals; not a percentage.
    for each in [33.31, 33.36, 33.333, -1.0, 101.0] {
        put(&home, &weights(each)).await.problem(422, Some("/weights"));
    }
}

#[tokio::test]
async fn every_wrong_setting_is_named() {
    let home = Home::new().await;
    for (body, pointer) in [
        (json!({"weights": {"login": 50, "adoption": 50, "feedback": 50}}), "/weights"),
        (json!({"weights": {"login": 50, "adoption": 50}}), "/weights"),
        (json!({"weights": null}), "/weights"),
        (json!({"login_days": 0}), "/login_days"),
        (json!({"login_days": 8}), "/login_days"),
        (json!({"bands": {"thriving": 50, "healthy": 50, "steady": 20}}), "/bands"),
        (json!({"bands": {"preset": "other"}}), "/bands/preset"),
        (json!({"bands": "other"}), "/bands"),
        (json!({"bands": 80}), "/bands"),
        (json!({"time_zone": "Mars/Olympus"}), "/time_zone"),
        (json!({"cadence_days": 31}), "/cadence_days"),
        (json!({"minutes_per_user_week": 0}), "/minutes_per_user_week"),
        (json!({"adoption_split": {"breadth": 60, "depth": 60}}), "/adoption_split"),
        (json!({"missing_policy": "guess"}), "/missing_policy"),
        (json!({"feature_days": 29}), "/feature_days"),
        (json!({"name": " "}), "/name"),
        (json!({"mail": {"reply_to": "nobody"}}), "/mail/reply_to"),
        (json!({"mail": {"colour": "red"}}), "/mail"),
        (json!({"catalogue": [{"key": "a"}, {"key": "a"}]}), "/catalogue/1/key"),
        (json!({"colour": "red"}), "/colour"),
        (json!({"note": 5}), "/note"),
        (json!({"note": "x".repeat(1_001)}), "/note"),
        (json!([]), ""),
    ] {
        put(&home, &body).await.problem(422, Some(pointer));
    }
    let two = put(&home, &json!({"login_days": 0, "colour": 1})).await.problem(422, Some("/colour"));
    assert_eq!(two["errors"].as_array().unwrap().len(), 2);
    home.request(Method::PUT, "/v1/settings", &[], "{").await.problem(400, None);
    assert_eq!(home.get("/v1/settings").await.ok()["version"], 1);
}

#[tokio::test]
async fn bands_may_be_a_preset_and_the_catalogue_null() {
    let home = Home::new().await;
    for preset in [json!("gocsm-2026"), json!({"preset": "gocsm-2026"})] {
        let settings = put(&home, &json!({"bands": preset})).await.ok();
        assert_eq!(settings["bands"], json!({"thriving": 80, "healthy": 60, "steady": 40}));
        assert_eq!(settings["version"], 2, "both mean the same");
    }
    let catalogue = json!([{"key": "export", "weight": 2, "plans": ["pro"]}]);
    let settings = put(&home, &json!({"catalogue": catalogue})).await.ok();
    assert_eq!(settings["catalogue"], catalogue);
    assert_eq!(put(&home, &json!({"catalogue": null})).await.ok()["catalogue"], Value::Null);
}

#[tokio::test]
async fn versions_stay() {
    let home = Home::new().await;
    for days in 2..=4 {
        put(&home, &json!({"login_days": days, "note": format!("{days} days")})).await.ok();
    }
    let versions = home.get("/v1/settings/versions").await.ok();
    let notes: Vec<&str> =
        versions["items"].as_array().unwrap().iter().map(|item| item["note"].as_str().unwrap()).collect();
    assert_eq!(notes, ["4 days", "3 days", "2 days", "The defaults."]);
    assert_eq!(versions["items"][3]["login_days"], 1);
    let newest = &versions["items"][0];
    assert_eq!(
        (&newest["version"], &newest["author"], &newest["saved_at"]),
        (&json!(4), &json!("first API token"), &json!("2026-09-09T12:00:00Z"))
    );
    let first = home.get("/v1/settings/versions?limit=3").await.ok();
    let cursor = first["next_cursor"].as_str().unwrap();
    let rest = home.get(&format!("/v1/settings/versions?limit=3&cursor={cursor}")).await.ok();
    assert_eq!(rest["items"][0]["version"], 1);
    assert_eq!(rest["next_cursor"], Value::Null);
}
