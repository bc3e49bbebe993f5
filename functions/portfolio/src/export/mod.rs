//! `GET /v1/export`: everything that is kept of the workspace, one JSON object a line.
//!
//! ```json
//! {"kind": "answer", "company_id": "acme", "data": {"id": "…", "rating": 3, …}}
//! ```
//!
//! `data` is what the API answers for such a thing elsewhere. First comes what belongs to the workspace, then one company
//! after the other, the audit last. A part that passes [`LARGEST`] or takes long ends, and `Link: <…>; rel="next"` leads
//! to the rest. People work meanwhile: what is written behind the place that is reached comes along, what is written
//! before it doesn't.
//!
//! Not in it: secrets, the packed log of requests (its activity is here, user by user and week by week), and what only
//! passes through (outbox, answers to `Idempotency-Key`).

mod read;

use std::time::{Duration, Instant};

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use barometer_cloud::{
    StoreError,
    http::{Problem, auth::Caller},
    table::companies::Company,
};
use barometer_domain::{CompanyId, Settings};
use chrono::{DateTime, Utc};
use http::{HeaderValue, Uri, header};
use serde::{Deserialize, Serialize};

use crate::{
    Deps,
    caller::Admin,
    link::{LARGEST, linked},
    paging,
    params::Params,
    settings,
};

/// What a cursor belongs to.
const ORDER: &str = "export";

/// How long is read for one part; the function's time-out is 15 seconds.
const BUDGET: Duration = Duration::from_secs(8);

/// What is exported, in this order.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
enum Unit {
    Settings,
    Sources,
    Webhooks,
    Tokens,
    Members,
    Overviews,
    WorkspaceAlerts,
    /// From here to [`Unit::Activity`]: once for every company.
    Company,
    Users,
    Statuses,
    Answers,
    Mails,
    Alerts,
    Tasks,
    Disagreements,
    Weeks,
    Months,
    Actions,
    Activity,
    Audit,
}

impl Unit {
    const ALL: [Self; 20] = [
        Self::Settings,
        Self::Sources,
        Self::Webhooks,
        Self::Tokens,
        Self::Members,
        Self::Overviews,
        Self::WorkspaceAlerts,
        Self::Company,
        Self::Users,
        Self::Statuses,
        Self::Answers,
        Self::Mails,
        Self::Alerts,
        Self::Tasks,
        Self::Disagreements,
        Self::Weeks,
        Self::Months,
        Self::Actions,
        Self::Activity,
        Self::Audit,
    ];

    fn next(self) -> Option<Self> {
        Self::ALL.into_iter().find(|unit| *unit > self)
    }

    fn is_of_companies(self) -> bool {
        (Self::Company..=Self::Activity).contains(&self)
    }
}

/// Where an export is.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
struct Place {
    unit: Unit,
    /// The company whose units these are; nothing before the first one.
    company: Option<CompanyId>,
    /// The last line of the unit that was written.
    after: Option<String>,
}

/// A line.
#[derive(Serialize, schemars::JsonSchema)]
struct Line<'a, T> {
    kind: &'a str,
    company_id: Option<&'a CompanyId>,
    data: T,
}

/// Some lines of a unit.
#[derive(Default)]
struct Lines {
    /// Each with its place in the unit, in the order of the places.
    lines: Vec<(String, String)>,
    /// Whether there are more behind them.
    more: bool,
}

/// What is exported, and for whom.
struct Export<'a> {
    deps: &'a Deps,
    caller: &'a Caller,
    settings: Settings,
    now: DateTime<Utc>,
    company: Option<Company>,
}

/// The whole workspace, from `cursor` on.
pub async fn export(State(deps): State<Deps>, Admin(caller): Admin, uri: Uri) -> Result<Response, Problem> {
    let until = Instant::now() + BUDGET;
    let params = Params::read(&uri, &["cursor"])?;
    let beginning = Place { unit: Unit::Settings, company: None, after: None };
    let place = paging::position(&params, ORDER)?.unwrap_or(beginning);
    let settings = settings::current(&deps.table, &caller.workspace).await?.settings;
    let now = deps.clock.now();
    let (file, rest) =
        Export { deps: &deps, caller: &caller, settings, now, company: None }.write(place, until).await?;
    let next = match rest {
        Some(place) => Some(format!("{}?cursor={}", uri.path(), paging::cursor(ORDER, place)?)),
        None => None,
    };
    let kind = (header::CONTENT_TYPE, HeaderValue::from_static("application/x-ndjson"));
    Ok(linked(([kind], file).into_response(), next))
}

impl Export<'_> {
    /// A part from a place on, and where the rest begins.
    async fn write(mut self, mut place: Place, until: Instant) -> Result<(String, Option<Place>), Problem> {
        let mut file = String::new();
        loop {
            let lines = self.lines(&place).await?;
            for (key, line) in lines.lines {
                file.push_str(&line);
                file.push('\n');
                place.after = Some(key);
                if file.len() >= LARGEST {
                    return Ok((file, Some(place)));
                }
            }
            if !lines.more {
                match self.behind(place).await? {
                    Some(next) => place = next,
                    None => return Ok((file, None)),
                }
            }
            if Instant::now() >= until {
                return Ok((file, Some(place)));
            }
        }
    }

    /// Some lines of the unit at a place.
    async fn lines(&mut self, place: &Place) -> Result<Lines, Problem> {
        let after = place.after.as_deref();
        if !place.unit.is_of_companies() {
            return self.of_workspace(place.unit, after).await;
        }
        let Some(id) = &place.company else { return Ok(Lines::default()) };
        if self.company.as_ref().is_none_or(|known| known.company_id != *id) {
            self.company = self.deps.table.company(&self.caller.workspace, id).await?;
        }
        match &self.company {
            Some(company) => self.of_company(company, place.unit, after).await,
            None => Ok(Lines::default()),
        }
    }

    /// The unit that comes behind one: the company's next, the next company's first, or what comes behind the companies.
    async fn behind(&mut self, place: Place) -> Result<Option<Place>, StoreError> {
        let Some(next) = place.unit.next() else { return Ok(None) };
        let of_company = place.unit.is_of_companies() && next.is_of_companies() && place.company.is_some();
        if of_company || !(place.unit.is_of_companies() || next.is_of_companies()) {
            return Ok(Some(Place { unit: next, company: place.company, after: None }));
        }
        let found = self.deps.table.companies_after(&self.caller.workspace, place.company.as_ref()).await?;
        Ok(Some(match found.into_iter().next() {
            Some(company) => {
                let place =
                    Place { unit: Unit::Company, company: Some(company.company_id.clone()), after: None };
                self.company = Some(company);
                place
            }
            None => Place { unit: Unit::Audit, company: None, after: None },
        }))
    }
}
