//! Rules: arithmetic, bands.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use barometer_domain::{
    Percent,
    band::{Band, Bands, Standing},
    percent::round_half_up,
};
use proptest::prelude::*;

use crate::support::{any_basis_points, bp, cases};

#[test]
fn the_edges_of_the_bands_are_exact() {
    for (percent, band) in [
        (0, Band::AtRisk),
        (25, Band::AtRisk),
        (26, Band::Steady),
        (50, Band::Steady),
        (51, Band::Healthy),
        (75, Band::Healthy),
        (76, Band::Thriving),
        (100, Band::Thriving),
    ] {
        assert_eq!(Bands::default().band(Percent::whole(percent)), band, "{percent}");
    }
}

#[test]
fn half_a_percent_rounds_up_and_a_hundredth_less_does_not() {
    let bands = Bands::default();
    for (score, shown, band) in [
        (7_550, 76, Band::Thriving),
        (7_549, 75, Band::Healthy),
        (5_050, 51, Band::Healthy),
        (5_049, 50, Band::Steady),
        (2_550, 26, Band::Steady),
        (2_549, 25, Band::AtRisk),
        (49, 0, Band::AtRisk),
        (9_950, 100, Band::Thriving),
    ] {
        assert_eq!((bp(score).shown(), bands.band(bp(score))), (shown, band), "{score}");
    }
}

#[test]
fn the_preset_begins_at_80_60_40() {
    for (percent, band) in [
        (39, Band::AtRisk),
        (40, Band::Steady),
        (59, Band::Steady),
        (60, Band::Healthy),
        (79, Band::Healthy),
        (80, Band::Thriving),
    ] {
        assert_eq!(Bands::GOCSM_2026.band(Percent::whole(percent)), band, "{percent}");
    }
}

/// Every score there is: total, monotone, and what is shown decides.
#[test]
fn every_score_has_one_band_and_a_higher_score_never_a_lower_band() {
    for bands in [Bands::default(), Bands::GOCSM_2026, Bands::new(100, 2, 1).unwrap()] {
        let mut before = Band::AtRisk;
        for score in 0..=10_000 {
            let band = bands.band(bp(score));
            assert!(band >= before, "{score}");
            assert_eq!(band, bands.band(Percent::whole(bp(score).shown())), "{score}");
            before = band;
        }
        assert_eq!(before, Band::Thriving);
    }
}

#[test]
fn thresholds_descend_strictly_from_100_to_1() {
    for (thriving, healthy, steady) in
        [(101, 50, 25), (50, 50, 25), (75, 25, 25), (75, 50, 0), (25, 50, 75), (0, 0, 0)]
    {
        assert!(Bands::new(thriving, healthy, steady).is_err(), "{thriving} {healthy} {steady}");
    }
    let text = r#"{"thriving":76,"healthy":51,"steady":26}"#;
    assert_eq!(serde_json::from_str::<Bands>(text).unwrap(), Bands::default());
    assert_eq!(serde_json::to_string(&Bands::default()).unwrap(), text);
    assert!(serde_json::from_str::<Bands>(r#"{"thriving":50,"healthy":51,"steady":26}"#).is_err());
}

#[test]
fn a_standing_has_the_words_of_its_band_on_the_wire_and_for_people() {
    for (standing, wire, label, band) in [
        (Standing::AtRisk, "at_risk", "At Risk", Some(Band::AtRisk)),
        (Standing::Steady, "steady", "Steady", Some(Band::Steady)),
        (Standing::Healthy, "healthy", "Healthy", Some(Band::Healthy)),
        (Standing::Thriving, "thriving", "Thriving", Some(Band::Thriving)),
        (Standing::Onboarding, "onboarding", "Onboarding", None),
        (Standing::Insufficient, "insufficient", "Insufficient", None),
    ] {
        assert_eq!(serde_json::to_value(standing).unwrap(), wire);
        assert_eq!(standing.label(), label);
        assert_eq!(standing.band(), band);
        if let Some(band) = band {
            assert_eq!(Standing::from(band), standing);
            assert_eq!(band.label(), label);
            assert_eq!(serde_json::to_value(band).unwrap(), wire);
        }
    }
}

#[test]
fn every_percentage_survives_the_wire() {
    for score in 0..=10_000 {
        let text = serde_json::to_string(&bp(score)).unwrap();
        assert_eq!(serde_json::from_str::<Percent>(&text).unwrap(), bp(score), "{text}");
        assert!(text.split('.').nth(1).is_none_or(|decimals| decimals.len() <= 2), "{text}");
    }
    for text in ["-0.01", "100.01", "0.001", "1e9", "null", r#""50""#, "true", "65536"] {
        assert!(serde_json::from_str::<Percent>(text).is_err(), "{text}");
    }
    assert!(Percent::from_number(f64::NAN).is_err());
    assert!(Percent::from_number(f64::INFINITY).is_err());
    assert!(Percent::from_basis_points(10_001).is_err());
    assert_eq!(Percent::whole(255), Percent::FULL);
    assert_eq!(bp(7_505).to_string(), "75.05 %");
}

proptest! {
    #![proptest_config(cases(512))]

    #[test]
    fn any_thresholds_are_monotone_and_agree_with_the_number_shown(
        (steady, healthy, thriving) in (1_u8..=98)
            .prop_flat_map(|steady| (Just(steady), steady + 1..=99))
            .prop_flat_map(|(steady, healthy)| (Just(steady), Just(healthy), healthy + 1..=100)),
        low in any_basis_points(),
        high in any_basis_points(),
    ) {
        let (low, high) = (low.min(high), low.max(high));
        let bands = Bands::new(thriving, healthy, steady).unwrap();
        prop_assert!(bands.band(bp(low)) <= bands.band(bp(high)));
        for score in [bp(low), bp(high)] {
            let shown = score.shown();
            let expected = if shown >= thriving { Band::Thriving }
                else if shown >= healthy { Band::Healthy }
                else if shown >= steady { Band::Steady }
                else { Band::AtRisk };
            prop_assert_eq!(bands.band(score), expected);
        }
    }

    /// Half up, stated without division: the result is the only whole number q with q − ½ ≤ n/d < q + ½.
    #[test]
    fn a_division_rounds_half_up_once(numerator in 0_u128..1_000_000_000, denominator in 1_u128..1_000_000) {
        let rounded = round_half_up(numerator, denominator);
        prop_assert!(2 * rounded * denominator <= 2 * numerator + denominator);
        prop_assert!(2 * numerator + denominator < 2 * (rounded + 1) * denominator);
        let ratio = Percent::ratio(numerator, denominator).unwrap();
        let exact = round_half_up(numerator * 10_000, denominator).min(10_000);
        prop_assert_eq!(u128::from(ratio.basis_points()), exact);
    }
}
