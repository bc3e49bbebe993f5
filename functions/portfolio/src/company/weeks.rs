//! `GET /v1/companies/{company_id}/weeks`: weekly snapshots.

use axum::extract::State;
use barometer_cloud::{
    http::{Json, Problem},
    table::snapshots::Published,
};
use barometer_domain::{
    IsoWeek, Percent, Zone,
    band::Standing,
    component::Components,
    settings::MissingPolicy,
    telemetry::Telemetry,
    week::{Confidence, WeekSnapshot},
};
use chrono::{DateTime, Utc};
use http::Uri;
use serde::{Deserialize, Serialize};

use super::range::range;
use crate::{
    Deps,
    caller::Reader,
    paging::{self, Page},
    params::{CompanyPath, Params},
};

const DEFAULT_WEEKS: u16 = 26;

/// Which revisions of a week are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Revisions {
    /// Only the one that counts.
    Latest,
    /// Also those that it replaced.
    All,
}

/// A weekly snapshot as it was published. What only the scorer needs is left out.
#[derive(Serialize, schemars::JsonSchema)]
#[schemars(rename = "WeekView")]
pub struct Week {
    period: IsoWeek,
    revision: u32,
    published_at: DateTime<Utc>,
    /// Late events still count.
    provisional: bool,
    settings_version: u32,
    missing_policy: MissingPolicy,
    components: Components,
    coverage: Percent,
    score: Option<Percent>,
    shown: Option<u8>,
    band: Standing,
    confidence: Confidence,
    telemetry: Telemetry,
    valid_weeks: u32,
}

impl Week {
    /// A snapshot as it is shown.
    pub fn new(published: Published<WeekSnapshot>, zone: Zone, now: DateTime<Utc>) -> Self {
        let Published { revision, published_at, snapshot } = published;
        Self {
            period: snapshot.period,
            revision,
            published_at,
            provisional: now < snapshot.period.grace_end(zone),
            settings_version: snapshot.settings_version,
            missing_policy: snapshot.missing_policy,
            components: snapshot.components,
            coverage: snapshot.coverage,
            score: snapshot.score,
            shown: snapshot.shown,
            band: snapshot.band,
            confidence: snapshot.confidence,
            telemetry: snapshot.telemetry,
            valid_weeks: snapshot.valid_weeks,
        }
    }

    /// Its place among all revisions of all weeks.
    pub fn key(&self) -> String {
        format!("{}#{:04}", self.period, self.revision)
    }
}

/// Weeks from `from` to `to`, oldest first; the last 26 by default. `revisions=all` lists every revision.
pub async fn weeks(
    State(deps): State<Deps>,
    Reader(caller): Reader,
    CompanyPath(id): CompanyPath,
    uri: Uri,
) -> Result<Json<Page<Week>>, Problem> {
    let params = Params::read(&uri, &["from", "to", "revisions", "limit", "cursor"])?;
    let revisions = params.one_of("revisions")?.unwrap_or(Revisions::Latest);
    let (_, settings) = super::read(&deps.table, &caller.workspace, &id).await?;
    let (now, zone) = (deps.clock.now(), settings.time_zone);
    let (from, to) = range(&params, IsoWeek::at(now, zone), DEFAULT_WEEKS)?;
    let found = match revisions {
        Revisions::Latest => deps.table.weeks(&caller.workspace, &id, from, to).await?,
        Revisions::All => deps.table.weeks_with_revisions(&caller.workspace, &id, from, to).await?,
    };
    let weeks = found.into_iter().map(|published| Week::new(published, zone, now)).collect();
    paging::by_key(weeks, &params, "weeks", false, Week::key).map(Json)
}
