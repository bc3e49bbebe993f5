//! What scoring thousands of companies costs: one JSON object a size on standard output. `tests/scale/run.sh` starts it;
//! the README says how to read it.
//!
//! Three kinds of process: this one makes the companies; the store is another (`barometer-scale store`, the home's own
//! engine, or DynamoDB Local); the handlers run in a third (`barometer-scale run`), whose time and memory are theirs alone.

mod functions;
mod meter;
mod portfolio;
mod process;
mod seed;

use std::error::Error;
use std::io::{BufRead, BufReader, Write};
use std::net::Ipv4Addr;
use std::process::{Child, Command, Stdio};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use barometer_cloud::{Table, clients};
use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::functions::{Function, Functions, aws};
use crate::meter::Meter;
use crate::seed::Models;

/// The store's address, as `tests/store-on-dynamodb-local.sh` sets it; without it the embedded store is measured.
const STORE: &str = "BAROMETER_TEST_DYNAMODB";
/// Users of a company.
const USERS: &str = "BAROMETER_SCALE_USERS";

const SIZES: [usize; 3] = [1_000, 10_000, 100_000];

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["store"] => serve(),
        ["run", endpoint, table] => run(endpoint, table),
        sizes => {
            let sizes = sizes.iter().map(|size| size.parse()).collect::<Result<Vec<usize>, _>>()?;
            let sizes = if sizes.is_empty() { SIZES.to_vec() } else { sizes };
            let users = std::env::var(USERS).map_or(Ok(3), |users| users.parse())?;
            measure(&sizes, users)
        }
    }
}

/// The embedded store in memory, until it is killed; says where it answers.
fn serve() -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt().with_env_filter("off").init();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        println!("http://{}", listener.local_addr()?);
        std::io::stdout().flush()?;
        let database = dynoxide::Database::memory()?;
        dynoxide::server::serve_with_shutdown(listener, database, std::future::pending()).await?;
        Ok(())
    })
}

/// A running embedded store. Dropping it ends it.
struct Embedded(Child);

impl Embedded {
    fn start() -> Result<(Self, String), Box<dyn Error>> {
        let mut command = Command::new(std::env::current_exe()?);
        let mut child = Self(command.arg("store").stdout(Stdio::piped()).spawn()?);
        let mut endpoint = String::new();
        BufReader::new(child.0.stdout.take().ok_or("no output")?).read_line(&mut endpoint)?;
        Ok((child, endpoint.trim().to_owned()))
    }
}

impl Drop for Embedded {
    fn drop(&mut self) {
        let ended = self.0.kill().and_then(|()| self.0.wait());
        if let Err(error) = ended {
            eprintln!("the store didn't end: {error}");
        }
    }
}

/// Runs a week and its month by the real handlers; prints what either came to and the process's peak.
fn run(endpoint: &str, table: &str) -> Result<(), Box<dyn Error>> {
    // As a function on Lambda.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let meter = Meter::default();
        let table = Table::new(clients::dynamodb(&aws(endpoint, meter.client())), table);
        let functions = Functions::new(&table);
        let due = seed::due()?;
        let week = phase(&functions, &meter, Function::Score, due).await?;
        let month = phase(&functions, &meter, Function::RollUp, due + TimeDelta::minutes(30)).await?;
        let peak = process::peak_memory_mb()?;
        let portfolio = portfolio::measure(&table, &meter, due + TimeDelta::hours(1)).await?;
        println!(
            "{}",
            json!({ "week": week, "month": month, "peak_memory_mb": peak, "portfolio": portfolio })
        );
        Ok(())
    })
}

async fn phase(
    functions: &Functions,
    meter: &Meter,
    function: Function,
    now: chrono::DateTime<chrono::Utc>,
) -> Result<Value, Box<dyn Error>> {
    let (cpu, since) = (process::cpu_seconds()?, Instant::now());
    let companies = functions.settle(function, now).await?;
    let tally = meter.take();
    Ok(json!({
        "companies": companies, "calls": tally.calls,
        "read_units": tally.read_units, "write_units": tally.write_units,
        "cpu_seconds": process::cpu_seconds()? - cpu, "seconds": since.elapsed().as_secs_f64(),
    }))
}

/// Measures every size on a store that is empty before.
fn measure(sizes: &[usize], users: usize) -> Result<(), Box<dyn Error>> {
    let mut smallest: Option<Value> = None;
    for size in sizes {
        let (store, endpoint) = match std::env::var(STORE) {
            Ok(endpoint) => (None, endpoint),
            Err(_) => Embedded::start().map(|(child, endpoint)| (Some(child), endpoint))?,
        };
        let name = if store.is_some() { "embedded" } else { "dynamodb-local" };
        eprintln!("{name}, {size} companies");
        let mut costs = one(&endpoint, *size, users)?;
        drop(store);
        let first = smallest.get_or_insert_with(|| costs.clone());
        let compared = compared(&costs, first);
        costs["to_smallest"] = compared;
        let mut told = json!({ "store": name, "companies": size, "users": users });
        if let (Some(told), Some(costs)) = (told.as_object_mut(), costs.as_object()) {
            told.extend(costs.clone());
        }
        println!("{told}");
    }
    Ok(())
}

/// Makes companies and has the handlers' process score them.
fn one(endpoint: &str, size: usize, users: usize) -> Result<Value, Box<dyn Error>> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH)?.as_nanos();
    let names = ["models", "companies"].map(|kind| format!("scale-{kind}-{since}"));
    let [models, companies] =
        names.clone().map(|name| Table::new(clients::dynamodb(&aws(endpoint, clients::http_client())), name));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let seeding = Instant::now();
    let items = runtime.block_on(async {
        models.create().await?;
        companies.create().await?;
        Models::make(&models, users).await?.plant(&companies, size).await
    })?;
    let seeded = seeding.elapsed().as_secs_f64();
    let output = Command::new(std::env::current_exe()?)
        .args(["run", endpoint, companies.name()])
        .stderr(Stdio::inherit())
        .output()?;
    if !output.status.success() {
        return Err(format!("the handlers ended with {}", output.status).into());
    }
    let costs: Value = serde_json::from_slice(&output.stdout)?;
    runtime.block_on(async {
        for table in [&models, &companies] {
            table.client().delete_table().table_name(table.name()).send().await?;
        }
        Ok::<_, Box<dyn Error>>(())
    })?;
    for phase in ["week", "month"] {
        if costs[phase]["companies"] != json!(size) {
            return Err(format!("{phase}: companies are missing: {costs}").into());
        }
    }
    Ok(json!({
        "items_per_company": rounded(items), "seeding_seconds": rounded(seeded),
        "week": per_company(&costs["week"], size), "month": per_company(&costs["month"], size),
        "peak_memory_mb": rounded(number(&costs["peak_memory_mb"])), "portfolio": costs["portfolio"],
    }))
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_default()
}

fn rounded(number: f64) -> Value {
    json!((number * 1e3).round() / 1e3)
}

fn per_company(phase: &Value, size: usize) -> Value {
    let each = |name: &str| number(&phase[name]) / size as f64;
    json!({
        "calls": rounded(each("calls")), "read_units": rounded(each("read_units")),
        "write_units": rounded(each("write_units")), "cpu_ms": rounded(each("cpu_seconds") * 1e3),
        "seconds": rounded(number(&phase["seconds"])),
        "companies_per_second": rounded(size as f64 / number(&phase["seconds"])),
    })
}

/// What a company costs against what it costs in the smallest size, and the peak against that of the smallest.
fn compared(costs: &Value, first: &Value) -> Value {
    let ratio = |of: &dyn Fn(&Value) -> f64| rounded(of(costs) / of(first));
    let phase = |phase: &'static str| {
        let of = move |name: &'static str| move |costs: &Value| number(&costs[phase][name]);
        json!({
            "read_units": ratio(&of("read_units")), "write_units": ratio(&of("write_units")),
            "cpu": ratio(&of("cpu_ms")),
        })
    };
    json!({
        "week": phase("week"), "month": phase("month"),
        "peak_memory": ratio(&|costs: &Value| number(&costs["peak_memory_mb"])),
        "page_read_units": ratio(&|costs: &Value| number(&costs["portfolio"]["page_read_units"])),
        "page_ms": ratio(&|costs: &Value| number(&costs["portfolio"]["page_ms"])),
    })
}
