#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
//! What a write key lets in, and what is told of it afterwards: the ingestion function on a table, with a clock that
//! stands still until it is moved. Runs on both stores, as the store's tests do.

use std::sync::{Arc, Mutex};

use axum::{Router, body::Body};
use barometer_cloud::{
    Clock,
    table::sources::{Change, Counts, Reason, Rotation, Source, Unit},
    workspaces::{self, Created, NewWorkspace},
};
use barometer_tests::{
    faulty::{Faults, KeptBus},
    store::{TestTable, table},
};
use chrono::{DateTime, TimeDelta, Utc};
use http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt;
use ingest_events::statistics::Statistics;
use serde_json::{Value, json};
use tower::ServiceExt;

struct Home {
    table: TestTable,
    made: Created,
    now: Arc<Mutex<DateTime<Utc>>>,
    router: Router,
    statistics: Arc<Statistics>,
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Value,
}

fn noon() -> DateTime<Utc> {
    "2026-09-07T12:00:00Z".parse().unwrap()
}

fn events(count: usize) -> Value {
    let event = json!({"type": "track", "userId": "ada", "event": "Opened", "context": {"groupId": "acme"}});
    json!({ "batch": vec![event; count] })
}

impl Home {
    async fn new() -> Self {
        let table = table().await;
        let new = NewWorkspace { name: "Initech".to_owned(), ..NewWorkspace::default() };
        let made = workspaces::create(&table, new, noon()).await.unwrap();
        let now = Arc::new(Mutex::new(noon()));
        let clock = Clock::from_fn({
            let now = Arc::clone(&now);
            move || *now.lock().unwrap()
        });
        let deps = ingest_events::Deps {
            table: table.clone(),
            bus: KeptBus::default().bus(&Faults::default()),
            clock,
        };
        let (router, statistics) = ingest_events::router_and_statistics(deps);
        Self { table, made, now, router, statistics }
    }

    fn now(&self) -> DateTime<Utc> {
        *self.now.lock().unwrap()
    }

    fn pass(&self, time: TimeDelta) {
        *self.now.lock().unwrap() += time;
    }

    async fn source(&self) -> Source {
        self.table.sources(&self.made.workspace_id).await.unwrap().remove(0)
    }

    async fn change(&self, change: Change) {
        let id = self.source().await.id;
        self.table.change_source(&self.made.workspace_id, &id, &change).await.unwrap().unwrap();
    }

    async fn send(&self, path: &str, headers: &[(&str, &str)], body: impl Into<Body>) -> Answer {
        let mut request = Request::post(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = self.router.clone().oneshot(request.body(body.into()).unwrap()).await.unwrap();
        let (head, body) = answer.into_parts();
        let body = serde_json::from_slice(&body.collect().await.unwrap().to_bytes()).unwrap();
        Answer { status: head.status, headers: head.headers, body }
    }

    async fn post(&self, key: &str, body: &Value) -> Answer {
        self.send("/v1/batch", &[("x-write-key", key)], body.to_string()).await
    }

    async fn today(&self) -> Counts {
        let (source, today) = (self.source().await, self.now().date_naive());
        let days = self.table.source_days(&self.made.workspace_id, &source.id, today, today).await.unwrap();
        days.into_iter().next().map(|(_, counts)| counts).unwrap_or_default()
    }

    async fn reasons(&self) -> Vec<Reason> {
        let (source, today) = (self.source().await, self.now().date_naive());
        self.table.source_reasons(&self.made.workspace_id, &source.id, today, today).await.unwrap()
    }
}

#[tokio::test]
async fn what_comes_is_counted_with_the_reasons() {
    let home = Home::new().await;
    let mut batch = events(3);
    batch["batch"][1] = json!({"type": "track", "event": "Opened", "messageId": "m-1"});
    assert_eq!(home.post(&home.made.write_key, &batch).await.status, 200);
    let counts = Counts { accepted: 2, rejected: 1, refused: 0, last_event_at: Some(noon()) };
    assert_eq!(home.today().await, counts);
    let reasons = home.reasons().await;
    assert_eq!(reasons.len(), 1);
    let expected = Reason {
        unit: Unit::Event,
        code: "missing_user".to_owned(),
        message: ingest_events::fault::Fault::MissingUser.to_string(),
        message_id: Some("m-1".to_owned()),
        index: Some(1),
        last_at: noon(),
        count: 1,
    };
    assert_eq!(reasons[0], expected);
}

#[tokio::test]
async fn a_request_that_cannot_be_read_counts_for_the_key_it_carries() {
    let home = Home::new().await;
    let key = [("x-write-key", home.made.write_key.as_str())];
    assert_eq!(home.send("/v1/batch", &key, "nonsense").await.status, 400);
    assert_eq!(home.send("/v1/trakc", &key, "{}").await.status, 404);
    assert_eq!(home.send("/v1/batch", &[("x-write-key", "wk_of_nobody")], "nonsense").await.status, 400);
    assert_eq!(home.send("/v1/batch", &[], "nonsense").await.status, 400);
    assert_eq!(home.today().await, Counts { refused: 2, ..Counts::default() });
    let mut reasons: Vec<_> =
        home.reasons().await.into_iter().map(|reason| (reason.code, reason.unit, reason.count)).collect();
    reasons.sort();
    assert_eq!(
        reasons,
        [("malformed_body".to_owned(), Unit::Request, 1), ("not_found".to_owned(), Unit::Request, 1)]
    );
}

#[tokio::test]
async fn a_disabled_source_is_refused_within_a_minute_and_says_so() {
    let home = Home::new().await;
    let key = home.made.write_key.as_str();
    assert_eq!(home.post(key, &events(1)).await.status, 200);
    home.change(Change { disabled_at: Some(Some(noon())), ..Change::default() }).await;
    home.pass(TimeDelta::seconds(60));
    let refused = home.post(key, &events(1)).await;
    assert_eq!((refused.status.as_u16(), &refused.body["code"]), (401, &json!("unknown_key")));
    assert!(!refused.headers.contains_key("www-authenticate"));
    assert_eq!(home.today().await.refused, 1);
    assert_eq!(home.reasons().await[0].code, "key_disabled");

    home.change(Change { disabled_at: Some(None), ..Change::default() }).await;
    home.pass(TimeDelta::seconds(60));
    assert_eq!(home.post(key, &events(1)).await.status, 200);
    assert_eq!(home.today().await.accepted, 2);
}

#[tokio::test]
async fn clients_with_the_old_key_lose_nothing_while_the_overlap_lasts() {
    let home = Home::new().await;
    let (ws, id) = (&home.made.workspace_id, home.source().await.id);
    let old = home.made.write_key.as_str();
    assert_eq!(home.post(old, &events(1)).await.status, 200);
    let rotated = home.table.rotate_source(ws, &id, "wk_new_one", TimeDelta::hours(24), noon()).await;
    assert!(matches!(rotated.unwrap(), Rotation::Done(_)));
    for key in [old, "wk_new_one"] {
        assert_eq!(home.post(key, &events(1)).await.status, 200, "{key}");
    }
    home.pass(TimeDelta::hours(23));
    assert_eq!(home.post(old, &events(1)).await.status, 200);
    home.pass(TimeDelta::hours(1));
    assert_eq!(home.post(old, &events(1)).await.status, 401);
    assert_eq!(home.reasons().await[0].code, "key_replaced");
    assert_eq!(home.post("wk_new_one", &events(1)).await.status, 200);
    assert_eq!(home.table.sources(ws).await.unwrap().len(), 1, "one source through it all");
}

#[tokio::test]
async fn only_pages_of_listed_origins_and_servers_post() {
    let home = Home::new().await;
    let key = home.made.write_key.clone();
    let allowed = Some(vec!["https://app.example.com".to_owned(), "https://*.shop.example".to_owned()]);
    home.change(Change { allowed_origins: allowed, ..Change::default() }).await;
    let body = events(1).to_string();
    for origin in ["https://app.example.com", "https://eu.shop.example"] {
        let answer = home.send("/v1/batch", &[("x-write-key", &key), ("origin", origin)], body.clone()).await;
        assert_eq!(answer.status, 200, "{origin}");
    }
    assert_eq!(home.post(&key, &events(1)).await.status, 200, "a server has no origin");

    let evil = [("x-write-key", key.as_str()), ("origin", "https://evil.example")];
    let refused = home.send("/v1/batch", &evil, body).await;
    assert_eq!((refused.status.as_u16(), &refused.body["code"]), (403, &json!("origin_not_allowed")));
    assert_eq!(refused.headers["access-control-allow-origin"], "https://evil.example");
    assert!(refused.body["message"].is_string() && refused.body["error"].is_string());
    assert!(!refused.headers.contains_key("retry-after"), "nothing that is worth another try");
    let reason = home.reasons().await.remove(0);
    assert!(reason.message.contains("https://evil.example"), "{}", reason.message);
    assert_eq!(home.today().await.accepted, 3);
}

#[tokio::test]
async fn too_fast_is_told_when_to_come_back_and_a_large_batch_gets_through() {
    let home = Home::new().await;
    let key = home.made.write_key.clone();
    home.change(Change { rate: Some(10), burst: Some(5), ..Change::default() }).await;
    // Twenty times the burst: it passes and is paid off afterwards.
    assert_eq!(home.post(&key, &events(100)).await.status, 200);
    let refused = home.post(&key, &events(1)).await;
    assert_eq!((refused.status.as_u16(), &refused.body["code"]), (429, &json!("too_fast")));
    assert_eq!(refused.headers["retry-after"], "10");
    home.pass(TimeDelta::seconds(10));
    assert_eq!(home.post(&key, &events(100)).await.status, 200);
    let counts = home.today().await;
    assert_eq!((counts.accepted, counts.refused), (200, 1));
    assert_eq!(home.reasons().await[0].code, "too_fast");
}

#[tokio::test]
async fn a_wrong_key_is_looked_up_once_in_ten_seconds() {
    let home = Home::new().await;
    assert_eq!(home.post("wk_of_later", &events(1)).await.status, 401);
    let text = |text: &str| text.to_owned();
    let later = Source::new(
        &home.made.workspace_id,
        text("later"),
        text("wk_of_later"),
        text("later"),
        text("ann@example.com"),
        noon(),
    );
    home.table.add_source(&later).await.unwrap();
    assert_eq!(home.post("wk_of_later", &events(1)).await.status, 401, "not looked up again so soon");
    home.pass(TimeDelta::seconds(10));
    assert_eq!(home.post("wk_of_later", &events(1)).await.status, 200);
    assert_eq!(home.post(&"x".repeat(5_000), &events(1)).await.status, 401);
}

#[tokio::test]
async fn a_busy_source_is_written_now_and_then_and_the_rest_in_the_end() {
    let home = Home::new().await;
    let key = home.made.write_key.clone();
    for _ in 0..30 {
        assert_eq!(home.post(&key, &events(1)).await.status, 200);
    }
    let written = home.today().await.accepted;
    assert_eq!(written, 10, "ten at once, then one in ten seconds");
    home.pass(TimeDelta::seconds(10));
    home.statistics.write_due(home.now()).await;
    assert_eq!(home.today().await.accepted, 30);
    assert_eq!(home.post(&key, &events(1)).await.status, 200);
    assert_eq!(home.today().await.accepted, 30);
    home.statistics.write_all(home.now()).await;
    assert_eq!(home.today().await.accepted, 31);
    home.statistics.write_all(home.now()).await;
    assert_eq!(home.today().await.accepted, 31, "nothing twice");
}
