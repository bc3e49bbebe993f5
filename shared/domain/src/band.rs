//! The four bands and where they begin.

use serde::{Deserialize, Serialize};

use crate::Percent;

/// The computed reading of a company. `At Risk` is computed; it is never the same as the hand-set `Struggling`.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Band {
    /// 0–25 by default.
    AtRisk,
    /// 26–50 by default.
    Steady,
    /// 51–75 by default.
    Healthy,
    /// 76–100 by default.
    Thriving,
}

impl Band {
    /// The name as people read it.
    pub fn label(self) -> &'static str {
        match self {
            Self::AtRisk => "At Risk",
            Self::Steady => "Steady",
            Self::Healthy => "Healthy",
            Self::Thriving => "Thriving",
        }
    }
}

/// What stands where a band would: a band, or why there is none.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// At Risk.
    AtRisk,
    /// Steady.
    Steady,
    /// Healthy.
    Healthy,
    /// Thriving.
    Thriving,
    /// The company is new: a score may be visible, a band is not given yet.
    Onboarding,
    /// Too little is known to publish a score.
    Insufficient,
}

impl Standing {
    /// The band, when there is one.
    pub fn band(self) -> Option<Band> {
        match self {
            Self::AtRisk => Some(Band::AtRisk),
            Self::Steady => Some(Band::Steady),
            Self::Healthy => Some(Band::Healthy),
            Self::Thriving => Some(Band::Thriving),
            Self::Onboarding | Self::Insufficient => None,
        }
    }

    /// The name as people read it.
    pub fn label(self) -> &'static str {
        match self {
            Self::Onboarding => "Onboarding",
            Self::Insufficient => "Insufficient",
            Self::AtRisk => Band::AtRisk.label(),
            Self::Steady => Band::Steady.label(),
            Self::Healthy => Band::Healthy.label(),
            Self::Thriving => Band::Thriving.label(),
        }
    }
}

impl From<Band> for Standing {
    fn from(band: Band) -> Self {
        match band {
            Band::AtRisk => Self::AtRisk,
            Band::Steady => Self::Steady,
            Band::Healthy => Self::Healthy,
            Band::Thriving => Self::Thriving,
        }
    }
}

/// The lowest whole percent of each band, strictly descending. Below `steady` is At Risk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(try_from = "RawBands", into = "RawBands")]
pub struct Bands {
    thriving: u8,
    healthy: u8,
    steady: u8,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct RawBands {
    thriving: u8,
    healthy: u8,
    steady: u8,
}

/// The thresholds don't descend strictly from at most 100 to at least 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("band thresholds are whole percents, strictly descending: 100 ≥ thriving > healthy > steady ≥ 1")]
pub struct BandsError;

impl Bands {
    /// The preset `gocsm-2026`: 80/60/40.
    pub const GOCSM_2026: Self = Self { thriving: 80, healthy: 60, steady: 40 };

    /// Checks and wraps thresholds.
    pub fn new(thriving: u8, healthy: u8, steady: u8) -> Result<Self, BandsError> {
        if thriving <= 100 && thriving > healthy && healthy > steady && steady >= 1 {
            Ok(Self { thriving, healthy, steady })
        } else {
            Err(BandsError)
        }
    }

    /// The band of a score: decided on the whole percent that is shown, so number and label never disagree.
    pub fn band(self, score: Percent) -> Band {
        let shown = score.shown();
        if shown >= self.thriving {
            Band::Thriving
        } else if shown >= self.healthy {
            Band::Healthy
        } else if shown >= self.steady {
            Band::Steady
        } else {
            Band::AtRisk
        }
    }
}

impl Default for Bands {
    /// 76/51/26.
    fn default() -> Self {
        Self { thriving: 76, healthy: 51, steady: 26 }
    }
}

impl TryFrom<RawBands> for Bands {
    type Error = BandsError;
    fn try_from(raw: RawBands) -> Result<Self, BandsError> {
        Self::new(raw.thriving, raw.healthy, raw.steady)
    }
}

impl From<Bands> for RawBands {
    fn from(bands: Bands) -> Self {
        Self { thriving: bands.thriving, healthy: bands.healthy, steady: bands.steady }
    }
}
