//! What a week's scoring of a company with 50 users costs, in capacity units as the store counts them.

use barometer_cloud::{Table, bus::DetailType};
use barometer_domain::{CompanyId, WorkspaceId, ask};
use barometer_tests::store::{Meter, metered, table};

use crate::samples::{
    at, busy_week, company, day, event, note_companies, published, readings, snapshot, user, week, workspace,
};

const USERS: u32 = 50;
const FEATURES: u32 = 12;

async fn company_of_50(table: &Table) -> (WorkspaceId, CompanyId) {
    note_companies(table, &["acme"]).await;
    let (a, acme) = (workspace(), company("acme"));
    for number in 0..USERS {
        let name = user(&format!("user-{number}"));
        let seen = at("2026-01-05T10:00:00Z");
        table.note_member(&a, &acme, &name, seen, day("2026-01-05")).await.unwrap();
        let done = busy_week(if number % 5 == 0 { FEATURES } else { 3 });
        table.add_activity(&a, &acme, &name, week("2026-W36"), &done).await.unwrap();
    }
    for of in ["2026-W32", "2026-W33", "2026-W34", "2026-W35"] {
        let published = published(1, snapshot(of, USERS, FEATURES));
        table.publish_week(&a, &acme, &published, &readings(&published), &[]).await.unwrap();
    }
    (a, acme)
}

fn spent(meter: &Meter, what: &str) -> f64 {
    let calls = meter.read();
    let units: f64 = calls.iter().map(|(_, units)| units).sum();
    let each: Vec<_> = calls.iter().map(|(operation, units)| format!("{operation} {units}")).collect();
    println!("{what}: {units} units ({})", each.join(", "));
    assert!(units > 0.0, "the store counts nothing");
    units
}

#[tokio::test]
async fn a_week_of_a_company_is_within_it() {
    let table = table().await;
    let (a, acme) = company_of_50(&table).await;
    let (client, meter) = metered();
    let scored = table.through(client);
    let w36 = week("2026-W36");

    let activity = scored.activity_of_week(&a, &acme, w36).await.unwrap();
    let members = scored.members(&a, &acme).await.unwrap();
    let before = scored.weeks_before(&a, &acme, w36).await.unwrap();
    scored.answers(&a, &acme, at("2026-06-08T00:00:00Z"), at("2026-09-07T00:00:00Z")).await.unwrap();
    scored.week_revisions(&a, &acme, w36).await.unwrap();
    scored.company(&a, &acme).await.unwrap();
    assert_eq!((activity.len(), members.len(), before.len()), (50, 50, 4));
    let read = spent(&meter, "reading");

    let quiet = published(1, snapshot("2026-W36", USERS, FEATURES));
    scored.publish_week(&a, &acme, &quiet, &readings(&quiet), &[]).await.unwrap();
    let written = spent(&meter, "writing, band unchanged");

    let changed = published(1, snapshot("2026-W37", USERS, FEATURES));
    let told = [event("acme", DetailType::EngagementChanged, "1")];
    scored.publish_week(&a, &acme, &changed, &readings(&changed), &told).await.unwrap();
    // A transaction costs double; a band changes a few times a year.
    spent(&meter, "writing, band changed");

    assert!(read <= 10.0, "{read} read units");
    assert!(written <= 4.0, "{written} write units");
}

#[tokio::test]
async fn a_page_of_50_companies_is_one_query_within_15() {
    let table = table().await;
    let last = published(1, snapshot("2026-W36", USERS, FEATURES));
    for number in 0..50 {
        let id = format!("company-{number}");
        note_companies(&table, &[&id]).await;
        table.write_readings(&workspace(), &company(&id), &readings(&last)).await.unwrap();
    }
    let (client, meter) = metered();
    assert_eq!(table.through(client).companies(&workspace()).await.unwrap().len(), 50);
    let calls = meter.read();
    println!("50 companies: {calls:?}");
    assert_eq!(calls.len(), 1);
    assert!((0.5..=15.0).contains(&calls[0].1), "{calls:?}");
}

#[tokio::test]
async fn the_sweep_reads_what_is_due() {
    let table = table().await;
    let seen = at("2026-09-01T10:00:00Z");
    let name = |number: u32| user(&format!("user-{number}"));
    for number in 0..60 {
        // All but two are seen, and so due, much later.
        let seen = if number < 2 { seen } else { at("2026-11-01T10:00:00Z") };
        table
            .note_member(&workspace(), &company("acme"), &name(number), seen, seen.date_naive())
            .await
            .unwrap();
    }
    let (client, meter) = metered();
    let swept = table.through(client);
    let mut due = 0;
    for shard in 0..barometer_cloud::table::members::DUE_SHARDS {
        due += swept.due(shard, ask::due(seen, None, chrono::TimeDelta::zero()), 100).await.unwrap().len();
    }
    assert_eq!(due, 2);
    let read = spent(&meter, "sweeping 60 members, two of them due");
    assert!(read <= 0.5 * f64::from(barometer_cloud::table::members::DUE_SHARDS), "{read} read units");
}
