//! Where events and notes are sent: made, rotated, switched, deleted. For admins, as in the API.

use axum::{
    extract::{Path, RawQuery, State},
    response::Response,
};
use barometer_cloud::table::credentials::Scope;
use http::{HeaderMap, Method, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{admins_only, typed::Typed};
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
        settings::webhooks::{Given, Shown, Webhook, WebhooksPage},
    },
};

const PAGE: &str = "/settings/webhooks";

#[derive(Deserialize)]
struct Webhooks {
    items: Vec<Webhook>,
}

/// `GET /settings/webhooks`
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
    let Webhooks { items } = Api::new(&deps.api, headers).get("/v1/webhooks").await?;
    let scene = Scene { settings: &visit.settings, now: deps.clock.now() };
    Ok(html::page(status, &WebhooksPage::build(visit.chrome(), notice, items, shown, given, scene)))
}

/// `POST /settings/webhooks`: makes one, and shows its secret this once.
pub async fn create(
    State(deps): State<Deps>,
    visit: Visit,
    headers: HeaderMap,
    Sent(typed): Sent<Typed>,
) -> Result<Response, Failure> {
    let text = |name: &str| typed.text(name).trim().to_owned();
    let given = Given { name: text("name"), url: text("url"), chat: typed.text("kind") == "chat" };
    let kind = if given.chat { "chat" } else { "standard" };
    let body = json!({ "name": given.name, "url": given.url, "kind": kind });
    match Api::new(&deps.api, &headers).change(Method::POST, "/v1/webhooks", &body).await? {
        Ok(answer) => made(&deps, &headers, &visit, StatusCode::CREATED, &answer).await,
        Err(refusal) => {
            let notice = Some(Notice::problem(refusal.sentences()));
            page(&deps, &headers, &visit, (refusal.status, notice), None, given).await
        }
    }
}

/// Shows the secret that an endpoint got just now, if it has one.
async fn made(
    deps: &Deps,
    headers: &HeaderMap,
    visit: &Visit,
    status: StatusCode,
    answer: &Value,
) -> Result<Response, Failure> {
    let text = |name: &str| answer.get(name).and_then(Value::as_str).map(str::to_owned);
    match text("secret") {
        Some(secret) => {
            let shown = Shown { name: text("name").unwrap_or_default(), secret };
            page(deps, headers, visit, (status, None), Some(shown), Given::default()).await
        }
        None => Ok(sign_in::go(&Done::Saved.at(PAGE), &[])),
    }
}

/// `POST /settings/webhooks/{id}`: `act` is `rotate`, `test`, `on`, `off` or `delete`.
pub async fn change(
    State(deps): State<Deps>,
    visit: Visit,
    Path(id): Path<String>,
    headers: HeaderMap,
    Sent(typed): Sent<Typed>,
) -> Result<Response, Failure> {
    let path = format!("/v1/webhooks/{}", segment(&id));
    let (method, path, body) = match typed.text("act") {
        "rotate" => (Method::POST, format!("{path}/rotate"), json!({})),
        "test" => (Method::POST, format!("{path}/test"), json!({})),
        "on" => (Method::PATCH, path, json!({ "enabled": true })),
        "off" => (Method::PATCH, path, json!({ "enabled": false })),
        "delete" => (Method::DELETE, path, json!({})),
        _ => return Ok(unreadable()),
    };
    match Api::new(&deps.api, &headers).change(method, &path, &body).await? {
        Ok(answer) if typed.text("act") == "test" => {
            let notice = Some(tested(&answer));
            page(&deps, &headers, &visit, (StatusCode::OK, notice), None, Given::default()).await
        }
        Ok(answer) => made(&deps, &headers, &visit, StatusCode::OK, &answer).await,
        Err(refusal) => Ok(html::refused(&refusal, PAGE)),
    }
}

/// What a receiver answered to a test.
fn tested(answer: &Value) -> Notice {
    let milliseconds = answer.get("duration_ms").and_then(Value::as_u64).unwrap_or_default();
    let status = answer.get("status").and_then(Value::as_u64);
    match answer.get("reason").and_then(Value::as_str) {
        Some(reason) => Notice::problem(vec![format!("The test didn’t get through: {reason}.")]),
        None => Notice::told(format!(
            "The test got through: the receiver answered {} after {milliseconds} ms.",
            status.unwrap_or_default()
        )),
    }
}
