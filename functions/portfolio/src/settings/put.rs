//! `PUT /v1/settings`: saves a version.

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use barometer_cloud::{
    StoreError,
    http::{Json, Problem, auth::Caller},
    table::settings::SettingsVersion,
};
use barometer_domain::{Settings, band::Bands};
use http::{HeaderMap, Uri, header};
use serde_json::{Map, Value};

use super::{Shown, current, tag};
use crate::{
    Deps,
    body::{Fields, pointer},
    caller::Admin,
    params::Params,
};

/// Longest note, in characters.
const LONGEST_NOTE: usize = 1_000;

/// How often a save without `If-Match` is tried on top of somebody else's.
const ATTEMPTS: u32 = 2;

/// Saves settings as a new version and answers it.
///
/// The body is the settings object as `GET` gives it, and may hold a `note`; `version`, `saved_at` and `author` are
/// ignored. Each top-level field that is given replaces the current one whole; one that is absent keeps its
/// value, so that a client that doesn't know a setting can't reset it. With `If-Match`, only the version named
/// there is replaced, else 412 with the current version's `ETag`. Without it, the last writer wins for the
/// fields given. Settings that say what is current already make no version.
pub async fn put(
    State(deps): State<Deps>,
    Admin(caller): Admin,
    uri: Uri,
    headers: HeaderMap,
    mut fields: Fields,
) -> Result<Response, Problem> {
    Params::read(&uri, &[])?;
    let note = note(&mut fields);
    for ignored in ["version", "saved_at", "author"] {
        fields.take(ignored);
    }
    let changes = Changes::read(&mut fields)?;
    fields.finish()?;
    for _ in 0..ATTEMPTS {
        let before = current(&deps.table, &caller.workspace).await?;
        if !matches(&headers, before.version) {
            return Ok(outdated(before.version));
        }
        match save(&deps, &caller, before, &changes, &note).await? {
            Some(saved) => return Ok((tag(saved.version), Json(Shown::from(saved))).into_response()),
            None => continue,
        }
    }
    Ok(outdated(current(&deps.table, &caller.workspace).await?.version))
}

/// Saves the version after `before`. Returns nothing when somebody was faster.
async fn save(
    deps: &Deps,
    caller: &Caller,
    before: SettingsVersion,
    changes: &Changes,
    note: &str,
) -> Result<Option<SettingsVersion>, Problem> {
    let settings = changes.upon(&before.settings)?;
    if settings == before.settings {
        return Ok(Some(before));
    }
    let version = SettingsVersion {
        version: before.version + 1,
        saved_at: deps.clock.now(),
        author: caller.author.clone(),
        note: note.to_owned(),
        settings,
    };
    match deps.table.save_settings(&caller.workspace, &version).await {
        Ok(()) => Ok(Some(version)),
        Err(StoreError::Conflict) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn note(fields: &mut Fields) -> String {
    let note: String = fields.nullable("note").flatten().unwrap_or_default();
    if note.chars().count() > LONGEST_NOTE {
        fields.refuse("/note", format!("at most {LONGEST_NOTE} characters"));
    }
    note.trim().to_owned()
}

/// Whether `If-Match` is absent or names this version.
fn matches(headers: &HeaderMap, version: u32) -> bool {
    let mut tags = headers.get_all(header::IF_MATCH).iter().peekable();
    let version = format!("\"{version}\"");
    tags.peek().is_none()
        || tags.filter_map(|tags| tags.to_str().ok()).flat_map(|tags| tags.split(',')).any(|tag| {
            // Something on the way that compresses may have weakened the tag.
            let tag = tag.trim();
            tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == version
        })
}

fn outdated(version: u32) -> Response {
    let detail = format!("somebody else saved; the current version is {version}");
    (tag(version), Problem::precondition_failed(detail)).into_response()
}

/// Top-level fields to replace, each one readable on its own.
struct Changes(Map<String, Value>);

impl Changes {
    /// Reads every field on its own, so that each one that is wrong is named. Errors: 422.
    fn read(fields: &mut Fields) -> Result<Self, Problem> {
        let known = object(&Settings::default())?;
        let mut changes = Map::new();
        for (name, value) in fields.rest() {
            let value = if name == "bands" { preset(fields, value) } else { value };
            if !known.contains_key(&name) {
                fields.refuse(pointer(&name), "there is no such setting");
                continue;
            }
            let alone = Map::from_iter([(name.clone(), value.clone())]);
            match serde_json::from_value::<Settings>(Value::Object(alone)) {
                Ok(_) => {
                    changes.insert(name, value);
                }
                Err(error) => fields.refuse(pointer(&name), error.to_string()),
            }
        }
        Ok(Self(changes))
    }

    /// The settings with the changes. Errors: 422 for what single fields can't say.
    fn upon(&self, settings: &Settings) -> Result<Settings, Problem> {
        let mut object = object(settings)?;
        object.extend(self.0.clone());
        let settings: Settings = serde_json::from_value(Value::Object(object)).map_err(|error| {
            tracing::error!(%error, "settings can't be read though each field can");
            Problem::internal()
        })?;
        let mut fields = Fields::default();
        for error in settings.check().err().unwrap_or_default() {
            fields.refuse(error.pointer, error.detail);
        }
        fields.finish()?;
        Ok(settings)
    }
}

/// `{"preset": "gocsm-2026"}` as the thresholds that it stands for.
fn preset(fields: &mut Fields, bands: Value) -> Value {
    match bands.get("preset").and_then(Value::as_str) {
        Some("gocsm-2026") => serde_json::to_value(Bands::GOCSM_2026).unwrap_or(bands),
        Some(_) => {
            fields.refuse("/bands/preset", "the presets are: gocsm-2026");
            serde_json::to_value(Bands::default()).unwrap_or(bands)
        }
        None => bands,
    }
}

fn object(settings: &Settings) -> Result<Map<String, Value>, Problem> {
    match serde_json::to_value(settings) {
        Ok(Value::Object(object)) => Ok(object),
        _ => {
            tracing::error!("settings can't be written as an object");
            Err(Problem::internal())
        }
    }
}
