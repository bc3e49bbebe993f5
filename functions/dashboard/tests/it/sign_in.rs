//! Signing in with an API token or a printed link, and out again.

use axum::body::Body;
use barometer_cloud::table::{
    credentials::{Credential, Kind, Scope},
    team::Role,
};
use chrono::TimeDelta;
use dashboard::sign_in_link;
use http::{Request, StatusCode, header};

use crate::{
    browser::{self, Browser, now},
    store, team,
};

const SESSION: &str = "__Host-barometer_session";

#[tokio::test]
async fn a_token_opens_a_session_under_a_name_that_only_the_host_can_set() {
    let table = store::table().await;
    let (made, mut browser) = browser::workspace(&table, "Acme").await;
    assert_eq!(browser.get("/").await.status, StatusCode::OK);

    let answer = browser.sign_in(&format!("+{}+", made.api_token)).await;
    assert_eq!(answer.header(header::LOCATION), "/");
    let cookie = answer.header(header::SET_COOKIE);
    assert!(cookie.starts_with(&format!("{SESSION}=ws_")), "{cookie}");
    assert!(cookie.ends_with("; Path=/; Max-Age=604800; HttpOnly; SameSite=Lax; Secure"), "{cookie}");
    assert!(browser.get("/account").await.body.contains("Signed in with an API token"));
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
    let mut later = browser.later(&table, now() + TimeDelta::minutes(5));
    assert_eq!(later.get("/").await.status, StatusCode::SEE_OTHER);

    assert_eq!(browser.get("/").await.status, StatusCode::OK);
    table.revoke(&made.workspace_id, Kind::ApiToken, "short").await.unwrap();
    assert_eq!(browser.get("/").await.status, StatusCode::SEE_OTHER, "a revoked token ends its sessions");
}

#[tokio::test]
async fn without_a_session_every_page_leads_to_the_form() {
    let table = store::table().await;
    let mut browser = Browser::at(&table, now());
    for path in ["/", "/quadrant", "/companies/acme", "/?status=steady", "/account"] {
        let answer = browser.get(path).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{path}");
        assert_eq!(answer.header(header::LOCATION), "/sign-in");
    }
    assert_eq!(browser.get("/sign-in").await.status, StatusCode::OK);
    for invented in ["bse_invented", "ws_1~member:mem_1~1~bse_invented", "~~~"] {
        browser.jar.insert(SESSION.to_owned(), invented.to_owned());
        assert_eq!(browser.get("/").await.status, StatusCode::SEE_OTHER, "{invented}");
    }
}

#[tokio::test]
async fn every_failed_token_reads_the_same() {
    let table = store::table().await;
    let (made, _) = browser::workspace(&table, "Acme").await;
    let ana = team::member(&table, &made.workspace_id, "ana@initech.example", Role::Admin).await;
    let mut browser = Browser::at(&table, now());
    let link = sign_in_link(&table, &made.workspace_id, "https://a", &ana.email, now()).await.unwrap();
    let code = link.rsplit('/').next().unwrap();

    let wrong = browser.sign_in("bat_wrong").await;
    assert_eq!(wrong.status, StatusCode::FORBIDDEN);
    assert!(wrong.body.contains("That didn’t sign you in."));
    for token in [&made.write_key, code, "", "%00%ff"] {
        let answer = browser.sign_in(token).await;
        assert_eq!((answer.status, &answer.body), (wrong.status, &wrong.body), "{token:?}");
        assert!(answer.headers.get(header::SET_COOKIE).is_none());
    }
    let answer = browser.post("/sign-in", "nonsense").await;
    assert_eq!((answer.status, &answer.body), (wrong.status, &wrong.body));
    // A token in the place of a code is no link, and still a token.
    let answer = browser.post(&format!("/sign-in/{}", made.api_token), "").await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert_eq!(browser.sign_in(&made.api_token).await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_printed_link_signs_a_member_in_once_and_only_by_its_button() {
    let table = store::table().await;
    let (made, _) = browser::workspace(&table, "Acme").await;
    let ana = team::member(&table, &made.workspace_id, "ana@initech.example", Role::Csm).await;
    let link = sign_in_link(&table, &made.workspace_id, "https://app.example.com/", &ana.email, now()).await;
    let link = link.unwrap();
    let path = link.strip_prefix("https://app.example.com").unwrap();
    assert!(path.starts_with("/sign-in/bsi_"), "{path}");

    let mut scanner = Browser::at(&table, now());
    for _ in 0..3 {
        let page = scanner.get(path).await;
        assert_eq!(page.status, StatusCode::OK);
        assert!(page.body.contains("<button>Sign in to Acme</button>"), "{}", page.body);
        assert!(scanner.jar.is_empty());
    }
    let mut anna = Browser::at(&table, now());
    let answer = anna.post(path, "").await;
    assert_eq!((answer.status, answer.header(header::LOCATION)), (StatusCode::SEE_OTHER, "/"));
    assert!(anna.get("/").await.body.contains("ana@initech.example"));
    let stored = table.team_member(&made.workspace_id, &ana.id).await.unwrap().unwrap();
    assert_eq!(stored.last_sign_in, Some(now()));

    for refused in
        [Browser::at(&table, now()).post(path, "").await, Browser::at(&table, now()).get(path).await]
    {
        assert_eq!(refused.status, StatusCode::FORBIDDEN);
        assert!(refused.body.contains("This link doesn’t work any more"));
    }
}

#[tokio::test]
async fn of_two_who_follow_a_link_at_once_one_is_signed_in() {
    let table = store::table().await;
    let (made, _) = browser::workspace(&table, "Acme").await;
    let ana = team::member(&table, &made.workspace_id, "ana@initech.example", Role::Csm).await;
    for round in 0..5 {
        let link = sign_in_link(&table, &made.workspace_id, "", &ana.email, now()).await.unwrap();
        let (mut one, mut other) = (Browser::at(&table, now()), Browser::at(&table, now()));
        let (one, other) = tokio::join!(one.post(&link, ""), other.post(&link, ""));
        let signed_in = [one, other].iter().filter(|answer| answer.status == StatusCode::SEE_OTHER).count();
        assert_eq!(signed_in, 1, "round {round}");
    }
}

#[tokio::test]
async fn a_link_ends_after_fifteen_minutes() {
    let table = store::table().await;
    let (made, _) = browser::workspace(&table, "Acme").await;
    let ana = team::member(&table, &made.workspace_id, "ana@initech.example", Role::Csm).await;
    let link = sign_in_link(&table, &made.workspace_id, "", &ana.email, now()).await.unwrap();
    let mut late = Browser::at(&table, now() + TimeDelta::minutes(15));
    assert_eq!(late.post(&link, "").await.status, StatusCode::FORBIDDEN);
    let mut in_time = Browser::at(&table, now() + TimeDelta::minutes(15) - TimeDelta::seconds(1));
    assert_eq!(in_time.post(&link, "").await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn signing_out_ends_the_session_itself() {
    let table = store::table().await;
    let (_, mut browser) = browser::workspace(&table, "Acme").await;
    let kept = browser.jar.clone();
    let answer = browser.post("/sign-out", "").await;
    assert_eq!((answer.status, answer.header(header::LOCATION)), (StatusCode::SEE_OTHER, "/sign-in"));
    assert!(answer.header(header::SET_COOKIE).starts_with(&format!("{SESSION}=; Path=/; Max-Age=0;")));
    browser.jar = kept;
    assert_eq!(browser.get("/").await.status, StatusCode::SEE_OTHER);
    assert_eq!(browser.post("/sign-out", "").await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn another_sites_form_is_refused() {
    let table = store::table().await;
    let (_, mut browser) = browser::workspace(&table, "Acme").await;
    for (name, value) in
        [("sec-fetch-site", "cross-site"), ("origin", "https://evil.example"), ("x-nothing", "")]
    {
        for path in ["/sign-out", "/account/sign-out", "/sources"] {
            let request = Request::post(path).header(header::HOST, "app.example.com").header(name, value);
            let answer = browser.send(request.body(Body::empty()).unwrap()).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{name} {path}");
        }
    }
    assert_eq!(browser.get("/").await.status, StatusCode::OK);
    let request = Request::post("/sign-out").header(header::HOST, "app.example.com");
    let request = request.header(header::ORIGIN, "https://app.example.com").body(Body::empty()).unwrap();
    assert_eq!(browser.send(request).await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_client_that_tries_too_often_is_told_when_to_come_back_and_others_are_not_kept_out() {
    let table = store::table().await;
    let (made, _) = browser::workspace(&table, "Acme").await;
    let attempt = |client: &'static str, token: String| {
        let table = &table;
        async move {
            let mut request = Request::post("/sign-in")
                .header("sec-fetch-site", "same-origin")
                .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
                .body(Body::from(format!("token={token}")))
                .unwrap();
            let address = barometer_cloud::http::client::ClientAddress(client.parse().unwrap());
            request.extensions_mut().insert(address);
            Browser::at(table, now()).send(request).await
        }
    };
    for _ in 0..30 {
        assert_eq!(attempt("203.0.113.7", "bat_wrong".to_owned()).await.status, StatusCode::FORBIDDEN);
    }
    // Right or wrong: otherwise it could be guessed on.
    let refused = attempt("203.0.113.7", made.api_token.clone()).await;
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(refused.header(header::RETRY_AFTER), "900");
    assert_eq!(attempt("203.0.113.8", made.api_token.clone()).await.status, StatusCode::SEE_OTHER);
}
