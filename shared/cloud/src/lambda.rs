//! The Lambda ends of a function: `main.rs` is telemetry, configuration and one of these.

use std::future::Future;

use axum::Router;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde::{Serialize, de::DeserializeOwned};

/// Serves an HTTP function.
pub async fn serve_http(router: Router) -> Result<(), Error> {
    lambda_http::run(router).await
}

/// Serves an event function. The invocation fails with the handler's error, so that Lambda retries it and the
/// event ends in the dead letter queue when nothing helps.
pub async fn serve_events<I, O, E, D, F, Fut>(deps: D, handle: F) -> Result<(), Error>
where
    I: DeserializeOwned,
    O: Serialize,
    E: std::error::Error + Send + Sync + 'static,
    D: Clone,
    F: Fn(I, D) -> Fut,
    Fut: Future<Output = Result<O, E>>,
{
    lambda_runtime::run(service_fn(|event: LambdaEvent<I>| {
        // Boxed: a handler's future nests deeper than the compiler likes to lay out inside the runtime's.
        let answer = Box::pin(handle(event.payload, deps.clone()));
        async move {
            answer.await.map_err(|error| {
                tracing::error!(error = %Chain(&error), request_id = event.context.request_id, "invocation failed");
                Error::from(error)
            })
        }
    }))
    .await
}

/// An error with its causes, on one line.
pub struct Chain<'a>(pub &'a (dyn std::error::Error + 'static));

impl std::fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}
