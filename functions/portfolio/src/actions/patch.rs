//! `PATCH /v1/actions/{id}`: somebody undoes an action, approves it, or has it tried again.

use axum::extract::{Path, State};
use barometer_cloud::{
    StoreError,
    http::{Json, Problem, body::Fields},
    table::{
        actions::{self as stored, ActionPlace, ActionState},
        audit::{Action, Entry},
    },
};
use barometer_domain::automation::RuleId;
use chrono::{DateTime, Utc};
use http::Uri;
use serde::{Deserialize, Serialize};

use super::ActionView;
use crate::{Deps, caller::Writer, params::Params};

/// The states that somebody can set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Wanted {
    Cancelled,
    Approved,
    Planned,
}

/// Sets `state`: `cancelled` undoes what waits (its rule stays quiet at the company), `approved` has what waits for approval
/// done, `planned` has what failed tried again. What is due is done within a quarter of an hour. Errors: 409 when the action can't
/// go there from where it is, or moved on meanwhile.
pub async fn patch(
    State(deps): State<Deps>,
    Writer(caller): Writer,
    Path(id): Path<String>,
    uri: Uri,
    mut fields: Fields,
) -> Result<Json<ActionView>, Problem> {
    Params::read(&uri, &[])?;
    if !fields.has("state") {
        fields.refuse("/state", "says what to do: cancelled, approved or planned");
    }
    let wanted = fields.value::<Wanted>("state");
    fields.finish()?;
    let (table, workspace, now) = (&deps.table, &caller.workspace, deps.clock.now());
    let place = ActionPlace::of(&id).ok_or_else(no_action)?;
    let mut action = table.action(workspace, &place).await?.ok_or_else(no_action)?;
    let before = Stands::of(&action);
    let moved = match wanted {
        Some(Wanted::Cancelled) => action.cancel(&caller.author, now),
        Some(Wanted::Approved) => action.approve(&caller.author, now),
        Some(Wanted::Planned) => action.try_again(&caller.author, now),
        None => Ok(()),
    };
    moved.map_err(|error| Problem::conflict(error.to_string()))?;
    let entry = Entry::new(Action::ActionChanged, &id, &caller.author, now)?.of(Some(&action.company_id));
    let entry = entry.change(&before, &Stands::of(&action))?;
    match table.recording(workspace, &entry).write_action(workspace, &action).await {
        Ok(written) => Ok(Json(written.into())),
        Err(StoreError::Conflict) => Err(Problem::conflict("the action moved on meanwhile; look again")),
        Err(error) => Err(error.into()),
    }
}

/// How an action stands, as the audit keeps it.
#[derive(Serialize, schemars::JsonSchema)]
struct Stands {
    state: ActionState,
    rule: RuleId,
    due_at: Option<DateTime<Utc>>,
}

impl Stands {
    fn of(action: &stored::Action) -> Self {
        Self { state: action.state, rule: action.rule.clone(), due_at: action.due_at }
    }
}

/// 404 for an action that isn't there, or is another workspace's.
fn no_action() -> Problem {
    Problem::not_found("there is no such action")
}
