//! `GET /v1/companies/{company_id}/months`: monthly snapshots.

use axum::extract::State;
use barometer_cloud::{
    http::{Json, Problem},
    table::snapshots::Published,
};
use barometer_domain::{IsoWeek, Month, Zone, month::MonthSnapshot};
use chrono::{DateTime, Utc};
use http::Uri;
use serde::Serialize;

use super::range::range;
use crate::{
    Deps,
    caller::Reader,
    paging::{self, Page},
    params::{CompanyPath, Params},
};

const DEFAULT_MONTHS: u16 = 12;

/// A monthly snapshot as it was published, with the weeks that went in.
#[derive(Serialize, schemars::JsonSchema)]
pub struct MonthView {
    revision: u32,
    published_at: DateTime<Utc>,
    /// The month's last week isn't over, or still takes late events.
    provisional: bool,
    #[serde(flatten)]
    snapshot: MonthSnapshot,
}

impl MonthView {
    /// A snapshot as it is shown.
    pub fn new(published: Published<MonthSnapshot>, zone: Zone, now: DateTime<Utc>) -> Self {
        let Published { revision, published_at, snapshot } = published;
        let provisional = now < snapshot.period.last_week().grace_end(zone);
        Self { revision, published_at, provisional, snapshot }
    }
}

/// Months from `from` to `to`, oldest first; the last twelve by default.
pub async fn months(
    State(deps): State<Deps>,
    Reader(caller): Reader,
    CompanyPath(id): CompanyPath,
    uri: Uri,
) -> Result<Json<Page<MonthView>>, Problem> {
    let params = Params::read(&uri, &["from", "to", "limit", "cursor"])?;
    let (_, settings) = super::read(&deps.table, &caller.workspace, &id).await?;
    let (now, zone) = (deps.clock.now(), settings.time_zone);
    // The running week may already belong to the next month.
    let this_month = IsoWeek::at(now, zone).month().max(Month::of(zone.date(now)));
    let (from, to) = range(&params, this_month, DEFAULT_MONTHS)?;
    let found = deps.table.months(&caller.workspace, &id, from, to).await?;
    let months = found.into_iter().map(|published| MonthView::new(published, zone, now)).collect();
    paging::by_key(months, &params, "months", false, |month: &MonthView| month.snapshot.period.to_string())
        .map(Json)
}
