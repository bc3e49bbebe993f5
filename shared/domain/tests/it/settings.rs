//! Settings as they come over the wire.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use barometer_domain::{
    Percent, Settings,
    band::Bands,
    catalogue::Feature,
    settings::{FeedbackMethod, MAX_FEATURES, MissingPolicy, SettingsError, Weights},
};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::{ZONES, any_weights, bp, cases};

fn named() -> Settings {
    Settings { name: "Acme".into(), ..Settings::default() }
}

fn pointers(settings: &Settings) -> Vec<String> {
    settings.check().unwrap_err().into_iter().map(|error| error.pointer).collect()
}

fn feature(key: &str, weight: u16) -> Feature {
    serde_json::from_value(json!({ "key": key, "weight": weight })).unwrap()
}

#[test]
fn the_defaults_are_those_of_the_rules() {
    let settings: Settings = serde_json::from_str("{}").unwrap();
    assert_eq!(settings, Settings::default());
    assert_eq!(settings.weights, Weights::new(bp(3_333), bp(3_333), bp(3_333)).unwrap());
    assert_eq!(settings.login_days.get(), 1);
    assert_eq!(settings.minutes_per_user_week.get(), 60);
    assert_eq!((settings.adoption_split.breadth(), settings.adoption_split.depth()), (60, 40));
    assert_eq!(settings.feature_days.get(), 1);
    assert_eq!(settings.catalogue, None);
    assert_eq!(settings.bands, Bands::new(76, 51, 26).unwrap());
    assert_eq!(settings.missing_policy, MissingPolicy::Redistribute);
    assert_eq!(settings.feedback_method, FeedbackMethod::Mean);
    assert_eq!(settings.answer_age().num_days(), 90);
    assert_eq!(settings.cadence_days.duration().num_days(), 30);
    assert_eq!(settings.time_zone.name(), "UTC");
}

#[test]
fn an_unknown_field_is_refused_at_every_depth() {
    let whole = serde_json::to_value(named()).unwrap();
    let depths = [
        "",
        "/weights",
        "/adoption_split",
        "/bands",
        "/happiness_levels",
        "/review_days",
        "/exclusions",
        "/mail",
    ];
    for pointer in depths {
        let mut value = whole.clone();
        value.pointer_mut(pointer).unwrap().as_object_mut().unwrap().insert("wieght".into(), json!(1));
        let error = serde_json::from_value::<Settings>(value).unwrap_err().to_string();
        assert!(error.contains("wieght"), "{pointer}: {error}");
    }
}

#[test]
fn values_that_cannot_be_are_refused() {
    for (field, value) in [
        ("weights", json!({"login": 50, "adoption": 50, "feedback": 1})),
        ("weights", json!({"login": 33.33, "adoption": 33.33})),
        ("weights", json!({"login": 33.333, "adoption": 33.333, "feedback": 33.333})),
        ("weights", json!({"login": -10, "adoption": 100, "feedback": 10})),
        ("login_days", json!(0)),
        ("login_days", json!(8)),
        ("minutes_per_user_week", json!(0)),
        ("adoption_split", json!({"breadth": 60, "depth": 41})),
        ("adoption_split", json!({"breadth": 200, "depth": 156})),
        ("feature_days", json!(0)),
        ("bands", json!({"thriving": 51, "healthy": 51, "steady": 26})),
        ("missing_policy", json!("ignore")),
        ("feedback_method", json!("csat")),
        ("answer_age_days", json!(0)),
        ("cadence_days", json!(45)),
        ("time_zone", json!("Mars/Olympus")),
        ("time_zone", json!(null)),
        ("exclusions", json!({"user_ids": [""]})),
        ("retention_days", json!(0)),
        ("name", json!(7)),
    ] {
        let text = json!({ "name": "Acme", field: value.clone() });
        assert!(serde_json::from_value::<Settings>(text).is_err(), "{field} {value}");
    }
}

#[test]
fn a_check_names_every_field_that_breaks_a_rule() {
    assert_eq!(named().check(), Ok(()));
    assert_eq!(pointers(&Settings::default()), ["/name"]);
    assert_eq!(pointers(&Settings { name: " \t".into(), ..Settings::default() }), ["/name"]);

    let mut settings = named();
    settings.catalogue = Some(vec![
        feature("a", 0),
        feature("b", 1_001),
        feature(" ", 1),
        feature("a", 1),
        feature(&"x".repeat(65), 1),
    ]);
    assert_eq!(
        pointers(&settings),
        [
            "/catalogue/0/weight",
            "/catalogue/1/weight",
            "/catalogue/2/key",
            "/catalogue/3/key",
            "/catalogue/4/key"
        ]
    );
    settings.catalogue = Some((0..=MAX_FEATURES).map(|key| feature(&format!("f{key}"), 1)).collect());
    assert_eq!(pointers(&settings), ["/catalogue"]);
    settings.catalogue = Some((0..MAX_FEATURES).map(|key| feature(&format!("f{key}"), 1_000)).collect());
    assert_eq!(settings.check(), Ok(()));

    let mut settings = Settings { feature_days: 29.try_into().unwrap(), ..named() };
    settings.mail.reply_to = Some("nobody".into());
    assert_eq!(pointers(&settings), ["/feature_days", "/mail/reply_to"]);
    settings.feature_days = 28.try_into().unwrap();
    settings.mail.reply_to = Some("csm@acme.example\r\nBcc: all@acme.example".into());
    assert_eq!(pointers(&settings), ["/mail/reply_to"]);
    settings.mail.reply_to = Some("csm@acme.example".into());
    assert_eq!(settings.check(), Ok(()));

    settings.mail.accent = Some("#ffcc00".into());
    settings.mail.logo_url = Some("http://acme.example/logo.png".into());
    let errors = settings.check().unwrap_err();
    assert_eq!(
        errors[0].to_string(),
        "/mail/accent: white text on this colour has a contrast of 1.51:1; it must be 4.5:1 or more. Take a darker colour"
    );
    assert_eq!(pointers(&settings), ["/mail/accent", "/mail/logo_url"]);

    let error = SettingsError { pointer: "/name".into(), detail: "a workspace has a name".into() };
    assert_eq!(error.to_string(), "/name: a workspace has a name");
}

#[test]
fn the_weights_error_says_the_sum() {
    let error = Weights::new(bp(5_000), bp(5_000), bp(6)).unwrap_err();
    assert_eq!(error.to_string(), "the weights sum to 100.06 %; they must sum to 100 %");
    let error = Weights::new(bp(5_000), bp(4_500), bp(0)).unwrap_err();
    assert_eq!(error.to_string(), "the weights sum to 95 %; they must sum to 100 %");
    assert!(Weights::new(bp(5_000), bp(5_000), bp(5)).is_ok());
    assert!(Weights::new(bp(5_000), bp(4_995), bp(0)).is_ok());
    assert!(Weights::new(bp(5_000), bp(4_994), bp(0)).is_err());
    assert!(Weights::new(Percent::FULL, Percent::FULL, Percent::FULL).is_err());
}

#[test]
fn a_mail_names_the_product_else_the_workspace() {
    let mut settings = named();
    assert_eq!(settings.product(), "Acme");
    settings.mail.product = "Rocket".into();
    assert_eq!(settings.product(), "Rocket");
}

#[test]
fn an_excluded_domain_is_compared_without_case() {
    let mut settings = named();
    settings.exclusions.email_domains.insert("initech.example".into());
    assert!(settings.exclusions.excludes_email("Bill@Initech.EXAMPLE"));
    for email in ["bill@other.example", "bill@sub.initech.example", "initech.example", ""] {
        assert!(!settings.exclusions.excludes_email(email), "{email}");
    }
}

fn any_settings() -> impl Strategy<Value = Value> {
    let numbers = (1_u8..=7, 1_u16.., 0_u8..=100, 1_u8..=28, 1_u16..);
    let words = (
        proptest::sample::select(&["redistribute", "zero", "neutral"][..]),
        proptest::sample::select(&["mean", "nps"][..]),
        proptest::sample::select(ZONES.as_slice()),
        proptest::sample::select(&[30, 60, 90, 180][..]),
    );
    let catalogue = proptest::option::of(proptest::collection::vec(("[a-z]{1,8}", 1_u16..=1_000), 0..4));
    (any_weights(), numbers, words, catalogue).prop_map(|(weights, numbers, words, catalogue)| {
        let percent = |basis_points: u16| bp(basis_points);
        let features = catalogue.map(|features| {
            let feature = |(key, weight)| json!({"key": key, "weight": weight, "plans": ["pro"], "match": {"events": ["x*"]}});
            features.into_iter().map(feature).collect::<Vec<_>>()
        });
        json!({
            "name": "Acme",
            "weights": {"login": percent(weights.0), "adoption": percent(weights.1), "feedback": percent(weights.2)},
            "login_days": numbers.0,
            "minutes_per_user_week": numbers.1,
            "adoption_split": {"breadth": numbers.2, "depth": 100 - numbers.2},
            "feature_days": numbers.3,
            "answer_age_days": numbers.4,
            "missing_policy": words.0,
            "feedback_method": words.1,
            "time_zone": words.2,
            "cadence_days": words.3,
            "catalogue": features,
        })
    })
}

proptest! {
    #![proptest_config(cases(256))]

    #[test]
    fn settings_survive_the_wire(value in any_settings()) {
        let settings: Settings = serde_json::from_value(value.clone()).unwrap();
        let text = serde_json::to_string(&settings).unwrap();
        prop_assert_eq!(serde_json::from_str::<Settings>(&text).unwrap(), settings);
        // What was given stands unchanged in what is written.
        let written: Value = serde_json::from_str(&text).unwrap();
        for (field, given) in value.as_object().unwrap() {
            prop_assert_eq!(&written[field], given, "{}", field);
        }
    }
}
