//! The CSM's web page: rendered on the server, readable without JavaScript, without any asset of others.
//!
//! [`view`] turns what is stored into what a page says, as pure functions; the handlers only read the table and
//! render. Nothing on a page is told by colour alone, and every picture has its table.

mod api;
mod assets;
mod changes;
mod guard;
mod html;
mod mail;
mod notice;
mod pages;
mod session;
mod settings;
mod sign_in;
mod sources;
mod style;
pub mod view;

use axum::{
    Router,
    extract::DefaultBodyLimit,
    middleware,
    routing::{get, post},
};
use barometer_cloud::{Clock, Mailer, Table};

pub use session::{LinkError, sign_in_link};

/// Largest form: a note of 5,000 characters of four bytes each, percent-encoded.
const MAX_FORM_BYTES: usize = 65_536;

/// What the page needs.
#[derive(Debug, Clone)]
pub struct Deps {
    /// The table.
    pub table: Table,
    /// The current time.
    pub clock: Clock,
    /// Sends test mails.
    pub mailer: Mailer,
    /// The product's API, which does what the page changes.
    pub api: Router,
    /// Cookies travel over HTTPS only.
    pub secure_cookies: bool,
}

/// The API as the page asks it: the portfolio's routes and those that set a status.
pub fn api(portfolio: portfolio::Deps, statuses: update_status::Deps) -> Router {
    let statuses = update_status::routes(statuses);
    portfolio::router(portfolio).merge(statuses)
}

/// The page's routes.
pub fn router(deps: Deps) -> Router {
    Router::new()
        .route("/", get(pages::portfolio))
        .route("/companies/{company_id}", get(pages::company))
        .route("/companies/{company_id}/status", post(changes::status))
        .route("/companies/{company_id}/feedback-requests", post(changes::feedback_requests))
        .route("/companies/{company_id}/details", post(changes::details))
        .route("/desk/tasks/{id}", post(changes::task))
        .route("/desk/alerts/{id}", post(changes::alert))
        .route("/desk/disagreements/{id}", post(changes::disagreement))
        .route("/desk/actions/{id}", post(changes::action))
        .route("/desk/answers/{id}/void", post(changes::void))
        .route("/quadrant", get(pages::quadrant))
        .route("/sources", get(sources::list).post(sources::create))
        .route("/sources/{id}", get(sources::one).post(sources::change))
        .route("/sources/{id}/rotate", post(sources::rotate))
        .merge(settings::routes())
        .route("/settings/mail", get(mail::show).post(mail::send))
        .route("/settings/mail/look", post(mail::save))
        .route("/settings/mail/preview/{language}", get(mail::preview))
        .route("/assets/page.js", get(assets::script))
        .route("/sign-in", get(sign_in::form).post(sign_in::with_token))
        .route("/sign-in/{code}", get(sign_in::link).post(sign_in::with_code))
        .route("/sign-out", post(sign_in::out))
        .fallback(pages::not_found)
        .layer(DefaultBodyLimit::max(MAX_FORM_BYTES))
        .layer(middleware::from_fn(guard::same_origin_posts))
        .layer(middleware::map_response(guard::headers))
        .with_state(deps)
}
