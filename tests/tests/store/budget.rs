//! What a week's scoring of a company with 50 users costs, in capacity units as the store counts them.

use barometer_cloud::{
    Table,
    table::{
        companies::SCORE_SHARDS,
        runs::{Pass, Run, RunKey},
        settings::SettingsVersion,
    },
};
use barometer_domain::{Settings, ask};
use barometer_tests::{
    faulty::{Faults, KeptBus},
    store::{Meter, metered, table},
};

use crate::samples::{
    at, busy_week, company, day, note_companies, published, readings, snapshot, user, week, workspace,
};

const USERS: u32 = 50;
const FEATURES: u32 = 12;

async fn company_of_50(table: &Table) {
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
}

fn spent(meter: &Meter, what: &str) -> f64 {
    let calls = meter.read();
    let units: f64 = calls.iter().map(|(_, units)| units).sum();
    let each: Vec<_> = calls.iter().map(|(operation, units)| format!("{operation} {units}")).collect();
    println!("{what}: {units} units ({})", each.join(", "));
    assert!(units > 0.0, "the store counts nothing");
    units
}

/// Scores W36 of all companies by the real handler; returns read and write units of the whole run.
async fn score(table: &Table, scored: Table, meter: &Meter) -> (f64, f64) {
    let saved = SettingsVersion {
        version: 1,
        saved_at: at("2026-08-03T08:00:00Z"),
        author: "test".to_owned(),
        note: String::new(),
        scoring_since: 0,
        settings: Settings::default(),
    };
    table.save_settings(&workspace(), &saved).await.unwrap();
    let run = Run {
        planned_at: at("2026-09-07T00:15:00Z"),
        settings_version: 1,
        shards: SCORE_SHARDS,
        done: [].into(),
        counted: [].into(),
        telemetry: None,
        finished_at: None,
    };
    table.plan_run(&workspace(), RunKey::Week(week("2026-W36"), Pass::First), &run).await.unwrap();
    let kept = KeptBus::default();
    let deps = score_week::Deps {
        table: scored,
        bus: kept.bus(&Faults::default()),
        budget: std::time::Duration::from_secs(240),
    };
    let shard = |shard: u8| {
        serde_json::json!({ "detail": { "workspace_id": workspace(), "occurred_at": run.planned_at,
            "week": "2026-W36", "pass": "first", "shard": shard } })
    };
    for _step in ["census", "score"] {
        for number in 0..SCORE_SHARDS {
            score_week::handle(serde_json::from_value(shard(number)).unwrap(), &deps).await.unwrap();
        }
    }
    let done = table.run(&workspace(), RunKey::Week(week("2026-W36"), Pass::First)).await.unwrap().unwrap();
    assert!(done.finished_at.is_some());
    let calls = meter.read();
    let read = |operation: &str| matches!(operation, "GetItem" | "Query");
    let sum = |reads: bool| {
        let of = calls.iter().filter(|(operation, _)| read(operation) == reads);
        of.map(|(_, units)| units).sum()
    };
    (sum(true), sum(false))
}

#[tokio::test]
async fn a_week_of_a_company_is_within_it() {
    // What a run costs without any company is not the company's.
    let (empty, full) = (table().await, table().await);
    company_of_50(&full).await;
    let (client, meter) = metered();
    let (run_reads, run_writes) = score(&empty, empty.through(client), &meter).await;
    let (client, meter) = metered();
    let (reads, writes) = score(&full, full.through(client), &meter).await;
    let (read, written) = (reads - run_reads, writes - run_writes);
    println!("counting and scoring a company of 50: {read} read units, {written} write units");
    println!("a run without any: {run_reads} read units, {run_writes} write units");
    let published =
        full.weeks(&workspace(), &company("acme"), week("2026-W36"), week("2026-W36")).await.unwrap();
    assert_eq!(published[0].snapshot.components.login.counts.users, 50);
    assert!(read > 0.0 && written > 0.0, "the store counts nothing");
    assert!(read <= 10.0, "{read} read units");
    assert!(written <= 4.0, "{written} write units");
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
