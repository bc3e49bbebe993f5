//! `PATCH /v1/tasks/{id}`: somebody does a task, puts it off or says something about it.

use axum::{extract::State, response::IntoResponse};
use barometer_cloud::{
    http::{Json, Problem, body::Fields},
    table::audit::Action,
};
use barometer_domain::task::{LONGEST_NOTE, Task, TaskError};
use chrono::{DateTime, Utc};
use http::Uri;

use super::{Name, TaskView};
use crate::{
    Deps,
    caller::Writer,
    cases::{self, CasePath},
    if_match::{IfMatch, tag},
    params::Params,
};

/// What is to change of a task.
struct Change {
    state: Option<Name>,
    until: Option<DateTime<Utc>>,
    note: Option<String>,
}

impl Change {
    fn make(&self, task: &mut Task, by: &str, now: DateTime<Utc>) -> Result<(), TaskError> {
        match (self.state, self.until) {
            (Some(Name::Done), _) => task.done(by, now)?,
            (Some(Name::Cancelled), _) => task.cancel(by, now)?,
            (Some(Name::Snoozed), Some(until)) => task.snooze(until, now)?,
            (Some(Name::Open), _) => task.reopen()?,
            (Some(Name::Snoozed), None) | (None, _) => {}
        }
        self.note.as_deref().map_or(Ok(()), |note| task.set_note(note))
    }
}

/// Sets `state` to `done`, `cancelled`, `open`, or `snoozed` with `until`; sets the `note`, null for none. Errors: 409
/// for a state that the task can't go to from where it is.
pub async fn patch(
    State(deps): State<Deps>,
    Writer(caller): Writer,
    CasePath(place): CasePath,
    seen: IfMatch,
    uri: Uri,
    mut fields: Fields,
) -> Result<impl IntoResponse, Problem> {
    Params::read(&uri, &[])?;
    let now = deps.clock.now();
    if !fields.has("state") && !fields.has("note") {
        fields.refuse("/state", "nothing is to change: say a state or a note");
    }
    let state = fields.value::<Name>("state");
    let until = fields.value::<DateTime<Utc>>("until");
    if state == Some(Name::Snoozed) && until.is_none_or(|until| until <= now) {
        fields.refuse("/until", "says until when, an instant in the future");
    }
    if state != Some(Name::Snoozed) && until.is_some() {
        fields.refuse("/until", "goes with the state snoozed only");
    }
    let note = fields.nullable_text("note", LONGEST_NOTE).map(Option::unwrap_or_default);
    fields.finish()?;
    if state == Some(Name::Open) {
        let latest = deps.table.latest_case::<Task>(&caller.workspace, place.company.as_ref(), &place.series);
        if latest.await?.is_some_and(|latest| latest.place != place && latest.content.is_live()) {
            return Err(Problem::conflict("a newer task about the same is open"));
        }
    }
    let wanted = Change { state, until, note };
    let change = |task: &mut Task| {
        wanted.make(task, &caller.author, now).map_err(|error| Problem::conflict(error.to_string()))
    };
    let case = cases::change(&deps, &caller, Action::TaskChanged, &place, &seen, change).await?;
    Ok((tag(case.version), Json(TaskView::new(case, now))))
}
