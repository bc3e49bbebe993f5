//! What a sweep reads follows from who is due, and not from how many users there are.

use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use barometer_cloud::{
    Mailer, Table, clients,
    clients::Aws,
    table::{companies::Patch, members::Person},
    workspaces::{self, NewWorkspace},
};
use barometer_domain::{
    WorkspaceId,
    token::{Key, Keys},
};
use barometer_tests::store::{TestTable, answer, answering, metered, table};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

use crate::samples::{at, company, day, user};

const DUE: usize = 100;

/// The last sweep of a Monday's window.
fn late() -> DateTime<Utc> {
    at("2026-09-07T15:45:00Z")
}

/// An SES that takes everything.
#[derive(Debug)]
struct Taking;

impl HttpConnector for Taking {
    fn call(&self, _: HttpRequest) -> HttpConnectorFuture {
        HttpConnectorFuture::ready(answer(200, &json!({ "MessageId": "taken" })))
    }
}

fn mailer() -> Mailer {
    let aws = Aws {
        region: "eu-central-1".to_owned(),
        credentials: aws_sdk_dynamodb::config::Credentials::new("test", "test", None, None, "test"),
        endpoint_url: Some("http://127.0.0.1:1".to_owned()),
        http_client: answering(Taking),
    };
    Mailer::new(clients::sesv2(&aws), "Initech <ask@initech.example>", None)
}

async fn member(table: &Table, workspace: &WorkspaceId, place: &str, name: &str, due: DateTime<Utc>) {
    let (company, user) = (company(place), user(name));
    table
        .note_member(workspace, &company, &user, at("2026-08-03T10:00:00Z"), day("2026-08-03"))
        .await
        .unwrap();
    let person = Person { email: Some(format!("{name}@acme.example")), ..Person::default() };
    table.describe_member(workspace, &company, &user, &person).await.unwrap();
    table.schedule_ask(workspace, &company, &user, Some(due)).await.unwrap();
}

/// Read units of a sweep with a hundred due and others whose turn it isn't.
async fn reads(others: usize) -> f64 {
    let table: TestTable = table().await;
    let new = NewWorkspace { name: "Initech".to_owned(), ..NewWorkspace::default() };
    let workspace = workspaces::create(&table, new, at("2026-08-01T00:00:00Z")).await.unwrap().workspace_id;
    let on = Patch { request_feedback: Some(true), ..Patch::default() };
    for place in ["acme", "other"] {
        table.note_company(&workspace, &company(place), &Default::default(), late()).await.unwrap();
        table.patch_company(&workspace, &company(place), &on).await.unwrap();
    }
    for number in 0..DUE {
        member(&table, &workspace, "acme", &format!("due-{number}"), late()).await;
    }
    for number in 0..others {
        member(&table, &workspace, "other", &format!("later-{number}"), late() + TimeDelta::days(7)).await;
    }
    let (http_client, meter) = metered();
    let deps = request_feedback::Deps {
        table: table.through(http_client),
        mailer: mailer(),
        link_keys: Keys::new(Key { id: 1, secret: vec![7; 32] }, Vec::new()),
        origin: "https://ask.example.com".to_owned(),
    };
    let fired = request_feedback::ScheduledInput { scheduled_time: late() };
    let summary = request_feedback::handle(fired, &deps).await.unwrap();
    assert_eq!((summary.due, summary.sent), (100, 100));
    let read = |operation: &str| matches!(operation, "GetItem" | "Query" | "BatchGetItem");
    meter.read().iter().filter(|(operation, _)| read(operation)).map(|(_, units)| units).sum()
}

#[tokio::test]
async fn what_a_sweep_reads_follows_from_who_is_due() {
    let (few, many) = (reads(0).await, reads(2_000).await);
    println!("100 due: {few} read units among 100 users, {many} among 2,100");
    assert!(few > 0.0 && many <= few * 1.01, "{few} {many}");
}
