//! One call of a function: which matter it belongs to, and what it counts.
//!
//! The Lambda ends ([`crate::lambda`]) open an invocation around each handler; everything that runs within it finds it by
//! [`trace_id`] and [`crate::metrics::count`]. Outside of one, as in the one-machine home, there is no trace and nothing is counted.

use std::{future::Future, sync::Arc};

use crate::metrics::Counts;

tokio::task_local! {
    static CURRENT: Arc<Invocation>;
}

/// A call of a function.
#[derive(Debug, Default)]
pub struct Invocation {
    /// The service's id of the call; another one when it is tried again.
    pub request_id: String,
    /// The matter: from the request that came in over the bus to whatever follows, the same.
    pub trace_id: String,
    /// What is counted.
    pub counts: Counts,
}

impl Invocation {
    /// A call by its id and the tracing header that the service gives it, `Root=…;Parent=…;Sampled=…`. Its matter is the
    /// header's root, and without one the call itself.
    pub fn new(request_id: &str, tracing_header: Option<&str>) -> Self {
        let root = tracing_header.into_iter().flat_map(|header| header.split(';'));
        let root = root.filter_map(|part| part.trim().strip_prefix("Root=")).find(|root| !root.is_empty());
        Self {
            request_id: request_id.to_owned(),
            trace_id: root.unwrap_or(request_id).to_owned(),
            counts: Counts::default(),
        }
    }

    /// The same call, in the matter of the event that it is about: what [`crate::bus::Detail`] carries.
    #[must_use]
    pub fn about(self, event: &serde_json::Value) -> Self {
        match event.pointer("/detail/trace_id").and_then(serde_json::Value::as_str) {
            Some(trace) if !trace.is_empty() => Self { trace_id: trace.to_owned(), ..self },
            _ => self,
        }
    }

    /// Does `work` within the call.
    pub async fn scope<F: Future>(self: &Arc<Self>, work: F) -> F::Output {
        CURRENT.scope(Arc::clone(self), work).await
    }
}

/// The call that runs here, if any.
pub fn current() -> Option<Arc<Invocation>> {
    CURRENT.try_with(Arc::clone).ok()
}

/// The matter of the call that runs here, if any.
pub fn trace_id() -> Option<String> {
    CURRENT.try_with(|invocation| invocation.trace_id.clone()).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_matter_is_the_root_of_the_header_else_the_call_itself() {
        let of = |header| Invocation::new("r-1", header).trace_id;
        assert_eq!(of(Some("Root=1-6a97a8c0-01;Parent=53995c3f42cd8ad8;Sampled=0")), "1-6a97a8c0-01");
        assert_eq!(of(Some("Parent=53995c3f42cd8ad8; Root=1-2")), "1-2");
        assert_eq!(of(Some("Root=")), "r-1");
        assert_eq!(of(None), "r-1");
    }

    #[test]
    fn a_call_about_an_event_takes_up_its_matter() {
        let of = |event| Invocation::new("r-1", Some("Root=1-own")).about(&event).trace_id;
        assert_eq!(of(json!({ "detail": { "trace_id": "1-theirs" } })), "1-theirs");
        assert_eq!(of(json!({ "detail": { "trace_id": 7 } })), "1-own");
        assert_eq!(of(json!({ "scheduled_time": "2026-09-07T00:00:00Z" })), "1-own");
    }

    #[tokio::test]
    async fn nothing_is_current_outside_of_a_call() {
        let invocation = Arc::new(Invocation::new("r-1", None));
        assert_eq!(invocation.scope(async { trace_id() }).await.as_deref(), Some("r-1"));
        assert_eq!(trace_id(), None);
    }
}
