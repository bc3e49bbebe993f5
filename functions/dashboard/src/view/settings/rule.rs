//! One rule: its form, what it would do today, and what it did.

use std::collections::BTreeMap;

use askama::Template;
use barometer_cloud::table::{
    actions::{ActionState, FiringOutcome},
    webhooks::Webhook,
};
use barometer_domain::{
    CompanyId,
    automation::{AutomationRule, Happened, Wanted},
};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::Value;

use super::{
    companies as of,
    rule_form::{self, ACTIONS, Part, TRIGGERS, Takes},
    rule_words::{Endpoints, does, when},
};
use crate::{
    api::segment,
    notice::Notice,
    view::{Scene, cases, chrome::Chrome, names::Names, words},
};

/// Companies of a dry run that are named at most.
const NAMED: usize = 30;

/// What the API says a rule would do, as far as the page says it.
#[derive(Debug, Clone, Deserialize)]
pub struct DryRun {
    companies: usize,
    looked_at: usize,
    complete: bool,
    quiet: usize,
    nobody: usize,
    counts: Counts,
    items: Vec<Would>,
}

#[derive(Debug, Clone, Deserialize)]
struct Counts {
    email: u32,
    task: u32,
    webhook: u32,
    chat: u32,
    tag: u32,
}

#[derive(Debug, Clone, Deserialize)]
struct Would {
    company_id: CompanyId,
    name: String,
    happened: Happened,
    quiet_until: Option<DateTime<Utc>>,
    would: Vec<Planned>,
}

#[derive(Debug, Clone, Deserialize)]
struct Planned {
    action: Wanted,
}

/// A page of a rule's log.
#[derive(Debug, Clone, Deserialize)]
pub struct Runs {
    items: Vec<Run>,
    next_cursor: Option<String>,
}

impl Runs {
    /// The companies that it names.
    pub fn companies(&self) -> impl Iterator<Item = CompanyId> {
        self.items.iter().map(|run| run.company_id.clone())
    }
}

#[derive(Debug, Clone, Deserialize)]
struct Run {
    company_id: CompanyId,
    happened: Happened,
    at: DateTime<Utc>,
    #[serde(flatten)]
    outcome: FiringOutcome,
    actions: Vec<RunAction>,
}

#[derive(Debug, Clone, Deserialize)]
struct RunAction {
    state: Option<ActionState>,
}

/// A company that a rule would act at, or acted at.
#[derive(Debug, Clone)]
pub struct CompanyRow {
    /// Its name.
    pub name: String,
    /// Its page.
    pub href: String,
    /// When it was; empty for a dry run.
    pub when: String,
    /// What happened.
    pub because: String,
    /// What is done about it.
    pub what: Vec<String>,
}

/// What the rule would do today.
#[derive(Debug, Clone)]
pub struct DryView {
    /// In one sentence.
    pub sum: String,
    /// What else is to know.
    pub notes: Vec<String>,
    /// At whom.
    pub rows: Vec<CompanyRow>,
    /// Companies that aren't named.
    pub more: usize,
}

/// The page.
#[derive(Debug, Clone, Template)]
#[template(path = "settings/rule.html")]
pub struct RulePage {
    chrome: Chrome,
    notice: Option<Notice>,
    version: u32,
    /// The rule's id in the settings; nothing for one that isn't saved.
    id: Option<String>,
    draft_id: String,
    name: String,
    /// When and what, if the rule can be read.
    when: Option<String>,
    does: Vec<String>,
    parts: Vec<Part>,
    /// The rule on one line, which the form is about.
    line: String,
    json: String,
    dry: Option<DryView>,
    runs: Vec<CompanyRow>,
    next: Option<String>,
}

/// What the page is built from.
pub struct Built<'a> {
    /// The version that the visitor sees.
    pub version: u32,
    /// The rule's id in the settings.
    pub id: Option<String>,
    /// The rule, or what was typed of it.
    pub rule: &'a Value,
    /// What was typed as JSON, if it can't be read.
    pub json: Option<String>,
    /// The workspace's endpoints.
    pub webhooks: &'a [Webhook],
    /// What it would do.
    pub dry: Option<DryRun>,
    /// What it did.
    pub runs: Option<Runs>,
    /// The companies' names.
    pub names: &'a Names,
}

impl RulePage {
    /// The page of a rule as it stands, or of what was typed.
    pub fn build(chrome: Chrome, notice: Option<Notice>, built: Built<'_>, scene: Scene<'_>) -> Self {
        let Built { version, id, rule, json, webhooks, dry, runs, names } = built;
        let endpoints: Endpoints =
            webhooks.iter().map(|webhook| (webhook.id.clone(), webhook.name.clone())).collect();
        let read = AutomationRule::deserialize(rule).ok();
        let text = |name: &str| rule.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let (items, cursor) = runs.map(|runs| (runs.items, runs.next_cursor)).unwrap_or_default();
        Self {
            version,
            draft_id: text("id"),
            name: Some(text("name"))
                .filter(|name| !name.is_empty())
                .unwrap_or_else(|| "A new rule".to_owned()),
            when: read.as_ref().map(when),
            does: read.iter().flat_map(|rule| &rule.actions).map(|action| does(action, &endpoints)).collect(),
            parts: rule_form::parts(rule, webhooks),
            line: rule.to_string(),
            json: json.unwrap_or_else(|| serde_json::to_string_pretty(rule).unwrap_or_default()),
            dry: dry.map(|dry| dry_view(dry, scene)),
            runs: items.into_iter().map(|run| run_row(run, names, scene)).collect(),
            next: cursor
                .zip(id.as_ref())
                .map(|(cursor, id)| format!("/settings/rules/{}?cursor={}", segment(id), segment(&cursor))),
            id,
            chrome,
            notice,
        }
    }

    fn action(&self) -> String {
        match &self.id {
            Some(id) => format!("/settings/rules/{}", segment(id)),
            None => "/settings/new-rule".to_owned(),
        }
    }
}

fn href(company: &CompanyId) -> String {
    format!("/companies/{}", segment(company.as_str()))
}

fn dry_view(dry: DryRun, scene: Scene<'_>) -> DryView {
    let Counts { email, task, webhook, chat, tag } = dry.counts;
    let done: Vec<String> = [
        (email, "mail"),
        (task, "task"),
        (webhook, "webhook call"),
        (chat, "chat note"),
        (tag, "tag change"),
    ]
    .into_iter()
    .filter(|(number, _)| *number > 0)
    .map(|(number, what)| words::count(number, what))
    .collect();
    let sum = match (dry.companies, done.as_slice()) {
        (0, _) => "Today it is about no company.".to_owned(),
        (companies, []) => format!("Today it is about {}, and would do nothing.", of(companies)),
        (companies, done) => {
            format!("Today it is about {}, and would make {}.", of(companies), done.join(", "))
        }
    };
    let mut notes = vec![
        "As if every company that stands now where the rule leads to had just come there. Nothing was done."
            .to_owned(),
    ];
    if dry.quiet > 0 {
        notes.push(format!("At {} it is quiet, because it acted there lately.", of(dry.quiet)));
    }
    if dry.nobody > 0 {
        notes.push(format!("At {} nobody can be mailed; the rule’s tasks would say so.", of(dry.nobody)));
    }
    if !dry.complete {
        notes.push(format!("Time was up: {} of {} were looked at.", dry.looked_at, of(dry.companies)));
    }
    let more = dry.companies.saturating_sub(dry.items.len().min(NAMED));
    let row = |item: Would| CompanyRow {
        href: href(&item.company_id),
        name: item.name,
        when: String::new(),
        because: cases::because(&item.happened),
        what: match item.quiet_until {
            Some(until) => vec![format!("quiet until {}", scene.day(until))],
            None => {
                let planned = item.would.iter();
                planned.map(|planned| cases::said(&planned.action, ToString::to_string, scene).0).collect()
            }
        },
    };
    DryView { sum, notes, rows: dry.items.into_iter().take(NAMED).map(row).collect(), more }
}

fn run_row(run: Run, names: &Names, scene: Scene<'_>) -> CompanyRow {
    let what = match run.outcome {
        FiringOutcome::CoolingDown { until } => {
            vec![format!("did nothing: quiet until {}", scene.day(until))]
        }
        FiringOutcome::SetBack => vec!["did nothing: what happened was taken back".to_owned()],
        FiringOutcome::Acted => {
            let mut counts = BTreeMap::<&str, u32>::new();
            for action in &run.actions {
                *counts.entry(state(action.state)).or_default() += 1;
            }
            counts.into_iter().map(|(state, number)| format!("{number} {state}")).collect()
        }
    };
    CompanyRow {
        name: names.whose(&run.company_id).name,
        href: href(&run.company_id),
        when: scene.minute(run.at),
        because: cases::because(&run.happened),
        what,
    }
}

fn state(state: Option<ActionState>) -> &'static str {
    match state {
        None => "no longer kept",
        Some(ActionState::Planned) => "waiting",
        Some(ActionState::AwaitingApproval) => "waiting for approval",
        Some(ActionState::Submitting) => "going out",
        Some(ActionState::Done) => "done",
        Some(ActionState::Cancelled) => "undone",
        Some(ActionState::Skipped) => "not done",
        Some(ActionState::Failed) => "failed",
        Some(ActionState::Undelivered) => "did not arrive",
        Some(ActionState::Unknown) => "perhaps gone out",
    }
}
