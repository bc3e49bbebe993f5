//! Who changed what.

use barometer_cloud::table::credentials::Scope;
use http::StatusCode;

use super::{PAGE_BYTES, form, scoped};
use crate::{browser, store};

const PAGE: &str = "/settings/audit";

#[tokio::test]
async fn the_audit_says_who_changed_what_from_what_to_what() {
    let table = store::table().await;
    let (_, mut browser) = browser::workspace(&table, "Meridian").await;
    let page = browser.get("/settings").await;
    let typed = [("act", "save"), ("/login_days", "3"), ("note", "<why>")];
    browser.post("/settings", &form(&page, "/settings", &typed)).await;
    browser.post("/settings/keys", "label=CI&scope=read&days=").await;
    let page = browser.get(PAGE).await;
    assert_eq!(page.status, StatusCode::OK);
    for text in [
        "settings saved<small>settings</small>",
        "<li>settings: login days: <del>1</del> <ins>3</ins></li>",
        "<ins>&#60;why&#62;</ins>",
        "<li>label: <ins>CI</ins></li>",
        "api token created",
        "href=\"/v1/audit.csv?\"",
        "href=\"/v1/audit.ndjson?\"",
    ] {
        assert!(page.body.contains(text), "{text} {}", page.body);
    }
    assert!(page.body.len() < PAGE_BYTES && !page.body.contains("bat_"));
    let saved = browser.get("/settings/audit?action=settings.saved&from=2026-09-01&to=2026-09-08").await.body;
    assert!(saved.contains("login days") && !saved.contains("<td>api token created"));
    assert!(
        saved.contains("<option value=\"settings.saved\" selected>")
            && saved.contains("value=\"2026-09-01\"")
    );
    assert!(saved.contains("/v1/audit.csv?from=2026-09-01&#38;to=2026-09-08&#38;action=settings.saved\""));
    let none = browser.get("/settings/audit?by=nobody").await.body;
    assert!(none.contains("Nothing that matches."));
}

#[tokio::test]
async fn a_filter_that_cant_be_read_is_told_and_shows_nothing() {
    let table = store::table().await;
    let (_, mut browser) = browser::workspace(&table, "Meridian").await;
    let page = browser.get("/settings/audit?subject=%3Cscript%3E").await;
    assert_eq!(page.status, StatusCode::BAD_REQUEST);
    assert!(page.body.contains("<p>Subject: a kind and an id, such as company:acme.</p>"), "{}", page.body);
    assert!(!page.body.contains("<script"));
}

#[tokio::test]
async fn entries_come_page_by_page() {
    let table = store::table().await;
    let (_, mut browser) = browser::workspace(&table, "Meridian").await;
    for number in 0..40 {
        browser.post("/settings/keys", &format!("label=key+{number}&scope=read&days=")).await;
    }
    let page = browser.get("/settings/audit?action=api_token.created").await.body;
    assert_eq!(page.matches("<td>api token created").count(), 30);
    let next = page.split("<p><a href=\"/settings/audit?").nth(1).unwrap().split('"').next().unwrap();
    let page = browser.get(&format!("/settings/audit?{}", next.replace("&#38;", "&"))).await.body;
    assert_eq!(page.matches("<td>api token created").count(), 10, "{page}");
}

#[tokio::test]
async fn only_admins_of_the_workspace_read_the_audit() {
    let table = store::table().await;
    let (made, _) = browser::workspace(&table, "Meridian").await;
    let mut csm = scoped(&table, &made, Scope::Write).await;
    assert_eq!(csm.get(PAGE).await.status, StatusCode::FORBIDDEN);
    let (_, mut theirs) = browser::workspace(&table, "Other").await;
    assert!(!theirs.get(PAGE).await.body.contains("csm@initech.example"));
}
