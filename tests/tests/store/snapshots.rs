use barometer_cloud::{
    bus::DetailType,
    table::{companies::Readings, snapshots::Published},
};
use barometer_domain::{Settings, Zone, month};
use barometer_tests::store::table;

use crate::samples::{
    at, company, event, is_conflict, note_companies, published, readings, snapshot, week, workspace,
};

#[tokio::test]
async fn comes_back_as_it_was_published() {
    let table = table().await;
    note_companies(&table, &["acme"]).await;
    let (a, acme) = (workspace(), company("acme"));
    let week_36 = published(1, snapshot("2026-W36", 12, 9));
    table.publish_week(&a, &acme, &week_36, &readings(&week_36), &[]).await.unwrap();
    assert_eq!(
        table.week_revisions(&a, &acme, week("2026-W36")).await.unwrap(),
        std::slice::from_ref(&week_36)
    );

    let row = table.company(&a, &acme).await.unwrap().unwrap();
    assert_eq!(
        (row.engagement, row.last_seen_at),
        (readings(&week_36).engagement, readings(&week_36).last_seen_at)
    );
}

#[tokio::test]
async fn is_published_once_and_a_second_writes_nothing() {
    let table = table().await;
    note_companies(&table, &["acme"]).await;
    let (a, acme) = (workspace(), company("acme"));
    let first = published(1, snapshot("2026-W36", 4, 2));
    let first_event = event("acme", DetailType::EngagementChanged, "1");
    table
        .publish_week(&a, &acme, &first, &readings(&first), std::slice::from_ref(&first_event))
        .await
        .unwrap();
    let row = table.company(&a, &acme).await.unwrap();

    let other = Published { revision: 1, ..published(2, snapshot("2026-W36", 9, 5)) };
    let other_event = event("acme", DetailType::EngagementChanged, "2");
    let mut other_readings = readings(&published(2, snapshot("2026-W36", 9, 5)));
    other_readings.last_seen_at = Some(at("2026-09-06T23:00:00Z"));
    for events in [vec![], vec![other_event]] {
        assert!(is_conflict(table.publish_week(&a, &acme, &other, &other_readings, &events).await));
        assert_eq!(
            table.week_revisions(&a, &acme, week("2026-W36")).await.unwrap(),
            std::slice::from_ref(&first)
        );
        assert_eq!(table.company(&a, &acme).await.unwrap(), row);
        assert_eq!(table.unpublished(&a).await.unwrap(), std::slice::from_ref(&first_event));
    }
}

#[tokio::test]
async fn of_two_publishers_of_one_revision_one_wins_with_its_event() {
    let table = table().await;
    note_companies(&table, &["acme"]).await;
    let (a, acme) = (workspace(), company("acme"));
    for revision in 1..=8 {
        let (one, other) = (
            published(revision, snapshot("2026-W36", 3, 1)),
            published(revision, snapshot("2026-W36", 4, 1)),
        );
        let events = ["one", "other"]
            .map(|of| event("acme", DetailType::EngagementChanged, &format!("{of}{revision}")));
        let (events_of_one, events_of_other) = events.split_at(1);
        let (readings_of_one, readings_of_other) = (readings(&one), readings(&other));
        let (one_won, other_won) = tokio::join!(
            table.publish_week(&a, &acme, &one, &readings_of_one, events_of_one),
            table.publish_week(&a, &acme, &other, &readings_of_other, events_of_other)
        );
        let won = [!is_conflict(one_won), !is_conflict(other_won)];
        assert_ne!(won[0], won[1], "revision {revision}");
        let (winner, told) = if won[0] { (one, &events[0]) } else { (other, &events[1]) };
        let kept = table.week_revisions(&a, &acme, week("2026-W36")).await.unwrap();
        assert_eq!(kept.last(), Some(&winner));
        let waiting = table.unpublished(&a).await.unwrap();
        let of_revision: Vec<_> = waiting.iter().filter(|event| events.contains(event)).collect();
        assert_eq!(of_revision, [told]);
    }
}

#[tokio::test]
async fn with_events_for_an_unknown_company_nothing_is_written() {
    let table = table().await;
    let (a, ghost) = (workspace(), company("ghost"));
    let first = published(1, snapshot("2026-W36", 2, 1));
    let told = [event("ghost", DetailType::EngagementChanged, "1")];
    assert!(is_conflict(table.publish_week(&a, &ghost, &first, &readings(&first), &told).await));
    assert_eq!(table.week_revisions(&a, &ghost, week("2026-W36")).await.unwrap(), []);
    assert_eq!(table.unpublished(&a).await.unwrap(), []);
    assert_eq!(table.company(&a, &ghost).await.unwrap(), None);
}

#[tokio::test]
async fn every_revision_stays_and_the_latest_is_read() {
    let table = table().await;
    note_companies(&table, &["acme", "acme#2"]).await;
    let (a, acme) = (workspace(), company("acme"));
    let publish = async |of: &str, revision: u32, users: u32| {
        let published = published(revision, snapshot(of, users, 1));
        table.publish_week(&a, &acme, &published, &Readings::default(), &[]).await.unwrap();
        published
    };
    // Eleven revisions: they are ordered as numbers, not as text.
    let mut revisions = Vec::new();
    for revision in 1..=11 {
        revisions.push(publish("2026-W36", revision, revision).await);
    }
    let before = publish("2026-W35", 1, 3).await;
    publish("2026-W37", 1, 1).await;
    let after = publish("2026-W37", 2, 2).await;
    let stranger = published(1, snapshot("2026-W36", 1, 1));
    table.publish_week(&a, &company("acme#2"), &stranger, &Readings::default(), &[]).await.unwrap();

    assert_eq!(table.week_revisions(&a, &acme, week("2026-W36")).await.unwrap(), revisions);
    let latest = table.weeks(&a, &acme, week("2026-W35"), week("2026-W37")).await.unwrap();
    assert_eq!(latest, [before, revisions[10].clone(), after.clone()]);
    let all = table.weeks_with_revisions(&a, &acme, week("2026-W36"), week("2026-W36")).await.unwrap();
    assert_eq!(all, revisions);
    assert_eq!(
        table.weeks_with_revisions(&a, &acme, week("2026-W35"), week("2026-W37")).await.unwrap().len(),
        14
    );
    assert_eq!(table.weeks(&a, &acme, week("2026-W37"), week("2026-W40")).await.unwrap(), [after]);
    assert_eq!(table.weeks(&a, &acme, week("2026-W30"), week("2026-W34")).await.unwrap(), []);
}

#[tokio::test]
async fn scoring_looks_back_four_weeks_or_to_the_last_there_was() {
    let table = table().await;
    note_companies(&table, &["acme"]).await;
    let (a, acme) = (workspace(), company("acme"));
    assert_eq!(table.weeks_before(&a, &acme, week("2026-W36")).await.unwrap(), []);
    let mut all = Vec::new();
    for (of, revision) in
        [("2025-W50", 1), ("2025-W51", 1), ("2025-W51", 2), ("2026-W01", 1), ("2026-W02", 1)]
    {
        let published = published(revision, snapshot(of, revision + 1, 1));
        table.publish_week(&a, &acme, &published, &Readings::default(), &[]).await.unwrap();
        all.push(published);
    }
    let before = |of: &str| table.weeks_before(&a, &acme, week(of));
    let (w50, w51, w01, w02) = (all[0].clone(), all[2].clone(), all[3].clone(), all[4].clone());
    assert_eq!(before("2026-W02").await.unwrap(), [w50, w51.clone(), w01.clone()]);
    assert_eq!(before("2026-W03").await.unwrap(), [w51, w01, w02.clone()]);
    assert_eq!(before("2026-W06").await.unwrap(), std::slice::from_ref(&w02));
    assert_eq!(before("2026-W30").await.unwrap(), [w02], "after a long silence, the last there was");
    assert_eq!(before("2025-W50").await.unwrap(), []);
}

#[tokio::test]
async fn of_a_month_works_the_same() {
    let table = table().await;
    note_companies(&table, &["acme"]).await;
    let (a, acme) = (workspace(), company("acme"));
    let snapshots = ["2026-W36", "2026-W37", "2026-W38"].map(|of| (1, snapshot(of, 3, 2)));
    let september = |weeks: usize, revision| Published {
        revision,
        published_at: at("2026-10-01T00:45:00Z"),
        snapshot: month::roll_up("2026-09".parse().unwrap(), &Settings::default(), 1, &snapshots[..weeks]),
    };
    let (first, second) = (september(2, 1), september(3, 2));
    table.publish_month(&a, &acme, &first, &Readings::default(), &[]).await.unwrap();
    assert!(is_conflict(table.publish_month(&a, &acme, &first, &Readings::default(), &[]).await));
    table.publish_month(&a, &acme, &second, &Readings::default(), &[]).await.unwrap();
    let months = |from: &str, to: &str| {
        let (from, to) = (from.parse().unwrap(), to.parse().unwrap());
        let (a, acme, table) = (&a, &acme, &table);
        async move { table.months(a, acme, from, to).await.unwrap() }
    };
    assert_eq!(months("2026-01", "2026-12").await, [second]);
    assert_eq!(months("2026-10", "2026-12").await, []);
    assert_eq!(
        table.weeks(&a, &acme, week("2026-W01"), week("2026-W53")).await.unwrap(),
        [],
        "no week is a month"
    );
    assert_eq!(Zone::UTC.date(first.published_at).to_string(), "2026-10-01");
}
