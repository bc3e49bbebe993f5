//! The OpenAPI document and the template name the same routes.

use std::collections::BTreeSet;

use barometer_tests::template;
use serde_json::Value;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../functions/portfolio/openapi.json");

/// The document as it is checked in.
pub fn checked_in() -> Value {
    serde_json::from_str(&std::fs::read_to_string(FILE).unwrap()).unwrap()
}

#[test]
fn the_document_has_exactly_the_routes_that_the_template_gives_its_functions() {
    let document = checked_in();
    let mut described = BTreeSet::new();
    let mut default = BTreeSet::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            // Clients' paths are the default route's: every one that no other function has.
            let ingestion = operation["tags"][0] == "Ingestion" && path != "/v1/feedback";
            let routes = if ingestion { &mut default } else { &mut described };
            routes.insert(format!("{} {path}", method.to_uppercase()));
        }
    }
    let mut given = BTreeSet::new();
    for function in ["portfolio", "update-status", "submit-feedback", "ingest-events"] {
        given.extend(template::routes(function).unwrap());
    }
    given.retain(|route| !route.starts_with("HEAD ") && !route.starts_with("OPTIONS "));
    assert_eq!(described, given);
    assert!(default.len() > 15 && default.is_disjoint(&given), "{default:?}");
}
