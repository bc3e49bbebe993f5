//! Takes the activity that a product posts.
//!
//! In: requests as the official clients of Segment, RudderStack, Jitsu, PostHog and CloudEvents send them, compressed
//! or not, on the paths of [`route`]. Out: exactly 200 with what was accepted and what was rejected and why, or a problem document.
//!
//! Reading is pure and stands apart from storing: [`request`] undoes what surrounds the JSON; [`segment`], [`jitsu`],
//! [`posthog`] and [`cloudevents`] each read one protocol's events into [`event::Event`], with what they share in
//! [`fields`]; [`read`] chooses among them; [`answer`] says what became of it.
//!
//! Storing: [`access`] knows whose a write key is, [`memory`] remembers across the requests of a warm function, [`batch`] works out what a request adds,
//! [`attribute`] finds the company and person of events that don't name them, [`store`] writes. Everything written
//! is a set that grows or a minimum, so a request sent again, in another order or in other pieces, leaves the same
//! items; the packed log comes last, and only then the answer.

pub mod access;
pub mod answer;
pub mod attribute;
pub mod batch;
pub mod cloudevents;
pub mod cors;
pub mod device;
pub mod documents;
pub mod envelope;
pub mod event;
pub mod fault;
pub mod fields;
pub mod jitsu;
pub mod json;
pub mod key;
pub mod limits;
pub mod memory;
pub mod open;
pub mod posthog;
pub mod read;
pub mod refusal;
pub mod request;
pub mod route;
pub mod segment;
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
use barometer_cloud::{Clock, Table};
use chrono::{DateTime, TimeDelta, Utc};
use http::Request;

use crate::{
    access::Access, answer::Receipt, limits::Limits, memory::Memory, open::Opened, read::Reading,
    refusal::Refusal,
};

/// What the function works with.
#[derive(Debug, Clone)]
pub struct Deps {
    /// The table.
    pub table: Table,
    /// The time.
    pub clock: Clock,
}

#[derive(Debug, Clone)]
struct Warm {
    deps: Deps,
    access: Arc<Access>,
    memory: Arc<Memory>,
}

/// The function's routes: every path is a client's.
pub fn router(deps: Deps) -> Router {
    Router::new().fallback(take).with_state(Warm { deps, access: Arc::default(), memory: Arc::default() })
}

async fn take(State(warm): State<Warm>, request: Request<Body>) -> Response {
    let (head, body) = request.into_parts();
    // How far back the workspace looks is known only with its key: `store` rejects what is too old.
    let limits = Limits { retention: TimeDelta::days(i64::from(u16::MAX)), ..Limits::default() };
    let answer = match axum::body::to_bytes(body, limits.body_bytes + 1).await {
        Ok(body) => {
            let received = warm.deps.clock.now();
            match open::open(&head.method, &head.uri, &head.headers, &body, received, &limits) {
                Opened::Answered(answer) => answer,
                Opened::Events { key, reading } => match keep(&warm, &key, reading, received).await {
                    Ok(receipt) => receipt.into_response(),
                    Err(refusal) => refusal.into_response(),
                },
            }
        }
        Err(_) => Refusal::TooLarge { limit: limits.body_bytes, state: "as sent" }.into_response(),
    };
    answer::finish(&head.headers, answer)
}

/// Stores what was read. Errors: the key isn't known, or the store didn't take everything.
async fn keep(warm: &Warm, key: &str, reading: Reading, received: DateTime<Utc>) -> Result<Receipt, Refusal> {
    let table = &warm.deps.table;
    let known = warm.access.workspace(table, key, received).await;
    let known = known.map_err(|error| store::unavailable(&error))?.ok_or(Refusal::UnknownKey)?;
    let (reading, unattributed) = store::store(table, &warm.memory, &known, reading, received).await?;
    Ok(Receipt::new(reading, unattributed))
}
