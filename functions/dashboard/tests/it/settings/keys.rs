//! API keys.

use barometer_cloud::table::credentials::{Kind, Scope};
use http::{Method, Request, StatusCode, header};

use super::{PAGE_BYTES, leads_to, scoped};
use crate::{
    browser::{self, Browser, now},
    store,
};

const PAGE: &str = "/settings/keys";
const NEW: &str = "label=CI+%3Ci%3E&scope=read&days=30";

#[tokio::test]
async fn a_key_is_shown_once_works_and_is_revoked() {
    let table = store::table().await;
    let (made, mut browser) = browser::workspace(&table, "Meridian").await;
    let created = browser.post(PAGE, NEW).await;
    assert_eq!(created.status, StatusCode::CREATED, "{}", created.body);
    assert!(created.body.len() < PAGE_BYTES);
    let token = created.body.split("<pre><code>").nth(1).unwrap().split('<').next().unwrap().to_owned();
    assert!(token.starts_with("bat_"));
    let page = browser.get(PAGE).await.body;
    assert!(
        !page.contains("bat_") && page.contains("CI &#60;i&#62;") && page.contains("8 Oct, 10:00"),
        "{page}"
    );
    let mut other = Browser::at(&table, now());
    other.sign_in(&token).await;
    assert_eq!(other.get("/settings").await.status, StatusCode::OK);
    let keys = table.credentials(&made.workspace_id, Kind::ApiToken).await.unwrap();
    let id = keys.into_iter().find(|key| key.label.starts_with("CI")).unwrap().id;
    let revoke = format!("{PAGE}/{id}/revoke");
    assert_eq!(other.post(&revoke, "").await.status, StatusCode::FORBIDDEN, "it may only read");
    let (_, mut theirs) = browser::workspace(&table, "Other").await;
    assert_eq!(theirs.post(&revoke, "").await.status, StatusCode::NOT_FOUND);
    leads_to(&browser.post(&revoke, "").await, "/settings/keys?done=saved");
    assert!(table.credential(&token, now()).await.unwrap().is_none());
    assert_eq!(browser.post(&revoke, "").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn what_is_wrong_with_a_key_is_said_and_one_without_an_end_says_never() {
    let table = store::table().await;
    let (_, mut browser) = browser::workspace(&table, "Meridian").await;
    let refused = browser.post(PAGE, "label=+&scope=write&days=90").await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.body.contains("<option value=\"write\" selected>"));
    assert!(refused.body.contains("<option value=\"90\" selected>"));
    assert_eq!(browser.post(PAGE, "label=x&scope=admin&days=").await.status, StatusCode::CREATED);
    assert!(
        browser
            .get(PAGE)
            .await
            .body
            .contains("<td>admin</td><td>8 Sep<small>not used yet</small></td><td>never</td>")
    );
}

#[tokio::test]
async fn only_admins_see_keys_and_another_site_makes_none() {
    let table = store::table().await;
    let (made, mut admin) = browser::workspace(&table, "Meridian").await;
    let mut csm = scoped(&table, &made, Scope::Write).await;
    assert_eq!(csm.get(PAGE).await.status, StatusCode::FORBIDDEN);
    assert_eq!(csm.post(PAGE, NEW).await.status, StatusCode::FORBIDDEN);
    let forged = Request::builder()
        .method(Method::POST)
        .uri(PAGE)
        .header("sec-fetch-site", "cross-site")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(axum::body::Body::from(NEW));
    assert_eq!(admin.send(forged.unwrap()).await.status, StatusCode::FORBIDDEN);
    let keys = table.credentials(&made.workspace_id, Kind::ApiToken).await.unwrap();
    assert!(keys.iter().all(|key| !key.label.starts_with("CI")));
    leads_to(&Browser::at(&table, now()).get(PAGE).await, "/sign-in");
}
