//! The pages of sources.

use barometer_cloud::{
    Table,
    table::sources::{Counts, Reason, Source, Unit},
    workspaces::Created,
};
use http::StatusCode;

use crate::{
    browser::{self, Browser, now},
    store,
};

async fn first(table: &Table, made: &Created) -> Source {
    table.sources(&made.workspace_id).await.unwrap().remove(0)
}

async fn reader(table: &Table, made: &Created) -> Browser {
    use barometer_cloud::table::credentials::{Credential, Kind, Scope};
    let token = Credential {
        id: "reader".to_owned(),
        workspace_id: made.workspace_id.clone(),
        kind: Kind::ApiToken,
        scope: Some(Scope::Write),
        label: "reader".to_owned(),
        author: "reader".to_owned(),
        created_at: now(),
        expires_at: None,
    };
    table.add_credential("bat_reader", &token).await.unwrap();
    let mut browser = Browser::at(table, now());
    browser.sign_in("bat_reader").await;
    browser
}

#[tokio::test]
async fn before_anything_arrives_it_says_how() {
    let table = store::table().await;
    let (made, mut browser) = browser::workspace(&table, "Acme").await;
    let page = browser.get("/sources").await;
    assert_eq!(page.status, StatusCode::OK);
    for text in [
        "Nothing has arrived yet",
        &format!("curl -u {}: https://app.example.com/v1/track", made.write_key),
        &format!("writeKey: '{}', host: 'https://app.example.com'", made.write_key),
        "cdnURL",
        "CLIENTS.md",
        "Nothing yet",
        "none in 30 days",
        "unknown_key",
    ] {
        assert!(page.body.contains(text), "{text}");
    }
    let id = first(&table, &made).await.id;
    let page = browser.get(&format!("/sources/{id}")).await;
    assert!(page.body.contains("Nothing has arrived in the last 14 days."));
    assert!(page.body.contains("Nothing was refused."));
    assert!(!page.body.contains(" style="), "the policy would ignore it");
    assert_eq!(browser.get("/sources/none").await.status, StatusCode::NOT_FOUND);
    let (_, mut theirs) = browser::workspace(&table, "Beta").await;
    assert_eq!(theirs.get(&format!("/sources/{id}")).await.status, StatusCode::NOT_FOUND);
    assert_eq!(Browser::at(&table, now()).get("/sources").await.header("location"), "/sign-in");
}

#[tokio::test]
async fn shows_what_came_and_why_some_did_not() {
    let table = store::table().await;
    let (made, mut browser) = browser::workspace(&table, "Acme").await;
    let (ws, id) = (&made.workspace_id, first(&table, &made).await.id);
    let today = now().date_naive();
    let counts = Counts {
        accepted: 1_234,
        rejected: 12,
        refused: 1,
        last_event_at: Some(now() - chrono::TimeDelta::minutes(2)),
    };
    table.add_source_counts(ws, &id, today, &counts).await.unwrap();
    let reason = Reason {
        unit: Unit::Event,
        code: "missing_user".to_owned(),
        message: "userId or anonymousId is needed".to_owned(),
        message_id: Some("<b>m-1</b>".to_owned()),
        index: Some(3),
        last_at: now() - chrono::TimeDelta::hours(3),
        count: 12,
    };
    table.add_source_reason(ws, &id, today, &reason).await.unwrap();
    let list = browser.get("/sources").await.body;
    for text in ["Sending", "2 minutes ago", "1,234", "12 events, 1 request"] {
        assert!(list.contains(text), "{text}");
    }
    assert!(!list.contains("Nothing has arrived yet"));
    let page = browser.get(&format!("/sources/{id}")).await.body;
    for text in [
        "Events by day from 26 Aug to 8 Sep: 1,234 accepted, 12 rejected.",
        "3 hours ago",
        "userId or anonymousId is needed",
        "Call identify first",
        "number 4 of its request",
        "&#60;b&#62;m-1",
    ] {
        assert!(page.contains(text), "{text}");
    }
    assert!(!page.contains("<b>m-1"));
}

#[tokio::test]
async fn a_source_is_made_changed_rotated_and_disabled() {
    let table = store::table().await;
    let (made, mut browser) = browser::workspace(&table, "Acme").await;
    let ws = &made.workspace_id;
    let refused = browser.post("/sources", "name=+").await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.body.contains("The name has 1 to 100 characters"));

    let answer = browser.post("/sources", "name=Web+shop").await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    let path = answer.header("location").to_owned();
    let id = path.strip_prefix("/sources/").unwrap();
    let source = table.source(ws, id).await.unwrap().unwrap();
    assert_eq!((source.name.as_str(), table.sources(ws).await.unwrap().len()), ("Web shop", 2));
    let key = source.key.unwrap();
    assert!(browser.get(&path).await.body.contains(&format!("<code>{key}</code>")));

    let form =
        "act=change&name=Shop&allowed_origins=https%3A%2F%2FShop.example.com%2F%0D%0A%0D%0A&rate=7&burst=9";
    assert_eq!(browser.post(&path, form).await.status, StatusCode::SEE_OTHER);
    let source = table.source(ws, id).await.unwrap().unwrap();
    assert_eq!((source.name.as_str(), source.rate, source.burst), ("Shop", 7, 9));
    assert_eq!(source.allowed_origins, ["https://shop.example.com"]);

    let form = "act=change&name=&allowed_origins=*&rate=0&burst=9";
    let wrong = browser.post(&path, form).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    for text in ["The name has", "“*” is not an origin", "Events a second: a whole number", ">*</textarea>"]
    {
        assert!(wrong.body.contains(text), "{text}");
    }
    assert_eq!(table.source(ws, id).await.unwrap().unwrap(), source, "nothing of it was done");

    let rotate = format!("{path}/rotate");
    assert_eq!(browser.post(&rotate, "overlap_hours=24").await.status, StatusCode::SEE_OTHER);
    let page = browser.get(&path).await.body;
    assert!(page.contains(&format!("<code class=\"old\">{key}</code> works until 9 Sep 2026, 10:00 UTC.")));
    let new = table.source(ws, id).await.unwrap().unwrap().key.unwrap();
    assert!(new != key && page.contains(&format!("<code>{new}</code>")));

    assert_eq!(browser.post(&path, "act=disable").await.status, StatusCode::SEE_OTHER);
    assert!(browser.get(&path).await.body.contains("Disabled since 8 Sep 2026, 10:00 UTC"));
    assert_eq!(browser.post(&path, "act=enable").await.status, StatusCode::SEE_OTHER);
    assert_eq!(table.source(ws, id).await.unwrap().unwrap().disabled_at, None);
    assert_eq!(browser.post(&path, "act=explode").await.status, StatusCode::BAD_REQUEST);
    assert_eq!(browser.post(&rotate, "overlap_hours=x").await.status, StatusCode::BAD_REQUEST);
    assert_eq!(browser.post("/sources/none/rotate", "overlap_hours=1").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn who_is_no_admin_only_looks() {
    let table = store::table().await;
    let (made, _) = browser::workspace(&table, "Acme").await;
    let mut reader = reader(&table, &made).await;
    let before = first(&table, &made).await;
    let path = format!("/sources/{}", before.id);
    for page in ["/sources", &path] {
        let page = reader.get(page).await;
        assert_eq!(page.status, StatusCode::OK);
        assert!(!page.body.contains("action=\"/sources"), "no form that would be refused");
    }
    for (path, form) in [
        ("/sources".to_owned(), "name=x"),
        (path.clone(), "act=disable"),
        (format!("{path}/rotate"), "overlap_hours=0"),
    ] {
        assert_eq!(reader.post(&path, form).await.status, StatusCode::FORBIDDEN, "{path}");
    }
    assert_eq!(table.sources(&made.workspace_id).await.unwrap(), [before]);
}
