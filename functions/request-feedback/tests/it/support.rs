//! A workspace on the embedded store, an SES that does as it is told, and a sweep.

use std::{
    collections::VecDeque,
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
    result::ConnectorError,
};
use aws_smithy_types::body::SdkBody;
use barometer_cloud::{
    Mailer, Table,
    clients::{self, Aws},
    table::{
        asks::{Ask, AskState},
        companies::{Patch, Profile},
        members::{Member, Person},
    },
    workspaces::{self, NewWorkspace},
};
use barometer_domain::{
    CompanyId, SendId, UserId, WorkspaceId,
    token::{Key, Keys},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use chrono::{DateTime, TimeDelta, Utc};
use request_feedback::{Deps, ScheduledInput, Summary, SweepError, handle};

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

/// How SES takes a mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ses {
    Accept,
    Throttle,
    Pause,
    Reject,
    Error500,
    /// Takes the mail; the answer is lost.
    AcceptThenReset,
}

/// An SES in process: answers as told, then accepts.
#[derive(Debug, Clone, Default)]
pub struct FakeSes {
    told: Arc<Mutex<VecDeque<Ses>>>,
    calls: Arc<AtomicU32>,
    mails: Arc<Mutex<Vec<(String, String)>>>,
}

impl FakeSes {
    pub fn tell(&self, answers: impl IntoIterator<Item = Ses>) {
        self.told.lock().unwrap().extend(answers);
    }

    /// How often it was called.
    pub fn calls(&self) -> u32 {
        self.calls.load(Ordering::SeqCst)
    }

    /// Recipients and bytes of the mails that it took.
    pub fn mails(&self) -> Vec<(String, String)> {
        self.mails.lock().unwrap().clone()
    }
}

impl HttpConnector for FakeSes {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        self.calls.fetch_add(1, Ordering::SeqCst);
        let answer = self.told.lock().unwrap().pop_front().unwrap_or(Ses::Accept);
        let body: serde_json::Value = serde_json::from_slice(request.body().bytes().unwrap()).unwrap();
        if matches!(answer, Ses::Accept | Ses::AcceptThenReset) {
            let raw = STANDARD.decode(body["Content"]["Raw"]["Data"].as_str().unwrap()).unwrap();
            let to = body["Destination"]["ToAddresses"][0].as_str().unwrap().to_owned();
            self.mails.lock().unwrap().push((to, String::from_utf8(raw).unwrap()));
        }
        let error =
            |status, kind| Ok(response(status, &serde_json::json!({"__type": kind, "message": "no"})));
        HttpConnectorFuture::ready(match answer {
            Ses::Accept => {
                Ok(response(200, &serde_json::json!({"MessageId": format!("m-{}", self.calls())})))
            }
            Ses::Throttle => error(429, "TooManyRequestsException"),
            Ses::Pause => error(400, "SendingPausedException"),
            Ses::Reject => error(400, "MessageRejected"),
            Ses::Error500 => error(500, "InternalServiceErrorException"),
            Ses::AcceptThenReset => {
                Err(ConnectorError::io(std::io::Error::from(std::io::ErrorKind::ConnectionReset).into()))
            }
        })
    }
}

fn response(status: u16, body: &serde_json::Value) -> HttpResponse {
    let mut response = HttpResponse::new(status.try_into().unwrap(), SdkBody::from(body.to_string()));
    if let Some(kind) = body.get("__type").and_then(serde_json::Value::as_str) {
        response.headers_mut().insert("x-amzn-errortype", kind.to_owned());
    }
    response
}

/// A client that calls `before` with each operation of the store and its body.
pub fn watched(before: impl Fn(&str, &str) -> Watch + Send + Sync + 'static) -> SharedHttpClient {
    let before = Arc::new(before);
    let plain = clients::http_client();
    http_client_fn(move |settings, components| {
        SharedHttpConnector::new(Watched {
            inner: plain.http_connector(settings, components),
            before: before.clone(),
        })
    })
}

/// What happens to a call of the store.
pub enum Watch {
    Pass,
    /// The call goes through, and this is awaited before its answer is seen.
    Then(std::pin::Pin<Box<dyn Future<Output = ()> + Send>>),
    Throttle,
}

type Before = Arc<dyn Fn(&str, &str) -> Watch + Send + Sync>;

struct Watched {
    inner: SharedHttpConnector,
    before: Before,
}

impl std::fmt::Debug for Watched {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Watched")
    }
}

impl HttpConnector for Watched {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let target = request.headers().get("x-amz-target").unwrap_or_default();
        let operation = target.rsplit('.').next().unwrap_or_default().to_owned();
        let body = String::from_utf8_lossy(request.body().bytes().unwrap_or_default()).into_owned();
        match (self.before)(&operation, &body) {
            Watch::Pass => self.inner.call(request),
            Watch::Throttle => {
                let kind = "ProvisionedThroughputExceededException";
                HttpConnectorFuture::ready(Ok(response(400, &serde_json::json!({"__type": kind}))))
            }
            Watch::Then(after) => {
                let call = self.inner.call(request);
                HttpConnectorFuture::new(async move {
                    let answer = call.await;
                    after.await;
                    answer
                })
            }
        }
    }
}

/// A workspace with the company `acme`, whose users are asked.
pub struct World {
    pub table: Table,
    pub ses: FakeSes,
    pub workspace: WorkspaceId,
    pub company: CompanyId,
}

pub fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

pub fn user(id: &str) -> UserId {
    UserId::new(id).unwrap()
}

/// A Monday morning before the window, weeks after the users were first seen.
pub fn monday() -> DateTime<Utc> {
    at("2026-09-07T08:00:00Z")
}

impl World {
    pub async fn new() -> Self {
        static TABLES: AtomicU32 = AtomicU32::new(0);
        let name = format!("table-{}", TABLES.fetch_add(1, Ordering::SeqCst));
        let table = Table::new(clients::dynamodb(&aws(clients::http_client())), name);
        table.create().await.unwrap();
        let new = NewWorkspace { name: "Initech".to_owned(), ..NewWorkspace::default() };
        let made = workspaces::create(&table, new, at("2026-08-01T00:00:00Z")).await.unwrap();
        let company = CompanyId::new("acme").unwrap();
        let seen = at("2026-08-03T10:00:00Z");
        table.note_company(&made.workspace_id, &company, &Profile::default(), seen).await.unwrap();
        let world = Self { table, ses: FakeSes::default(), workspace: made.workspace_id, company };
        world.switch(true).await;
        world
    }

    pub async fn switch(&self, on: bool) {
        let patch = Patch { request_feedback: Some(on), ..Patch::default() };
        self.table.patch_company(&self.workspace, &self.company, &patch).await.unwrap();
    }

    /// A user of the company, first seen on 3 August, with an address.
    pub async fn add(&self, id: &str) -> UserId {
        self.add_seen(id, at("2026-08-03T10:00:00Z"), Some(&format!("{id}@acme.example"))).await
    }

    pub async fn add_seen(&self, id: &str, seen: DateTime<Utc>, email: Option<&str>) -> UserId {
        let user = user(id);
        let (workspace, company) = (&self.workspace, &self.company);
        self.table.note_member(workspace, company, &user, seen, seen.date_naive()).await.unwrap();
        let person = Person { email: email.map(str::to_owned), ..Person::default() };
        self.table.describe_member(workspace, company, &user, &person).await.unwrap();
        user
    }

    pub fn deps(&self) -> Deps {
        self.deps_through(clients::http_client())
    }

    pub fn deps_through(&self, http_client: SharedHttpClient) -> Deps {
        let connector = SharedHttpConnector::new(self.ses.clone());
        let ses = clients::sesv2(&aws(http_client_fn(move |_, _| connector.clone())));
        Deps {
            table: Table::new(clients::dynamodb(&aws(http_client)), self.table.name()),
            mailer: Mailer::new(ses, "Initech <ask@initech.example>", None),
            link_keys: Keys::new(Key { id: 1, secret: vec![7; 32] }, Vec::new()),
            origin: "https://ask.example.com".to_owned(),
        }
    }

    pub async fn sweep(&self, at: DateTime<Utc>) -> Summary {
        self.try_sweep(at).await.unwrap()
    }

    pub async fn try_sweep(&self, at: DateTime<Utc>) -> Result<Summary, SweepError> {
        handle(ScheduledInput { scheduled_time: at }, &self.deps()).await
    }

    /// Fires the schedule every quarter of an hour. Returns the time of the sweep that first sent something.
    pub async fn sweep_until_sent(&self, from: DateTime<Utc>, to: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let mut now = from;
        while now <= to {
            if self.sweep(now).await.sent > 0 {
                return Some(now);
            }
            now += TimeDelta::minutes(15);
        }
        None
    }

    pub async fn member(&self, user: &UserId) -> Member {
        self.table.member(&self.workspace, &self.company, user).await.unwrap().unwrap()
    }

    pub async fn ask(&self, user: &UserId, cycle: u32) -> Option<Ask> {
        self.table.ask(self.send_id(user, cycle)).await.unwrap()
    }

    pub async fn state(&self, user: &UserId, cycle: u32) -> Option<AskState> {
        self.ask(user, cycle).await.map(|ask| ask.state)
    }

    pub fn send_id(&self, user: &UserId, cycle: u32) -> SendId {
        SendId::derive(&self.workspace, &self.company, user, "feedback", cycle)
    }

    /// Sweeps once at `monday()`, which moves everybody to their slots, and returns the slot of one.
    pub async fn slot(&self, user: &UserId) -> DateTime<Utc> {
        assert_eq!(self.sweep(monday()).await.sent, 0);
        self.member(user).await.due_at.unwrap()
    }
}
