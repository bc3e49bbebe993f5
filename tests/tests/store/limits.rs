use barometer_cloud::table::limits::{Allowed, Limit};
use barometer_tests::store::table;
use chrono::TimeDelta;

use crate::samples::at;

const LIMIT: Limit = Limit { name: "test", most: 3, window: TimeDelta::minutes(15) };

#[tokio::test]
async fn a_limit_holds_for_one_within_a_window_and_begins_anew_in_the_next() {
    let table = table().await;
    let now = at("2026-09-01T10:05:00Z");
    for _ in 0..3 {
        assert_eq!(table.allow(LIMIT, "ann", now).await.unwrap(), Allowed::Yes);
    }
    for _ in 0..2 {
        assert_eq!(table.allow(LIMIT, "ann", now).await.unwrap(), Allowed::After(600));
    }
    assert_eq!(table.allow(LIMIT, "ben", now).await.unwrap(), Allowed::Yes);
    assert_eq!(table.allow(Limit { name: "other", ..LIMIT }, "ann", now).await.unwrap(), Allowed::Yes);
    let last = at("2026-09-01T10:14:59.9Z");
    assert_eq!(table.allow(LIMIT, "ann", last).await.unwrap(), Allowed::After(1));
    assert_eq!(table.allow(LIMIT, "ann", at("2026-09-01T10:15:00Z")).await.unwrap(), Allowed::Yes);
}

#[tokio::test]
async fn of_many_at_once_no_more_than_the_limit_get_through() {
    let table = table().await;
    let now = at("2026-09-01T10:05:00Z");
    let tries = (0..12).map(|_| {
        let table = table.clone();
        tokio::spawn(async move { table.allow(LIMIT, "ann", now).await.unwrap() })
    });
    let mut through = 0;
    for tried in tries.collect::<Vec<_>>() {
        through += u32::from(tried.await.unwrap() == Allowed::Yes);
    }
    assert_eq!(through, 3);
}
