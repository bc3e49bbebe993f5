use std::sync::{Arc, Mutex};

use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use barometer_cloud::{
    Bus, Table,
    bus::{DetailType, Event},
    clients::{self, Aws},
    table::{outbox::PublishError, statuses::StatusChange},
};
use barometer_domain::status::{BusinessStatus, ChangeKind, Status};
use barometer_tests::store::{answer, answering, aws, table};
use serde_json::{Value, json};

use crate::samples::{at, company, event, note_companies, workspace};

/// A bus that answers `PutEvents` in process and refuses the entries whose detail holds a word.
#[derive(Debug, Clone)]
struct FakeBus {
    refuses: Option<&'static str>,
    taken: Arc<Mutex<Vec<Value>>>,
}

impl HttpConnector for FakeBus {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let body: Value = serde_json::from_slice(request.body().bytes().unwrap()).unwrap();
        let mut failed = 0;
        let mut results = Vec::new();
        for entry in body["Entries"].as_array().unwrap() {
            let detail = entry["Detail"].as_str().unwrap();
            if self.refuses.is_some_and(|word| detail.contains(word)) {
                failed += 1;
                results.push(json!({"ErrorCode": "InternalFailure", "ErrorMessage": "not now"}));
            } else {
                self.taken.lock().unwrap().push(entry.clone());
                results.push(json!({"EventId": "11710aed-b79e-4468-a20b-bb3c0c3b4860"}));
            }
        }
        HttpConnectorFuture::ready(answer(200, &json!({"FailedEntryCount": failed, "Entries": results})))
    }
}

fn bus(refuses: Option<&'static str>) -> (Bus, Arc<Mutex<Vec<Value>>>) {
    let fake = FakeBus { refuses, taken: Arc::default() };
    let taken = fake.taken.clone();
    let client = clients::eventbridge(&Aws { http_client: answering(fake), ..aws() });
    (Bus::new(client, "barometer"), taken)
}

/// A bus behind a port that nobody listens on.
fn closed_bus() -> Bus {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let aws = Aws { endpoint_url: Some(format!("http://{port}")), ..aws() };
    let client = clients::eventbridge(&aws);
    let once = client
        .config()
        .to_builder()
        .retry_config(aws_sdk_eventbridge::config::retry::RetryConfig::disabled());
    Bus::new(aws_sdk_eventbridge::Client::from_conf(once.build()), "barometer")
}

/// Events that lie in the outbox, written with a change each.
async fn changes(table: &Table, count: u32) -> Vec<Event> {
    note_companies(table, &["acme"]).await;
    let mut events = Vec::new();
    for number in 0..count {
        let told = event("acme", DetailType::StatusChanged, &format!("change-{number}-"));
        let set_at = at("2026-09-01T10:00:00Z");
        let status = BusinessStatus {
            value: Status::Healthy,
            note: String::new(),
            author: "ann".to_owned(),
            set_at,
            review_by: set_at,
        };
        let change =
            StatusChange { id: number.to_string(), kind: ChangeKind::Transition, from: None, status };
        table
            .set_status(&workspace(), &company("acme"), number, &change, std::slice::from_ref(&told))
            .await
            .unwrap();
        events.push(told);
    }
    events
}

async fn waiting(table: &Table) -> Vec<String> {
    let mut ids: Vec<_> = table
        .unpublished(&workspace())
        .await
        .unwrap()
        .into_iter()
        .map(|event| event.detail.event_id)
        .collect();
    ids.sort();
    ids
}

fn ids<'a>(events: impl IntoIterator<Item = &'a Event>) -> Vec<String> {
    let mut ids: Vec<_> = events.into_iter().map(|event| event.detail.event_id.clone()).collect();
    ids.sort();
    ids
}

#[tokio::test]
async fn what_the_bus_took_leaves_it() {
    let table = table().await;
    let events = changes(&table, 12).await;
    assert_eq!(waiting(&table).await, ids(&events));
    let (bus, taken) = bus(None);
    assert_eq!(table.publish(&bus, &workspace(), &events).await.unwrap(), 12);
    assert_eq!(waiting(&table).await, [""; 0]);

    let taken = taken.lock().unwrap();
    assert_eq!(taken.len(), 12);
    assert_eq!(
        (&taken[0]["Source"], &taken[0]["DetailType"]),
        (&json!("barometer"), &json!("status.changed"))
    );
    let detail: Value = serde_json::from_str(taken[0]["Detail"].as_str().unwrap()).unwrap();
    assert_eq!(detail["event_id"], json!(events[0].detail.event_id));
    assert_eq!((&detail["workspace_id"], &detail["company_id"]), (&json!("ws_test"), &json!("acme")));
    assert_eq!((&detail["to"], &detail["schema"]), (&json!("healthy"), &json!(1)));
}

#[tokio::test]
async fn what_the_bus_refused_stays() {
    let table = table().await;
    let events = changes(&table, 12).await;
    let (refusing, _) = bus(Some("change-1-"));
    assert_eq!(table.publish(&refusing, &workspace(), &events).await.unwrap(), 11);
    assert_eq!(waiting(&table).await, ids([&events[1]]));
    let (bus, _) = bus(None);
    let left = table.unpublished(&workspace()).await.unwrap();
    assert_eq!(left, [events[1].clone()], "as it was written");
    assert_eq!(table.publish(&bus, &workspace(), &left).await.unwrap(), 1);
    assert_eq!(waiting(&table).await, [""; 0]);
}

#[tokio::test]
async fn a_bus_that_is_away_takes_nothing() {
    let table = table().await;
    let events = changes(&table, 3).await;
    let failed = table.publish(&closed_bus(), &workspace(), &events).await;
    assert!(matches!(failed, Err(PublishError::Bus(_))), "{failed:?}");
    table.publish_or_leave(&closed_bus(), &workspace(), &events).await;
    assert_eq!(waiting(&table).await, ids(&events));
}

#[tokio::test]
async fn publishing_again_after_a_crash_is_harmless() {
    let table = table().await;
    let events = changes(&table, 2).await;
    let (bus, taken) = bus(None);
    for _ in 0..2 {
        table.publish(&bus, &workspace(), &events).await.unwrap();
    }
    assert_eq!(waiting(&table).await, [""; 0]);
    let taken = taken.lock().unwrap();
    let id = |index: usize| {
        serde_json::from_str::<Value>(taken[index]["Detail"].as_str().unwrap()).unwrap()["event_id"].clone()
    };
    assert_eq!((id(0), id(1)), (id(2), id(3)), "consumers see the same ids");
}
