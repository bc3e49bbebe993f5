//! What a feature catalogue can be made of: the names that events brought, as far back as a proposal looks.

use std::collections::{BTreeMap, BTreeSet};

use barometer_domain::{
    IsoWeek, WorkspaceId,
    activity::{FeatureSource, Sighting},
};
use chrono::{DateTime, Utc};
use futures_util::{StreamExt, TryStreamExt, stream};

use crate::{StoreError, Table, table::companies::Company};

/// Companies that are looked at: those seen last tell what the product has today.
const COMPANIES: usize = 100;
/// How far back is looked, in weeks: 90 days.
const WEEKS: i64 = 13;
/// Companies that are read at the same time.
const AT_ONCE: usize = 16;

/// A name that events brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenName {
    /// The name.
    pub name: String,
    /// Where it was read.
    pub sources: BTreeSet<FeatureSource>,
    /// How many of the companies that were looked at used it.
    pub companies: usize,
}

/// Names that events brought, those that most companies used first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SeenNames {
    /// The names.
    pub names: Vec<SeenName>,
    /// Companies that were looked at.
    pub companies: usize,
}

/// The names that were used in the last 90 days at the companies seen last, at most a hundred of them. They are in
/// the weekly snapshots; of a company without one, its latest week of activity is read.
pub async fn seen(
    table: &Table,
    workspace: &WorkspaceId,
    companies: Vec<Company>,
    now: DateTime<Utc>,
) -> Result<SeenNames, StoreError> {
    let mut companies = companies;
    companies
        .sort_by(|a, b| b.last_seen_at.cmp(&a.last_seen_at).then_with(|| a.company_id.cmp(&b.company_id)));
    companies.truncate(COMPANIES);
    let looked_at = companies.len();
    let read = |company: Company| sightings(table, workspace, company, now);
    let found: Vec<BTreeSet<Sighting>> =
        stream::iter(companies).map(read).buffered(AT_ONCE).try_collect().await?;
    Ok(SeenNames { names: ranked(&found), companies: looked_at })
}

async fn sightings(
    table: &Table,
    workspace: &WorkspaceId,
    company: Company,
    now: DateTime<Utc>,
) -> Result<BTreeSet<Sighting>, StoreError> {
    let id = &company.company_id;
    let this_week = IsoWeek::at(now, barometer_domain::Zone::UTC);
    // A zone may be a week ahead of UTC for some hours.
    let weeks = table.weeks(workspace, id, this_week.plus(-WEEKS), this_week.plus(1)).await?;
    if !weeks.is_empty() {
        return Ok(weeks.into_iter().flat_map(|week| week.snapshot.uses.into_keys()).collect());
    }
    let latest = table.latest_activity(workspace, id).await?;
    let users = latest.map(|(_, users)| users).unwrap_or_default();
    Ok(users.into_values().flat_map(|week| week.uses).map(|used| used.sighting).collect())
}

/// The names of each company together, the most widely used first, then by name.
fn ranked(companies: &[BTreeSet<Sighting>]) -> Vec<SeenName> {
    let mut names = BTreeMap::<&str, (BTreeSet<FeatureSource>, BTreeSet<usize>)>::new();
    for (number, sightings) in companies.iter().enumerate() {
        for sighting in sightings {
            let (sources, users) = names.entry(&sighting.name).or_default();
            sources.insert(sighting.source);
            users.insert(number);
        }
    }
    let seen = |(name, (sources, users)): (&str, (BTreeSet<FeatureSource>, BTreeSet<usize>))| SeenName {
        name: name.to_owned(),
        sources,
        companies: users.len(),
    };
    let mut names: Vec<SeenName> = names.into_iter().map(seen).collect();
    names.sort_by(|a, b| b.companies.cmp(&a.companies).then_with(|| a.name.cmp(&b.name)));
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sightings(texts: &[&str]) -> BTreeSet<Sighting> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn names_are_counted_by_company_whatever_their_source() {
        let companies = [sightings(&["fexport", "eexport", "vHome"]), sightings(&["eexport", "eImport"])];
        let names = ranked(&companies);
        let told: Vec<_> = names.iter().map(|seen| (seen.name.as_str(), seen.companies)).collect();
        assert_eq!(told, [("export", 2), ("Home", 1), ("Import", 1)]);
        assert_eq!(names[0].sources, [FeatureSource::Property, FeatureSource::Event].into());
    }
}
