//! A proxy before the store: it asks for the capacity that each call consumes and adds it up by operation and kind
//! of item. A function's binary is pointed at it and needs no change.

use std::collections::BTreeMap;
use std::io::{self, BufReader};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Map, Value, json};

use crate::http::{self, Connection, Message};

/// What calls of one kind came to.
#[derive(Debug, Clone, Copy, Default)]
pub struct Tally {
    pub calls: u64,
    /// Writes that a condition stopped. AWS counts them like writes and doesn't say how much; taken as 1 unit, which
    /// is what items of up to 1 KB cost.
    pub conditions_failed: u64,
    pub throttled: u64,
    pub read_units: f64,
    pub write_units: f64,
    /// Of the items put, by DynamoDB's rule: names and values.
    pub put_bytes: u64,
    /// Of their attribute `body`.
    pub body_bytes: u64,
}

impl Tally {
    pub fn add(&mut self, other: &Self) {
        self.calls += other.calls;
        self.conditions_failed += other.conditions_failed;
        self.throttled += other.throttled;
        self.read_units += other.read_units;
        self.write_units += other.write_units;
        self.put_bytes += other.put_bytes;
        self.body_bytes += other.body_bytes;
    }
}

/// Tallies by operation and kind of item, as `PutItem log`.
pub type Tallies = BTreeMap<String, Tally>;

#[derive(Debug, Clone, Default)]
pub struct Meter(Arc<Mutex<Tallies>>);

impl Meter {
    /// What came together since the last reading.
    pub fn take(&self) -> Tallies {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn note(&self, name: String, tally: &Tally) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(name).or_default().add(tally);
    }
}

/// Opens the proxy before the store at `store` (host and port); returns its address.
pub fn open(store: &str, meter: &Meter) -> io::Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?.to_string();
    let (store, meter) = (store.to_owned(), meter.clone());
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (store, meter) = (store.clone(), meter.clone());
            std::thread::spawn(move || {
                if let Err(error) = serve(stream, &store, &meter) {
                    // A function that ends closes its connections in the middle of things.
                    if !matches!(error.kind(), io::ErrorKind::ConnectionReset | io::ErrorKind::UnexpectedEof)
                    {
                        eprintln!("a connection to the store ended: {error}");
                    }
                }
            });
        }
    });
    Ok(address)
}

fn serve(stream: TcpStream, store: &str, meter: &Meter) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut client = BufReader::new(stream);
    let mut store = Connection::open(store)?;
    while let Some(request) = http::read(&mut client)? {
        let answer = forward(&mut store, request, meter)?;
        http::write(client.get_mut(), &answer.start, &answer.headers, &answer.body)?;
    }
    Ok(())
}

fn forward(store: &mut Connection, request: Message, meter: &Meter) -> io::Result<Message> {
    let operation = request.header("x-amz-target").unwrap_or_default();
    let operation = operation.rsplit('.').next().unwrap_or_default().to_owned();
    let mut body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
    if let Some(fields) = body.as_object_mut() {
        fields.insert("ReturnConsumedCapacity".to_owned(), "TOTAL".into());
    }
    let answer = store.call(&request.start, &request.headers, body.to_string().as_bytes())?;
    let (kind, tally) = tally(&operation, &body, &answer);
    meter.note(format!("{operation} {kind}"), &tally);
    Ok(answer)
}

fn tally(operation: &str, request: &Value, answer: &Message) -> (String, Tally) {
    let result: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let writes = ["PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems"];
    let mut tally = Tally { calls: 1, ..Tally::default() };
    let units = units(&result);
    if writes.contains(&operation) {
        tally.write_units = units;
        let failed = result.get("__type").and_then(Value::as_str).unwrap_or_default();
        if failed.ends_with("ConditionalCheckFailedException") {
            tally.conditions_failed = 1;
            tally.write_units = 1.0;
        } else if failed.ends_with("ThroughputExceededException") || failed.ends_with("ThrottlingException") {
            tally.throttled = 1;
        }
    } else {
        let consistent = request.get("ConsistentRead").and_then(Value::as_bool).unwrap_or_default();
        let found_nothing =
            answer.status() == 200 && units == 0.0 && ["GetItem", "Query"].contains(&operation);
        tally.read_units = match (found_nothing, consistent) {
            (true, true) => 1.0,
            (true, false) => 0.5,
            (false, _) => units,
        };
    }
    if let Some(Value::Object(item)) = request.get("Item") {
        tally.put_bytes = item.iter().map(|(name, value)| name.len() as u64 + size(value)).sum();
        tally.body_bytes = item.get("body").map_or(0, size);
    }
    (kind(request), tally)
}

pub fn units(answer: &Value) -> f64 {
    let of = |capacity: &Value| capacity.get("CapacityUnits").and_then(Value::as_f64).unwrap_or_default();
    match answer.get("ConsumedCapacity") {
        Some(Value::Array(tables)) => tables.iter().map(of).sum(),
        Some(capacity) => of(capacity),
        None => 0.0,
    }
}

/// Bytes of an attribute's value.
fn size(value: &Value) -> u64 {
    let Some((kind, value)) = value.as_object().and_then(|value| value.iter().next()) else { return 0 };
    match (kind.as_str(), value) {
        ("B", Value::String(text)) => {
            (text.len() / 4 * 3 - text.bytes().rev().take_while(|byte| *byte == b'=').count()) as u64
        }
        ("N", Value::String(digits)) => digits.len().div_ceil(2) as u64 + 1,
        (_, Value::String(text)) => text.len() as u64,
        (_, Value::Array(values)) => {
            values.iter().map(|value| value.as_str().map_or(1, str::len) as u64).sum()
        }
        _ => 1,
    }
}

/// The kind of item that a request is about, from its keys: what stands before the first id.
fn kind(request: &Value) -> String {
    let texts = |item: &Value, name: &str| item.get(name)?.get("S")?.as_str().map(str::to_owned);
    let key = request.get("Key").or_else(|| request.get("Item"));
    if let Some(key) = key {
        return kind_of(&texts(key, "pk").unwrap_or_default(), &texts(key, "sk").unwrap_or_default());
    }
    if let Some(values) = request.get("ExpressionAttributeValues") {
        let pk = texts(values, ":pk").unwrap_or_default();
        let sk = [":a", ":sk", ":prefix"].iter().find_map(|name| texts(values, name)).unwrap_or_default();
        return kind_of(&pk, &sk);
    }
    // Several items in one call.
    let mut kinds: Vec<String> = parts(request).iter().map(kind).collect();
    kinds.sort();
    kinds.dedup();
    kinds.join("+")
}

fn parts(request: &Value) -> Vec<Value> {
    let inner = |item: &Value| {
        let map: Option<&Map<String, Value>> = item.as_object();
        map.and_then(|map| map.values().next()).cloned().unwrap_or_default()
    };
    if let Some(Value::Array(items)) = request.get("TransactItems") {
        return items.iter().map(inner).collect();
    }
    let Some(Value::Object(tables)) = request.get("RequestItems") else { return Vec::new() };
    let mut parts = Vec::new();
    for table in tables.values() {
        match table {
            Value::Array(items) => parts.extend(items.iter().map(inner)),
            Value::Object(keys) => {
                let keys = keys.get("Keys").and_then(Value::as_array).into_iter().flatten();
                parts.extend(keys.map(|key| json!({"Key": key})));
            }
            _ => {}
        }
    }
    parts
}

fn kind_of(pk: &str, sk: &str) -> String {
    let mut place = pk.split('#');
    let mut first = place.next().unwrap_or_default();
    if first.starts_with("ws_") {
        first = place.next().unwrap_or_default();
    }
    let item = sk.split('#').next().unwrap_or_default();
    match first {
        "company" | "user" => format!("{first}/{item}"),
        other => other.to_owned(),
    }
}
