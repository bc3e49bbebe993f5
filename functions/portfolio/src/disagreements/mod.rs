//! Disagreements: business status and engagement say different things of a company.

pub mod list;
pub mod patch;

use barometer_cloud::table::cases::Case;
use barometer_domain::{
    CompanyId,
    band::Band,
    disagreement::{Disagreement, State},
    status::Status,
};
use chrono::{DateTime, Utc};
use serde::Serialize;

/// A disagreement as the API shows it.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub struct DisagreementView {
    id: String,
    /// How often it was changed: what a change takes in `If-Match`, and answers as `ETag`.
    version: u32,
    company_id: Option<CompanyId>,
    /// The business status when it was opened.
    status: Status,
    /// The band of engagement when it was opened.
    engagement: Band,
    state: State,
    opened_at: DateTime<Utc>,
    /// When it expires unanswered.
    due_at: DateTime<Utc>,
    closed_at: Option<DateTime<Utc>>,
    answered_by: Option<String>,
    reason: Option<String>,
}

impl From<Case<Disagreement>> for DisagreementView {
    fn from(case: Case<Disagreement>) -> Self {
        let (id, version) = (case.place.id(), case.version);
        let Disagreement { readings, state, opened_at, due_at, closed_at, answered_by, reason } =
            case.content;
        Self {
            id,
            version,
            company_id: case.place.company,
            status: readings.status,
            engagement: readings.engagement,
            state,
            opened_at,
            due_at,
            closed_at,
            answered_by,
            reason,
        }
    }
}
