//! Rules: weekly components, weekly score, missing policies.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use barometer_domain::{
    Percent, Settings,
    answer::Answer,
    component::{
        self, Adoption, LoginCounts, Missing, Reading, UsesOfWeek, Weighed, adoption, feedback,
        users_by_days, uses_of_week, voices,
    },
    percent::round_half_up,
    settings::{MissingPolicy, Weights},
    telemetry::{Census, Telemetry},
};
use proptest::prelude::*;

use crate::support::{
    answer, any_policy, any_value, any_weights, at, bp, cases, nps, week, weighed, weighted,
};

fn contributions(weighed: &Weighed) -> [Option<Percent>; 3] {
    let parts = weighed.components;
    [parts.login.contribution, parts.adoption.contribution, parts.feedback.contribution]
}

fn sum(contributions: [Option<Percent>; 3]) -> u16 {
    contributions.into_iter().flatten().map(Percent::basis_points).sum()
}

/// Login activity of users with these active days.
fn login(settings: &Settings, active_days: &[u32], telemetry: Telemetry) -> Reading<LoginCounts> {
    component::login(settings, active_days.len() as u32, &users_by_days(active_days), telemetry)
}

#[test]
fn two_users_of_whom_one_was_active_are_fifty_percent() {
    let reading = login(&Settings::default(), &[1, 0], Telemetry::Normal);
    assert_eq!(reading.value, Ok(Percent::HALF));
    assert_eq!((reading.counts.users, reading.counts.active_users, reading.counts.active_days), (2, 1, 1));
}

#[test]
fn days_beyond_the_target_do_not_make_up_for_others() {
    let settings = Settings { login_days: 3.try_into().unwrap(), ..Settings::default() };
    let reading = login(&settings, &[7, 1, 0], Telemetry::Normal);
    // min(7,3) + min(1,3) + 0 = 4 of 3 × 3 = 9.
    assert_eq!(reading.value, Ok(bp(4_444)));
    assert_eq!((reading.counts.active_days, reading.counts.active_users), (4, 2));
    assert_eq!(login(&settings, &[], Telemetry::Normal).value, Err(Missing::NoEligibleUsers));
}

#[test]
fn silence_is_missing_only_when_we_were_not_told() {
    let settings = Settings::default();
    let none = UsesOfWeek::new();
    let idle = Adoption { users: 1, minutes: 0, uses: [&none; 4], plan: None };
    let answers = [answer("ann", nps(7), at("2026-09-01T00:00:00Z"))];
    let heard = |answers: &[Answer]| voices(&settings, answers, week("2026-W36"), settings.time_zone);
    for (telemetry, silent, answered) in [
        (Telemetry::Normal, Ok(Percent::ZERO), Ok(Percent::whole(70))),
        (Telemetry::NeverSent, Err(Missing::NoTelemetry), Ok(Percent::whole(70))),
        (Telemetry::WorkspaceSilent, Err(Missing::WorkspaceSilent), Ok(Percent::whole(70))),
        (Telemetry::DataGap, Err(Missing::DataGap), Err(Missing::DataGap)),
    ] {
        assert_eq!(login(&settings, &[0], telemetry).value, silent, "{telemetry:?}");
        assert_eq!(adoption(&settings, &idle, telemetry).value, silent, "{telemetry:?}");
        let read = feedback(&settings, heard(&answers), telemetry);
        assert_eq!(read.value, answered, "{telemetry:?}");
        assert_eq!(read.counts.answers, 1, "counts are told whatever the value");
    }
    let read = feedback(&settings, heard(&[]), Telemetry::Normal);
    assert_eq!(read.value, Err(Missing::NoAnswers), "never 0");
}

#[test]
fn a_data_gap_is_a_fifth_of_the_regular_companies_and_at_least_five() {
    for (regular, silent, gap) in [
        (25, 5, true),  // exactly 20 %
        (26, 5, false), // 19.2 %
        (10, 4, false), // 40 %, but four
        (5, 5, true),
        (100, 20, true),
        (100, 19, false),
        (0, 0, false),
        (4, 4, false),
    ] {
        assert_eq!(Census { heard: 1, regular, silent }.is_data_gap(), gap, "{silent} of {regular}");
    }
}

#[test]
fn breadth_decays_after_four_weeks_and_counts_days_of_four_weeks() {
    let settings: Settings = serde_json::from_str(
        r#"{"name":"t","feature_days":2,"adoption_split":{"breadth":100,"depth":0},"catalogue":[{"key":"a"},{"key":"b"}]}"#,
    )
    .unwrap();
    let used = |names: &[(&str, u8)]| -> UsesOfWeek {
        names.iter().map(|(name, days)| (format!("e{name}").parse().unwrap(), *days)).collect()
    };
    let read = |weeks: [&UsesOfWeek; 4]| {
        adoption(&settings, &Adoption { users: 3, minutes: 0, uses: weeks, plan: None }, Telemetry::Normal)
    };
    let none = used(&[]);
    let monday = used(&[("a", 0b1)]);
    let tuesday = used(&[("a", 0b10)]);
    let both = used(&[("a", 0b11), ("b", 0b1)]);
    assert_eq!(read([&monday, &none, &none, &none]).value, Ok(Percent::ZERO), "one day of two");
    assert_eq!(read([&monday, &none, &none, &monday]).value, Ok(Percent::HALF), "two Mondays are two days");
    assert_eq!(read([&none, &tuesday, &monday, &none]).value, Ok(Percent::HALF));
    assert_eq!(read([&none, &none, &none, &both]).value, Ok(Percent::HALF), "b on one day only");
    let counts = read([&both, &both, &none, &none]).counts;
    assert_eq!((counts.features_used, counts.features_entitled), (Some(2), Some(2)));
    // The same day under two names of one feature is one day.
    let mut twice = monday.clone();
    twice.insert("fa".parse().unwrap(), 0b1);
    assert_eq!(read([&twice, &none, &none, &none]).value, Ok(Percent::ZERO));
}

#[test]
fn every_day_of_the_four_weeks_is_a_day_of_its_own() {
    let settings: Settings = serde_json::from_str(
        r#"{"name":"t","feature_days":28,"adoption_split":{"breadth":100,"depth":0},"catalogue":[{"key":"a"}]}"#,
    )
    .unwrap();
    let days = |bits: u8| UsesOfWeek::from([("ea".parse().unwrap(), bits)]);
    let every = days(0b111_1111);
    let read = |weeks: &[UsesOfWeek; 4]| {
        let input = Adoption { users: 1, minutes: 0, uses: weeks.each_ref(), plan: None };
        adoption(&settings, &input, Telemetry::Normal).value
    };
    let full = [0; 4].map(|_| every.clone());
    assert_eq!(read(&full), Ok(Percent::FULL));
    for (place, day) in (0..4).flat_map(|place| (0..7).map(move |day| (place, day))) {
        let mut weeks = full.clone();
        weeks[place] = days(0b111_1111 & !(1 << day));
        assert_eq!(read(&weeks), Ok(Percent::ZERO), "without day {day} of week {place}");
    }
}

#[test]
fn a_part_of_adoption_that_is_missing_leaves_the_other_alone() {
    let none = UsesOfWeek::new();
    let input = |users, minutes| Adoption { users, minutes, uses: [&none; 4], plan: None };
    let no_catalogue = Settings::default();
    let read = adoption(&no_catalogue, &input(1, 30), Telemetry::Normal);
    assert_eq!((read.value, read.counts.features_entitled), (Ok(Percent::HALF), None));
    // A catalogue that includes nothing for the plan has no breadth either.
    let other_plan = Settings {
        catalogue: Some(vec![serde_json::from_str(r#"{"key":"a","plans":["pro"]}"#).unwrap()]),
        ..Settings::default()
    };
    let read = adoption(&other_plan, &input(1, 30), Telemetry::Normal);
    assert_eq!((read.value, read.counts.features_entitled), (Ok(Percent::HALF), Some(0)));
    assert_eq!(adoption(&no_catalogue, &input(0, 0), Telemetry::Normal).value, Err(Missing::NoEligibleUsers));
    // More minutes than expected count as expected.
    assert_eq!(adoption(&no_catalogue, &input(2, 5_000), Telemetry::Normal).value, Ok(Percent::FULL));
}

#[test]
fn uses_of_users_are_days_of_names() {
    let mut ann = barometer_domain::activity::UserWeek::default();
    ann.uses.extend(["1ea".parse().unwrap(), "3ea".parse().unwrap(), "7vb".parse().unwrap()]);
    let mut ben = barometer_domain::activity::UserWeek::default();
    ben.uses.insert("3ea".parse().unwrap());
    let uses = uses_of_week([&ann, &ben, &ann]);
    assert_eq!(serde_json::to_string(&uses).unwrap(), r#"{"ea":5,"vb":64}"#);
}

#[test]
fn half_of_the_weight_is_enough_and_a_hundredth_less_is_not() {
    let half = weighed(&weighted(5_000, 5_000, 0), [Some(8_000), None, None]);
    assert_eq!((half.coverage, half.score), (Percent::HALF, Some(bp(8_000))));
    let less = weighed(&weighted(4_999, 5_001, 0), [Some(8_000), None, None]);
    assert_eq!((less.coverage, less.score), (bp(4_999), None));
    assert_eq!(contributions(&less), [None; 3]);
    let third = weighed(&Settings::default(), [Some(8_000), None, None]);
    assert_eq!((third.coverage, third.score), (bp(3_333), None));
    let two_thirds = weighed(&Settings::default(), [Some(8_000), None, Some(4_000)]);
    assert_eq!((two_thirds.coverage, two_thirds.score), (bp(6_667), Some(bp(6_000))));
    assert_eq!(weighed(&Settings::default(), [None; 3]).score, None);
}

#[test]
fn each_policy_says_what_a_missing_component_counts() {
    let score = |policy| {
        let settings = Settings { missing_policy: policy, ..weighted(4_000, 4_000, 2_000) };
        weighed(&settings, [Some(5_000), Some(9_000), None])
    };
    assert_eq!(score(MissingPolicy::Redistribute).score, Some(bp(7_000)));
    assert_eq!(score(MissingPolicy::Zero).score, Some(bp(5_600)));
    assert_eq!(score(MissingPolicy::Neutral).score, Some(bp(6_600)));
    assert_eq!(contributions(&score(MissingPolicy::Redistribute)), [Some(bp(2_500)), Some(bp(4_500)), None]);
    assert_eq!(contributions(&score(MissingPolicy::Zero))[2], Some(Percent::ZERO));
    assert_eq!(contributions(&score(MissingPolicy::Neutral))[2], Some(bp(1_000)));
    for policy in [MissingPolicy::Redistribute, MissingPolicy::Zero, MissingPolicy::Neutral] {
        assert_eq!(score(policy).coverage, bp(8_000), "coverage says what was known, not what was assumed");
        let feedback = score(policy).components.feedback;
        assert_eq!((feedback.value, feedback.missing), (None, Some(Missing::NoAnswers)), "never 0");
    }
}

proptest! {
    #![proptest_config(cases(2_048))]

    #[test]
    fn the_score_is_the_weighted_mean_rounded_once(
        weights in any_weights(), values in [any_value(), any_value(), any_value()], policy in any_policy(),
    ) {
        let weights = [weights.0, weights.1, weights.2];
        let settings = Settings { missing_policy: policy, ..weighted(weights[0], weights[1], weights[2]) };
        let weighed = weighed(&settings, values);
        let total: u128 = weights.iter().map(|weight| u128::from(*weight)).sum();
        let pairs = || weights.iter().map(|weight| u128::from(*weight)).zip(values);
        let present: u128 = pairs().filter(|(_, value)| value.is_some()).map(|(weight, _)| weight).sum();
        prop_assert_eq!(Some(weighed.coverage), Percent::ratio(present, total));
        let substitute = policy.substitute().map(Percent::basis_points);
        let counted = || pairs().filter_map(|(weight, value)| Some((weight, u128::from(value.or(substitute)?))));
        let expected = (2 * present >= total).then(|| {
            let weight: u128 = counted().map(|(weight, _)| weight).sum();
            round_half_up(counted().map(|(weight, value)| weight * value).sum(), weight)
        });
        prop_assert_eq!(weighed.score.map(|score| u128::from(score.basis_points())), expected);

        // Contributions: there exactly where something counted, and in sum the score to the basis point.
        let parts = contributions(&weighed);
        match weighed.score {
            Some(score) => prop_assert_eq!(sum(parts), score.basis_points()),
            None => prop_assert_eq!(parts, [None; 3]),
        }
        for (part, value) in parts.iter().zip(values) {
            prop_assert_eq!(part.is_some(), weighed.score.is_some() && value.or(substitute).is_some());
        }
        // Each is its own share to within a basis point of rounding.
        if weighed.score.is_some() {
            let weight: u128 = counted().map(|(weight, _)| weight).sum();
            let shares = pairs().map(|(weight, value)| weight * u128::from(value.or(substitute).unwrap_or(0)));
            for (part, share) in parts.iter().zip(shares) {
                let part = u128::from(part.map_or(0, Percent::basis_points));
                prop_assert!((part * weight).abs_diff(share) <= weight);
            }
        }
    }

    #[test]
    fn a_missing_component_never_lowers_the_score_under_redistribute(
        weights in any_weights(), values in [any_value(), any_value(), any_value()], without in 0_usize..3,
    ) {
        let settings = weighted(weights.0, weights.1, weights.2);
        let mut missing = values;
        missing[without] = None;
        let mut nought = values;
        nought[without] = Some(0);
        let (missing, nought) = (weighed(&settings, missing), weighed(&settings, nought));
        if let Some(score) = missing.score {
            // What is known decides as if nothing else had been asked; counting the rest as 0 could only lower it.
            prop_assert!(score >= nought.score.unwrap());
        }
        prop_assert!(missing.coverage <= nought.coverage);
    }

    #[test]
    fn redistribute_lies_between_the_present_components(
        weights in any_weights(), values in [any_value(), any_value(), any_value()],
    ) {
        let weighed = weighed(&weighted(weights.0, weights.1, weights.2), values);
        if let Some(score) = weighed.score {
            let switched_on = [weights.0, weights.1, weights.2];
            let present = || values.iter().zip(switched_on).filter(|(_, weight)| *weight > 0).filter_map(|(value, _)| *value);
            prop_assert!(present().min().unwrap() <= score.basis_points());
            prop_assert!(score.basis_points() <= present().max().unwrap());
        }
    }

    #[test]
    fn equal_weights_give_one_score_however_they_are_written(values in [any_value(), any_value(), any_value()]) {
        let scores = [3_332, 3_333, 3_334, 3_335].map(|third| weighed(&weighted(third, third, third), values));
        let present: Vec<u128> = values.iter().flatten().map(|value| u128::from(*value)).collect();
        // One to one to one: the plain mean of what is present, at least two of three.
        let expected = (present.len() >= 2).then(|| round_half_up(present.iter().sum(), present.len() as u128));
        for weighed in scores {
            prop_assert_eq!(weighed.score.map(|score| u128::from(score.basis_points())), expected);
            let band = |score: Percent| Settings::default().bands.band(score);
            prop_assert_eq!(weighed.score.map(band), scores[0].score.map(band));
            prop_assert_eq!(weighed.coverage, scores[0].coverage);
        }
    }

    #[test]
    fn a_weight_of_nothing_switches_a_component_off(
        login in 0_u16..=10_000, values in [any_value(), any_value()], off in any_value(), policy in any_policy(),
    ) {
        let settings = Settings { missing_policy: policy, ..weighted(login, 10_000 - login, 0) };
        let on = weighed(&settings, [values[0], values[1], off]);
        let without = weighed(&settings, [values[0], values[1], None]);
        prop_assert_eq!((on.score, on.coverage), (without.score, without.coverage));
        prop_assert_eq!(contributions(&on)[2].unwrap_or_default(), Percent::ZERO);
    }

    #[test]
    fn a_better_component_never_gives_a_worse_score(
        weights in any_weights(), values in [any_value(), any_value(), any_value()],
        which in 0_usize..3, more in 0_u16..=10_000, policy in any_policy(),
    ) {
        let settings = Settings { missing_policy: policy, ..weighted(weights.0, weights.1, weights.2) };
        if let Some(value) = values[which] {
            let mut better = values;
            better[which] = Some(value.max(more));
            prop_assert!(weighed(&settings, values).score <= weighed(&settings, better).score);
        }
    }

    #[test]
    fn login_activity_is_exact_and_indifferent_to_order(
        (days, shuffled) in proptest::collection::vec(0_u32..=7, 1..60)
            .prop_flat_map(|days| (Just(days.clone()), Just(days).prop_shuffle())),
        target in 1_u8..=7,
    ) {
        let settings = Settings { login_days: target.try_into().unwrap(), ..Settings::default() };
        let read = login(&settings, &days, Telemetry::Normal);
        prop_assert_eq!(read, login(&settings, &shuffled, Telemetry::Normal));
        let counted: u32 = days.iter().map(|days| (*days).min(u32::from(target))).sum();
        let expected = Percent::ratio(u128::from(counted), u128::from(target) * days.len() as u128);
        prop_assert_eq!(read.value.ok(), expected);
    }

    #[test]
    fn weights_are_legal_within_a_twentieth_of_a_percent(
        login in 0_u16..=10_000, adoption in 0_u16..=10_000, feedback in 0_u16..=10_000,
    ) {
        let sum = login + adoption + feedback;
        let weights = Weights::new(bp(login), bp(adoption), bp(feedback));
        prop_assert_eq!(weights.is_ok(), (9_995..=10_005).contains(&sum));
    }
}
