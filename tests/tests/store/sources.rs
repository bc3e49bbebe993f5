use barometer_cloud::{
    Table,
    table::{
        credentials::{Credential, Kind},
        sources::{BURST, Change, Counts, MAX_KEYS, RATE, Reason, Rotation, Source, Unit},
    },
};
use barometer_domain::WorkspaceId;
use barometer_tests::store::table;
use chrono::{NaiveDate, TimeDelta};

use crate::samples::{at, is_conflict, workspace};

const NOON: &str = "2026-09-01T12:00:00Z";

fn source(id: &str, key: &str) -> Source {
    let (id, key) = (id.to_owned(), key.to_owned());
    Source::new(&workspace(), id, key, "web".to_owned(), "ann@example.com".to_owned(), at(NOON))
}

async fn opens(table: &Table, key: &str, now: &str) -> bool {
    let found = table.credential(key, at(now)).await.unwrap();
    assert!(found.as_ref().is_none_or(|found| found.kind == Kind::WriteKey && found.id == "s"));
    found.is_some()
}

async fn rotate(table: &Table, key: &str, overlap: TimeDelta, now: &str) -> Source {
    match table.rotate_source(&workspace(), "s", key, overlap, at(now)).await.unwrap() {
        Rotation::Done(source) => *source,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_write_key_of_before_is_a_source_with_defaults() {
    let table = table().await;
    let old = Credential {
        id: "old".to_owned(),
        workspace_id: workspace(),
        kind: Kind::WriteKey,
        scope: None,
        label: "first write key".to_owned(),
        author: "barometer".to_owned(),
        created_at: at(NOON),
        expires_at: None,
    };
    table.add_credential("wk_old", &old).await.unwrap();
    let token = Credential { id: "t".to_owned(), kind: Kind::ApiToken, ..old };
    table.add_credential("bat_secret", &token).await.unwrap();

    let sources = table.sources(&workspace()).await.unwrap();
    assert_eq!(sources.len(), 1, "a token is none");
    let found = &sources[0];
    assert_eq!((found.id.as_str(), found.name.as_str()), ("old", "first write key"));
    assert_eq!((found.rate, found.burst, found.disabled_at), (RATE, BURST, None));
    assert_eq!(found.key.as_deref(), Some("wk_old"));
    assert!(found.allowed_origins.is_empty() && found.previous.is_empty());

    // Nor is a token's text anywhere to be read.
    let all = table.client().scan().table_name(table.name()).send().await.unwrap();
    assert!(!format!("{:?}", all.items).contains("bat_secret"));
}

#[tokio::test]
async fn is_found_by_its_key_and_changed_by_its_id() {
    let table = table().await;
    let made = source("s", "wk_one");
    table.add_source(&made).await.unwrap();
    assert!(is_conflict(table.add_source(&source("other", "wk_one")).await), "the key is taken");
    assert!(opens(&table, "wk_one", NOON).await);
    assert_eq!(table.source(&workspace(), "s").await.unwrap(), Some(made.clone()));

    let change = Change {
        name: Some("shop".to_owned()),
        disabled_at: Some(Some(at(NOON))),
        allowed_origins: Some(vec!["https://shop.example.com".to_owned()]),
        rate: Some(5),
        burst: Some(50),
    };
    let changed = table.change_source(&workspace(), "s", &change).await.unwrap().unwrap();
    let expected = Source {
        name: "shop".to_owned(),
        disabled_at: Some(at(NOON)),
        allowed_origins: vec!["https://shop.example.com".to_owned()],
        rate: 5,
        burst: 50,
        ..made
    };
    assert_eq!(changed, expected);
    let enabled = Change { disabled_at: Some(None), ..Change::default() };
    let enabled = table.change_source(&workspace(), "s", &enabled).await.unwrap().unwrap();
    assert_eq!(enabled, Source { disabled_at: None, ..expected });
    assert_eq!(
        table.change_source(&workspace(), "s", &Change::default()).await.unwrap(),
        Some(enabled.clone())
    );
    assert_eq!(table.sources(&workspace()).await.unwrap(), [enabled]);

    let stranger = WorkspaceId::new("ws_other").unwrap();
    assert_eq!(table.change_source(&stranger, "s", &change).await.unwrap(), None);
    assert_eq!(table.change_source(&workspace(), "none", &change).await.unwrap(), None);
    assert_eq!(table.sources(&stranger).await.unwrap(), []);
}

#[tokio::test]
async fn an_old_key_works_until_the_overlap_ends() {
    let table = table().await;
    table.add_source(&source("s", "wk_one")).await.unwrap();
    let rotated = rotate(&table, "wk_two", TimeDelta::hours(24), NOON).await;
    assert_eq!(rotated.key.as_deref(), Some("wk_two"));
    assert_eq!(table.source(&workspace(), "s").await.unwrap(), Some(rotated.clone()));
    assert!(opens(&table, "wk_one", "2026-09-02T11:59:59Z").await);
    assert!(!opens(&table, "wk_one", "2026-09-02T12:00:00Z").await);
    assert!(opens(&table, "wk_two", "2027-09-02T12:00:00Z").await);
    assert_eq!(rotated.working_previous(at("2026-09-02T11:59:59Z")).count(), 1);
    assert_eq!(rotated.working_previous(at("2026-09-02T12:00:00Z")).count(), 0);

    // A shorter overlap cuts that of the keys before; a longer one doesn't bring it back.
    rotate(&table, "wk_three", TimeDelta::hours(1), "2026-09-01T13:00:00Z").await;
    assert!(!opens(&table, "wk_one", "2026-09-01T14:00:00Z").await);
    assert!(!opens(&table, "wk_two", "2026-09-01T14:00:00Z").await);
    let last = rotate(&table, "wk_four", TimeDelta::days(30), "2026-09-01T13:30:00Z").await;
    assert!(opens(&table, "wk_one", "2026-09-01T13:59:59Z").await);
    assert!(!opens(&table, "wk_two", "2026-09-01T14:00:00Z").await);
    assert!(opens(&table, "wk_three", "2026-10-01T13:00:00Z").await);
    assert_eq!(last.previous.len(), 3);
}

#[tokio::test]
async fn without_an_overlap_only_the_new_key_works() {
    let table = table().await;
    table.add_source(&source("s", "wk_one")).await.unwrap();
    rotate(&table, "wk_two", TimeDelta::days(1), NOON).await;
    let rotated = rotate(&table, "wk_three", TimeDelta::zero(), NOON).await;
    assert!(rotated.previous.is_empty());
    for (key, works) in [("wk_one", false), ("wk_two", false), ("wk_three", true)] {
        assert_eq!(opens(&table, key, NOON).await, works, "{key}");
    }
}

#[tokio::test]
async fn a_rotation_that_cannot_be_changes_nothing() {
    let table = table().await;
    table.add_source(&source("s", "wk_1")).await.unwrap();
    table.add_source(&source("other", "wk_taken")).await.unwrap();
    let day = TimeDelta::days(1);
    let ws = workspace();
    let rotated = |key: &'static str| table.rotate_source(&ws, "s", key, day, at(NOON));
    assert!(is_conflict(rotated("wk_taken").await.map(|_| ())));
    assert_eq!(table.source(&workspace(), "s").await.unwrap(), Some(source("s", "wk_1")));
    let unknown = table.rotate_source(&workspace(), "none", "wk_x", day, at(NOON)).await.unwrap();
    assert_eq!(unknown, Rotation::Unknown);

    for key in ["wk_2", "wk_3", "wk_4", "wk_5"] {
        assert!(matches!(rotated(key).await.unwrap(), Rotation::Done(_)), "{key} of {MAX_KEYS}");
    }
    assert_eq!(rotated("wk_6").await.unwrap(), Rotation::TooMany);
    assert!(!opens(&table, "wk_6", NOON).await);
}

#[tokio::test]
async fn a_deleted_source_takes_all_its_keys_along() {
    let table = table().await;
    table.add_source(&source("s", "wk_one")).await.unwrap();
    rotate(&table, "wk_two", TimeDelta::days(1), NOON).await;
    let stranger = WorkspaceId::new("ws_other").unwrap();
    assert!(!table.delete_source(&stranger, "s").await.unwrap());
    assert!(table.delete_source(&workspace(), "s").await.unwrap());
    assert!(!opens(&table, "wk_one", NOON).await && !opens(&table, "wk_two", NOON).await);
    assert_eq!(table.sources(&workspace()).await.unwrap(), []);
    assert!(!table.delete_source(&workspace(), "s").await.unwrap());
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

#[tokio::test]
async fn counts_add_up_by_day() {
    let table = table().await;
    let ws = workspace();
    let counts = |accepted, rejected, last: &str| Counts {
        accepted,
        rejected,
        refused: 1,
        last_event_at: Some(at(last)),
    };
    let add = |id: &'static str, on: &'static str, counts: Counts| {
        let (table, ws) = (&table, &ws);
        async move { table.add_source_counts(ws, id, day(on), &counts).await.unwrap() }
    };
    add("s", "2026-09-01", counts(3, 1, "2026-09-01T01:00:00Z")).await;
    add("s", "2026-09-01", counts(4, 0, "2026-09-01T02:00:00Z")).await;
    // Nothing accepted: the instant of the last event stays.
    add("s", "2026-09-01", Counts { rejected: 2, ..Counts::default() }).await;
    add("s", "2026-09-03", counts(1, 0, "2026-09-03T00:00:00Z")).await;
    add("s", "2026-08-01", counts(9, 9, "2026-08-01T00:00:00Z")).await;
    add("t", "2026-09-01", counts(7, 7, "2026-09-01T00:00:00Z")).await;

    let first =
        Counts { accepted: 7, rejected: 3, refused: 2, last_event_at: Some(at("2026-09-01T02:00:00Z")) };
    let days = table.source_days(&ws, "s", day("2026-09-01"), day("2026-09-03")).await.unwrap();
    assert_eq!(days, [(day("2026-09-01"), first), (day("2026-09-03"), counts(1, 0, "2026-09-03T00:00:00Z"))]);
}

#[tokio::test]
async fn a_reason_counts_and_shows_its_latest_example() {
    let table = table().await;
    let ws = workspace();
    let reason = |code: &str, unit, count, last: &str| Reason {
        unit,
        code: code.to_owned(),
        message: format!("{code} at {last}"),
        message_id: None,
        index: None,
        last_at: at(last),
        count,
    };
    let add = |on: &'static str, reason: Reason| {
        let (table, ws) = (&table, &ws);
        async move { table.add_source_reason(ws, "s", day(on), &reason).await.unwrap() }
    };
    let first = Reason {
        message_id: Some("m1".to_owned()),
        index: Some(4),
        ..reason("missing_user", Unit::Event, 2, "2026-09-01T01:00:00Z")
    };
    add("2026-09-01", first).await;
    // An example without an id takes the place of one with.
    add("2026-09-01", reason("missing_user", Unit::Event, 5, "2026-09-01T03:00:00Z")).await;
    add("2026-09-01", reason("too_large", Unit::Event, 1, "2026-09-01T02:00:00Z")).await;
    add("2026-09-01", reason("too_large", Unit::Request, 1, "2026-09-01T02:30:00Z")).await;
    let blocked = reason("origin_not_allowed", Unit::Request, 1, "2026-09-03T00:00:00Z");
    add("2026-09-03", blocked.clone()).await;
    add("2026-08-31", reason("too_old", Unit::Event, 1, "2026-08-31T23:59:59Z")).await;

    let reasons = table.source_reasons(&ws, "s", day("2026-09-01"), day("2026-09-03")).await.unwrap();
    assert_eq!(
        reasons,
        [
            blocked,
            reason("missing_user", Unit::Event, 7, "2026-09-01T03:00:00Z"),
            reason("too_large", Unit::Request, 1, "2026-09-01T02:30:00Z"),
            reason("too_large", Unit::Event, 1, "2026-09-01T02:00:00Z"),
        ]
    );
    assert_eq!(table.source_reasons(&ws, "t", day("2026-09-01"), day("2026-09-03")).await.unwrap(), []);
}
