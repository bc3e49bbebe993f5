//! The rules: listed, and switched on and off.

use axum::{
    extract::{Path, RawQuery, State},
    response::Response,
};
use barometer_cloud::{http::Problem, lambda::Chain};
use barometer_domain::automation::AutomationRule;
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    saving::{self, Current, Unsaved},
    typed::Typed,
};
use crate::{
    Deps,
    api::Api,
    form::Sent,
    html::{self, Failure},
    notice::Notice,
    pages::Visit,
    view::{Scene, settings::rules::RulesPage},
};

/// The page's address.
pub const PAGE: &str = "/settings/rules";

/// The rules to choose from, as the API offers them.
#[derive(Deserialize)]
pub struct Presets {
    /// Those that a workspace begins with.
    pub defaults: Vec<AutomationRule>,
    /// Others.
    pub presets: Vec<AutomationRule>,
}

/// `GET /settings/rules`
pub async fn show(
    State(deps): State<Deps>,
    visit: Visit,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let notice = saving::told(&query.unwrap_or_default(), false);
    page(&deps, &headers, &visit, StatusCode::OK, notice).await
}

async fn page(
    deps: &Deps,
    headers: &HeaderMap,
    visit: &Visit,
    status: StatusCode,
    notice: Option<Notice>,
) -> Result<Response, Failure> {
    let api = Api::new(&deps.api, headers);
    let current = saving::current(&api).await?;
    let mut rules = Vec::new();
    for rule in list(&current) {
        let rule = AutomationRule::deserialize(rule).map_err(|error| {
            tracing::error!(error = %Chain(&error), "the API's rules can't be read");
            Problem::internal()
        })?;
        let last = deps.table.firings(&visit.workspace, &rule.id, None, 1).await?;
        rules.push((rule, last.into_iter().next().map(|(_, firing)| firing)));
    }
    let Presets { defaults, presets } = api.get("/v1/rules/presets").await?;
    let offers: Vec<AutomationRule> = defaults.into_iter().chain(presets).collect();
    let webhooks = deps.table.webhooks(&visit.workspace).await?;
    let endpoints = webhooks.into_iter().map(|webhook| (webhook.id, webhook.name)).collect();
    let scene = Scene { settings: &visit.settings, now: deps.clock.now() };
    let page = RulesPage::build(visit.chrome(), notice, current.version, &rules, &offers, &endpoints, scene);
    Ok(html::page(status, &page))
}

/// The rules of the settings.
pub fn list(current: &Current) -> &[Value] {
    current.value.get("rules").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// The place of the rule of an id.
pub fn place(rules: &[Value], id: &str) -> Option<usize> {
    rules.iter().position(|rule| rule.get("id").and_then(Value::as_str) == Some(id))
}

/// `POST /settings/rules/{id}/switch`
pub async fn switch(
    State(deps): State<Deps>,
    visit: Visit,
    Path(id): Path<String>,
    headers: HeaderMap,
    Sent(typed): Sent<Typed>,
) -> Result<Response, Failure> {
    let (api, on) = (Api::new(&deps.api, &headers), typed.text("on") == "true");
    let current = saving::current(&api).await?;
    let mut rules = list(&current).to_vec();
    let Some(Value::Object(rule)) = place(&rules, &id).and_then(|place| rules.get_mut(place)) else {
        return Ok(no_rule());
    };
    rule.insert("enabled".to_owned(), on.into());
    let name = rule.get("name").and_then(Value::as_str).unwrap_or(&id);
    let note = format!("Rule “{name}” switched {}.", if on { "on" } else { "off" });
    let draft = json!({ "rules": rules, "note": note });
    match saving::save(&api, &draft, typed.text("seen"), PAGE).await? {
        Ok(saved) => Ok(saved),
        Err(Unsaved::Outdated(notice)) => {
            page(&deps, &headers, &visit, StatusCode::CONFLICT, Some(notice)).await
        }
        Err(Unsaved::Refused(refusal)) => {
            let notice = Notice::problem(refusal.sentences());
            page(&deps, &headers, &visit, refusal.status, Some(notice)).await
        }
    }
}

/// That there is no such rule.
pub fn no_rule() -> Response {
    let text = "No rule of your workspace has this name. Perhaps somebody deleted it.";
    html::message(StatusCode::NOT_FOUND, "No such rule", text)
}
