//! The schemas of the events on the bus, and that they are strict enough to find what is wrong.

use std::collections::BTreeSet;
use std::path::PathBuf;

use barometer_cloud::bus::DetailType;
use jsonschema::Validator;
use serde_json::{Value, json};

fn root(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

fn json_of(path: PathBuf) -> Value {
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn schema(kind: &str) -> Value {
    json_of(root("shared/cloud/schemas").join(format!("{kind}.json")))
}

fn validator(schema: &Value) -> Validator {
    jsonschema::options().should_validate_formats(true).build(schema).unwrap()
}

/// Fails for an event that isn't as its schema says, and for one without a schema.
pub fn check(kind: &str, detail: &Value) {
    let wrong: Vec<String> = validator(&schema(kind))
        .iter_errors(detail)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(
        wrong.is_empty(),
        "{kind} isn't as shared/cloud/schemas/{kind}.json says: {wrong:#?} in {detail:#}"
    );
}

#[test]
fn every_kind_of_event_has_a_schema_with_an_example_that_fits() {
    let files = std::fs::read_dir(root("shared/cloud/schemas")).unwrap();
    let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    let schemas: BTreeSet<String> =
        names.filter_map(|name| Some(name.strip_suffix(".json")?.to_owned())).collect();
    let kinds: BTreeSet<String> = DetailType::ALL.iter().map(|kind| kind.as_str().to_owned()).collect();
    assert_eq!(schemas, kinds);
    for kind in kinds {
        let schema = schema(&kind);
        assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema", "{kind}");
        assert!(jsonschema::meta::is_valid(&schema), "{kind}");
        let examples = schema["examples"].as_array().unwrap();
        assert!(!examples.is_empty(), "{kind}");
        examples.iter().for_each(|example| check(&kind, example));
    }
}

#[test]
fn a_misspelt_a_missing_and_a_wrong_field_are_found() {
    for kind in DetailType::ALL {
        let schema = schema(kind.as_str());
        let validator = validator(&schema);
        let example = schema["examples"][0].as_object().unwrap();
        for name in schema["required"].as_array().unwrap() {
            let name = name.as_str().unwrap();
            let mut missing = example.clone();
            let value = missing.remove(name).unwrap();
            assert!(!validator.is_valid(&json!(missing)), "{kind:?} without {name}");
            missing.insert(format!("{name}_"), value);
            assert!(!validator.is_valid(&json!(missing)), "{kind:?} with {name} misspelt");
            let mut wrong = example.clone();
            wrong.insert(name.to_owned(), json!(["neither text nor number nor object"]));
            assert!(!validator.is_valid(&json!(wrong)), "{kind:?} with a wrong {name}");
        }
        let mut more = example.clone();
        more.insert("more".to_owned(), json!(1));
        assert!(!validator.is_valid(&json!(more)), "{kind:?} with one field more");
    }
}

#[test]
fn the_events_of_the_examples_are_as_their_schemas_say() {
    let mut found = BTreeSet::new();
    for file in std::fs::read_dir(root("infra/events")).unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let event = json_of(path);
        if event["source"] == "barometer" {
            let kind = event["detail-type"].as_str().unwrap();
            check(kind, &event["detail"]);
            found.insert(kind.to_owned());
        }
    }
    assert!(found.len() >= 4, "{found:?}");
}
