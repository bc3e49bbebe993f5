//! Counting companies: per standing, moves from one to another, and the exact mean of their scores.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{CompanyId, Percent, band::Standing};

/// A score and where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Scored {
    /// The band, or why there is none.
    pub band: Standing,
    /// The score; null when insufficient.
    pub score: Option<Percent>,
}

/// How many companies stand where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
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
    fn add(&mut self, standing: Standing, companies: u32) {
        *match standing {
            Standing::Thriving => &mut self.thriving,
            Standing::Healthy => &mut self.healthy,
            Standing::Steady => &mut self.steady,
            Standing::AtRisk => &mut self.at_risk,
            Standing::Onboarding => &mut self.onboarding,
            Standing::Insufficient => &mut self.insufficient,
        } += companies;
    }

    fn merge(&mut self, other: &Self) {
        self.thriving += other.thriving;
        self.healthy += other.healthy;
        self.steady += other.steady;
        self.at_risk += other.at_risk;
        self.onboarding += other.onboarding;
        self.insufficient += other.insufficient;
    }

    /// Companies at any standing.
    pub fn companies(&self) -> u32 {
        self.thriving + self.healthy + self.steady + self.at_risk + self.onboarding + self.insufficient
    }
}

/// Companies that went from one standing to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Move {
    /// Where they stood.
    pub from: Standing,
    /// Where they stand now.
    pub to: Standing,
    /// How many.
    pub companies: u32,
}

/// A company whose score or standing differs between two times or two settings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Change {
    /// The company.
    pub company_id: CompanyId,
    /// Before.
    pub from: Scored,
    /// After.
    pub to: Scored,
}

/// Where companies stand, and the mean of their scores.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Distribution {
    /// Companies per standing.
    pub standings: Standings,
    /// The mean score of the companies with a band; null when none has one.
    pub mean: Option<Percent>,
}

/// A [`Distribution`] while it is counted: the sum is exact, so parts of the companies add up to all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Tally {
    standings: Standings,
    mean: Mean,
}

impl Tally {
    /// Adds a company.
    pub fn add(&mut self, scored: Scored) {
        self.standings.add(scored.band, 1);
        self.mean.add(scored);
    }

    /// Adds everything of `other`. Commutative and associative.
    pub fn merge(&mut self, other: &Self) {
        self.standings.merge(&other.standings);
        self.mean.merge(other.mean);
    }

    /// Companies counted.
    pub fn companies(&self) -> u32 {
        self.standings.companies()
    }

    /// What was counted, with the mean divided once.
    pub fn distribution(&self) -> Distribution {
        Distribution { standings: self.standings, mean: self.mean.value() }
    }
}

/// Companies by where they stood and where they stand.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Moves(BTreeMap<Standing, BTreeMap<Standing, u32>>);

impl Moves {
    /// Adds companies that went from one standing to another; nothing when they are the same.
    pub fn add(&mut self, from: Standing, to: Standing, companies: u32) {
        if from != to {
            *self.0.entry(from).or_default().entry(to).or_default() += companies;
        }
    }

    /// Adds everything of `other`. Commutative and associative.
    pub fn merge(&mut self, other: &Self) {
        other.iter().for_each(|moved| self.add(moved.from, moved.to, moved.companies));
    }

    /// The moves, in the order of standings.
    pub fn iter(&self) -> impl Iterator<Item = Move> {
        self.0.iter().flat_map(|(from, to)| {
            to.iter().map(|(to, companies)| Move { from: *from, to: *to, companies: *companies })
        })
    }
}

/// The mean of scores as exact sum and count.
///
/// Rule: a company that is onboarding is in no average, so only scores with a band go in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Mean {
    /// In basis points.
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

    fn merge(&mut self, other: Self) {
        self.sum += other.sum;
        self.scores += other.scores;
    }

    /// The mean, divided once and rounded half up; nothing without a score.
    pub fn value(self) -> Option<Percent> {
        Percent::ratio(self.sum.into(), u128::from(self.scores) * 10_000)
    }
}
