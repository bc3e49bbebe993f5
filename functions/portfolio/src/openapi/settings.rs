//! Settings and rules.

use barometer_cloud::{
    openapi::{Api, object},
    table::credentials::Scope,
};
use barometer_domain::{
    Settings,
    automation::{AutomationRule, RuleId},
    band::Bands,
};
use serde_json::{Map, Value, json};

use super::MOST;
use crate::{
    paging::Page,
    rules::{dry_run, presets::Presets, runs::Run},
    settings::{Shown, what_if},
};

const TAG: &str = "Settings";

/// Describes the routes of settings and rules.
pub fn describe(api: &mut Api) {
    versions(api);
    rules(api);
}

fn versions(api: &mut Api) {
    api.operation("GET /v1/settings", "getSettings", TAG, "The current settings")
        .needs(Scope::Read)
        .json::<Shown>(200, "The settings.")
        .tells(200, "ETag", "Their version: what a save takes in If-Match.")
        .done();
    let body = draft(api, []);
    api.operation("PUT /v1/settings", "saveSettings", TAG, "Saves a version of the settings")
        .needs(Scope::Admin)
        .says(
            "Takes the object as GET answers it. Each field that is given replaces the current one whole, one that is absent \
             keeps its value. Settings that say what is current make no version.",
        )
        .header("If-Match", "The version that is to be replaced; without it the last writer wins for the fields given.")
        .body("SettingsDraft", body)
        .json::<Shown>(200, "The settings as they are saved.")
        .tells(200, "ETag", "Their version.")
        .problems(&[409, 412])
        .done();
    api.operation("GET /v1/settings/versions", "listSettings", TAG, "Every version, the newest first")
        .needs(Scope::Read)
        .paged(MOST, MOST)
        .json::<Page<Shown>>(200, "Versions.")
        .done();
    let weeks = json!({ "type": "integer", "minimum": 1, "maximum": 52, "default": 26,
        "description": "How many of the latest weeks are scored again." });
    let body = draft(api, [("weeks", weeks)]);
    api.operation("POST /v1/settings/what-if", "previewSettings", TAG, "What a draft of the settings would have changed")
        .needs(Scope::Read)
        .says("Scores the latest weeks of all companies, of a large workspace those of a sample, under the draft. Nothing is saved.")
        .body("SettingsPreview", body)
        .json::<what_if::Answer>(200, "Who would have stood elsewhere.")
        .done();
}

/// Settings as a client writes them: every field may be left out.
fn draft<const N: usize>(api: &mut Api, more: [(&str, Value); N]) -> Value {
    let whole = api.inline::<Settings>();
    let mut fields: Map<String, Value> =
        whole.get("properties").and_then(Value::as_object).cloned().unwrap_or_default();
    let bands = api.schema::<Bands>();
    let preset = json!({ "type": "string", "enum": ["gocsm-2026"] });
    let by_name = object(&["preset"], [("preset", preset.clone())]);
    fields.insert("bands".to_owned(), json!({ "anyOf": [bands, preset, by_name] }));
    fields.insert(
        "note".to_owned(),
        json!({ "type": ["string", "null"], "maxLength": 1_000, "description": "Why it is saved." }),
    );
    for ignored in ["version", "saved_at", "author"] {
        fields.insert(ignored.to_owned(), json!({ "description": "As GET answers it; ignored." }));
    }
    fields.extend(more.into_iter().map(|(name, schema)| (name.to_owned(), schema)));
    json!({ "type": "object", "properties": fields, "additionalProperties": false })
}

fn rules(api: &mut Api) {
    api.operation("GET /v1/rules/presets", "listPresets", TAG, "Rules to choose from")
        .needs(Scope::Read)
        .json::<Presets>(200, "Those that a workspace begins with, and others.")
        .done();
    let (rule, id) = (api.schema::<AutomationRule>(), api.schema::<RuleId>());
    let body =
        json!({ "oneOf": [object(&["rule"], [("rule", rule)]), object(&["rule_id"], [("rule_id", id)])] });
    api.operation("POST /v1/rules/dry-run", "tryRule", TAG, "What a rule would do at today's companies")
        .needs(Scope::Read)
        .says("Of a rule as it goes into the settings, or of one that is there. Nothing is written.")
        .body("DryRun", body)
        .json::<dry_run::Answer>(200, "What it would do.")
        .done();
    api.operation("GET /v1/rules/{id}/runs", "listRuns", TAG, "What a rule took up, the latest first")
        .needs(Scope::Read)
        .paged(50, MOST)
        .json::<Page<Run>>(200, "Entries of its log.")
        .problems(&[404])
        .done();
}
