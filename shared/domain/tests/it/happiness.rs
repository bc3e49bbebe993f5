//! Rule: happiness level.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use barometer_domain::{
    Percent,
    happiness::{Asks, Happiness, Level, Levels, happiness},
};
use chrono::TimeDelta;
use proptest::prelude::*;

use crate::support::{answer, any_basis_points, at, bp, cases, nps};

const NOW: &str = "2026-09-07T12:00:00Z";

fn of(ratings: &[u8], asks: Asks) -> Happiness {
    let answers: Vec<_> = ratings
        .iter()
        .enumerate()
        .map(|(index, rating)| {
            answer(&format!("u{index}"), nps(*rating), at(NOW) - TimeDelta::days(index as i64))
        })
        .collect();
    happiness(&answers, asks, at(NOW), TimeDelta::days(90), Levels::default())
}

#[test]
fn the_levels_begin_exactly_at_their_edges() {
    for (score, level) in [
        (10_000, Level::VeryHappy),
        (8_750, Level::VeryHappy),
        (8_749, Level::Happy),
        (6_250, Level::Happy),
        (6_249, Level::Neutral),
        (3_750, Level::Neutral),
        (3_749, Level::NotHappy),
        (0, Level::NotHappy),
    ] {
        assert_eq!(Levels::default().level(bp(score)), level, "{score}");
    }
    // By ratings: 9, 9, 9 and 8 are 35 of 40, exactly 87.50.
    assert_eq!(of(&[9, 9, 9, 8], Asks::default()).level, Level::VeryHappy);
    assert_eq!(of(&[9, 9, 9, 8], Asks::default()).score, Some(bp(8_750)));
    assert_eq!(of(&[7, 6, 6, 6], Asks::default()).level, Level::Happy);
    assert_eq!(of(&[4, 4, 4, 3], Asks::default()).level, Level::Neutral);
    assert_eq!(of(&[4, 4, 3, 3], Asks::default()).level, Level::NotHappy);
}

#[test]
fn nobody_answering_is_no_data_and_a_nought_is_not_happy() {
    let none = of(&[], Asks::default());
    assert_eq!((none.score, none.level, none.nps, none.oldest_answer_at), (None, Level::NoData, None, None));
    let nought = of(&[0], Asks::default());
    assert_eq!((nought.score, nought.level), (Some(Percent::ZERO), Level::NotHappy));
}

#[test]
fn fewer_than_three_answers_are_provisional() {
    assert_eq!(
        [0, 1, 2, 3, 4].map(|n| of(&vec![8; n], Asks::default()).provisional),
        [true, true, true, false, false]
    );
}

#[test]
fn silent_is_asked_twice_without_an_answer_from_anybody() {
    let asks = |rounds| Asks { delivered: 4, answered: 0, rounds };
    assert_eq!([0, 1, 2, 5].map(|rounds| of(&[], asks(rounds)).silent), [false, false, true, true]);
    assert!(!of(&[3], asks(5)).silent);
}

#[test]
fn the_response_rate_is_of_what_was_delivered() {
    let rate = |answered, delivered| of(&[8], Asks { delivered, answered, rounds: 1 }).response_rate;
    assert_eq!(rate(1, 3), Some(bp(3_333)));
    assert_eq!(rate(0, 3), Some(Percent::ZERO));
    assert_eq!(rate(0, 0), None, "nothing delivered is no rate, not 0");
}

#[test]
fn an_answer_of_this_instant_counts_and_one_of_exactly_90_days_ago_too() {
    let counted = |age: TimeDelta| {
        let answers = [answer("ann", nps(8), at(NOW) - age)];
        happiness(&answers, Asks::default(), at(NOW), TimeDelta::days(90), Levels::default()).answers
    };
    assert_eq!(counted(TimeDelta::zero()), 1);
    assert_eq!(counted(TimeDelta::days(90)), 1);
    assert_eq!(counted(TimeDelta::days(90) + TimeDelta::nanoseconds(1)), 0);
    assert_eq!(counted(TimeDelta::nanoseconds(-1)), 0, "not given yet");
}

#[test]
fn only_the_latest_rating_of_a_person_counts_and_removing_one_recomputes() {
    let mut answers = vec![
        answer("ann", nps(2), at("2026-08-01T00:00:00Z")),
        answer("ann", nps(10), at("2026-08-20T00:00:00Z")),
        answer("ben", nps(6), at("2026-07-01T00:00:00Z")),
    ];
    let read =
        |answers: &[_]| happiness(answers, Asks::default(), at(NOW), TimeDelta::days(90), Levels::default());
    let before = read(&answers);
    assert_eq!((before.score, before.answers), (Some(Percent::whole(80)), 2));
    assert_eq!(before.oldest_answer_at, Some(at("2026-07-01T00:00:00Z")));
    answers.reverse();
    assert_eq!(read(&answers), before);
    answers.retain(|answer| answer.user.as_str() != "ben");
    assert_eq!(read(&answers).score, Some(Percent::FULL));
}

#[test]
fn levels_on_the_wire() {
    let text = r#"{"very_happy":87.5,"happy":62.5,"neutral":37.5}"#;
    assert_eq!(serde_json::to_string(&Levels::default()).unwrap(), text);
    assert_eq!(serde_json::from_str::<Levels>(text).unwrap(), Levels::default());
    for text in [
        r#"{"very_happy":60,"happy":60,"neutral":30}"#,
        r#"{"very_happy":80,"happy":60,"neutral":0}"#,
        r#"{"very_happy":80,"happy":20,"neutral":30}"#,
        r#"{"very_happy":80,"happy":60}"#,
    ] {
        assert!(serde_json::from_str::<Levels>(text).is_err(), "{text}");
    }
    for (level, wire, label) in [
        (Level::VeryHappy, "very_happy", "Very Happy"),
        (Level::Happy, "happy", "Happy"),
        (Level::Neutral, "neutral", "Neutral"),
        (Level::NotHappy, "not_happy", "Not Happy"),
        (Level::NoData, "no_data", "No Data"),
    ] {
        assert_eq!(serde_json::to_value(level).unwrap(), wire);
        assert_eq!(level.label(), label);
    }
}

proptest! {
    #![proptest_config(cases(256))]

    #[test]
    fn a_higher_score_never_has_a_lower_level(low in any_basis_points(), high in any_basis_points()) {
        let (low, high) = (low.min(high), low.max(high));
        prop_assert!(Levels::default().level(bp(low)) <= Levels::default().level(bp(high)));
    }

    #[test]
    fn happiness_is_ten_times_the_mean_rating(ratings in proptest::collection::vec(0_u8..=10, 1..30)) {
        let read = of(&ratings, Asks::default());
        let sum: u32 = ratings.iter().map(|rating| u32::from(*rating) * 1_000).sum();
        let count = ratings.len() as u32;
        let expected = (2 * sum + count) / (2 * count);
        prop_assert_eq!(read.score.map(|score| u32::from(score.basis_points())), Some(expected));
        prop_assert_eq!(read.answers, count);
    }
}
