use barometer_cloud::table::webhooks::{
    Change, Disabled, DisabledBy, Kind, LastCall, PreviousSecret, Webhook,
};
use barometer_domain::WorkspaceId;
use barometer_tests::store::table;

use crate::samples::{at, is_conflict, workspace};

const NOON: &str = "2026-09-01T12:00:00Z";

fn endpoint(id: &str) -> Webhook {
    Webhook {
        id: id.to_owned(),
        workspace_id: workspace(),
        name: "CRM".to_owned(),
        kind: Kind::Standard,
        url: "https://crm.example.com/hook".to_owned(),
        secret: Some("whsec_one".to_owned()),
        previous: None,
        disabled: None,
        created_by: "ann@example.com".to_owned(),
        created_at: at(NOON),
        last: None,
    }
}

fn call(when: &str, status: u16) -> LastCall {
    let reason = (status >= 300).then(|| format!("the endpoint answered {status}"));
    LastCall { at: at(when), ok: status < 300, status: Some(status), reason }
}

#[tokio::test]
async fn an_endpoint_is_its_workspaces_alone() {
    let table = table().await;
    let stranger = WorkspaceId::new("stranger").unwrap();
    table.add_webhook(&endpoint("wh_1")).await.unwrap();
    assert!(is_conflict(table.add_webhook(&endpoint("wh_1")).await));
    assert_eq!(table.webhooks(&workspace()).await.unwrap(), [endpoint("wh_1")]);
    assert_eq!(table.webhook(&workspace(), "wh_1").await.unwrap(), Some(endpoint("wh_1")));

    assert_eq!(table.webhooks(&stranger).await.unwrap(), []);
    assert_eq!(table.webhook(&stranger, "wh_1").await.unwrap(), None);
    let change = Change { name: Some("mine".to_owned()), ..Change::default() };
    assert_eq!(table.change_webhook(&stranger, "wh_1", &change).await.unwrap(), None);
    table.note_webhook_call(&stranger, "wh_1", &call(NOON, 410), true).await.unwrap();
    assert!(!table.delete_webhook(&stranger, "wh_1").await.unwrap());
    assert_eq!(table.webhooks(&stranger).await.unwrap(), []);

    assert_eq!(table.webhook(&workspace(), "wh_1").await.unwrap(), Some(endpoint("wh_1")));
    assert!(table.delete_webhook(&workspace(), "wh_1").await.unwrap());
    assert!(!table.delete_webhook(&workspace(), "wh_1").await.unwrap());
}

#[tokio::test]
async fn a_change_leaves_what_it_does_not_name() {
    let table = table().await;
    table.add_webhook(&endpoint("wh_1")).await.unwrap();
    let changed = |change| {
        let table = &table;
        async move { table.change_webhook(&workspace(), "wh_1", &change).await.unwrap().unwrap() }
    };
    assert_eq!(changed(Change::default()).await, endpoint("wh_1"));
    let url = "https://crm.example.com/other".to_owned();
    let moved = changed(Change { url: Some(url.clone()), ..Change::default() }).await;
    assert_eq!(moved, Webhook { url, ..endpoint("wh_1") });
    let off = |when: &str| Change { disabled_at: Some(Some(at(when))), ..Change::default() };
    let disabled = Some(Disabled { at: at(NOON), by: DisabledBy::Admin });
    assert_eq!(changed(off(NOON)).await.disabled, disabled);
    assert_eq!(changed(off("2026-09-02T12:00:00Z")).await.disabled, disabled, "since when it was");
    let on = Change { disabled_at: Some(None), name: Some("ERP".to_owned()), ..Change::default() };
    assert_eq!(changed(on).await, Webhook { name: "ERP".to_owned(), ..moved });
}

#[tokio::test]
async fn of_two_rotations_at_once_one_wins() {
    let table = table().await;
    table.add_webhook(&endpoint("wh_1")).await.unwrap();
    let until = at("2026-09-02T12:00:00Z");
    let rotated = table.rotate_webhook(endpoint("wh_1"), "whsec_two".to_owned(), until).await.unwrap();
    let previous = PreviousSecret { secret: "whsec_one".to_owned(), until };
    assert_eq!((rotated.secret.as_deref(), &rotated.previous), (Some("whsec_two"), &Some(previous)));
    assert_eq!(table.webhook(&workspace(), "wh_1").await.unwrap(), Some(rotated.clone()));
    assert!(is_conflict(table.rotate_webhook(endpoint("wh_1"), "whsec_three".to_owned(), until).await));
    assert_eq!(table.webhook(&workspace(), "wh_1").await.unwrap(), Some(rotated.clone()));
    assert!(rotated.signing_previous(at("2026-09-02T11:59:59Z")).is_some());
    assert!(rotated.signing_previous(until).is_none());
}

#[tokio::test]
async fn the_latest_call_is_kept_in_whatever_order_they_are_noted() {
    let table = table().await;
    table.add_webhook(&endpoint("wh_1")).await.unwrap();
    for (when, status) in
        [(NOON, 200), ("2026-09-01T12:00:00.500Z", 500), (NOON, 200), ("2026-09-01T11:00:00Z", 204)]
    {
        table.note_webhook_call(&workspace(), "wh_1", &call(when, status), false).await.unwrap();
    }
    let last = call("2026-09-01T12:00:00.500Z", 500);
    assert_eq!(table.webhook(&workspace(), "wh_1").await.unwrap().unwrap().last, Some(last));
}

#[tokio::test]
async fn an_endpoint_that_is_gone_is_disabled_until_somebody_enables_it() {
    let table = table().await;
    table.add_webhook(&endpoint("wh_1")).await.unwrap();
    table.note_webhook_call(&workspace(), "wh_1", &call(NOON, 410), true).await.unwrap();
    let found = table.webhook(&workspace(), "wh_1").await.unwrap().unwrap();
    assert_eq!(found.disabled, Some(Disabled { at: at(NOON), by: DisabledBy::Gone }));
    let on = Change { disabled_at: Some(None), ..Change::default() };
    table.change_webhook(&workspace(), "wh_1", &on).await.unwrap();
    // The same call, delivered twice or late, is no news about an endpoint that has been called since.
    table.note_webhook_call(&workspace(), "wh_1", &call("2026-09-01T12:05:00Z", 200), false).await.unwrap();
    table.note_webhook_call(&workspace(), "wh_1", &call(NOON, 410), true).await.unwrap();
    assert_eq!(table.webhook(&workspace(), "wh_1").await.unwrap().unwrap().disabled, None);
}

#[tokio::test]
async fn an_endpoint_is_tested_once_in_ten_seconds_and_only_while_it_is_there() {
    let table = table().await;
    table.add_webhook(&endpoint("wh_1")).await.unwrap();
    let test =
        async |id: &str, when: &str| table.take_webhook_test(&workspace(), id, at(when)).await.unwrap();
    assert!(test("wh_1", "2026-09-01T12:00:00Z").await);
    assert!(!test("wh_1", "2026-09-01T12:00:09.999Z").await);
    assert!(test("wh_1", "2026-09-01T12:00:10Z").await);
    assert!(!test("wh_2", "2026-09-01T12:00:00Z").await, "there is none");
    assert_eq!(table.webhook(&workspace(), "wh_2").await.unwrap(), None);
    assert_eq!(table.webhook(&workspace(), "wh_1").await.unwrap(), Some(endpoint("wh_1")));
}
