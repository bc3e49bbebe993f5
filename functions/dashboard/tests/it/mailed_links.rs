//! Signing in by a link that is mailed.

use std::time::Duration;

use barometer_cloud::{Clock, Table, table::team::Role, workspaces::Created};
use chrono::{DateTime, TimeDelta, Utc};
use dashboard::Deps;
use http::{StatusCode, header};

use crate::{
    api,
    browser::{self, Answer, Browser, now},
    ses::Ses,
    store, team,
};

const ANA: &str = "ana@initech.example";

async fn world() -> (Table, Created, Ses) {
    let table = store::table().await;
    let (made, _) = browser::workspace(&table, "Acme").await;
    team::member(&table, &made.workspace_id, ANA, Role::Csm).await;
    (table, made, Ses::default())
}

fn browser(table: &Table, ses: &Ses) -> Browser {
    Browser::with_ses(table, now(), ses)
}

async fn ask(browser: &mut Browser, email: &str) -> Answer {
    browser.post("/sign-in", &format!("email={}", email.replace('@', "%40"))).await
}

/// The path of the link in the last mail.
fn link(ses: &Ses) -> String {
    let (_, raw) = ses.sent().pop().unwrap();
    let read = mailparse::parse_mail(raw.as_bytes()).unwrap();
    let text = read.subparts[0].get_body().unwrap();
    let line = text.lines().find(|line| line.contains("/sign-in/")).unwrap().trim().to_owned();
    line.strip_prefix("https://app.example.com").unwrap().to_owned()
}

#[tokio::test]
async fn the_browser_that_asked_is_signed_in_by_the_mailed_link() {
    let (table, _, ses) = world().await;
    let mut ana = browser(&table, &ses);
    let asked = ask(&mut ana, " Ana@Initech.example ").await;
    assert_eq!(asked.status, StatusCode::OK);
    let cookie = asked.header(header::SET_COOKIE);
    assert!(cookie.starts_with("__Host-barometer_browser=bsb_"), "{cookie}");
    assert!(cookie.ends_with("; Path=/; Max-Age=900; HttpOnly; SameSite=Lax; Secure"), "{cookie}");
    assert_eq!(ses.sent()[0].0, ANA);

    let path = link(&ses);
    assert!(ana.get(&path).await.body.contains("<button>Sign in to Acme</button>"));
    let answer = ana.post(&path, "").await;
    assert_eq!((answer.status, answer.header(header::LOCATION)), (StatusCode::SEE_OTHER, "/"));
    assert_eq!(ana.jar.keys().collect::<Vec<_>>(), ["__Host-barometer_session"]);
    assert_eq!(ana.get("/").await.status, StatusCode::OK);
}

#[tokio::test]
async fn in_another_browser_the_link_says_so_and_is_not_used_up() {
    let (table, _, ses) = world().await;
    let mut ana = browser(&table, &ses);
    ask(&mut ana, ANA).await;
    let path = link(&ses);
    let mut without = browser(&table, &ses);
    let mut with_its_own = browser(&table, &ses);
    ask(&mut with_its_own, "nobody@initech.example").await;
    for other in [&mut without, &mut with_its_own] {
        for answer in [other.get(&path).await, other.post(&path, "").await] {
            assert_eq!(answer.status, StatusCode::FORBIDDEN);
            assert!(answer.body.contains("This is another browser"), "{}", answer.body);
        }
        assert!(!other.jar.contains_key("__Host-barometer_session"));
    }
    assert_eq!(ana.post(&path, "").await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn whether_an_address_is_a_members_is_told_to_nobody() {
    let (table, _, ses) = world().await;
    let mut anybody = browser(&table, &ses);
    let known = ask(&mut anybody, ANA).await;
    let unknown = ask(&mut anybody, "eve@initech.example").await;
    assert_eq!(ses.sent().len(), 1);
    assert_eq!(known.status, unknown.status);
    assert_eq!(known.body.replace(ANA, ""), unknown.body.replace("eve@initech.example", ""));
    let names = |answer: &Answer| answer.headers.keys().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(names(&known), names(&unknown));
    assert_eq!(known.header(header::SET_COOKIE), unknown.header(header::SET_COOKIE));
}

/// A browser of a page that takes its time over asking.
fn paced(table: &Table, ses: &Ses, takes: Duration) -> Browser {
    Browser::of(Deps {
        table: table.clone(),
        clock: Clock::fixed(now()),
        api: api::over(table, &Clock::fixed(now())),
        mailer: ses.mailer(),
        secure_cookies: true,
        origin: None,
        asking_takes: Some(takes),
        oidc: None,
    })
}

#[tokio::test]
async fn asking_takes_its_time_for_known_and_unknown_addresses_even_when_no_mail_gets_out() {
    let takes = Duration::from_millis(700);
    let (table, _, ses) = world().await;
    for (ses, address) in
        [(&ses, ANA), (&ses, "eve@initech.example"), (&Ses::silent(), ANA), (&Ses::throttled(), ANA)]
    {
        let mut browser = paced(&table, ses, takes);
        let begun = tokio::time::Instant::now();
        let answer = tokio::time::timeout(Duration::from_secs(30), ask(&mut browser, address)).await;
        assert_eq!(answer.unwrap().status, StatusCode::OK);
        assert!(begun.elapsed() >= takes, "{address}: {:?}", begun.elapsed());
    }
    assert_eq!(ses.sent().len(), 1);
}

#[tokio::test]
async fn a_mail_that_fails_changes_nothing_in_the_answer_and_one_can_ask_again() {
    let (table, _, ses) = world().await;
    let mut ana = browser(&table, &Ses::throttled());
    assert_eq!(ask(&mut ana, ANA).await.status, StatusCode::OK);
    let mut again = browser(&table, &ses);
    again.jar = ana.jar.clone();
    ask(&mut again, ANA).await;
    assert_eq!(again.post(&link(&ses), "").await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_browser_that_asked_twice_can_use_either_link() {
    let (table, _, ses) = world().await;
    let mut ana = browser(&table, &ses);
    ask(&mut ana, ANA).await;
    let first = link(&ses);
    ask(&mut ana, ANA).await;
    assert_ne!(first, link(&ses));
    assert_eq!(ana.post(&first, "").await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn an_address_gets_five_links_in_a_quarter_of_an_hour_whoever_asks() {
    let (table, _, ses) = world().await;
    for _ in 0..7 {
        let answer = ask(&mut browser(&table, &ses), ANA).await;
        assert_eq!(answer.status, StatusCode::OK, "the answer doesn't tell");
    }
    assert_eq!(ses.sent().len(), 5);
    let mut later = Browser::with_ses(&table, now() + TimeDelta::minutes(15), &ses);
    ask(&mut later, ANA).await;
    assert_eq!(ses.sent().len(), 6);
}

#[tokio::test]
async fn a_member_of_several_workspaces_chooses_one_of_theirs() {
    let (table, _, ses) = world().await;
    let (other, _) = browser::workspace(&table, "Globex").await;
    team::member(&table, &other.workspace_id, ANA, Role::Viewer).await;
    let (strangers, _) = browser::workspace(&table, "Strangers").await;
    let mut ana = browser(&table, &ses);
    ask(&mut ana, ANA).await;
    assert_eq!(ses.sent().len(), 1);
    let path = link(&ses);
    for answer in [
        ana.get(&path).await,
        ana.post(&path, "").await,
        ana.post(&path, &format!("workspace={}", strangers.workspace_id)).await,
    ] {
        assert_eq!(answer.status, StatusCode::OK);
        assert!(answer.body.contains("Sign in to Acme") && answer.body.contains("Sign in to Globex"));
        assert!(!answer.body.contains("Strangers"));
    }
    let answer = ana.post(&path, &format!("workspace={}", other.workspace_id)).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    assert!(ana.get("/").await.body.contains("Globex"));
}

#[tokio::test]
async fn who_is_removed_before_the_link_is_used_is_not_signed_in() {
    let (table, made, ses) = world().await;
    let mut ana = browser(&table, &ses);
    ask(&mut ana, ANA).await;
    let member = table.team(&made.workspace_id).await.unwrap().remove(0);
    table.remove_member(&member, None).await.unwrap();
    assert_eq!(ana.post(&link(&ses), "").await.status, StatusCode::FORBIDDEN);
    assert!(!ana.jar.contains_key("__Host-barometer_session"));
}

#[tokio::test]
async fn what_is_no_address_is_said_and_mailed_to_nobody() {
    let (table, _, ses) = world().await;
    for wrong in ["", "ana", "ana@", "a@b@c", "a%0d%0aBcc%3a x@y.example"] {
        let answer = ask(&mut browser(&table, &ses), wrong).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{wrong:?}");
        assert!(answer.body.contains("This is not an e-mail address."));
    }
    assert!(ses.sent().is_empty());
}

fn configured(table: &Table, ses: &Ses, origin: &str, now: DateTime<Utc>) -> Browser {
    Browser::of(Deps {
        table: table.clone(),
        clock: Clock::fixed(now),
        api: api::over(table, &Clock::fixed(now)),
        mailer: ses.mailer(),
        secure_cookies: true,
        origin: Some(origin.to_owned()),
        asking_takes: None,
        oidc: None,
    })
}

#[tokio::test]
async fn the_mailed_link_leads_to_the_configured_address_whatever_host_the_request_names() {
    let (table, _, ses) = world().await;
    let mut attacker = configured(&table, &ses, "https://health.initech.example", now());
    ask(&mut attacker, ANA).await;
    let (_, mail) = ses.sent().pop().unwrap();
    assert!(mail.contains("https://health.initech.example/sign-in/bsi_"), "{mail}");
    assert!(!mail.contains("app.example.com"), "{mail}");
}

#[tokio::test]
async fn another_name_of_this_machine_leads_to_the_one_that_links_have() {
    let (table, _, ses) = world().await;
    let mut browser = configured(&table, &ses, "http://127.0.0.1:8080", now());
    let mut at = async |host: &str| {
        let request =
            http::Request::get("/sign-in").header(header::HOST, host).body(axum::body::Body::empty());
        browser.send(request.unwrap()).await
    };
    let answer = at("localhost:8080").await;
    assert_eq!(
        (answer.status, answer.header(header::LOCATION)),
        (StatusCode::SEE_OTHER, "http://127.0.0.1:8080/sign-in")
    );
    for host in ["127.0.0.1:8080", "192.168.1.5:8080", "evil.example"] {
        assert_eq!(at(host).await.status, StatusCode::OK, "{host}");
    }
}
