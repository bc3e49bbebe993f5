//! What a change of the status is about to set in motion.

use barometer_cloud::{
    StoreError,
    automation::{Automation, look_ahead},
    lambda::Chain,
    table::{companies::Company, statuses::StatusChange},
};
use barometer_domain::{
    Settings,
    automation::{Happened, Occurrence, Planned, RuleId},
    status::ChangeKind,
};
use serde::Serialize;

/// Something that a rule will do, and when; at no time when somebody must approve it first.
#[derive(Debug, Serialize, schemars::JsonSchema)]
#[schemars(rename = "WillDo")]
pub(crate) struct Will {
    rule: RuleId,
    #[serde(flatten)]
    planned: Planned,
}

/// What the rules will do about a change of a company as it was before; nothing about a confirmation, and of rules that are
/// quiet there. Nothing at all when it can't be found out: the change doesn't depend on it.
pub(crate) async fn will(
    automation: &Automation<'_>,
    company: &Company,
    change: &StatusChange,
    settings: &Settings,
) -> Option<Vec<Will>> {
    let found = find(automation, company, change, settings).await;
    found
        .inspect_err(|error| {
            let (workspace, company) = (automation.workspace, &company.company_id);
            tracing::warn!(%workspace, %company, error = %Chain(error), "what will be done isn't known");
        })
        .ok()
}

async fn find(
    automation: &Automation<'_>,
    company: &Company,
    change: &StatusChange,
    settings: &Settings,
) -> Result<Vec<Will>, StoreError> {
    let today = settings.time_zone.date(automation.now);
    let is_lost = company.churned_on.is_some_and(|churned| churned <= today);
    if change.kind == ChangeKind::Confirmation || is_lost {
        return Ok(Vec::new());
    }
    let happened = Happened::Status { from: change.from, to: change.status.value };
    let occurrence = Occurrence { happened, period: change.id.clone(), at: change.status.set_at };
    let after = Company { status: Some(change.status.clone()), ..company.clone() };
    let mut will = Vec::new();
    for rule in &settings.rules {
        let ahead = look_ahead(automation, rule, &after, &occurrence, settings).await?;
        let planned = ahead.filter(|ahead| ahead.quiet_until.is_none()).map(|ahead| ahead.planned);
        let of_rule = |planned| Will { rule: rule.id.clone(), planned };
        will.extend(planned.into_iter().flatten().map(of_rule));
    }
    Ok(will)
}
