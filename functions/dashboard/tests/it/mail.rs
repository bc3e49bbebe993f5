//! The page of mails: previews and test sends.

use barometer_cloud::{
    Table,
    table::{
        credentials::{Credential, Kind, Scope},
        test_mails::MOST_AN_HOUR,
    },
    workspaces::Created,
};
use chrono::TimeDelta;
use http::StatusCode;
use mailparse::MailHeaderMap;

use crate::{
    browser::{self, Browser, now},
    ses::Ses,
    store,
};

async fn signed_in(table: &Table, made: &Created, scope: Scope, ses: &Ses) -> Browser {
    let token = Credential {
        id: "csm".to_owned(),
        workspace_id: made.workspace_id.clone(),
        kind: Kind::ApiToken,
        scope: Some(scope),
        label: "csm".to_owned(),
        author: "csm@initech.example".to_owned(),
        created_at: now(),
        expires_at: None,
    };
    table.add_credential("bat_csm", &token).await.unwrap();
    let mut browser = Browser::with_ses(table, now(), ses);
    browser.sign_in("bat_csm").await;
    browser
}

async fn branded(table: &Table, made: &Created) {
    let mut version = table.settings(&made.workspace_id).await.unwrap().unwrap();
    version.version += 1;
    let mail = &mut version.settings.mail;
    mail.product = "R&D <Rocket>".to_owned();
    mail.accent = Some("#7a1f5c".to_owned());
    mail.logo_url = Some("https://cdn.example.com/logo.png".to_owned());
    table.save_settings(&made.workspace_id, &version).await.unwrap();
}

#[tokio::test]
async fn the_page_shows_the_mail_in_every_language() {
    let table = store::table().await;
    let (made, mut browser) = browser::workspace(&table, "Initech").await;
    branded(&table, &made).await;
    let page = browser.get("/settings/mail").await;
    assert_eq!(page.status, StatusCode::OK);
    for text in [
        r#"<iframe sandbox src="/settings/mail/preview/en" title="The mail in English">"#,
        r#"<iframe sandbox src="/settings/mail/preview/de" title="The mail in German">"#,
        "https://app.example.com/f/test-en?s=10",
        "https://app.example.com/f/test-de?s=10",
        "<dt>From</dt><dd>R&#38;D &#60;Rocket&#62; &#60;feedback@example.com&#62;</dd>",
        "#7a1f5c",
        "Guten Tag Ada Lovelace,",
    ] {
        assert!(page.body.contains(text), "{text} {}", page.body);
    }
    assert!(page.header("content-security-policy").contains("frame-src 'self'"));
    assert!(!page.body.contains(" style="), "the policy would ignore it");
}

#[tokio::test]
async fn a_preview_runs_nothing_and_fetches_the_logo_alone() {
    let table = store::table().await;
    let (made, mut browser) = browser::workspace(&table, "Initech").await;
    let plain = browser.get("/settings/mail/preview/de").await;
    assert!(plain.body.contains(r#"<html lang="de">"#) && plain.body.contains("8 von 10"));
    assert!(plain.header("content-security-policy").contains("img-src 'none';"));
    branded(&table, &made).await;
    let seen = browser.get("/settings/mail/preview/en").await;
    assert!(seen.body.contains("https://cdn.example.com/logo.png"));
    let policy = seen.header("content-security-policy");
    for part in [
        "default-src 'none'",
        "img-src https://cdn.example.com;",
        "form-action 'none'",
        "frame-ancestors 'self'",
        "base-uri 'none'",
        "; sandbox",
    ] {
        assert!(policy.contains(part), "{policy}");
    }
    assert!(!policy.contains("allow-") && !policy.contains("script"), "{policy}");
    assert_eq!(seen.header("x-content-type-options"), "nosniff");
    assert_eq!(browser.get("/settings/mail/preview/fr").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn without_a_session_there_is_no_preview_and_no_mail() {
    let table = store::table().await;
    let ses = Ses::default();
    let mut stranger = Browser::with_ses(&table, now(), &ses);
    for path in ["/settings/mail", "/settings/mail/preview/en"] {
        assert_eq!(stranger.get(path).await.header("location"), "/sign-in", "{path}");
    }
    let posted = stranger.post("/settings/mail", "to=a%40b.example&language=en").await;
    assert_eq!(posted.header("location"), "/sign-in");
    assert!(ses.sent().is_empty());
}

#[tokio::test]
async fn a_test_is_one_mail_to_the_address_with_links_that_say_so() {
    let table = store::table().await;
    let (made, _) = browser::workspace(&table, "Initech").await;
    let ses = Ses::default();
    let mut browser = signed_in(&table, &made, Scope::Write, &ses).await;
    assert!(browser.get("/settings/mail").await.body.contains(r#"value="csm@initech.example""#));
    let sent = browser.post("/settings/mail", "to=+boss%40initech.example+&language=de").await;
    assert_eq!((sent.status, sent.header("location")), (StatusCode::SEE_OTHER, "/settings/mail?sent"));
    assert!(browser.get("/settings/mail?sent").await.body.contains("The test mail is on its way."));

    let mails = ses.sent();
    assert_eq!(mails.len(), 1);
    assert_eq!(mails[0].0, "boss@initech.example");
    let mail = mailparse::parse_mail(mails[0].1.as_bytes()).unwrap();
    assert_eq!(mail.headers.get_first_value("To").as_deref(), Some("boss@initech.example"));
    assert_eq!(mail.headers.get_first_value("From").as_deref(), Some("Initech <feedback@example.com>"));
    assert_eq!(ses.sender_given(), None, "SES would write it over the name in From");
    let text = mail.subparts[0].get_body().unwrap();
    assert!(text.contains("https://app.example.com/f/test-de?s=0") && text.contains("Guten Tag,"));
    assert!(text.contains("https://app.example.com/u/test-de"));
}

#[tokio::test]
async fn who_may_only_read_sends_nothing() {
    let table = store::table().await;
    let (made, _) = browser::workspace(&table, "Initech").await;
    let ses = Ses::default();
    let mut reader = signed_in(&table, &made, Scope::Read, &ses).await;
    assert!(!reader.get("/settings/mail").await.body.contains("name=\"to\""));
    let posted = reader.post("/settings/mail", "to=a%40b.example&language=en").await;
    assert_eq!(posted.status, StatusCode::FORBIDDEN);
    assert!(ses.sent().is_empty());
}

#[tokio::test]
async fn what_is_no_address_is_shown_again_and_gets_no_mail() {
    let table = store::table().await;
    let (made, _) = browser::workspace(&table, "Initech").await;
    let ses = Ses::default();
    let mut browser = signed_in(&table, &made, Scope::Write, &ses).await;
    for to in ["", "nobody", "a%40b.example%0d%0aBcc%3a+c%40d.example", "a%40b.example%2c+c%40d.example"] {
        let seen = browser.post("/settings/mail", &format!("to={to}&language=en")).await;
        assert_eq!(seen.status, StatusCode::UNPROCESSABLE_ENTITY, "{to}");
        assert!(seen.body.contains("This is not an e-mail address."));
    }
    assert_eq!(browser.post("/settings/mail", "x=y").await.status, StatusCode::BAD_REQUEST);
    assert!(ses.sent().is_empty());
}

#[tokio::test]
async fn an_hour_has_so_many_tests_and_the_next_one_too() {
    let table = store::table().await;
    let (made, _) = browser::workspace(&table, "Initech").await;
    let ses = Ses::default();
    let mut browser = signed_in(&table, &made, Scope::Write, &ses).await;
    let form = "to=a%40b.example&language=en";
    for _ in 0..MOST_AN_HOUR {
        assert_eq!(browser.post("/settings/mail", form).await.status, StatusCode::SEE_OTHER);
    }
    assert_eq!(browser.post("/settings/mail", form).await.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(ses.sent().len(), MOST_AN_HOUR as usize);
    let mut later = Browser::with_ses(&table, now() + TimeDelta::hours(1), &ses);
    later.sign_in("bat_csm").await;
    assert_eq!(later.post("/settings/mail", form).await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_test_that_ses_does_not_take_says_why() {
    let table = store::table().await;
    let (made, _) = browser::workspace(&table, "Initech").await;
    let mut browser = signed_in(&table, &made, Scope::Write, &Ses::throttled()).await;
    let seen = browser.post("/settings/mail", "to=a%40b.example&language=en").await;
    assert_eq!(seen.status, StatusCode::BAD_GATEWAY);
    assert!(seen.body.contains("for now (throttled)"), "{}", seen.body);
    assert!(seen.body.contains(r#"value="a@b.example""#));
}
