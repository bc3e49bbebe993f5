//! The account page: one's sessions and their end.

use barometer_cloud::table::team::Role;
use http::{StatusCode, header};

use crate::{
    browser::{self, now},
    store, team,
};

/// The ids of the sessions that a page shows.
fn ids(page: &str) -> Vec<String> {
    page.split("/account/sessions/").skip(1).map(|rest| rest.split('"').next().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn it_lists_ones_own_sessions_and_ends_single_ones() {
    let table = store::table().await;
    let (made, _) = browser::workspace(&table, "Acme").await;
    let ana = team::member(&table, &made.workspace_id, "ana@initech.example", Role::Csm).await;
    let ben = team::member(&table, &made.workspace_id, "ben@initech.example", Role::Admin).await;
    let mut desk = team::signed_in(&table, &ana).await;
    let mut phone = team::signed_in(&table, &ana).await;
    let mut bens = team::signed_in(&table, &ben).await;

    let page = desk.get("/account").await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.body.contains("You are a CSM") && page.body.contains("An unknown browser"));
    let listed = ids(&page.body);
    assert_eq!((listed.len(), page.body.matches("this browser").count()), (2, 1));

    // Nobody ends another member's session.
    let theirs = ids(&bens.get("/account").await.body).remove(0);
    assert_eq!(desk.post(&format!("/account/sessions/{theirs}"), "").await.status, StatusCode::SEE_OTHER);
    assert_eq!(bens.get("/").await.status, StatusCode::OK);

    let own = desk.jar["__Host-barometer_session"].split('~').nth(2).unwrap().to_owned();
    let other = listed.into_iter().find(|id| *id != own).unwrap();
    let ended = desk.post(&format!("/account/sessions/{other}"), "").await;
    assert_eq!(ended.header(header::LOCATION), "/account");
    assert_eq!(phone.get("/").await.status, StatusCode::SEE_OTHER);
    assert_eq!(ids(&desk.get("/account").await.body), std::slice::from_ref(&own));

    let ended = desk.post(&format!("/account/sessions/{own}"), "").await;
    assert_eq!(ended.header(header::LOCATION), "/sign-in");
    assert!(desk.jar.is_empty());
}

#[tokio::test]
async fn signing_out_everywhere_ends_all_of_ones_sessions_and_nobody_elses() {
    let table = store::table().await;
    let (made, mut by_token) = browser::workspace(&table, "Acme").await;
    let ana = team::member(&table, &made.workspace_id, "ana@initech.example", Role::Csm).await;
    let ben = team::member(&table, &made.workspace_id, "ben@initech.example", Role::Csm).await;
    let mut bens = team::signed_in(&table, &ben).await;
    let mut anas = Vec::new();
    for _ in 0..3 {
        anas.push(team::signed_in(&table, &ana).await);
    }
    let answer = anas[0].post("/account/sign-out", "").await;
    assert_eq!((answer.status, answer.header(header::LOCATION)), (StatusCode::SEE_OTHER, "/sign-in"));
    for browser in &mut anas {
        assert_eq!(browser.get("/").await.status, StatusCode::SEE_OTHER);
    }
    for other in [&mut bens, &mut by_token] {
        assert_eq!(other.get("/").await.status, StatusCode::OK);
    }
    let span = barometer_cloud::table::audit::Span { from: now(), to: now() + chrono::TimeDelta::seconds(1) };
    let told = table.audit(&made.workspace_id, span, None, true, 50).await.unwrap();
    let everywhere: Vec<_> = told
        .iter()
        .filter(|entry| serde_json::to_value(entry.action).unwrap() == "sign_out.everywhere")
        .collect();
    assert_eq!(everywhere.len(), 1);
    assert_eq!(
        (everywhere[0].by.as_str(), &everywhere[0].to),
        (ana.email.as_str(), &serde_json::json!({ "sessions": 3 }))
    );
}
