//! What rules would do, without doing it.

use barometer_domain::{
    Settings,
    automation::{AutomationRule, Contact, Occurrence, Planned},
};

use super::{Automation, facts, planned};
use crate::{StoreError, contacts::contacts, table::companies::Company};

/// What a rule would do about something at a company.
#[derive(Debug, Clone)]
pub struct Ahead {
    /// What it would do.
    pub planned: Vec<Planned>,
    /// Until when it is quiet there, so that it would do nothing.
    pub quiet_until: Option<chrono::DateTime<chrono::Utc>>,
    /// Who would be mailed; nobody for a rule that mails nobody.
    pub contacts: Vec<Contact>,
}

/// What a rule would do about something at a company now; nothing when it isn't about it. Writes nothing.
pub async fn look_ahead(
    automation: &Automation<'_>,
    rule: &AutomationRule,
    company: &Company,
    occurrence: &Occurrence,
    settings: &Settings,
) -> Result<Option<Ahead>, StoreError> {
    let Automation { table, workspace, now } = *automation;
    if !rule.applies(&occurrence.happened, &facts(company, now)) {
        return Ok(None);
    }
    let contacts =
        if rule.mails() { contacts(table, workspace, company, settings, now).await? } else { Vec::new() };
    let quiet = table.quiet(workspace, &company.company_id, &rule.id).await?;
    Ok(Some(Ahead {
        planned: planned(rule, occurrence, company, &contacts, settings, now),
        quiet_until: quiet.map(|quiet| quiet.until).filter(|until| *until > occurrence.at),
        contacts,
    }))
}
