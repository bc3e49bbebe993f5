//! Zero or missing: a quiet company is a real 0, a silent workspace and a data gap are not.

use serde_json::{Value, json};

use crate::home::Running;

fn visit(company: &str, at: &str) -> Value {
    json!({ "type": "track", "event": "Signed In", "userId": format!("{company}-ada"), "timestamp": at,
        "messageId": format!("{company} {at}"), "context": { "groupId": company } })
}

async fn weeks(running: &Running, company: &str) -> Vec<Value> {
    let all = running.get(&format!("/v1/companies/{company}/weeks?revisions=all")).await;
    all["items"].as_array().unwrap().clone()
}

const COMPANIES: [&str; 6] = ["c0", "c1", "c2", "c3", "c4", "c5"];

/// Mondays from W32 to W37 of 2026.
const MONDAYS: [&str; 6] =
    ["2026-08-03", "2026-08-10", "2026-08-17", "2026-08-24", "2026-08-31", "2026-09-07"];

/// Four weeks in which everybody is there, then one in which `silent` companies are not; with the second scoring.
async fn fifth_week(silent: usize) -> (Running, Vec<Value>) {
    let running = Running::start("2026-08-03T00:00:00Z", "Etc/UTC").await;
    for (index, monday) in MONDAYS.iter().enumerate().take(5) {
        running.clock(&format!("{monday}T12:00:00Z")).await;
        let present = if index == 4 { COMPANIES.len() - silent } else { COMPANIES.len() };
        for company in COMPANIES.iter().take(present) {
            running.event(visit(company, &format!("{monday}T09:00:00Z"))).await;
        }
    }
    running.clock("2026-09-10T00:00:00Z").await;
    let last = COMPANIES.len() - 1;
    let of_last = weeks(&running, COMPANIES[last]).await;
    let fifth: Vec<Value> = of_last.into_iter().filter(|week| week["period"] == "2026-W36").collect();
    (running, fifth)
}

#[tokio::test(flavor = "multi_thread")]
async fn five_of_six_silent_is_a_gap_and_the_second_scoring_says_so_too() {
    let (running, fifth) = fifth_week(5).await;
    assert_eq!(fifth.len(), 1, "{fifth:?}");
    assert_eq!(fifth[0]["telemetry"], "data_gap");
    assert_eq!(fifth[0]["band"], "insufficient");
    // The one that was there is excluded too.
    let present = weeks(&running, "c0").await;
    let of_gap = present.iter().find(|week| week["period"] == "2026-W36").unwrap();
    assert_eq!(of_gap["components"]["login"]["missing"], "data_gap");
    assert_eq!(of_gap["score"], Value::Null);
    running.home.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_six_silent_is_a_zero() {
    let (running, fifth) = fifth_week(1).await;
    assert_eq!(fifth[0]["telemetry"], "normal");
    assert_eq!(fifth[0]["components"]["login"]["value"], 0);
    assert_eq!(fifth[0]["band"], "at_risk");
    running.home.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_workspace_is_missing_and_so_is_who_never_sent() {
    let running = Running::start("2026-08-31T00:00:00Z", "Etc/UTC").await;
    running.clock("2026-09-01T12:00:00Z").await;
    running.event(visit("c0", "2026-09-01T09:00:00Z")).await;
    running
        .event(json!({ "type": "group", "userId": "x", "groupId": "mute", "messageId": "g",
            "timestamp": "2026-09-01T09:00:00Z" }))
        .await;
    running.clock("2026-09-14T06:00:00Z").await;
    let mute = weeks(&running, "mute").await;
    assert_eq!(mute[0]["components"]["login"]["missing"], "no_telemetry");
    assert_eq!(mute[0]["band"], "insufficient");
    // In the next week nobody sent anything.
    let c0 = weeks(&running, "c0").await;
    assert_eq!(c0[0]["components"]["login"]["value"], 100);
    assert_eq!(c0[1]["components"]["login"]["missing"], "workspace_silent");
    running.home.stop().await;
}
