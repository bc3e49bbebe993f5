//! What arranging the portfolio costs, and a page of it.

use std::error::Error;
use std::time::Instant;

use barometer_cloud::{
    Table,
    listing::{Filter, Sort},
    portfolio::{self, Begin, Portfolio, Wanted},
};
use barometer_domain::Settings;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::{meter::Meter, process};

/// Companies of a page.
const PAGE: usize = 50;

/// Arranges all companies, then reads pages in every order, both ways round: the first one, and one from the middle.
pub async fn measure(table: &Table, meter: &Meter, now: DateTime<Utc>) -> Result<Value, Box<dyn Error>> {
    let workspace = table.workspaces().await?.pop().ok_or("no workspace")?.workspace_id;
    let settings = Settings::default();
    meter.take();
    let (cpu, since) = (process::cpu_seconds()?, Instant::now());
    let companies = portfolio::arrange(table, &workspace, &settings, now).await?;
    let (tally, seconds) = (meter.take(), since.elapsed().as_secs_f64());
    let each = |number: f64| (number / companies as f64 * 1e3).round() / 1e3;
    let arranging = json!({
        "companies": companies, "seconds": seconds,
        "read_units": each(tally.read_units), "write_units": each(tally.write_units),
        "cpu_ms": each((process::cpu_seconds()? - cpu) * 1e3), "peak_memory_mb": process::peak_memory_mb()?,
    });
    let (mut units, mut times) = (Vec::new(), Vec::new());
    for sort in Sort::names().flat_map(|name| [name.to_owned(), format!("-{name}")]) {
        let sort = Sort::parse(&sort)?;
        let portfolio = Portfolio::open(table, &workspace, &settings, now).await?;
        let middle = Wanted { begin: Begin::Skipping(companies / 2), limit: 1, ..Wanted::all(sort) };
        let middle = portfolio.list(&middle).await?.companies.pop().ok_or("no company in the middle")?;
        for begin in [Begin::First, Begin::Behind(middle.position)] {
            meter.take();
            let since = Instant::now();
            let portfolio = Portfolio::open(table, &workspace, &settings, now).await?;
            let wanted = Wanted { filter: Filter::default(), sort, begin, limit: PAGE, count: false };
            let found = portfolio.list(&wanted).await?;
            times.push(since.elapsed().as_secs_f64() * 1e3);
            units.push(meter.take().read_units);
            if found.companies.len() != PAGE {
                return Err(
                    format!("{} companies in a page by {}", found.companies.len(), sort.name()).into()
                );
            }
        }
    }
    times.sort_by(f64::total_cmp);
    Ok(json!({
        "arranging": arranging,
        "page_read_units": units.iter().copied().fold(0.0, f64::max),
        "page_ms": times.get(times.len() / 2),
        "slowest_page_ms": times.last(),
    }))
}
