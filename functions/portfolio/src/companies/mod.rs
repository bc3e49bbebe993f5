//! The portfolio: all companies of a workspace, filtered and sorted.
//!
//! A workspace's companies are one query, and sorting by what follows from an instant (stale, attention) needs
//! all of them, so a page is cut in memory.

mod csv;
mod filter;
pub mod list;
mod sort;

pub use filter::Flag;
pub use sort::names as sort_names;

use barometer_cloud::{
    Table,
    http::Problem,
    views::{self, CompanyView},
};
use barometer_domain::{Settings, WorkspaceId};
use chrono::{DateTime, NaiveDate, Utc};

use crate::settings;

/// All companies of a workspace at an instant.
pub struct Portfolio {
    /// The companies, those that churned among them, in the order of their ids.
    pub companies: Vec<CompanyView>,
    /// Today in the workspace's zone.
    pub today: NaiveDate,
}

impl Portfolio {
    /// Reads a workspace's companies.
    pub async fn read(table: &Table, workspace: &WorkspaceId, now: DateTime<Utc>) -> Result<Self, Problem> {
        let (companies, settings) =
            tokio::join!(table.companies(workspace), settings::current(table, workspace));
        let settings: Settings = settings?.settings;
        let companies = companies?.iter().map(|company| views::company(company, &settings, now)).collect();
        Ok(Self { companies, today: settings.time_zone.date(now) })
    }
}

/// Whether a company was lost by `today`. One that will be lost on a day to come still needs its CSM.
pub fn churned(company: &CompanyView, today: NaiveDate) -> bool {
    company.churned_on.is_some_and(|churned| churned <= today)
}
