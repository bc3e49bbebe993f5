use barometer_cloud::table::idempotency::{KEPT, Remembered, fingerprint};
use barometer_domain::WorkspaceId;
use barometer_tests::store::table;
use chrono::TimeDelta;

use crate::samples::{at, workspace};

fn answer(body: &str, given: &str) -> Remembered {
    Remembered {
        request: fingerprint("POST", "/v1/api-tokens", body.as_bytes()),
        status: 201,
        body: body.to_owned(),
        expires_at: at(given) + KEPT,
    }
}

#[tokio::test]
async fn the_first_answer_to_a_key_stays() {
    let table = table().await;
    let now = at("2026-09-01T10:00:00Z");
    assert_eq!(table.remembered(&workspace(), "key", now).await.unwrap(), None);
    let first = answer("{}", "2026-09-01T10:00:00Z");
    table.remember(&workspace(), "key", &first).await.unwrap();
    table.remember(&workspace(), "key", &answer("{\"a\":1}", "2026-09-01T10:00:01Z")).await.unwrap();
    assert_eq!(table.remembered(&workspace(), "key", now).await.unwrap(), Some(first));
    assert_eq!(table.remembered(&workspace(), "other key", now).await.unwrap(), None);
    let stranger = WorkspaceId::new("ws_other").unwrap();
    assert_eq!(table.remembered(&stranger, "key", now).await.unwrap(), None);
}

#[tokio::test]
async fn a_forgotten_key_may_be_used_again_before_the_table_sweeps() {
    let table = table().await;
    table.remember(&workspace(), "key", &answer("old", "2026-09-01T10:00:00Z")).await.unwrap();
    let day_after = at("2026-09-02T10:00:00Z");
    let before = day_after - TimeDelta::seconds(1);
    assert!(table.remembered(&workspace(), "key", before).await.unwrap().is_some());
    assert_eq!(table.remembered(&workspace(), "key", day_after).await.unwrap(), None);
    let new = answer("new", "2026-09-02T10:00:00Z");
    table.remember(&workspace(), "key", &new).await.unwrap();
    assert_eq!(table.remembered(&workspace(), "key", day_after).await.unwrap(), Some(new));
}

#[test]
fn a_fingerprint_tells_requests_apart() {
    let base = fingerprint("PUT", "/a", b"bc");
    assert_eq!(base, fingerprint("PUT", "/a", b"bc"));
    for other in
        [fingerprint("POST", "/a", b"bc"), fingerprint("PUT", "/ab", b"c"), fingerprint("PUT", "/a", b"")]
    {
        assert_ne!(base, other);
    }
}
