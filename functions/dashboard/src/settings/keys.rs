//! API keys: listed, made, revoked. For admins, as in the API.

use axum::{
    extract::{Path, RawQuery, State},
    response::Response,
};
use barometer_cloud::table::credentials::Scope;
use chrono::TimeDelta;
use http::{HeaderMap, Method, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{admins_only, typed::Typed};
use crate::{
    Deps,
    api::{Api, segment},
    form::Sent,
    html::{self, Failure},
    notice::{Done, Notice},
    pages::Visit,
    sign_in,
    view::{
        Scene,
        settings::keys::{Given, Key, KeysPage, Shown},
    },
};

const PAGE: &str = "/settings/keys";

#[derive(Deserialize)]
struct Keys {
    items: Vec<Key>,
}

/// `GET /settings/keys`
pub async fn show(
    State(deps): State<Deps>,
    visit: Visit,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let notice = Notice::of(&query.unwrap_or_default());
    page(&deps, &headers, &visit, (StatusCode::OK, notice), None, Given::default()).await
}

async fn page(
    deps: &Deps,
    headers: &HeaderMap,
    visit: &Visit,
    (status, notice): (StatusCode, Option<Notice>),
    shown: Option<Shown>,
    given: Given,
) -> Result<Response, Failure> {
    if visit.scope < Scope::Admin {
        return Ok(admins_only());
    }
    let Keys { items } = Api::new(&deps.api, headers).get("/v1/api-tokens").await?;
    let scene = Scene { settings: &visit.settings, now: deps.clock.now() };
    Ok(html::page(status, &KeysPage::build(visit.chrome(), notice, items, shown, given, scene)))
}

/// `POST /settings/keys`: makes one, and shows it this once.
pub async fn create(
    State(deps): State<Deps>,
    visit: Visit,
    headers: HeaderMap,
    Sent(typed): Sent<Typed>,
) -> Result<Response, Failure> {
    let text = |name: &str| typed.text(name).trim().to_owned();
    let given = Given { label: text("label"), scope: text("scope"), days: text("days") };
    let days = given.days.parse::<u16>().ok().map(i64::from).map(TimeDelta::days);
    let ends = days.and_then(|days| deps.clock.now().checked_add_signed(days));
    let body = json!({ "label": given.label, "scope": given.scope, "expires_at": ends });
    match Api::new(&deps.api, &headers).change(Method::POST, "/v1/api-tokens", &body).await? {
        Ok(answer) => {
            let token = answer.get("token").and_then(Value::as_str).unwrap_or_default().to_owned();
            let shown = Some(Shown { label: given.label, token });
            page(&deps, &headers, &visit, (StatusCode::CREATED, None), shown, Given::default()).await
        }
        Err(refusal) => {
            let notice = Some(Notice::problem(refusal.sentences()));
            page(&deps, &headers, &visit, (refusal.status, notice), None, given).await
        }
    }
}

/// `POST /settings/keys/{id}/revoke`
pub async fn revoke(
    State(deps): State<Deps>,
    _: Visit,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let path = format!("/v1/api-tokens/{}", segment(&id));
    match Api::new(&deps.api, &headers).change(Method::DELETE, &path, &json!({})).await? {
        Ok(_) => Ok(sign_in::go(&Done::Saved.at(PAGE), &[])),
        Err(refusal) => Ok(html::refused(&refusal, PAGE)),
    }
}
