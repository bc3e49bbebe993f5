//! `PATCH /v1/alerts/{id}`: somebody looks after an alert, or has done so.

use axum::{extract::State, response::IntoResponse};
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
    if_match::{IfMatch, tag},
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
    seen: IfMatch,
    uri: Uri,
    mut fields: Fields,
) -> Result<impl IntoResponse, Problem> {
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
    let case = cases::change(&deps, &caller, Action::AlertChanged, &place, &seen, change).await?;
    Ok((tag(case.version), Json(AlertView::from(case))))
}
