//! A Lambda Runtime API on a loopback port: what a function's binary talks to on AWS.
//!
//! It hands out one event at a time and collects what the function answers. As on AWS, the function asks for
//! the next event by a request that stays open until there is one.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::{Mutex as AsyncMutex, mpsc, oneshot};
use tokio::task::JoinHandle;

/// What a function made of an event.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// Its answer.
    Answered(Value),
    /// The error it reported: `errorType`, `errorMessage`.
    Failed(Value),
}

/// The time a function is given for an event.
const DEADLINE: Duration = Duration::from_secs(30);

struct Invocation {
    id: String,
    event: Value,
}

struct Shared {
    waiting: AsyncMutex<mpsc::UnboundedReceiver<Invocation>>,
    open: Mutex<HashMap<String, oneshot::Sender<Outcome>>>,
    init_error: Mutex<Option<Value>>,
}

/// A running Runtime API. Dropping it closes its port.
pub struct RuntimeApi {
    address: SocketAddr,
    events: mpsc::UnboundedSender<Invocation>,
    shared: Arc<Shared>,
    next: AtomicU64,
    server: JoinHandle<()>,
}

impl RuntimeApi {
    /// Opens the API on a free port.
    pub async fn start() -> io::Result<Self> {
        let (events, waiting) = mpsc::unbounded_channel();
        let shared = Arc::new(Shared {
            waiting: AsyncMutex::new(waiting),
            open: Mutex::default(),
            init_error: Mutex::default(),
        });
        let router = Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next))
            .route("/2018-06-01/runtime/invocation/{id}/response", post(response))
            .route("/2018-06-01/runtime/invocation/{id}/error", post(error))
            .route("/2018-06-01/runtime/init/error", post(init_error))
            .with_state(shared.clone());
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let server = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, router).await {
                eprintln!("the Runtime API stopped: {error}");
            }
        });
        Ok(Self { address, events, shared, next: AtomicU64::new(1), server })
    }

    /// Host and port, as `AWS_LAMBDA_RUNTIME_API` has them.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Hands an event to the function and waits for what it makes of it; `None` when nothing comes within the
    /// function's time.
    pub async fn invoke(&self, event: Value) -> Option<Outcome> {
        let id = format!("00000000-0000-4000-8000-{:012}", self.next.fetch_add(1, Ordering::Relaxed));
        let (answer, answered) = oneshot::channel();
        lock(&self.shared.open).insert(id.clone(), answer);
        self.events.send(Invocation { id, event }).ok()?;
        tokio::time::timeout(DEADLINE, answered).await.ok()?.ok()
    }

    /// What the function reported when it couldn't start.
    pub fn init_error(&self) -> Option<Value> {
        lock(&self.shared.init_error).clone()
    }
}

impl Drop for RuntimeApi {
    fn drop(&mut self) {
        self.server.abort();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn next(State(shared): State<Arc<Shared>>) -> Response {
    let Some(Invocation { id, event }) = shared.waiting.lock().await.recv().await else {
        // Nothing will come any more, and the runtime takes no other answer than an event.
        return std::future::pending().await;
    };
    let deadline = SystemTime::now() + DEADLINE;
    let deadline = deadline.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
    let headers = [
        ("lambda-runtime-aws-request-id", id),
        ("lambda-runtime-deadline-ms", deadline.to_string()),
        (
            "lambda-runtime-invoked-function-arn",
            "arn:aws:lambda:eu-central-1:123456789012:function:barometer".to_owned(),
        ),
        ("lambda-runtime-trace-id", "Root=1-6a97a8c0-0123456789abcdef01234567".to_owned()),
        ("content-type", "application/json".to_owned()),
    ];
    (headers, event.to_string()).into_response()
}

async fn response(State(shared): State<Arc<Shared>>, Path(id): Path<String>, body: String) -> StatusCode {
    settle(&shared, &id, Outcome::Answered(json(body)))
}

async fn error(State(shared): State<Arc<Shared>>, Path(id): Path<String>, body: String) -> StatusCode {
    settle(&shared, &id, Outcome::Failed(json(body)))
}

async fn init_error(State(shared): State<Arc<Shared>>, body: String) -> StatusCode {
    *lock(&shared.init_error) = Some(json(body));
    StatusCode::ACCEPTED
}

fn settle(shared: &Shared, id: &str, outcome: Outcome) -> StatusCode {
    match lock(&shared.open).remove(id) {
        Some(answer) => {
            // Whoever asked may have given up in the meantime.
            answer.send(outcome).ok();
            StatusCode::ACCEPTED
        }
        None => StatusCode::BAD_REQUEST,
    }
}

/// A body that isn't JSON is kept as text: the test will show it.
fn json(body: String) -> Value {
    serde_json::from_str(&body).unwrap_or(Value::String(body))
}
