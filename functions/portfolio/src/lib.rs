//! The CSM's API: companies, snapshots, settings, rules, sources, webhooks, members and API tokens of one workspace, as JSON.
//!
//! One use case per module. Every request carries an API token or a session; the workspace is that of the
//! credential, so another workspace's ids answer 404. Lists answer `{"items": […], "next_cursor": …}`, errors
//! are problem documents, and nothing is kept in a cache but the description of the API, which needs no credential:
//! `/openapi.json`, and `/docs` to read.

mod accept;
mod actions;
mod alerts;
mod audit;
mod caller;
mod cases;
mod companies;
mod company;
mod csv;
mod disagreements;
mod document;
mod export;
mod feedback;
mod if_match;
mod link;
mod members;
pub mod openapi;
mod overview;
mod paging;
mod params;
mod quadrant;
mod repeat;
mod rules;
mod settings;
mod sources;
mod tasks;
mod tokens;
mod webhooks;

use axum::{
    Router,
    response::Response,
    routing::{delete, get, patch, post},
};
use barometer_cloud::{Clock, Table, http::Problem};
use barometer_webhook::Client;
use http::{HeaderValue, StatusCode, header};

/// What the API reads from and writes to.
#[derive(Debug, Clone)]
pub struct Deps {
    /// The table.
    pub table: Table,
    /// The current time.
    pub clock: Clock,
    /// Calls endpoints when they are tested, and knows where they may be.
    pub webhooks: Client,
}

/// The API's routes: its description, and all else under `/v1`.
pub fn router(deps: Deps) -> Router {
    finished(asked_by_the_page().merge(asked_by_programs()), deps)
}

/// Those of the routes that the page asks. In its package there is no room for all.
pub fn router_for_the_page(deps: Deps) -> Router {
    finished(asked_by_the_page(), deps)
}

fn asked_by_the_page() -> Router<Deps> {
    Router::new()
        .route("/v1/companies/{company_id}", patch(company::patch::patch))
        .route("/v1/companies/{company_id}/users", get(company::users::users))
        .route("/v1/companies/{company_id}/timeline", get(company::timeline::timeline))
        .route("/v1/settings", get(settings::get::get).put(settings::put::put))
        .route("/v1/settings/versions", get(settings::versions::versions))
        .route("/v1/settings/what-if", post(settings::what_if::what_if))
        .route("/v1/feedback", get(feedback::list::list))
        .route("/v1/feedback/{id}/void", post(feedback::void::void))
        .route("/v1/alerts/{id}", patch(alerts::patch::patch))
        .route("/v1/tasks/{id}", patch(tasks::patch::patch))
        .route("/v1/rules/presets", get(rules::presets::presets))
        .route("/v1/rules/dry-run", post(rules::dry_run::dry_run))
        .route("/v1/rules/{id}/runs", get(rules::runs::runs))
        .route("/v1/actions/{id}", patch(actions::patch::patch))
        .route("/v1/disagreements/{id}", patch(disagreements::patch::patch))
        .route("/v1/webhooks", get(webhooks::list::list).post(webhooks::create::create))
        .route("/v1/webhooks/{id}", patch(webhooks::patch::patch).delete(webhooks::remove::remove))
        .route("/v1/webhooks/{id}/rotate", post(webhooks::rotate::rotate))
        .route("/v1/webhooks/{id}/test", post(webhooks::test::test))
        .route("/v1/api-tokens", get(tokens::list::list).post(tokens::create::create))
        .route("/v1/api-tokens/{id}", delete(tokens::revoke::revoke))
        .route("/v1/members", get(members::list::list).post(members::create::create))
        .route("/v1/members/{id}", patch(members::patch::patch).delete(members::remove::remove))
        .route("/v1/audit", get(audit::list::list))
}

fn asked_by_programs() -> Router<Deps> {
    Router::new()
        .route("/openapi.json", get(document::json))
        .route("/docs", get(document::page::overview))
        .route("/docs/{group}", get(document::page::of_group))
        .route("/docs/schemas/{name}", get(document::page::of_schema))
        .route("/v1/companies", get(companies::list::list))
        .route("/v1/companies.csv", get(companies::list::csv))
        .route("/v1/companies/{company_id}", get(company::get::get))
        .route("/v1/companies/{company_id}/weeks", get(company::weeks::weeks))
        .route("/v1/companies/{company_id}/months", get(company::months::months))
        .route("/v1/companies/{company_id}/happiness", get(company::happiness::happiness))
        .route(
            "/v1/companies/{company_id}/users/{user_id}",
            patch(company::patch_user::patch).delete(company::erase_user::erase),
        )
        .route("/v1/companies/{company_id}/status-changes", get(company::status_changes::status_changes))
        .route("/v1/companies/{company_id}/why", get(company::why::why))
        .route("/v1/quadrant", get(quadrant::quadrant))
        .route("/v1/overview", get(overview::overview))
        .route("/v1/alerts", get(alerts::list::list))
        .route("/v1/tasks", get(tasks::list::list))
        .route("/v1/actions", get(actions::list::list))
        .route("/v1/disagreements", get(disagreements::list::list))
        .route("/v1/sources", get(sources::list::list).post(sources::create::create))
        .route(
            "/v1/sources/{id}",
            get(sources::get::get).patch(sources::patch::patch).delete(sources::remove::remove),
        )
        .route("/v1/sources/{id}/rotate", post(sources::rotate::rotate))
        .route("/v1/webhooks/{id}", get(webhooks::get::get))
        .route("/v1/export", get(export::export))
        .route("/v1/audit.ndjson", get(audit::export::ndjson))
        .route("/v1/audit.csv", get(audit::export::csv))
}

fn finished(routes: Router<Deps>, deps: Deps) -> Router {
    routes
        .fallback(unknown_path)
        .method_not_allowed_fallback(wrong_method)
        .layer(axum::middleware::from_fn_with_state(deps.clone(), repeat::repeat))
        .layer(axum::middleware::map_response(finish))
        .with_state(deps)
}

async fn unknown_path() -> Problem {
    Problem::not_found("there is nothing at this path")
}

async fn wrong_method() -> Problem {
    Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "method_not_allowed",
        "this path knows other methods; see the header Allow",
    )
}

/// What every answer says, whatever made it.
async fn finish(mut response: Response) -> Response {
    let unauthorized = response.status() == StatusCode::UNAUTHORIZED;
    let headers = response.headers_mut();
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if unauthorized {
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    response
}
