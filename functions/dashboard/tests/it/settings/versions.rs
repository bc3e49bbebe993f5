//! Every save of the settings.

use barometer_cloud::table::credentials::Scope;
use http::StatusCode;

use super::{PAGE_BYTES, form, scoped};
use crate::{browser, store};

#[tokio::test]
async fn versions_say_who_when_why_and_what_changed() {
    let table = store::table().await;
    let (made, mut browser) = browser::workspace(&table, "Meridian").await;
    let page = browser.get("/settings").await;
    let typed = [("act", "save"), ("/login_days", "3"), ("/name", "<b>M</b>"), ("note", "Why & how")];
    browser.post("/settings", &form(&page, "/settings", &typed)).await;
    let mut viewer = scoped(&table, &made, Scope::Read).await;
    let page = viewer.get("/settings/versions").await;
    assert_eq!(page.status, StatusCode::OK);
    for text in [
        "<th scope=\"row\">2</th><td>8 Sep, 10:00</td><td>first API token</td>",
        "“Why &#38; how”",
        "<li>login days: <del>1</del> <ins>3</ins></li>",
        "<li>name: <del>Meridian</del> <ins>&#60;b&#62;M&#60;/b&#62;</ins></li>",
        "“The defaults.”",
    ] {
        assert!(page.body.contains(text), "{text} {}", page.body);
    }
    let (_, mut theirs) = browser::workspace(&table, "Other").await;
    assert!(!theirs.get("/settings/versions").await.body.contains("Meridian"));
}

#[tokio::test]
async fn many_versions_come_page_by_page_and_the_last_of_a_page_says_what_it_changed() {
    let table = store::table().await;
    let (made, mut browser) = browser::workspace(&table, "Meridian").await;
    for days in 2..=15_u16 {
        let mut version = super::stored(&table, &made).await;
        version.version += 1;
        version.settings.answer_age_days = days.try_into().unwrap();
        table.save_settings(&made.workspace_id, &version).await.unwrap();
    }
    let page = browser.get("/settings/versions").await.body;
    assert!(page.len() < PAGE_BYTES);
    assert!(page.contains("<del>5</del> <ins>6</ins>"), "of version 6, the last on the page");
    assert!(!page.contains("<th scope=\"row\">5</th>"));
    let next = page.split("<a href=\"/settings/versions?cursor=").nth(1).unwrap().split('"').next().unwrap();
    let page = browser.get(&format!("/settings/versions?cursor={next}")).await.body;
    assert!(page.contains("<th scope=\"row\">5</th>") && page.contains("<th scope=\"row\">1</th>"));
    assert!(!page.contains("Older versions"));
    let wrong = browser.get("/settings/versions?cursor=%3Cscript%3E").await;
    assert_eq!(wrong.status, StatusCode::BAD_REQUEST);
}
