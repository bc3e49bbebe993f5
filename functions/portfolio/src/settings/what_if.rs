//! `POST /v1/settings/what-if`: what a draft of the settings would have changed, before anything is saved.

use std::time::{Duration, Instant};

use axum::extract::State;
use barometer_cloud::{
    StoreError, Table,
    http::{Json, Problem, body::Fields},
    table::companies::Company,
};
use barometer_domain::{
    CompanyId, IsoWeek, WorkspaceId,
    week::WeekSnapshot,
    what_if::{WhatIf, WhatIfResult},
};
use chrono::NaiveDate;
use futures_util::{StreamExt, stream};
use http::Uri;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::{current, draft::Draft};
use crate::{Deps, caller::Reader, params::Params};

const DEFAULT_WEEKS: u8 = 26;
const MAX_WEEKS: u8 = 52;

/// Weeks before the first one whose uses count in its breadth.
const LOOK_BACK_WEEKS: u8 = 3;

/// Most weeks of companies that are read: 1,000 companies of half a year.
const MOST_SNAPSHOTS: usize = 29_000;

/// Companies that are read at the same time.
const AT_ONCE: usize = 16;

/// How long companies are read; the function's time-out is 15 seconds.
const BUDGET: Duration = Duration::from_secs(10);

/// What the draft would have changed, and of how many companies that is known.
#[derive(Serialize, schemars::JsonSchema)]
#[schemars(rename = "WhatIfAnswer")]
pub struct Answer {
    /// The version of the settings that is current.
    settings_version: u32,
    /// Companies of the workspace, those that churned left out.
    companies_total: usize,
    /// Those of them that were looked at; when they are fewer, a sample that depends on nothing but ids and time.
    companies_sampled: usize,
    #[serde(flatten)]
    result: WhatIfResult,
}

/// Scores the latest weeks of all companies again under a [`Draft`], and counts who would have stood elsewhere.
///
/// The body may hold `weeks`, 1 to 52, by default 26. Who may read may ask: nothing is saved, and the answer says
/// nothing that the snapshots don't. Of a large workspace a sample is taken.
pub async fn what_if(
    State(deps): State<Deps>,
    Reader(caller): Reader,
    uri: Uri,
    mut fields: Fields,
) -> Result<Json<Answer>, Problem> {
    let until = Instant::now() + BUDGET;
    Params::read(&uri, &[])?;
    let weeks = weeks(&mut fields);
    let draft = Draft::read(fields)?;
    let (table, workspace) = (&deps.table, &caller.workspace);
    let before = current(table, workspace).await?;
    let settings = draft.upon(&before.settings)?;

    let (now, zone) = (deps.clock.now(), before.settings.time_zone);
    let this_week = IsoWeek::at(now, zone);
    let from = this_week.plus(-i64::from(weeks));
    let first = from.plus(-i64::from(LOOK_BACK_WEEKS));
    let companies = served(table.companies(workspace).await?, zone.date(now));
    let companies_total = companies.len();
    let sample = sample(companies, MOST_SNAPSHOTS / usize::from(weeks + LOOK_BACK_WEEKS));
    let mut what_if = WhatIf::new(&before.settings, &settings, before.version + 1, from);
    let companies_sampled =
        add_all(&mut what_if, table, workspace, sample, [first, this_week], until).await?;
    let result = what_if.finish();
    Ok(Json(Answer { settings_version: before.version, companies_total, companies_sampled, result }))
}

/// Adds companies one after the other while the next ones are read, until all are or time is up. Returns how many.
async fn add_all(
    what_if: &mut WhatIf<'_>,
    table: &Table,
    workspace: &WorkspaceId,
    companies: Vec<CompanyId>,
    [first, last]: [IsoWeek; 2],
    until: Instant,
) -> Result<usize, StoreError> {
    let read = |company| async move {
        let weeks = table.weeks(workspace, &company, first, last).await?;
        let weeks: Vec<WeekSnapshot> = weeks.into_iter().map(|published| published.snapshot).collect();
        Ok::<_, StoreError>((company, weeks))
    };
    let mut histories = stream::iter(companies).map(read).buffered(AT_ONCE);
    let mut added = 0;
    while let Some(history) = histories.next().await {
        let (company, weeks) = history?;
        what_if.add(&company, &weeks);
        added += 1;
        if Instant::now() >= until {
            break;
        }
    }
    Ok(added)
}

fn weeks(fields: &mut Fields) -> u8 {
    if !fields.has("weeks") {
        return DEFAULT_WEEKS;
    }
    let weeks = fields.value("weeks").unwrap_or(DEFAULT_WEEKS);
    if !(1..=MAX_WEEKS).contains(&weeks) {
        fields.refuse("/weeks", format!("a whole number from 1 to {MAX_WEEKS}"));
    }
    weeks
}

/// The companies that weren't lost by `today`.
fn served(companies: Vec<Company>, today: NaiveDate) -> Vec<CompanyId> {
    companies
        .into_iter()
        .filter(|company| company.churned_on.is_none_or(|churned| churned > today))
        .map(|company| company.company_id)
        .collect()
}

/// At most `most` companies, in the order of their hashes: wherever the walk through them ends, those before are a fair
/// sample, and the same ones the next time.
fn sample(mut companies: Vec<CompanyId>, most: usize) -> Vec<CompanyId> {
    companies.sort_by_cached_key(|company| <[u8; 32]>::from(Sha256::digest(company.as_str())));
    companies.truncate(most);
    companies
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_is_the_same_whatever_the_order_and_grows_by_others() {
        let ids = |numbers: &mut dyn Iterator<Item = u32>| -> Vec<CompanyId> {
            numbers.map(|number| CompanyId::new(format!("c-{number}")).unwrap()).collect()
        };
        let few = sample(ids(&mut (0..100)), 10);
        assert_eq!(few.len(), 10);
        assert_eq!(few, sample(ids(&mut (0..100).rev()), 10));
        assert_eq!(few, sample(ids(&mut (0..100)), 20)[..10]);
        assert_ne!(few, ids(&mut (0..10)));
        assert_eq!(sample(ids(&mut (0..100)), 200).len(), 100);
    }
}
