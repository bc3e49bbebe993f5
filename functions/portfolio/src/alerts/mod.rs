//! Alerts: what the product tells without being asked.

pub mod list;
pub mod patch;

use barometer_cloud::table::cases::Case;
use barometer_domain::{
    CompanyId, IsoWeek, Percent,
    alert::{Alert, Rule, State},
};
use chrono::{DateTime, Utc};
use serde::Serialize;

/// An alert as the API shows it.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub struct AlertView {
    id: String,
    /// How often it was changed: what a change takes in `If-Match`, and answers as `ETag`.
    version: u32,
    /// Null for an alert of the whole workspace.
    company_id: Option<CompanyId>,
    rule: Rule,
    label: &'static str,
    /// For the workspace's admins rather than a CSM.
    for_admins: bool,
    state: State,
    /// The week it is about.
    period: IsoWeek,
    /// The points of a drop; the share of silent companies in a data gap, of mails that bounced or were complained
    /// about; else 100.
    severity: Percent,
    sentence: String,
    opened_at: DateTime<Utc>,
    changed_at: DateTime<Utc>,
    /// Null when it changed by itself.
    changed_by: Option<String>,
    note: String,
}

impl From<Case<Alert>> for AlertView {
    fn from(case: Case<Alert>) -> Self {
        let (id, version) = (case.place.id(), case.version);
        let Alert { finding, state, opened_at, changed_at, changed_by, note } = case.content;
        Self {
            id,
            version,
            company_id: case.place.company,
            rule: finding.rule,
            label: finding.rule.label(),
            for_admins: finding.rule.for_admins(),
            state,
            period: finding.period,
            severity: finding.severity,
            sentence: finding.sentence,
            opened_at,
            changed_at,
            changed_by,
            note,
        }
    }
}
