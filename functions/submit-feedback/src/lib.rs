//! The answer page, the answer and the unsubscribe: what the links in a mail open.
//!
//! No JavaScript, no cookie, nothing fetched; every error is a page, because people see it.

use axum::{
    Router,
    extract::Request,
    middleware::map_response,
    response::Response,
    routing::{get, post},
};
use barometer_cloud::{Bus, Clock, Table};
use barometer_domain::token::Keys;

pub mod answer;
pub mod failure;
pub mod form;
pub mod link;
pub mod openapi;
pub mod page;
pub mod texts;
pub mod unsubscribe;

use failure::{Failure, Reader};

/// What the function works with.
#[derive(Debug, Clone)]
pub struct Deps {
    /// The table.
    pub table: Table,
    /// The bus.
    pub bus: Bus,
    /// The time.
    pub clock: Clock,
    /// Verify links, and sign the one to the unsubscribe page.
    pub link_keys: Keys,
}

/// The function's routes.
pub fn router(deps: Deps) -> Router {
    Router::new()
        .route("/f/{token}", get(answer::show).post(answer::submit))
        .route("/u/{token}", get(unsubscribe::show).post(unsubscribe::unsubscribe))
        .route("/u/{token}/resubscribe", post(unsubscribe::resubscribe))
        .method_not_allowed_fallback(|request: Request| refuse(request, Failure::Method))
        .fallback(|request: Request| refuse(request, Failure::NotFound))
        .layer(map_response(page::guard))
        .with_state(deps)
}

async fn refuse(request: Request, failure: Failure) -> Response {
    Reader::of(request.method(), request.headers()).refuse(failure)
}
