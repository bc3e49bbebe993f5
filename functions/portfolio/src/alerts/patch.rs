//! `PATCH /v1/alerts/{id}`: somebody looks after an alert, or has done so.

use axum::extract::State;
use barometer_cloud::{
    http::{Json, Problem, body::Fields},
    table::audit::Action,
};
use barometer_domain::alert::{Alert, AlertError};
use http::Uri;
use serde::Deserialize;

use super::AlertView;
use crate::{
    Deps,
    caller::Writer,
    cases::{self, CasePath},
    params::Params,
};

/// Longest note, in characters.
const LONGEST_NOTE: usize = 5_000;

/// The states that somebody can set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Wanted {
    Acknowledged,
    Resolved,
}

/// Sets `state` to `acknowledged`, or to `resolved` with a `note`. Errors: 409 for an alert that is resolved already.
pub async fn patch(
    State(deps): State<Deps>,
    Writer(caller): Writer,
    CasePath(place): CasePath,
    uri: Uri,
    mut fields: Fields,
) -> Result<Json<AlertView>, Problem> {
    Params::read(&uri, &[])?;
    if !fields.has("state") {
        fields.refuse("/state", "says what to do: acknowledged or resolved");
    }
    let wanted = fields.value::<Wanted>("state");
    let note = fields.nullable_text("note", LONGEST_NOTE).flatten();
    if wanted == Some(Wanted::Resolved) && note.is_none() {
        fields.refuse("/note", AlertError::NoNote.to_string());
    }
    fields.finish()?;
    let (now, note) = (deps.clock.now(), note.unwrap_or_default());
    let change = |alert: &mut Alert| {
        let changed = match wanted {
            Some(Wanted::Resolved) => alert.resolve(&caller.author, &note, now),
            Some(Wanted::Acknowledged) | None => alert.acknowledge(&caller.author, now),
        };
        changed.map_err(|error| Problem::conflict(error.to_string()))
    };
    Ok(Json(cases::change(&deps, &caller, Action::AlertChanged, &place, change).await?.into()))
}
