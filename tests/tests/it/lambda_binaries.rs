//! Every function's real binary under a Runtime API, with the events of `infra/events`, the environment that the
//! template gives it and an embedded store: it starts, answers, and calls nothing that its policy doesn't allow.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use barometer::store::Store;
use barometer_cloud::table::actions::ActionState;
use barometer_cloud::table::arranged::SETTLES;
use barometer_cloud::table::asks::{Ask, AskState};
use barometer_cloud::table::companies::Patch;
use barometer_cloud::table::sessions::{Holder, Session};
use barometer_cloud::workspaces::{self, Created, NewWorkspace};
use barometer_cloud::{Table, clients};
use barometer_domain::token::{Key, Keys, Purpose};
use barometer_domain::{CompanyId, SendId, UserId};
use barometer_tests::aws_endpoint::AwsEndpoint;
use barometer_tests::binary::Binary;
use barometer_tests::runtime_api::Outcome;
use barometer_tests::template;
use base64::Engine;
use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveTime, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::roles;

const SECRET: &str = "bse_secret-of-a-session";
/// The workspace's first member, whose session it is.
const MEMBER: &str = "csm@example.com";
const LINK_SECRET: [u8; 32] = [7; 32];
/// `[7; 32]` in base64.
const LINK_KEYS: &str = "1:BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=";

/// A workspace in a store of its own, and an address that stands for AWS.
pub struct World {
    pub table: Table,
    pub endpoint: AwsEndpoint,
    pub workspace: Created,
    feedback_token: String,
    unsubscribe_token: String,
    /// The text of the cookie of a member who is signed in.
    session: String,
    store: Store,
}

impl World {
    /// A workspace of today.
    pub async fn new() -> Self {
        Self::since(Utc::now()).await
    }

    /// A workspace that was made at an instant: weeks before it aren't scored.
    pub async fn since(made: DateTime<Utc>) -> Self {
        let store = Store::open(None).unwrap();
        let aws = store.aws(clients::http_client());
        let address: SocketAddr =
            aws.endpoint_url.as_deref().unwrap().strip_prefix("http://").unwrap().parse().unwrap();
        let table = Table::new(clients::dynamodb(&aws), "barometer");
        table.create().await.unwrap();
        let new = NewWorkspace {
            name: "Example".to_owned(),
            time_zone: None,
            write_key: Some("wk_example".to_owned()),
            admin_email: Some(MEMBER.parse().unwrap()),
        };
        let now = Utc::now();
        let workspace = workspaces::create(&table, new, made).await.unwrap();
        let send = SendId::from_bytes([3; 16]);
        let keys = Keys::new(Key { id: 1, secret: LINK_SECRET.to_vec() }, Vec::new());
        let expires = now + TimeDelta::days(30);
        let mut world = Self {
            endpoint: AwsEndpoint::start(address).await.unwrap(),
            feedback_token: keys.sign(Purpose::Feedback, send, Some(expires)),
            session: String::new(),
            unsubscribe_token: keys.sign(Purpose::Unsubscribe, send, None),
            table,
            workspace,
            store,
        };
        world.session = world.sign_in(now).await;
        world.ask(send, now, expires).await;
        world
    }

    /// A CSM who is signed in at the page.
    async fn sign_in(&self, now: DateTime<Utc>) -> String {
        let member = self.table.team(&self.workspace.workspace_id).await.unwrap().remove(0);
        let (holder, id) = (Holder::Member(member.id.clone()), "0123456789abcdef01234567".to_owned());
        let workspace = self.workspace.workspace_id.clone();
        let session = Session::begin(id, workspace, holder, MEMBER.to_owned(), now, None);
        let session = Session { host_only: true, ..session };
        self.table.add_session(SECRET, &session, None).await.unwrap();
        session.cookie(SECRET)
    }

    /// A feedback request that has reached Ada.
    async fn ask(&self, send_id: SendId, now: DateTime<Utc>, expires: DateTime<Utc>) {
        let ask = Ask {
            send_id,
            workspace_id: self.workspace.workspace_id.clone(),
            company_id: CompanyId::new("acme").unwrap(),
            user_id: UserId::new("ada").unwrap(),
            cycle: 1,
            state: AskState::Accepted,
            reason: None,
            planned_at: now,
            submitted_at: None,
            scanned_at: None,
            accepted_at: Some(now),
            message_id: Some("mail-1".to_owned()),
            answered_at: None,
            expires,
        };
        self.table.plan_ask(&ask).await.unwrap();
    }

    /// An event of `infra/events` with this world's credentials and ids, and its activity moved to last week:
    /// binaries run by the real clock.
    pub fn event(&self, name: &str) -> Value {
        let path = format!("{}/../infra/events/{name}.json", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
        let text = text
            .replace("EXAMPLE-API-TOKEN", &self.workspace.api_token)
            .replace("EXAMPLE-WORKSPACE", self.workspace.workspace_id.as_str())
            .replace("EXAMPLE-SESSION", &self.session)
            .replace("EXAMPLE-SEND-ID", &SendId::from_bytes([3; 16]).to_string())
            .replace("EXAMPLE-FEEDBACK-TOKEN", &self.feedback_token)
            .replace("EXAMPLE-UNSUBSCRIBE-TOKEN", &self.unsubscribe_token)
            .replace("2026-09-02", &(monday() - Days::new(5)).to_string());
        serde_json::from_str(&text).unwrap()
    }

    /// Takes the table away: from now on every call to it fails.
    pub async fn lose_table(&self) {
        self.client().delete_table().table_name(self.table.name()).send().await.unwrap();
    }

    /// Makes all activity unreadable: with a day that is larger than any number.
    pub async fn spoil_activity(&self) {
        let (client, table) = (self.client(), self.table.name());
        let found = client.scan().table_name(table).send().await.unwrap();
        let activity = found.items.unwrap_or_default().into_iter();
        for mut item in activity.filter(|item| item.get("days").is_some_and(AttributeValue::is_bs)) {
            item.insert("days".to_owned(), AttributeValue::Bs(vec![Blob::new([0xFF; 9])]));
            client.put_item().table_name(table).set_item(Some(item)).send().await.unwrap();
        }
    }

    /// Goes to the store without any function.
    fn client(&self) -> aws_sdk_dynamodb::Client {
        clients::dynamodb(&self.store.aws(clients::http_client()))
    }

    /// Starts a function with what the template says is in its environment, and nothing else.
    pub async fn start(&self, function: &str) -> Binary {
        let value = |name: &str| match name {
            "BAROMETER_TABLE" => self.table.name(),
            "BAROMETER_BUS" => "barometer",
            "BAROMETER_ORIGIN" => "https://barometer.example",
            "BAROMETER_LINK_KEYS" => LINK_KEYS,
            "BAROMETER_MAIL_FROM" => "Example <feedback@example.com>",
            "BAROMETER_CONFIGURATION_SET" => "barometer",
            "RUST_LOG" => "info",
            other => panic!("infra/template.yaml sets {other}, which this test doesn't know"),
        };
        let mut variables: BTreeMap<String, String> = template::environment(function)
            .unwrap()
            .into_iter()
            .map(|name| (name.clone(), value(&name).to_owned()))
            .collect();
        variables.insert("AWS_ENDPOINT_URL".to_owned(), self.endpoint.url());
        Binary::start(function, &variables).await.unwrap()
    }

    /// Starts a function, gives it events, checks its policy and returns its answers.
    pub async fn run(&self, function: &str, events: Vec<Value>) -> Vec<Value> {
        self.run_and_hear(function, events).await.0
    }

    /// The same, with the lines that the function wrote.
    pub async fn run_and_hear(&self, function: &str, events: Vec<Value>) -> (Vec<Value>, Vec<Value>) {
        let since = self.endpoint.calls().len();
        let mut binary = self.start(function).await;
        let mut answers = Vec::new();
        for event in events {
            match binary.invoke(event.clone()).await {
                Ok(Outcome::Answered(answer)) => answers.push(answer),
                other => panic!("{function}: {other:?} for {event}"),
            }
        }
        roles::check(self.endpoint.calls().into_iter().skip(since).map(|call| (function, call)));
        (answers, binary.hear().await.unwrap())
    }

    async fn http(&self, function: &str, event: &str) -> Http {
        Http::read(self.run(function, vec![self.event(event)]).await.remove(0))
    }

    /// Fires a schedule and delivers the shards that it puts on the bus, as the rule does, until nothing is due.
    /// Returns the shards' details.
    async fn drain(&self, function: &str, schedule: Value, kind: &str, envelope: &str) -> Vec<Value> {
        let mut details = Vec::new();
        loop {
            let known = self.endpoint.bus().len();
            self.run(function, vec![schedule.clone()]).await;
            let told =
                self.endpoint.bus().into_iter().skip(known).filter(|entry| entry["DetailType"] == kind);
            let due: Vec<Value> = told.map(|entry| parsed(&entry["Detail"])).collect();
            if due.is_empty() {
                return details;
            }
            let events = due.iter().map(|detail| {
                let mut event = self.event(envelope);
                event["detail"] = detail.clone();
                event
            });
            self.run(function, events.collect()).await;
            details.extend(due);
        }
    }
}

/// JSON in a JSON string.
pub fn parsed(text: &Value) -> Value {
    serde_json::from_str(text.as_str().unwrap()).unwrap()
}

/// An answer in the gateway's form.
#[derive(Debug)]
struct Http {
    status: u64,
    headers: Value,
    body: String,
}

impl Http {
    fn read(answer: Value) -> Self {
        assert_eq!(answer["isBase64Encoded"], false, "{answer}");
        Self {
            status: answer["statusCode"].as_u64().unwrap(),
            headers: answer["headers"].clone(),
            body: answer["body"].as_str().unwrap_or_default().to_owned(),
        }
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    fn is_page(&self) -> bool {
        self.status == 200
            && self.headers["content-type"].as_str().is_some_and(|kind| kind.starts_with("text/html"))
    }
}

/// The example in `infra/events` looks like what is really published.
fn assert_same_fields(published: &[Value], example: &Value) {
    let fields = |detail: &Value| detail.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(fields(published.first().unwrap()), fields(example), "{published:?}");
}

/// Monday of the running week.
pub fn monday() -> NaiveDate {
    let today = Utc::now().date_naive();
    today - Days::new(u64::from(today.weekday().num_days_from_monday()))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_becomes_a_score() {
    let world = World::since((monday() - Days::new(7)).and_time(NaiveTime::MIN).and_utc()).await;
    let batch = world.http("ingest-events", "ingest-events.batch").await;
    assert_eq!(batch.status, 200, "{batch:?}");
    assert_eq!(batch.json()["success"], true);
    assert_eq!(batch.json().get("rejected").cloned().unwrap_or(json!(0)), 0, "{batch:?}");

    let due = monday().and_time(NaiveTime::from_hms_opt(1, 0, 0).unwrap()).and_utc();
    let shards =
        world.drain("score-week", json!({"scheduled_time": due}), "score.shard", "score-week.shard").await;
    assert!(!shards.is_empty());

    let portfolio = world.http("portfolio", "portfolio.companies").await;
    assert_eq!(portfolio.status, 200, "{portfolio:?}");
    let company = &portfolio.json()["items"][0];
    assert_eq!(company["company_id"], "acme", "{company}");
    // One user, active: all of the login part.
    assert_eq!(company["engagement"]["components"]["login"]["value"], 100, "{company}");
}

#[tokio::test(flavor = "multi_thread")]
async fn ingest_events_reads_a_compressed_body_and_answers_a_preflight() {
    let world = World::new().await;
    let batch = world.http("ingest-events", "ingest-events.batch-gzip").await;
    assert_eq!(batch.status, 200, "{batch:?}");
    assert_eq!(batch.json()["success"], true);
    let preflight = world.http("ingest-events", "ingest-events.preflight").await;
    assert!((200..300).contains(&preflight.status), "{preflight:?}");
    assert_eq!(preflight.headers["access-control-allow-origin"], "https://app.acme.example", "{preflight:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn ingest_events_never_takes_half_of_its_memory() {
    let world = World::new().await;
    let mut binary = world.start("ingest-events").await;
    let pages =
        (0..1_000).map(|user| json!({"type": "page", "userId": user % 50, "name": "\u{1}".repeat(650)}));
    let bodies = [
        ("opening brackets", b"[".repeat(4 << 20), 400),
        ("no UTF-8", vec![0xFF; 4 << 20], 400),
        (
            "no UTF-8 in a string, compressed",
            gzip(&[b"[\"".to_vec(), vec![0xFF; 9_999_990], b"\"]".to_vec()].concat()),
            200,
        ),
        ("a bomb", gzip(&[b'['; 10_000_000]).repeat(100), 413),
        ("a million events", [b"[".to_vec(), b"{},".repeat(1_000_000), b"0]".to_vec()].concat(), 200),
        ("long names", gzip(Value::from_iter(pages).to_string().as_bytes()), 200),
    ];
    for (name, body, status) in bodies {
        let mut event = world.event("ingest-events.batch");
        event["body"] = json!(base64::engine::general_purpose::STANDARD.encode(body));
        event["isBase64Encoded"] = json!(true);
        let Outcome::Answered(answer) = binary.invoke(event).await.unwrap() else { panic!("{name}") };
        assert_eq!(Http::read(answer).status, status, "{name}");
    }
    let memory = template::memory("ingest-events").unwrap().unwrap();
    if let Some(peak) = binary.peak_memory() {
        println!("{} of {} MiB", peak >> 20, memory >> 20);
        assert!(peak < memory / 2, "{} of {} MiB", peak >> 20, memory >> 20);
    }
}

fn gzip(plain: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(plain).unwrap();
    gzip.finish().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
pub async fn submit_feedback_shows_takes_and_unsubscribes() {
    let world = World::new().await;
    world.run("ingest-events", vec![world.event("ingest-events.batch")]).await;
    let events = ["submit-feedback.show", "submit-feedback.answer", "submit-feedback.unsubscribe"];
    let answers = world.run("submit-feedback", events.iter().map(|name| world.event(name)).collect()).await;
    for (event, answer) in events.iter().zip(answers) {
        let answer = Http::read(answer);
        assert_eq!(answer.status, 200, "{event}: {answer:?}");
    }
    let kinds: Vec<Value> = world.endpoint.bus().iter().map(|entry| entry["DetailType"].clone()).collect();
    assert!(kinds.contains(&json!("feedback.received")), "{kinds:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn update_status_sets_it_and_tells_the_bus() {
    let world = World::new().await;
    world.run("ingest-events", vec![world.event("ingest-events.batch")]).await;
    let answer = world.http("update-status", "update-status.set").await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let told =
        world.endpoint.bus().into_iter().find(|entry| entry["DetailType"] == "status.changed").unwrap();
    let detail = parsed(&told["Detail"]);
    assert_eq!(detail["to"], "struggling", "{detail}");
    assert_eq!(detail["company_id"], "acme", "{detail}");
}

#[tokio::test(flavor = "multi_thread")]
async fn dashboard_shows_the_portfolio_to_who_is_signed_in() {
    let world = World::new().await;
    world.run("ingest-events", vec![world.event("ingest-events.batch")]).await;
    let page = world.http("dashboard", "dashboard.home").await;
    assert!(page.is_page(), "{page:?}");
    assert!(page.body.contains("Acme"), "{}", page.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn dashboard_sends_a_test_mail_through_ses() {
    let world = World::new().await;
    let answer = world.http("dashboard", "dashboard.test-mail").await;
    assert_eq!(
        (answer.status, answer.headers["location"].as_str()),
        (303, Some("/settings/mail?sent")),
        "{answer:?}"
    );
    let mails = world.endpoint.mails();
    assert_eq!(mails.len(), 1);
    assert_eq!(mails[0]["Destination"]["ToAddresses"], json!(["csm@example.com"]), "{}", mails[0]);
    assert_eq!(mails[0]["ConfigurationSetName"], "barometer", "{}", mails[0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn dashboard_mails_a_link_that_signs_in() {
    let world = World::new().await;
    let answer = world.http("dashboard", "dashboard.sign-in").await;
    assert!(answer.is_page(), "{answer:?}");
    let mails = world.endpoint.mails();
    assert_eq!(mails.len(), 1);
    assert_eq!(mails[0]["Destination"]["ToAddresses"], json!([MEMBER]), "{}", mails[0]);
}

#[tokio::test(flavor = "multi_thread")]
pub async fn score_week_takes_its_schedule_and_a_shard() {
    let world = World::since("2026-08-31T00:00:00Z".parse().unwrap()).await;
    let schedule = world.event("score-week.schedule");
    let shards = world.drain("score-week", schedule, "score.shard", "score-week.shard").await;
    assert_same_fields(&shards, &world.event("score-week.shard")["detail"]);
    world.run("score-week", vec![world.event("score-week.shard")]).await;
}

#[tokio::test(flavor = "multi_thread")]
pub async fn roll_up_month_takes_its_schedule_and_a_shard() {
    let world = World::since("2026-08-31T00:00:00Z".parse().unwrap()).await;
    let schedule = world.event("roll-up-month.schedule");
    // The weeks first: a month is made of them.
    world.drain("score-week", schedule.clone(), "score.shard", "score-week.shard").await;
    let shards = world.drain("roll-up-month", schedule, "rollup.shard", "roll-up-month.shard").await;
    assert_same_fields(&shards, &world.event("roll-up-month.shard")["detail"]);
    world.run("roll-up-month", vec![world.event("roll-up-month.shard")]).await;
}

#[tokio::test(flavor = "multi_thread")]
pub async fn request_feedback_takes_its_schedule_and_sends_through_ses() {
    let world = World::new().await;
    world.run("ingest-events", vec![world.event("ingest-events.batch")]).await;
    let mut turn_on = world.event("update-status.set");
    turn_on["rawPath"] = json!("/v1/companies/acme");
    turn_on["requestContext"]["http"]["method"] = json!("PATCH");
    turn_on["requestContext"]["http"]["path"] = json!("/v1/companies/acme");
    turn_on["body"] = json!(json!({"request_feedback": true}).to_string());
    let answer = Http::read(world.run("portfolio", vec![turn_on]).await.remove(0));
    assert_eq!(answer.status, 200, "{answer:?}");
    world.run("request-feedback", vec![world.event("request-feedback.schedule")]).await;
    // Ada is asked within the weeks in which a first backlog is spread.
    let afternoons = (1..60).map(|day| monday() + Days::new(day));
    let schedules = afternoons.map(|day| json!({"scheduled_time": format!("{day}T15:45:00Z")}));
    world.run("request-feedback", schedules.collect()).await;
    let mails = world.endpoint.mails();
    assert!(!mails.is_empty());
    assert_eq!(mails[0]["Destination"]["ToAddresses"], json!(["ada@acme.example"]), "{}", mails[0]);
    assert_eq!(mails[0]["ConfigurationSetName"], "barometer", "{}", mails[0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn react_takes_an_answer_and_tells_of_the_level() {
    let world = World::new().await;
    let mut post = world.event("ingest-events.batch");
    post["rawPath"] = json!("/v1/feedback");
    post["requestContext"]["http"]["path"] = json!("/v1/feedback");
    post["body"] = json!(r#"{"user_id": "ada", "company_id": "acme", "rating": 3}"#);
    post["isBase64Encoded"] = json!(false);
    let answers = world.run("ingest-events", vec![world.event("ingest-events.batch"), post]).await;
    assert_eq!(Http::read(answers[1].clone()).status, 200, "{answers:?}");
    let told = world.endpoint.bus();
    assert_eq!(told.len(), 1, "{told:?}");
    let mut event = world.event("react.feedback-received");
    let detail = parsed(&told[0]["Detail"]);
    assert_same_fields(std::slice::from_ref(&detail), &event["detail"]);
    event["detail"] = detail;
    // Twice, as a bus may do.
    let done = world.run("react", vec![event.clone(), event]).await;
    let kinds = |done: &Value| done["events"].as_array().unwrap().contains(&json!("happiness.changed"));
    assert_eq!((kinds(&done[0]), kinds(&done[1])), (true, false), "{done:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn send_digest_takes_its_schedule_and_mails_the_owner() {
    let world = World::new().await;
    let mut own = world.event("update-status.set");
    own["rawPath"] = json!("/v1/companies/acme");
    own["requestContext"]["http"]["method"] = json!("PATCH");
    own["requestContext"]["http"]["path"] = json!("/v1/companies/acme");
    own["body"] = json!(json!({"owner": "cleo@vendor.example"}).to_string());
    let mut post = world.event("ingest-events.batch");
    post["rawPath"] = json!("/v1/feedback");
    post["requestContext"]["http"]["path"] = json!("/v1/feedback");
    post["body"] = json!(r#"{"user_id": "ada", "company_id": "acme", "rating": 3}"#);
    post["isBase64Encoded"] = json!(false);
    world.run("ingest-events", vec![world.event("ingest-events.batch"), post]).await;
    world.run("portfolio", vec![own]).await;
    // One of the next mornings is that of a working day.
    let today = Utc::now().date_naive();
    let mornings = (0..5).map(|ahead| today + Days::new(ahead));
    let schedules = mornings.map(|day| json!({"scheduled_time": format!("{day}T08:00:00Z")}));
    world.run("send-digest", schedules.collect()).await;
    let mails = world.endpoint.mails();
    assert_eq!(mails.len(), 1, "the answer is told once: {mails:?}");
    assert_eq!(mails[0]["Destination"]["ToAddresses"], json!(["cleo@vendor.example"]));
    world.run("send-digest", vec![world.event("send-digest.schedule")]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn perform_actions_takes_its_schedule_and_sends_what_a_rule_planned_once() {
    let world = World::new().await;
    let mut known = world.event("ingest-events.batch");
    let ada = json!({ "type": "identify", "userId": "ada", "messageId": "i", "traits": { "email": "ada@acme.example" } });
    let there = json!({ "type": "group", "userId": "ada", "groupId": "acme", "messageId": "g" });
    known["body"] = json!(json!({ "batch": [ada, there] }).to_string());
    known["isBase64Encoded"] = json!(false);
    world.run("ingest-events", vec![known]).await;
    let mut set = world.event("update-status.set");
    set["body"] = json!(json!({ "status": "struggling", "note": "Lost a client." }).to_string());
    set["isBase64Encoded"] = json!(false);
    world.run("update-status", vec![set]).await;
    let told = world.endpoint.bus();
    let changed = told.iter().find(|event| event["DetailType"] == "status.changed").unwrap();
    let mut event = world.event("bus.status-changed");
    event["detail"] = parsed(&changed["Detail"]);
    world.run("react", vec![event.clone(), event]).await;
    let later = (Utc::now() + TimeDelta::minutes(20)).to_rfc3339();
    let due = json!({ "scheduled_time": later });
    let done =
        world.run("perform-actions", vec![world.event("perform-actions.schedule"), due.clone(), due]).await;
    let counts: Vec<&Value> = done.iter().map(|summary| &summary["done"]).collect();
    assert_eq!(counts, [&json!(0), &json!(1), &json!(0)], "{done:?}");
    let mails = world.endpoint.mails();
    assert_eq!(mails.len(), 1, "{mails:?}");
    assert_eq!(mails[0]["Destination"]["ToAddresses"], json!(["ada@acme.example"]));
    // SES speaks of it.
    let send = mails[0]["EmailTags"][0]["Value"].as_str().unwrap();
    let known = SendId::from_bytes([3; 16]).to_string();
    let back = world.event("track-mail.bounce").to_string().replace(&known, send);
    let answers = world.run("track-mail", vec![serde_json::from_str(&back).unwrap()]).await;
    assert_eq!(answers, [json!({ "batchItemFailures": [] })]);
    let id = send.to_owned().try_into().unwrap();
    let (_, action) = world.table.action_of_mail(id).await.unwrap().unwrap();
    assert_eq!(action.state, ActionState::Undelivered);
}

#[tokio::test(flavor = "multi_thread")]
pub async fn erase_users_takes_its_schedule_and_whom_the_api_was_told_to_erase() {
    let world = World::new().await;
    world.run("ingest-events", vec![world.event("ingest-events.batch")]).await;
    let mut erase = world.event("portfolio.companies");
    let path = "/v1/companies/acme/users/ada";
    erase["rawPath"] = json!(path);
    erase["rawQueryString"] = json!("");
    erase["requestContext"]["http"]["method"] = json!("DELETE");
    erase["requestContext"]["http"]["path"] = json!(path);
    let answer = Http::read(world.run("portfolio", vec![erase]).await.remove(0));
    assert_eq!(answer.status, 204, "{answer:?}");
    let early = world.run("erase-users", vec![world.event("erase-users.schedule")]).await;
    assert_eq!(early, [json!({ "rewritten": 0, "erased": 0 })]);
    let later = (Utc::now() + TimeDelta::hours(2)).to_rfc3339();
    let due = json!({ "scheduled_time": later });
    let done = world.run("erase-users", vec![due.clone(), due]).await;
    assert_eq!(done, [json!({ "rewritten": 1, "erased": 1 }), json!({ "rewritten": 0, "erased": 0 })]);
}

#[tokio::test(flavor = "multi_thread")]
pub async fn arrange_portfolio_takes_its_schedule_and_the_end_of_a_run() {
    let world = World::new().await;
    world.run("ingest-events", vec![world.event("ingest-events.batch")]).await;
    // What was changed long ago is in the row for certain.
    let acme = CompanyId::new("acme").unwrap();
    world.table.mark_touched(&world.workspace.workspace_id, &acme, Utc::now() - SETTLES).await.unwrap();
    let told = world.run("arrange-portfolio", vec![world.event("arrange-portfolio.run-completed")]).await;
    let companies = world.table.companies(&world.workspace.workspace_id).await.unwrap();
    assert_eq!(told, [json!({ "arranged": 1, "companies": companies.len(), "marked": 0 })]);
    // One that changed behind everybody's back, in the hour of the workspace.
    let patch = Patch { owner: Some(Some("csm@example.com".to_owned())), ..Patch::default() };
    let changed = &companies[0].company_id;
    world.table.patch_company(&world.workspace.workspace_id, changed, &patch).await.unwrap();
    for mark in world.table.arranged(&world.workspace.workspace_id, Utc::now()).await.unwrap().marks {
        world.table.unmark(&world.workspace.workspace_id, &mark).await.unwrap();
    }
    let scheduled = world.event("arrange-portfolio.schedule");
    let at: DateTime<Utc> = serde_json::from_value(scheduled["scheduled_time"].clone()).unwrap();
    let day = (0..24).map(|hour| json!({ "scheduled_time": at + TimeDelta::hours(hour) })).collect();
    let told = world.run("arrange-portfolio", day).await;
    let marked: Vec<_> = told.iter().filter_map(|outcome| outcome["marked"].as_u64()).collect();
    assert_eq!((marked.len(), marked.iter().sum::<u64>()), (24, 1), "{told:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn publish_changes_takes_its_schedule() {
    let world = World::new().await;
    world.run("publish-changes", vec![world.event("publish-changes.schedule")]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn track_mail_takes_every_event_of_ses_and_gives_back_what_it_cannot_read() {
    let world = World::new().await;
    let kinds = [
        "send",
        "delivery",
        "delivery-delay",
        "reject",
        "rendering-failure",
        "bounce-transient",
        "bounce",
        "complaint",
    ];
    let mut events: Vec<Value> =
        kinds.iter().map(|kind| world.event(&format!("track-mail.{kind}"))).collect();
    events.push(json!({ "Records": [{ "messageId": "poison", "body": "no event" }] }));
    let mut answers = world.run("track-mail", events).await;
    assert_eq!(answers.pop(), Some(json!({ "batchItemFailures": [{ "itemIdentifier": "poison" }] })));
    assert!(answers.iter().all(|answer| *answer == json!({ "batchItemFailures": [] })), "{answers:?}");
    let ask = world.table.ask(SendId::from_bytes([3; 16])).await.unwrap().unwrap();
    assert_eq!((ask.state, ask.reason.as_deref()), (AskState::Complained, Some("abuse")));
    let ada = world.table.user(&ask.workspace_id, &ask.user_id).await.unwrap().unwrap();
    assert!(ada.unsubscribed_at.is_some() && ada.is_unreachable_at("ada@acme.example"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_of_another_shape_fails_its_invocation_and_not_the_function() {
    let world = World::new().await;
    let mut binary = world.start("score-week").await;
    let foreign = binary.invoke(json!({"week": 36})).await.unwrap();
    assert!(matches!(foreign, Outcome::Failed(_)), "{foreign:?}");
    let schedule = binary.invoke(world.event("score-week.schedule")).await.unwrap();
    assert!(matches!(schedule, Outcome::Answered(_)), "{schedule:?}");
}
