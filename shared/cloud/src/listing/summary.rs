//! How many companies stand where: what a page says of all of them without reading them.

use std::collections::BTreeMap;

use barometer_domain::{IsoWeek, quadrant::Cell};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::{WantedEngagement, calls, churned};
use crate::views::CompanyView;

/// What a company adds to a summary.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counted {
    churned: bool,
    engagement: WantedEngagement,
    cell: Cell,
    owner: Option<String>,
    calls: bool,
    week: Option<IsoWeek>,
}

impl Counted {
    /// What a company adds on a day.
    pub fn of(company: &CompanyView, today: NaiveDate) -> Self {
        Self {
            churned: churned(company, today),
            engagement: WantedEngagement::of(company),
            cell: company.quadrant,
            owner: company.owner.as_ref().map(|owner| owner.to_lowercase()),
            calls: calls(company, today),
            week: company.engagement.as_ref().map(|engagement| engagement.week),
        }
    }
}

/// How many companies stand where. All but [`Self::known`] and [`Self::latest`] are of those that weren't lost.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Summary {
    /// Companies, lost ones among them.
    pub known: usize,
    /// Companies that weren't lost.
    pub live: usize,
    /// The newest week that any company was scored for.
    pub latest: Option<IsoWeek>,
    /// Companies per band of engagement.
    pub engagement: BTreeMap<WantedEngagement, usize>,
    /// Companies per cell of the quadrant.
    pub cells: BTreeMap<Cell, usize>,
    /// Companies per owner, in lower case.
    pub owners: BTreeMap<String, usize>,
    /// Companies with a reason that calls for somebody.
    pub calling: usize,
}

impl Summary {
    /// Takes a company in.
    pub fn add(&mut self, company: &Counted) {
        self.known += 1;
        self.latest = self.latest.max(company.week);
        if company.churned {
            return;
        }
        self.live += 1;
        self.calling += usize::from(company.calls);
        *self.engagement.entry(company.engagement).or_default() += 1;
        *self.cells.entry(company.cell).or_default() += 1;
        if let Some(owner) = &company.owner {
            *self.owners.entry(owner.clone()).or_default() += 1;
        }
    }

    /// Takes a company out that was taken in as it is given.
    pub fn remove(&mut self, company: &Counted) {
        self.known = self.known.saturating_sub(1);
        if company.churned {
            return;
        }
        self.live = self.live.saturating_sub(1);
        self.calling = self.calling.saturating_sub(usize::from(company.calls));
        less(&mut self.engagement, &company.engagement);
        less(&mut self.cells, &company.cell);
        if let Some(owner) = &company.owner {
            less(&mut self.owners, owner);
        }
    }
}

fn less<K: Ord>(counts: &mut BTreeMap<K, usize>, of: &K) {
    if let Some(count) = counts.get_mut(of) {
        *count -= 1;
        if *count == 0 {
            counts.remove(of);
        }
    }
}
