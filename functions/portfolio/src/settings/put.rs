//! `PUT /v1/settings`: saves a version.

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use barometer_cloud::{
    StoreError,
    http::{Json, Problem, auth::Caller, body::Fields},
    table::{
        audit::{Action, Entry},
        settings::SettingsVersion,
    },
};
use http::Uri;
use serde::Serialize;

use super::{Shown, current, draft::Draft, endpoints};
use crate::{
    Deps,
    caller::Admin,
    if_match::{IfMatch, tag},
    params::Params,
};

/// How often a save is tried when others save at the same time.
const ATTEMPTS: u32 = 8;

/// Saves settings as a new version and answers it.
///
/// The body is a [`Draft`]. With `If-Match`, only the version named there is replaced, else 412 with the current
/// version's `ETag`. Without it, the last writer wins for the fields given. Settings that say what is current already
/// make no version. Errors: 409 when others save again and again.
pub async fn put(
    State(deps): State<Deps>,
    Admin(caller): Admin,
    uri: Uri,
    seen: IfMatch,
    fields: Fields,
) -> Result<Response, Problem> {
    Params::read(&uri, &[])?;
    let draft = Draft::read(fields)?;
    for _ in 0..ATTEMPTS {
        let before = current(&deps.table, &caller.workspace).await?;
        seen.check(before.version)?;
        match save(&deps, &caller, before, &draft).await? {
            Some(saved) => return Ok((tag(saved.version), Json(Shown::from(saved))).into_response()),
            None => continue,
        }
    }
    Err(StoreError::Conflict.into())
}

/// Saves the version after `before`. Returns nothing when somebody was faster.
async fn save(
    deps: &Deps,
    caller: &Caller,
    before: SettingsVersion,
    draft: &Draft,
) -> Result<Option<SettingsVersion>, Problem> {
    let settings = draft.upon(&before.settings)?;
    if settings == before.settings {
        return Ok(Some(before));
    }
    if settings.rules != before.settings.rules {
        let at = |number| format!("/rules/{number}");
        let mut fields = Fields::default();
        for error in endpoints::wrong(&deps.table, &caller.workspace, &settings.rules, at).await? {
            fields.refuse(error.pointer, error.detail);
        }
        fields.finish()?;
    }
    let version = before.next(settings, &caller.author, &draft.note, deps.clock.now());
    let entry = Entry::new(Action::SettingsSaved, "settings", &caller.author, version.saved_at)?;
    let entry = entry.change(&shown(&before), &shown(&version))?;
    match deps.table.recording(&caller.workspace, &entry).save_settings(&caller.workspace, &version).await {
        Ok(()) => Ok(Some(version)),
        Err(StoreError::Conflict) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// What the audit says of a version.
fn shown(version: &SettingsVersion) -> impl Serialize {
    serde_json::json!({ "version": version.version, "note": version.note, "settings": version.settings })
}
