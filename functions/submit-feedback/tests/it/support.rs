//! A company whose user was asked, the pages, and what a browser does with them.

use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicU32, Ordering},
    },
};

use aws_credential_types::Credentials;
use aws_smithy_runtime_api::client::{
    http::{
        HttpClient, HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn,
    },
    orchestrator::{HttpRequest, HttpResponse},
};
use aws_smithy_types::body::SdkBody;
use axum::body::Body;
use barometer_cloud::{
    Bus, Clock, Table,
    clients::{self, Aws},
    table::{
        answers::Answer,
        asks::{Ask, AskState},
        companies::{Company, Profile},
        members::Person,
    },
    workspaces::{self, NewWorkspace},
};
use barometer_domain::{
    CompanyId, SendId, UserId, WorkspaceId,
    token::{Key, Keys, Purpose},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use chrono::{DateTime, TimeDelta, Utc};
use http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt;
use lambda_http::{
    lambda_runtime::{Context, LambdaEvent},
    request::LambdaRequest,
};
use submit_feedback::{Deps, router};
use tower::{Service, ServiceExt};

/// The embedded store of this process.
fn store() -> SocketAddr {
    static STORE: OnceLock<SocketAddr> = OnceLock::new();
    *STORE.get_or_init(|| {
        let (tell, told) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            tokio::runtime::Runtime::new().unwrap().block_on(async {
                let database = dynoxide::Database::memory().unwrap();
                let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
                tell.send(listener.local_addr().unwrap()).unwrap();
                dynoxide::server::serve_with_shutdown(listener, database, std::future::pending())
                    .await
                    .unwrap();
            });
        });
        told.recv().unwrap()
    })
}

fn aws(http_client: SharedHttpClient) -> Aws {
    Aws {
        region: "eu-central-1".to_owned(),
        credentials: Credentials::from_keys("test", "test", None),
        endpoint_url: Some(format!("http://{}", store())),
        http_client,
    }
}

/// A bus that takes everything, or nothing.
#[derive(Debug, Clone, Default)]
struct FakeBus {
    entries: Arc<Mutex<Vec<serde_json::Value>>>,
    broken: bool,
}

impl HttpConnector for FakeBus {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        if self.broken {
            let answer = SdkBody::from(r#"{"__type":"ValidationException"}"#);
            return HttpConnectorFuture::ready(Ok(HttpResponse::new(400.try_into().unwrap(), answer)));
        }
        let body: serde_json::Value = serde_json::from_slice(request.body().bytes().unwrap()).unwrap();
        let entries = body["Entries"].as_array().unwrap();
        let results: Vec<_> = entries.iter().map(|_| serde_json::json!({"EventId": "e"})).collect();
        self.entries.lock().unwrap().extend(entries.iter().cloned());
        let answer = serde_json::json!({"FailedEntryCount": 0, "Entries": results}).to_string();
        HttpConnectorFuture::ready(Ok(HttpResponse::new(200.try_into().unwrap(), SdkBody::from(answer))))
    }
}

/// Counts the calls of the store, all and those that write.
#[derive(Debug)]
struct Counted {
    inner: SharedHttpConnector,
    calls: Arc<AtomicU32>,
    writes: Arc<AtomicU32>,
}

impl HttpConnector for Counted {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        self.calls.fetch_add(1, Ordering::SeqCst);
        let target = request.headers().get("x-amz-target").unwrap_or_default();
        let operation = target.rsplit('.').next().unwrap_or_default();
        if !matches!(operation, "GetItem" | "Query" | "BatchGetItem") {
            self.writes.fetch_add(1, Ordering::SeqCst);
        }
        self.inner.call(request)
    }
}

/// What a request was answered.
#[derive(Debug)]
pub struct Seen {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: String,
}

impl Seen {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

/// Ann of `acme` was asked at 10:00; it is 12:00.
pub struct World {
    pub table: Table,
    pub deps: Deps,
    pub workspace: WorkspaceId,
    pub company: CompanyId,
    pub user: UserId,
    pub ask: Ask,
    bus: FakeBus,
    calls: Arc<AtomicU32>,
    writes: Arc<AtomicU32>,
}

pub fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

pub fn asked_at() -> DateTime<Utc> {
    at("2026-09-10T10:00:00Z")
}

impl World {
    pub async fn new() -> Self {
        Self::with_bus(false).await
    }

    pub async fn with_bus(broken: bool) -> Self {
        static TABLES: AtomicU32 = AtomicU32::new(0);
        let name = format!("table-{}", TABLES.fetch_add(1, Ordering::SeqCst));
        let table = Table::new(clients::dynamodb(&aws(clients::http_client())), name);
        table.create().await.unwrap();
        let new = NewWorkspace { name: "Initech".to_owned(), ..NewWorkspace::default() };
        let made = workspaces::create(&table, new, at("2026-08-01T00:00:00Z")).await.unwrap();
        let (workspace, company) = (made.workspace_id, CompanyId::new("acme").unwrap());
        table.note_company(&workspace, &company, &Profile::default(), asked_at()).await.unwrap();

        let bus = FakeBus { broken, ..FakeBus::default() };
        let connector = SharedHttpConnector::new(bus.clone());
        let events = clients::eventbridge(&aws(http_client_fn(move |_, _| connector.clone())));
        let (calls, writes) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
        let plain = clients::http_client();
        let (counted_calls, counted_writes) = (calls.clone(), writes.clone());
        let counting = http_client_fn(move |settings, components| {
            SharedHttpConnector::new(Counted {
                inner: plain.http_connector(settings, components),
                calls: counted_calls.clone(),
                writes: counted_writes.clone(),
            })
        });
        let deps = Deps {
            table: Table::new(clients::dynamodb(&aws(counting)), table.name()),
            bus: Bus::new(events, "barometer"),
            clock: Clock::fixed(at("2026-09-10T12:00:00Z")),
            link_keys: Keys::new(Key { id: 1, secret: vec![7; 32] }, Vec::new()),
        };
        let user = UserId::new("ann").unwrap();
        let ask = asked(&table, &workspace, &company, &user).await;
        Self { table, deps, workspace, company, user, ask, bus, calls, writes }
    }

    /// Asks another user of the company.
    pub async fn another(&self, id: &str) -> Ask {
        asked(&self.table, &self.workspace, &self.company, &UserId::new(id).unwrap()).await
    }

    pub fn later(&mut self, by: TimeDelta) {
        self.deps.clock = Clock::fixed(self.deps.clock.now() + by);
    }

    pub fn token(&self, purpose: Purpose) -> String {
        self.token_of(&self.ask, purpose)
    }

    pub fn token_of(&self, ask: &Ask, purpose: Purpose) -> String {
        let expires = (purpose == Purpose::Feedback).then_some(ask.expires);
        self.deps.link_keys.sign(purpose, ask.send_id, expires)
    }

    pub async fn send(&self, request: Request<Body>) -> Seen {
        let response = router(self.deps.clone()).oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Seen { status: parts.status, headers: parts.headers, body: String::from_utf8(body.to_vec()).unwrap() }
    }

    pub async fn get(&self, path: &str) -> Seen {
        self.send(Request::get(path).body(Body::empty()).unwrap()).await
    }

    pub async fn post(&self, path: &str, body: impl Into<Body>) -> Seen {
        let kind = "application/x-www-form-urlencoded";
        self.send(Request::post(path).header("content-type", kind).body(body.into()).unwrap()).await
    }

    /// Sends a request as API Gateway hands it to the function: an HTTP API event, payload format 2.0.
    pub async fn gateway(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Seen {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let mut named: BTreeMap<&str, &str> = headers.iter().copied().collect();
        named.insert("host", "ask.example.com");
        let event = serde_json::json!({
            "version": "2.0", "routeKey": format!("{method} {path}"), "rawPath": path, "rawQueryString": query,
            "headers": named,
            "requestContext": {
                "accountId": "1", "apiId": "a", "domainName": "ask.example.com", "domainPrefix": "ask",
                "http": {"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "203.0.113.7",
                         "userAgent": "test"},
                "requestId": "r", "routeKey": "$default", "stage": "$default",
                "time": "10/Sep/2026:12:00:00 +0000", "timeEpoch": 1_789_041_600_000_i64
            },
            "body": STANDARD.encode(body), "isBase64Encoded": true
        });
        let request: LambdaRequest = serde_json::from_value(event).unwrap();
        let mut adapter = lambda_http::Adapter::from(router(self.deps.clone()));
        let answer = adapter.call(LambdaEvent::new(request, Context::default())).await.unwrap();
        let answer = serde_json::to_value(answer).unwrap();
        let mut headers = HeaderMap::new();
        for (name, value) in answer["headers"].as_object().unwrap() {
            let name: http::HeaderName = name.parse().unwrap();
            headers.insert(name, value.as_str().unwrap().parse().unwrap());
        }
        for cookie in answer["cookies"].as_array().into_iter().flatten() {
            headers.append("set-cookie", cookie.as_str().unwrap().parse().unwrap());
        }
        let body = answer["body"].as_str().unwrap_or_default();
        let body = match answer["isBase64Encoded"].as_bool() {
            Some(true) => String::from_utf8(STANDARD.decode(body).unwrap()).unwrap(),
            _ => body.to_owned(),
        };
        let status = u16::try_from(answer["statusCode"].as_u64().unwrap()).unwrap();
        Seen { status: status.try_into().unwrap(), headers, body }
    }

    /// Since when Ann is unsubscribed.
    pub async fn unsubscribed_at(&self) -> Option<DateTime<Utc>> {
        let user = self.table.user(&self.workspace, &self.user).await.unwrap();
        user.and_then(|user| user.unsubscribed_at)
    }

    /// When a machine was seen behind the links of Ann's mail.
    pub async fn scanned_at(&self) -> Option<DateTime<Utc>> {
        self.table.ask(self.ask.send_id).await.unwrap().unwrap().scanned_at
    }

    /// Answers as Ann.
    pub async fn answer(&self, form: &str) -> Seen {
        self.post(&format!("/f/{}", self.token(Purpose::Feedback)), form.to_owned()).await
    }

    pub async fn answers(&self) -> Vec<Answer> {
        let (from, to) = (asked_at(), asked_at() + TimeDelta::days(60));
        self.table.answers(&self.workspace, &self.company, from, to).await.unwrap()
    }

    pub async fn row(&self) -> Company {
        self.table.company(&self.workspace, &self.company).await.unwrap().unwrap()
    }

    /// Kind and detail of what was put on the bus.
    pub fn bus(&self) -> Vec<(String, serde_json::Value)> {
        let entries = self.bus.entries.lock().unwrap();
        let read = |entry: &serde_json::Value| {
            let detail = serde_json::from_str(entry["Detail"].as_str().unwrap()).unwrap();
            (entry["DetailType"].as_str().unwrap().to_owned(), detail)
        };
        entries.iter().map(read).collect()
    }

    pub fn calls(&self) -> u32 {
        self.calls.load(Ordering::SeqCst)
    }

    pub fn writes(&self) -> u32 {
        self.writes.load(Ordering::SeqCst)
    }
}

async fn asked(table: &Table, workspace: &WorkspaceId, company: &CompanyId, user: &UserId) -> Ask {
    let seen = at("2026-08-03T10:00:00Z");
    table.note_member(workspace, company, user, seen, seen.date_naive()).await.unwrap();
    let person = Person { email: Some(format!("{user}@acme.example")), ..Person::default() };
    table.describe_member(workspace, company, user, &person).await.unwrap();
    let ask = Ask {
        send_id: SendId::derive(workspace, company, user, "feedback", 1),
        workspace_id: workspace.clone(),
        company_id: company.clone(),
        user_id: user.clone(),
        cycle: 1,
        state: AskState::Accepted,
        reason: None,
        planned_at: asked_at(),
        submitted_at: None,
        scanned_at: None,
        accepted_at: Some(asked_at()),
        message_id: Some("m-1".to_owned()),
        answered_at: None,
        expires: asked_at() + TimeDelta::days(30),
    };
    table.plan_ask(&ask).await.unwrap();
    let next = asked_at() + TimeDelta::days(60);
    table.record_ask(workspace, company, user, asked_at(), 1, next).await.unwrap();
    table.note_asked(workspace, user, asked_at()).await.unwrap();
    ask
}
