//! The pages of settings and their forms. Everything is read from and saved by the API; see [`saving`].

mod audit;
mod catalogue;
mod keys;
mod members;
mod rule;
mod rules;
pub(crate) mod saving;
mod score;
pub(crate) mod typed;
mod versions;
mod webhooks;

use axum::{
    Router,
    response::Response,
    routing::{get, post},
};
use http::StatusCode;

use crate::{Deps, html};

pub use saving::Version;
pub use typed::Typed;

/// The routes of the settings.
pub fn routes() -> Router<Deps> {
    Router::new()
        .route("/settings", get(score::show).post(score::send))
        .route("/settings/catalogue", get(catalogue::show).post(catalogue::send))
        .route("/settings/rules", get(rules::show))
        .route("/settings/rules/{id}", get(rule::show).post(rule::send_known))
        .route("/settings/rules/{id}/switch", post(rules::switch))
        .route("/settings/new-rule", get(rule::new).post(rule::send_new))
        .route("/settings/webhooks", get(webhooks::show).post(webhooks::create))
        .route("/settings/webhooks/{id}", post(webhooks::change))
        .route("/settings/keys", get(keys::show).post(keys::create))
        .route("/settings/keys/{id}/revoke", post(keys::revoke))
        .route("/settings/members", get(members::show).post(members::add))
        .route("/settings/members/{id}", post(members::change))
        .route("/settings/audit", get(audit::show))
        .route("/settings/versions", get(versions::show))
}

fn admins_only() -> Response {
    let text = "This page is for admins.";
    html::message(StatusCode::FORBIDDEN, "For admins", text)
}
