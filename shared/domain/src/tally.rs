//! Counting companies: per standing, moved from one to another, and the exact mean of their scores.

use serde::{Deserialize, Serialize};

use crate::{Percent, band::Standing, percent::round_half_up};

/// A score and where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scored {
    /// The band, or why there is none.
    pub band: Standing,
    /// The score; null when insufficient.
    pub score: Option<Percent>,
}

/// How many companies stand where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Standings {
    /// Companies that are Thriving.
    pub thriving: u32,
    /// Companies that are Healthy.
    pub healthy: u32,
    /// Companies that are Steady.
    pub steady: u32,
    /// Companies that are At Risk.
    pub at_risk: u32,
    /// New companies, which have no band yet.
    pub onboarding: u32,
    /// Companies of which too little is known.
    pub insufficient: u32,
}

impl Standings {
    /// Adds companies that stand at `standing`.
    pub fn add(&mut self, standing: Standing, companies: u32) {
        *match standing {
            Standing::Thriving => &mut self.thriving,
            Standing::Healthy => &mut self.healthy,
            Standing::Steady => &mut self.steady,
            Standing::AtRisk => &mut self.at_risk,
            Standing::Onboarding => &mut self.onboarding,
            Standing::Insufficient => &mut self.insufficient,
        } += companies;
    }

    /// Companies at any standing.
    pub fn companies(&self) -> u32 {
        self.thriving + self.healthy + self.steady + self.at_risk + self.onboarding + self.insufficient
    }
}

/// Companies that went from one standing to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Move {
    /// Where they stood.
    pub from: Standing,
    /// Where they stand now.
    pub to: Standing,
    /// How many.
    pub companies: u32,
}

/// The mean of scores, kept as exact sum and count: means of parts of the companies add up to that of all.
///
/// Rule: a company that is onboarding is in no average, so only scores with a band go in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(from = "RawMean", into = "RawMean")]
pub struct Mean {
    sum: u64,
    scores: u32,
}

/// A mean as it is written: the value for readers, sum (in basis points) and count for adding up.
#[derive(Serialize, Deserialize)]
struct RawMean {
    #[serde(default)]
    value: Option<Percent>,
    sum: u64,
    scores: u32,
}

impl Mean {
    /// Adds a company's score, when it has one and a band.
    pub fn add(&mut self, scored: Scored) {
        if let (Some(_), Some(score)) = (scored.band.band(), scored.score) {
            self.sum += u64::from(score.basis_points());
            self.scores += 1;
        }
    }

    /// Adds everything of `other`.
    pub fn merge(&mut self, other: Self) {
        self.sum += other.sum;
        self.scores += other.scores;
    }

    /// The mean, divided once and rounded half up; nothing without a score.
    pub fn value(self) -> Option<Percent> {
        let mean = (self.scores > 0).then(|| round_half_up(self.sum.into(), self.scores.into()))?;
        u16::try_from(mean).ok().and_then(|mean| Percent::from_basis_points(mean).ok())
    }
}

impl From<RawMean> for Mean {
    fn from(raw: RawMean) -> Self {
        Self { sum: raw.sum, scores: raw.scores }
    }
}

impl From<Mean> for RawMean {
    fn from(mean: Mean) -> Self {
        Self { value: mean.value(), sum: mean.sum, scores: mean.scores }
    }
}
