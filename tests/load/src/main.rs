//! What taking in events costs, for any revision of this repository from the end of issue 2 on: one JSON object a
//! revision on standard output. `tests/load/run.sh` starts it with a store; the README says how to read it.

mod dice;
mod function;
mod http;
mod meter;
mod naive;
mod revision;
mod workload;

use std::error::Error;
use std::path::Path;

use chrono::{NaiveDate, Utc};
use serde_json::{Map, Value, json};

use crate::function::Function;
use crate::meter::{Meter, Tallies, Tally};
use crate::revision::{HERE, Programs};
use crate::workload::{Plan, Post, WRITE_KEY, Workload, start, workload};

/// The store's address, as `tests/store-on-dynamodb-local.sh` sets it.
const STORE: &str = "BAROMETER_TEST_DYNAMODB";

/// Requests that the reader alone is measured with.
const BODIES: usize = 20;

/// Events that the naive design is measured with: its cost doesn't depend on what came before.
const NAIVE_EVENTS: usize = 10_000;

fn main() -> Result<(), Box<dyn Error>> {
    let mut revisions: Vec<String> = std::env::args().skip(1).collect();
    if revisions.is_empty() {
        revisions.push(HERE.to_owned());
    }
    let store = std::env::var(STORE).map_err(|_| format!("{STORE} is not set: start tests/load/run.sh"))?;
    let store = store.trim_start_matches("http://").trim_end_matches('/').to_owned();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize()?;
    let begins = start(Utc::now().date_naive());
    let server = workload(&Plan::server(), begins);
    let browser = workload(&Plan::browser(), begins);
    if revisions.iter().any(|revision| revision == "--workload") {
        for post in &server.posts {
            println!("{}", post.body);
        }
        return Ok(());
    }
    eprintln!("the naive design");
    let naive = naive(&store, &server)?;
    for (number, revision) in revisions.iter().enumerate() {
        eprintln!("{revision}: building");
        let programs = revision::build(&root, revision)?;
        let bodies = root.join("target/load/bodies.jsonl");
        eprintln!("{revision}: reading");
        let reading = reading(&programs, &bodies, &server, begins)?;
        eprintln!("{revision}: the servers' workload");
        let of_server = measure(&programs, &store, &format!("load-{number}-server"), &server)?;
        eprintln!("{revision}: the browsers' workload");
        let of_browser = measure(&programs, &store, &format!("load-{number}-browser"), &browser)?;
        let result = json!({
            "revision": revision, "commit": programs.commit, "reading": reading,
            "server": of_server, "browser": of_browser, "naive": naive,
        });
        println!("{result}");
    }
    Ok(())
}

fn rounded(number: f64, digits: i32) -> Value {
    let scale = 10_f64.powi(digits);
    json!((number * scale).round() / scale)
}

fn reading(
    programs: &Programs,
    file: &Path,
    workload: &Workload,
    begins: NaiveDate,
) -> Result<Value, Box<dyn Error>> {
    let sent_at = format!("{begins}T12:00:00.000Z");
    let bodies: Vec<String> = workload
        .posts
        .iter()
        .rev()
        .filter(|post| post.events == 100)
        .take(BODIES)
        .map(|post| post.body.replace(workload::SENT_AT, &sent_at))
        .collect();
    std::fs::write(file, bodies.join("\n"))?;
    let reading = programs.read(file)?;
    Ok(json!({
        "events_per_second_per_core": rounded(reading.events_per_second, 0),
        "instructions_per_event": reading.instructions_per_event.map(|count| rounded(count, 0)),
        "packed_bytes_per_event": rounded(reading.packed_bytes_per_event, 1),
    }))
}

/// Posts a workload to the revision's function, a new process every day, as after a quiet night.
fn measure(
    programs: &Programs,
    store: &str,
    table: &str,
    workload: &Workload,
) -> Result<Value, Box<dyn Error>> {
    let meter = Meter::default();
    let proxy = meter::open(store, &meter)?;
    programs.seed(&proxy, table, WRITE_KEY)?;
    meter.take();
    let mut phases = [Phase::default(), Phase::default()];
    let (mut memory, mut refusals) = (0, 0);
    for of_day in workload.posts.chunk_by(|a, b| a.day == b.day) {
        let mut function = Function::start(&programs.function, &proxy, table)?;
        for post in of_day {
            function.post(post)?;
        }
        memory = memory.max(function.peak_memory()?);
        refusals += function.refusals;
        drop(function);
        let steady = of_day.first().is_some_and(|post| post.day > 0);
        phases[usize::from(steady)].add(of_day, &meter.take());
    }
    let [warm_up, steady] = phases;
    Ok(json!({
        "workload": workload.facts,
        "warm_up": warm_up.told(),
        "steady": steady.told(),
        "peak_memory_mb": rounded(memory as f64 / 1e6, 1),
        "refused_and_sent_again": refusals,
    }))
}

#[derive(Default)]
struct Phase {
    requests: usize,
    events: usize,
    first: usize,
    tallies: Tallies,
}

impl Phase {
    fn add(&mut self, posts: &[Post], tallies: &Tallies) {
        self.requests += posts.len();
        self.events += posts.iter().map(|post| post.events).sum::<usize>();
        self.first += posts.iter().map(|post| post.first).sum::<usize>();
        for (name, tally) in tallies {
            self.tallies.entry(name.clone()).or_default().add(tally);
        }
    }

    fn told(&self) -> Value {
        let mut sum = Tally::default();
        self.tallies.values().for_each(|tally| sum.add(tally));
        let events = self.events as f64;
        let per_event = |number: f64| rounded(number / events, 4);
        let by_kind: Map<String, Value> = self
            .tallies
            .iter()
            .map(|(name, tally)| {
                let mut told = json!({"calls": tally.calls});
                if tally.write_units > 0.0 {
                    told["write_units_per_event"] = per_event(tally.write_units);
                }
                if tally.read_units > 0.0 {
                    told["read_units_per_event"] = per_event(tally.read_units);
                }
                if tally.conditions_failed > 0 {
                    told["conditions_failed"] = json!(tally.conditions_failed);
                }
                (name.clone(), told)
            })
            .collect();
        let log = self.tallies.get("PutItem log").copied().unwrap_or_default();
        json!({
            "requests": self.requests,
            "events": self.events,
            "first_events": self.first,
            "write_units_per_event": per_event(sum.write_units),
            "write_units_per_first_event": rounded(sum.write_units / self.first as f64, 4),
            "read_units_per_event": per_event(sum.read_units),
            "calls_per_request": rounded(sum.calls as f64 / self.requests as f64, 1),
            "log_bytes_per_event": rounded(log.body_bytes as f64 / events, 1),
            "log_item_bytes_per_event": rounded(log.put_bytes as f64 / events, 1),
            "by_kind": by_kind,
        })
    }
}

fn naive(store: &str, workload: &Workload) -> Result<Value, Box<dyn Error>> {
    let steady = workload.plain.partition_point(|event| event.day == 0);
    let events: Vec<_> = workload.plain.iter().skip(steady).take(NAIVE_EVENTS).cloned().collect();
    let (items, counters) = naive::run(store, &events)?;
    let per_event = |number: f64| rounded(number / events.len() as f64, 4);
    Ok(json!({
        "events": events.len(),
        "write_units_per_event": per_event(items.write_units + counters.write_units),
        "conditional_items": per_event(items.write_units),
        "counters": per_event(counters.write_units),
        "repeated": items.conditions_failed,
        "bytes_per_event": rounded(items.put_bytes as f64 / items.calls as f64, 1),
    }))
}
