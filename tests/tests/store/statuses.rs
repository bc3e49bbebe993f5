use barometer_cloud::{bus::DetailType, table::statuses::StatusChange};
use barometer_domain::status::{BusinessStatus, ChangeKind, ReviewDays, Status};
use barometer_tests::store::table;

use crate::samples::{at, company, event, is_conflict, note_companies, workspace};

fn change(id: &str, from: Option<Status>, to: Status, set: &str) -> StatusChange {
    let set_at = at(set);
    StatusChange {
        id: id.to_owned(),
        kind: ChangeKind::of(from, to),
        from,
        status: BusinessStatus {
            value: to,
            note: "We spoke on the telephone.".to_owned(),
            author: "ann@example.com".to_owned(),
            set_at,
            review_by: ReviewDays::default().review_by(to, set_at),
        },
    }
}

#[tokio::test]
async fn is_set_with_history_and_event() {
    let table = table().await;
    note_companies(&table, &["acme"]).await;
    let (a, acme) = (workspace(), company("acme"));
    let first = change("1", None, Status::Healthy, "2026-09-01T10:00:00Z");
    let told = event("acme", DetailType::StatusChanged, "1");
    table.set_status(&a, &acme, 0, &first, std::slice::from_ref(&told)).await.unwrap();
    let second = change("2", Some(Status::Healthy), Status::Healthy, "2026-09-02T10:00:00Z");
    table.set_status(&a, &acme, 1, &second, &[]).await.unwrap();

    let row = table.company(&a, &acme).await.unwrap().unwrap();
    assert_eq!((row.status.as_ref(), row.status_version), (Some(&second.status), 2));
    assert_eq!(table.status_changes(&a, &acme).await.unwrap(), [second, first]);
    assert_eq!(table.unpublished(&a).await.unwrap(), [told]);
}

#[tokio::test]
async fn a_stale_version_leaves_nothing() {
    let table = table().await;
    note_companies(&table, &["acme"]).await;
    let (a, acme) = (workspace(), company("acme"));
    let first = change("1", None, Status::Healthy, "2026-09-01T10:00:00Z");
    table.set_status(&a, &acme, 0, &first, &[]).await.unwrap();
    let row = table.company(&a, &acme).await.unwrap();
    let late = change("2", None, Status::Struggling, "2026-09-03T10:00:00Z");
    let told = [event("acme", DetailType::StatusChanged, "2")];
    for expected in [0, 2, 7] {
        assert!(
            is_conflict(table.set_status(&a, &acme, expected, &late, &told).await),
            "expected {expected}"
        );
    }
    assert_eq!(table.company(&a, &acme).await.unwrap(), row);
    assert_eq!(table.status_changes(&a, &acme).await.unwrap(), [first]);
    assert_eq!(table.unpublished(&a).await.unwrap(), []);
}

#[tokio::test]
async fn an_unknown_company_has_none() {
    let table = table().await;
    let (a, ghost) = (workspace(), company("ghost"));
    let first = change("1", None, Status::Healthy, "2026-09-01T10:00:00Z");
    for expected in [0, 1] {
        assert!(is_conflict(table.set_status(&a, &ghost, expected, &first, &[]).await));
    }
    assert_eq!(table.company(&a, &ghost).await.unwrap(), None);
    assert_eq!(table.status_changes(&a, &ghost).await.unwrap(), []);
}

#[tokio::test]
async fn of_two_who_saw_the_same_one_sets_it() {
    let table = table().await;
    note_companies(&table, &["acme"]).await;
    let (a, acme) = (workspace(), company("acme"));
    for version in 0..8 {
        let one = change(&format!("{version}-one"), None, Status::Steady, "2026-09-01T10:00:00Z");
        let other = change(&format!("{version}-other"), None, Status::Thriving, "2026-09-01T10:00:00Z");
        let (of_one, of_other) = tokio::join!(
            table.set_status(&a, &acme, version, &one, &[]),
            table.set_status(&a, &acme, version, &other, &[])
        );
        let won = [!is_conflict(of_one), !is_conflict(of_other)];
        assert_ne!(won[0], won[1], "version {version}");
        let row = table.company(&a, &acme).await.unwrap().unwrap();
        assert_eq!(row.status, Some(if won[0] { one.status } else { other.status }));
        assert_eq!(row.status_version, version + 1);
    }
    assert_eq!(table.status_changes(&a, &acme).await.unwrap().len(), 8);
}
