//! The workspace's companies in one period, a week or a month: where they stand, what moved, and by group.
//!
//! Companies are counted in shards, which add up: [`Shard::merge`] is commutative and associative, and the overview
//! of all shards equals the one of all companies counted at once. What a shard keeps is bounded by rules that don't
//! depend on the order: see [`MAX_DIMENSIONS`] and [`MAX_VALUES`].

use std::{cmp::Reverse, collections::BTreeMap};

use serde::{Deserialize, Serialize};

use crate::{
    CompanyId, Percent,
    band::{Band, Bands},
    tally::{Change, Distribution, Mean, Move, Moves, Scored, Tally},
};

/// How many of the biggest changes are told, up and down each.
pub const BIGGEST_CHANGES: usize = 10;
/// How many of the companies' traits are dimensions: the first by name. Owner and plan are always there.
pub const MAX_DIMENSIONS: usize = 20;
/// A dimension with more values than this says who a company is rather than what it has in common with others:
/// it is left out.
pub const MAX_VALUES: usize = 1_000;
/// How many values of a dimension are told: those with the most companies. The rest is `other`.
pub const VALUES_TOLD: usize = 50;
/// A dimension with more values than this is also left out when there are more than half as many values as
/// companies: its values are nearly all distinct.
pub const FEW_VALUES: usize = 25;

/// How many families are told: those with the most companies.
pub const FAMILIES_TOLD: usize = 200;

/// A company with its reading of the period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Company {
    /// The company.
    pub company_id: CompanyId,
    /// The CSM who owns it.
    pub owner: Option<String>,
    /// Its plan.
    pub plan: Option<String>,
    /// Its traits, such as `industry` or `region`.
    pub traits: BTreeMap<String, String>,
    /// The company that it belongs to.
    pub parent: Option<CompanyId>,
    /// The period's reading.
    pub current: Scored,
    /// Its revision: above 1, the period was corrected after it was published.
    pub revision: u32,
    /// The reading of the period before.
    pub previous: Option<Scored>,
}

/// Some of the workspace's companies, counted. Each company belongs into one shard.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Shard {
    all: Tally,
    scored: u32,
    revised: u32,
    moves: Moves,
    up: Vec<Change>,
    down: Vec<Change>,
    owner: Dimension,
    plan: Dimension,
    traits: BTreeMap<String, Dimension>,
    families: BTreeMap<CompanyId, BTreeMap<CompanyId, Scored>>,
}

/// Companies by the values of one dimension.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
struct Dimension {
    /// Nothing once there were more than [`MAX_VALUES`].
    values: Option<BTreeMap<String, Tally>>,
}

/// The overview of a period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Overview {
    /// Companies with a reading.
    pub companies: u32,
    /// Of those, companies with a score; those onboarding have one too.
    pub scored: u32,
    /// Of those, companies whose period was corrected after it was published.
    pub revised: u32,
    /// Where all of them stand.
    #[serde(flatten)]
    pub all: Distribution,
    /// Moves since the period before, in the order of standings.
    pub moves: Vec<Move>,
    /// The companies that rose the most among those with a band in both periods; ties by id.
    pub up: Vec<Change>,
    /// The companies that fell the most among those with a band in both periods; ties by id.
    pub down: Vec<Change>,
    /// Companies by `owner`, `plan` and `traits.` and a trait's name. A company without a value is in none of the
    /// dimension's groups.
    pub by: BTreeMap<String, Groups>,
    /// Dimensions left out because their values are too many or nearly all distinct.
    pub left_out: Vec<String>,
    /// Companies that others belong to, those with the most first, at most [`FAMILIES_TOLD`]; ties by id.
    pub families: Vec<Family>,
}

/// Companies by the values of one dimension.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Groups {
    /// The values with the most companies, at most [`VALUES_TOLD`].
    pub values: BTreeMap<String, Distribution>,
    /// All other values together; null when there are none.
    pub other: Option<Distribution>,
}

/// A company that others belong to. Only companies that name it count, not those that belong to them in turn.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Family {
    /// The parent.
    pub company_id: CompanyId,
    /// How many companies belong to it.
    pub children: u32,
    /// The mean score of the children with a band; null when none has one.
    pub mean: Option<Percent>,
    /// The band of the mean.
    pub band: Option<Band>,
    /// The child with a band whose score is lowest; ties by id.
    pub worst: Option<CompanyId>,
}

impl Shard {
    /// Adds a company.
    pub fn add(&mut self, company: &Company) {
        self.all.add(company.current);
        self.scored += u32::from(company.current.score.is_some());
        self.revised += u32::from(company.revision > 1);
        if let Some(previous) = company.previous {
            self.moves.add(previous.band, company.current.band, 1);
            self.add_change(Change {
                company_id: company.company_id.clone(),
                from: previous,
                to: company.current,
            });
        }
        self.owner.add(company.owner.as_deref(), company.current);
        self.plan.add(company.plan.as_deref(), company.current);
        for (name, value) in &company.traits {
            self.traits.entry(name.clone()).or_default().add(Some(value), company.current);
        }
        self.keep_first_traits();
        if let Some(parent) = company.parent.as_ref().filter(|parent| **parent != company.company_id) {
            let children = self.families.entry(parent.clone()).or_default();
            children.insert(company.company_id.clone(), company.current);
        }
    }

    /// Adds everything of a shard with other companies. Commutative and associative.
    pub fn merge(&mut self, other: &Self) {
        self.all.merge(&other.all);
        self.scored += other.scored;
        self.revised += other.revised;
        self.moves.merge(&other.moves);
        other.up.iter().chain(&other.down).for_each(|change| self.add_change(change.clone()));
        self.owner.merge(&other.owner);
        self.plan.merge(&other.plan);
        for (name, dimension) in &other.traits {
            self.traits.entry(name.clone()).or_default().merge(dimension);
        }
        self.keep_first_traits();
        for (parent, children) in &other.families {
            let known = self.families.entry(parent.clone()).or_default();
            known.extend(children.iter().map(|(child, scored)| (child.clone(), *scored)));
        }
    }

    fn add_change(&mut self, change: Change) {
        match difference(&change) {
            Some(1..) => keep_biggest(&mut self.up, change),
            Some(..0) => keep_biggest(&mut self.down, change),
            Some(0) | None => {}
        }
    }

    /// A trait that is among the first of all companies is among the first of every shard that has it, so what is
    /// cut here is never missed later.
    fn keep_first_traits(&mut self) {
        while self.traits.len() > MAX_DIMENSIONS {
            self.traits.pop_last();
        }
    }

    /// What was counted. `bands` are those of the settings, for the means of families.
    pub fn overview(&self, bands: Bands) -> Overview {
        let mut by = BTreeMap::new();
        let mut left_out = Vec::new();
        let traits = self.traits.iter().map(|(name, dimension)| (format!("traits.{name}"), dimension));
        let own = [("owner".to_owned(), &self.owner), ("plan".to_owned(), &self.plan)];
        for (name, dimension) in own.into_iter().chain(traits) {
            match dimension.groups() {
                Some(groups) => {
                    by.insert(name, groups);
                }
                None => left_out.push(name),
            }
        }
        Overview {
            companies: self.all.companies(),
            scored: self.scored,
            revised: self.revised,
            all: self.all.distribution(),
            moves: self.moves.iter().collect(),
            up: self.up.clone(),
            down: self.down.clone(),
            by,
            left_out,
            families: self.families(bands),
        }
    }

    fn families(&self, bands: Bands) -> Vec<Family> {
        let mut families: Vec<_> = self.families.iter().collect();
        families.sort_by_key(|(parent, children)| (Reverse(children.len()), *parent));
        families.truncate(FAMILIES_TOLD);
        families.into_iter().map(|(parent, children)| family(parent, children, bands)).collect()
    }
}

/// By how many basis points a score rose; nothing unless it had a band before and after.
fn difference(change: &Change) -> Option<i32> {
    let score = |scored: Scored| scored.score.filter(|_| scored.band.band().is_some());
    let points = |score: Percent| i32::from(score.basis_points());
    Some(points(score(change.to)?) - points(score(change.from)?))
}

/// Keeps the biggest changes, in order. Of all changes of one sign the same are kept in whatever order they come.
fn keep_biggest(kept: &mut Vec<Change>, change: Change) {
    kept.push(change);
    let size = |change: &Change| difference(change).map(i32::unsigned_abs);
    kept.sort_by(|a, b| size(b).cmp(&size(a)).then_with(|| a.company_id.cmp(&b.company_id)));
    kept.truncate(BIGGEST_CHANGES);
}

fn family(parent: &CompanyId, children: &BTreeMap<CompanyId, Scored>, bands: Bands) -> Family {
    let mut mean = Mean::default();
    children.values().for_each(|child| mean.add(*child));
    let with_band = children.iter().filter(|(_, child)| child.band.band().is_some());
    let worst = with_band.filter_map(|(id, child)| Some((child.score?, id))).min();
    Family {
        company_id: parent.clone(),
        children: u32::try_from(children.len()).unwrap_or(u32::MAX),
        mean: mean.value(),
        band: mean.value().map(|mean| bands.band(mean)),
        worst: worst.map(|(_, id)| id.clone()),
    }
}

impl Default for Dimension {
    fn default() -> Self {
        Self { values: Some(BTreeMap::new()) }
    }
}

impl Dimension {
    fn add(&mut self, value: Option<&str>, scored: Scored) {
        if let (Some(value), Some(values)) = (value, &mut self.values) {
            values.entry(value.to_owned()).or_default().add(scored);
            self.give_up_when_too_many();
        }
    }

    fn merge(&mut self, other: &Self) {
        match (&mut self.values, &other.values) {
            (Some(values), Some(others)) => {
                others
                    .iter()
                    .for_each(|(value, tally)| values.entry(value.clone()).or_default().merge(tally));
                self.give_up_when_too_many();
            }
            _ => self.values = None,
        }
    }

    /// Values only become more, so whoever counts in whatever order gives up on the same dimensions.
    fn give_up_when_too_many(&mut self) {
        self.values.take_if(|values| values.len() > MAX_VALUES);
    }

    /// The groups to tell; nothing when the dimension is left out.
    fn groups(&self) -> Option<Groups> {
        let values = self.values.as_ref()?;
        let companies: u32 = values.values().map(Tally::companies).sum();
        let nearly_all_distinct = 2 * values.len() as u64 > u64::from(companies);
        if values.len() > FEW_VALUES && nearly_all_distinct {
            return None;
        }
        let mut by_size: Vec<(&String, &Tally)> = values.iter().collect();
        by_size.sort_by_key(|(value, tally)| (Reverse(tally.companies()), *value));
        let rest = by_size.split_off(by_size.len().min(VALUES_TOLD));
        let other = rest.into_iter().fold(Tally::default(), |mut other, (_, tally)| {
            other.merge(tally);
            other
        });
        Some(Groups {
            values: by_size.into_iter().map(|(value, tally)| (value.clone(), tally.distribution())).collect(),
            other: Some(other).filter(|other| other.companies() > 0).map(|other| other.distribution()),
        })
    }
}
