//! How long the portfolio takes over the embedded store, and how many bytes it has, for a hundred companies and for ten
//! thousand in the same run: `cargo run --release -p dashboard --example first_byte`. The ratio is what counts: it must stay below 3.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

#[path = "../tests/it/api.rs"]
mod api;
#[path = "../tests/it/browser.rs"]
#[allow(dead_code)]
mod browser;
#[path = "../tests/it/invented.rs"]
#[allow(dead_code)]
mod invented;
#[path = "../tests/it/ses.rs"]
#[allow(dead_code)]
mod ses;
#[path = "../tests/it/store.rs"]
mod store;

use std::time::Instant;

use aws_sdk_dynamodb::types::AttributeValue;
use barometer_cloud::{Table, portfolio};
use barometer_domain::{Settings, WorkspaceId};
use futures_util::{StreamExt, stream};

/// Companies that are invented; the others are their rows under other ids and names.
const INVENTED: usize = 100;
const SIZES: [usize; 2] = [INVENTED, 10_000];
/// Times that each address is asked for; the median is told.
const TIMES: usize = 21;
const ADDRESSES: [(&str, &str); 6] = [
    ("as it opens", "/"),
    ("sorted by score", "/?sort=-score"),
    ("its tenth page", "/?page=10"),
    ("filtered", "/?engagement=at_risk&sort=name"),
    ("searched", "/?q=company-77"),
    ("the quadrant", "/quadrant"),
];

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let mut median = Vec::new();
    for size in SIZES {
        let (now, table) = (browser::now(), store::table().await);
        let (made, mut browser) = browser::workspace(&table, "Meridian Cloud").await;
        let workspace = made.workspace_id;
        for (id, story) in &invented::stories(INVENTED as u64) {
            invented::company(&table, &workspace, id, story, now).await;
        }
        copy(&table, &workspace, size - INVENTED).await;
        let marks = table.arranged(&workspace, now).await.unwrap().marks;
        for mark in marks {
            table.unmark(&workspace, &mark).await.unwrap();
        }
        let arranging = Instant::now();
        portfolio::arrange(&table, &workspace, &Settings::default(), now).await.unwrap();
        println!("{size} companies, arranged in {:.1} s", arranging.elapsed().as_secs_f64());
        for (what, address) in ADDRESSES {
            let (mut times, mut bytes) = (Vec::new(), 0);
            for _ in 0..TIMES {
                let began = Instant::now();
                let answer = browser.get(address).await;
                times.push(began.elapsed().as_secs_f64() * 1e3);
                assert_eq!(answer.status, 200, "{address}");
                bytes = answer.body.len();
            }
            times.sort_by(f64::total_cmp);
            median.push(times[TIMES / 2]);
            println!("  {what:16} {:8.1} ms  {bytes:6} bytes", times[TIMES / 2]);
        }
    }
    let (few, many) = median.split_at(ADDRESSES.len());
    for (((what, _), few), many) in ADDRESSES.iter().zip(few).zip(many) {
        println!("{what:18} {:5.2} times as long", many / few);
    }
}

/// Puts so many copies of the rows that there are.
async fn copy(table: &Table, workspace: &WorkspaceId, count: usize) {
    let rows = table
        .client()
        .query()
        .table_name(table.name())
        .key_condition_expression("pk = :pk")
        .expression_attribute_values(":pk", AttributeValue::S(format!("{workspace}#companies")))
        .send()
        .await
        .unwrap()
        .items
        .unwrap();
    let puts = (0..count).map(|number| {
        let mut row = rows[number % rows.len()].clone();
        let id = format!("company-{number:05}");
        for name in ["sk", "company_id", "work_sk"] {
            row.insert(name.to_owned(), AttributeValue::S(id.clone()));
        }
        row.insert(
            "name".to_owned(),
            AttributeValue::S(format!("{} Ltd", id.replace("company", "Northwind"))),
        );
        table.client().put_item().table_name(table.name()).set_item(Some(row)).send()
    });
    stream::iter(puts).buffer_unordered(16).for_each(async |put| drop(put.unwrap())).await;
}
