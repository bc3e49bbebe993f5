//! What was published stays; what came late makes a revision, once.

use serde_json::{Value, json};

use crate::home::Running;

async fn revisions(running: &Running) -> Vec<Value> {
    let all = running.get("/v1/companies/acme/weeks?revisions=all").await;
    all["items"].as_array().unwrap().clone()
}

fn visit(user: &str, id: &str, at: &str) -> Value {
    json!({ "type": "track", "event": "Signed In", "userId": user, "messageId": id, "timestamp": at,
        "context": { "groupId": "acme" } })
}

#[tokio::test(flavor = "multi_thread")]
async fn scoring_again_without_change_makes_no_revision() {
    let running = Running::start("2026-08-31T00:00:00Z", "Etc/UTC").await;
    running.clock("2026-09-02T00:00:00Z").await;
    running.event(visit("ada", "1", "2026-09-01T09:00:00Z")).await;
    running.clock("2026-09-07T01:00:00Z").await;
    assert_eq!(revisions(&running).await.len(), 1);
    // The same shard again, as a bus that delivers twice would.
    let bus = running.get_bus().await;
    let shards: Vec<&Value> = bus.iter().filter(|event| event["detail-type"] == "score.shard").collect();
    assert_eq!(shards.len(), 16, "one run, eight shards: counted, then scored");
    for shard in shards {
        running.home.invoke("score-week", shard.clone()).await.unwrap();
    }
    // And the second scoring after the grace.
    running.clock("2026-09-10T00:00:00Z").await;
    let published = revisions(&running).await;
    assert_eq!(published.len(), 1);
    assert_eq!(published[0]["revision"], 1);
    assert_eq!(published[0]["provisional"], false);
    running.home.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_event_within_the_grace_makes_exactly_one() {
    let running = Running::start("2026-08-31T00:00:00Z", "Etc/UTC").await;
    running.clock("2026-09-02T00:00:00Z").await;
    running.event(visit("ada", "1", "2026-09-01T09:00:00Z")).await;
    running
        .event(json!({ "type": "identify", "userId": "ben", "messageId": "2",
        "timestamp": "2026-09-01T09:00:00Z", "context": { "groupId": "acme" } }))
        .await;
    running.clock("2026-09-08T10:00:00Z").await;
    let first = revisions(&running).await;
    assert_eq!(first.len(), 1);
    assert_eq!(first[0]["components"]["login"]["value"], 50);

    running.event(visit("ben", "3", "2026-09-05T18:00:00Z")).await;
    running.clock("2026-09-14T12:00:00Z").await;
    let published: Vec<Value> =
        revisions(&running).await.into_iter().filter(|week| week["period"] == "2026-W36").collect();
    assert_eq!(published.len(), 2, "{published:?}");
    assert_eq!(published[0], first[0].clone().tap(|week| week["provisional"] = json!(false)));
    assert_eq!(published[1]["components"]["login"]["value"], 100);
    assert_eq!(published[1]["revision"], 2);
    // The list shows the latest.
    let weeks = running.get("/v1/companies/acme/weeks").await;
    assert_eq!(weeks["items"][0]["revision"], 2);
    running.home.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn other_settings_do_not_rewrite_a_week() {
    let running = Running::start("2026-08-31T00:00:00Z", "Etc/UTC").await;
    running.clock("2026-09-02T00:00:00Z").await;
    running.event(visit("ada", "1", "2026-09-01T09:00:00Z")).await;
    running.clock("2026-09-07T01:00:00Z").await;
    let weights =
        json!({ "weights": { "login": 80, "adoption": 10, "feedback": 10 }, "note": "Logins matter." });
    let saved = running.api(http::Method::PUT, "/v1/settings", &weights).await;
    assert!(saved.status.is_success(), "{}", crate::home::text(&saved));
    running.clock("2026-09-14T06:00:00Z").await;
    let weeks = revisions(&running).await;
    let versions: Vec<(&Value, &Value)> =
        weeks.iter().map(|week| (&week["period"], &week["settings_version"])).collect();
    assert_eq!(
        versions,
        [(&json!("2026-W36"), &json!(1)), (&json!("2026-W37"), &json!(2))],
        "the second scoring of W36 used the settings of the first"
    );
    running.home.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn weeks_from_before_the_workspace_are_scored_when_their_events_are_posted() {
    // A Thursday; the events tell of the three weeks before.
    let running = Running::start("2026-09-24T08:30:00Z", "Etc/UTC").await;
    for (id, at) in
        [("1", "2026-09-02T09:00:00Z"), ("2", "2026-09-09T09:00:00Z"), ("3", "2026-09-16T09:00:00Z")]
    {
        running.event(visit("ada", id, at)).await;
    }
    running.clock("2026-09-24T12:30:00Z").await;
    let weeks: Vec<Value> = revisions(&running).await.iter().map(|week| week["period"].clone()).collect();
    assert_eq!(weeks, [json!("2026-W36"), json!("2026-W37"), json!("2026-W38")]);
    let bands: Vec<Value> = revisions(&running).await.iter().map(|week| week["band"].clone()).collect();
    assert_eq!(
        bands,
        [json!("onboarding"), json!("onboarding"), json!("onboarding")],
        "younger than 28 days"
    );
    running.home.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_level_that_expires_between_two_scorings_is_told() {
    let running = Running::start("2026-08-30T00:00:00Z", "Etc/UTC").await;
    // Counts for 90 days, to noon of 31 August: in the first scoring of W35 and not in the second.
    running
        .event(json!({ "type": "track", "event": "NPS Submitted", "userId": "ada", "messageId": "1",
            "timestamp": "2026-06-02T12:00:00Z", "properties": { "score": 10 }, "context": { "groupId": "acme" } }))
        .await;
    running.clock("2026-08-31T01:00:00Z").await;
    assert_eq!(running.get("/v1/companies/acme").await["happiness"]["level"], "very_happy");
    running.clock("2026-09-02T01:00:00Z").await;
    assert_eq!(running.get("/v1/companies/acme").await["happiness"]["level"], "no_data");
    let of_week = revisions(&running).await.into_iter().filter(|week| week["period"] == "2026-W35").count();
    assert_eq!(of_week, 1, "the week itself didn't change");
    let bus = running.get_bus().await;
    let told: Vec<(&Value, &Value)> = bus
        .iter()
        .filter(|event| event["detail-type"] == "happiness.changed")
        .map(|event| (&event["detail"]["from"], &event["detail"]["to"]))
        .collect();
    let (none, very_happy) = (json!("no_data"), json!("very_happy"));
    assert_eq!(told, [(&none, &very_happy), (&very_happy, &none)]);
    running.home.stop().await;
}

trait Tap: Sized {
    /// The value after a change.
    fn tap(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }
}

impl Tap for Value {}
