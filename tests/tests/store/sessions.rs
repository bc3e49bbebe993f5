use barometer_cloud::table::sessions::{Holder, IDLE, RENEWAL, Session};
use barometer_cloud::table::team::{Member, Role};
use barometer_domain::WorkspaceId;
use barometer_tests::store::table;
use chrono::TimeDelta;

use crate::samples::{at, is_conflict, workspace};

const NOW: &str = "2026-09-01T10:00:00Z";

fn session(id: &str, holder: Holder) -> Session {
    Session::begin(id.to_owned(), workspace(), holder, "ann@example.com".to_owned(), at(NOW), None)
}

fn token() -> Holder {
    Holder::ApiToken("t".to_owned())
}

#[tokio::test]
async fn is_found_by_its_cookie_under_the_name_that_it_was_given_and_until_it_ends() {
    let table = table().await;
    let session = session("1", token());
    table.add_session("bse_1", &session, None).await.unwrap();
    let cookie = session.cookie("bse_1");
    assert_eq!(table.session(&cookie, false, at(NOW)).await.unwrap(), Some(session.clone()));
    assert_eq!(table.session(&cookie, true, at(NOW)).await.unwrap(), None);
    assert_eq!(table.session(&session.cookie("bse_2"), false, at(NOW)).await.unwrap(), None);
    let stranger = Session { workspace_id: WorkspaceId::new("ws_other").unwrap(), ..session.clone() };
    assert_eq!(table.session(&stranger.cookie("bse_1"), false, at(NOW)).await.unwrap(), None);
    let end = at(NOW) + IDLE;
    assert!(table.session(&cookie, false, end - TimeDelta::seconds(1)).await.unwrap().is_some());
    assert_eq!(table.session(&cookie, false, end).await.unwrap(), None);
}

#[tokio::test]
async fn is_renewed_once_by_two_who_saw_the_same_and_not_after_its_end() {
    let table = table().await;
    let session = session("1", token());
    table.add_session("bse_1", &session, None).await.unwrap();
    let cookie = session.cookie("bse_1");
    let later = at(NOW) + RENEWAL;
    table.renew_session(&session, later).await.unwrap();
    table.renew_session(&session, later + TimeDelta::hours(1)).await.unwrap();
    let renewed = table.session(&cookie, false, later).await.unwrap().unwrap();
    assert_eq!((renewed.used_at, renewed.expires_at), (later, later + IDLE));
    table.end_session(&renewed).await.unwrap();
    table.renew_session(&renewed, later + RENEWAL).await.unwrap();
    assert_eq!(table.session(&cookie, false, later).await.unwrap(), None, "what has ended doesn't come back");
    assert!(is_conflict(table.end_session(&renewed).await));
}

#[tokio::test]
async fn a_holders_sessions_are_listed_and_ended_however_many_there_are() {
    let table = table().await;
    for number in 0..120 {
        let session = session(&number.to_string(), token());
        table.add_session("bse_1", &session, None).await.unwrap();
    }
    let other = session("0", Holder::ApiToken("t2".to_owned()));
    table.add_session("bse_1", &other, None).await.unwrap();
    let all = table.sessions_of(&workspace(), &token(), at(NOW)).await.unwrap();
    assert_eq!(all.len(), 120);
    table.end_sessions(&all).await.unwrap();
    assert_eq!(table.sessions_of(&workspace(), &token(), at(NOW)).await.unwrap(), []);
    assert_eq!(
        table.sessions_of(&workspace(), &other.holder, at(NOW)).await.unwrap(),
        std::slice::from_ref(&other)
    );
}

#[tokio::test]
async fn begins_for_members_only_and_notes_their_sign_in() {
    let table = table().await;
    let session = session("1", Holder::Member("mem_1".to_owned()));
    assert!(is_conflict(table.add_session("bse_1", &session, None).await));
    let member = Member {
        id: "mem_1".to_owned(),
        workspace_id: workspace(),
        email: "ann@example.com".parse().unwrap(),
        name: "Ann".to_owned(),
        role: Role::Admin,
        added_by: "a test".to_owned(),
        added_at: at(NOW),
        last_sign_in: None,
    };
    table.add_member(&member).await.unwrap();
    table.add_session("bse_1", &session, None).await.unwrap();
    let noted = table.team_member(&workspace(), "mem_1").await.unwrap().unwrap();
    assert_eq!(noted, Member { last_sign_in: Some(at(NOW)), ..member.clone() });
    assert_eq!(table.memberships(&member.email).await.unwrap(), std::slice::from_ref(&noted));
    assert!(is_conflict(table.remove_member(&noted, Some("mem_2")).await), "nobody else is an admin");
    table.remove_member(&noted, None).await.unwrap();
    assert_eq!(table.memberships(&member.email).await.unwrap(), []);
}
