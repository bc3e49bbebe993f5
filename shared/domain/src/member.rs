//! The users of a company, and which of them count in a week.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::calendar::IsoWeek;

/// A user as a seat of a company. Dates are local to the workspace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Member {
    /// The day of the first event that named the user, or of the invitation when that was earlier.
    pub first_seen: NaiveDate,
    /// The day from which the user no longer belongs to the company.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left: Option<NaiveDate>,
    /// Internal, agency, impersonated or service user: never counted.
    #[serde(default)]
    pub excluded: bool,
}

impl Member {
    /// Rule: eligible users of a week: known, not excluded, first seen or invited on or before the week's
    /// Thursday, and not gone by then.
    pub fn eligible(&self, week: IsoWeek) -> bool {
        let thursday = week.thursday();
        !self.excluded && self.first_seen <= thursday && self.left.is_none_or(|left| left > thursday)
    }
}
