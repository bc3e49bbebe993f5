//! One rule: looked at, tried out, changed, added, deleted. A rule that isn't saved yet travels in its form.

use axum::{
    extract::{Path, RawQuery, State},
    response::Response,
};
use barometer_cloud::{http::Problem, lambda::Chain};
use barometer_domain::automation::AutomationRule;
use http::{HeaderMap, Method, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    rules::{self, PAGE, Presets, list, no_rule, place},
    saving::{self, Unsaved},
    typed::Typed,
};
use crate::{
    Deps,
    address::parameter,
    api::{Api, Refusal, WrongField, segment},
    form::{Sent, unreadable},
    html::{self, Failure},
    naming,
    notice::Notice,
    pages::Visit,
    view::{
        Scene,
        names::Names,
        settings::{
            rule::{Built, DryRun, RulePage, Runs},
            rule_form,
        },
    },
};

/// Entries of the log on a page.
const RUNS: usize = 20;

/// A rule on its page.
struct Shown {
    status: StatusCode,
    notice: Option<Notice>,
    /// Its id in the settings; nothing for a new one.
    id: Option<String>,
    rule: Value,
    json: Option<String>,
    dry: Option<DryRun>,
    cursor: String,
}

impl Shown {
    fn new(id: Option<String>, rule: Value) -> Self {
        let cursor = String::new();
        Self { status: StatusCode::OK, notice: None, id, rule, json: None, dry: None, cursor }
    }

    fn refused(mut self, status: StatusCode, lines: Vec<String>) -> Self {
        (self.status, self.notice) = (status, Some(Notice::problem(lines)));
        self
    }
}

/// `GET /settings/rules/{id}`
pub async fn show(
    State(deps): State<Deps>,
    visit: Visit,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let current = saving::current(&Api::new(&deps.api, &headers)).await?;
    let query = query.unwrap_or_default();
    let rules = list(&current);
    let Some(rule) = place(rules, &id).and_then(|place| rules.get(place)) else { return Ok(no_rule()) };
    let notice = saving::told(&query, false);
    let cursor = parameter(&query, "cursor").unwrap_or_default();
    page(&deps, &headers, &visit, Shown { notice, cursor, ..Shown::new(Some(id), rule.clone()) }).await
}

/// `GET /settings/new-rule`: of a `preset`, or of a trigger (`on`) and an action (`do`).
pub async fn new(
    State(deps): State<Deps>,
    visit: Visit,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let query = query.unwrap_or_default();
    let asked = |name| parameter(&query, name);
    let rule = if let Some(preset) = asked("preset") {
        let Presets { defaults, presets } = Api::new(&deps.api, &headers).get("/v1/rules/presets").await?;
        let mut offers = defaults.into_iter().chain(presets);
        let Some(offer) = offers.find(|offer| offer.id.as_str() == preset) else { return Ok(no_rule()) };
        json!(offer)
    } else {
        let (on, act) = (asked("on").unwrap_or_default(), asked("do").unwrap_or_default());
        json!({
            "id": "", "name": "", "enabled": true, "trigger": rule_form::new_trigger(&on), "conditions": {},
            "actions": [rule_form::new_action(&act)], "cooldown_days": 30,
        })
    };
    page(&deps, &headers, &visit, Shown::new(None, rule)).await
}

async fn page(deps: &Deps, headers: &HeaderMap, visit: &Visit, shown: Shown) -> Result<Response, Failure> {
    let api = Api::new(&deps.api, headers);
    let current = saving::current(&api).await?;
    let webhooks = deps.table.webhooks(&visit.workspace).await?;
    let runs = match &shown.id {
        Some(id) => {
            let cursor = segment(&shown.cursor);
            let path = format!("/v1/rules/{}/runs?limit={RUNS}&cursor={cursor}", segment(id));
            api.ask::<Runs>(&path).await?.ok()
        }
        None => None,
    };
    let mut names = Names::default();
    let companies = runs.iter().flat_map(Runs::companies).collect();
    naming::companies(&deps.table, &visit.workspace, companies, &mut names).await?;
    let built = Built {
        version: current.version,
        id: shown.id,
        rule: &shown.rule,
        json: shown.json,
        webhooks: &webhooks,
        dry: shown.dry,
        runs,
        names: &names,
    };
    let scene = Scene { settings: &visit.settings, now: deps.clock.now() };
    Ok(html::page(shown.status, &RulePage::build(visit.chrome(), shown.notice, built, scene)))
}

/// `POST /settings/new-rule`
pub async fn send_new(
    State(deps): State<Deps>,
    visit: Visit,
    headers: HeaderMap,
    Sent(typed): Sent<Typed>,
) -> Result<Response, Failure> {
    send(&deps, &headers, &visit, None, &typed).await
}

/// `POST /settings/rules/{id}`
pub async fn send_known(
    State(deps): State<Deps>,
    visit: Visit,
    Path(id): Path<String>,
    headers: HeaderMap,
    Sent(typed): Sent<Typed>,
) -> Result<Response, Failure> {
    send(&deps, &headers, &visit, Some(id), &typed).await
}

async fn send(
    deps: &Deps,
    headers: &HeaderMap,
    visit: &Visit,
    id: Option<String>,
    typed: &Typed,
) -> Result<Response, Failure> {
    let Ok(base) = serde_json::from_str::<Value>(typed.text("rule")) else { return Ok(unreadable()) };
    let webhooks = deps.table.webhooks(&visit.workspace).await?;
    let (mut rule, wrong) = if typed.has("json") {
        match serde_json::from_str::<Value>(typed.text("json")) {
            // What is left out is written out, as the form needs it.
            Ok(rule) => (AutomationRule::deserialize(&rule).map_or(rule, |read| json!(read)), Vec::new()),
            Err(error) => {
                let json = Some(typed.text("json").to_owned());
                let shown = Shown { json, ..Shown::new(id, base) };
                let line = format!("The JSON can’t be read: {error}.");
                let shown = shown.refused(StatusCode::UNPROCESSABLE_ENTITY, vec![line]);
                return page(deps, headers, visit, shown).await;
            }
        }
    } else {
        rule_form::typed_rule(&base, &webhooks, typed)
    };
    let act = typed.text("act");
    if reshape(&mut rule, act, typed) {
        return page(deps, headers, visit, Shown::new(id, rule)).await;
    }
    let shown = Shown::new(id.clone(), rule.clone());
    match act {
        "delete" => save(deps, headers, visit, id, None, typed, shown).await,
        _ if !wrong.is_empty() => {
            page(deps, headers, visit, shown.refused(StatusCode::UNPROCESSABLE_ENTITY, wrong)).await
        }
        "dry-run" => {
            let api = Api::new(&deps.api, headers);
            let shown = match api.change(Method::POST, "/v1/rules/dry-run", &json!({ "rule": rule })).await? {
                Err(refusal) => shown.refused(refusal.status, lines(&rule, &refusal)),
                Ok(answer) => {
                    let dry = DryRun::deserialize(answer).map_err(|error| {
                        tracing::error!(error = %Chain(&error), "the API's answer can't be read");
                        Problem::internal()
                    })?;
                    Shown { dry: Some(dry), ..shown }
                }
            };
            page(deps, headers, visit, shown).await
        }
        "save" => save(deps, headers, visit, id, Some(rule), typed, shown).await,
        _ => Ok(unreadable()),
    }
}

/// Gives the rule another trigger, or an action more or less, as a button said. Answers whether one did.
fn reshape(rule: &mut Value, act: &str, typed: &Typed) -> bool {
    let Value::Object(fields) = rule else { return false };
    let actions = fields.entry("actions").or_insert_with(|| json!([]));
    match (act, actions) {
        ("trigger", _) => {
            fields.insert("trigger".to_owned(), rule_form::new_trigger(typed.text("on")));
        }
        ("add", Value::Array(actions)) => actions.push(rule_form::new_action(typed.text("do"))),
        (act, Value::Array(actions)) => {
            let number = act.strip_prefix("remove-").and_then(|number| number.parse::<usize>().ok());
            let Some(number) = number.filter(|number| *number < actions.len()) else { return false };
            actions.remove(number);
        }
        _ => return false,
    }
    true
}

/// Saves the rules with `rule` in the place of the one of `id`, or behind all; without it when there is none.
async fn save(
    deps: &Deps,
    headers: &HeaderMap,
    visit: &Visit,
    id: Option<String>,
    rule: Option<Value>,
    typed: &Typed,
    shown: Shown,
) -> Result<Response, Failure> {
    let api = Api::new(&deps.api, headers);
    let current = saving::current(&api).await?;
    let mut all = list(&current).to_vec();
    let place = id.as_deref().and_then(|id| rules::place(&all, id));
    match (place.and_then(|place| all.get_mut(place)), &rule) {
        (Some(known), Some(rule)) => *known = rule.clone(),
        (None, Some(rule)) => all.push(rule.clone()),
        (Some(_), None) => all.retain(|rule| rule.get("id").and_then(Value::as_str) != id.as_deref()),
        (None, None) => return Ok(no_rule()),
    }
    let text = |name: &str| shown.rule.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let done = match (&rule, place) {
        (None, _) => "deleted",
        (Some(_), None) => "added",
        (Some(_), Some(_)) => "changed",
    };
    let draft = json!({ "rules": all, "note": format!("Rule “{}” {done}.", text("name")) });
    let back = if rule.is_some() { format!("{PAGE}/{}", segment(&text("id"))) } else { PAGE.to_owned() };
    match saving::save(&api, &draft, typed.text("seen"), &back).await? {
        Ok(saved) => Ok(saved),
        Err(Unsaved::Outdated(notice)) => {
            let (status, notice) = (StatusCode::CONFLICT, Some(notice));
            page(deps, headers, visit, Shown { status, notice, ..shown }).await
        }
        Err(Unsaved::Refused(refusal)) => {
            let lines = lines(&shown.rule, &refusal);
            page(deps, headers, visit, shown.refused(refusal.status, lines)).await
        }
    }
}

/// What the API refused of a rule, whether it was asked about it alone or with all others.
fn lines(rule: &Value, refusal: &Refusal) -> Vec<String> {
    if refusal.errors.is_empty() {
        return refusal.sentences();
    }
    let within = |error: &WrongField| {
        let mut names = error.pointer.splitn(4, '/').skip(1);
        let pointer = match (names.next(), names.next()) {
            (Some("rule"), _) => error.pointer.strip_prefix("/rule"),
            (Some("rules"), Some(number)) => error.pointer.strip_prefix(&format!("/rules/{number}")),
            _ => None,
        };
        let pointer = pointer.unwrap_or(&error.pointer).to_owned();
        WrongField { pointer, detail: error.detail.clone() }
    };
    let errors: Vec<WrongField> = refusal.errors.iter().map(within).collect();
    rule_form::sentences(rule, &errors)
}
