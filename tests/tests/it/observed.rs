//! What a function's real binary says of its calls: the metrics of each, once and right, and the matter that they belong to,
//! from the request over the bus to whoever hears of it.

use barometer_cloud::clients;
use barometer_tests::aws_endpoint::{Moment, Point};
use barometer_tests::runtime_api::Outcome;
use chrono::{Days, NaiveTime, TimeDelta};
use serde_json::{Value, json};

use crate::lambda_binaries::{World, monday, parsed};

/// The matter that the Runtime API of these tests gives every call.
const OWN: &str = "1-6a97a8c0-0123456789abcdef01234567";

/// The lines that CloudWatch makes metrics of.
fn metrics(said: &[Value]) -> Vec<&Value> {
    said.iter().filter(|line| line.get("_aws").is_some()).collect()
}

/// The one line of a function that was called once.
fn metrics_of_one(said: &[Value]) -> Value {
    let all = metrics(said);
    assert_eq!(all.len(), 1, "{said:?}");
    all[0].clone()
}

fn named(line: &Value) -> Vec<&str> {
    let told = line["_aws"]["CloudWatchMetrics"][0]["Metrics"].as_array().unwrap();
    told.iter().map(|metric| metric["Name"].as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_tells_its_events_those_refused_and_its_units_once() {
    let world = World::new().await;
    let mut event = world.event("ingest-events.batch");
    let track = |user: &str| {
        json!({ "type": "track", "event": "Signed In", "userId": user, "messageId": user,
        "context": { "groupId": "acme" } })
    };
    let events = json!({ "batch": [track("ada"), track("alan"), { "type": "nonsense", "userId": "ada" }] });
    event["body"] = json!(events.to_string());
    event["isBase64Encoded"] = json!(false);
    let (answers, said) = world.run_and_hear("ingest-events", vec![event]).await;
    let answer: Value = parsed(&answers[0]["body"]);
    assert_eq!((&answer["accepted"], &answer["rejected"]), (&json!(2), &json!(1)), "{answer}");
    let line = metrics_of_one(&said);
    assert_eq!(named(&line), ["events", "rejected", "read_units", "write_units"], "{line}");
    assert_eq!((&line["events"], &line["rejected"]), (&json!(3), &json!(1)), "{line}");
    // Two people of a new company: at least the company, and of each a membership, their memory, a day; and the log.
    assert!(line["write_units"].as_f64().unwrap() >= 8.0, "{line}");
    assert_eq!(line["function"], "barometer-ingest-events");
    assert_eq!(line["_aws"]["CloudWatchMetrics"][0]["Namespace"], "Barometer");
    assert_eq!(line["_aws"]["CloudWatchMetrics"][0]["Dimensions"], json!([["function"]]));
    assert!(!line.to_string().contains("ada"), "nobody's name: {line}");
}

/// What is said while last week is scored, from the plan to the last shard.
async fn score(world: &World) -> Vec<Value> {
    let due = monday().and_time(NaiveTime::from_hms_opt(1, 0, 0).unwrap()).and_utc();
    let mut heard = Vec::new();
    loop {
        let known = world.endpoint.bus().len();
        world.run("score-week", vec![json!({ "scheduled_time": due })]).await;
        let told = world.endpoint.bus();
        let shards: Vec<Value> = told[known..]
            .iter()
            .filter(|entry| entry["DetailType"] == "score.shard")
            .map(|entry| json!({ "detail": parsed(&entry["Detail"]) }))
            .collect();
        if shards.is_empty() {
            return heard;
        }
        heard.extend(world.run_and_hear("score-week", shards).await.1);
    }
}

fn counted(said: &[Value], metric: &str) -> u64 {
    metrics(said).iter().filter_map(|line| line[metric].as_u64()).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_tells_each_company_that_it_scored_once() {
    let world = World::since((monday() - Days::new(7)).and_time(NaiveTime::MIN).and_utc()).await;
    world.run("ingest-events", vec![world.event("ingest-events.batch")]).await;
    let said = score(&world).await;
    assert_eq!((counted(&said, "scored"), counted(&said, "failed")), (1, 0), "Acme, and nobody else");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_tells_a_company_that_it_left_out_once() {
    let world = World::since((monday() - Days::new(7)).and_time(NaiveTime::MIN).and_utc()).await;
    world.run("ingest-events", vec![world.event("ingest-events.batch")]).await;
    world.spoil_activity().await;
    let said = score(&world).await;
    assert_eq!((counted(&said, "scored"), counted(&said, "failed")), (0, 1), "{said:?}");
    let left_out: Vec<_> = said.iter().filter(|line| line["message"] == "company failed").collect();
    assert!(!left_out.is_empty() && left_out.iter().all(|line| line["company"] == "acme"), "{said:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_nobody_finished_is_told_as_overdue_after_six_hours() {
    let world = World::since((monday() - Days::new(7)).and_time(NaiveTime::MIN).and_utc()).await;
    let planned = monday().and_time(NaiveTime::from_hms_opt(1, 0, 0).unwrap()).and_utc();
    let overdue = async |hours| {
        let due = json!({ "scheduled_time": planned + TimeDelta::hours(hours) });
        let (_, said) = world.run_and_hear("score-week", vec![due]).await;
        metrics_of_one(&said).get("overdue").cloned()
    };
    assert_eq!((overdue(0).await, overdue(5).await, overdue(6).await), (None, None, Some(json!(1))));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_is_told_as_sent_and_one_without_an_answer_as_unknown() {
    let world = World::new().await;
    let (_, said) = world.run_and_hear("dashboard", vec![world.event("dashboard.sign-in")]).await;
    let line = metrics_of_one(&said);
    assert_eq!((&line["sent"], line.get("unknown")), (&json!(1), None), "{line}");

    world.endpoint.hold(Point::Mail(0, Moment::After));
    let (_, said) = world.run_and_hear("dashboard", vec![world.event("dashboard.test-mail")]).await;
    let line = metrics_of_one(&said);
    assert_eq!((line.get("sent"), &line["unknown"]), (None, &json!(1)), "{line}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_to_the_table_that_is_made_again_is_told() {
    let world = World::new().await;
    world.endpoint.hold(Point::Operation("Query", Moment::Before));
    let (answers, said) = world.run_and_hear("portfolio", vec![world.event("portfolio.companies")]).await;
    assert_eq!(answers[0]["statusCode"], 200, "{answers:?}");
    assert_eq!(metrics_of_one(&said)["retries"], 1, "of at most {}", clients::TABLE_ATTEMPTS);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_is_told_with_its_causes_and_without_requests_and_answers() {
    let world = World::new().await;
    let mut binary = world.start("publish-changes").await;
    world.lose_table().await;
    let outcome = binary.invoke(world.event("publish-changes.schedule")).await.unwrap();
    let Outcome::Failed(failure) = outcome else { panic!("{outcome:?}") };
    assert_eq!(failure["errorType"], "publish_changes::SweepError", "{failure}");
    let message = failure["errorMessage"].as_str().unwrap();
    assert!(message.contains("ResourceNotFoundException"), "{failure}");
    let said = binary.hear().await.unwrap();
    let told = said.iter().find(|line| line["message"] == "invocation failed").unwrap();
    assert_eq!((&told["error"], &told["trace_id"]), (&failure["errorMessage"], &json!(OWN)));
    for line in &said {
        let line = line.to_string();
        assert!(!line.contains("SdkBody") && !line.contains("headers"), "{line}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_follows_from_a_request_belongs_to_its_matter() {
    let world = World::new().await;
    world.run("ingest-events", vec![world.event("ingest-events.batch")]).await;
    let known = world.endpoint.bus().len();
    let (_, said) = world.run_and_hear("update-status", vec![world.event("update-status.set")]).await;
    assert!(!said.is_empty());
    assert!(said.iter().all(|line| line["trace_id"] == OWN), "{said:?}");
    let told = &world.endpoint.bus()[known..];
    let changed = told.iter().find(|entry| entry["DetailType"] == "status.changed").unwrap();
    let mut detail = parsed(&changed["Detail"]);
    assert_eq!(detail["trace_id"], OWN);

    // The consumer's own call has another, which gives way to the event's.
    detail["trace_id"] = json!("1-theirs");
    let mut event = world.event("bus.status-changed");
    event["detail"] = detail;
    let known = world.endpoint.bus().len();
    let (_, said) = world.run_and_hear("react", vec![event]).await;
    assert!(!said.is_empty());
    assert!(
        said.iter().all(|line| line["trace_id"] == "1-theirs" && line["request_id"] != "1-theirs"),
        "{said:?}"
    );
    let told: Vec<Value> =
        world.endpoint.bus()[known..].iter().map(|entry| parsed(&entry["Detail"])).collect();
    assert!(!told.is_empty());
    assert!(told.iter().all(|detail| detail["trace_id"] == "1-theirs"), "{told:?}");
}
