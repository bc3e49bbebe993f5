//! Health and happiness read together.

use serde::{Deserialize, Serialize};

use crate::{
    band::{Band, Standing},
    happiness::Level,
    status::Status,
};

/// A cell of the quadrant.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Cell {
    /// Health high, happiness low.
    ProductProblem,
    /// Health low, happiness high.
    BusinessProblem,
    /// Both high.
    Advocate,
    /// Both low.
    Urgent,
    /// Either side is missing, onboarding or insufficient.
    Unknown,
}

impl Cell {
    /// All cells, in the order in which they are listed.
    pub const ALL: [Self; 5] =
        [Self::Urgent, Self::ProductProblem, Self::BusinessProblem, Self::Advocate, Self::Unknown];

    /// The name as people read it.
    pub fn label(self) -> &'static str {
        match self {
            Self::ProductProblem => "Product problem",
            Self::BusinessProblem => "Business problem",
            Self::Advocate => "Advocate",
            Self::Urgent => "Urgent",
            Self::Unknown => "Unknown",
        }
    }

    /// What the cell means for the CSM.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::ProductProblem => "Possible product problem despite a healthy business",
            Self::BusinessProblem => "Satisfied with the product while the business struggles",
            Self::Advocate => "Ideal for a case study, a referral or an upsell",
            Self::Urgent => "At risk of churn: act now",
            Self::Unknown => "Too little is known of one side or both",
        }
    }

    /// What the CSM does next.
    pub fn next_step(self) -> &'static str {
        match self {
            Self::ProductProblem => {
                "Talk to the users who rate low, and take what they say to the product team"
            }
            Self::BusinessProblem => {
                "Find out what the customer's business needs now: training, another plan, time"
            }
            Self::Advocate => "Ask for a case study, a referral, or what they would like to have next",
            Self::Urgent => "Call the decision maker this week and agree on a way out",
            Self::Unknown => "Set the business status, and ask the users for feedback",
        }
    }
}

/// Which reading stood for health.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum HealthAxis {
    /// The business status, set and fresh.
    BusinessStatus,
    /// The computed engagement.
    Engagement,
}

/// Where a company stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Place {
    /// The cell.
    pub cell: Cell,
    /// Which reading stood for health; null when neither is known.
    pub health_axis: Option<HealthAxis>,
}

/// Rule: quadrant. The health axis is the business status when it is set and fresh, else engagement.
pub fn place(fresh_status: Option<Status>, engagement: Option<Standing>, happiness: Level) -> Place {
    let (health, health_axis) = match (fresh_status, engagement.and_then(Standing::band)) {
        (Some(status), _) => {
            (Some(matches!(status, Status::Thriving | Status::Healthy)), Some(HealthAxis::BusinessStatus))
        }
        (None, Some(band)) => {
            (Some(matches!(band, Band::Thriving | Band::Healthy)), Some(HealthAxis::Engagement))
        }
        (None, None) => (None, None),
    };
    let happy = match happiness {
        Level::NoData => None,
        Level::VeryHappy | Level::Happy => Some(true),
        Level::Neutral | Level::NotHappy => Some(false),
    };
    // A company that is new is in no cell, whatever its status says.
    let onboarding = engagement == Some(Standing::Onboarding);
    let cell = match (health, happy) {
        _ if onboarding => Cell::Unknown,
        (Some(true), Some(false)) => Cell::ProductProblem,
        (Some(false), Some(true)) => Cell::BusinessProblem,
        (Some(true), Some(true)) => Cell::Advocate,
        (Some(false), Some(false)) => Cell::Urgent,
        (None, _) | (_, None) => Cell::Unknown,
    };
    Place { cell, health_axis }
}

/// Business status and engagement two or more bands apart. Struggling stands level with At Risk here only to
/// measure the distance; neither is ever stored as the other.
pub fn disagree(status: Status, band: Band) -> bool {
    let status = match status {
        Status::Struggling => 0_i8,
        Status::Steady => 1,
        Status::Healthy => 2,
        Status::Thriving => 3,
    };
    let band = match band {
        Band::AtRisk => 0_i8,
        Band::Steady => 1,
        Band::Healthy => 2,
        Band::Thriving => 3,
    };
    (status - band).abs() >= 2
}

/// How much a company needs somebody, for sorting only: higher is worse. The worst of the readings that are
/// known and fresh, 0 (all well) to 3.
pub fn attention(fresh_status: Option<Status>, engagement: Option<Standing>, happiness: Level) -> u8 {
    let status = fresh_status.map(|status| match status {
        Status::Struggling => 3,
        Status::Steady => 2,
        Status::Healthy => 1,
        Status::Thriving => 0,
    });
    let band = engagement.and_then(Standing::band).map(|band| match band {
        Band::AtRisk => 3,
        Band::Steady => 2,
        Band::Healthy => 1,
        Band::Thriving => 0,
    });
    let level = match happiness {
        Level::NoData => None,
        Level::NotHappy => Some(3),
        Level::Neutral => Some(2),
        Level::Happy => Some(1),
        Level::VeryHappy => Some(0),
    };
    [status, band, level].into_iter().flatten().max().unwrap_or(0)
}
