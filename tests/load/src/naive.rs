//! The naive design on the same store: one conditional item per event, so that none counts twice, and one counter
//! per user, day and thing done.

use std::error::Error;
use std::io;

use serde_json::{Value, json};

use crate::http::{Connection, Message};
use crate::meter::{Tally, units};
use crate::workload::Plain;

const TABLE: &str = "naive";

/// Calls under way at the same time: only to be done sooner.
const WORKERS: usize = 4;

fn call(connection: &mut Connection, operation: &str, body: &Value) -> io::Result<Message> {
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let headers = [
        header("x-amz-target", &format!("DynamoDB_20120810.{operation}")),
        header("content-type", "application/x-amz-json-1.0"),
        // The store takes any signature, but reads key and region from it.
        header(
            "authorization",
            "AWS4-HMAC-SHA256 Credential=EXAMPLE/20260907/eu-central-1/dynamodb/aws4_request, \
             SignedHeaders=host, Signature=0",
        ),
        header("x-amz-date", "20260907T000000Z"),
    ];
    connection.call("POST / HTTP/1.1", &headers, body.to_string().as_bytes())
}

fn text(text: &str) -> Value {
    json!({"S": text})
}

/// Stores events at the store at `store` (host and port); returns what the items and the counters came to.
pub fn run(store: &str, events: &[Plain]) -> Result<(Tally, Tally), Box<dyn Error>> {
    let mut connection = Connection::open(store)?;
    let made = call(
        &mut connection,
        "CreateTable",
        &json!({
            "TableName": TABLE, "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [
                {"AttributeName": "pk", "AttributeType": "S"}, {"AttributeName": "sk", "AttributeType": "S"},
            ],
            "KeySchema": [
                {"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"},
            ],
        }),
    )?;
    if made.status() != 200 {
        return Err(format!("no table: {}", String::from_utf8_lossy(&made.body)).into());
    }
    let work = |part: &[Plain]| -> io::Result<(Tally, Tally)> {
        let mut connection = Connection::open(store)?;
        let (mut items, mut counters) = (Tally::default(), Tally::default());
        for event in part {
            store_one(&mut connection, event, &mut items, &mut counters)?;
        }
        Ok((items, counters))
    };
    let (mut items, mut counters) = (Tally::default(), Tally::default());
    std::thread::scope(|scope| -> Result<(), Box<dyn Error>> {
        let parts = events.chunks(events.len().div_ceil(WORKERS).max(1));
        let workers: Vec<_> = parts.map(|part| scope.spawn(move || work(part))).collect();
        for worker in workers {
            let (of_items, of_counters) = worker.join().map_err(|_| "a worker panicked")??;
            items.add(&of_items);
            counters.add(&of_counters);
        }
        Ok(())
    })?;
    Ok((items, counters))
}

fn store_one(
    connection: &mut Connection,
    event: &Plain,
    items: &mut Tally,
    counters: &mut Tally,
) -> io::Result<()> {
    let company = format!("ws_0123456789#company#{}", event.company);
    let fields = [
        ("pk", "ws_0123456789#events"),
        ("sk", event.id.as_str()),
        ("company", &event.company),
        ("user", &event.user),
        ("event", &event.name),
        ("at", &event.at),
    ];
    items.put_bytes += fields.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>() as u64;
    items.calls += 1;
    let item: serde_json::Map<String, Value> =
        fields.iter().map(|(name, value)| ((*name).to_owned(), text(value))).collect();
    let answer = call(
        connection,
        "PutItem",
        &json!({
            "TableName": TABLE, "Item": item, "ConditionExpression": "attribute_not_exists(pk)",
            "ReturnConsumedCapacity": "TOTAL",
        }),
    )?;
    let result: Value = serde_json::from_slice(&answer.body)?;
    if answer.status() != 200 {
        let failed = result.get("__type").and_then(Value::as_str).unwrap_or_default();
        if !failed.ends_with("ConditionalCheckFailedException") {
            return Err(io::Error::other(format!("the store answered {result}")));
        }
        // Known already: the failed write is paid for, the counter stays.
        items.conditions_failed += 1;
        items.write_units += 1.0;
        return Ok(());
    }
    items.write_units += units(&result);
    let day = event.at.get(..10).unwrap_or_default();
    let counter = call(
        connection,
        "UpdateItem",
        &json!({
            "TableName": TABLE,
            "Key": {"pk": text(&company), "sk": text(&format!("count#{day}#{}#{}", event.user, event.name))},
            "UpdateExpression": "ADD events :one", "ExpressionAttributeValues": {":one": {"N": "1"}},
            "ReturnConsumedCapacity": "TOTAL",
        }),
    )?;
    counters.calls += 1;
    counters.write_units += units(&serde_json::from_slice(&counter.body)?);
    Ok(())
}
