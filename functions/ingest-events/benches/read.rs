//! How many events a second one core reads, validates and encodes for the log: `cargo bench -p ingest-events`.
//! The budget is 100,000.
#![allow(clippy::unwrap_used)]

use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use http::HeaderMap;
use ingest_events::{
    limits::Limits,
    read::{Posted, read},
    route::Protocol,
};

/// A batch as `@segment/analytics-node` sends it.
fn batch(events: usize) -> String {
    let event = |n: usize| {
        format!(
            r#"{{"timestamp":"2026-09-07T11:{:02}:00.203Z","integrations":{{}},"event":"Feature Used","type":"track","properties":{{"feature":"export","durationSeconds":12.5,"nested":{{"a":[1,2,{{"b":null}}]}}}},"context":{{"groupId":"acct_{}","library":{{"name":"@segment/analytics-node","version":"3.1.0"}}}},"userId":"usr_{}","messageId":"node-next-1795321489203-32b62b36-8640-45c5-92f7-{n:012}","_metadata":{{"nodeVersion":"v20.20.2","jsRuntime":"node"}}}}"#,
            n % 60,
            n % 7,
            n % 23,
        )
    };
    let events: Vec<String> = (0..events).map(event).collect();
    format!("{{\"batch\":[{}],\"writeKey\":\"wk\",\"sentAt\":\"2026-09-07T12:00:00Z\"}}", events.join(","))
}

fn main() {
    const EVENTS: usize = 100;
    let body = batch(EVENTS);
    let headers = HeaderMap::new();
    let received: DateTime<Utc> = "2026-09-07T12:00:00Z".parse().unwrap();
    let (start, mut rounds, mut bytes) = (Instant::now(), 0_u32, 0);
    while start.elapsed() < Duration::from_secs(2) {
        let posted = Posted {
            protocol: Protocol::Segment,
            kind: None,
            headers: &headers,
            query: None,
            body: body.as_bytes(),
            received,
        };
        let reading = read(posted, &Limits::default()).unwrap();
        assert_eq!(reading.events.len(), EVENTS);
        let events: Vec<_> = reading.events.iter().map(|(_, event)| event).collect();
        bytes += serde_json::to_vec(&events).unwrap().len();
        rounds += 1;
    }
    let events = f64::from(rounds) * EVENTS as f64;
    let seconds = start.elapsed().as_secs_f64();
    println!(
        "{:.0} events/s of {} bytes, {:.0} bytes each in the log",
        events / seconds,
        body.len() / EVENTS,
        bytes as f64 / events
    );
}
