//! `GET /v1/rules/{id}/runs`: the log of a rule.

use axum::extract::{Path, State};
use barometer_cloud::{
    StoreError, Table,
    http::{Json, Problem},
    table::actions::{ActionPlace, ActionState, Firing, FiringOutcome},
};
use barometer_domain::{
    CompanyId, WorkspaceId,
    automation::{Happened, RuleId},
};
use chrono::{DateTime, Utc};
use futures_util::{StreamExt, TryStreamExt, stream};
use http::Uri;
use serde::Serialize;

use crate::{
    Deps,
    caller::Reader,
    paging::{self, Page},
    params::Params,
    settings,
};

/// Entries of a page when the caller says nothing.
const LIMIT: usize = 50;
/// Actions that are read at the same time.
const AT_ONCE: usize = 16;

/// An entry of the log.
#[derive(Serialize, schemars::JsonSchema)]
#[schemars(rename = "RuleRun")]
pub struct Run {
    company_id: CompanyId,
    happened: Happened,
    /// Which one of its kind.
    period: String,
    occurred_at: DateTime<Utc>,
    /// When the rule took it up.
    at: DateTime<Utc>,
    /// The version of the settings in which the rule stood so.
    settings_version: u32,
    /// `acted`, `cooling_down` with `until`, or `set_back`.
    #[serde(flatten)]
    outcome: FiringOutcome,
    actions: Vec<Done>,
}

/// An action of an entry.
#[derive(Serialize, schemars::JsonSchema)]
#[schemars(rename = "RunAction")]
struct Done {
    id: String,
    /// Null when it ended so long ago that it isn't kept.
    state: Option<ActionState>,
}

/// What a rule took up, the latest first. Parameters: `limit`, `cursor`. Errors: 404 for a rule that neither is in the
/// settings nor ever acted.
pub async fn runs(
    State(deps): State<Deps>,
    Reader(caller): Reader,
    Path(id): Path<String>,
    uri: Uri,
) -> Result<Json<Page<Run>>, Problem> {
    let params = Params::read(&uri, &["limit", "cursor"])?;
    let rule = RuleId::new(id).map_err(|_| no_rule())?;
    let (limit, order) = (paging::limit(&params, LIMIT)?, format!("runs {rule}"));
    let after: Option<String> = paging::position(&params, &order)?;
    let (table, workspace) = (&deps.table, &caller.workspace);
    // One more than the page tells whether there is another.
    let more = i32::try_from(limit + 1).unwrap_or(i32::MAX);
    let found = table.firings(workspace, &rule, after.as_deref(), more).await?;
    if found.is_empty() && after.is_none() {
        let settings = settings::current(table, workspace).await?.settings;
        settings.rules.iter().find(|known| known.id == rule).ok_or_else(no_rule)?;
    }
    let Page { items, next_cursor } = paging::page(found, limit, &order, |(place, _)| place.clone())?;
    let mut runs = Vec::new();
    for (_, firing) in items {
        runs.push(run(table, workspace, firing).await?);
    }
    Ok(Json(Page { items: runs, next_cursor }))
}

fn no_rule() -> Problem {
    Problem::not_found("there is no such rule")
}

async fn run(table: &Table, workspace: &WorkspaceId, firing: Firing) -> Result<Run, StoreError> {
    let read = |id: String| async move {
        let action = match ActionPlace::of(&id) {
            Some(place) => table.action(workspace, &place).await?,
            None => None,
        };
        Ok::<_, StoreError>(Done { id, state: action.map(|action| action.state) })
    };
    let actions = stream::iter(firing.actions).map(read).buffered(AT_ONCE).try_collect().await?;
    Ok(Run {
        company_id: firing.company_id,
        happened: firing.happened,
        period: firing.period,
        occurred_at: firing.occurred_at,
        at: firing.at,
        settings_version: firing.settings_version,
        outcome: firing.outcome,
        actions,
    })
}
