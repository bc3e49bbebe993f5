//! `GET /overview`: all companies on one page.

use std::collections::BTreeMap;

use axum::{extract::State, response::Response};
use barometer_cloud::{
    StoreError, Table,
    lambda::Chain,
    listing::{Filter, Sort},
    portfolio::Portfolio,
    table::overviews::{Period, Published},
    why::{self, WhyError},
};
use barometer_domain::{CompanyId, IsoWeek, WorkspaceId, why::Why};
use futures_util::{StreamExt, TryStreamExt, stream};
use http::StatusCode;

use crate::{
    Deps,
    html::{self, Failure},
    pages::Visit,
    view::{
        Scene,
        overview::{Known, OverviewPage, WEEKS, moved},
    },
};

/// Weeks and reasons that are read at the same time.
const AT_ONCE: usize = 6;

/// `GET /overview`
pub async fn show(State(deps): State<Deps>, visit: Visit) -> Result<Response, Failure> {
    let scene = Scene { settings: &visit.settings, now: deps.clock.now() };
    let (table, workspace) = (&deps.table, &visit.workspace);
    let (portfolio, weeks) = tokio::try_join!(
        Portfolio::open(table, workspace, &visit.settings, scene.now),
        weeks(table, workspace)
    )?;
    let companies = portfolio.all(Filter::default(), Sort::BY_ID).await?;
    let whys = match weeks.last() {
        Some((week, Some(latest))) => {
            let companies = moved(&latest.overview).map(|change| change.company_id.clone()).collect();
            whys(table, workspace, companies, *week).await?
        }
        _ => BTreeMap::new(),
    };
    let page = OverviewPage::build(visit.chrome(), &Known { companies, weeks, whys }, scene);
    Ok(html::page(StatusCode::OK, &page))
}

/// The latest overviews, oldest first; none before the first week was scored.
async fn weeks(
    table: &Table,
    workspace: &WorkspaceId,
) -> Result<Vec<(IsoWeek, Option<Published>)>, StoreError> {
    let Some((name, latest)) = table.overview(workspace, None).await? else { return Ok(Vec::new()) };
    let week: IsoWeek =
        name.parse().map_err(|_| StoreError::Corrupt(format!("an overview is of {name}").into()))?;
    let reads: Vec<_> = (1..WEEKS)
        .rev()
        .map(|back| week.plus(-back))
        .map(|week| async move {
            let found = table.overview(workspace, Some(Period::Week(week))).await?;
            Ok::<_, StoreError>((week, found.map(|(_, published)| published)))
        })
        .collect();
    let mut weeks: Vec<_> = stream::iter(reads).buffered(AT_ONCE).try_collect().await?;
    // A young workspace begins with its first week.
    let unscored = weeks.iter().take_while(|(_, found)| found.is_none()).count();
    weeks.drain(..unscored);
    weeks.push((week, Some(latest)));
    Ok(weeks)
}

/// Why those that moved the most did.
async fn whys(
    table: &Table,
    workspace: &WorkspaceId,
    companies: Vec<CompanyId>,
    week: IsoWeek,
) -> Result<BTreeMap<CompanyId, Why>, StoreError> {
    let reads: Vec<_> = companies
        .into_iter()
        .map(|company| async move {
            match why::weeks(table, workspace, &company, week.previous(), week).await {
                Ok(explained) => Ok(Some((company, explained.why))),
                Err(WhyError::Store(error)) => Err(error),
                Err(error) => {
                    // The page has more to say than this.
                    tracing::error!(%company, error = %Chain(&error), "a move can't be explained");
                    Ok(None)
                }
            }
        })
        .collect();
    let found: Vec<_> = stream::iter(reads).buffered(AT_ONCE).try_collect().await?;
    Ok(found.into_iter().flatten().collect())
}
