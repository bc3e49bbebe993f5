//! Overviews: where all companies of a workspace stood when a run was complete. What was published stays.

use barometer_domain::{
    CompanyId, IsoWeek, Month, WorkspaceId,
    band::Bands,
    overview::{self, Overview, Shard},
    tally::Scored,
};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{
    StoreError, Table,
    companies::Company,
    item,
    runs::{Pass, RunKey},
};

/// The overview of a period as it was published.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Published {
    /// When it was published.
    pub published_at: DateTime<Utc>,
    /// The version of the settings that the run used.
    pub settings_version: u32,
    /// The overview.
    pub overview: Overview,
}

/// A published overview as it is kept: as one JSON text, because it is always read and written whole.
#[derive(Serialize, Deserialize)]
struct Stored {
    published_at: DateTime<Utc>,
    settings_version: u32,
    body: String,
}

/// Of which period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Period {
    /// A week.
    Week(IsoWeek),
    /// A month.
    Month(Month),
}

impl Period {
    fn prefix(self) -> String {
        match self {
            Self::Week(week) => format!("week#{week}#"),
            Self::Month(month) => format!("month#{month}#"),
        }
    }
}

/// The last of a prefix's keys is the latest: a second scoring sorts behind a first, and a month of more weeks behind
/// one of fewer.
fn sort_key(key: RunKey) -> String {
    match key {
        RunKey::Week(week, Pass::First) => format!("week#{week}#1"),
        RunKey::Week(week, Pass::Final) => format!("week#{week}#2"),
        RunKey::Month(..) => key.to_string(),
    }
}

fn partition(workspace: &WorkspaceId) -> String {
    format!("{workspace}#overviews")
}

/// A company's part of a period's overview; nothing when its row says nothing of the period.
fn part(company: Company, period: Period) -> Option<overview::Company> {
    let parent = company.parent();
    let (current, revision, previous) = match period {
        Period::Week(week) => {
            let of = company.engagement.filter(|engagement| engagement.week == week)?;
            (Scored { band: of.band, score: of.score }, of.revision, of.previous)
        }
        Period::Month(month) => {
            let of = company.month.filter(|score| score.month == month)?;
            (Scored { band: of.band, score: of.score }, of.revision, of.previous)
        }
    };
    Some(overview::Company {
        company_id: company.company_id,
        owner: company.owner,
        plan: company.plan,
        traits: company.traits,
        parent,
        current,
        revision,
        previous,
    })
}

impl Table {
    /// Counts where all companies stand in the period of a run that is complete, and publishes it. The rows are read
    /// in pages, so what is held doesn't grow with their number.
    pub async fn publish_overview(
        &self,
        workspace: &WorkspaceId,
        key: RunKey,
        bands: Bands,
        settings_version: u32,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let period = match key {
            RunKey::Week(week, _) => Period::Week(week),
            RunKey::Month(month, _, _) => Period::Month(month),
        };
        let mut shard = Shard::default();
        let mut after: Option<CompanyId> = None;
        loop {
            let rows = self.companies_after(workspace, after.as_ref()).await?;
            let Some(last) = rows.last() else { break };
            after = Some(last.company_id.clone());
            rows.into_iter().filter_map(|row| part(row, period)).for_each(|company| shard.add(&company));
        }
        let body = serde_json::to_string(&shard.overview(bands))?;
        let stored = Stored { published_at: now, settings_version, body };
        self.put(item::write(partition(workspace), sort_key(key), &stored)?, false).await
    }

    /// All overviews that were published, in the order of their keys: key, period, overview.
    pub async fn overviews(
        &self,
        workspace: &WorkspaceId,
    ) -> Result<Vec<(String, String, Published)>, StoreError> {
        let found = self.query(partition(workspace), super::Range::All, false).await?;
        found
            .into_iter()
            .map(|found| {
                let key = item::get_text(&found, "sk")?.to_owned();
                let (period, published) = read(found)?;
                Ok((key, period, published))
            })
            .collect()
    }

    /// The latest overview of a period; with nothing said, that of the latest week.
    pub async fn overview(
        &self,
        workspace: &WorkspaceId,
        period: Option<Period>,
    ) -> Result<Option<(String, Published)>, StoreError> {
        let prefix = period.map_or_else(|| "week#".to_owned(), Period::prefix);
        let found = self.first(partition(workspace), prefix, false, 1).await?;
        found.into_iter().next().map(read).transpose()
    }
}

/// The name of the period and its overview.
fn read(found: super::Item) -> Result<(String, Published), StoreError> {
    let name = item::get_text(&found, "sk")?.split('#').nth(1).unwrap_or_default().to_owned();
    let Stored { published_at, settings_version, body } = item::read(found)?;
    Ok((name, Published { published_at, settings_version, overview: serde_json::from_str(&body)? }))
}
