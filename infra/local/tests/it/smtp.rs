//! `barometer serve --smtp`: what leaves, and what becomes of it.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use barometer::client::Client;
use barometer::home::{Home, Options, Smtp};
use barometer::relay::{Handed, Refusal, Relay};
use barometer_cloud::table::asks::{Ask, AskState};
use barometer_cloud::table::companies::{Patch, Profile};
use barometer_cloud::table::members::Person;
use barometer_cloud::workspaces::{self, NewWorkspace};
use barometer_domain::{CompanyId, UserId, WorkspaceId};
use chrono::{DateTime, TimeDelta, Utc};
use http::{Method, StatusCode};

use crate::folder;
use crate::mail_server::{Answer, MailServer};

const BEGAN: &str = "2026-09-07T13:50:00Z";
const DUE: &str = "2026-09-07T14:00:00Z";
const ADA: &str = "ada@acme.example";
/// Longer than the home takes between two looks at what waits.
const LOOKS: Duration = Duration::from_millis(2500);

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn acme() -> CompanyId {
    CompanyId::new("acme").unwrap()
}

fn ada() -> UserId {
    UserId::new("ada").unwrap()
}

/// A home that delivers through the server, with Ada of Acme to be asked at two.
async fn start(data: Option<&Path>, server: &MailServer) -> (Home, WorkspaceId) {
    let smtp = Smtp { relay: server.url.parse().unwrap(), from: "Rocket <ask@example.com>".to_owned() };
    let home = Home::start(Options {
        data: data.map(Into::into),
        now: Some(at(BEGAN)),
        smtp: Some(smtp),
        ..Options::default()
    })
    .await
    .unwrap();
    let (table, seen) = (home.table(), at("2026-08-03T10:00:00Z"));
    let new = NewWorkspace { name: "Initech".to_owned(), ..NewWorkspace::default() };
    let workspace = workspaces::create(table, new, at("2026-08-01T00:00:00Z")).await.unwrap().workspace_id;
    table.note_company(&workspace, &acme(), &Profile::default(), seen).await.unwrap();
    let on = Patch { request_feedback: Some(true), ..Patch::default() };
    table.patch_company(&workspace, &acme(), &on).await.unwrap();
    table.note_member(&workspace, &acme(), &ada(), seen, seen.date_naive()).await.unwrap();
    let person = Person { email: Some(ADA.to_owned()), ..Person::default() };
    table.describe_member(&workspace, &acme(), &ada(), &person).await.unwrap();
    table.schedule_ask(&workspace, &acme(), &ada(), Some(at(DUE))).await.unwrap();
    (home, workspace)
}

/// Waits until something holds; the home works in the background.
async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    for _ in 0..600 {
        if holds().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("not in half a minute: {what}");
}

async fn ask_becomes(home: &Home, workspace: &WorkspaceId, state: AskState) -> Ask {
    let asks = async || home.table().asks(workspace, &acme()).await.unwrap();
    until(&format!("{state:?}"), async || asks().await.iter().any(|ask| ask.state == state)).await;
    asks().await.remove(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_arrives_as_it_is_kept_and_counts_as_delivered_then() {
    let server = MailServer::start(Answer::Takes);
    let (home, workspace) = start(None, &server).await;
    home.move_clock(at(DUE)).await.unwrap();
    ask_becomes(&home, &workspace, AskState::Delivered).await;
    let (kept, received) = (home.mailbox().list().await.unwrap(), server.received());
    assert_eq!((kept.len(), received.len()), (1, 1));
    assert_eq!(received[0].from, "ask@example.com");
    assert_eq!(received[0].to, [ADA]);
    assert_eq!(String::from_utf8_lossy(&received[0].message), kept[0].raw);
    home.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_that_begin_with_a_dot_arrive_as_they_were() {
    let server = MailServer::start(Answer::Takes);
    let relay: Relay = server.url.parse().unwrap();
    for message in ["Subject: s\r\n\r\n.\r\n..two\r\n.one\r\nend.\r\n", "Subject: s\r\n\r\n.\r\n"] {
        let handed = relay.hand("a@example.com", &[ADA.to_owned()], message.as_bytes()).await;
        assert_eq!(handed, Handed::Taken("250 2.0.0 kept".to_owned()));
        let last = server.received().pop().unwrap();
        assert_eq!(String::from_utf8_lossy(&last.message), message);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_server_says_decides_whether_a_mail_waits_or_comes_back() {
    let server = MailServer::start(Answer::Takes);
    let relay: Relay = server.url.parse().unwrap();
    for (says, expected) in [
        ("550 5.1.1 nobody here", Some(Refusal::Address)),
        ("552 5.2.2 full", Some(Refusal::Full)),
        ("550 5.7.1 no relaying", Some(Refusal::Other)),
        ("451 4.3.0 try later", None),
    ] {
        server.answer(Answer::Says(says));
        match relay.hand("a@example.com", &[ADA.to_owned()], b"Subject: s\r\n\r\nx\r\n").await {
            Handed::Refused(why, words) => assert_eq!((Some(why), words.as_str()), (expected, says)),
            Handed::Later(words) => assert_eq!((None, words.as_str()), (expected, says)),
            other => panic!("{says}: {other:?}"),
        }
    }
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let relay: Relay = format!("smtp://{nobody}").parse().unwrap();
    let handed = relay.hand("a@example.com", &[ADA.to_owned()], b"Subject: s\r\n\r\nx\r\n").await;
    assert!(matches!(handed, Handed::Later(_)), "{handed:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn whose_address_the_server_refuses_for_good_is_unreachable() {
    let server = MailServer::start(Answer::Says("550 5.1.1 nobody here"));
    let (home, workspace) = start(None, &server).await;
    home.move_clock(at(DUE)).await.unwrap();
    ask_becomes(&home, &workspace, AskState::Bounced).await;
    until("unreachable", async || {
        let user = home.table().user(&workspace, &ada()).await.unwrap();
        user.is_some_and(|user| user.is_unreachable_at(ADA))
    })
    .await;
    assert_eq!((server.attempts(), server.received()), (1, vec![]));
    home.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_that_is_not_taken_for_now_is_tried_again_by_the_homes_clock_and_arrives_once() {
    let server = MailServer::start(Answer::Says("451 4.3.0 try later"));
    let (home, workspace) = start(None, &server).await;
    home.move_clock(at(DUE)).await.unwrap();
    until("an attempt", async || server.attempts() == 1).await;
    server.answer(Answer::Takes);
    tokio::time::sleep(LOOKS).await;
    assert_eq!(server.attempts(), 1, "a minute hasn't passed");
    home.move_clock(home.now() + TimeDelta::minutes(1)).await.unwrap();
    ask_becomes(&home, &workspace, AskState::Delivered).await;
    home.move_clock(home.now() + TimeDelta::hours(1)).await.unwrap();
    tokio::time::sleep(LOOKS).await;
    assert_eq!((server.attempts(), server.received().len()), (2, 1));
    home.stop().await;
}

/// The real program on a data folder.
struct Process {
    child: Child,
    client: Client,
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Process {
    fn start(data: &Path, server: &MailServer) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_barometer"))
            .args(["serve", "--listen", "127.0.0.1:0", "--now", BEGAN, "--mail-from", "ask@example.com"])
            .args(["--smtp", &server.url, "--data"])
            .arg(data)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let client = Client::new(line.split_whitespace().last().unwrap());
        Self { child, client }
    }

    async fn clock(&self, to: &str) {
        let body = serde_json::json!({ "now": to }).to_string();
        let json = [("content-type", "application/json")];
        let moved = self.client.send(Method::POST, "/local/clock", &json, body).await.unwrap();
        assert_eq!(moved.status, StatusCode::OK);
    }

    fn end(mut self, signal: &str) {
        let kill = format!("kill -{signal} {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
        self.child.wait().unwrap();
    }
}

/// A folder of a home in which Ada is to be asked.
async fn filled(name: &str, server: &MailServer) -> std::path::PathBuf {
    let data = folder(name);
    start(Some(&data), server).await.0.stop().await;
    data
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_that_waits_while_the_home_ends_and_starts_again_arrives_once() {
    for signal in ["KILL", "TERM"] {
        let server = MailServer::start(Answer::Says("451 4.3.0 try later"));
        let data = filled(&format!("smtp-{signal}"), &server).await;
        let process = Process::start(&data, &server);
        process.clock(DUE).await;
        until("an attempt", async || server.attempts() == 1).await;
        tokio::time::sleep(LOOKS).await;
        process.end(signal);

        server.answer(Answer::Takes);
        let process = Process::start(&data, &server);
        process.clock("2026-09-07T14:05:00Z").await;
        until("the mail", async || !server.received().is_empty()).await;
        process.clock("2026-09-07T16:00:00Z").await;
        tokio::time::sleep(LOOKS).await;
        assert_eq!(server.received().len(), 1, "{signal}");
        drop(process);
        std::fs::remove_dir_all(data).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_that_was_under_way_when_the_home_was_killed_is_not_given_again() {
    let server = MailServer::start(Answer::FallsSilent);
    let data = filled("smtp-silent", &server).await;
    let process = Process::start(&data, &server);
    process.clock(DUE).await;
    until("the mail", async || !server.received().is_empty()).await;
    process.end("KILL");

    server.answer(Answer::Takes);
    let process = Process::start(&data, &server);
    process.clock("2026-09-07T16:00:00Z").await;
    tokio::time::sleep(LOOKS).await;
    assert_eq!(server.received().len(), 1);
    drop(process);
    std::fs::remove_dir_all(data).unwrap();
}
