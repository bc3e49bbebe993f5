//! Settings as a client writes them.

use barometer_cloud::http::{
    Problem,
    body::{Fields, pointer},
};
use barometer_domain::{Settings, automation::AutomationRule, band::Bands};
use serde::Deserialize;
use serde_json::{Map, Value};

/// Longest note, in characters.
const LONGEST_NOTE: usize = 1_000;

/// Settings as a client gives them: the object as `GET` answers it, with a `note` when there is something to say;
/// `version`, `saved_at` and `author` are ignored.
///
/// Each top-level field that is given replaces the current one whole; one that is absent keeps its value, so that a
/// client that doesn't know a setting can't reset it.
pub struct Draft {
    /// Each one readable on its own.
    changes: Map<String, Value>,
    /// Why, in the author's words.
    pub note: String,
}

impl Draft {
    /// Reads every field on its own, so that each one that is wrong is named. Errors: 422.
    pub fn read(mut fields: Fields) -> Result<Self, Problem> {
        let note = note(&mut fields);
        for ignored in ["version", "saved_at", "author"] {
            fields.take(ignored);
        }
        let known = object(&Settings::default())?;
        let mut changes = Map::new();
        for (name, value) in fields.rest() {
            let value = if name == "bands" { preset(&mut fields, value) } else { value };
            if !known.contains_key(&name) {
                fields.refuse(pointer(&name), "there is no such setting");
                continue;
            }
            let wrong = unreadable(&name, &value);
            if wrong.is_empty() {
                changes.insert(name, value);
            }
            for (pointer, detail) in wrong {
                fields.refuse(pointer, detail);
            }
        }
        fields.finish()?;
        Ok(Self { changes, note })
    }

    /// The settings with the draft's fields. Errors: 422 for what single fields can't say.
    pub fn upon(&self, settings: &Settings) -> Result<Settings, Problem> {
        let mut object = object(settings)?;
        object.extend(self.changes.clone());
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

/// What can't be read of a field, with pointers: of the rules each one on its own.
fn unreadable(name: &str, value: &Value) -> Vec<(String, String)> {
    if let ("rules", Value::Array(rules)) = (name, value) {
        let wrong = rules.iter().enumerate().filter_map(|(index, rule)| {
            let error = AutomationRule::deserialize(rule).err()?;
            Some((format!("/rules/{index}"), error.to_string()))
        });
        return wrong.collect();
    }
    let alone = Map::from_iter([(name.to_owned(), value.clone())]);
    let read = serde_json::from_value::<Settings>(Value::Object(alone));
    read.err().map(|error| (pointer(name), error.to_string())).into_iter().collect()
}

fn note(fields: &mut Fields) -> String {
    let note: String = fields.nullable("note").flatten().unwrap_or_default();
    if note.chars().count() > LONGEST_NOTE {
        fields.refuse("/note", format!("at most {LONGEST_NOTE} characters"));
    }
    note.trim().to_owned()
}

/// `"gocsm-2026"` or `{"preset": "gocsm-2026"}` as the thresholds that it stands for.
fn preset(fields: &mut Fields, bands: Value) -> Value {
    let (name, pointer) = match &bands {
        Value::String(name) => (Some(name.as_str()), "/bands"),
        bands => (bands.get("preset").and_then(Value::as_str), "/bands/preset"),
    };
    let thresholds = match name {
        None => return bands,
        Some("gocsm-2026") => Bands::GOCSM_2026,
        Some(_) => {
            fields.refuse(pointer, "the presets are: gocsm-2026");
            Bands::default()
        }
    };
    serde_json::to_value(thresholds).unwrap_or(bands)
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
