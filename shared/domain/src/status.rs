//! Business status: how the customer's business is doing, set by a CSM with a note.

use chrono::{DateTime, Days, Utc};
use serde::{Deserialize, Serialize};

/// The business status of a company. `Struggling` is a person's judgement; it is never the computed `At Risk`.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// The customer's business is in trouble.
    Struggling,
    /// It holds.
    Steady,
    /// It does well.
    Healthy,
    /// It grows.
    Thriving,
}

impl Status {
    /// The name as people read it.
    pub fn label(self) -> &'static str {
        match self {
            Self::Struggling => "Struggling",
            Self::Steady => "Steady",
            Self::Healthy => "Healthy",
            Self::Thriving => "Thriving",
        }
    }
}

/// After how many days a status must be looked at again. Rule: 90, and 30 for Thriving and Struggling.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReviewDays {
    /// For Thriving.
    pub thriving: u16,
    /// For Healthy.
    pub healthy: u16,
    /// For Steady.
    pub steady: u16,
    /// For Struggling.
    pub struggling: u16,
}

impl Default for ReviewDays {
    fn default() -> Self {
        Self { thriving: 30, healthy: 90, steady: 90, struggling: 30 }
    }
}

impl ReviewDays {
    /// When a status set at `at` is to be reviewed.
    pub fn review_by(self, status: Status, at: DateTime<Utc>) -> DateTime<Utc> {
        let days = match status {
            Status::Thriving => self.thriving,
            Status::Healthy => self.healthy,
            Status::Steady => self.steady,
            Status::Struggling => self.struggling,
        };
        at.checked_add_days(Days::new(u64::from(days))).unwrap_or(at)
    }
}

/// A company's business status as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct BusinessStatus {
    /// The status.
    pub value: Status,
    /// Why, in the CSM's words.
    pub note: String,
    /// Who set it.
    pub author: String,
    /// When.
    pub set_at: DateTime<Utc>,
    /// Until when it counts as fresh.
    pub review_by: DateTime<Utc>,
}

/// Why a status doesn't count at present.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Stale {
    /// Its review-by is over.
    ReviewOverdue,
    /// The company has another owner than when it was set: the new one hasn't said yet how they see it.
    HandedOver,
}

impl BusinessStatus {
    /// Why it is stale at `now`; nothing while it is fresh. `handed_over_at` is when the company last got another
    /// owner. Rule: a handover makes a status stale until it is set or confirmed again; past its review-by it is stale
    /// in any case.
    pub fn stale(&self, handed_over_at: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Option<Stale> {
        if handed_over_at.is_some_and(|at| self.set_at < at) {
            Some(Stale::HandedOver)
        } else if now > self.review_by {
            Some(Stale::ReviewOverdue)
        } else {
            None
        }
    }
}

/// What setting a status does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// Another status than before, or the first: automations fire.
    Transition,
    /// The same again: renews review-by, is logged, fires nothing.
    Confirmation,
}

impl ChangeKind {
    /// Which of the two setting `to` is.
    pub fn of(from: Option<Status>, to: Status) -> Self {
        if from == Some(to) { Self::Confirmation } else { Self::Transition }
    }
}
