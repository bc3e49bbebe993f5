//! Automations: from something that happened to a firing with its actions, and what is done at once.
//!
//! What a rule does about one occurrence is written once, whoever tells of it and how often. What has no time to wait for
//! (tasks, tags) is done right after; what ends in between, mails and webhooks are done by `perform-actions`.

mod as_if;
mod carry_out;
mod look_ahead;
mod moves;
mod set_back;

pub use as_if::{as_if, brought_about};
pub use carry_out::{Carried, carry_out};
pub use look_ahead::{Ahead, look_ahead};
pub use moves::MoveError;
pub use set_back::{set_back, still_holds};

use barometer_domain::{
    Settings, WorkspaceId,
    automation::{AutomationRule, Contact, Facts, Happened, Occurrence, Planned, Subject, Wanted, plan},
    band::Standing,
    happiness::Level,
    quadrant,
};
use chrono::{DateTime, TimeDelta, Utc};

use crate::{
    StoreError, Table,
    bus::{DetailType, Event},
    contacts::contacts,
    table::{
        actions::{Action, ActionState, Fired, Firing, FiringOutcome},
        companies::Company,
        settings::SettingsVersion,
    },
};

/// What is told of later than this is history: nothing is done about it any more.
pub const FRESH: TimeDelta = TimeDelta::days(7);

/// How often a firing is tried again when others write at the same time.
const ATTEMPTS: usize = 5;

/// What automations of a workspace work with.
#[derive(Debug, Clone, Copy)]
pub struct Automation<'a> {
    /// The table.
    pub table: &'a Table,
    /// The workspace.
    pub workspace: &'a WorkspaceId,
    /// Now.
    pub now: DateTime<Utc>,
}

/// What is known of a company, as rules ask for it.
pub fn facts(company: &Company, now: DateTime<Utc>) -> Facts<'_> {
    let band = company.engagement.as_ref().map(|engagement| engagement.band);
    let status = company.fresh_status(now);
    let level = company.happiness.as_ref().map_or(Level::NoData, |happiness| happiness.level);
    Facts {
        owner: company.owner.as_deref(),
        plan: company.plan.as_deref(),
        band: band.and_then(Standing::band),
        cell: quadrant::place(status, band, level).cell,
        traits: &company.traits,
        tags: &company.tags,
    }
}

/// What a rule would do about something at a company.
pub fn planned(
    rule: &AutomationRule,
    occurrence: &Occurrence,
    company: &Company,
    contacts: &[Contact],
    settings: &Settings,
    now: DateTime<Utc>,
) -> Vec<Planned> {
    let subject = Subject {
        company: &company.name,
        owner: company.owner.as_deref(),
        renewal_on: company.renewal_on,
        contacts,
        product: settings.product(),
        language: settings.mail.language,
        zone: settings.time_zone,
    };
    plan(rule, occurrence, &subject, now)
}

impl Automation<'_> {
    /// Has every rule act that is about what happened at a company. Returns the events that tell of it; they lie in the
    /// outbox. Doing it again does what an earlier call left undone, and nothing twice. Errors: the table.
    pub async fn occurred(
        &self,
        company: &Company,
        occurrence: &Occurrence,
    ) -> Result<Vec<Event>, StoreError> {
        let Some(current) = self.table.settings(self.workspace).await? else { return Ok(Vec::new()) };
        let today = current.settings.time_zone.date(self.now);
        let gone = company.churned_on.is_some_and(|churned| churned <= today);
        // What time alone brings about is looked for, and is as new as the look.
        let looked_for = matches!(occurrence.happened, Happened::ReviewOverdue | Happened::Renewal { .. });
        if gone || (!looked_for && occurrence.at + FRESH < self.now) {
            return Ok(Vec::new());
        }
        let then = if looked_for { current.clone() } else { self.in_force(&current, occurrence.at).await? };
        let facts = facts(company, self.now);
        let mut events = Vec::new();
        for rule in &then.settings.rules {
            // A rule that was switched off or deleted meanwhile does nothing any more.
            let stands = current.settings.rules.iter().any(|now| now.id == rule.id && now.enabled);
            if stands && rule.applies(&occurrence.happened, &facts) {
                events.extend(self.fire(rule, &then, company, occurrence, &current.settings).await?);
            }
        }
        Ok(events)
    }

    /// The settings as they were when something happened: a rule doesn't act on what was before it.
    async fn in_force(
        &self,
        current: &SettingsVersion,
        at: DateTime<Utc>,
    ) -> Result<SettingsVersion, StoreError> {
        let mut version = current.clone();
        while version.saved_at > at && version.version > 1 {
            match self.table.settings_version(self.workspace, version.version - 1).await? {
                Some(before) => version = before,
                None => break,
            }
        }
        Ok(version)
    }

    async fn fire(
        &self,
        rule: &AutomationRule,
        version: &SettingsVersion,
        company: &Company,
        occurrence: &Occurrence,
        settings: &Settings,
    ) -> Result<Vec<Event>, StoreError> {
        let mut firing = Firing {
            rule: rule.id.clone(),
            settings_version: version.version,
            company_id: company.company_id.clone(),
            happened: occurrence.happened.clone(),
            period: occurrence.period.clone(),
            occurred_at: occurrence.at,
            at: self.now,
            outcome: FiringOutcome::Acted,
            actions: Vec::new(),
            key: occurrence.key(&company.company_id, rule),
        };
        if self.table.has_fired(self.workspace, &firing).await? {
            return Ok(Vec::new());
        }
        if !still_holds(&occurrence.happened, occurrence.at, company) {
            firing.outcome = FiringOutcome::SetBack;
            self.write(&firing, &[], TimeDelta::zero(), &[]).await?;
            return Ok(Vec::new());
        }
        let contacts = if rule.mails() {
            contacts(self.table, self.workspace, company, settings, self.now).await?
        } else {
            Vec::new()
        };
        let planned = planned(rule, occurrence, company, &contacts, settings, self.now);
        let actions = self.actions(&firing, planned, company)?;
        firing.actions = actions.iter().map(|action| action.place().id()).collect();
        let mut events = Vec::new();
        for action in &actions {
            events.extend(self.mail_requested(action)?);
        }
        if actions.iter().any(|action| matches!(action.wanted, Wanted::Webhook { .. } | Wanted::Chat { .. }))
        {
            let (kind, change) =
                (DetailType::ActionsDue, serde_json::json!({ "by": format!("rule {}", rule.id) }));
            let company = Some(&company.company_id);
            events.push(Event::new(kind, self.workspace, company, self.now, &firing.key, &change)?);
        }
        match self.write(&firing, &actions, rule.cool_down(), &events).await? {
            Fired::Now => {}
            Fired::Before => return Ok(Vec::new()),
            Fired::CoolingDown(quiet) => {
                firing.outcome = FiringOutcome::CoolingDown { until: quiet.until };
                firing.actions.clear();
                self.write(&firing, &[], TimeDelta::zero(), &[]).await?;
                return Ok(Vec::new());
            }
        }
        for action in actions {
            if matches!(action.wanted, Wanted::Task { .. } | Wanted::Tag { .. }) {
                events.extend(carry_out(self, action).await?.event);
            }
        }
        Ok(events)
    }

    async fn write(
        &self,
        firing: &Firing,
        actions: &[Action],
        cool_down: TimeDelta,
        events: &[Event],
    ) -> Result<Fired, StoreError> {
        for _ in 1..ATTEMPTS {
            match self.table.fire(self.workspace, firing, actions, cool_down, events).await {
                Err(StoreError::Conflict) => {}
                ended => return ended,
            }
        }
        self.table.fire(self.workspace, firing, actions, cool_down, events).await
    }

    fn actions(
        &self,
        firing: &Firing,
        planned: Vec<Planned>,
        company: &Company,
    ) -> Result<Vec<Action>, StoreError> {
        let numbered = (0_u8..).zip(planned);
        numbered
            .map(|(number, Planned { wanted, due_at })| {
                let body = match &wanted {
                    Wanted::Webhook { .. } => Some(body(firing, company)?),
                    _ => None,
                };
                let nobody = matches!(wanted, Wanted::Email { user_id: None, .. });
                let state = match due_at {
                    _ if nobody => ActionState::Skipped,
                    Some(_) => ActionState::Planned,
                    None => ActionState::AwaitingApproval,
                };
                Ok(Action {
                    company_id: firing.company_id.clone(),
                    rule: firing.rule.clone(),
                    settings_version: firing.settings_version,
                    firing: firing.key.clone(),
                    number,
                    happened: firing.happened.clone(),
                    occurred_at: firing.occurred_at,
                    wanted,
                    body,
                    state,
                    reason: nobody.then(|| "nobody there can be mailed".to_owned()),
                    due_at: due_at.filter(|_| !nobody),
                    attempts: 0,
                    planned_at: self.now,
                    ended_at: nobody.then_some(self.now),
                    by: None,
                    message_id: None,
                    mail: None,
                    version: 1,
                })
            })
            .collect()
    }

    fn mail_requested(&self, action: &Action) -> Result<Option<Event>, StoreError> {
        let Wanted::Email { user_id: Some(user), .. } = &action.wanted else { return Ok(None) };
        let id = action.place().id();
        let change = serde_json::json!({
            "action_id": id, "rule": action.rule, "user_id": user, "send_id": action.send_id(self.workspace),
            "due_at": action.due_at, "by": format!("rule {}", action.rule),
        });
        let company = Some(&action.company_id);
        let kind = DetailType::MailRequested;
        Ok(Some(Event::new(kind, self.workspace, company, self.now, &id, &change)?))
    }
}

/// What an endpoint is told: what happened, at which company, by which rule (the payload that Standard Webhooks suggests).
fn body(firing: &Firing, company: &Company) -> Result<String, StoreError> {
    let kind = match firing.happened {
        Happened::Status { .. } => "status.changed",
        Happened::Engagement { .. } => "engagement.changed",
        Happened::Happiness { .. } => "happiness.changed",
        Happened::Alert { .. } => "alert.opened",
        Happened::Answer { .. } => "feedback.received",
        Happened::ReviewOverdue => "review.overdue",
        Happened::Renewal { .. } => "renewal.due",
    };
    Ok(serde_json::to_string(&serde_json::json!({
        "type": kind,
        "timestamp": firing.occurred_at,
        "data": {
            "company_id": company.company_id, "company": company.name, "owner": company.owner,
            "happened": firing.happened, "period": firing.period,
            "rule": firing.rule, "rule_version": firing.settings_version,
        },
    }))?)
}
