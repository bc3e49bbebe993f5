//! From a posted event to a score: the numbers that anybody can work out on paper.

use serde_json::{Value, json};

use crate::home::{Running, shuffle};

/// Ada and Ben belong to Acme since long before the week; only Ada comes in W36 (31 August to 6 September 2026).
fn requests() -> Vec<Value> {
    let group = |user: &str| {
        json!({ "type": "group", "userId": user, "groupId": "acme", "messageId": format!("g-{user}"),
            "timestamp": "2026-08-31T06:00:00Z",
            "traits": { "name": "Acme", "createdAt": "2025-01-01T00:00:00Z" } })
    };
    let track = |id: &str, at: &str, seconds: u32| {
        json!({ "type": "track", "event": "Feature Used", "userId": "ada", "messageId": id, "timestamp": at,
            "properties": { "feature": "export", "durationSeconds": seconds } })
    };
    vec![
        json!({ "type": "identify", "userId": "ada", "messageId": "i-ada", "timestamp": "2026-08-31T05:00:00Z",
            "traits": { "email": "ada@acme.example" } }),
        json!({ "type": "identify", "userId": "ben", "messageId": "i-ben", "timestamp": "2026-08-31T05:00:00Z" }),
        group("ada"),
        group("ben"),
        // 09:00–09:20 fills five slots, 08:40 to 09:00 both included another four before the shared one.
        track("t1", "2026-09-02T09:20:00Z", 20 * 60),
        track("t2", "2026-09-02T09:00:00Z", 20 * 60),
        json!({ "type": "page", "name": "Pricing", "userId": "ada", "messageId": "p1",
            "timestamp": "2026-09-03T10:02:00Z" }),
    ]
}

fn expect(week: &Value) {
    let components = &week["components"];
    // One of two users was active: 1 / (1 × 2).
    assert_eq!(components["login"]["value"], 50);
    assert_eq!(components["login"]["counts"], json!({ "users": 2, "active_users": 1, "active_days": 1 }));
    // Slots 08:40 … 09:20 are nine and 10:00 is one: 50 minutes of 2 × 60; no catalogue, so depth stands alone.
    assert_eq!(components["adoption"]["counts"]["minutes"], 50);
    assert_eq!(components["adoption"]["value"], 41.67);
    // Nobody was asked: missing, which isn't 0.
    assert_eq!(components["feedback"]["value"], Value::Null);
    assert_eq!(components["feedback"]["missing"], "no_answers");
    // Two of three equal weights: 66.67 %; (50 + 41.67) / 2 = 45.835, half up 45.84.
    assert_eq!(week["coverage"], 66.67);
    assert_eq!(week["score"], 45.84);
    assert_eq!(week["shown"], 46);
    // An old company, but its first valid week: a score, no band yet.
    assert_eq!(week["band"], "onboarding");
    assert_eq!(week["confidence"], "low");
    assert_eq!(week["revision"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_two_users_is_half_a_login() {
    let running = Running::start("2026-08-31T00:00:00Z", "Etc/UTC").await;
    running.clock("2026-09-04T00:00:00Z").await;
    for event in requests() {
        running.event(event).await;
    }
    running.clock("2026-09-07T00:30:00Z").await;
    let weeks = running.get("/v1/companies/acme/weeks").await;
    assert_eq!(weeks["items"].as_array().unwrap().len(), 1, "{weeks}");
    expect(&weeks["items"][0]);
    assert_eq!(weeks["items"][0]["provisional"], true);

    let company = running.get("/v1/companies/acme").await;
    assert_eq!(company["engagement"]["score"], 45.84);
    assert_eq!(company["happiness"]["level"], "no_data");
    assert_eq!(company["quadrant"], "unknown");
    running.home.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn three_times_in_any_order_is_the_same() {
    for seed in 1..=3 {
        let running = Running::start("2026-08-31T00:00:00Z", "Etc/UTC").await;
        running.clock("2026-09-04T00:00:00Z").await;
        let mut events: Vec<Value> = std::iter::repeat_n(requests(), 3).flatten().collect();
        shuffle(&mut events, seed);
        for event in events {
            running.event(event).await;
        }
        running.clock("2026-09-07T00:30:00Z").await;
        let weeks = running.get("/v1/companies/acme/weeks").await;
        expect(&weeks["items"][0]);
        running.home.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_band_comes_with_the_second_valid_week() {
    let running = Running::start("2026-08-31T00:00:00Z", "Etc/UTC").await;
    running.clock("2026-09-04T00:00:00Z").await;
    for event in requests() {
        running.event(event).await;
    }
    running.clock("2026-09-09T12:00:00Z").await;
    for user in ["ada", "ben"] {
        running
            .event(json!({ "type": "track", "event": "Signed In", "userId": user, "messageId": format!("s-{user}"),
                "timestamp": "2026-09-08T08:00:00Z", "properties": { "durationSeconds": 3_540 } }))
            .await;
    }
    running.clock("2026-09-14T06:00:00Z").await;
    let weeks = running.get("/v1/companies/acme/weeks").await;
    let second = &weeks["items"][1];
    assert_eq!(second["period"], "2026-W37");
    assert_eq!(second["components"]["login"]["value"], 100);
    // 07:01 to 08:00 touches 13 slots of each: 130 of 120 minutes are no more than all.
    assert_eq!(second["components"]["adoption"]["value"], 100);
    assert_eq!((&second["shown"], &second["band"]), (&json!(100), &json!("thriving")));

    // The month has two weeks by now: (45.84 + 100) / 2 = 72.92.
    let months = running.get("/v1/companies/acme/months").await;
    let month = &months["items"][0];
    assert_eq!((&month["period"], &month["score"]), (&json!("2026-09"), &json!(72.92)), "{month}");
    assert_eq!((&month["band"], &month["provisional"]), (&json!("healthy"), &json!(true)));
    running.home.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_was_active_by_thursday_counts_though_their_company_was_told_on_friday() {
    let running = Running::start("2026-08-31T00:00:00Z", "Etc/UTC").await;
    running.clock("2026-09-05T00:00:00Z").await;
    running
        .event(json!({ "type": "track", "event": "Exported", "anonymousId": "a1", "messageId": "t1",
            "timestamp": "2026-09-01T10:00:00Z" }))
        .await;
    running
        .event(json!({ "type": "identify", "userId": "ada", "anonymousId": "a1", "messageId": "i1",
            "timestamp": "2026-09-04T09:00:00Z" }))
        .await;
    running
        .event(json!({ "type": "group", "userId": "ada", "groupId": "acme", "messageId": "g1",
            "timestamp": "2026-09-04T09:01:00Z", "traits": { "createdAt": "2025-01-01T00:00:00Z" } }))
        .await;
    running.clock("2026-09-07T00:30:00Z").await;
    let weeks = running.get("/v1/companies/acme/weeks").await;
    let counts = &weeks["items"][0]["components"]["login"]["counts"];
    assert_eq!(*counts, json!({ "users": 1, "active_users": 1, "active_days": 1 }), "{weeks}");
    running.home.stop().await;
}
