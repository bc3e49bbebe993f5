//! Which companies a CSM asked for. All filters that are given must fit.

use barometer_cloud::{http::Problem, views::CompanyView};
use barometer_domain::{band::Standing, quadrant::Cell, status::Status};
use chrono::NaiveDate;
use serde::Deserialize;

use super::churned;
use crate::params::Params;

/// Names of the parameters that filter.
pub const PARAMETERS: [&str; 7] = ["q", "owner", "status", "engagement", "quadrant", "flag", "tag"];

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
}

/// A filter. Churned companies are left out unless they are asked for.
#[derive(Debug, Default)]
pub struct Filter {
    text: Option<String>,
    owner: Option<String>,
    status: Option<Status>,
    engagement: Option<Standing>,
    quadrant: Option<Cell>,
    flag: Option<Flag>,
    tag: Option<String>,
}

impl Filter {
    /// Reads the filter of a request. Errors: 400 for a value that there isn't.
    pub fn read(params: &Params) -> Result<Self, Problem> {
        Ok(Self {
            text: params.text("q").map(str::to_lowercase),
            owner: params.text("owner").map(str::to_lowercase),
            status: params.one_of("status")?,
            engagement: params.one_of("engagement")?,
            quadrant: params.one_of("quadrant")?,
            flag: params.one_of("flag")?,
            tag: params.text("tag").map(str::to_owned),
        })
    }

    /// Whether a company fits.
    pub fn fits(&self, company: &CompanyView, today: NaiveDate) -> bool {
        let churned = churned(company, today);
        let text = |text: &String| {
            company.name.to_lowercase().contains(text)
                || company.company_id.as_str().to_lowercase().contains(text)
        };
        let owner = |owner: &String| company.owner.as_ref().is_some_and(|of| of.to_lowercase() == *owner);
        let status =
            |status| company.business_status.as_ref().is_some_and(|view| view.status.value == status);
        let standing = company.engagement.as_ref().map(|engagement| engagement.band);
        let flag = |flag| match flag {
            Flag::Silent => company.happiness.silent,
            Flag::Stale => company.business_status.as_ref().is_some_and(|status| status.stale),
            Flag::Disagreement => company.disagreement,
            Flag::Provisional => company.engagement.as_ref().is_some_and(|week| week.provisional),
            Flag::Onboarding => standing.is_none_or(|standing| standing == Standing::Onboarding),
            Flag::Churned => churned,
        };
        churned == (self.flag == Some(Flag::Churned))
            && self.text.as_ref().is_none_or(text)
            && self.owner.as_ref().is_none_or(owner)
            && self.status.is_none_or(status)
            && self.engagement.is_none_or(|band| standing == Some(band))
            && self.quadrant.is_none_or(|cell| company.quadrant == cell)
            && self.flag.is_none_or(flag)
            && self.tag.as_ref().is_none_or(|tag| company.tags.contains(tag))
    }
}
