//! How long a session lasts, and what it may do at every moment.

use barometer_cloud::{
    Table,
    table::{
        sessions::{Holder, Session},
        team::{Member, Role},
    },
    workspaces::Created,
};
use chrono::TimeDelta;
use http::StatusCode;

use crate::{
    browser::{self, Browser, now},
    store, team,
};

async fn world(role: Role) -> (Table, Created, Member, Browser) {
    let table = store::table().await;
    let (made, _) = browser::workspace(&table, "Acme").await;
    let ana = team::member(&table, &made.workspace_id, "ana@initech.example", role).await;
    let browser = team::signed_in(&table, &ana).await;
    (table, made, ana, browser)
}

async fn stored(table: &Table, member: &Member) -> Session {
    let holder = Holder::Member(member.id.clone());
    table.sessions_of(&member.workspace_id, &holder, now()).await.unwrap().remove(0)
}

async fn status(browser: &Browser, table: &Table, after: TimeDelta) -> StatusCode {
    browser.later(table, now() + after).get("/account").await.status
}

#[tokio::test]
async fn a_session_ends_eight_hours_after_its_last_use() {
    let (table, _, _, browser) = world(Role::Csm).await;
    let (h, s) = (TimeDelta::hours(8), TimeDelta::seconds(1));
    assert_eq!(status(&browser, &table, h).await, StatusCode::SEE_OTHER);
    assert_eq!(status(&browser, &table, h - s).await, StatusCode::OK);
    // That was a use.
    assert_eq!(status(&browser, &table, h + h - s - s).await, StatusCode::OK);
    assert_eq!(status(&browser, &table, h + h + h).await, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_session_ends_after_seven_days_however_much_it_is_used() {
    let (table, _, _, browser) = world(Role::Csm).await;
    for hour in (0..168).step_by(7) {
        assert_eq!(status(&browser, &table, TimeDelta::hours(hour)).await, StatusCode::OK, "{hour}");
    }
    assert_eq!(status(&browser, &table, TimeDelta::days(7)).await, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_use_is_written_once_in_a_quarter_of_an_hour() {
    let (table, _, ana, browser) = world(Role::Csm).await;
    let begun = stored(&table, &ana).await;
    for minutes in [0, 5, 14] {
        status(&browser, &table, TimeDelta::minutes(minutes)).await;
        assert_eq!(stored(&table, &ana).await, begun, "{minutes}");
    }
    status(&browser, &table, TimeDelta::minutes(15)).await;
    let renewed = stored(&table, &ana).await;
    assert_eq!(renewed.used_at, now() + TimeDelta::minutes(15));
    assert_eq!(renewed.expires_at, now() + TimeDelta::minutes(15) + TimeDelta::hours(8));
    status(&browser, &table, TimeDelta::minutes(29)).await;
    assert_eq!(stored(&table, &ana).await, renewed);
}

#[tokio::test]
async fn another_role_counts_at_the_next_request() {
    let (table, _, ana, mut browser) = world(Role::Admin).await;
    assert!(browser.get("/sources").await.body.contains("Make it"));
    table.change_member(&ana, "Ana", Role::Viewer, None).await.unwrap();
    assert!(!browser.get("/sources").await.body.contains("Make it"));
    assert_eq!(browser.post("/sources", "name=Web").await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_removed_members_sessions_end_at_once_and_stay_ended() {
    let (table, made, ana, mut browser) = world(Role::Csm).await;
    table.remove_member(&ana, None).await.unwrap();
    assert_eq!(browser.get("/").await.status, StatusCode::SEE_OTHER);
    let again = Member { id: "mem_again".to_owned(), ..ana };
    table.add_member(&again).await.unwrap();
    assert_eq!(table.team(&made.workspace_id).await.unwrap().len(), 1);
    assert_eq!(browser.get("/").await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_session_is_taken_only_under_the_name_that_only_we_can_set() {
    let (table, _, _, mut browser) = world(Role::Csm).await;
    let secret = browser.jar.remove("__Host-barometer_session").unwrap();
    browser.jar.insert("barometer_session".to_owned(), secret);
    assert_eq!(browser.get("/").await.status, StatusCode::SEE_OTHER);
    drop(table);
}

#[tokio::test]
async fn a_sessions_cookie_with_another_secret_holder_or_workspace_opens_nothing() {
    let (table, _, ana, browser) = world(Role::Csm).await;
    let (other, _) = browser::workspace(&table, "Globex").await;
    let cookie = browser.jar["__Host-barometer_session"].clone();
    for (from, to) in [
        ("bse_", "bse-"),
        ("member:", "token:"),
        (ana.id.as_str(), "mem_ben"),
        (ana.workspace_id.as_str(), other.workspace_id.as_str()),
    ] {
        let mut thief = Browser::at(&table, now());
        thief.jar.insert("__Host-barometer_session".to_owned(), cookie.replace(from, to));
        assert_eq!(thief.get("/").await.status, StatusCode::SEE_OTHER, "{from}");
    }
}
