//! Members: listed for everybody; added, changed and removed by admins, as in the API.

use axum::{
    extract::{Path, RawQuery, State},
    response::Response,
};
use http::{HeaderMap, Method, StatusCode};
use serde::Deserialize;
use serde_json::json;

use super::typed::Typed;
use crate::{
    Deps,
    api::{Api, segment},
    form::{Sent, unreadable},
    html::{self, Failure},
    notice::{Done, Notice},
    pages::Visit,
    sign_in,
    view::{
        Scene,
        settings::members::{Given, Member, MembersPage},
    },
};

const PAGE: &str = "/settings/members";
/// Members that the page lists at most.
const MOST: usize = 200;

#[derive(Deserialize)]
struct Members {
    items: Vec<Member>,
    next_cursor: Option<String>,
}

/// `GET /settings/members`
pub async fn show(
    State(deps): State<Deps>,
    visit: Visit,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let notice = Notice::of(&query.unwrap_or_default());
    page(&deps, &headers, &visit, (StatusCode::OK, notice), Given::default()).await
}

async fn page(
    deps: &Deps,
    headers: &HeaderMap,
    visit: &Visit,
    (status, notice): (StatusCode, Option<Notice>),
    given: Given,
) -> Result<Response, Failure> {
    let path = format!("/v1/members?limit={MOST}");
    let Members { items, next_cursor } = Api::new(&deps.api, headers).get(&path).await?;
    let scene = Scene { settings: &visit.settings, now: deps.clock.now() };
    let page = MembersPage::build(visit.chrome(), notice, (items, next_cursor.is_some()), given, scene);
    Ok(html::page(status, &page))
}

/// `POST /settings/members`
pub async fn add(
    State(deps): State<Deps>,
    visit: Visit,
    headers: HeaderMap,
    Sent(typed): Sent<Typed>,
) -> Result<Response, Failure> {
    let text = |name: &str| typed.text(name).trim().to_owned();
    let given = Given { email: text("email"), name: text("name"), role: text("role") };
    let mut body = json!({ "email": given.email, "role": given.role });
    if let Some(body) = body.as_object_mut().filter(|_| !given.name.is_empty()) {
        body.insert("name".to_owned(), given.name.as_str().into());
    }
    match Api::new(&deps.api, &headers).change(Method::POST, "/v1/members", &body).await? {
        Ok(_) => Ok(sign_in::go(&Done::Saved.at(PAGE), &[])),
        Err(refusal) => {
            let notice = Some(Notice::problem(refusal.sentences()));
            page(&deps, &headers, &visit, (refusal.status, notice), given).await
        }
    }
}

/// `POST /settings/members/{id}`: `act` is a role, or `remove`.
pub async fn change(
    State(deps): State<Deps>,
    _: Visit,
    Path(id): Path<String>,
    headers: HeaderMap,
    Sent(typed): Sent<Typed>,
) -> Result<Response, Failure> {
    let path = format!("/v1/members/{}", segment(&id));
    let (method, body) = match typed.text("act") {
        "remove" => (Method::DELETE, json!({})),
        "role" => (Method::PATCH, json!({ "role": typed.text("role") })),
        _ => return Ok(unreadable()),
    };
    match Api::new(&deps.api, &headers).change(method, &path, &body).await? {
        Ok(_) => Ok(sign_in::go(&Done::Saved.at(PAGE), &[])),
        Err(refusal) => Ok(html::refused(&refusal, PAGE)),
    }
}
