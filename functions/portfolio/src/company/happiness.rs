//! `GET /v1/companies/{company_id}/happiness`: what its users say, now and week by week.

use axum::extract::State;
use barometer_cloud::{
    StoreError, Table,
    happiness::{self, compute},
    http::{Json, Problem},
    table::{answers::Answer, asks::Ask, members::Member},
};
use barometer_domain::{
    CompanyId, IsoWeek, Settings, WorkspaceId, happiness::Happiness, happiness_change::HappinessChange,
};
use chrono::{DateTime, TimeDelta, Utc};
use http::Uri;
use serde::Serialize;

use super::range::range;
use crate::{
    Deps,
    caller::Reader,
    paging::{self, Page},
    params::{CompanyPath, Params, wrong},
};

const DEFAULT_WEEKS: u16 = 12;

/// Most weeks of a trend: each is computed from the answers.
const MAX_WEEKS: i64 = 200;

/// The reading as it stands and its trend, oldest first.
#[derive(Serialize, schemars::JsonSchema)]
#[schemars(rename = "HappinessTrend")]
pub struct Trend {
    current: Happiness,
    change: Change,
    #[serde(flatten)]
    trend: Page<Point>,
}

/// Why the current reading isn't that of one cadence ago.
#[derive(Serialize, schemars::JsonSchema)]
#[schemars(rename = "HappinessReason")]
struct Change {
    since: DateTime<Utc>,
    #[serde(flatten)]
    change: HappinessChange,
    sentence: String,
}

/// The reading as of a week's end, or as of now in the running week.
#[derive(Serialize, schemars::JsonSchema)]
#[schemars(rename = "HappinessPoint")]
struct Point {
    week: IsoWeek,
    as_of: DateTime<Utc>,
    #[serde(flatten)]
    happiness: Happiness,
}

/// The current reading and that of every week from `from` to `to`; the last twelve weeks by default.
pub async fn happiness(
    State(deps): State<Deps>,
    Reader(caller): Reader,
    CompanyPath(id): CompanyPath,
    uri: Uri,
) -> Result<Json<Trend>, Problem> {
    let params = Params::read(&uri, &["from", "to", "limit", "cursor"])?;
    let (table, workspace) = (&deps.table, &caller.workspace);
    let (_, settings) = super::read(table, workspace, &id).await?;
    let (now, zone) = (deps.clock.now(), settings.time_zone);
    let this_week = IsoWeek::at(now, zone);
    let (from, to) = range(&params, this_week, DEFAULT_WEEKS)?;
    // Nothing is known of weeks to come.
    let weeks = to.min(this_week).since(from) + 1;
    if weeks > MAX_WEEKS {
        return Err(wrong("from", format!("a trend has at most {MAX_WEEKS} weeks")));
    }
    let then = now - settings.cadence_days.duration();
    let since = from.start(zone).min(then) - settings.answer_age();
    let known = Known::read(table, workspace, &id, [since, now]).await?;
    let point = |ahead| {
        let week = from.plus(ahead);
        // The instant after belongs to the next week.
        let as_of = (week.end(zone) - TimeDelta::microseconds(1)).min(now);
        Point { week, as_of, happiness: known.at(as_of, &settings) }
    };
    let points = (0..weeks).map(point).collect();
    let trend = paging::by_key(points, &params, "happiness", false, |point: &Point| point.week.to_string())?;
    let change = happiness::changed(&known.answers, &known.members, &settings, (then, now));
    let change = Change { since: then, sentence: change.sentence(), change };
    Ok(Json(Trend { current: known.at(now, &settings), change, trend }))
}

/// What the readings follow from.
pub struct Known {
    /// The answers, oldest first.
    pub answers: Vec<Answer>,
    /// The users.
    pub members: Vec<Member>,
    /// The mails that asked.
    pub asks: Vec<Ask>,
}

impl Known {
    /// Reads the users of a company, all that asked them and what they answered from one instant to another.
    pub async fn read(
        table: &Table,
        workspace: &WorkspaceId,
        company: &CompanyId,
        [from, to]: [DateTime<Utc>; 2],
    ) -> Result<Self, StoreError> {
        let (answers, members, asks) = tokio::join!(
            table.answers(workspace, company, from, to),
            table.members(workspace, company),
            table.asks(workspace, company)
        );
        Ok(Self { answers: answers?, members: members?, asks: asks? })
    }

    /// The reading as it would have been computed at an instant: what came later is left out.
    pub fn at(&self, at: DateTime<Utc>, settings: &Settings) -> Happiness {
        let answers: Vec<Answer> = self.answers.iter().filter(|answer| answer.at <= at).cloned().collect();
        let asks: Vec<Ask> = self
            .asks
            .iter()
            .filter(|ask| ask.accepted_at.is_some_and(|accepted| accepted <= at))
            .map(|ask| Ask { answered_at: ask.answered_at.filter(|answered| *answered <= at), ..ask.clone() })
            .collect();
        compute(&answers, &self.members, &asks, settings, at)
    }
}
