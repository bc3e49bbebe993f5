//! The CSM's web page: rendered on the server, readable without JavaScript, without any asset of others.
//!
//! [`view`] turns what is stored into what a page says, as pure functions; the handlers only read the table and
//! render. Nothing on a page is told by colour alone, and every picture has its table.

mod account;
mod address;
mod api;
mod ask_link;
mod assets;
mod changes;
mod cookies;
mod follow_link;
mod form;
mod guard;
mod html;
mod inbox;
mod mail;
mod naming;
mod notice;
mod oidc;
mod overview;
mod pages;
mod session;
mod settings;
mod sign_in;
mod sources;
mod style;
mod today;
mod user_agent;
pub mod view;

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use axum::{
    Router,
    extract::{DefaultBodyLimit, Request},
    middleware,
    routing::{get, post},
};
use barometer_cloud::{Clock, Mailer, Table};
use tower::ServiceExt;

pub use ask_link::TAKES as ASKING_TAKES;
pub use oidc::Oidc;
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
    /// Sends test mails and links that sign in.
    pub mailer: Mailer,
    /// The product's API, which does what the page changes.
    pub api: Router,
    /// Cookies travel over HTTPS only.
    pub secure_cookies: bool,
    /// The public address of the page, without a slash at the end; where it is absent the gateway sees to it that `Host`
    /// is its own.
    pub origin: Option<String>,
    /// How long asking for a link takes, neither more nor less; as long as it takes when absent. [`ASKING_TAKES`] where
    /// strangers can ask.
    pub asking_takes: Option<Duration>,
    /// The OpenID Connect issuer that members may sign in with, if there is one.
    pub oidc: Option<Oidc>,
}

/// The API as the page asks it: what it asks of the portfolio's routes, and those that set a status. It is put together when it
/// is first asked, since most pages don't and a start needn't wait for it.
pub fn api(portfolio: portfolio::Deps, statuses: update_status::Deps) -> Router {
    let routes = Arc::new(OnceLock::new());
    Router::new().fallback(move |request: Request| {
        let routes = routes.get_or_init(|| {
            portfolio::router_for_the_page(portfolio.clone())
                .merge(update_status::route_of_one(statuses.clone()))
        });
        Router::clone(routes).oneshot(request)
    })
}

/// The page's routes.
pub fn router(deps: Deps) -> Router {
    Router::new()
        .route("/", get(pages::portfolio))
        .route("/companies/{company_id}", get(pages::company))
        .route("/companies/{company_id}/timeline", get(pages::timeline))
        .route("/companies/{company_id}/status", post(changes::status))
        .route("/companies/{company_id}/feedback-requests", post(changes::feedback_requests))
        .route("/companies/{company_id}/details", post(changes::details))
        .route("/desk/tasks/{id}", post(changes::task))
        .route("/desk/alerts/{id}", post(changes::alert))
        .route("/desk/disagreements/{id}", post(changes::disagreement))
        .route("/desk/actions/{id}", post(changes::action))
        .route("/desk/answers/{id}/void", post(changes::void))
        .route("/today", get(today::show))
        .route("/inbox", get(inbox::show))
        .route("/overview", get(overview::show))
        .route("/quadrant", get(pages::quadrant))
        .route("/sources", get(sources::list).post(sources::create))
        .route("/sources/{id}", get(sources::one).post(sources::change))
        .route("/sources/{id}/rotate", post(sources::rotate))
        .merge(settings::routes())
        .route("/settings/mail", get(mail::show).post(mail::send))
        .route("/settings/mail/look", post(mail::save))
        .route("/settings/mail/preview/{language}", get(mail::preview))
        .route("/assets/page.js", get(assets::script))
        .route("/sign-in", get(sign_in::form).post(sign_in::enter))
        .route("/sign-in/oidc", get(oidc::begin))
        .route("/sign-in/oidc/callback", get(oidc::callback))
        .route("/sign-in/{code}", get(follow_link::show).post(follow_link::follow))
        .route("/sign-out", post(sign_in::out))
        .route("/account", get(account::show))
        .route("/account/sign-out", post(account::sign_out_everywhere))
        .route("/account/sessions/{id}", post(account::end))
        .fallback(pages::not_found)
        .layer(DefaultBodyLimit::max(MAX_FORM_BYTES))
        .layer(middleware::from_fn(guard::our_own_pages))
        .layer(middleware::map_response(guard::headers))
        .with_state(deps)
}
