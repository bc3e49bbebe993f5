//! Rule: monthly roll-up.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use barometer_domain::{
    Month, Percent, Settings,
    band::Standing,
    month::{MonthSnapshot, roll_up},
    percent::round_half_up,
    settings::MissingPolicy,
    week::{Confidence, WeekSnapshot},
};
use proptest::prelude::*;

use crate::support::{any_value, any_weights, bp, cases, scored_week, weighted};

fn september() -> Month {
    "2026-09".parse().unwrap()
}

/// A month whose weeks have these login values; nothing stands for a week without a score.
fn month_of(values: &[Option<u16>]) -> MonthSnapshot {
    let settings = weighted(10_000, 0, 0);
    let weeks: Vec<(u32, WeekSnapshot)> = september()
        .weeks()
        .into_iter()
        .zip(values)
        .map(|(week, value)| (1, scored_week(&settings, week, [*value, None, None])))
        .collect();
    roll_up(september(), &settings, 1, &weeks)
}

#[test]
fn the_month_is_the_mean_of_its_scored_weeks() {
    // (80.00 + 60.00 + 70.01) / 3 = 70.0033…
    let month = month_of(&[Some(8_000), None, Some(6_000), Some(7_001)]);
    assert_eq!((month.score, month.shown, month.band), (Some(bp(7_000)), Some(70), Standing::Healthy));
    assert_eq!(month.weeks.len(), 4);
    assert_eq!(month.weeks[1].score, None);
    assert_eq!(month.components.login.weeks, 3);
}

#[test]
fn unrounded_weeks_go_in_and_are_rounded_once() {
    // Shown as 75 and 76, the mean of which would be 75.5 and so 76; the scores' mean is 75.49.
    let month = month_of(&[Some(7_548), Some(7_550)]);
    assert_eq!((month.score, month.shown, month.band), (Some(bp(7_549)), Some(75), Standing::Healthy));
    let month = month_of(&[Some(7_549), Some(7_550)]);
    assert_eq!((month.score, month.shown, month.band), (Some(bp(7_550)), Some(76), Standing::Thriving));
}

#[test]
fn fewer_than_two_scored_weeks_are_insufficient() {
    for values in [&[][..], &[Some(9_000)], &[Some(9_000), None, None, None], &[None, None]] {
        let month = month_of(values);
        assert_eq!(
            (month.score, month.shown, month.band),
            (None, None, Standing::Insufficient),
            "{values:?}"
        );
        assert_eq!(month.confidence, Confidence::Low);
        assert_eq!(month.components.login.contribution, None);
    }
}

#[test]
fn a_company_still_onboarding_in_its_latest_scored_week_has_no_band() {
    let settings = weighted(10_000, 0, 0);
    let mut weeks: Vec<(u32, WeekSnapshot)> = september()
        .weeks()
        .into_iter()
        .map(|week| (1, scored_week(&settings, week, [Some(8_000), None, None])))
        .collect();
    weeks[3].1.band = Standing::Onboarding;
    let month = roll_up(september(), &settings, 1, &weeks);
    assert_eq!((month.score, month.band), (Some(bp(8_000)), Standing::Onboarding));
    weeks.reverse();
    assert_eq!(roll_up(september(), &settings, 1, &weeks), month, "in any order");
    weeks.reverse();
    weeks[3].1.band = Standing::Thriving;
    weeks[0].1.band = Standing::Onboarding;
    assert_eq!(roll_up(september(), &settings, 1, &weeks).band, Standing::Thriving);
}

#[test]
fn weeks_of_other_months_are_left_out() {
    let settings = weighted(10_000, 0, 0);
    let week =
        |text: &str, value| (2, scored_week(&settings, text.parse().unwrap(), [Some(value), None, None]));
    let weeks = [week("2026-W35", 0), week("2026-W36", 6_000), week("2026-W39", 8_000), week("2026-W40", 0)];
    let month = roll_up(september(), &settings, 4, &weeks);
    assert_eq!((month.score, month.weeks.len(), month.settings_version), (Some(bp(7_000)), 2, 4));
    assert_eq!(month.weeks[0].revision, 2);
}

#[test]
fn a_component_that_was_missing_all_month_contributes_nothing_and_not_nought() {
    let settings = weighted(5_000, 0, 5_000);
    let weeks: Vec<(u32, WeekSnapshot)> = september()
        .weeks()
        .into_iter()
        .map(|week| (1, scored_week(&settings, week, [Some(8_000), None, None])))
        .collect();
    let month = roll_up(september(), &settings, 1, &weeks);
    assert_eq!(month.score, Some(bp(8_000)));
    assert_eq!(month.coverage, Percent::HALF);
    let feedback = month.components.feedback;
    assert_eq!((feedback.value, feedback.contribution, feedback.weeks), (None, None, 0));
    let text = serde_json::to_string(&month).unwrap();
    assert_eq!(serde_json::from_str::<MonthSnapshot>(&text).unwrap(), month);
}

#[test]
fn the_least_confidence_of_the_scored_weeks_is_the_month_s() {
    let settings = weighted(10_000, 0, 0);
    let mut weeks: Vec<(u32, WeekSnapshot)> = september()
        .weeks()
        .into_iter()
        .map(|week| (1, scored_week(&settings, week, [Some(8_000), None, None])))
        .collect();
    for (week, confidence) in weeks.iter_mut().zip([Confidence::High, Confidence::High, Confidence::Medium]) {
        week.1.confidence = confidence;
    }
    assert_eq!(roll_up(september(), &settings, 1, &weeks).confidence, Confidence::Medium);
    weeks[0].1.confidence = Confidence::Low;
    assert_eq!(roll_up(september(), &settings, 1, &weeks).confidence, Confidence::Low);
}

proptest! {
    #![proptest_config(cases(1_024))]

    #[test]
    fn a_month_is_exact_explains_itself_and_does_not_care_for_order(
        weights in any_weights(),
        values in proptest::collection::vec([any_value(), any_value(), any_value()], 0..=5),
        policy in proptest::sample::select(
            &[MissingPolicy::Redistribute, MissingPolicy::Zero, MissingPolicy::Neutral][..]),
        shift in 0_usize..5,
    ) {
        let settings = Settings { missing_policy: policy, ..weighted(weights.0, weights.1, weights.2) };
        let month: Month = "2026-10".parse().unwrap();
        prop_assert_eq!(month.weeks().len(), 5);
        let mut weeks: Vec<(u32, WeekSnapshot)> = month.weeks().into_iter().zip(&values)
            .map(|(week, values)| (1, scored_week(&settings, week, *values)))
            .collect();
        let rolled = roll_up(month, &settings, 1, &weeks);

        let scores: Vec<u128> = weeks.iter()
            .filter_map(|(_, week)| week.score)
            .map(|score| u128::from(score.basis_points()))
            .collect();
        let expected = (scores.len() >= 2).then(|| round_half_up(scores.iter().sum(), scores.len() as u128));
        prop_assert_eq!(rolled.score.map(|score| u128::from(score.basis_points())), expected);
        prop_assert_eq!(rolled.shown, rolled.score.map(Percent::shown));
        match rolled.score {
            Some(score) => prop_assert_eq!(rolled.band, settings.bands.band(score).into()),
            None => prop_assert_eq!(rolled.band, Standing::Insufficient),
        }

        let parts = rolled.components;
        let parts = [parts.login.contribution, parts.adoption.contribution, parts.feedback.contribution];
        let sum: u16 = parts.into_iter().flatten().map(Percent::basis_points).sum();
        prop_assert_eq!(sum, rolled.score.map_or(0, Percent::basis_points));

        if !weeks.is_empty() {
            let by = shift % weeks.len();
            weeks.rotate_left(by);
            prop_assert_eq!(roll_up(month, &settings, 1, &weeks), rolled);
        }
    }
}
