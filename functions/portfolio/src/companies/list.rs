//! `GET /v1/companies` and `/v1/companies.csv`: the portfolio.

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use barometer_cloud::{
    http::{Json, Problem},
    listing::{Filter, Position, Sort},
    views::CompanyView,
};
use http::{HeaderMap, HeaderValue, Uri, header};

use super::{Portfolio, csv};
use crate::{
    Deps, accept,
    caller::Reader,
    paging::{self, Page},
    params::{Params, wrong},
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
    let portfolio = Portfolio::read(&deps.table, &caller.workspace, deps.clock.now()).await?;
    let mut response = if accept::prefers(&headers, "text/csv") {
        csv::answer(&request.sorted(portfolio))
    } else {
        Json(request.page(portfolio)?).into_response()
    };
    response.headers_mut().insert(header::VARY, HeaderValue::from_static("Accept"));
    Ok(response)
}

/// All companies of the filter as CSV. `limit` and `cursor` mean nothing here.
pub async fn csv(State(deps): State<Deps>, Reader(caller): Reader, uri: Uri) -> Result<Response, Problem> {
    let request = Request::read(&uri)?;
    let portfolio = Portfolio::read(&deps.table, &caller.workspace, deps.clock.now()).await?;
    Ok(csv::answer(&request.sorted(portfolio)))
}

/// What was asked for.
struct Request {
    filter: Filter,
    sort: Sort,
    limit: usize,
    after: Option<Position>,
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
            after: paging::position(&params, &sort.name())?,
            sort,
        })
    }

    /// All companies that fit, in order.
    fn sorted(&self, portfolio: Portfolio) -> Vec<CompanyView> {
        let Portfolio { companies, today } = portfolio;
        let mut placed: Vec<(Position, CompanyView)> = companies
            .into_iter()
            .filter(|company| self.filter.fits(company, today))
            .map(|company| (self.sort.position(&company), company))
            .collect();
        placed.sort_by(|(a, _), (b, _)| self.sort.compare(a, b));
        placed.into_iter().map(|(_, company)| company).collect()
    }

    /// The companies after the cursor, up to the limit.
    fn page(&self, portfolio: Portfolio) -> Result<Page<CompanyView>, Problem> {
        let mut rest = self.sorted(portfolio);
        if let Some(after) = &self.after {
            rest.retain(|company| self.sort.compare(&self.sort.position(company), after).is_gt());
        }
        paging::page(rest, self.limit, &self.sort.name(), |company| self.sort.position(company))
    }
}
