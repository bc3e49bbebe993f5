//! `GET /v1/actions`: what rules are about to do, or did.

use axum::extract::State;
use barometer_cloud::{
    http::{Json, Problem},
    table::actions::{Action, ActionState},
};
use barometer_domain::{CompanyId, automation::RuleId};
use http::Uri;

use super::ActionView;
use crate::{
    Deps,
    caller::Reader,
    paging::{self, Fit, Page},
    params::{Params, no_company},
};

/// Actions of a page when the caller says nothing.
const LIMIT: usize = 50;

/// The workspace's actions in a state, the latest first: by when they are due, when they ended, or else when they were
/// planned. Parameters: `state` (planned unless said), `company_id`, `rule`, `limit`, `cursor`. Errors: 404 for a company
/// that isn't there.
pub async fn list(
    State(deps): State<Deps>,
    Reader(caller): Reader,
    uri: Uri,
) -> Result<Json<Page<ActionView>>, Problem> {
    let params = Params::read(&uri, &["state", "company_id", "rule", "limit", "cursor"])?;
    let state = params.one_of::<ActionState>("state")?.unwrap_or(ActionState::Planned);
    let rule = params.one_of::<RuleId>("rule")?;
    let company =
        params.text("company_id").map(|id| CompanyId::new(id).map_err(|_| no_company())).transpose()?;
    let (limit, order) = (paging::limit(&params, LIMIT)?, format!("actions {state:?}"));
    let after = paging::position(&params, &order)?;
    if let Some(company) = &company {
        deps.table.company(&caller.workspace, company).await?.ok_or_else(no_company)?;
    }
    let fits = |action: &Action| {
        let of_company = company.as_ref().is_none_or(|company| action.company_id == *company);
        let of_rule = rule.as_ref().is_none_or(|rule| action.rule == *rule);
        if action.state == state && of_company && of_rule { Fit::Yes } else { Fit::No }
    };
    let read = |after: Option<String>| {
        let (table, workspace) = (deps.table.clone(), caller.workspace.clone());
        async move { table.actions(&workspace, state, after.as_deref(), paging::STEP).await }
    };
    let Page { items, next_cursor } = paging::sift(after, limit, &order, read, fits).await?;
    Ok(Json(Page { items: items.into_iter().map(ActionView::from).collect(), next_cursor }))
}
