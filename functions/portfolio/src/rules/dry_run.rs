//! `POST /v1/rules/dry-run`: what a rule would do at today's companies, without doing it.
//!
//! In: `{"rule": {…}}`, a rule as it goes into the settings, or `{"rule_id": "…"}`, one that is there. Out:
//!
//! ```json
//! {
//!   "rule_id": "struggling", "companies": 12, "looked_at": 12, "complete": true, "quiet": 3, "nobody": 1,
//!   "counts": {"email": 9, "task": 9, "webhook": 0, "chat": 0, "tag": 0},
//!   "items": [{
//!     "company_id": "acme", "name": "Acme", "owner": "ana@initech.example",
//!     "happened": {"on": "status", "from": null, "to": "struggling"}, "quiet_until": null, "nobody": false,
//!     "would": [
//!       {"action": {"do": "email", "user_id": "u1", "subject": "…", "text": "…", "csm": "…"}, "due_at": "…"},
//!       {"action": {"do": "task", "title": "…", "priority": "high", "due_at": "…", "assignee": "…"}, "due_at": "…"}
//!     ]
//!   }]
//! }
//! ```
//!
//! Companies are those that stand now where the rule's trigger leads to (with such an alert open, or such an answer that
//! isn't older than answers count) and meet its conditions, as if they had just come there. `companies` counts them all.
//! What the rule would do is looked up at one after the other for at most ten seconds, at `looked_at` of them; `quiet`,
//! `nobody` and `counts` are of these, `items` are the first 200. `complete` says that time wasn't up. An action's `due_at`
//! is null when somebody must approve it first. A rule that is switched off is looked at as if it were on.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use axum::extract::State;
use barometer_cloud::{
    StoreError,
    automation::{Ahead, Automation, as_if, facts, look_ahead},
    http::{Json, Problem, body::Fields},
    table::companies::Company,
};
use barometer_domain::{
    CompanyId, Settings,
    alert::Alert,
    automation::{AutomationRule, Happened, Occurrence, Planned, RuleId, Trigger, Wanted, check},
};
use chrono::{DateTime, Utc};
use futures_util::{StreamExt, stream};
use http::Uri;
use serde::Serialize;

use crate::{
    Deps,
    caller::Reader,
    paging::{MAX_LIMIT, STEP},
    params::Params,
    settings::{current, endpoints},
};

/// How long it is looked; the function's time-out is 15 seconds.
const BUDGET: Duration = Duration::from_secs(10);
/// Companies that are looked at at the same time.
const AT_ONCE: usize = 16;

/// What the rule would do.
#[derive(Serialize, schemars::JsonSchema)]
#[schemars(rename = "DryRunAnswer")]
pub struct Answer {
    rule_id: RuleId,
    /// Companies that the rule would be about.
    companies: usize,
    /// Those of them at which it was looked.
    looked_at: usize,
    /// Whether it was looked at all of them, and at all alerts and answers.
    complete: bool,
    /// Companies at which the rule is quiet.
    quiet: usize,
    /// Companies at which nobody can be mailed.
    nobody: usize,
    counts: Counts,
    items: Vec<Item>,
}

/// What would be done, by kind.
#[derive(Default, Serialize, schemars::JsonSchema)]
#[schemars(rename = "DryRunCounts")]
struct Counts {
    email: usize,
    task: usize,
    webhook: usize,
    chat: usize,
    tag: usize,
}

/// What the rule would do at a company.
#[derive(Serialize, schemars::JsonSchema)]
#[schemars(rename = "DryRunItem")]
struct Item {
    company_id: CompanyId,
    name: String,
    owner: Option<String>,
    happened: Happened,
    /// Until when the rule is quiet there; it would do nothing.
    quiet_until: Option<DateTime<Utc>>,
    /// The rule mails, and nobody there can be mailed.
    nobody: bool,
    would: Vec<Planned>,
}

impl Counts {
    fn add(&mut self, planned: &Planned) {
        match planned.wanted {
            Wanted::Email { user_id: Some(_), .. } => self.email += 1,
            Wanted::Email { user_id: None, .. } => {}
            Wanted::Task { .. } => self.task += 1,
            Wanted::Webhook { .. } => self.webhook += 1,
            Wanted::Chat { .. } => self.chat += 1,
            Wanted::Tag { .. } => self.tag += 1,
        }
    }
}

/// Looks ahead. Who may read may ask: nothing is written. Errors: 422 for what is no rule, or isn't in the settings.
pub async fn dry_run(
    State(deps): State<Deps>,
    Reader(caller): Reader,
    uri: Uri,
    fields: Fields,
) -> Result<Json<Answer>, Problem> {
    let until = Instant::now() + BUDGET;
    Params::read(&uri, &[])?;
    let (table, workspace, now) = (&deps.table, &caller.workspace, deps.clock.now());
    let settings = current(table, workspace).await?.settings;
    let rule = rule(fields, &deps, &caller.workspace, &settings).await?;
    let automation = Automation { table, workspace, now };
    let (mut told, told_all) = told(&automation, &rule.trigger, &settings, until).await?;
    let mut about: Vec<(Company, Happened)> = Vec::new();
    let today = settings.time_zone.date(now);
    for company in table.companies(workspace).await? {
        if company.churned_on.is_some_and(|churned| churned <= today) {
            continue;
        }
        let happened = as_if(&rule.trigger, &company, settings.time_zone, now)
            .or_else(|| told.remove(&company.company_id));
        let Some(happened) = happened.filter(|happened| rule.applies(happened, &facts(&company, now))) else {
            continue;
        };
        about.push((company, happened));
    }
    let mut answer = Answer {
        rule_id: rule.id.clone(),
        companies: about.len(),
        looked_at: 0,
        complete: told_all,
        quiet: 0,
        nobody: 0,
        counts: Counts::default(),
        items: Vec::new(),
    };
    let look = |(company, happened): (Company, Happened)| {
        let (automation, rule, settings) = (&automation, &rule, &settings);
        async move {
            let occurrence = Occurrence { happened, period: "dry-run".to_owned(), at: now };
            let ahead = look_ahead(automation, rule, &company, &occurrence, settings).await?;
            Ok::<_, StoreError>((company, occurrence.happened, ahead))
        }
    };
    let mut looks = stream::iter(about).map(look).buffered(AT_ONCE);
    while let Some(looked) = looks.next().await {
        let (company, happened, ahead) = looked?;
        if let Some(ahead) = ahead {
            answer.add(&rule, company, happened, ahead);
        }
        if Instant::now() >= until {
            break;
        }
    }
    drop(looks);
    answer.complete &= answer.looked_at == answer.companies;
    Ok(Json(answer))
}

impl Answer {
    fn add(&mut self, rule: &AutomationRule, company: Company, happened: Happened, ahead: Ahead) {
        let Ahead { planned, quiet_until, contacts } = ahead;
        let nobody = rule.mails() && contacts.is_empty();
        let would = if quiet_until.is_some() { Vec::new() } else { planned };
        self.looked_at += 1;
        self.quiet += usize::from(quiet_until.is_some());
        self.nobody += usize::from(nobody);
        for planned in &would {
            self.counts.add(planned);
        }
        if self.items.len() < MAX_LIMIT {
            let Company { company_id, name, owner, .. } = company;
            self.items.push(Item { company_id, name, owner, happened, quiet_until, nobody, would });
        }
    }
}

/// The rule that is asked about, switched on.
async fn rule(
    mut fields: Fields,
    deps: &Deps,
    workspace: &barometer_domain::WorkspaceId,
    settings: &Settings,
) -> Result<AutomationRule, Problem> {
    let both = fields.has("rule") == fields.has("rule_id");
    let draft: Option<AutomationRule> = fields.value("rule");
    let id: Option<RuleId> = fields.value("rule_id");
    if both {
        fields.refuse("/rule", "says which rule: either rule or rule_id");
    }
    let mut rule = draft;
    if let Some(draft) = &rule {
        let of_rule = |pointer: &str| pointer.replacen("/rules/0", "/rule", 1);
        let one = std::slice::from_ref(draft);
        for error in check(one) {
            fields.refuse(of_rule(&error.pointer), error.detail);
        }
        for error in endpoints::wrong(&deps.table, workspace, one, |_| "/rule".to_owned()).await? {
            fields.refuse(error.pointer, error.detail);
        }
    } else if let Some(id) = id {
        rule = settings.rules.iter().find(|rule| rule.id == id).cloned();
        if rule.is_none() {
            fields.refuse("/rule_id", "no rule of the settings has this id");
        }
    }
    fields.finish()?;
    let rule = rule.ok_or_else(Problem::internal)?;
    Ok(AutomationRule { enabled: true, ..rule })
}

/// What a trigger is about that leaves nothing on the company's row: the latest of each company, and whether all was read.
async fn told(
    automation: &Automation<'_>,
    trigger: &Trigger,
    settings: &Settings,
    until: Instant,
) -> Result<(BTreeMap<CompanyId, Happened>, bool), StoreError> {
    let Automation { table, workspace, now } = *automation;
    let (mut told, mut after) = (BTreeMap::new(), None::<String>);
    let mut note = |company: CompanyId, happened: Happened| {
        if trigger.is_about(&happened) {
            told.entry(company).or_insert(happened);
        }
    };
    loop {
        let (last, ended) = match trigger {
            Trigger::Alert { .. } => {
                let page = table.cases::<Alert>(workspace, true, after.as_deref(), STEP).await?;
                let last = page.last().map(|(place, _)| place.clone());
                for (_, case) in page {
                    if let Some(company) = case.place.company {
                        note(company, Happened::Alert { rule: case.content.finding.rule });
                    }
                }
                (last, false)
            }
            Trigger::Answer { .. } => {
                let page = table.inbox(workspace, after.as_deref(), STEP).await?;
                let last = page.last().map(|(place, ..)| place.clone());
                let mut ended = false;
                for (_, company, answer) in page {
                    ended |= answer.at + settings.answer_age() <= now;
                    if let Some(counted) = answer.counted().filter(|_| !ended) {
                        note(company, Happened::Answer { value: counted.rating.value() });
                    }
                }
                (last, ended)
            }
            _ => (None, true),
        };
        let Some(last) = last.filter(|_| !ended) else { return Ok((told, true)) };
        if Instant::now() >= until {
            return Ok((told, false));
        }
        after = Some(last);
    }
}
