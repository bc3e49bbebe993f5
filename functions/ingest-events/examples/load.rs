//! What `tests/load` asks of this revision: it builds this file from every revision that it measures, so the two
//! commands and what they print stay as they are while the code under them changes.
//!
//!   load seed TABLE KEY     makes the table and a workspace with that write key, where AWS_ENDPOINT_URL says
//!   load read FILE ROUNDS   reads, validates and encodes the bodies of FILE, one a line, ROUNDS times
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use barometer_cloud::{config, table::sources::Change, workspaces, workspaces::NewWorkspace};
use chrono::Utc;
use http::HeaderMap;
use ingest_events::{
    limits::Limits,
    pack,
    read::{Posted, read},
    route::Protocol,
};

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["seed", _, key] => seed(key).await,
        ["read", file, rounds] => measure(file, rounds.parse().unwrap()),
        _ => panic!("seed TABLE KEY, or read FILE ROUNDS"),
    }
}

async fn seed(key: &str) {
    let table = config::from_env(|environment| {
        let aws = environment.aws();
        environment.table(&aws)
    });
    let table = table.unwrap();
    table.create().await.unwrap();
    let new =
        NewWorkspace { name: "Load".to_owned(), write_key: Some(key.to_owned()), ..NewWorkspace::default() };
    let workspace = workspaces::create(&table, new, Utc::now()).await.unwrap().workspace_id;
    // What is measured is the cost, not the rate limit.
    let free = Change { rate: Some(1_000_000), burst: Some(1_000_000), ..Change::default() };
    for source in table.sources(&workspace).await.unwrap() {
        table.change_source(&workspace, &source.id, &free).await.unwrap();
    }
}

/// Nanoseconds that this process ran on a processor.
fn cpu() -> u64 {
    std::fs::read_to_string("/proc/self/schedstat").unwrap().split(' ').next().unwrap().parse().unwrap()
}

fn measure(file: &str, rounds: usize) {
    let bodies = std::fs::read_to_string(file).unwrap();
    let (headers, received) = (HeaderMap::new(), Utc::now());
    let (began, mut events, mut packed) = (cpu(), 0, 0);
    for _ in 0..rounds {
        for body in bodies.lines() {
            let posted = Posted {
                protocol: Protocol::Segment,
                kind: None,
                headers: &headers,
                query: None,
                body: body.as_bytes(),
                received,
            };
            let reading = read(posted, &Limits::default()).unwrap();
            events += reading.events.len();
            let events_read = || reading.events.iter().map(|(_, event)| event);
            let identity = pack::identity("source", events_read()).unwrap();
            let lines = pack::encode(events_read()).unwrap();
            packed += zstd::bulk::compress(&lines, 3).unwrap().len() + identity.len() / (1 << 20);
        }
    }
    println!("{{\"events\":{events},\"packed_bytes\":{packed},\"cpu_ns\":{}}}", cpu() - began);
}
