use barometer_cloud::{
    table::credentials::{Kind, Scope},
    workspaces::{CreateError, NewWorkspace, create},
};
use barometer_domain::Zone;
use barometer_tests::store::table;

use crate::samples::at;

fn new(name: &str, write_key: Option<&str>) -> NewWorkspace {
    NewWorkspace { name: name.to_owned(), write_key: write_key.map(str::to_owned), ..NewWorkspace::default() }
}

#[tokio::test]
async fn begins_with_settings_a_write_key_and_an_admin_token() {
    let table = table().await;
    let now = at("2026-09-01T10:00:00Z");
    let berlin: Zone = "Europe/Berlin".parse().unwrap();
    let asked = NewWorkspace { time_zone: Some(berlin), ..new(" Acme ", Some("write-key-1")) };
    let made = create(&table, asked, now).await.unwrap();

    assert_eq!(made.write_key, "write-key-1");
    let key = table.credential("write-key-1", now).await.unwrap().unwrap();
    assert_eq!((key.workspace_id, key.kind, key.scope), (made.workspace_id.clone(), Kind::WriteKey, None));
    let token = table.credential(&made.api_token, now).await.unwrap().unwrap();
    assert_eq!((token.kind, token.scope), (Kind::ApiToken, Some(Scope::Admin)));

    let settings = table.settings(&made.workspace_id).await.unwrap().unwrap();
    assert_eq!((settings.version, settings.settings.name.as_str()), (1, "Acme"));
    assert_eq!(settings.settings.time_zone, berlin);
    assert_eq!(table.settings_versions(&made.workspace_id).await.unwrap(), [settings]);
    let listed = table.workspaces().await.unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!((&listed[0].workspace_id, listed[0].created_at), (&made.workspace_id, now));
}

#[tokio::test]
async fn a_taken_write_key_leaves_nothing_of_the_second_workspace() {
    let table = table().await;
    let now = at("2026-09-01T10:00:00Z");
    let first = create(&table, new("First", Some("write-key-1")), now).await.unwrap();
    let second = create(&table, new("Second", Some("write-key-1")), now).await;
    assert!(matches!(second, Err(CreateError::Taken)), "{second:?}");

    let listed = table.workspaces().await.unwrap();
    assert_eq!(listed.len(), 1);
    let key = table.credential("write-key-1", now).await.unwrap().unwrap();
    assert_eq!(key.workspace_id, first.workspace_id);
    let items = table.client().scan().table_name(table.name()).send().await.unwrap().count;
    assert_eq!(items, 7, "a workspace is 7 items, and there is one workspace");
}

#[tokio::test]
async fn of_two_with_one_write_key_one_is_made() {
    let table = table().await;
    let now = at("2026-09-01T10:00:00Z");
    let (one, other) = tokio::join!(
        create(&table, new("One", Some("write-key-1")), now),
        create(&table, new("Other", Some("write-key-1")), now)
    );
    assert_ne!(one.is_ok(), other.is_ok());
    assert_eq!(table.workspaces().await.unwrap().len(), 1);
}

#[tokio::test]
async fn needs_a_name_and_a_usable_write_key() {
    let table = table().await;
    let now = at("2026-09-01T10:00:00Z");
    assert!(matches!(create(&table, new(" ", None), now).await, Err(CreateError::Name)));
    let long = "k".repeat(201);
    for key in ["", "short", "with spaces", "semi;colon", long.as_str()] {
        let made = create(&table, new("Acme", Some(key)), now).await;
        assert!(matches!(made, Err(CreateError::WriteKey)), "{key:?}");
    }
    assert_eq!(table.workspaces().await.unwrap(), []);

    let (one, other) = (
        create(&table, new("One", None), now).await.unwrap(),
        create(&table, new("Two", None), now).await.unwrap(),
    );
    assert_ne!(one.write_key, other.write_key);
    assert_ne!(one.api_token, other.api_token);
}
