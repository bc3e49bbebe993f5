//! Nothing is lost between the table and the bus: the real `update-status` is killed a hundred times around its
//! transaction and its publishing, and the real sweep brings out what was left.

use std::collections::{BTreeMap, BTreeSet};

use barometer_cloud::{
    bus::{DetailType, Event},
    table::companies::Profile,
};
use barometer_domain::{CompanyId, status::ChangeKind};
use barometer_tests::aws_endpoint::{Moment, Point};
use chrono::{TimeDelta, Utc};
use serde_json::{Value, json};

use crate::{home::shuffle, lambda_binaries::World, schemas};

const KILLS: usize = 100;
const COMPANIES: usize = 10;
const STATUSES: [&str; 4] = ["steady", "struggling", "healthy", "thriving"];

/// Where a process ends: what it was calling, and whether that was done.
const POINTS: [(&str, Moment); 5] = [
    ("TransactWriteItems", Moment::Before),
    ("TransactWriteItems", Moment::After),
    ("PutEvents", Moment::Before),
    ("PutEvents", Moment::After),
    ("DeleteItem", Moment::Before),
];

fn company(number: usize) -> CompanyId {
    CompanyId::new(format!("acme-{}", number % COMPANIES)).unwrap()
}

/// The request of the example, for a company and to a status that is another one than in the last two rounds.
fn request(world: &World, number: usize) -> Value {
    let mut event = world.event("update-status.set");
    let path = format!("/v1/companies/{}/status", company(number));
    for place in ["/rawPath", "/requestContext/http/path"] {
        if let Some(found) = event.pointer_mut(place) {
            *found = json!(path);
        }
    }
    event["pathParameters"] = json!({ "company_id": company(number) });
    let status = STATUSES[(number / COMPANIES) % STATUSES.len()];
    event["body"] = json!(json!({ "status": status, "note": format!("Call {number}.") }).to_string());
    event["isBase64Encoded"] = json!(false);
    if let Some(headers) = event["headers"].as_object_mut() {
        headers.retain(|name, _| name != "idempotency-key" && name != "if-match" && name != "content-length");
    }
    event
}

#[tokio::test(flavor = "multi_thread")]
async fn every_committed_change_reaches_the_bus_and_nothing_else_does() {
    let world = World::new().await;
    let workspace = &world.workspace.workspace_id;
    for number in 0..COMPANIES {
        let now = Utc::now();
        world.table.note_company(workspace, &company(number), &Profile::default(), now).await.unwrap();
    }
    // The token's first use is noted in a transaction of its own, which isn't the one meant below.
    world.run("portfolio", vec![world.event("portfolio.companies")]).await;
    let mut points: Vec<_> = (0..KILLS).map(|number| POINTS[number % POINTS.len()]).collect();
    shuffle(&mut points, 6);
    for (number, (operation, when)) in points.iter().enumerate() {
        world.endpoint.hold(Point::Operation(operation, *when));
        let mut binary = world.start("update-status").await;
        tokio::select! {
            outcome = binary.invoke(request(&world, number)) => panic!("{operation} {when:?}: {outcome:?}"),
            () = world.endpoint.held() => {}
        }
        binary.kill().await.unwrap();
    }
    // Only the sweep is left to tell of what the killed ones didn't; it takes what is a minute old.
    let later = Utc::now() + TimeDelta::minutes(5);
    world.run("publish-changes", vec![json!({ "scheduled_time": later })]).await;

    let mut committed = BTreeSet::new();
    for number in 0..COMPANIES {
        for change in world.table.status_changes(workspace, &company(number)).await.unwrap() {
            assert_eq!(change.kind, ChangeKind::Transition);
            let at = change.status.set_at;
            let told = Event::new(
                DetailType::StatusChanged,
                workspace,
                Some(&company(number)),
                at,
                &change.id,
                &json!({}),
            );
            committed.insert(told.unwrap().detail.event_id);
        }
    }
    let before_the_transaction = KILLS / POINTS.len();
    assert_eq!(committed.len(), KILLS - before_the_transaction);
    let mut deliveries: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for entry in world.endpoint.bus() {
        let detail: Value = serde_json::from_str(entry["Detail"].as_str().unwrap()).unwrap();
        schemas::check(entry["DetailType"].as_str().unwrap(), &detail);
        deliveries.entry(detail["event_id"].as_str().unwrap().to_owned()).or_default().push(detail);
    }
    assert_eq!(
        deliveries.keys().cloned().collect::<BTreeSet<_>>(),
        committed,
        "each at least once, none without its change"
    );
    assert!(deliveries.values().flatten().count() > committed.len(), "some came twice: the same event");
    for (id, copies) in deliveries {
        assert!(
            copies.windows(2).all(|pair| pair[0] == pair[1]),
            "{id} isn't the same each time: {copies:?}"
        );
    }
    assert_eq!(world.table.unpublished(workspace).await.unwrap(), []);
}
