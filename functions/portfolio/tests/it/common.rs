//! A workspace on the embedded store with the API in front of it.

use std::sync::{
    OnceLock,
    atomic::{AtomicU32, Ordering},
};

use aws_credential_types::Credentials;
use axum::{Router, body::Body};
use barometer_cloud::{
    Clock, Table,
    automation::Automation,
    clients::{self, Aws},
    table::{
        answers::Void,
        companies::{Engagement, Profile, Readings},
        credentials::{Credential, Kind, Scope},
        members::Person,
        sessions::{Holder, Session},
        statuses::StatusChange,
        team::{Member, Role},
    },
    workspaces::{self, NewWorkspace},
};
use barometer_domain::{
    CompanyId, IsoWeek, Percent, UserId, WorkspaceId,
    automation::{Happened, Occurrence},
    band::{Bands, Standing},
    component::{AdoptionCounts, Component, Components, FeedbackCounts, LoginCounts, Missing},
    settings::MissingPolicy,
    status::{BusinessStatus, ChangeKind, Status},
    telemetry::Telemetry,
    week::{Confidence, WeekSnapshot},
};
use barometer_webhook::{Client, Reach};
use chrono::{DateTime, TimeDelta, Utc};
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::BodyExt;
use serde_json::Value;
use tower::ServiceExt;

/// The address of the embedded store of this process.
fn store() -> &'static str {
    static ADDRESS: OnceLock<String> = OnceLock::new();
    ADDRESS.get_or_init(|| {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
            runtime.unwrap().block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                let database = dynoxide::Database::memory().unwrap();
                dynoxide::server::serve_with_shutdown(listener, database, std::future::pending()).await
            })
        });
        address
    })
}

/// Wednesday of 2026-W37: the grace of W36 is over.
pub const NOW: &str = "2026-09-09T12:00:00Z";

pub fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

pub fn week(text: &str) -> IsoWeek {
    text.parse().unwrap()
}

pub fn company(id: &str) -> CompanyId {
    CompanyId::new(id).unwrap()
}

pub fn user(id: &str) -> UserId {
    UserId::new(id).unwrap()
}

/// That a CSM voided an answer.
pub fn void() -> Void {
    Void { reason: "a test".to_owned(), by: "csm@example.com".to_owned(), at: at(NOW) }
}

pub fn percent(basis_points: u16) -> Percent {
    Percent::from_basis_points(basis_points).unwrap()
}

/// A table of its own, and how it is reached.
pub async fn table() -> (Table, Aws) {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let aws = Aws {
        region: "eu-central-1".to_owned(),
        credentials: Credentials::from_keys("test", "test", None),
        endpoint_url: Some(store().to_owned()),
        http_client: clients::http_client(),
    };
    let name = format!("portfolio-{}", COUNT.fetch_add(1, Ordering::Relaxed));
    let table = Table::new(clients::dynamodb(&aws), name);
    table.create().await.unwrap();
    (table, aws)
}

/// A workspace and its API.
pub struct Home {
    pub table: Table,
    pub workspace: WorkspaceId,
    pub write_key: String,
    pub token: String,
    router: Router,
}

/// An answer, read to its end.
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    #[track_caller]
    pub fn ok(self) -> Value {
        assert_eq!(self.status, StatusCode::OK, "{}", self.text);
        self.json()
    }

    /// Checks that this is a problem document with a status and, when given, a pointer among its errors.
    #[track_caller]
    pub fn problem(self, status: u16, pointer: Option<&str>) -> Value {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        assert_eq!(self.headers["content-type"], "application/problem+json");
        assert_eq!(self.headers["cache-control"], "no-store");
        let problem = self.json();
        assert_eq!(problem["status"], status);
        assert!(problem["detail"].is_string() && problem["code"].is_string());
        if let Some(pointer) = pointer {
            let errors = problem["errors"].as_array().unwrap();
            assert!(errors.iter().any(|error| error["pointer"] == pointer), "{pointer}: {problem}");
        }
        problem
    }
}

impl Home {
    /// A new workspace in a table of its own.
    pub async fn new() -> Self {
        let (table, _) = table().await;
        let clock = Clock::fixed(at(NOW));
        let router = portfolio::router(portfolio::Deps {
            table: table.clone(),
            clock,
            webhooks: Client::new(Reach::PublicOnly),
        });
        Self::with(table, router).await
    }

    /// Another workspace of the same installation.
    pub async fn neighbour(&self) -> Self {
        Self::with(self.table.clone(), self.router.clone()).await
    }

    async fn with(table: Table, router: Router) -> Self {
        let new = NewWorkspace { name: "Initech".to_owned(), ..NewWorkspace::default() };
        let made = workspaces::create(&table, new, at(NOW)).await.unwrap();
        Self { table, workspace: made.workspace_id, write_key: made.write_key, token: made.api_token, router }
    }

    pub async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        Answer { status: parts.status, headers: parts.headers, text }
    }

    /// A request with the workspace's token and these headers.
    pub async fn request(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Body>,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        if !headers.iter().any(|(name, _)| *name == "authorization" || *name == "cookie") {
            request = request.header("authorization", format!("Bearer {}", self.token));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request.body(body.into()).unwrap()).await
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.request(Method::GET, path, &[], Body::empty()).await
    }

    pub async fn json(&self, method: Method, path: &str, body: &Value) -> Answer {
        self.request(method, path, &[], body.to_string()).await
    }

    pub async fn patch(&self, id: &str, body: &Value) -> Answer {
        self.json(Method::PATCH, &format!("/v1/companies/{id}"), body).await
    }

    /// A credential of a kind and scope; returns its text.
    pub async fn credential(&self, kind: Kind, scope: Scope, id: &str) -> String {
        let text = format!("secret-{}-{id}", self.workspace);
        let credential = Credential {
            id: id.to_owned(),
            workspace_id: self.workspace.clone(),
            kind,
            scope: Some(scope),
            label: id.to_owned(),
            author: format!("{id}@initech.example"),
            created_at: at(NOW),
            expires_at: None,
        };
        self.table.add_credential(&text, &credential).await.unwrap();
        text
    }

    /// A member of a role who is signed in at the page; returns the text of the cookie's header.
    pub async fn session(&self, role: Role, name: &str) -> String {
        let member = Member {
            id: format!("mem_{name}"),
            workspace_id: self.workspace.clone(),
            email: format!("{name}@initech.example").parse().unwrap(),
            name: name.to_owned(),
            role,
            added_by: "a test".to_owned(),
            added_at: at(NOW),
            last_sign_in: None,
        };
        self.table.add_member(&member).await.unwrap();
        let (holder, author) = (Holder::Member(member.id), member.email.to_string());
        let session = Session::begin("1".to_owned(), self.workspace.clone(), holder, author, at(NOW), None);
        self.table.add_session("bse_secret", &session, None).await.unwrap();
        format!("theme=dark; barometer_session={}", session.cookie("bse_secret"))
    }

    /// Makes a company known.
    pub async fn company(&self, id: &str, name: &str, created_at: &str) {
        let profile = Profile { name: Some(name.to_owned()), ..Profile::default() };
        self.table.note_company(&self.workspace, &company(id), &profile, at(created_at)).await.unwrap();
    }

    /// Writes what would have been computed.
    pub async fn readings(&self, id: &str, readings: &Readings) {
        self.table.write_readings(&self.workspace, &company(id), readings).await.unwrap();
    }
}

/// Components of which only login has a value.
pub fn components(score: Option<Percent>) -> Components {
    let third = percent(3_333);
    Components {
        login: Component {
            value: score,
            weight: third,
            contribution: score,
            missing: score.is_none().then_some(Missing::NoTelemetry),
            counts: LoginCounts::default(),
        },
        adoption: Component {
            value: None,
            weight: third,
            contribution: None,
            missing: Some(Missing::NoTelemetry),
            counts: AdoptionCounts::default(),
        },
        feedback: Component {
            value: None,
            weight: third,
            contribution: None,
            missing: Some(Missing::NoAnswers),
            counts: FeedbackCounts::default(),
        },
    }
}

/// The reading of a week.
pub fn engagement(of: &str, score: Option<u16>) -> Engagement {
    let snapshot = snapshot(of, score);
    Engagement {
        previous: None,
        week: snapshot.period,
        revision: 1,
        score: snapshot.score,
        shown: snapshot.shown,
        band: snapshot.band,
        coverage: snapshot.coverage,
        confidence: snapshot.confidence,
        components: snapshot.components,
        trend: Vec::new(),
        heard: Vec::new(),
    }
}

/// A scored week.
pub fn snapshot(of: &str, score: Option<u16>) -> WeekSnapshot {
    let score = score.map(percent);
    WeekSnapshot {
        period: week(of),
        settings_version: 1,
        missing_policy: MissingPolicy::Redistribute,
        components: components(score),
        coverage: percent(3_333),
        score,
        shown: score.map(Percent::shown),
        band: score.map_or(Standing::Insufficient, |score| Bands::default().band(score).into()),
        confidence: Confidence::Low,
        telemetry: Telemetry::Normal,
        heard: true,
        valid_weeks: 5,
        uses: Default::default(),
        basis: Default::default(),
    }
}

/// Sets a company's business status, and has the workspace's rules act on that.
pub async fn became(home: &Home, id: &str, to: Status) {
    let before = home.table.company(&home.workspace, &company(id)).await.unwrap().unwrap();
    let from = before.status.as_ref().map(|status| status.value);
    let change = StatusChange {
        id: format!("change-{id}-{}", before.status_version),
        kind: ChangeKind::of(from, to),
        from,
        status: BusinessStatus {
            value: to,
            note: "A test".to_owned(),
            author: "csm@initech.example".to_owned(),
            set_at: at(NOW),
            review_by: at(NOW) + TimeDelta::days(30),
        },
    };
    let (company, version) = (company(id), before.status_version);
    home.table.set_status(&home.workspace, &company, version, &change, &[]).await.unwrap();
    let after = home.table.company(&home.workspace, &company).await.unwrap().unwrap();
    let happened = Happened::Status { from, to };
    let occurrence = Occurrence { happened, period: change.id, at: at(NOW) };
    let automation = Automation { table: &home.table, workspace: &home.workspace, now: at(NOW) };
    automation.occurred(&after, &occurrence).await.unwrap();
}

/// Makes somebody known who can be mailed.
pub async fn reachable(home: &Home, id: &str, who: &str) {
    let (company, user) = (company(id), user(who));
    let day = "2026-09-01".parse().unwrap();
    home.table.note_member(&home.workspace, &company, &user, at("2026-09-01T08:00:00Z"), day).await.unwrap();
    let person = Person { email: Some(format!("{who}@{id}.example")), ..Person::default() };
    home.table.describe_member(&home.workspace, &company, &user, &person).await.unwrap();
}
