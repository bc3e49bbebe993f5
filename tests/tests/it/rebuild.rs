//! `barometer rebuild`: the log says what the aggregates should be.

use std::path::Path;
use std::process::Output;

use aws_sdk_dynamodb::types::AttributeValue;
use barometer::home::{Home, Options};
use barometer_domain::{CompanyId, IsoWeek, UserId, activity};
use http::StatusCode;
use serde_json::{Value, json};
use tokio::process::Command;

use crate::home::{Running, at, send, shuffle, text};

/// Two weeks of nine people at three companies, shuffled and cut into requests, with duplicates and late events.
fn requests() -> Vec<String> {
    let mut events = Vec::new();
    for person in 0..9_u32 {
        let (user, company) = (format!("u{person}"), format!("c{}", person % 3));
        events.push(json!({ "type": "group", "userId": user, "groupId": company,
            "timestamp": "2026-08-31T00:00:00Z", "messageId": format!("g{person}") }));
        for visit in 0..12_u32 {
            let day = 1 + (visit + person) % 12;
            let named = visit % 3 != 0;
            let mut event = json!({ "type": "track", "event": "Feature Used", "userId": user,
                "messageId": format!("t{person}-{visit}"),
                "timestamp": format!("2026-09-{day:02}T{:02}:{:02}:00Z", 7 + visit, person * 5),
                "properties": { "feature": format!("f{}", visit % 4), "durationSeconds": 300 * (visit % 5) } });
            if named {
                event["context"] = json!({ "groupId": company });
            }
            events.push(event);
        }
    }
    let again: Vec<Value> = events.iter().step_by(7).cloned().collect();
    events.extend(again);
    shuffle(&mut events, 11);
    events.chunks(10).map(|batch| json!({ "batch": batch }).to_string()).collect()
}

async fn rebuild(data: &Path, more: &[&str]) -> (Option<i32>, String) {
    let Output { status, stdout, stderr } =
        Command::new(barometer_tests::binary::program("barometer").unwrap())
            .args(["rebuild", "--from", "2026-08-31", "--to", "2026-09-13", "--data"])
            .arg(data)
            .args(more)
            .output()
            .await
            .unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    (status.code(), said)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_damaged_is_found_and_put_right_from_the_log() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("rebuild-{}", std::process::id()));
    let options = || Options { data: Some(folder.clone()), ..Options::default() };
    let home = Home::start(Options { now: Some(at("2026-09-14T12:00:00Z")), ..options() }).await.unwrap();
    let running = Running::with_workspace(home, "Etc/UTC").await;
    for body in requests() {
        let answer = running.post("/v1/batch", body).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", text(&answer));
    }
    let (whole, said) = (running.keys.workspace_id.clone(), rebuild(&folder, &["--check"]).await.1);
    assert!(said.contains("in use by another barometer"), "{said}");
    running.home.stop().await;

    // What was taken in is what the log says.
    let (code, said) = rebuild(&folder, &["--check"]).await;
    assert_eq!(code, Some(0), "{said}");
    // Nine people with 13 events each, and every seventh once more.
    assert!(said.contains("with 134 events in the log, 3 companies"), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");

    // Two people's weeks are lost, one is there that never was, one has five minutes too many on a
    // Sunday on which they came.
    let home = Home::start(options()).await.unwrap();
    let (week, user) = (IsoWeek::of("2026-08-31".parse().unwrap()), |id: &str| UserId::new(id).unwrap());
    let company = CompanyId::new("c0").unwrap();
    let table = home.table();
    let stood = table.activity_of_week(&whole, &company, week).await.unwrap();
    for lost in ["u0", "u3"] {
        let lost = user(lost);
        let stored = table.stored(&whole, &company, &lost, week).await.unwrap().unwrap();
        table.remove_from_week(&whole, &company, &lost, week, &stored).await.unwrap();
    }
    let sunday = activity::of_event(at("2026-09-06T23:00:00Z"), None, &[], "Etc/UTC".parse().unwrap());
    for wrong in ["u6", "nobody"] {
        table.add_activity(&whole, &company, &user(wrong), week, &sunday[0].1).await.unwrap();
    }
    home.stop().await;

    let (code, said) = rebuild(&folder, &["--check"]).await;
    assert_eq!(code, Some(1), "{said}");
    for line in [
        "c0  2026-W36  u0  missing",
        "c0  2026-W36  u3  missing",
        "c0  2026-W36  nobody  extra",
        "c0  2026-W36  u6  different: slots: 0 missing, 1 extra",
    ] {
        assert!(said.contains(line), "{line}: {said}");
    }
    let (code, said) = rebuild(&folder, &[]).await;
    assert_eq!(code, Some(0), "{said}");
    let (code, said) = rebuild(&folder, &["--check"]).await;
    assert_eq!((code, said.lines().count()), (Some(0), 1), "{said}");

    let home = Home::start(options()).await.unwrap();
    assert_eq!(home.table().activity_of_week(&whole, &company, week).await.unwrap(), stood);
    home.stop().await;

    // A workspace that isn't there are left alone.
    let (code, said) = rebuild(&folder, &["--workspace", "ws_none"]).await;
    assert_eq!(code, Some(2), "{said}");
    std::fs::remove_dir_all(folder).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_that_is_not_what_is_computed_is_found_and_scored_again() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("rescore-{}", std::process::id()));
    let options = || Options { data: Some(folder.clone()), ..Options::default() };
    let home = Home::start(Options { now: Some(at("2026-09-14T12:00:00Z")), ..options() }).await.unwrap();
    let running = Running::with_workspace(home, "Etc/UTC").await;
    for body in requests() {
        running.post("/v1/batch", body).await;
    }
    // Both weeks are settled, and their month is rolled up.
    running.clock("2026-09-16T12:00:00Z").await;
    let whole = running.keys.workspace_id.clone();
    running.home.stop().await;
    let (code, said) = rebuild(&folder, &["--check"]).await;
    assert_eq!((code, said.lines().count()), (Some(0), 1), "{said}");

    let home = Home::start(options()).await.unwrap();
    let (week, company) = (IsoWeek::of("2026-08-31".parse().unwrap()), CompanyId::new("c0").unwrap());
    let stood = home.table().week_revisions(&whole, &company, week).await.unwrap();
    assert_eq!(stood.len(), 1);
    home.table()
        .client()
        .update_item()
        .table_name(home.table().name())
        .key("pk", AttributeValue::S(format!("{whole}#company#c0")))
        .key("sk", AttributeValue::S("week#2026-W36#0001".to_owned()))
        .update_expression("SET #snapshot.score = :score")
        .expression_attribute_names("#snapshot", "snapshot")
        .expression_attribute_values(":score", AttributeValue::N("12.5".to_owned()))
        .send()
        .await
        .unwrap();
    home.stop().await;
    let (code, said) = rebuild(&folder, &["--check"]).await;
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("c0  2026-W36  published  score 12.5 → "), "{said}");
    // What was rolled up of it isn't what comes of the damaged week.
    assert!(said.contains("c0  2026-09  published  "), "{said}");
    assert!(!said.contains("c1  "), "{said}");
    // Without being told to, nothing published is touched.
    let (code, said) = rebuild(&folder, &[]).await;
    assert_eq!(code, Some(1), "{said}");

    let (code, said) = rebuild(&folder, &["--rescore"]).await;
    assert_eq!(code, Some(0), "{said}");
    let running = Home::start(options()).await.unwrap();
    let client = barometer::client::Client::new(&running.url());
    let later = json!({ "now": "2026-09-16T18:00:00Z" });
    let moved = send(&client, http::Method::POST, "/local/clock", None, &later).await;
    assert_eq!(moved.status, StatusCode::OK, "{}", text(&moved));
    let revisions = running.table().week_revisions(&whole, &company, week).await.unwrap();
    assert_eq!(revisions.len(), 2, "the damaged one stays");
    assert_eq!(revisions[1].snapshot, stood[0].snapshot);
    running.stop().await;
    let (code, said) = rebuild(&folder, &["--check"]).await;
    assert_eq!((code, said.lines().count()), (Some(0), 1), "{said}");
    std::fs::remove_dir_all(folder).unwrap();
}
