//! What no event tells, because nothing but time passed: reviews that are overdue, renewals that come near, tasks that
//! nobody did.
//!
//! Looked at on the hour in which a workspace's morning begins. What it finds is found again on the next day: whether it
//! was acted on is known by the firing's key, and by the task.

use barometer_cloud::{
    automation::{Automation, brought_about},
    bus::Event,
    table::{cases::Case, companies::Company},
    watch::Watch,
    workspaces::Workspace,
};
use barometer_domain::{
    Settings,
    automation::{Occurrence, Trigger},
    task::Task,
};
use chrono::{DateTime, NaiveTime, TimeDelta, Utc};

use crate::{Deps, Outcome, ReactError};

/// How far apart the firings are.
const EVERY: TimeDelta = TimeDelta::hours(1);
/// The local hour: before anybody's digest.
const MORNING: u32 = 6;
/// Live tasks read at once.
const TASKS: i32 = 100;

/// Looks after the workspaces whose morning it is.
pub async fn look(scheduled: DateTime<Utc>, deps: &Deps) -> Result<Outcome, ReactError> {
    let mut outcome = Outcome::default();
    for workspace in deps.table.workspaces().await? {
        let id = &workspace.workspace_id;
        let Some(version) = deps.table.settings(id).await? else { continue };
        if !is_morning(scheduled, &version.settings) {
            continue;
        }
        outcome.events.extend(companies(&workspace, &version.settings, scheduled, deps).await?.events);
        outcome.events.extend(tasks(&workspace, &version.settings, scheduled, deps).await?.events);
    }
    Ok(outcome)
}

/// Whether a local day's morning lies in the hour up to an instant.
fn is_morning(until: DateTime<Utc>, settings: &Settings) -> bool {
    let (zone, morning) =
        (settings.time_zone, NaiveTime::from_hms_opt(MORNING, 0, 0).unwrap_or(NaiveTime::MIN));
    let at = zone.instant(zone.date(until), morning);
    until - EVERY < at && at <= until
}

async fn companies(
    workspace: &Workspace,
    settings: &Settings,
    now: DateTime<Utc>,
    deps: &Deps,
) -> Result<Outcome, ReactError> {
    let id = &workspace.workspace_id;
    let triggers: Vec<&Trigger> =
        settings.rules.iter().filter(|rule| rule.enabled).map(|rule| &rule.trigger).collect();
    if !triggers.iter().any(|trigger| matches!(trigger, Trigger::ReviewOverdue {} | Trigger::Renewal { .. }))
    {
        return Ok(Outcome::default());
    }
    let automation = Automation { table: &deps.table, workspace: id, now };
    let (mut outcome, mut after) = (Outcome::default(), None);
    loop {
        let page = deps.table.companies_after(id, after.as_ref()).await?;
        let Some(last) = page.last() else { return Ok(outcome) };
        after = Some(last.company_id.clone());
        for company in &page {
            for occurrence in due(company, &triggers, settings, now) {
                let events = automation.occurred(company, &occurrence).await?;
                deps.table.publish_or_leave(&deps.bus, id, &events).await;
                outcome.events.extend(Outcome::of(&events).events);
            }
        }
    }
}

/// What time has brought about at a company.
fn due(company: &Company, triggers: &[&Trigger], settings: &Settings, now: DateTime<Utc>) -> Vec<Occurrence> {
    let mut found = Vec::new();
    for trigger in triggers {
        let occurrence = brought_about(trigger, company, settings.time_zone, now);
        // Every rule is asked about each.
        found.extend(occurrence.filter(|occurrence| !found.contains(occurrence)));
    }
    found
}

/// Rule: a task that a business day after its due date is neither done nor put off is made more urgent, once, and told.
async fn tasks(
    workspace: &Workspace,
    settings: &Settings,
    now: DateTime<Utc>,
    deps: &Deps,
) -> Result<Outcome, ReactError> {
    let id = &workspace.workspace_id;
    let (mut outcome, mut after) = (Outcome::default(), None::<String>);
    loop {
        let page: Vec<(String, Case<Task>)> = deps.table.cases(id, true, after.as_deref(), TASKS).await?;
        let Some((last, _)) = page.last() else { return Ok(outcome) };
        after = Some(last.clone());
        for (_, case) in page {
            let company = case.place.company.clone();
            let watch = Watch { table: &deps.table, workspace: id, company: company.as_ref(), now };
            let events: Vec<Event> = watch.escalate(case, settings.time_zone).await?.into_iter().collect();
            deps.table.publish_or_leave(&deps.bus, id, &events).await;
            outcome.events.extend(Outcome::of(&events).events);
        }
    }
}
