//! Where events and notes are sent.

use barometer_cloud::table::credentials::Scope;
use http::StatusCode;

use super::{PAGE_BYTES, leads_to, scoped};
use crate::{browser, store};

const PAGE: &str = "/settings/webhooks";
const NEW: &str = "kind=standard&name=CRM+%3Cb%3E&url=https%3A%2F%2Fhooks.example.com%2Fx";

#[tokio::test]
async fn a_secret_is_shown_once_and_another_one_after_a_rotation() {
    let table = store::table().await;
    let (made, mut browser) = browser::workspace(&table, "Meridian").await;
    let created = browser.post(PAGE, NEW).await;
    assert_eq!(created.status, StatusCode::CREATED);
    let secret = |page: &str| {
        let secret = page.split("<pre><code>").nth(1).unwrap().split('<').next().unwrap();
        assert!(secret.starts_with("whsec_"), "{secret}");
        secret.to_owned()
    };
    let first = secret(&created.body);
    assert_eq!(created.header(http::header::CACHE_CONTROL), "no-store");
    let page = browser.get(PAGE).await.body;
    assert!(
        !page.contains("whsec_")
            && page.contains("CRM &#60;b&#62;")
            && page.contains("https://hooks.example.com/x")
    );
    let id = table.webhooks(&made.workspace_id).await.unwrap().remove(0).id;
    let path = format!("{PAGE}/{id}");
    let rotated = browser.post(&path, "act=rotate").await;
    assert_ne!(secret(&rotated.body), first);
    assert!(rotated.body.contains("also signs until 9 Sep, 10:00"));
    assert!(rotated.body.len() < PAGE_BYTES);
    leads_to(&browser.post(&path, "act=off").await, "/settings/webhooks?done=saved");
    assert!(browser.get(PAGE).await.body.contains("<i class=\"lx\">Off</i>"));
    leads_to(&browser.post(&path, "act=on").await, "/settings/webhooks?done=saved");
    leads_to(&browser.post(&path, "act=delete").await, "/settings/webhooks?done=saved");
    assert_eq!(table.webhooks(&made.workspace_id).await.unwrap(), []);
    assert_eq!(browser.post(&path, "act=rotate").await.status, StatusCode::NOT_FOUND);
    assert_eq!(browser.post(&path, "act=explode").await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn an_address_that_is_refused_stays_in_the_form_and_a_chats_is_hidden() {
    let table = store::table().await;
    let (made, mut browser) = browser::workspace(&table, "Meridian").await;
    let refused = browser.post(PAGE, "kind=chat&name=Team&url=http%3A%2F%2F127.0.0.1%2F").await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    for text in [
        "role=\"alert\"",
        "value=\"http://127.0.0.1/\"",
        "value=\"Team\"",
        "<option value=\"chat\" selected>",
    ] {
        assert!(refused.body.contains(text), "{text} {}", refused.body);
    }
    assert_eq!(table.webhooks(&made.workspace_id).await.unwrap(), []);
    let chat = "kind=chat&name=Team&url=https%3A%2F%2Fhooks.example.com%2Fsecret-path";
    leads_to(&browser.post(PAGE, chat).await, "/settings/webhooks?done=saved");
    let page = browser.get(PAGE).await.body;
    assert!(
        page.contains("notes to a chat") && !page.contains("secret-path") && !page.contains("New secret")
    );
}

#[tokio::test]
async fn only_admins_of_the_workspace_see_and_change_endpoints() {
    let table = store::table().await;
    let (made, mut admin) = browser::workspace(&table, "Meridian").await;
    admin.post(PAGE, NEW).await;
    let path = format!("{PAGE}/{}", table.webhooks(&made.workspace_id).await.unwrap()[0].id);
    let mut csm = scoped(&table, &made, Scope::Write).await;
    let page = csm.get(PAGE).await;
    assert_eq!(page.status, StatusCode::FORBIDDEN);
    assert!(page.body.contains("This page is for admins") && !page.body.contains("hooks.example.com"));
    assert!(!csm.get("/settings").await.body.contains(PAGE), "no link to it either");
    assert_eq!(csm.post(PAGE, NEW).await.status, StatusCode::FORBIDDEN);
    assert_eq!(csm.post(&path, "act=delete").await.status, StatusCode::FORBIDDEN);
    let (_, mut theirs) = browser::workspace(&table, "Other").await;
    assert!(!theirs.get(PAGE).await.body.contains("hooks.example.com"));
    assert_eq!(theirs.post(&path, "act=delete").await.status, StatusCode::NOT_FOUND);
    assert_eq!(table.webhooks(&made.workspace_id).await.unwrap().len(), 1);
}
