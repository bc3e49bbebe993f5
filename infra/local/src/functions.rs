//! The functions by name, behind the two ways in which they are called: a request or an event.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use barometer_cloud::lambda::Chain;
use http::{Request, StatusCode};
use ingest_events::statistics::Statistics;
use lambda_http::lambda_runtime::{Context, LambdaEvent};
use lambda_http::request::LambdaRequest;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use thiserror::Error;
use tower::{Service, ServiceExt};

use crate::calls::as_function;

/// Why a call of a function has no answer.
#[derive(Debug, Error)]
pub enum CallError {
    /// No function of that name.
    #[error("no function {0}")]
    Unknown(String),
    /// The event has not the form that the function takes.
    #[error("the event doesn't fit: {0}")]
    Event(serde_json::Error),
    /// The answer has no JSON form.
    #[error("the answer has no JSON form: {0}")]
    Answer(serde_json::Error),
    /// The handler's own error, with its causes.
    #[error("{0}")]
    Handler(String),
    /// The handler panicked.
    #[error("the handler panicked")]
    Panicked,
}

type Calling = Pin<Box<dyn Future<Output = Result<Value, CallError>> + Send>>;

#[derive(Clone)]
enum Handler {
    Http(Router),
    Event(Arc<dyn Fn(Value) -> Calling + Send + Sync>),
}

/// The functions by name. Clones share them.
#[derive(Clone, Default)]
pub struct Functions {
    handlers: BTreeMap<&'static str, Handler>,
    statistics: Option<Arc<Statistics>>,
}

impl fmt::Debug for Functions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.handlers.keys()).finish()
    }
}

impl Functions {
    /// Adds the numbers about sources that wait in the process and are to be written now and then, and at its end.
    #[must_use]
    pub fn counting(mut self, statistics: Arc<Statistics>) -> Self {
        self.statistics = Some(statistics);
        self
    }

    /// The numbers about sources that wait in the process.
    #[must_use]
    pub fn statistics(&self) -> Option<Arc<Statistics>> {
        self.statistics.clone()
    }

    /// Adds a function that answers requests.
    #[must_use]
    pub fn http(mut self, name: &'static str, router: Router) -> Self {
        self.handlers.insert(name, Handler::Http(router));
        self
    }

    /// Adds a function that takes events, as `lambda::serve_events` does on AWS.
    #[must_use]
    pub fn event<D, H, F, E, A, X>(mut self, name: &'static str, deps: D, handle: H) -> Self
    where
        D: Clone + Send + Sync + 'static,
        H: Fn(E, D) -> F + Send + Sync + 'static,
        F: Future<Output = Result<A, X>> + Send + 'static,
        E: DeserializeOwned,
        A: Serialize,
        X: std::error::Error + Send + Sync + 'static,
    {
        let handler = move |event: Value| -> Calling {
            let called = serde_json::from_value(event).map(|event| handle(event, deps.clone()));
            Box::pin(async move {
                let answer = called.map_err(CallError::Event)?.await;
                let answer = answer.map_err(|error| CallError::Handler(Chain(&error).to_string()))?;
                serde_json::to_value(answer).map_err(CallError::Answer)
            })
        };
        self.handlers.insert(name, Handler::Event(Arc::new(handler)));
        self
    }

    /// Their names.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.handlers.keys().copied()
    }

    /// Whether there is one of that name that answers requests.
    #[must_use]
    pub fn answers_requests(&self, name: &str) -> bool {
        matches!(self.handlers.get(name), Some(Handler::Http(_)))
    }

    /// Calls a function with an event, as Lambda would: an HTTP function takes and answers API Gateway's
    /// events (version 2). A panic stays within the call.
    ///
    /// # Errors
    /// When there is no such function, or it fails.
    pub async fn invoke(&self, name: &str, event: Value) -> Result<Value, CallError> {
        let call = match self.handlers.get_key_value(name) {
            None => return Err(CallError::Unknown(name.to_owned())),
            Some((name, Handler::Event(handle))) => tokio::spawn(as_function(name, handle(event))),
            Some((name, Handler::Http(router))) => {
                tokio::spawn(as_function(name, gateway_event(router.clone(), event)))
            }
        };
        call.await.unwrap_or(Err(CallError::Panicked))
    }

    /// Passes a request to a function unchanged. A panic is answered as API Gateway answers it.
    pub async fn serve(&self, name: &str, request: Request<Body>) -> Response {
        let Some((name, Handler::Http(router))) = self.handlers.get_key_value(name) else {
            return gateway_failure();
        };
        match tokio::spawn(as_function(name, router.clone().oneshot(request))).await {
            Ok(Ok(response)) => response,
            Ok(Err(never)) => match never {},
            Err(panic) => {
                tracing::error!(function = name, error = %panic, "a handler panicked");
                gateway_failure()
            }
        }
    }
}

async fn gateway_event(router: Router, event: Value) -> Result<Value, CallError> {
    let request: LambdaRequest = serde_json::from_value(event).map_err(CallError::Event)?;
    // The adapter is not `Send`, its answer is.
    let call = lambda_http::Adapter::from(router).call(LambdaEvent::new(request, Context::default()));
    let response = match call.await {
        Ok(response) => response,
        Err(never) => match never {},
    };
    serde_json::to_value(response).map_err(CallError::Answer)
}

fn gateway_failure() -> Response {
    (StatusCode::INTERNAL_SERVER_ERROR, axum::Json(serde_json::json!({"message": "Internal Server Error"})))
        .into_response()
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::routing::{get, post};
    use serde_json::json;

    #[derive(Debug, Error)]
    #[error("no")]
    struct No;

    async fn twice(number: u32, (): ()) -> Result<u32, No> {
        number.checked_mul(2).ok_or(No)
    }

    async fn shatter(_: Value, (): ()) -> Result<Value, No> {
        panic!("shattered")
    }

    async fn shattered() -> String {
        panic!("shattered")
    }

    fn functions() -> Functions {
        let router = Router::new()
            .route("/echo", post(|body: String| async { body }))
            .route("/cookie", get(|| async { ([("set-cookie", "a=b")], "ok") }))
            .route("/panic", get(shattered));
        Functions::default().event("twice", (), twice).event("shatter", (), shatter).http("web", router)
    }

    #[tokio::test]
    async fn events_are_called_by_name() {
        let functions = functions();
        assert_eq!(functions.invoke("twice", json!(21)).await.unwrap(), 42);
        assert!(matches!(functions.invoke("twice", json!("x")).await, Err(CallError::Event(_))));
        assert!(matches!(functions.invoke("twice", json!(u32::MAX)).await, Err(CallError::Handler(_))));
        assert!(matches!(functions.invoke("thrice", json!(1)).await, Err(CallError::Unknown(_))));
        assert!(matches!(functions.invoke("shatter", json!(1)).await, Err(CallError::Panicked)));
    }

    #[tokio::test]
    async fn requests_pass_unchanged_and_a_panic_is_a_500() {
        let functions = functions();
        let request = Request::post("/echo").body(Body::from("hello")).unwrap();
        let response = functions.serve("web", request).await;
        let body = http_body_util::BodyExt::collect(response.into_body()).await.unwrap().to_bytes();
        assert_eq!(body, "hello");
        let response = functions.serve("web", Request::get("/panic").body(Body::empty()).unwrap()).await;
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    }

    #[tokio::test]
    async fn a_gateway_event_is_answered_as_lambda_answers_it() {
        let event = json!({
            "version": "2.0", "routeKey": "$default", "rawPath": "/cookie", "rawQueryString": "",
            "headers": {"host": "example.com"}, "isBase64Encoded": false,
            "requestContext": {
                "accountId": "1", "apiId": "a", "domainName": "example.com", "domainPrefix": "e",
                "http": {"method": "GET", "path": "/cookie", "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1",
                         "userAgent": "test"},
                "requestId": "r", "routeKey": "$default", "stage": "$default",
                "time": "12/Mar/2020:19:03:58 +0000", "timeEpoch": 1583348638390_i64
            }
        });
        let answer = functions().invoke("web", event).await.unwrap();
        assert_eq!(answer["statusCode"], 200);
        assert_eq!(answer["body"], "ok");
        assert_eq!(answer["cookies"], json!(["a=b"]));
        assert!(matches!(functions().invoke("web", json!({})).await, Err(CallError::Event(_))));
    }
}
