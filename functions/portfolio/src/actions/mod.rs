//! Actions: what rules do, or are about to.

pub mod list;
pub mod patch;

use barometer_cloud::table::actions::{Action, ActionState, MailStands};
use barometer_domain::{
    CompanyId,
    automation::{Happened, RuleId, Wanted},
};
use chrono::{DateTime, Utc};
use serde::Serialize;

/// An action as the API shows it.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub struct ActionView {
    id: String,
    company_id: CompanyId,
    rule: RuleId,
    /// The version of the settings in which the rule stood so.
    settings_version: u32,
    happened: Happened,
    occurred_at: DateTime<Utc>,
    /// What is to be done, as a dry run shows it.
    action: Wanted,
    state: ActionState,
    /// Why it got no further, or is tried again.
    reason: Option<String>,
    /// When it is done or tried again; null when it waits for approval or has ended.
    due_at: Option<DateTime<Utc>>,
    attempts: u32,
    planned_at: DateTime<Utc>,
    ended_at: Option<DateTime<Utc>>,
    /// What SES says became of the mail; null for what is no mail, and before SES said anything.
    mail: Option<MailStands>,
    /// Who undid it, approved it or had it tried again.
    by: Option<String>,
}

impl From<Action> for ActionView {
    fn from(action: Action) -> Self {
        Self {
            id: action.place().id(),
            company_id: action.company_id,
            rule: action.rule,
            settings_version: action.settings_version,
            happened: action.happened,
            occurred_at: action.occurred_at,
            action: action.wanted,
            state: action.state,
            reason: action.reason,
            due_at: action.due_at,
            attempts: action.attempts,
            planned_at: action.planned_at,
            ended_at: action.ended_at,
            mail: action.mail,
            by: action.by,
        }
    }
}
