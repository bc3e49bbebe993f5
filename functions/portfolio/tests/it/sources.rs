//! Sources: write keys with their limits, and what came from each.

use axum::body::Body;
use barometer_cloud::table::sources::{Counts, Reason, Unit};
use http::Method;
use serde_json::{Value, json};

use crate::common::{Home, NOW, at};

async fn works(home: &Home, key: &str) -> bool {
    home.table.credential(key, at(NOW)).await.unwrap().is_some()
}

async fn create(home: &Home, body: &Value) -> Value {
    let made = home.json(Method::POST, "/v1/sources", body).await;
    assert_eq!(made.status, 201, "{}", made.text);
    made.json()
}

#[tokio::test]
async fn the_first_write_key_is_a_source() {
    let home = Home::new().await;
    let list = home.get("/v1/sources").await.ok();
    assert_eq!(list["next_cursor"], Value::Null);
    let nothing = json!({"accepted": 0, "rejected": 0, "refused_requests": 0});
    let source = &list["items"][0];
    let expected = json!({
        "id": source["id"], "name": "first write key", "key": home.write_key, "previous_keys": [],
        "created_at": "2026-09-09T12:00:00Z", "disabled_at": null, "allowed_origins": [],
        "rate": 1_000, "burst": 10_000, "last_event_at": null, "today": nothing, "last_7_days": nothing,
        "rejections": [],
    });
    assert_eq!(list["items"], json!([expected]));
}

#[tokio::test]
async fn a_source_is_made_changed_disabled_and_deleted() {
    let home = Home::new().await;
    let body = json!({
        "name": " shop ", "allowed_origins": ["https://Shop.example.com/", "https://shop.example.com"], "rate": 5,
    });
    let made = create(&home, &body).await;
    assert_eq!(
        (&made["name"], &made["allowed_origins"], &made["rate"], &made["burst"]),
        (&json!("shop"), &json!(["https://shop.example.com"]), &json!(5), &json!(10_000))
    );
    let key = made["key"].as_str().unwrap();
    assert!(key.starts_with("wk_") && works(&home, key).await);
    let path = format!("/v1/sources/{}", made["id"].as_str().unwrap());
    assert_eq!(home.get(&path).await.ok(), made);

    let changed = home.json(Method::PATCH, &path, &json!({"disabled": true, "burst": 7})).await.ok();
    assert_eq!((&changed["disabled_at"], &changed["burst"]), (&json!("2026-09-09T12:00:00Z"), &json!(7)));
    assert_eq!((&changed["name"], &changed["rate"]), (&made["name"], &made["rate"]));
    let changed =
        home.json(Method::PATCH, &path, &json!({"disabled": false, "allowed_origins": []})).await.ok();
    assert_eq!((&changed["disabled_at"], &changed["allowed_origins"]), (&Value::Null, &json!([])));
    assert_eq!(home.get("/v1/sources").await.ok()["items"].as_array().unwrap().len(), 2);

    let neighbour = home.neighbour().await;
    neighbour.get(&path).await.problem(404, None);
    neighbour.json(Method::PATCH, &path, &json!({"name": "mine"})).await.problem(404, None);
    neighbour.request(Method::POST, &format!("{path}/rotate"), &[], Body::empty()).await.problem(404, None);
    neighbour.request(Method::DELETE, &path, &[], Body::empty()).await.problem(404, None);

    let gone = home.request(Method::DELETE, &path, &[], Body::empty()).await;
    assert_eq!((gone.status.as_u16(), gone.text.as_str()), (204, ""));
    assert!(!works(&home, key).await);
    home.get(&path).await.problem(404, None);
    home.request(Method::DELETE, &path, &[], Body::empty()).await.problem(404, None);
}

#[tokio::test]
async fn a_rotation_keeps_the_old_key_for_the_overlap() {
    let home = Home::new().await;
    let id = home.get("/v1/sources").await.ok()["items"][0]["id"].as_str().unwrap().to_owned();
    let path = format!("/v1/sources/{id}/rotate");
    let rotated = home.request(Method::POST, &path, &[], Body::empty()).await.ok();
    assert_eq!(rotated["id"], id.as_str());
    assert_eq!(
        rotated["previous_keys"],
        json!([{"key": home.write_key, "expires_at": "2026-09-10T12:00:00Z"}])
    );
    let second = rotated["key"].as_str().unwrap();
    assert!(works(&home, &home.write_key).await && works(&home, second).await);

    let rotated = home.json(Method::POST, &path, &json!({"overlap_hours": 0})).await.ok();
    assert_eq!(rotated["previous_keys"], json!([]));
    assert!(!works(&home, &home.write_key).await && !works(&home, second).await);
    assert!(works(&home, rotated["key"].as_str().unwrap()).await);

    for hours in [json!(721), json!(-1), json!(1.5), json!("1"), Value::Null] {
        let body = json!({ "overlap_hours": hours });
        home.json(Method::POST, &path, &body).await.problem(422, Some("/overlap_hours"));
    }
    home.json(Method::POST, &path, &json!({"key": "mine"})).await.problem(422, Some("/key"));
    home.request(Method::POST, "/v1/sources/none/rotate", &[], Body::empty()).await.problem(404, None);
    for _ in 0..4 {
        home.json(Method::POST, &path, &json!({"overlap_hours": 720})).await.ok();
    }
    let full = home.json(Method::POST, &path, &json!({"overlap_hours": 720})).await.problem(409, None);
    assert_eq!(full["code"], "too_many_keys");
}

#[tokio::test]
async fn every_wrong_field_is_named() {
    let home = Home::new().await;
    let id = home.get("/v1/sources").await.ok()["items"][0]["id"].as_str().unwrap().to_owned();
    let path = format!("/v1/sources/{id}");
    home.json(Method::POST, "/v1/sources", &json!({})).await.problem(422, Some("/name"));
    home.json(Method::PATCH, &path, &json!({"disabled": null})).await.problem(422, Some("/disabled"));
    for (field, value, pointer) in [
        ("name", json!(null), "/name"),
        ("name", json!(" "), "/name"),
        ("rate", json!(0), "/rate"),
        ("rate", json!(1_000_001), "/rate"),
        ("rate", json!(1.5), "/rate"),
        ("rate", json!(null), "/rate"),
        ("burst", json!(-1), "/burst"),
        ("allowed_origins", json!("https://a.example"), "/allowed_origins"),
        ("allowed_origins", json!(["https://a.example", "*"]), "/allowed_origins/1"),
        ("allowed_origins", json!([1]), "/allowed_origins/0"),
        ("allowed_origins", json!(vec!["https://a.example"; 51]), "/allowed_origins"),
        ("key", json!("wk_mine"), "/key"),
    ] {
        let mut body = json!({"name": "shop"});
        body[field] = value;
        for (method, path) in [(Method::POST, "/v1/sources"), (Method::PATCH, path.as_str())] {
            let problem = home.json(method, path, &body).await.problem(422, Some(pointer));
            assert_eq!(problem["errors"].as_array().unwrap().len(), 1, "{problem}");
        }
    }
    assert_eq!(home.get("/v1/sources").await.ok()["items"].as_array().unwrap().len(), 1);
    assert_eq!(home.get(&path).await.ok()["name"], "first write key");
}

#[tokio::test]
async fn says_what_came_and_why_some_did_not() {
    let home = Home::new().await;
    let id = home.get("/v1/sources").await.ok()["items"][0]["id"].as_str().unwrap().to_owned();
    for (day, accepted, last) in [
        ("2026-09-09", 5, "2026-09-09T11:00:00Z"),
        ("2026-09-03", 20, "2026-09-03T11:00:00Z"),
        ("2026-09-02", 100, "2026-09-02T11:00:00Z"),
        ("2026-08-01", 1_000, "2026-08-01T11:00:00Z"),
    ] {
        let counts = Counts { accepted, rejected: 2, refused: 1, last_event_at: Some(at(last)) };
        home.table.add_source_counts(&home.workspace, &id, day.parse().unwrap(), &counts).await.unwrap();
    }
    for number in 0..12 {
        let reason = Reason {
            unit: Unit::Event,
            code: format!("code_{number}"),
            message: "something".to_owned(),
            message_id: Some("m-1".to_owned()),
            index: Some(3),
            last_at: at("2026-09-09T10:00:00Z") + chrono::TimeDelta::minutes(number),
            count: 2,
        };
        let day = "2026-09-09".parse().unwrap();
        home.table.add_source_reason(&home.workspace, &id, day, &reason).await.unwrap();
    }
    let source = home.get(&format!("/v1/sources/{id}")).await.ok();
    let list = home.get("/v1/sources").await.ok();
    for found in [&source, &list["items"][0]] {
        assert_eq!(found["last_event_at"], "2026-09-09T11:00:00Z");
        assert_eq!(found["today"], json!({"accepted": 5, "rejected": 2, "refused_requests": 1}));
        assert_eq!(found["last_7_days"], json!({"accepted": 25, "rejected": 4, "refused_requests": 2}));
        let rejections = found["rejections"].as_array().unwrap();
        assert_eq!(rejections.len(), 10);
        assert_eq!(
            rejections[0],
            json!({
                "counts": "event", "code": "code_11", "message": "something", "message_id": "m-1", "index": 3,
                "last_at": "2026-09-09T10:11:00Z", "count": 2,
            })
        );
    }
    let days = source["days"].as_array().unwrap();
    assert_eq!(
        (days.len(), &days[0]["day"], &days[7]["day"]),
        (8, &json!("2026-09-02"), &json!("2026-09-09"))
    );
    assert_eq!(days[2], json!({"day": "2026-09-04", "accepted": 0, "rejected": 0, "refused_requests": 0}));
    assert_eq!(days[7]["accepted"], 5);
}
