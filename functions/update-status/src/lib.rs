//! A CSM sets the business status of a company, or of many.
//!
//! In: `PUT /v1/companies/{company_id}/status` with `{"status": "struggling", "note": "…"}`, optionally `If-Match` (the
//! status version that was seen), and `POST /v1/companies/statuses` with up to 500 at once; an API token or session that
//! may write, optionally `Idempotency-Key`.
//! Out: the change, or what became of each. Writes, all or nothing for a company: the history, its current status, who
//! did it, and `status.changed` when it is a transition. Setting the same status again is a confirmation: it renews
//! review-by, is logged, and fires nothing. A status that contradicts engagement opens a disagreement.

mod change;
mod many;
mod one;
pub mod openapi;
mod repeat;
mod will;

use axum::{
    Router,
    routing::{post, put},
};
use barometer_cloud::{Bus, Clock, Table, http::Problem};
use http::StatusCode;

/// What the function works with.
#[derive(Debug, Clone)]
pub struct Deps {
    /// The table.
    pub table: Table,
    /// The bus.
    pub bus: Bus,
    /// The time.
    pub clock: Clock,
}

/// The function's routes.
pub fn router(deps: Deps) -> Router {
    route_of_one(deps.clone())
        .route("/v1/companies/statuses", post(many::set).with_state(deps))
        .method_not_allowed_fallback(method_not_allowed)
        .fallback(|| async { Problem::not_found("there is nothing at this path") })
}

/// The route that sets one company's status, to be merged with others.
pub fn route_of_one(deps: Deps) -> Router {
    Router::new().route("/v1/companies/{company_id}/status", put(one::set)).with_state(deps)
}

async fn method_not_allowed() -> Problem {
    Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "method_not_allowed",
        "one status is set with PUT, many with POST; see the header Allow",
    )
}
