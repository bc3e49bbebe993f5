//! `GET /v1/tasks`: what is to be done, or was.

use axum::extract::State;
use barometer_cloud::{
    http::{Json, Problem},
    table::cases::Case,
};
use barometer_domain::{CompanyId, task::Task};
use http::Uri;

use super::{Name, TaskView};
use crate::{
    Deps,
    caller::Reader,
    paging::{self, Fit, Page},
    params::{Params, no_company},
};

/// Tasks of a page when the caller says nothing.
const LIMIT: usize = 50;

/// The workspace's tasks, the latest first. Parameters: `state` (open unless said), `owner`, `company_id`, `limit`,
/// `cursor`.
pub async fn list(
    State(deps): State<Deps>,
    Reader(caller): Reader,
    uri: Uri,
) -> Result<Json<Page<TaskView>>, Problem> {
    let params = Params::read(&uri, &["state", "owner", "company_id", "limit", "cursor"])?;
    let state = params.one_of::<Name>("state")?.unwrap_or(Name::Open);
    let company =
        params.text("company_id").map(|id| CompanyId::new(id).map_err(|_| no_company())).transpose()?;
    let (limit, order) = (paging::limit(&params, LIMIT)?, format!("tasks {state:?}"));
    let now = deps.clock.now();
    let fits = |case: &Case<Task>| {
        let task = &case.content;
        let owned = params.text("owner").is_none_or(|owner| task.assignee.as_deref() == Some(owner));
        let of_company = company.as_ref().is_none_or(|wanted| case.place.company.as_ref() == Some(wanted));
        if Name::of(task, now) == state && owned && of_company { Fit::Yes } else { Fit::No }
    };
    let read = |after: Option<String>| {
        let (table, workspace, live) = (deps.table.clone(), caller.workspace.clone(), state.is_live());
        async move { table.cases::<Task>(&workspace, live, after.as_deref(), paging::STEP).await }
    };
    let Page { items, next_cursor } =
        paging::sift(paging::position(&params, &order)?, limit, &order, read, fits).await?;
    let items = items.into_iter().map(|case| TaskView::new(case, now)).collect();
    Ok(Json(Page { items, next_cursor }))
}
