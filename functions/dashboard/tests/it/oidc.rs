//! Signing in with an OpenID Connect issuer.

use std::collections::HashMap;

use barometer_cloud::{
    Clock, Table,
    table::team::{Member, Role},
};
use chrono::{DateTime, TimeDelta, Utc};
use dashboard::{Deps, Oidc};
use http::{StatusCode, header};
use serde_json::{Value, json};

use crate::{
    api,
    browser::{self, Answer, Browser, now},
    issuer::{CLIENT, Issuer, Signing},
    ses::Ses,
    store, team,
};

const ANA: &str = "ana@initech.example";
const SESSION: &str = "__Host-barometer_session";

struct World {
    table: Table,
    issuer: Issuer,
    oidc: Oidc,
    ana: Member,
}

impl World {
    async fn new() -> Self {
        let table = store::table().await;
        let (made, _) = browser::workspace(&table, "Acme").await;
        let ana = team::member(&table, &made.workspace_id, ANA, Role::Csm).await;
        let issuer = Issuer::start().await;
        let oidc = Oidc::new(issuer.settings());
        Self { table, issuer, oidc, ana }
    }

    fn browser_at(&self, now: DateTime<Utc>) -> Browser {
        Browser::of(Deps {
            table: self.table.clone(),
            clock: Clock::fixed(now),
            api: api::over(&self.table, &Clock::fixed(now)),
            mailer: Ses::default().mailer(),
            secure_cookies: true,
            origin: Some("https://health.initech.example".to_owned()),
            asking_takes: None,
            oidc: Some(self.oidc.clone()),
        })
    }

    fn browser(&self) -> Browser {
        self.browser_at(now())
    }

    /// What a good token says.
    fn claims(&self, asked: &HashMap<String, String>) -> Value {
        json!({
            "iss": self.issuer.url(), "aud": CLIENT, "sub": "42", "nonce": asked["nonce"],
            "iat": now().timestamp(), "exp": now().timestamp() + 300,
            "email": "Ana@Initech.example", "email_verified": true,
        })
    }

    /// Signs somebody in with claims that differ from good ones, and signed in some way.
    async fn with(&self, differing: &Value, signing: Signing) -> (Browser, Answer) {
        let mut browser = self.browser();
        let asked = begin(&mut browser).await;
        let mut claims = self.claims(&asked);
        for (name, value) in differing.as_object().unwrap() {
            match value {
                Value::Null => claims.as_object_mut().unwrap().remove(name),
                value => claims.as_object_mut().unwrap().insert(name.clone(), value.clone()),
            };
        }
        let code = self.issuer.give(&asked, claims, signing);
        let answer = back(&mut browser, &code, &asked["state"]).await;
        (browser, answer)
    }
}

/// Begins; returns what the issuer is asked.
async fn begin(browser: &mut Browser) -> HashMap<String, String> {
    let answer = browser.get("/sign-in/oidc").await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
    let location = answer.header(header::LOCATION);
    let (endpoint, query) = location.split_once('?').unwrap();
    assert!(endpoint.ends_with("/authorize"), "{location}");
    form_urlencoded::parse(query.as_bytes()).into_owned().collect()
}

/// Comes back from the issuer.
async fn back(browser: &mut Browser, code: &str, state: &str) -> Answer {
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("code", code)
        .append_pair("state", state)
        .finish();
    browser.get(&format!("/sign-in/oidc/callback?{query}")).await
}

fn is_refused(browser: &Browser, answer: &Answer) -> bool {
    answer.status == StatusCode::FORBIDDEN
        && answer.body.contains("Not signed in")
        && !browser.jar.contains_key(SESSION)
        && !browser.jar.contains_key("__Host-barometer_oidc")
}

#[tokio::test]
async fn a_member_whom_the_issuer_knows_is_signed_in_with_either_algorithm() {
    let world = World::new().await;
    for signing in [Signing::Rs256, Signing::Es256] {
        let (mut browser, answer) = world.with(&json!({}), signing).await;
        assert_eq!((answer.status, answer.header(header::LOCATION)), (StatusCode::SEE_OTHER, "/"));
        assert_eq!(browser.jar.keys().collect::<Vec<_>>(), [SESSION]);
        assert!(browser.get("/account").await.body.contains("You are a CSM"));
    }
    let stored = world.table.team_member(&world.ana.workspace_id, &world.ana.id).await.unwrap().unwrap();
    assert_eq!(stored.last_sign_in, Some(now()));
}

#[tokio::test]
async fn what_is_asked_of_the_issuer_is_new_every_time_and_comes_back_to_the_configured_address() {
    let world = World::new().await;
    let mut browser = world.browser();
    let (one, other) = (begin(&mut browser).await, begin(&mut browser).await);
    for name in ["state", "nonce", "code_challenge"] {
        assert_ne!(one[name], other[name], "{name}");
        assert_eq!(one[name].len(), 43, "{name}");
    }
    assert_eq!(one["redirect_uri"], "https://health.initech.example/sign-in/oidc/callback");
    assert_eq!(one["tenant"], "1", "the endpoint's own query stays");
    assert!(browser.get("/sign-in").await.body.contains("Sign in with 127.0.0.1"));
}

#[tokio::test]
async fn a_token_with_anything_wrong_in_it_signs_nobody_in() {
    let world = World::new().await;
    let past = now().timestamp() - 61;
    for (why, differing) in [
        ("nonce", json!({ "nonce": "another" })),
        ("no nonce", json!({ "nonce": null })),
        ("audience", json!({ "aud": "another" })),
        ("several audiences and nobody authorized", json!({ "aud": [CLIENT, "another"] })),
        ("another is authorized", json!({ "azp": "another" })),
        ("issuer", json!({ "iss": "https://evil.example" })),
        ("expired", json!({ "exp": past })),
        ("of tomorrow", json!({ "iat": now().timestamp() + 86_400, "exp": now().timestamp() + 90_000 })),
        ("not before tomorrow", json!({ "nbf": now().timestamp() + 86_400 })),
        ("unverified", json!({ "email_verified": false })),
        ("unverified by silence", json!({ "email_verified": null })),
        ("unverified text", json!({ "email_verified": "false" })),
        ("no address", json!({ "email": null })),
        ("not an address", json!({ "email": "ana" })),
        ("no end", json!({ "exp": null })),
    ] {
        let (browser, answer) = world.with(&differing, Signing::Rs256).await;
        assert!(is_refused(&browser, &answer), "{why}: {} {}", answer.status, answer.body);
    }
    for good in [
        json!({ "aud": [CLIENT] }),
        json!({ "aud": [CLIENT, "another"], "azp": CLIENT }),
        json!({ "email_verified": "true" }),
        json!({ "exp": past + 2 }),
    ] {
        let (_, answer) = world.with(&good, Signing::Rs256).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{good}");
    }
}

#[tokio::test]
async fn a_token_that_the_issuer_didnt_sign_signs_nobody_in() {
    let world = World::new().await;
    for signing in
        [Signing::Unsigned, Signing::Symmetric, Signing::Swapped, Signing::Forged, Signing::UnknownKey]
    {
        let (browser, answer) = world.with(&json!({}), signing).await;
        assert!(is_refused(&browser, &answer), "{signing:?}: {}", answer.status);
    }
}

#[tokio::test]
async fn an_answer_that_comes_to_another_browser_or_with_another_state_is_refused() {
    let world = World::new().await;
    let (mut ana, mut eve) = (world.browser(), world.browser());
    let asked = begin(&mut ana).await;
    let eves = begin(&mut eve).await;
    let code = world.issuer.give(&asked, world.claims(&asked), Signing::Rs256);
    // Eve's own attempt is over with that, and a browser without one has none.
    for browser in [&mut eve, &mut world.browser()] {
        let answer = back(browser, &code, &asked["state"]).await;
        assert!(is_refused(browser, &answer), "{}", answer.body);
    }
    // What Eve got is no use in Ana's browser: nobody is signed in as somebody else.
    let hers = world.issuer.give(&eves, world.claims(&eves), Signing::Rs256);
    let answer = back(&mut ana, &hers, &eves["state"]).await;
    assert!(is_refused(&ana, &answer), "{}", answer.body);
}

#[tokio::test]
async fn a_code_of_another_attempt_of_the_same_browser_is_refused() {
    let world = World::new().await;
    let mut ana = world.browser();
    let first = begin(&mut ana).await;
    let code = world.issuer.give(&first, world.claims(&first), Signing::Rs256);
    let second = begin(&mut ana).await;
    // The verifier is that of the second attempt.
    let answer = back(&mut ana, &code, &second["state"]).await;
    assert!(is_refused(&ana, &answer), "{}", answer.body);
}

#[tokio::test]
async fn an_attempt_is_over_after_one_answer_and_what_isnt_an_answer_is_refused() {
    let world = World::new().await;
    let mut ana = world.browser();
    let asked = begin(&mut ana).await;
    let code = world.issuer.give(&asked, world.claims(&asked), Signing::Rs256);
    let denied =
        ana.get(&format!("/sign-in/oidc/callback?error=access_denied&state={}", asked["state"])).await;
    assert!(is_refused(&ana, &denied), "{}", denied.body);
    let answer = back(&mut ana, &code, &asked["state"]).await;
    assert!(is_refused(&ana, &answer), "{}", answer.body);
    for query in ["", "?code=x", "?state=x&state=y"] {
        let answer = world.browser().get(&format!("/sign-in/oidc/callback{query}")).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{query}");
    }
}

#[tokio::test]
async fn who_is_no_member_is_told_so_and_not_signed_in() {
    let world = World::new().await;
    let (browser, answer) = world.with(&json!({ "email": "eve@initech.example" }), Signing::Rs256).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert!(answer.body.contains("You aren’t a member"), "{}", answer.body);
    assert!(!browser.jar.contains_key(SESSION));
}

#[tokio::test]
async fn a_member_of_several_workspaces_chooses_after_the_issuer() {
    let world = World::new().await;
    let (other, _) = browser::workspace(&world.table, "Globex").await;
    team::member(&world.table, &other.workspace_id, ANA, Role::Viewer).await;
    let (mut browser, answer) = world.with(&json!({}), Signing::Es256).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    let path = answer.header(header::LOCATION).to_owned();
    assert!(path.starts_with("/sign-in/bsi_"), "{path}");
    let mut thief = world.browser();
    assert!(thief.get(&path).await.body.contains("This is another browser"));
    let chosen = browser.post(&path, &format!("workspace={}", other.workspace_id)).await;
    assert_eq!(chosen.status, StatusCode::SEE_OTHER);
    assert!(browser.get("/").await.body.contains("Globex"));
}

#[tokio::test]
async fn an_issuer_that_takes_the_secret_in_the_body_only_gets_it_there() {
    let world = World::new().await;
    world.issuer.take_post_only();
    let (_, answer) = world.with(&json!({}), Signing::Rs256).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn an_issuer_that_calls_itself_otherwise_is_not_asked() {
    let world = World::new().await;
    world.issuer.call_itself("https://evil.example");
    let answer = world.browser().get("/sign-in/oidc").await;
    assert_eq!(answer.status, StatusCode::BAD_GATEWAY);
    assert!(answer.headers.get(header::SET_COOKIE).is_none());
}

#[tokio::test]
async fn what_the_issuer_says_of_itself_is_read_once_an_hour() {
    let world = World::new().await;
    for minutes in [0, 1, 59, 60] {
        begin(&mut world.browser_at(now() + TimeDelta::minutes(minutes))).await;
    }
    let described = |path: &str| world.issuer.calls().iter().filter(|call| *call == path).count();
    assert_eq!((described("/.well-known/openid-configuration"), described("/jwks")), (2, 2));
}

#[tokio::test]
async fn without_an_issuer_there_is_nothing_at_its_paths() {
    let table = store::table().await;
    let mut browser = Browser::at(&table, now());
    for path in ["/sign-in/oidc", "/sign-in/oidc/callback?code=x&state=y"] {
        assert_eq!(browser.get(path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
    assert!(!browser.get("/sign-in").await.body.contains("Sign in with"));
}
