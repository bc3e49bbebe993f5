//! The Lambda ends of a function: `main.rs` is telemetry, configuration and one of these. Each call runs within its
//! [invocation](crate::invocation), and what it counted is told when it has ended.

use std::{any::type_name, future::Future, sync::Arc};

use axum::Router;
use chrono::{DateTime, Utc};
use lambda_http::{Request, RequestExt};
use lambda_runtime::{Context, Diagnostic, Error, LambdaEvent, service_fn, tower::ServiceExt};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{invocation::Invocation, metrics};

/// What invokes a function that has a schedule and hears the bus; `D` is what an event says.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Trigger<D> {
    /// The schedule.
    Scheduled {
        /// The instant for which it fires: the only time that counts.
        scheduled_time: DateTime<Utc>,
    },
    /// The bus.
    Bus {
        /// What the event says.
        detail: D,
    },
}

/// Serves an HTTP function.
pub async fn serve_http(router: Router) -> Result<(), Error> {
    lambda_http::run(service_fn(move |request: Request| {
        let router = router.clone();
        async move {
            let context = request.lambda_context_ref().cloned().unwrap_or_default();
            within(&context, of(&context), router.oneshot(request)).await
        }
    }))
    .await
}

/// Serves an event function. The invocation fails with the handler's error and its causes, so that Lambda retries it and
/// the event ends in the dead letter queue when nothing helps.
pub async fn serve_events<I, O, E, D, F, Fut>(deps: D, handle: F) -> Result<(), Error>
where
    I: DeserializeOwned,
    O: Serialize,
    E: std::error::Error + Send + Sync + 'static,
    D: Clone,
    F: Fn(I, D) -> Fut,
    Fut: Future<Output = Result<O, E>>,
{
    let (deps, handle) = (&deps, &handle);
    lambda_runtime::run(service_fn(move |event: LambdaEvent<Value>| async move {
        let LambdaEvent { payload, context } = event;
        let invocation = of(&context).about(&payload);
        let work = async {
            let event: I = serde_json::from_value(payload).map_err(|error| {
                tracing::error!(%error, "the event has another shape");
                failure(&error)
            })?;
            // Boxed: a handler's future nests deeper than the compiler likes to lay out inside the runtime's.
            let answer = Box::pin(handle(event, deps.clone())).await;
            answer.map_err(|error| {
                tracing::error!(error = %Chain(&error), "invocation failed");
                failure(&error)
            })
        };
        within(&context, invocation, work).await
    }))
    .await
}

/// What the runtime gets to report. It logs all there is of an error, and in an SDK's own error that is whole requests and
/// answers.
fn failure<E: std::error::Error + 'static>(error: &E) -> Diagnostic {
    Diagnostic { error_type: type_name::<E>().to_owned(), error_message: Chain(error).to_string() }
}

fn of(context: &Context) -> Invocation {
    Invocation::new(&context.request_id, context.xray_trace_id.as_deref())
}

async fn within<F: Future>(context: &Context, invocation: Invocation, work: F) -> F::Output {
    let invocation = Arc::new(invocation);
    let answer = invocation.scope(work).await;
    metrics::tell(&context.env_config.function_name, &invocation, Utc::now());
    answer
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
