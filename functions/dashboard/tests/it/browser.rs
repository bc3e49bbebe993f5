//! A browser without a screen: keeps cookies and sends what browsers send with forms.

use std::collections::BTreeMap;

use axum::{Router, body::Body};
use barometer_cloud::{Clock, Table, workspaces};
use chrono::{DateTime, TimeZone, Utc};
use dashboard::Deps;
use http::{HeaderMap, Request, StatusCode, header};
use http_body_util::BodyExt;
use tower::ServiceExt;

use crate::{api, ses::Ses};

/// Tuesday of 2026-W37.
pub fn now() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 9, 8, 10, 0, 0).unwrap()
}

/// An answer that was read.
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: String,
}

impl Answer {
    pub fn header(&self, name: impl header::AsHeaderName) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

pub struct Browser {
    router: Router,
    api: Router,
    /// Cookies by name.
    pub jar: BTreeMap<String, String>,
}

impl Browser {
    pub fn at(table: &Table, now: DateTime<Utc>) -> Self {
        Self::with_ses(table, now, &Ses::default())
    }

    pub fn with_ses(table: &Table, now: DateTime<Utc>, ses: &Ses) -> Self {
        let (table, clock) = (table.clone(), Clock::fixed(now));
        let (mailer, api) = (ses.mailer(), api::over(&table, &clock));
        Self::of(Deps {
            table,
            clock,
            mailer,
            api,
            secure_cookies: true,
            origin: None,
            asking_takes: None,
            oidc: None,
        })
    }

    pub fn of(deps: Deps) -> Self {
        let api = api::of_programs(&deps.table, &deps.clock);
        Self { api, router: dashboard::router(deps), jar: BTreeMap::new() }
    }

    /// The same browser at another time.
    pub fn later(&self, table: &Table, now: DateTime<Utc>) -> Self {
        Self { jar: self.jar.clone(), ..Self::at(table, now) }
    }

    /// What it sends as `Cookie`.
    pub fn cookie(&self) -> Option<String> {
        let pairs: Vec<String> = self.jar.iter().map(|(name, value)| format!("{name}={value}")).collect();
        (!pairs.is_empty()).then(|| pairs.join("; "))
    }

    pub async fn send(&mut self, request: Request<Body>) -> Answer {
        self.ask(self.router.clone(), request).await
    }

    /// Follows a link to the API.
    pub async fn api(&mut self, path: &str) -> Answer {
        self.ask(self.api.clone(), Request::get(path).body(Body::empty()).unwrap()).await
    }

    async fn ask(&mut self, router: Router, mut request: Request<Body>) -> Answer {
        if let Some(cookie) = self.cookie() {
            request.headers_mut().insert(header::COOKIE, cookie.parse().unwrap());
        }
        let response = router.oneshot(request).await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        for set in headers.get_all(header::SET_COOKIE) {
            let pair = set.to_str().unwrap().split(';').next().unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            match value {
                "" => self.jar.remove(name),
                value => self.jar.insert(name.to_owned(), value.to_owned()),
            };
        }
        let body = response.into_body().collect().await.unwrap().to_bytes();
        Answer { status, headers, body: String::from_utf8(body.to_vec()).unwrap() }
    }

    pub async fn get(&mut self, path: &str) -> Answer {
        let request = Request::get(path).header(header::HOST, "app.example.com").body(Body::empty());
        self.send(request.unwrap()).await
    }

    pub async fn post(&mut self, path: &str, form: &str) -> Answer {
        let request = Request::post(path)
            .header(header::HOST, "app.example.com")
            .header("sec-fetch-site", "same-origin")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(form.to_owned()));
        self.send(request.unwrap()).await
    }

    pub async fn sign_in(&mut self, token: &str) -> Answer {
        self.post("/sign-in", &format!("token={token}")).await
    }
}

/// A new workspace and a browser that is signed in to it.
pub async fn workspace(table: &Table, name: &str) -> (workspaces::Created, Browser) {
    let new = workspaces::NewWorkspace { name: name.to_owned(), ..Default::default() };
    let made = workspaces::create(table, new, now()).await.unwrap();
    let mut browser = Browser::at(table, now());
    assert_eq!(browser.sign_in(&made.api_token).await.status, StatusCode::SEE_OTHER);
    (made, browser)
}
