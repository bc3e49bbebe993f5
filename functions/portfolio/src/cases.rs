//! What alerts, disagreements and tasks have in common: their list, and a change upon what was read.

use axum::extract::{FromRequestParts, Path};
use barometer_cloud::{
    StoreError, Table,
    http::{Problem, auth::Caller},
    table::{
        audit::{Action, Entry},
        cases::{Case, Content, Place},
    },
};
use barometer_domain::{CompanyId, WorkspaceId};
use http::{Uri, request::Parts};
use serde::Deserialize;

use crate::{
    Deps,
    if_match::IfMatch,
    paging::{self, MAX_LIMIT, Page},
    params::{Params, no_company},
};

/// Items of a page when the caller says nothing.
const LIMIT: usize = 50;

/// How often a change is tried again when another one came first.
const TRIES: usize = 5;

/// Which cases a list shows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Which {
    /// Those that are open.
    #[default]
    Live,
    /// Those that were closed, by somebody or by themselves.
    Closed,
}

/// The place that an id in the path names, checked against nothing yet.
pub struct CasePath(pub Place);

impl<S: Send + Sync> FromRequestParts<S> for CasePath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let id = Path::<String>::from_request_parts(parts, state).await.map_err(|_| no_case())?;
        Place::of(&id.0).map(Self).ok_or_else(no_case)
    }
}

/// 404 for a case that isn't there, or is another workspace's.
pub fn no_case() -> Problem {
    Problem::not_found("there is no such alert, disagreement or task")
}

/// Live or closed cases of the workspace, or of one company, the latest first. Parameters: `which`, `company_id`,
/// `limit`, `cursor`.
pub async fn list<T: Content, V>(
    table: &Table,
    workspace: &WorkspaceId,
    uri: &Uri,
    view: impl Fn(Case<T>) -> V,
) -> Result<Page<V>, Problem> {
    let params = Params::read(uri, &["which", "company_id", "limit", "cursor"])?;
    let which = params.one_of::<Which>("which")?.unwrap_or_default();
    let limit = paging::limit(&params, LIMIT)?;
    let order = format!("{} {which:?}", T::KIND);
    let last: Option<String> = paging::position(&params, &order)?;
    let live = which == Which::Live;
    let company =
        params.text("company_id").map(|id| CompanyId::new(id).map_err(|_| no_company())).transpose()?;
    let cases = match company {
        None => {
            // One more than the page tells whether there is another.
            let more = i32::try_from(limit.min(MAX_LIMIT) + 1).unwrap_or(i32::MAX);
            table.cases::<T>(workspace, live, last.as_deref(), more).await?
        }
        Some(company) => {
            table.company(workspace, &company).await?.ok_or_else(no_company)?;
            let of_company = table.cases_of::<T>(workspace, &company).await?;
            let mut listed: Vec<_> =
                of_company.into_iter().filter(|case| case.content.is_live() == live).collect();
            listed.sort_by_key(|case| std::cmp::Reverse(case.content.opened_at()));
            let keyed = listed.into_iter().map(|case| (case.listed_at(), case));
            keyed.filter(|(key, _)| last.as_ref().is_none_or(|last| key < last)).collect()
        }
    };
    let Page { items, next_cursor } = paging::page(cases, limit, &order, |(key, _)| key.clone())?;
    Ok(Page { items: items.into_iter().map(|(_, case)| view(case)).collect(), next_cursor })
}

/// Changes a case on behalf of the caller, again when another change came in between, unless the caller names the version
/// that is to be changed. Errors: 404; 412; what `change` refuses.
pub async fn change<T: Content>(
    deps: &Deps,
    caller: &Caller,
    action: Action,
    place: &Place,
    seen: &IfMatch,
    change: impl Fn(&mut T) -> Result<(), Problem>,
) -> Result<Case<T>, Problem> {
    let (table, workspace) = (&deps.table, &caller.workspace);
    for _ in 0..TRIES {
        let mut case = table.case::<T>(workspace, place).await?.ok_or_else(no_case)?;
        seen.check(case.version)?;
        let before = case.content.clone();
        change(&mut case.content)?;
        let entry = Entry::new(action, place.id(), &caller.author, deps.clock.now())?;
        let entry = entry.of(place.company.as_ref()).change(&before, &case.content)?;
        if entry.changes_nothing() {
            return Ok(case);
        }
        match table.recording(workspace, &entry).write_case(workspace, &case, before.is_live(), &[]).await {
            Ok(()) => return Ok(Case { version: case.version + 1, ..case }),
            Err(StoreError::Conflict) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(StoreError::Conflict.into())
}
