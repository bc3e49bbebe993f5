//! Which companies a CSM asked for. All filters that are given must fit.

use barometer_domain::{band::Standing, quadrant::Cell, status::Status};
use chrono::NaiveDate;
use serde::{
    Deserialize, Serialize,
    de::{IntoDeserializer, value::Error},
};

use super::{churned, concern::RENEWAL_DAYS};
use crate::views::CompanyView;

/// What a company can be marked with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Flag {
    /// Asked at least twice, and nobody answered in 90 days.
    Silent,
    /// The business status is past its review-by.
    Stale,
    /// Business status and engagement are two or more bands apart.
    Disagreement,
    /// The latest week still takes late events.
    Provisional,
    /// New, or not scored yet.
    Onboarding,
    /// Lost.
    Churned,
    /// There is something to do.
    Tasks,
    /// An alert isn't resolved.
    Alerts,
    /// The contract renews within 60 days.
    Renewal,
}

/// A business status, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WantedStatus {
    /// Growing and benefiting.
    Thriving,
    /// Doing well.
    Healthy,
    /// Neither better nor worse.
    Steady,
    /// In trouble.
    Struggling,
    /// Nobody has set it.
    NotSet,
}

impl WantedStatus {
    fn of(company: &CompanyView) -> Self {
        match company.business_status.as_ref().map(|set| set.status.value) {
            Some(Status::Thriving) => Self::Thriving,
            Some(Status::Healthy) => Self::Healthy,
            Some(Status::Steady) => Self::Steady,
            Some(Status::Struggling) => Self::Struggling,
            None => Self::NotSet,
        }
    }
}

/// A band of engagement, or why there is none.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum WantedEngagement {
    /// The best band.
    Thriving,
    /// The second.
    Healthy,
    /// The third.
    Steady,
    /// The worst.
    AtRisk,
    /// Too new for a band.
    Onboarding,
    /// Less than half of the weight is known.
    Insufficient,
    /// No week was scored yet.
    None,
}

impl WantedEngagement {
    /// Where a company stands.
    pub fn of(company: &CompanyView) -> Self {
        match company.engagement.as_ref().map(|engagement| engagement.band) {
            Some(Standing::Thriving) => Self::Thriving,
            Some(Standing::Healthy) => Self::Healthy,
            Some(Standing::Steady) => Self::Steady,
            Some(Standing::AtRisk) => Self::AtRisk,
            Some(Standing::Onboarding) => Self::Onboarding,
            Some(Standing::Insufficient) => Self::Insufficient,
            None => Self::None,
        }
    }
}

/// A filter. Without any narrowing it finds all that weren't lost. Churned companies are left out unless they are asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    text: Option<String>,
    owner: Option<String>,
    status: Option<WantedStatus>,
    engagement: Option<WantedEngagement>,
    quadrant: Option<Cell>,
    flag: Option<Flag>,
    tag: Option<String>,
    lost_too: bool,
}

impl Filter {
    /// Finds all companies, lost ones among them.
    pub fn everything() -> Self {
        Self { lost_too: true, ..Self::default() }
    }

    /// What one can filter by: words of name, id, owner or plan; the owner; the business status; the band of
    /// engagement; the cell of the quadrant; a mark; a tag.
    pub const PARAMETERS: [&'static str; 7] =
        ["q", "owner", "status", "engagement", "quadrant", "flag", "tag"];

    /// Narrows by one of the parameters; other names narrow nothing. Errors: what is wrong with the value.
    pub fn narrow(&mut self, name: &str, value: &str) -> Result<(), String> {
        match name {
            "q" => self.text = Some(value.to_lowercase()),
            "owner" => self.owner = Some(value.to_lowercase()),
            "status" => self.status = Some(one_of(value)?),
            "engagement" => self.engagement = Some(one_of(value)?),
            "quadrant" => self.quadrant = Some(one_of(value)?),
            "flag" => self.flag = Some(one_of(value)?),
            "tag" => self.tag = Some(value.to_owned()),
            _ => {}
        }
        Ok(())
    }

    /// Whether a company fits.
    pub fn fits(&self, company: &CompanyView, today: NaiveDate) -> bool {
        let churned = churned(company, today);
        let flag = |flag| match flag {
            Flag::Silent => company.happiness.silent,
            Flag::Stale => company.business_status.as_ref().is_some_and(|status| status.stale),
            Flag::Disagreement => company.disagreement,
            Flag::Provisional => company.engagement.as_ref().is_some_and(|week| week.provisional),
            Flag::Onboarding => {
                matches!(WantedEngagement::of(company), WantedEngagement::Onboarding | WantedEngagement::None)
            }
            Flag::Churned => churned,
            Flag::Tasks => company.open_tasks > 0,
            Flag::Alerts => company.open_alerts > 0,
            Flag::Renewal => {
                company.renewal_on.is_some_and(|on| (0..=RENEWAL_DAYS).contains(&(on - today).num_days()))
            }
        };
        let owner = |owner: &String| company.owner.as_ref().is_some_and(|of| of.to_lowercase() == *owner);
        (self.lost_too || churned == (self.flag == Some(Flag::Churned)))
            && self.text.as_ref().is_none_or(|words| says(company, words))
            && self.owner.as_ref().is_none_or(owner)
            && self.status.is_none_or(|status| WantedStatus::of(company) == status)
            && self.engagement.is_none_or(|band| WantedEngagement::of(company) == band)
            && self.quadrant.is_none_or(|cell| company.quadrant == cell)
            && self.flag.is_none_or(flag)
            && self.tag.as_ref().is_none_or(|tag| company.tags.contains(tag))
    }
}

/// Whether every word stands somewhere in a company's name, id, owner or plan.
fn says(company: &CompanyView, words: &str) -> bool {
    let text = [
        Some(company.name.as_str()),
        Some(company.company_id.as_str()),
        company.owner.as_deref(),
        company.plan.as_deref(),
    ];
    let text = text.into_iter().flatten().collect::<Vec<_>>().join("\n").to_lowercase();
    words.split_whitespace().all(|word| text.contains(word))
}

fn one_of<'a, T: Deserialize<'a>>(value: &'a str) -> Result<T, String> {
    T::deserialize(value.into_deserializer()).map_err(|error: Error| error.to_string())
}
