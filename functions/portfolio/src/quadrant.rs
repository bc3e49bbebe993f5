//! `GET /v1/quadrant`: how many companies stand in each of the five cells, and which.

use std::collections::BTreeMap;

use axum::extract::State;
use barometer_cloud::{
    http::{Json, Problem},
    listing::{Filter, Sort},
    portfolio::Portfolio,
};
use barometer_domain::{CompanyId, quadrant::Cell};
use http::Uri;
use serde::Serialize;

use crate::{Deps, caller::Reader, params::Params, settings};

/// The quadrant.
#[derive(Serialize, schemars::JsonSchema)]
pub struct Quadrant {
    cells: BTreeMap<Cell, Members>,
}

#[derive(Serialize, schemars::JsonSchema)]
struct Members {
    count: usize,
    label: &'static str,
    meaning: &'static str,
    /// What the CSM does next.
    next_step: &'static str,
    companies: Vec<Named>,
}

#[derive(Serialize, schemars::JsonSchema)]
struct Named {
    company_id: CompanyId,
    name: String,
}

/// The five cells with their members by name. Churned companies are left out.
pub async fn quadrant(
    State(deps): State<Deps>,
    Reader(caller): Reader,
    uri: Uri,
) -> Result<Json<Quadrant>, Problem> {
    Params::read(&uri, &[])?;
    let settings = settings::current(&deps.table, &caller.workspace).await?.settings;
    let portfolio = Portfolio::open(&deps.table, &caller.workspace, &settings, deps.clock.now()).await?;
    let companies = portfolio.all(Filter::default(), Sort::BY_NAME).await?;
    let mut cells: BTreeMap<Cell, Members> = Cell::ALL
        .into_iter()
        .map(|cell| {
            let empty = Members {
                count: 0,
                label: cell.label(),
                meaning: cell.meaning(),
                next_step: cell.next_step(),
                companies: Vec::new(),
            };
            (cell, empty)
        })
        .collect();
    for company in companies {
        if let Some(members) = cells.get_mut(&company.quadrant) {
            members.count += 1;
            members.companies.push(Named { company_id: company.company_id, name: company.name });
        }
    }
    Ok(Json(Quadrant { cells }))
}
