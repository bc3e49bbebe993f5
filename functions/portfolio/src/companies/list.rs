//! `GET /v1/companies` and `/v1/companies.csv`: the portfolio.

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use barometer_cloud::{
    http::{Json, Problem},
    listing::{Filter, Sort},
    portfolio::{Begin, Portfolio, Wanted},
    views::CompanyView,
};
use http::{HeaderMap, HeaderValue, Uri, header};

use super::csv;
use crate::{
    Deps, accept,
    caller::Reader,
    paging::{self, Page},
    params::{Params, wrong},
    settings,
};

const DEFAULT_LIMIT: usize = 50;

/// A page of companies as JSON or, when the client prefers `text/csv`, all of them as CSV.
pub async fn list(
    State(deps): State<Deps>,
    Reader(caller): Reader,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let request = Request::read(&uri)?;
    let settings = settings::current(&deps.table, &caller.workspace).await?.settings;
    let portfolio = Portfolio::open(&deps.table, &caller.workspace, &settings, deps.clock.now()).await?;
    let mut response = if accept::prefers(&headers, "text/csv") {
        csv::answer(&request.all(&portfolio).await?)
    } else {
        Json(request.page(&portfolio).await?).into_response()
    };
    response.headers_mut().insert(header::VARY, HeaderValue::from_static("Accept"));
    Ok(response)
}

/// All companies of the filter as CSV. `limit` and `cursor` mean nothing here.
pub async fn csv(State(deps): State<Deps>, Reader(caller): Reader, uri: Uri) -> Result<Response, Problem> {
    let request = Request::read(&uri)?;
    let settings = settings::current(&deps.table, &caller.workspace).await?.settings;
    let portfolio = Portfolio::open(&deps.table, &caller.workspace, &settings, deps.clock.now()).await?;
    Ok(csv::answer(&request.all(&portfolio).await?))
}

/// What was asked for.
struct Request {
    filter: Filter,
    sort: Sort,
    limit: usize,
    begin: Begin,
}

impl Request {
    fn read(uri: &Uri) -> Result<Self, Problem> {
        let known: Vec<&str> = ["sort", "limit", "cursor"].into_iter().chain(Filter::PARAMETERS).collect();
        let params = Params::read(uri, &known)?;
        let sort = params.text("sort").map(|text| Sort::parse(text).map_err(|detail| wrong("sort", detail)));
        let sort = sort.transpose()?.unwrap_or_default();
        let mut filter = Filter::default();
        for name in Filter::PARAMETERS {
            let narrowed = params.text(name).map_or(Ok(()), |value| filter.narrow(name, value));
            narrowed.map_err(|detail| wrong(name, detail))?;
        }
        Ok(Self {
            filter,
            limit: paging::limit(&params, DEFAULT_LIMIT)?,
            begin: paging::position(&params, &sort.name())?.map_or(Begin::First, Begin::Behind),
            sort,
        })
    }

    /// All companies that fit, in order.
    async fn all(self, portfolio: &Portfolio<'_>) -> Result<Vec<CompanyView>, Problem> {
        Ok(portfolio.all(self.filter, self.sort).await?)
    }

    /// The companies behind the cursor, up to the limit.
    async fn page(self, portfolio: &Portfolio<'_>) -> Result<Page<CompanyView>, Problem> {
        let Self { filter, sort, limit, begin } = self;
        let found = portfolio.list(&Wanted { filter, sort, begin, limit, count: false }).await?;
        let next_cursor = match found.companies.last() {
            Some(last) if found.more => Some(paging::cursor(&sort.name(), &last.position)?),
            _ => None,
        };
        let items = found.companies.into_iter().map(|placed| placed.company).collect();
        Ok(Page { items, next_cursor })
    }
}
