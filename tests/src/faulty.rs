//! Calls to the table and the bus that fail at a chosen one, and a bus that keeps what is put on it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_types::body::SdkBody;
use barometer_cloud::{Bus, clients, clients::Aws};
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::store::{answer, answering, aws, over};

/// How a call fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It doesn't arrive, and isn't tried again.
    Refused,
    /// It is done, but its answer is an error, and it isn't tried again.
    Lost,
    /// It is done, but its answer is an error after which the SDK tries again.
    Repeated,
    /// The process ends: neither this call nor any after it arrives.
    Killed,
}

impl Fault {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Refused, Self::Lost, Self::Repeated, Self::Killed];

    fn answer(self) -> HttpConnectorFuture {
        let (status, code) = match self {
            Self::Repeated => (500, "InternalServerError"),
            _ => (400, "AccessDeniedException"),
        };
        let kind = format!("com.amazonaws.dynamodb.v20120810#{code}");
        HttpConnectorFuture::ready(answer(status, &json!({ "__type": kind, "message": "A fault." })))
    }
}

/// Which call of a process fails. Clones share it: one count for the table and the bus.
#[derive(Debug, Clone, Default)]
pub struct Faults(Arc<Armed>);

#[derive(Debug, Default)]
struct Armed {
    next: Mutex<Option<(u32, Fault)>>,
    killed: Notify,
}

impl Faults {
    /// Lets `calls` calls through; the next one fails.
    pub fn arm(&self, calls: u32, fault: Fault) {
        *lock(&self.0.next) = Some((calls, fault));
    }

    /// A new process: nothing fails.
    pub fn clear(&self) {
        *lock(&self.0.next) = None;
    }

    /// Whether the call that is to fail hasn't come yet. One that ends the process goes on ending it.
    pub fn is_armed(&self) -> bool {
        lock(&self.0.next).is_some_and(|(calls, fault)| calls > 0 || fault != Fault::Killed)
    }

    /// Waits until a call ended the process.
    pub async fn killed(&self) {
        self.0.killed.notified().await;
    }

    fn of_this_call(&self) -> Option<Fault> {
        let mut next = lock(&self.0.next);
        match *next {
            None => None,
            Some((0, Fault::Killed)) => Some(Fault::Killed),
            Some((0, fault)) => {
                *next = None;
                Some(fault)
            }
            Some((calls, fault)) => {
                *next = Some((calls - 1, fault));
                None
            }
        }
    }
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A client of the store under test whose calls fail as told, and whose limited queries bring at most `page` items,
/// as DynamoDB itself may bring fewer than asked for.
pub fn faulty(faults: &Faults, page: u32) -> SharedHttpClient {
    let faults = faults.clone();
    over(move |inner| Faulty { inner, faults: faults.clone(), page })
}

#[derive(Debug)]
struct Faulty {
    inner: SharedHttpConnector,
    faults: Faults,
    page: u32,
}

impl HttpConnector for Faulty {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let Some(fault) = self.faults.of_this_call() else {
            return self.inner.call(limited(request, self.page));
        };
        match fault {
            Fault::Refused => fault.answer(),
            Fault::Lost | Fault::Repeated => {
                let done = self.inner.call(limited(request, self.page));
                HttpConnectorFuture::new(async move {
                    done.await?;
                    fault.answer().await
                })
            }
            Fault::Killed => {
                self.faults.0.killed.notify_one();
                HttpConnectorFuture::new(std::future::pending())
            }
        }
    }
}

fn limited(mut request: HttpRequest, page: u32) -> HttpRequest {
    let body = request.body().bytes().and_then(|body| serde_json::from_slice::<Value>(body).ok());
    let Some(mut body) = body else { return request };
    let Some(limit) = body.get("Limit").and_then(Value::as_u64) else { return request };
    body["Limit"] = limit.min(page.into()).into();
    let body = body.to_string();
    request.headers_mut().insert("content-length", body.len().to_string());
    *request.body_mut() = SdkBody::from(body);
    request
}

/// A bus that keeps what is put on it.
#[derive(Debug, Clone, Default)]
pub struct KeptBus(Arc<Mutex<Vec<Value>>>, Arc<Mutex<Option<u32>>>);

impl KeptBus {
    /// A client of the bus whose calls fail as told.
    pub fn bus(&self, faults: &Faults) -> Bus {
        let inner = SharedHttpConnector::new(Keeping(self.clone()));
        let http_client = answering(Faulty { inner, faults: faults.clone(), page: u32::MAX });
        Bus::new(clients::eventbridge(&Aws { http_client, ..aws() }), "barometer")
    }

    /// From now on the bus takes only every second entry, of all that come; the others fail one by one, in calls that succeed.
    pub fn take_every_second(&self) {
        *lock(&self.1) = Some(0);
    }

    /// Whether the next entry fails.
    fn fails(&self) -> bool {
        let mut seen = lock(&self.1);
        let Some(count) = seen.as_mut() else { return false };
        *count += 1;
        *count % 2 == 1
    }

    /// What came since the last time: `{"detail-type": …, "detail": …}`, in order.
    pub fn take(&self) -> Vec<Value> {
        std::mem::take(&mut *lock(&self.0))
    }
}

#[derive(Debug)]
struct Keeping(KeptBus);

impl HttpConnector for Keeping {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let body = request.body().bytes().and_then(|body| serde_json::from_slice::<Value>(body).ok());
        let entries = body.as_ref().and_then(|body| body["Entries"].as_array()).cloned().unwrap_or_default();
        let mut results = Vec::new();
        for entry in &entries {
            if self.0.fails() {
                results.push(json!({ "ErrorCode": "ThrottlingException", "ErrorMessage": "A fault." }));
                continue;
            }
            let detail: Value =
                serde_json::from_str(entry["Detail"].as_str().unwrap_or_default()).unwrap_or_default();
            lock(&self.0.0).push(json!({ "detail-type": entry["DetailType"], "detail": detail }));
            results.push(json!({ "EventId": "taken" }));
        }
        let failed = results.iter().filter(|result| result.get("ErrorCode").is_some()).count();
        let taken: Result<HttpResponse, _> =
            answer(200, &json!({ "FailedEntryCount": failed, "Entries": results }));
        HttpConnectorFuture::ready(taken)
    }
}
