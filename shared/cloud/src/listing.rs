//! Which companies a list shows, and in which order: the same for the API, its CSV and the page.

mod concern;
mod filter;
mod sort;
mod summary;

pub use concern::{Concern, Review, calls, concerns};
pub use filter::{Filter, Flag, WantedEngagement, WantedStatus};
pub use sort::{Position, Sort};
pub use summary::{Counted, Summary};

use chrono::NaiveDate;

use crate::views::CompanyView;

/// Whether a company was lost by `today`. One that will be lost on a day to come still needs its CSM.
pub fn churned(company: &CompanyView, today: NaiveDate) -> bool {
    company.churned_on.is_some_and(|churned| churned <= today)
}
