//! Takes the activity that a product posts.
//!
//! In: requests as the official clients of Segment, RudderStack, Jitsu, PostHog and CloudEvents send them, compressed
//! or not, on the paths of [`route`]. Out: exactly 200 with what was accepted and what was rejected and why, or a problem document.
//!
//! Reading is pure and stands apart from storing: [`request`] undoes what surrounds the JSON; [`segment`], [`jitsu`],
//! [`posthog`] and [`cloudevents`] each read one protocol's events into [`event::Event`], with what they share in
//! [`fields`]; [`read`] chooses among them; [`answer`] says what became of it. [`feedback`] takes one answer of a person.
//!
//! Letting in: [`access`] knows what a write key opens, [`origin`] which pages may use it, [`pace`] how fast;
//! [`statistics`] counts what came of it, for the source's people.
//!
//! Storing: [`memory`] remembers across the requests of a warm function, [`batch`] works out what a request adds,
//! [`attribute`] finds the company and person of events that don't name them, [`store`] writes. Everything written
//! is a set that grows or a minimum, so a request sent again, in another order or in other pieces, leaves the same
//! items; the packed log comes last, and only then the answer.

pub mod access;
pub mod answer;
pub mod attribute;
pub mod batch;
pub mod bucket;
pub mod cloudevents;
pub mod cors;
pub mod deadline;
pub mod device;
pub mod documents;
pub mod envelope;
pub mod event;
pub mod fault;
pub mod feedback;
pub mod fields;
pub mod jitsu;
pub mod json;
pub mod key;
pub mod limits;
pub mod memory;
pub mod open;
pub mod openapi;
pub mod origin;
pub mod pace;
pub mod pack;
pub mod posthog;
pub mod read;
pub mod refusal;
pub mod replay;
pub mod request;
pub mod route;
pub mod segment;
pub mod statistics;
pub mod store;
pub mod time;
pub mod tolerant;

use std::sync::Arc;

use axum::{
    Router,
    body::Body,
    extract::State,
    response::{IntoResponse, Response},
};
use barometer_cloud::{
    Bus, Clock, Table,
    http::Problem,
    lambda::Chain,
    metrics::{Metric, count},
};
use chrono::{DateTime, TimeDelta, Utc};
use http::{Request, request::Parts};

use crate::{
    access::{Access, Grant},
    answer::Receipt,
    deadline::{DEADLINE, within},
    limits::Limits,
    memory::Memory,
    open::Opened,
    pace::Pace,
    read::Reading,
    refusal::Refusal,
    statistics::{Statistics, Tally},
    store::Context,
};

/// What the function works with.
#[derive(Debug, Clone)]
pub struct Deps {
    /// The table.
    pub table: Table,
    /// Where answers are told of at once.
    pub bus: Bus,
    /// The time.
    pub clock: Clock,
}

/// What a warm function keeps between requests.
#[derive(Debug, Clone)]
struct Warm {
    deps: Deps,
    access: Arc<Access>,
    pace: Arc<Pace>,
    memory: Arc<Memory>,
    statistics: Arc<Statistics>,
}

/// The function's routes: every path is a client's.
pub fn router(deps: Deps) -> Router {
    router_and_statistics(deps).0
}

/// The function's routes, and what they count: a process that is told before it ends can write the rest.
pub fn router_and_statistics(deps: Deps) -> (Router, Arc<Statistics>) {
    let statistics = Arc::new(Statistics::new(deps.table.clone()));
    let warm = Warm {
        deps,
        access: Arc::default(),
        pace: Arc::default(),
        memory: Arc::default(),
        statistics: Arc::clone(&statistics),
    };
    (Router::new().fallback(take).with_state(warm), statistics)
}

async fn take(State(warm): State<Warm>, request: Request<Body>) -> Response {
    let (head, body) = request.into_parts();
    // How far back the workspace looks is known only with its key: `store` rejects what is too old.
    let limits = Limits { retention: TimeDelta::days(i64::from(u16::MAX)), ..Limits::default() };
    let answer = match axum::body::to_bytes(body, limits.body_bytes + 1).await {
        Ok(body) => {
            let received = warm.deps.clock.now();
            match open::open(&head.method, &head.uri, &head.headers, &body, received, &limits) {
                Opened::Answered(answer) => warm.answered(&head, answer).await,
                Opened::Events { key, reading } => {
                    match within(DEADLINE, warm.keep(&head, &key, reading, received)).await {
                        Ok(receipt) => receipt.into_response(),
                        Err(refusal) => refusal.into_response(),
                    }
                }
                Opened::Feedback { key } => {
                    let taken = within(DEADLINE, warm.feedback(&head, &key, &body, received)).await;
                    taken.unwrap_or_else(IntoResponse::into_response)
                }
            }
        }
        Err(_) => {
            let refusal = Refusal::TooLarge { limit: limits.body_bytes, state: "as sent" };
            warm.answered(&head, refusal.into_response()).await
        }
    };
    answer::finish(&head.headers, answer)
}

impl Warm {
    /// Counts a request that was refused before its key was looked at, if it carries a key that is known.
    async fn answered(&self, head: &Parts, answer: Response) -> Response {
        if let Some(refusal) = answer.extensions().get::<Refusal>()
            && let Some(key) = key::of_request(&head.headers, head.uri.query())
        {
            let now = self.deps.clock.now();
            let tally = Tally::refused(refusal, head.uri.path(), now);
            match self.access.grant(&self.deps.table, &key, now).await {
                Ok(Some(grant)) => self.statistics.note(&grant, tally, now).await,
                Ok(None) => {}
                Err(error) => tracing::warn!(error = %Chain(&error), "a refused request isn't counted"),
            }
        }
        answer
    }

    /// Stores what was read. Errors: the key doesn't work or not from there, too much comes with it, or the store
    /// didn't take everything.
    async fn keep(
        &self,
        head: &Parts,
        key: &str,
        reading: Reading,
        received: DateTime<Utc>,
    ) -> Result<Receipt, Refusal> {
        let table = &self.deps.table;
        let grant = self.access.grant(table, key, received).await;
        let grant = grant.map_err(|error| store::unavailable(&error))?.ok_or(Refusal::UnknownKey)?;
        if let Err(closed) = grant.check(received) {
            self.statistics.note(&grant, Tally::closed(closed, received), received).await;
            return Err(Refusal::UnknownKey);
        }
        let kept = match self.admit(&grant, head, reading.events.len(), received).await {
            Ok(()) => {
                let Deps { bus, .. } = &self.deps;
                store::store(
                    table,
                    Some(bus),
                    &self.memory,
                    &grant.known,
                    &grant.source.id,
                    reading,
                    received,
                )
                .await
            }
            Err(refusal) => Err(refusal),
        };
        match kept {
            Ok((reading, unattributed)) => {
                count(Metric::Events, reading.events.len() + reading.rejected);
                count(Metric::Rejected, reading.rejected);
                self.statistics.note(&grant, Tally::taken(&reading, received), received).await;
                Ok(Receipt::new(reading, unattributed))
            }
            Err(refusal) => {
                let tally = Tally::refused(&refusal, head.uri.path(), received);
                match refusal {
                    Refusal::Unavailable { .. } => self.statistics.count(&grant, tally, received),
                    _ => self.statistics.note(&grant, tally, received).await,
                }
                Err(refusal)
            }
        }
    }

    async fn admit(
        &self,
        grant: &Grant,
        head: &Parts,
        events: usize,
        now: DateTime<Utc>,
    ) -> Result<(), Refusal> {
        origin::check(&grant.source.allowed_origins, &head.headers)?;
        self.pace.pass(&grant.source, events, now).await
    }

    /// Takes one answer. Errors: the key doesn't work or not from there, or the store didn't take it; what is wrong
    /// with the answer itself is a problem document.
    async fn feedback(
        &self,
        head: &Parts,
        key: &str,
        body: &[u8],
        received: DateTime<Utc>,
    ) -> Result<Response, Refusal> {
        let table = &self.deps.table;
        let grant = self.access.grant(table, key, received).await;
        let grant = grant.map_err(|error| store::unavailable(&error))?.ok_or(Refusal::UnknownKey)?;
        grant.check(received).map_err(|_| Refusal::UnknownKey)?;
        self.admit(&grant, head, 1, received).await?;
        self.memory.begin(received);
        let context = Context {
            table,
            memory: &self.memory,
            workspace: &grant.known.workspace,
            settings: &grant.known.settings,
            now: received,
            bus: Some(&self.deps.bus),
        };
        let taken: Result<Response, Problem> = feedback::take(&context, &head.headers, body).await;
        Ok(taken.unwrap_or_else(IntoResponse::into_response))
    }
}
