//! Where all companies stand, from group traits to the API.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::home::{Running, text};

const COMPANIES: [(&str, &str, &str); 4] = [
    ("acme", "retail", "enterprise"),
    ("acme-uk", "retail", "pro"),
    ("bolt", "finance", "pro"),
    ("cask", "finance", "pro"),
];

async fn event(running: &Running, event: Value) {
    running.event(event).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_week_and_a_month_are_counted_by_band_and_group() {
    let running = Running::start("2026-07-06T00:00:00Z", "Etc/UTC").await;
    running.clock("2026-07-06T10:00:00Z").await;
    for (company, industry, plan) in COMPANIES {
        let parent = if company == "acme-uk" { json!("acme") } else { Value::Null };
        event(
            &running,
            json!({ "type": "group", "userId": format!("{company}-0"), "groupId": company, "messageId": company,
                "traits": { "name": company, "plan": plan, "Industry": industry, "employees": 40, "parent_id": parent,
                    "about": "x".repeat(200), "address": { "city": "Basel" } } }),
        )
        .await;
    }
    let mondays = ["2026-07-06", "2026-07-13", "2026-07-20", "2026-07-27", "2026-08-03", "2026-08-10"];
    for (index, monday) in mondays.iter().enumerate() {
        running.clock(&format!("{monday}T12:00:00Z")).await;
        for (company, _, _) in COMPANIES {
            if company == "cask" && index == 5 {
                continue;
            }
            let at = format!("{monday}T11:00:00Z");
            let id = format!("{company} {monday}");
            event(
                &running,
                json!({ "type": "track", "event": "Signed In", "userId": format!("{company}-0"), "timestamp": at,
                    "messageId": id, "context": { "groupId": company } }),
            )
            .await;
        }
    }
    running.clock("2026-08-20T06:00:00Z").await;
    let acme = running.get("/v1/overview?week=2026-W33").await;
    assert_eq!((&acme["period"], &acme["overview"]["companies"]), (&json!("2026-W33"), &json!(4)), "{acme}");
    let overview = &acme["overview"];
    assert_eq!(overview["standings"]["at_risk"], 1);
    let moves: Vec<&Value> = overview["moves"].as_array().unwrap().iter().collect();
    let fallen = moves.iter().find(|told| told["to"] == "at_risk").unwrap();
    assert_eq!(fallen["companies"], 1);
    assert_eq!(overview["down"][0]["company_id"], "cask");
    let by = &overview["by"];
    assert_eq!(by["plan"]["values"]["pro"]["standings"]["at_risk"], 1);
    assert_eq!(by["traits.industry"]["values"]["finance"]["standings"]["at_risk"], 1);
    assert_eq!(by["traits.industry"]["values"]["retail"]["standings"]["at_risk"], 0);
    assert!(by["traits.employees"]["values"]["40"].is_object(), "{by}");
    assert!(by.get("traits.about").is_none() && by.get("traits.address").is_none(), "{by}");
    let families = overview["families"].as_array().unwrap();
    assert_eq!((&families[0]["company_id"], &families[0]["worst"]), (&json!("acme"), &json!("acme-uk")));

    let month = running.get("/v1/overview?month=2026-07").await;
    assert_eq!(
        (&month["period"], &month["overview"]["companies"]),
        (&json!("2026-07"), &json!(4)),
        "{month}"
    );
    assert_eq!(running.get("/v1/overview").await["period"], "2026-W33");
    for (path, status) in [
        ("/v1/overview?week=2026-W50", StatusCode::NOT_FOUND),
        ("/v1/overview?week=2026-50", StatusCode::BAD_REQUEST),
        ("/v1/overview?week=2026-W33&month=2026-08", StatusCode::BAD_REQUEST),
    ] {
        let answer = running.api(Method::GET, path, &Value::Null).await;
        assert_eq!(answer.status, status, "{}", text(&answer));
    }
    let told: Vec<Value> = running.get_bus().await;
    let completed = told.iter().filter(|event| event["detail-type"] == "run.completed");
    let weeks =
        completed.filter(|event| event["detail"]["run"].as_str().unwrap().starts_with("week#2026-W33#"));
    assert_eq!(weeks.count(), 2, "scored, and again after the grace");
    running.home.stop().await;
}
