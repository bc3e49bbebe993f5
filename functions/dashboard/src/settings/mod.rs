//! The pages of settings and their forms. Everything is read from and saved by the API; see [`saving`].

mod catalogue;
mod saving;
mod score;
mod typed;
mod versions;

use axum::{Router, response::Response, routing::get};
use http::StatusCode;

use crate::{Deps, html};

pub use saving::Version;
pub use typed::Typed;

/// The routes of the settings.
pub fn routes() -> Router<Deps> {
    Router::new()
        .route("/settings", get(score::show).post(score::send))
        .route("/settings/catalogue", get(catalogue::show).post(catalogue::send))
        .route("/settings/versions", get(versions::show))
}

fn unreadable() -> Response {
    html::message(
        StatusCode::BAD_REQUEST,
        "The form can’t be read",
        "Go back, load the page again and retry.",
    )
}
