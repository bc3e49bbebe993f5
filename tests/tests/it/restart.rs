//! `kill -9` in the middle of posting: nothing that was answered 2xx is lost.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use barometer::client::Client;
use barometer_cloud::workspaces::Created;
use http::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::home::{create_workspace, post, read, send, text};

const BEGAN: &str = "2026-08-31T00:00:00Z";

/// The real binary on a data folder.
pub struct Process {
    pub child: Child,
    pub client: Client,
}

/// Starts it, or starts it again, on a folder whose clock began at `now`.
pub async fn start(data: &Path, now: &str) -> Process {
    let program = barometer_tests::binary::program("barometer").unwrap();
    let mut child = Command::new(program)
        .args(["serve", "--listen", "127.0.0.1:0", "--now", now, "--data"])
        .arg(data)
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let line =
        tokio::time::timeout(Duration::from_secs(60), lines.next_line()).await.unwrap().unwrap().unwrap();
    let url = line.split_whitespace().last().unwrap().to_owned();
    Process { child, client: Client::new(&url) }
}

/// Sixty requests of ten users over a week.
fn requests() -> Vec<String> {
    (0..60)
        .map(|index| {
            let user = format!("u{}", index % 10);
            let at = format!("2026-09-0{}T{:02}:{:02}:00Z", 1 + index % 3, 8 + index % 9, index % 60);
            json!({ "batch": [
                { "type": "identify", "userId": user, "timestamp": "2026-08-31T08:00:00Z",
                    "messageId": format!("i{index}"), "context": { "groupId": "acme" } },
                { "type": "track", "event": "Exported", "userId": user, "timestamp": at,
                    "messageId": format!("t{index}"), "context": { "groupId": "acme" },
                    "properties": { "durationSeconds": 60 * (index % 17) } },
            ] })
            .to_string()
        })
        .collect()
}

async fn score(client: &Client, keys: &Created) -> Value {
    let moved =
        send(client, Method::POST, "/local/clock", None, &json!({ "now": "2026-09-07T01:00:00Z" })).await;
    assert_eq!(moved.status, StatusCode::OK, "{}", text(&moved));
    let weeks =
        send(client, Method::GET, "/v1/companies/acme/weeks", Some(&keys.api_token), &Value::Null).await;
    let mut week = read(&weeks)["items"][0].clone();
    assert!(week["score"].is_number(), "{week}");
    week["published_at"] = Value::Null;
    week
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_while_posting_and_started_again() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("restart-{}", std::process::id()));
    let (whole, broken) = (folder.join("whole"), folder.join("broken"));

    let mut uninterrupted = start(&whole, BEGAN).await;
    let keys = create_workspace(&uninterrupted.client, "Etc/UTC").await;
    clock(&uninterrupted.client).await;
    for body in requests() {
        let answer = post(&uninterrupted.client, &keys.write_key, "/v1/batch", body).await;
        assert_eq!(answer.status, StatusCode::OK);
    }
    let expected = score(&uninterrupted.client, &keys).await;
    uninterrupted.child.kill().await.unwrap();

    let mut process = start(&broken, BEGAN).await;
    let keys = create_workspace(&process.client, "Etc/UTC").await;
    clock(&process.client).await;
    let mut unanswered: Vec<String> = requests();
    for kill_after in [7, 19, 11] {
        // Posts from one task while another kills the process: the request under way gets no answer.
        let (client, key) = (process.client.clone(), keys.write_key.clone());
        let todo = unanswered.clone();
        let posting = tokio::spawn(async move {
            let mut answered = 0;
            for body in todo {
                let headers = [("authorization", format!("Bearer {key}"))];
                let headers: Vec<(&'static str, &str)> =
                    headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
                match client.send(Method::POST, "/v1/batch", &headers, body).await {
                    Ok(answer) if answer.status == StatusCode::OK => answered += 1,
                    _ => break,
                }
                if answered == kill_after {
                    // The next request is on its way when the process dies.
                    tokio::task::yield_now().await;
                }
            }
            answered
        });
        tokio::time::sleep(Duration::from_millis(20 * kill_after)).await;
        process.child.kill().await.unwrap();
        let answered = posting.await.unwrap();
        unanswered.drain(..usize::try_from(answered).unwrap().min(unanswered.len()));
        process = start(&broken, BEGAN).await;
    }
    // A client sends what got no answer again, and only that.
    for body in unanswered {
        let answer = post(&process.client, &keys.write_key, "/v1/batch", body).await;
        assert_eq!(answer.status, StatusCode::OK);
    }
    assert_eq!(score(&process.client, &keys).await, expected);
    process.child.kill().await.unwrap();
    std::fs::remove_dir_all(folder).unwrap();
}

async fn clock(client: &Client) {
    let moved =
        send(client, Method::POST, "/local/clock", None, &json!({ "now": "2026-09-05T00:00:00Z" })).await;
    assert_eq!(moved.status, StatusCode::OK, "{}", text(&moved));
}
