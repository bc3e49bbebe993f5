//! What happened, and whether a rule is about it.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{AutomationRule, Conditions, Trigger};
use crate::{CompanyId, Percent, alert, band::Band, happiness::Level, quadrant::Cell, status::Status};

/// What happened at a company.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(tag = "on", rename_all = "snake_case")]
pub enum Happened {
    /// The business status was set to another value.
    Status {
        /// The status before; nothing for the first.
        from: Option<Status>,
        /// The status.
        to: Status,
    },
    /// The engagement settled in another band.
    Engagement {
        /// The band before; nothing for the first.
        from: Option<Band>,
        /// The band.
        to: Band,
    },
    /// The happiness settled on another level.
    Happiness {
        /// The level before; nothing for the first.
        from: Option<Level>,
        /// The level.
        to: Level,
    },
    /// An alert opened or got worse.
    Alert {
        /// The alert's rule.
        rule: alert::Rule,
    },
    /// A user answered.
    Answer {
        /// The rating's value.
        value: Percent,
    },
    /// The business status is past its review-by.
    ReviewOverdue,
    /// The contract renews in at most so many days.
    Renewal {
        /// As the rule's trigger says.
        days: u16,
    },
}

/// Something that happened, once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Occurrence {
    /// What.
    pub happened: Happened,
    /// Which one of its kind: the change's id, the week, the answer's id, the date. With company, rule, from and to it
    /// is the key of all that follows.
    pub period: String,
    /// When.
    pub at: DateTime<Utc>,
}

/// What is known of a company when something happens there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts<'a> {
    /// The CSM who looks after it.
    pub owner: Option<&'a str>,
    /// Its plan.
    pub plan: Option<&'a str>,
    /// The band of its latest week.
    pub band: Option<Band>,
    /// Its cell of the quadrant.
    pub cell: Cell,
    /// Its traits.
    pub traits: &'a BTreeMap<String, String>,
    /// Its tags.
    pub tags: &'a BTreeSet<String>,
}

impl Happened {
    /// Where it came from and where it went, as the names on the wire; empty where there is no such thing.
    pub fn ends(&self) -> (String, String) {
        let wire = |label: &str| label.to_lowercase().replace(' ', "_");
        let (from, to) = self.labels();
        match self {
            Self::Answer { .. } => (String::new(), "answer".to_owned()),
            Self::ReviewOverdue => (String::new(), "review_overdue".to_owned()),
            Self::Renewal { days } => (String::new(), format!("renewal_in_{days}")),
            Self::Status { .. } | Self::Engagement { .. } | Self::Happiness { .. } | Self::Alert { .. } => {
                (wire(from), wire(to))
            }
        }
    }

    /// The ends as people read them.
    pub fn labels(&self) -> (&'static str, &'static str) {
        match self {
            Self::Status { from, to } => (from.map_or("", Status::label), to.label()),
            Self::Engagement { from, to } => (from.map_or("", Band::label), to.label()),
            Self::Happiness { from, to } => (from.map_or("", Level::label), to.label()),
            Self::Alert { rule } => ("", rule.label()),
            Self::Answer { .. } | Self::ReviewOverdue | Self::Renewal { .. } => ("", ""),
        }
    }
}

impl Occurrence {
    /// Rule: the key of what a rule does about it, of `(company, rule, from, to, period)`: a retry or a replay performs each
    /// action once. 32 hexadecimal digits.
    pub fn key(&self, company: &CompanyId, rule: &AutomationRule) -> String {
        let (from, to) = self.happened.ends();
        let mut hash = Sha256::new();
        for part in [company.as_str(), rule.id.as_str(), &from, &to, &self.period] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part.as_bytes());
        }
        hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
    }
}

impl AutomationRule {
    /// Whether the rule acts on it: it is enabled, its trigger is about it and its conditions hold.
    pub fn applies(&self, happened: &Happened, facts: &Facts<'_>) -> bool {
        self.enabled && self.trigger.is_about(happened) && self.conditions.hold(facts)
    }
}

impl Trigger {
    /// Whether what happened sets it off.
    pub fn is_about(&self, happened: &Happened) -> bool {
        match (self, happened) {
            (Self::Status { from, to }, Happened::Status { from: was, to: is }) => {
                among_from(from, *was) && among(to, *is)
            }
            (Self::Engagement { from, to }, Happened::Engagement { from: was, to: is }) => {
                among_from(from, *was) && among(to, *is)
            }
            (Self::Happiness { from, to }, Happened::Happiness { from: was, to: is }) => {
                among_from(from, *was) && among(to, *is)
            }
            (Self::Alert { rules }, Happened::Alert { rule }) => among(rules, *rule),
            (Self::Answer { at_most, at_least }, Happened::Answer { value }) => {
                let points = value.basis_points();
                at_most.is_none_or(|most| points <= u16::from(most) * 1_000)
                    && at_least.is_none_or(|least| points >= u16::from(least) * 1_000)
            }
            (Self::ReviewOverdue {}, Happened::ReviewOverdue) => true,
            (Self::Renewal { days }, Happened::Renewal { days: left }) => days == left,
            _ => false,
        }
    }
}

fn among<T: Ord>(wanted: &BTreeSet<T>, value: T) -> bool {
    wanted.is_empty() || wanted.contains(&value)
}

/// The first value ever came from nothing that could be named.
fn among_from<T: Ord>(wanted: &BTreeSet<T>, value: Option<T>) -> bool {
    wanted.is_empty() || value.is_some_and(|value| wanted.contains(&value))
}

impl Conditions {
    /// Whether all of them hold.
    pub fn hold(&self, facts: &Facts<'_>) -> bool {
        let text = |wanted: &BTreeSet<String>, value: Option<&str>| {
            wanted.is_empty() || value.is_some_and(|value| wanted.contains(value))
        };
        text(&self.owners, facts.owner)
            && text(&self.plans, facts.plan)
            && (self.bands.is_empty() || facts.band.is_some_and(|band| self.bands.contains(&band)))
            && among(&self.quadrants, facts.cell)
            && self
                .traits
                .iter()
                .all(|(name, values)| text(values, facts.traits.get(name).map(String::as_str)))
            && (self.tags.is_empty() || !self.tags.is_disjoint(facts.tags))
    }
}
