//! `kill -9` while mails are sent: the real process of the sweep, one or two at once, and the one-machine home. No mail
//! goes twice, and whoever's mail wasn't under way when the process died gets exactly one.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use barometer::connect::ses_events::{Course, Taken};
use barometer::home::{Home, Options};
use barometer::store::Store;
use barometer_cloud::table::asks::{Ask, AskState};
use barometer_cloud::table::companies::{Patch, Profile};
use barometer_cloud::table::members::Person;
use barometer_cloud::workspaces::{self, NewWorkspace};
use barometer_cloud::{Table, clients};
use barometer_domain::{CompanyId, UserId, WorkspaceId};
use barometer_tests::aws_endpoint::{AwsEndpoint, Moment, Point};
use barometer_tests::binary::Binary;
use barometer_tests::runtime_api::Outcome;
use barometer_tests::store::{TestTable, aws, table};
use chrono::{DateTime, TimeDelta, Utc};
use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::home::{Running, at, read, send, shuffle, text};
use crate::restart::{Process, start};

const USERS: usize = 12;
const SWEEP: &str = "request-feedback";
/// `[7; 32]` in base64.
const LINK_KEYS: &str = "1:BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=";

/// Twelve users of Acme whose turn it is by Monday at two.
async fn people(table: &Table, workspace: &WorkspaceId) {
    let (company, seen) = (acme(), at("2026-08-03T10:00:00Z"));
    table.note_company(workspace, &company, &Profile::default(), seen).await.unwrap();
    let on = Patch { request_feedback: Some(true), ..Patch::default() };
    table.patch_company(workspace, &company, &on).await.unwrap();
    for number in 0..USERS {
        let user = UserId::new(format!("u{number}")).unwrap();
        table.note_member(workspace, &company, &user, seen, seen.date_naive()).await.unwrap();
        let person = Person { email: Some(format!("{user}@acme.example")), ..Person::default() };
        table.describe_member(workspace, &company, &user, &person).await.unwrap();
        let due = Some(at("2026-09-07T14:00:00Z"));
        table.schedule_ask(workspace, &company, &user, due).await.unwrap();
    }
}

fn acme() -> CompanyId {
    CompanyId::new("acme").unwrap()
}

fn submitting(asks: &[Ask]) -> impl Iterator<Item = String> {
    asks.iter().filter(|ask| ask.state == AskState::Submitting).map(|ask| ask.send_id.to_string())
}

/// Every user was asked once; who has no mail is one whose mail was under way when a process died.
fn each_once(asks: &[Ask], mails: &BTreeMap<String, u32>, ambiguous: &BTreeSet<String>) {
    let users: BTreeSet<&UserId> = asks.iter().map(|ask| &ask.user_id).collect();
    assert_eq!((users.len(), asks.len()), (USERS, USERS), "{asks:#?}");
    assert!(mails.values().all(|mails| *mails == 1), "a mail went twice: {mails:?}");
    for ask in asks {
        let send = ask.send_id.to_string();
        match mails.contains_key(&send) {
            true => assert_eq!(ask.state, AskState::Delivered, "sent, and SES said so: {ask:?}"),
            false => {
                assert!(ambiguous.contains(&send), "should have been sent: {ask:?}");
                assert_eq!(ask.state, AskState::Unknown, "{ask:?}");
            }
        }
    }
    assert_eq!(mails.len(), asks.iter().filter(|ask| ask.state == AskState::Delivered).count());
}

/// A table, and everything that ever stood for SES.
struct World {
    table: TestTable,
    workspace: WorkspaceId,
    endpoints: Vec<AwsEndpoint>,
    now: DateTime<Utc>,
    kills: usize,
    ambiguous: BTreeSet<String>,
}

impl World {
    async fn new() -> Self {
        let table = table().await;
        let new = NewWorkspace { name: "Initech".to_owned(), ..NewWorkspace::default() };
        let made = workspaces::create(&table, new, at("2026-08-01T00:00:00Z")).await.unwrap();
        people(&table, &made.workspace_id).await;
        Self {
            table,
            workspace: made.workspace_id,
            endpoints: Vec::new(),
            now: at("2026-09-07T14:00:00Z"),
            kills: 0,
            ambiguous: BTreeSet::new(),
        }
    }

    async fn process(&self) -> (Binary, AwsEndpoint) {
        let store = aws().endpoint_url.unwrap();
        let store: SocketAddr = store.strip_prefix("http://").unwrap().parse().unwrap();
        let endpoint = AwsEndpoint::start(store).await.unwrap();
        let variables = [
            ("BAROMETER_TABLE", self.table.name()),
            ("BAROMETER_ORIGIN", "https://ask.example.com"),
            ("BAROMETER_LINK_KEYS", LINK_KEYS),
            ("BAROMETER_MAIL_FROM", "Initech <ask@initech.example>"),
            ("BAROMETER_CONFIGURATION_SET", "barometer"),
            ("AWS_ENDPOINT_URL", &endpoint.url()),
            ("RUST_LOG", "error"),
        ];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        (Binary::start(SWEEP, &variables).await.unwrap(), endpoint)
    }

    /// Fires the schedule once for each point, at once, in processes of their own; each is killed at its point, if it
    /// comes there. Then a quarter of an hour passes.
    async fn fire(&mut self, points: &[Point]) {
        let event = json!({ "scheduled_time": self.now });
        let world = &*self;
        let ended = futures_util::future::join_all(points.iter().map(async |point| {
            let (mut binary, endpoint) = world.process().await;
            endpoint.hold(*point);
            let killed = tokio::select! {
                ended = binary.invoke(event.clone()) => {
                    assert!(matches!(ended, Ok(Outcome::Answered(_))), "{ended:?}");
                    false
                }
                () = endpoint.held() => true,
            };
            binary.kill().await.unwrap();
            (endpoint, killed)
        }));
        for (endpoint, killed) in ended.await {
            self.endpoints.push(endpoint);
            self.kills += usize::from(killed);
        }
        self.ambiguous.extend(submitting(&self.asks().await));
        self.now += TimeDelta::minutes(15);
    }

    /// Nobody is killed any more, and the schedule fires until the window closes.
    async fn rest(&mut self) {
        let (mut binary, endpoint) = self.process().await;
        while self.now < at("2026-09-07T16:00:00Z") {
            let ended = binary.invoke(json!({ "scheduled_time": self.now })).await.unwrap();
            assert!(matches!(ended, Outcome::Answered(_)), "{ended:?}");
            self.now += TimeDelta::minutes(15);
        }
        self.endpoints.push(endpoint);
    }

    async fn asks(&self) -> Vec<Ask> {
        self.table.asks(&self.workspace, &acme()).await.unwrap()
    }

    /// How many mails SES took, by send id, and what it tells of them.
    fn sent(&self) -> (BTreeMap<String, u32>, Vec<Value>) {
        let (mut sent, mut events) = (BTreeMap::new(), Vec::new());
        for mails in self.endpoints.iter().map(AwsEndpoint::mails) {
            for (index, mail) in mails.iter().enumerate() {
                let tag = &mail["EmailTags"][0];
                assert_eq!(tag["Name"], "send_id");
                let send = tag["Value"].as_str().unwrap().to_owned();
                *sent.entry(send.clone()).or_default() += 1;
                let taken = Taken {
                    message_id: &format!("mail-{}", index + 1),
                    from: "ask@initech.example",
                    to: &[mail["Destination"]["ToAddresses"][0].as_str().unwrap().to_owned()],
                    raw: b"",
                    tags: &[("send_id".to_owned(), send)],
                    configuration_set: "barometer",
                    at: self.now,
                };
                events.extend(taken.events(Course::Arrives));
            }
        }
        (sent, events)
    }

    async fn hear(&self, events: &[Value]) {
        let deps = track_mail::Deps { table: self.table.clone() };
        for batch in events.chunks(10) {
            let records =
                batch.iter().map(|event| json!({ "messageId": event["id"], "body": event.to_string() }));
            let batch = json!({ "Records": records.collect::<Vec<_>>() });
            let answer = track_mail::handle(serde_json::from_value(batch).unwrap(), &deps).await.unwrap();
            assert_eq!(answer.batch_item_failures, []);
        }
    }

    /// Lets the rest go, and compares what the store says before and after SES was heard with what SES took. Returns
    /// how many of those that were under way had been taken, and how many hadn't.
    async fn settle(&mut self) -> (usize, usize) {
        self.rest().await;
        let (mails, events) = self.sent();
        for ask in self.asks().await {
            let send = ask.send_id.to_string();
            let open = self.ambiguous.contains(&send);
            let expected = if open { AskState::Unknown } else { AskState::Accepted };
            assert_eq!(ask.state, expected, "before SES is heard: {ask:?}");
        }
        self.hear(&events).await;
        each_once(&self.asks().await, &mails, &self.ambiguous);
        assert!(self.ambiguous.len() <= self.kills, "{:?} of {} kills", self.ambiguous, self.kills);
        let taken = self.ambiguous.iter().filter(|send| mails.contains_key(*send)).count();
        (taken, self.ambiguous.len() - taken)
    }
}

/// Calls all over the first users' sending, both ways; SES's calls, both ways; and what follows them.
fn points() -> Vec<Point> {
    let both = [Moment::Before, Moment::After];
    let calls = (0..12_u32).map(|index| Point::Call(index * 4 + index % 3, both[index as usize % 2]));
    let mails = [0, 1, 3].into_iter().flat_map(|nth| both.map(|moment| Point::Mail(nth, moment)));
    let mut points: Vec<Point> = calls.chain(mails).chain([0, 1, 3].map(Point::BehindMail)).collect();
    shuffle(&mut points, 5);
    points
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sweep_killed_at_any_call_and_started_again_sends_no_mail_twice() {
    let (mut kills, mut taken, mut not_taken) = (0, 0, 0);
    for course in points().chunks(3) {
        let mut world = World::new().await;
        for point in course {
            world.fire(&[*point]).await;
        }
        let (with, without) = world.settle().await;
        kills += world.kills;
        taken += with;
        not_taken += without;
    }
    assert_eq!(kills, points().len(), "every point was reached");
    assert!(taken >= 6 && not_taken >= 3, "killed after SES took it {taken} times, before {not_taken}");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_sweeps_at_once_of_which_one_or_both_are_killed_send_no_mail_twice() {
    let (never, mut kills) = (Point::Call(u32::MAX, Moment::Before), 0);
    for course in [
        [[Point::Mail(0, Moment::After), never], [Point::BehindMail(0), never]],
        [
            [Point::Mail(1, Moment::Before), Point::Mail(1, Moment::After)],
            [Point::Call(21, Moment::After), never],
        ],
        [[Point::BehindMail(1), Point::Call(30, Moment::Before)], [Point::Mail(0, Moment::After), never]],
    ] {
        let mut world = World::new().await;
        for points in course {
            world.fire(&points).await;
        }
        world.settle().await;
        kills += world.kills;
    }
    assert!(kills >= 4, "the second of a course may find nothing left: {kills}");
}

/// A home's data folder with the twelve in it.
async fn filled(folder: &Path, now: &str) -> WorkspaceId {
    let options = Options { data: Some(folder.to_owned()), now: Some(at(now)), ..Options::default() };
    let running = Running::with_workspace(Home::start(options).await.unwrap(), "Etc/UTC").await;
    people(running.home.table(), &running.keys.workspace_id).await;
    let workspace = running.keys.workspace_id.clone();
    running.home.stop().await;
    workspace
}

/// What stands in the folder of a home that isn't running.
async fn asks_in(folder: &Path, workspace: &WorkspaceId) -> Vec<Ask> {
    let store = Store::open(Some(folder)).unwrap();
    let table = Table::new(clients::dynamodb(&store.aws(clients::http_client())), "barometer");
    let asks = table.asks(workspace, &acme()).await.unwrap();
    drop(table);
    tokio::task::spawn_blocking(move || store.close()).await.unwrap();
    asks
}

async fn mails(process: &Process) -> Vec<Value> {
    let answer = send(&process.client, Method::GET, "/local/mail", None, &Value::Null).await;
    read(&answer).as_array().unwrap().clone()
}

/// Lets the schedules run until an instant, unless the home is killed meanwhile.
fn pass(process: &Process, to: &'static str) -> tokio::task::JoinHandle<Result<StatusCode, String>> {
    let client = process.client.clone();
    tokio::spawn(async move {
        let body = json!({ "now": to }).to_string();
        let json = [("content-type", "application/json")];
        let moved = client.send(Method::POST, "/local/clock", &json, body).await;
        moved.map(|answer| answer.status).map_err(|error| error.to_string())
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_home_killed_while_sending_and_started_again_sends_no_mail_twice() {
    let name = format!("killed-while-sending-{}", std::process::id());
    let (folder, began) = (PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name), "2026-09-07T13:50:00Z");
    let workspace = filled(&folder, began).await;
    let (mut ambiguous, mut kills) = (BTreeSet::new(), 0_usize);
    // While SES takes its time, and while the table does: right after SES took a mail.
    let (ses, table) = (json!({ "ses": { "delay_ms": 400 } }), json!({ "dynamodb": { "delay_ms": 40 } }));
    for (faults, wait) in [(&ses, 200), (&table, 0), (&ses, 300), (&table, 30), (&table, 10)] {
        let mut process = start(&folder, began).await;
        let set = send(&process.client, Method::POST, "/local/faults", None, faults).await;
        assert_eq!(set.status, StatusCode::OK, "{}", text(&set));
        let before = mails(&process).await.len();
        let moving = pass(&process, "2026-09-07T14:20:00Z");
        while mails(&process).await.len() <= before && !moving.is_finished() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        tokio::time::sleep(Duration::from_millis(wait)).await;
        kills += usize::from(!moving.is_finished());
        process.child.kill().await.unwrap();
        moving.await.unwrap().ok();
        ambiguous.extend(submitting(&asks_in(&folder, &workspace).await));
    }
    assert!(kills >= 3, "killed {kills} times while sending");

    let mut process = start(&folder, began).await;
    assert_eq!(pass(&process, "2026-09-08T00:00:00Z").await.unwrap(), Ok(StatusCode::OK));
    let mut sent = BTreeMap::new();
    for mail in mails(&process).await {
        *sent.entry(mail["send_id"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    process.child.kill().await.unwrap();
    each_once(&asks_in(&folder, &workspace).await, &sent, &ambiguous);
    assert!((1..=kills).contains(&ambiguous.len()), "{ambiguous:?} of {kills} kills");
    std::fs::remove_dir_all(folder).unwrap();
}
