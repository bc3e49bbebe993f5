use barometer_cloud::table::credentials::{Credential, Kind, Scope, hash};
use barometer_domain::WorkspaceId;
use barometer_tests::store::table;

use crate::samples::{at, is_conflict, workspace};

fn credential(id: &str, kind: Kind, expires: Option<&str>) -> Credential {
    Credential {
        id: id.to_owned(),
        workspace_id: workspace(),
        kind,
        scope: (kind == Kind::ApiToken).then_some(Scope::Write),
        label: "for the tests".to_owned(),
        author: "ann@example.com".to_owned(),
        created_at: at("2026-09-01T10:00:00Z"),
        expires_at: expires.map(at),
    }
}

#[tokio::test]
async fn is_found_by_its_text_only() {
    let table = table().await;
    let token = credential("a", Kind::ApiToken, None);
    table.add_credential("bat_secret", &token).await.unwrap();
    let now = at("2026-09-01T10:00:00Z");
    assert_eq!(table.credential("bat_secret", now).await.unwrap(), Some(token.clone()));
    assert_eq!(table.credential("bat_other", now).await.unwrap(), None);
    assert_eq!(table.credential("", now).await.unwrap(), None);
    assert_eq!(
        table.credential(&hash("bat_secret"), now).await.unwrap(),
        None,
        "the stored hash opens nothing"
    );
}

#[tokio::test]
async fn a_taken_text_is_refused_and_leaves_nothing() {
    let table = table().await;
    table.add_credential("same", &credential("a", Kind::WriteKey, None)).await.unwrap();
    let thief = Credential {
        workspace_id: WorkspaceId::new("ws_thief").unwrap(),
        ..credential("b", Kind::ApiToken, None)
    };
    assert!(is_conflict(table.add_credential("same", &thief).await));
    assert_eq!(table.credentials(&thief.workspace_id, Kind::ApiToken).await.unwrap(), []);
    let kept = table.credential("same", at("2026-09-01T10:00:00Z")).await.unwrap().unwrap();
    assert_eq!((kept.workspace_id, kept.kind), (workspace(), Kind::WriteKey));
}

#[tokio::test]
async fn ends_at_its_instant_though_the_item_lies_there() {
    let table = table().await;
    let token = credential("s", Kind::ApiToken, Some("2026-09-02T10:00:00Z"));
    table.add_credential("token", &token).await.unwrap();
    assert!(table.credential("token", at("2026-09-02T09:59:59Z")).await.unwrap().is_some());
    let end = at("2026-09-02T10:00:00Z");
    assert_eq!(table.credential("token", end).await.unwrap(), None);
    assert_eq!(table.api_token("token", end).await.unwrap(), None);
    assert_eq!(table.api_token_of(&workspace(), "s", end).await.unwrap(), None);
}

#[tokio::test]
async fn is_listed_by_kind() {
    let table = table().await;
    table.add_credential("1", &credential("b", Kind::ApiToken, None)).await.unwrap();
    table.add_credential("2", &credential("a", Kind::ApiToken, Some("2026-10-01T00:00:00Z"))).await.unwrap();
    table.add_credential("3", &credential("c", Kind::WriteKey, None)).await.unwrap();
    let listed = table.credentials(&workspace(), Kind::ApiToken).await.unwrap();
    assert_eq!(
        listed,
        [
            credential("a", Kind::ApiToken, Some("2026-10-01T00:00:00Z")),
            credential("b", Kind::ApiToken, None)
        ]
    );
    let stranger = WorkspaceId::new("ws_other").unwrap();
    assert_eq!(table.credentials(&stranger, Kind::ApiToken).await.unwrap(), []);
}

#[tokio::test]
async fn is_revoked_by_its_id_within_its_workspace() {
    let table = table().await;
    let now = at("2026-09-01T10:00:00Z");
    table.add_credential("1", &credential("a", Kind::ApiToken, None)).await.unwrap();
    let stranger = WorkspaceId::new("ws_other").unwrap();
    assert!(!table.revoke(&stranger, Kind::ApiToken, "a").await.unwrap());
    assert!(!table.revoke(&workspace(), Kind::WriteKey, "a").await.unwrap());
    assert!(table.credential("1", now).await.unwrap().is_some());

    assert!(table.revoke(&workspace(), Kind::ApiToken, "a").await.unwrap());
    assert_eq!(table.credential("1", now).await.unwrap(), None);
    assert_eq!(table.credentials(&workspace(), Kind::ApiToken).await.unwrap(), []);
    assert!(!table.revoke(&workspace(), Kind::ApiToken, "a").await.unwrap());
}

#[tokio::test]
async fn a_tokens_use_is_noted_where_it_is_found_and_where_it_is_listed_until_it_is_revoked() {
    let table = table().await;
    let token = credential("a", Kind::ApiToken, None);
    table.add_credential("bat_1", &token).await.unwrap();
    let now = at("2026-09-01T10:00:00Z");
    let seen = || async {
        let found = table.api_token("bat_1", now).await.unwrap().map(|token| token.last_used_at);
        let listed =
            table.api_token_of(&workspace(), "a", now).await.unwrap().map(|token| token.last_used_at);
        assert_eq!(found, listed);
        found
    };
    assert_eq!(seen().await, Some(None));
    table.note_token_use("bat_1", &token, now).await.unwrap();
    assert_eq!(seen().await, Some(Some(now)));
    assert_eq!(table.credential("bat_1", now).await.unwrap(), Some(token.clone()), "the rest stays");
    table.revoke(&workspace(), Kind::ApiToken, "a").await.unwrap();
    table.note_token_use("bat_1", &token, now).await.unwrap();
    assert_eq!(seen().await, None, "what is revoked doesn't come back");
}

#[tokio::test]
async fn a_write_key_is_no_api_token() {
    let table = table().await;
    table.add_credential("wk_1", &credential("a", Kind::WriteKey, None)).await.unwrap();
    assert_eq!(table.api_token("wk_1", at("2026-09-01T10:00:00Z")).await.unwrap(), None);
}
