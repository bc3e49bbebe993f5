//! `GET /v1/overview`: where all companies stand in a week or a month, what moved, and by group.

use axum::extract::State;
use barometer_cloud::{
    http::{Json, Problem},
    table::overviews::{Period, Published},
};
use barometer_domain::{IsoWeek, Month};
use http::Uri;
use serde::Serialize;

use crate::{
    Deps,
    caller::Reader,
    params::{Params, wrong},
};

/// An overview with the period that it is of.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub struct OverviewView {
    period: String,
    #[serde(flatten)]
    published: Published,
}

impl OverviewView {
    /// The overview of a period.
    pub fn new(period: String, published: Published) -> Self {
        Self { period, published }
    }
}

/// The overview of `week` or of `month`, as published last; of the latest week without either. Errors: 404 when the
/// period wasn't scored.
pub async fn overview(
    State(deps): State<Deps>,
    Reader(caller): Reader,
    uri: Uri,
) -> Result<Json<OverviewView>, Problem> {
    let params = Params::read(&uri, &["week", "month"])?;
    let period = match (params.parse::<IsoWeek>("week")?, params.parse::<Month>("month")?) {
        (Some(_), Some(_)) => return Err(wrong("month", "either a week or a month".to_owned())),
        (week, month) => week.map(Period::Week).or(month.map(Period::Month)),
    };
    let found = deps.table.overview(&caller.workspace, period).await?;
    let (period, published) =
        found.ok_or_else(|| Problem::not_found("this week or month wasn't scored for all companies yet"))?;
    Ok(Json(OverviewView::new(period, published)))
}
