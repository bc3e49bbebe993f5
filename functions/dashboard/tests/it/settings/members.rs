//! Members.

use barometer_cloud::table::credentials::Scope;
use http::StatusCode;

use super::{leads_to, scoped};
use crate::{
    browser::{self, Browser, now},
    store,
};

const PAGE: &str = "/settings/members";
const NEW: &str = "email=Kim%40example.com&name=Kim+%3Ci%3E&role=csm";

/// Where the form of a member leads.
fn form_of(page: &str, email: &str) -> String {
    let row = page.split("<tr><th scope=\"row\">").find(|row| row.starts_with(email)).unwrap();
    row.split("action=\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
}

#[tokio::test]
async fn a_member_is_added_gets_another_role_and_is_removed() {
    let table = store::table().await;
    let (made, mut browser) = browser::workspace(&table, "Meridian").await;
    leads_to(&browser.post(PAGE, NEW).await, "/settings/members?done=saved");
    let page = browser.get(PAGE).await.body;
    assert!(
        page.contains("kim@example.com<small>Kim &#60;i&#62;</small></th><td>csm</td><td>not yet</td>"),
        "{page}"
    );
    let again = browser.post(PAGE, NEW).await;
    assert_eq!(again.status, StatusCode::CONFLICT);
    assert!(again.body.contains("value=\"Kim@example.com\""), "what was typed stays");
    let form = form_of(&page, "kim@example.com");
    leads_to(&browser.post(&form, "act=role&role=admin").await, "/settings/members?done=saved");
    let team = table.team(&made.workspace_id).await.unwrap();
    assert_eq!(team.iter().map(|member| member.role.scope()).max(), Some(Scope::Admin));
    let (_, mut theirs) = browser::workspace(&table, "Other").await;
    assert_eq!(theirs.post(&form, "act=remove").await.status, StatusCode::NOT_FOUND);
    let last = browser.post(&form, "act=remove").await;
    assert_eq!(last.status, StatusCode::CONFLICT, "the last admin stays");
    leads_to(&browser.post(PAGE, "email=sam%40example.com&role=admin").await, "/settings/members?done=saved");
    leads_to(&browser.post(&form, "act=remove&role=admin").await, "/settings/members?done=saved");
    assert!(!browser.get(PAGE).await.body.contains("kim@example.com"));
}

#[tokio::test]
async fn everybody_sees_who_is_a_member_and_only_admins_change_it() {
    let table = store::table().await;
    let (made, mut admin) = browser::workspace(&table, "Meridian").await;
    admin.post(PAGE, NEW).await;
    let form = form_of(&admin.get(PAGE).await.body, "kim@example.com");
    let mut csm = scoped(&table, &made, Scope::Write).await;
    let page = csm.get(PAGE).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.body.contains("kim@example.com") && !page.body.contains(">Remove<"));
    assert_eq!(csm.post(PAGE, "email=eve%40example.com&role=admin").await.status, StatusCode::FORBIDDEN);
    assert_eq!(csm.post(&form, "act=remove").await.status, StatusCode::FORBIDDEN);
    leads_to(&Browser::at(&table, now()).get(PAGE).await, "/sign-in");
}
