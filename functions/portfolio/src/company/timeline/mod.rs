//! `GET /v1/companies/{company_id}/timeline`: what happened with a company, the newest first.
//!
//! Activity comes as one entry a day: the log of single events is kept for the whole workspace and for three months only,
//! while the activity that scores are made of lies with the company. Four weeks are read at a time, and at most a year
//! for one page; a page of a quiet company may hold fewer than `limit` and still have a next one.

mod entry;
mod gather;

use axum::extract::State;
use barometer_cloud::{
    http::{Json, Problem},
    table::instant_key,
};
use barometer_domain::IsoWeek;
use chrono::{DateTime, TimeDelta, Utc};
use http::Uri;
use serde::{Deserialize, de::IntoDeserializer};

pub use entry::{Entry, Kind};
use gather::Gather;

use crate::{
    Deps,
    caller::Reader,
    paging::{self, Page},
    params::{CompanyPath, Params, wrong},
};

/// Entries of a page when the caller says nothing.
const LIMIT: usize = 50;
/// What a cursor belongs to.
const ORDER: &str = "timeline";
/// Weeks that are read at a time.
const STEP_WEEKS: i64 = 4;
/// Steps of one request.
const STEPS: i64 = 13;

/// What happened with a company, the newest first. Parameters: `from` and `to` (instants or days in UTC), `kind` (one or
/// several, with commas between), `limit`, `cursor`.
pub async fn timeline(
    State(deps): State<Deps>,
    Reader(caller): Reader,
    CompanyPath(id): CompanyPath,
    uri: Uri,
) -> Result<Json<Page<Entry>>, Problem> {
    let params = Params::read(&uri, &["from", "to", "kind", "limit", "cursor"])?;
    let kinds = kinds(&params)?;
    let limit = paging::limit(&params, LIMIT)?;
    let now = deps.clock.now();
    // What happens in this very instant belongs to it.
    let to = params.instant("to", true)?.unwrap_or(now + TimeDelta::seconds(1));
    let from = params.instant("from", false)?.unwrap_or(DateTime::UNIX_EPOCH);
    if from > to {
        return Err(wrong("from", "lies after to".to_owned()));
    }
    let behind: Option<String> = paging::position(&params, ORDER)?;
    let (company, settings) = super::read(&deps.table, &caller.workspace, &id).await?;
    let zone = settings.time_zone;
    let newest = behind.as_deref().and_then(reached).map_or(to, |reached| reached.min(to)).min(now + AHEAD);

    let mut last = IsoWeek::at(newest, zone);
    let oldest = last.plus(-STEP_WEEKS * STEPS).start(zone);
    let gather =
        Gather::read(&deps.table, &caller.workspace, &company, &settings, &kinds, [oldest, newest], now)
            .await?;
    let begins = gather.begins().await?.max(from);
    let wanted = |entry: &Entry| {
        (from..to).contains(&entry.at) && behind.as_ref().is_none_or(|behind| entry.key() < *behind)
    };
    let mut items = Vec::new();
    for _ in 0..STEPS {
        let first = last.plus(1 - STEP_WEEKS);
        let mut found = gather.step(first, last).await?;
        found.retain(wanted);
        found.sort_by_cached_key(|entry| std::cmp::Reverse(entry.key()));
        items.extend(found);
        if items.len() > limit {
            return paging::page(items, limit, ORDER, Entry::key).map(Json);
        }
        if first.start(zone) <= begins {
            return Ok(Json(Page { items, next_cursor: None }));
        }
        last = first.previous();
    }
    let next_cursor = Some(paging::cursor(ORDER, instant_key(last.end(zone)))?);
    Ok(Json(Page { items, next_cursor }))
}

/// How far ahead of now anything can lie: clocks of clients that run fast.
const AHEAD: TimeDelta = TimeDelta::days(7);

/// The instant of a position.
fn reached(position: &str) -> Option<DateTime<Utc>> {
    position.split('#').next()?.parse().ok()
}

/// The kinds that are wanted; all unless some are named.
fn kinds(params: &Params) -> Result<Vec<Kind>, Problem> {
    let Some(text) = params.text("kind") else { return Ok(Kind::ALL.to_vec()) };
    let read = |name: &str| {
        Kind::deserialize(name.trim().into_deserializer())
            .map_err(|error: serde::de::value::Error| wrong("kind", error.to_string()))
    };
    text.split(',').map(read).collect()
}
