//! Rule: feedback: the value of an answer, each user's latest, mean and NPS.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use barometer_domain::{
    Percent,
    answer::{Answer, Nps, Rating, latest_per_user, mean, nps_value},
};
use chrono::TimeDelta;
use proptest::prelude::*;

use crate::support::{answer, at, bp, cases, nps};

#[test]
fn every_rating_of_every_scale_has_its_value() {
    for rating in 0..=10 {
        assert_eq!(nps(rating).value(), Percent::whole(rating * 10));
    }
    for (face, value) in [(4, 100), (3, 75), (2, 50), (1, 25)] {
        assert_eq!(Rating::faces(face).unwrap().value(), Percent::whole(value));
    }
    for (stars, of, value) in [
        (1, 5, 0),
        (2, 5, 2_500),
        (3, 5, 5_000),
        (5, 5, 10_000),
        (2, 4, 3_333),
        (3, 4, 6_667),
        (2, 2, 10_000),
        (10, 10, 10_000),
        (2, 10, 1_111),
    ] {
        assert_eq!(Rating::stars(stars, of).unwrap().value(), bp(value), "{stars}/{of}");
    }
    assert!(Rating::nps(11).is_err());
    assert!(Rating::faces(0).is_err() && Rating::faces(5).is_err());
    for (stars, of) in [(0, 5), (6, 5), (1, 1), (1, 11), (1, 0)] {
        assert!(Rating::stars(stars, of).is_err(), "{stars}/{of}");
    }
}

#[test]
fn ratings_on_the_wire() {
    for (text, rating) in [
        (r#"{"scale":"nps","rating":0}"#, nps(0)),
        (r#"{"scale":"faces","rating":4}"#, Rating::faces(4).unwrap()),
        (r#"{"scale":"stars","rating":3,"of":7}"#, Rating::stars(3, 7).unwrap()),
    ] {
        assert_eq!(serde_json::from_str::<Rating>(text).unwrap(), rating);
        assert_eq!(serde_json::to_string(&rating).unwrap(), text);
    }
    let stars = serde_json::from_str::<Rating>(r#"{"scale":"stars","rating":3}"#).unwrap();
    assert_eq!(stars, Rating::stars(3, 5).unwrap(), "stars are of five unless said otherwise");
    for text in [
        r#"{"scale":"nps","rating":11}"#,
        r#"{"scale":"nps","rating":-1}"#,
        r#"{"scale":"nps","rating":7.5}"#,
        r#"{"scale":"nps"}"#,
        r#"{"scale":"thumbs","rating":1}"#,
        r#"{"scale":"stars","rating":8,"of":5}"#,
    ] {
        assert!(serde_json::from_str::<Rating>(text).is_err(), "{text}");
    }
}

#[test]
fn nought_is_a_rating_and_no_answer_is_not() {
    assert_eq!(mean([nps(0)]), Some(Percent::ZERO));
    assert_eq!(mean([nps(0), nps(10)]), Some(Percent::HALF));
    assert_eq!(mean([]), None);
    assert_eq!(nps_value([]), None);
    assert_eq!(Nps::of([]), None);
    assert_eq!(mean([nps(10), nps(10), nps(9)]), Some(bp(9_667)));
}

#[test]
fn nps_counts_promoters_less_detractors() {
    // Two promoters, one passive, one detractor of four: NPS 25, so (25 + 100) / 2 = 62.50.
    let ratings = [nps(9), nps(10), nps(7), nps(6)];
    assert_eq!(nps_value(ratings), Some(bp(6_250)));
    let score = Nps::of(ratings).unwrap();
    assert_eq!((score.value, score.answers), (25.0, 4));
    assert!(score.low < score.value && score.value < score.high);
    for (rating, value) in [(0, 0), (6, 0), (7, 5_000), (8, 5_000), (9, 10_000), (10, 10_000)] {
        assert_eq!(nps_value([nps(rating)]), Some(bp(value)), "{rating}");
    }
    // A balance of nothing is 0, not −0.
    let even = Nps::of([nps(10), nps(0)]).unwrap();
    assert!(serde_json::to_string(&even).unwrap().starts_with(r#"{"value":0.0,"#));
    // Five answers say little: the interval is wider than 100 points.
    let five = Nps::of([nps(10), nps(9), nps(8), nps(3), nps(7)]).unwrap();
    assert!(five.high - five.low > 100.0, "{five:?}");
}

#[test]
fn nps_of_several_sets_is_that_of_all_their_ratings() {
    let (some, others) = ([nps(9), nps(10), nps(7)], [nps(2), nps(10), nps(6), nps(8)]);
    let sets = [Nps::of(some).unwrap(), Nps::of(others).unwrap()];
    let all = some.into_iter().chain(others);
    assert_eq!(Nps::together(&sets), Nps::of(all));
    assert_eq!(Nps::together([]), None);
    // Kept before the counts were: left out, and written as it was read.
    let old = r#"{"value":100.0,"low":-10.0,"high":90.0,"answers":2}"#;
    let before: Nps = serde_json::from_str(old).unwrap();
    assert_eq!(serde_json::to_string(&before).unwrap(), old);
    assert_eq!(Nps::together([&before, &sets[0]]), Some(sets[0]));
}

#[test]
fn an_answer_counts_from_its_instant_until_it_is_too_old() {
    let until = at("2026-09-07T00:00:00Z");
    let age = TimeDelta::days(90);
    let counts = |time: &str| latest_per_user(&[answer("ann", nps(8), at(time))], until, age).len();
    assert_eq!(counts("2026-06-09T00:00:00Z"), 1, "exactly 90 days old is not older than 90 days");
    assert_eq!(counts("2026-06-08T23:59:59Z"), 0);
    assert_eq!(counts("2026-09-06T23:59:59Z"), 1);
    assert_eq!(counts("2026-09-07T00:00:00Z"), 0, "the next week's");
}

#[test]
fn the_latest_counts_and_at_one_instant_the_lower() {
    let (early, late) = (at("2026-09-01T08:00:00Z"), at("2026-09-02T08:00:00Z"));
    let until = at("2026-09-07T00:00:00Z");
    let kept = |answers: &[Answer]| {
        let latest = latest_per_user(answers, until, TimeDelta::days(90));
        mean(latest.values().map(|answer| answer.rating)).unwrap()
    };
    let mut answers = vec![answer("ann", nps(9), early), answer("ann", nps(2), late)];
    assert_eq!(kept(&answers), Percent::whole(20));
    answers.reverse();
    assert_eq!(kept(&answers), Percent::whole(20));
    let mut same = vec![answer("ann", nps(9), early), answer("ann", nps(2), early)];
    assert_eq!(kept(&same), Percent::whole(20));
    same.reverse();
    assert_eq!(kept(&same), Percent::whole(20));
}

fn any_rating() -> impl Strategy<Value = Rating> {
    prop_oneof![
        (0_u8..=10).prop_map(nps),
        (1_u8..=4).prop_map(|face| Rating::faces(face).unwrap()),
        (2_u8..=10)
            .prop_flat_map(|of| (1..=of, Just(of)))
            .prop_map(|(stars, of)| Rating::stars(stars, of).unwrap()),
    ]
}

fn any_answers() -> impl Strategy<Value = Vec<Answer>> {
    let one = (proptest::sample::select(&["ann", "ben", "cy"][..]), any_rating(), -3_i64..100);
    let until = at("2026-09-07T00:00:00Z");
    let one = one.prop_map(move |(user, rating, days)| answer(user, rating, until - TimeDelta::days(days)));
    proptest::collection::vec(one, 0..12)
}

proptest! {
    #![proptest_config(cases(512))]

    #[test]
    fn order_and_duplicates_of_answers_change_nothing(
        (answers, shuffled) in any_answers().prop_flat_map(|answers| {
            let twice = [answers.clone(), answers.clone()].concat();
            (Just(answers), Just(twice).prop_shuffle())
        }),
    ) {
        let until = at("2026-09-07T00:00:00Z");
        let latest = latest_per_user(&answers, until, TimeDelta::days(90));
        prop_assert_eq!(&latest, &latest_per_user(&shuffled, until, TimeDelta::days(90)));
        for (user, kept) in &latest {
            let own = answers.iter().filter(|answer| answer.user == **user && answer.at < until);
            prop_assert_eq!(own.map(|answer| answer.at).max(), Some(kept.at));
        }
    }

    #[test]
    fn a_mean_lies_between_the_least_and_the_greatest(ratings in proptest::collection::vec(any_rating(), 1..20)) {
        let mean = mean(ratings.iter().copied()).unwrap();
        let values = || ratings.iter().map(|rating| rating.value());
        prop_assert!(values().min().unwrap() <= mean && mean <= values().max().unwrap());
        let nps = Nps::of(ratings.iter().copied()).unwrap();
        let value = nps_value(ratings.iter().copied()).unwrap();
        prop_assert!((nps.value - (value.as_number() * 2.0 - 100.0)).abs() < 0.08, "the two readings agree");
        prop_assert!(-100.0 <= nps.low && nps.low <= nps.high && nps.high <= 100.0);
        for rating in ratings {
            prop_assert!(!(rating.is_promoter() && rating.is_detractor()));
            let text = serde_json::to_string(&rating).unwrap();
            prop_assert_eq!(serde_json::from_str::<Rating>(&text).unwrap(), rating);
        }
    }
}

#[test]
fn ratings_read_on_their_own_scale() {
    assert_eq!(Rating::nps(0).unwrap().to_string(), "0 of 10");
    assert_eq!(Rating::faces(3).unwrap().to_string(), "face 3 of 4");
    assert_eq!(Rating::stars(4, 5).unwrap().to_string(), "4 of 5 stars");
}
