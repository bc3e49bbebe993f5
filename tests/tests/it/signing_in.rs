//! A member from being added to being removed, in a running home: added over the API, signed in by the mailed link, heard in
//! the API by the session's cookie.

use barometer::client::Answer;
use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::home::{Running, read, text};

const NOW: &str = "2026-09-02T09:00:00Z";

/// A browser: cookies by name.
struct Browser<'a> {
    running: &'a Running,
    cookies: Vec<(String, String)>,
}

impl Browser<'_> {
    async fn send(&mut self, method: Method, path: &str, kind: &'static str, body: String) -> Answer {
        let cookie: Vec<String> =
            self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let cookie = cookie.join("; ");
        let mut headers = vec![("sec-fetch-site", "same-origin"), ("content-type", kind)];
        if !cookie.is_empty() {
            headers.push(("cookie", cookie.as_str()));
        }
        let answer = self.running.client.send(method, path, &headers, body).await.unwrap();
        for set in answer.headers.get_all("set-cookie") {
            let (name, value) = set.to_str().unwrap().split(';').next().unwrap().split_once('=').unwrap();
            self.cookies.retain(|(kept, _)| kept != name);
            if !value.is_empty() {
                self.cookies.push((name.to_owned(), value.to_owned()));
            }
        }
        answer
    }

    async fn form(&mut self, path: &str, body: &str) -> Answer {
        self.send(Method::POST, path, "application/x-www-form-urlencoded", body.to_owned()).await
    }

    async fn api(&mut self, method: Method, path: &str, body: &Value) -> Answer {
        self.send(method, path, "application/json", body.to_string()).await
    }
}

/// The path of the link in the last mail.
async fn mailed_link(running: &Running) -> String {
    let mails = running.get("/local/mail").await;
    let text = mails.as_array().unwrap().last().unwrap()["text"].as_str().unwrap();
    let at = text.find("/sign-in/").unwrap();
    text[at..].split_whitespace().next().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_signs_in_works_and_is_out_at_once_when_removed() {
    let running = Running::start(NOW, "Etc/UTC").await;
    running.event(json!({ "type": "group", "userId": "ada", "groupId": "acme", "messageId": "g" })).await;
    let member = json!({ "email": "ana@initech.example", "name": "Ana", "role": "csm" });
    let added = running.api(Method::POST, "/v1/members", &member).await;
    assert_eq!(added.status, StatusCode::CREATED, "{}", text(&added));
    let member = format!("/v1/members/{}", read(&added)["id"].as_str().unwrap());

    let mut ana = Browser { running: &running, cookies: Vec::new() };
    let asked = ana.form("/sign-in", "email=ana%40initech.example").await;
    assert_eq!(asked.status, StatusCode::OK, "{}", text(&asked));
    let link = mailed_link(&running).await;
    let signed_in = ana.form(&link, "").await;
    assert_eq!(signed_in.status, StatusCode::SEE_OTHER, "{}", text(&signed_in));
    assert!(ana.cookies.iter().any(|(name, _)| name == "barometer_session"), "{:?}", ana.cookies);
    assert_eq!(ana.form(&link, "").await.status, StatusCode::FORBIDDEN, "once");

    let status = json!({ "status": "healthy", "note": "Growing." });
    let path = "/v1/companies/acme/status";
    let set = ana.api(Method::PUT, path, &status).await;
    assert_eq!((set.status, &read(&set)["author"]), (StatusCode::OK, &json!("ana@initech.example")));
    assert_eq!(ana.api(Method::GET, "/v1/audit", &Value::Null).await.status, StatusCode::FORBIDDEN);

    running.api(Method::PATCH, &member, &json!({ "role": "viewer" })).await;
    let set = ana.api(Method::PUT, path, &json!({ "status": "steady", "note": "Flat." })).await;
    assert_eq!(set.status, StatusCode::FORBIDDEN, "{}", text(&set));
    assert_eq!(ana.api(Method::GET, "/v1/companies/acme", &Value::Null).await.status, StatusCode::OK);

    assert_eq!(running.api(Method::DELETE, &member, &Value::Null).await.status, StatusCode::NO_CONTENT);
    let gone = ana.api(Method::GET, "/v1/companies/acme", &Value::Null).await;
    assert_eq!(gone.status, StatusCode::UNAUTHORIZED, "{}", text(&gone));
    running.home.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_status_is_not_set_by_what_another_site_sends_along_with_a_session() {
    let running = Running::start(NOW, "Etc/UTC").await;
    let mut ana = Browser { running: &running, cookies: Vec::new() };
    let token = format!("token={}", running.keys.api_token);
    assert_eq!(ana.form("/sign-in", &token).await.status, StatusCode::SEE_OTHER);
    let (name, value) = &ana.cookies[0];
    let cookie = format!("{name}={value}");
    for (method, path, body) in [
        (Method::PUT, "/v1/companies/acme/status", json!({ "status": "healthy", "note": "x" })),
        (Method::POST, "/v1/companies/statuses", json!({ "changes": [] })),
        (Method::POST, "/v1/members", json!({ "email": "eve@evil.example", "role": "admin" })),
        (Method::POST, "/account/sign-out", Value::Null),
    ] {
        for from in [("sec-fetch-site", "cross-site"), ("origin", "https://evil.example"), ("accept", "*/*")]
        {
            let headers = [("cookie", cookie.as_str()), from];
            let answer = running.client.send(method.clone(), path, &headers, body.to_string()).await.unwrap();
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path} {from:?}: {}", text(&answer));
        }
    }
    running.home.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_of_signing_in_is_in_the_template() {
    let running = Running::start(NOW, "Etc/UTC").await;
    for (path, status) in [
        ("/sign-in", StatusCode::OK),
        ("/sign-in/bsi_unknown", StatusCode::FORBIDDEN),
        ("/account", StatusCode::SEE_OTHER),
        // No issuer is set here, and the page says so: another function would answer as an API does.
        ("/sign-in/oidc", StatusCode::NOT_FOUND),
        ("/sign-in/oidc/callback", StatusCode::NOT_FOUND),
    ] {
        let answer = running.client.send(Method::GET, path, &[], String::new()).await.unwrap();
        assert_eq!(answer.status, status, "{path}: {}", text(&answer));
        assert!(answer.headers.contains_key("content-security-policy"), "{path} isn't a page");
    }
    running.home.stop().await;
}
