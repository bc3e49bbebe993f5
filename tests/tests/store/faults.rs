use std::sync::atomic::Ordering;

use barometer_cloud::{
    StoreError, Table,
    clients::{Aws, TABLE_ATTEMPTS},
    table::companies::Profile,
};
use barometer_tests::store::{aws, client, table, throttling};

use crate::samples::{at, company, done, user, week, workspace};

#[tokio::test]
async fn a_throttled_call_is_tried_again_and_succeeds() {
    let table = table().await;
    let (throttled, calls) = throttling(TABLE_ATTEMPTS - 1);
    let slow = table.through(throttled);
    let (a, acme, w36) = (workspace(), company("acme"), week("2026-W36"));
    let some = done(&[1], &[1], Some("export"));
    slow.add_activity(&a, &acme, &user("ann"), w36, &some).await.unwrap();
    assert_eq!(calls.load(Ordering::Relaxed), TABLE_ATTEMPTS, "the last is taken");
    assert_eq!(table.stored(&a, &acme, &user("ann"), w36).await.unwrap(), Some(some.into()));
}

#[tokio::test]
async fn a_table_that_keeps_throttling_says_so() {
    let table = table().await;
    let (throttled, calls) = throttling(u32::MAX);
    let slow = table.through(throttled);
    let noted = slow
        .note_company(&workspace(), &company("acme"), &Profile::default(), at("2026-09-01T10:00:00Z"))
        .await;
    assert!(matches!(&noted, Err(error @ StoreError::Throttled(_)) if error.is_retryable()), "{noted:?}");
    assert_eq!(calls.load(Ordering::Relaxed), TABLE_ATTEMPTS);
    assert_eq!(table.company(&workspace(), &company("acme")).await.unwrap(), None);

    let read = slow.companies(&workspace()).await;
    assert!(matches!(read, Err(StoreError::Throttled(_))), "{read:?}");
}

#[tokio::test]
async fn a_table_that_cannot_be_reached_is_unavailable() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let away =
        Table::new(client(&Aws { endpoint_url: Some(format!("http://{port}")), ..aws() }), "barometer");
    let read = away.companies(&workspace()).await;
    assert!(matches!(&read, Err(error @ StoreError::Unavailable(_)) if error.is_retryable()), "{read:?}");
}

#[tokio::test]
async fn a_table_that_is_not_there_refuses() {
    let missing = Table::new(client(&aws()), "barometer-nowhere");
    let read = missing.company(&workspace(), &company("acme")).await;
    assert!(matches!(&read, Err(error @ StoreError::Refused(_)) if !error.is_retryable()), "{read:?}");
}

#[tokio::test]
async fn making_the_table_again_leaves_it_as_it_is() {
    let table = table().await;
    table
        .note_company(&workspace(), &company("acme"), &Profile::default(), at("2026-09-01T10:00:00Z"))
        .await
        .unwrap();
    table.create().await.unwrap();
    assert_eq!(table.companies(&workspace()).await.unwrap().len(), 1);
}
