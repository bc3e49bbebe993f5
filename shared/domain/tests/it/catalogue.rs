//! Rule: breadth: which features a plan includes and which names mean them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use barometer_domain::{
    activity::{FeatureSource, Sighting},
    catalogue::{Feature, Match},
};

fn feature(json: &str) -> Feature {
    serde_json::from_str(json).unwrap()
}

fn seen(source: FeatureSource, name: &str) -> Sighting {
    Sighting::new(source, name).unwrap()
}

#[test]
fn a_feature_without_names_is_meant_by_its_key_wherever_it_is_seen() {
    let export = feature(r#"{"key":"export"}"#);
    assert_eq!((export.weight, export.names.clone()), (1, Match::default()));
    for source in [FeatureSource::Property, FeatureSource::Event, FeatureSource::View] {
        assert!(export.means(&seen(source, "export")));
        assert!(!export.means(&seen(source, "Export")));
        assert!(!export.means(&seen(source, "exports")));
    }
}

#[test]
fn a_feature_with_names_is_meant_by_them_alone() {
    let text = r#"{"key":"export","match":{"events":["Report *"],"features":["csv"],"pages":["/export"]}}"#;
    let export = feature(text);
    assert!(export.means(&seen(FeatureSource::Event, "Report Exported")));
    assert!(export.means(&seen(FeatureSource::Property, "csv")));
    assert!(export.means(&seen(FeatureSource::View, "/export")));
    assert!(!export.means(&seen(FeatureSource::Event, "export")), "the key no longer counts");
    assert!(!export.means(&seen(FeatureSource::View, "Report Exported")), "an event's name on a page");
    assert!(!export.means(&seen(FeatureSource::Event, "csv")));
    let again: Feature = serde_json::from_str(&serde_json::to_string(&export).unwrap()).unwrap();
    assert_eq!(again, export);
}

#[test]
fn a_plan_includes_what_names_it_or_names_none() {
    let everyone = feature(r#"{"key":"a"}"#);
    let paid = feature(r#"{"key":"b","plans":["pro","team"]}"#);
    assert!(everyone.entitled(None) && everyone.entitled(Some("free")));
    assert!(paid.entitled(Some("pro")) && paid.entitled(Some("team")));
    assert!(!paid.entitled(Some("free")) && !paid.entitled(None) && !paid.entitled(Some("Pro")));
}

#[test]
fn unknown_fields_are_refused() {
    assert!(serde_json::from_str::<Feature>(r#"{"key":"a","wieght":2}"#).is_err());
    assert!(serde_json::from_str::<Feature>(r#"{"key":"a","match":{"event":["x"]}}"#).is_err());
    assert!(serde_json::from_str::<Feature>(r#"{"weight":1}"#).is_err());
}
