//! One loopback address for every AWS service that a function calls, as `AWS_ENDPOINT_URL` needs it: DynamoDB
//! calls go on to a store, `PutEvents` and `SendEmail` are answered and kept. One call can be held for good, so that
//! whoever made it can be killed right there.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use barometer::calls::Permission;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

/// The call that is held; calls are counted from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Point {
    /// The n-th of all.
    Call(u32, Moment),
    /// The n-th `SendEmail`.
    Mail(u32, Moment),
    /// The one that follows the answer to the n-th `SendEmail`; it doesn't arrive.
    BehindMail(u32),
    /// The next one of an operation, such as `PutEvents`.
    Operation(&'static str, Moment),
}

/// Where a call is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// It never arrives.
    Before,
    /// It is done, and its answer never comes.
    After,
}

const SEND_EMAIL: &str = "/v2/email/outbound-emails";

#[derive(Default)]
struct Kept {
    bus: Vec<Value>,
    mails: Vec<Value>,
    calls: Vec<Permission>,
    /// What came since a call is to be held: all calls, and those that are mails.
    counted: (u32, u32),
    hold: Option<Point>,
}

impl Kept {
    /// Counts a call and says where it is held, if it is the one.
    fn meet(&mut self, is_mail: bool, operation: Option<&str>) -> Option<Moment> {
        let (calls, mails) = self.counted;
        self.counted = (calls + 1, mails + u32::from(is_mail));
        match self.hold? {
            Point::Call(nth, moment) => (nth == calls).then_some(moment),
            Point::Mail(nth, moment) => (is_mail && nth == mails).then_some(moment),
            Point::Operation(name, moment) => {
                let met = operation == Some(name);
                self.hold = self.hold.filter(|_| !met);
                met.then_some(moment)
            }
            Point::BehindMail(nth) => (!is_mail && nth + 1 == mails).then_some(Moment::Before),
        }
    }
}

struct Shared {
    store: SocketAddr,
    kept: Mutex<Kept>,
    held: Notify,
}

/// A running endpoint. Dropping it closes its port.
pub struct AwsEndpoint {
    address: SocketAddr,
    shared: Arc<Shared>,
    server: JoinHandle<()>,
}

impl AwsEndpoint {
    /// Opens the endpoint on a free port; DynamoDB calls go to `store`.
    pub async fn start(store: SocketAddr) -> io::Result<Self> {
        let shared = Arc::new(Shared { store, kept: Mutex::default(), held: Notify::new() });
        let router = Router::new().fallback(answer).with_state(shared.clone());
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let server = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, router).await {
                eprintln!("the AWS endpoint stopped: {error}");
            }
        });
        Ok(Self { address, shared, server })
    }

    /// Its URL.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The entries that were put on the bus.
    pub fn bus(&self) -> Vec<Value> {
        lock(&self.shared).bus.clone()
    }

    /// The mails that were sent.
    pub fn mails(&self) -> Vec<Value> {
        lock(&self.shared).mails.clone()
    }

    /// Holds one of the calls from now on.
    pub fn hold(&self, point: Point) {
        let mut kept = lock(&self.shared);
        kept.counted = (0, 0);
        kept.hold = Some(point);
    }

    /// Waits until that call is held.
    pub async fn held(&self) {
        self.shared.held.notified().await;
    }

    /// What every call needs in a policy.
    pub fn calls(&self) -> Vec<Permission> {
        lock(&self.shared).calls.clone()
    }
}

impl Drop for AwsEndpoint {
    fn drop(&mut self) {
        self.server.abort();
    }
}

fn lock(shared: &Shared) -> std::sync::MutexGuard<'_, Kept> {
    shared.kept.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn answer(State(shared): State<Arc<Shared>>, request: Parts, body: Bytes) -> Response {
    let is_mail = request.uri.path() == SEND_EMAIL;
    let operation =
        request.headers.get("x-amz-target").and_then(|target| target.to_str().ok()?.rsplit('.').next());
    let held = lock(&shared).meet(is_mail, operation);
    if held != Some(Moment::Before) {
        let answer = act(&shared, &request, &body).await;
        if held.is_none() {
            return answer;
        }
    }
    shared.held.notify_one();
    std::future::pending().await
}

async fn act(shared: &Shared, request: &Parts, body: &[u8]) -> Response {
    let target = request.headers.get("x-amz-target").and_then(|target| target.to_str().ok());
    lock(shared).calls.extend(Permission::of(request.uri.path(), target, body));
    match target.and_then(|target| target.split_once('.')) {
        Some(("DynamoDB_20120810", _)) => forward(shared.store, request, body)
            .await
            .unwrap_or_else(|error| (StatusCode::BAD_GATEWAY, error.to_string()).into_response()),
        Some(("AWSEvents", "PutEvents")) => put_events(shared, body),
        None if request.uri.path() == SEND_EMAIL => send_email(shared, body),
        _ => (StatusCode::NOT_FOUND, format!("{} {target:?}", request.uri)).into_response(),
    }
}

fn put_events(shared: &Shared, body: &[u8]) -> Response {
    let request: Value = serde_json::from_slice(body).unwrap_or_default();
    let entries = request.get("Entries").and_then(Value::as_array).cloned().unwrap_or_default();
    let results: Vec<Value> =
        entries.iter().enumerate().map(|(n, _)| json!({"EventId": n.to_string()})).collect();
    let mut kept = lock(shared);
    kept.bus.extend(entries);
    json_answer(&json!({"FailedEntryCount": 0, "Entries": results}))
}

fn send_email(shared: &Shared, body: &[u8]) -> Response {
    let mut kept = lock(shared);
    kept.mails.push(serde_json::from_slice(body).unwrap_or_default());
    json_answer(&json!({"MessageId": format!("mail-{}", kept.mails.len())}))
}

fn json_answer(body: &Value) -> Response {
    ([("content-type", "application/x-amz-json-1.1")], body.to_string()).into_response()
}

/// One request, one connection: the store closes it after its answer, so the answer is all there is to read.
async fn forward(store: SocketAddr, request: &Parts, body: &[u8]) -> io::Result<Response> {
    let mut head = format!("POST / HTTP/1.1\r\nhost: {store}\r\nconnection: close\r\n");
    for (name, value) in &request.headers {
        if name != "host" && name != "connection" {
            head.push_str(&format!("{name}: {}\r\n", String::from_utf8_lossy(value.as_bytes())));
        }
    }
    head.push_str("\r\n");
    let mut stream = TcpStream::connect(store).await?;
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(body).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    parse(&answer).ok_or_else(|| io::Error::other("the store's answer is no HTTP"))
}

fn parse(answer: &[u8]) -> Option<Response> {
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n")?;
    let (head, body) = answer.split_at(end);
    let head = std::str::from_utf8(head).ok()?;
    let mut lines = head.split("\r\n");
    let status: u16 = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let mut headers = HeaderMap::new();
    for line in lines {
        let (name, value) = line.split_once(':')?;
        let name: HeaderName = name.parse().ok()?;
        if name != "connection" {
            headers.insert(name, HeaderValue::from_str(value.trim()).ok()?);
        }
    }
    Some((StatusCode::from_u16(status).ok()?, headers, body.get(4..)?.to_vec()).into_response())
}
