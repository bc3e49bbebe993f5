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
    for (path, methods) in document["paths"].as_object().unwrap() {
        described.extend(
            methods.as_object().unwrap().keys().map(|method| format!("{} {path}", method.to_uppercase())),
        );
    }
    let mut given = template::routes("portfolio").unwrap();
    given.extend(template::routes("update-status").unwrap());
    assert_eq!(described, given);
}
