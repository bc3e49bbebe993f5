//! `GET /inbox`: what users answered.

use std::collections::BTreeMap;

use axum::{
    extract::{RawQuery, State},
    response::Response,
};
use barometer_cloud::{
    StoreError, Table,
    table::cases::{Case, series_of_subject},
};
use barometer_domain::{
    CompanyId, UserId, WorkspaceId,
    task::{Subject, Task},
};
use futures_util::{StreamExt, TryStreamExt, stream};
use http::{HeaderMap, StatusCode};

use crate::{
    Deps,
    api::Api,
    html::{self, Failure},
    naming,
    notice::Notice,
    pages::Visit,
    view::{
        Scene,
        answer::Given,
        inbox::{InboxPage, Known, Named, Query, named},
    },
};

/// Tasks that are read at the same time.
const AT_ONCE: usize = 16;

/// `GET /inbox`
pub async fn show(
    State(deps): State<Deps>,
    visit: Visit,
    RawQuery(address): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let address = address.unwrap_or_default();
    let (mut query, notice) = (Query::parse(&address), Notice::of(&address));
    let scene = Scene { settings: &visit.settings, now: deps.clock.now() };
    let known = read(&deps, &headers, &visit, &query, scene).await?;
    if known.lost {
        query.cursor.clear();
    }
    Ok(html::page(StatusCode::OK, &InboxPage::build(visit.chrome(), known, query, notice, scene)))
}

/// Reads a page of answers and what belongs to its rows: nothing that grows with the number of companies, unless a
/// company is looked for by name.
async fn read(
    deps: &Deps,
    headers: &HeaderMap,
    visit: &Visit,
    query: &Query,
    scene: Scene<'_>,
) -> Result<Known, Failure> {
    let (table, workspace, api) = (&deps.table, &visit.workspace, Api::new(&deps.api, headers));
    let mut known = Known { named: look_for(table, workspace, &query.company).await?, ..Known::default() };
    let company = match &known.named {
        Named::Any => None,
        Named::One(id) => Some(id.clone()),
        Named::Nobody | Named::Several(_) => return Ok(known),
    };
    known.given = match api.ask::<Given>(&query.api(company.as_ref(), scene.zone())).await? {
        Ok(given) => given,
        // The cursor is all that the API can refuse here.
        Err(_) => {
            known.lost = true;
            let newest = Query { cursor: String::new(), ..query.clone() };
            api.get(&newest.api(company.as_ref(), scene.zone())).await?
        }
    };
    if !query.filters() && (query.cursor.is_empty() || known.lost) {
        known.thanks = api.get::<Given>(&Query::api_of_thanks(scene)).await?.items;
    }
    let mut companies = known.companies();
    companies.extend(company);
    naming::companies(table, workspace, companies, &mut known.names).await?;
    naming::users(table, workspace, known.users(), &mut known.names).await?;
    known.tasks = follow_ups(table, workspace, &known).await?;
    Ok(known)
}

/// The company that the filter names. Only a name needs all of them.
async fn look_for(table: &Table, workspace: &WorkspaceId, text: &str) -> Result<Named, StoreError> {
    if text.is_empty() {
        return Ok(Named::Any);
    }
    if let Ok(id) = CompanyId::new(text)
        && table.company(workspace, &id).await?.is_some()
    {
        return Ok(Named::One(id));
    }
    Ok(named(text, &table.companies(workspace).await?))
}

/// The latest task about each user whose answer asked for one.
async fn follow_ups(
    table: &Table,
    workspace: &WorkspaceId,
    known: &Known,
) -> Result<BTreeMap<(CompanyId, UserId), Case<Task>>, StoreError> {
    let reads: Vec<_> = known
        .followed_up()
        .into_iter()
        .map(|(company, user)| async move {
            let series = series_of_subject(&Subject::FollowUp { user_id: user.clone() });
            let task = table.latest_case::<Task>(workspace, Some(&company), &series).await?;
            Ok::<_, StoreError>(task.map(|task| ((company, user), task)))
        })
        .collect();
    let found: Vec<_> = stream::iter(reads).buffered(AT_ONCE).try_collect().await?;
    Ok(found.into_iter().flatten().collect())
}
