//! Signing in and out.

use axum::body::Body;
use barometer_cloud::table::credentials::{Credential, Kind, Scope};
use chrono::TimeDelta;
use dashboard::sign_in_link;
use http::{Request, StatusCode, header};

use crate::{
    browser::{self, Browser, now},
    store,
};

#[tokio::test]
async fn a_token_opens_a_session_of_eight_hours() {
    let table = store::table().await;
    let (made, mut browser) = browser::workspace(&table, "Acme").await;
    assert_eq!(browser.get("/").await.status, StatusCode::OK);

    let answer = browser.sign_in(&format!("+{}+", made.api_token)).await;
    assert_eq!(answer.header(header::LOCATION), "/");
    let cookie = answer.header(header::SET_COOKIE);
    assert!(cookie.starts_with("barometer_session=bse_"), "{cookie}");
    assert!(cookie.ends_with("; Path=/; Max-Age=28800; HttpOnly; SameSite=Lax; Secure"), "{cookie}");

    let mut later = Browser::at(&table, now() + TimeDelta::hours(8));
    later.cookie = browser.cookie.clone();
    assert_eq!(later.get("/").await.status, StatusCode::SEE_OTHER);

    let sessions = table.credentials(&made.workspace_id, Kind::Session).await.unwrap();
    assert_eq!(sessions[0].scope, Some(Scope::Admin));
    assert_eq!(sessions[0].author, "first API token");
}

#[tokio::test]
async fn a_session_never_outlives_its_token() {
    let table = store::table().await;
    let (made, mut browser) = browser::workspace(&table, "Acme").await;
    let short = Credential {
        id: "short".to_owned(),
        workspace_id: made.workspace_id.clone(),
        kind: Kind::ApiToken,
        scope: Some(Scope::Read),
        label: "short".to_owned(),
        author: "ben".to_owned(),
        created_at: now(),
        expires_at: Some(now() + TimeDelta::minutes(5)),
    };
    table.add_credential("bat_short", &short).await.unwrap();
    let answer = browser.sign_in("bat_short").await;
    assert!(answer.header(header::SET_COOKIE).contains("Max-Age=300;"));
}

#[tokio::test]
async fn without_a_session_every_page_leads_to_the_form() {
    let table = store::table().await;
    let mut browser = Browser::at(&table, now());
    for path in ["/", "/quadrant", "/companies/acme", "/?status=steady"] {
        let answer = browser.get(path).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{path}");
        assert_eq!(answer.header(header::LOCATION), "/sign-in");
    }
    assert_eq!(browser.get("/sign-in").await.status, StatusCode::OK);
    browser.cookie = Some("barometer_session=bse_invented".to_owned());
    assert_eq!(browser.get("/").await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn every_failed_sign_in_reads_the_same() {
    let table = store::table().await;
    let (made, _) = browser::workspace(&table, "Acme").await;
    let mut browser = Browser::at(&table, now());
    let link = sign_in_link(&table, &made.workspace_id, "https://a", "anna", now()).await.unwrap();
    let code = link.rsplit('/').next().unwrap();

    let wrong = browser.sign_in("bat_wrong").await;
    assert_eq!(wrong.status, StatusCode::FORBIDDEN);
    assert!(wrong.body.contains("That didn’t sign you in."));
    for token in [&made.write_key, code, "", "%00%ff"] {
        let answer = browser.sign_in(token).await;
        assert_eq!((answer.status, &answer.body), (wrong.status, &wrong.body), "{token:?}");
        assert!(answer.headers.get(header::SET_COOKIE).is_none());
    }
    for (path, form) in [("/sign-in", "nonsense"), ("/sign-in/bsi_wrong", "")] {
        let answer = browser.post(path, form).await;
        assert_eq!((answer.status, &answer.body), (wrong.status, &wrong.body), "{path}");
    }
    let answer = browser.post(&format!("/sign-in/{}", made.api_token), "").await;
    assert_eq!((answer.status, &answer.body), (wrong.status, &wrong.body));
    // The token that stood in the wrong place still works.
    assert_eq!(browser.sign_in(&made.api_token).await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_link_signs_in_once_and_only_by_its_button() {
    let table = store::table().await;
    let (made, _) = browser::workspace(&table, "Acme").await;
    let link = sign_in_link(&table, &made.workspace_id, "https://app.example.com/", "anna", now()).await;
    let link = link.unwrap();
    let path = link.strip_prefix("https://app.example.com").unwrap();
    assert!(path.starts_with("/sign-in/bsi_"), "{path}");

    let mut scanner = Browser::at(&table, now());
    for _ in 0..3 {
        let page = scanner.get(path).await;
        assert_eq!(page.status, StatusCode::OK);
        assert!(page.body.contains("<form method=\"post\"><button>Sign in</button></form>"));
        assert!(scanner.cookie.is_none());
    }
    let mut anna = Browser::at(&table, now());
    let answer = anna.post(path, "").await;
    assert_eq!((answer.status, answer.header(header::LOCATION)), (StatusCode::SEE_OTHER, "/"));
    assert!(anna.get("/").await.body.contains("anna"));
    assert_eq!(Browser::at(&table, now()).post(path, "").await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_link_ends_after_fifteen_minutes() {
    let table = store::table().await;
    let (made, _) = browser::workspace(&table, "Acme").await;
    let link = sign_in_link(&table, &made.workspace_id, "", "anna", now()).await.unwrap();
    let mut late = Browser::at(&table, now() + TimeDelta::minutes(15));
    assert_eq!(late.post(&link, "").await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn signing_out_ends_the_session_itself() {
    let table = store::table().await;
    let (_, mut browser) = browser::workspace(&table, "Acme").await;
    let kept = browser.cookie.clone();
    let answer = browser.post("/sign-out", "").await;
    assert_eq!((answer.status, answer.header(header::LOCATION)), (StatusCode::SEE_OTHER, "/sign-in"));
    assert!(answer.header(header::SET_COOKIE).starts_with("barometer_session=; Path=/; Max-Age=0;"));
    browser.cookie = kept;
    assert_eq!(browser.get("/").await.status, StatusCode::SEE_OTHER);
    assert_eq!(browser.post("/sign-out", "").await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn another_sites_form_is_refused() {
    let table = store::table().await;
    let (_, mut browser) = browser::workspace(&table, "Acme").await;
    for (name, value) in [("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")] {
        let request = Request::post("/sign-out").header(header::HOST, "app.example.com").header(name, value);
        let answer = browser.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN);
    }
    assert_eq!(browser.get("/").await.status, StatusCode::OK);
    let request = Request::post("/sign-out").header(header::HOST, "app.example.com");
    let request = request.header(header::ORIGIN, "https://app.example.com").body(Body::empty()).unwrap();
    assert_eq!(browser.send(request).await.status, StatusCode::SEE_OTHER);
}
