//! Rule: why did a company's happiness change.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use barometer_domain::{
    UserId,
    answer::{Answer, Rating, mean},
    happiness_change::{Changed, HappinessChange},
    happiness_drop::Ratings,
};
use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;

use crate::support::{answer, at, bp, cases, nps};

/// What a person's counted rating was then and is now.
type Person = (Option<Rating>, Option<Rating>);

fn oldest() -> DateTime<Utc> {
    at("2026-06-09T12:00:00Z")
}

/// The ratings of people, named by their place; those that are gone have expired.
fn answers(ratings: impl IntoIterator<Item = Option<Rating>>) -> Vec<Answer> {
    let before = oldest() - TimeDelta::days(1);
    let one =
        |(place, rating): (usize, Option<Rating>)| Some(answer(&format!("u{place:03}"), rating?, before));
    ratings.into_iter().enumerate().filter_map(one).collect()
}

fn by_user(answers: &[Answer]) -> Ratings<'_> {
    answers.iter().map(|answer| (&answer.user, answer)).collect()
}

fn change(people: &[Person]) -> HappinessChange {
    let before = answers(people.iter().map(|(before, _)| *before));
    let now = answers(people.iter().map(|(_, now)| *now));
    HappinessChange::between(&by_user(&before), &by_user(&now), oldest())
}

fn changed(people: &[Person]) -> Changed {
    let HappinessChange::Changed(changed) = change(people) else { panic!("no change") };
    changed
}

/// The parts in basis points.
fn parts(changed: &Changed) -> [i32; 3] {
    let parts = &changed.parts;
    [&parts.same_people, &parts.new_voices, &parts.gone].map(|part| part.change.basis_points())
}

fn both(then: u8, now: u8) -> Person {
    (Some(nps(then)), Some(nps(now)))
}

fn new(now: u8) -> Person {
    (None, Some(nps(now)))
}

fn gone(then: u8) -> Person {
    (Some(nps(then)), None)
}

#[test]
fn an_example_by_hand() {
    // 8, 7, 7, 6, 6 and 8 who is gone are 42 of 60: 70. The same people: 6, 5, 4, 6, 6, with 8 35 of 60: 58.33. Two new
    // 10s: 55 of 80: 68.75. Without the 8: 47 of 70: 67.14.
    let people = [both(8, 6), both(7, 5), both(7, 4), both(6, 6), both(6, 6), new(10), new(10), gone(8)];
    let changed = changed(&people);
    assert_eq!((changed.from_score, changed.to_score), (bp(7_000), bp(6_714)));
    assert_eq!(changed.change.basis_points(), -286);
    assert_eq!(parts(&changed), [-1_167, 1_042, -161]);
    // Rounded down −12, +10 and −2; the point that lacks for −3 goes to the largest remainder.
    assert_eq!(
        change(&people).sentence(),
        "70 → 67: same people −12 (3 of 5 rated lower), new voices +11 (2 people), expired −2 (1 answer)"
    );
}

#[test]
fn one_cause_alone_is_all_of_the_change() {
    for (people, expected, sentence) in [
        (vec![both(8, 4), both(8, 8)], [-2_000, 0, 0], "80 → 60: same people −20 (1 of 2 rated lower)"),
        (vec![both(8, 8), new(4)], [0, -2_000, 0], "80 → 60: new voices −20 (1 person)"),
        (vec![both(8, 8), gone(4)], [0, 0, 2_000], "60 → 80: expired +20 (1 answer)"),
        (
            vec![both(8, 9), both(5, 4), both(2, 5)],
            [1_000, 0, 0],
            "50 → 60: same people +10 (1 of 3 rated lower, 2 higher)",
        ),
    ] {
        assert_eq!(parts(&changed(&people)), expected, "{sentence}");
        assert_eq!(change(&people).sentence(), sentence);
    }
}

#[test]
fn all_people_may_be_others() {
    let people = [gone(10), new(0)];
    assert_eq!(parts(&changed(&people)), [0, -5_000, -5_000]);
    assert_eq!(change(&people).sentence(), "100 → 0: new voices −50 (1 person), expired −50 (1 answer)");
}

#[test]
fn what_was_withdrawn_is_not_said_to_have_expired() {
    let before = vec![answer("ada", nps(2), oldest()), answer("ben", nps(8), oldest())];
    let now = vec![answer("ben", nps(8), oldest())];
    let change = HappinessChange::between(&by_user(&before), &by_user(&now), oldest());
    assert_eq!(change.sentence(), "50 → 80: expired or withdrawn +30 (1 answer)");
}

#[test]
fn no_data_on_a_side_is_no_change_but_is_said() {
    for (people, expected, sentence) in [
        (vec![], HappinessChange::Nothing, "Nobody's answer counts, as before"),
        (
            vec![new(0)],
            HappinessChange::Appeared { to_score: bp(0), answers: 1 },
            "0 (1 answer), no answer counted before",
        ),
        (
            vec![gone(8), gone(9)],
            HappinessChange::Vanished { from_score: bp(8_500), answers: 2 },
            "No answer counts any more, was 85 (2 answers)",
        ),
    ] {
        let change = change(&people);
        assert_eq!(change, expected);
        assert_eq!(change.sentence(), sentence);
    }
}

#[test]
fn a_change_on_the_wire() {
    let json = serde_json::to_value(change(&[both(8, 4), both(8, 8)])).unwrap();
    assert_eq!(
        json,
        serde_json::json!({
            "kind": "changed", "from_score": 80, "to_score": 60, "change": -20,
            "parts": {
                "same_people": { "change": -20, "text": "1 of 2 rated lower" },
                "new_voices": { "change": 0, "text": null },
                "gone": { "change": 0, "text": null },
                "expired": true,
            },
        })
    );
    let none = serde_json::to_value(HappinessChange::Nothing).unwrap();
    assert_eq!(none, serde_json::json!({ "kind": "nothing" }));
}

fn any_rating() -> impl Strategy<Value = Rating> {
    prop_oneof![
        (0_u8..=10).prop_map(nps),
        (1_u8..=4).prop_map(|face| Rating::faces(face).unwrap()),
        (1_u8..=7).prop_map(|stars| Rating::stars(stars, 7).unwrap()),
    ]
}

fn any_people() -> impl Strategy<Value = Vec<Person>> {
    let rating = || proptest::option::weighted(0.7, any_rating());
    proptest::collection::vec((rating(), rating()), 0..16)
}

/// The whole points that a sentence tells of all parts.
fn points_told(sentence: &str) -> i32 {
    let points = |word: &str| match word.strip_prefix('−') {
        Some(points) => points.parse::<i32>().ok().map(|points| -points),
        None => word.strip_prefix('+').and_then(|points| points.parse().ok()),
    };
    sentence.split(' ').filter_map(points).sum()
}

proptest! {
    #![proptest_config(cases(2_048))]

    #[test]
    fn the_parts_sum_exactly_to_the_change_of_the_published_scores(people in any_people()) {
        let score = |ratings: Vec<Option<Rating>>| mean(ratings.into_iter().flatten());
        let from = score(people.iter().map(|(before, _)| *before).collect());
        let to = score(people.iter().map(|(_, now)| *now).collect());
        match change(&people) {
            HappinessChange::Nothing => prop_assert_eq!((from, to), (None, None)),
            HappinessChange::Appeared { to_score, .. } => prop_assert_eq!((from, to), (None, Some(to_score))),
            HappinessChange::Vanished { from_score, .. } => prop_assert_eq!((from, to), (Some(from_score), None)),
            HappinessChange::Changed(changed) => {
                let difference =
                    i32::from(to.unwrap().basis_points()) - i32::from(from.unwrap().basis_points());
                prop_assert_eq!(parts(&changed).iter().sum::<i32>(), difference);
                prop_assert_eq!(changed.change.basis_points(), difference);
                let shown = i32::from(to.unwrap().shown()) - i32::from(from.unwrap().shown());
                let sentence = HappinessChange::Changed(changed).sentence();
                prop_assert_eq!(points_told(&sentence), shown, "{}", sentence);
            }
        }
    }

    #[test]
    fn who_is_who_changes_nothing(
        (people, shuffled) in any_people().prop_flat_map(|people| (Just(people.clone()), Just(people).prop_shuffle())),
    ) {
        prop_assert_eq!(change(&people), change(&shuffled));
    }

    #[test]
    fn a_cause_without_people_has_no_part(people in any_people()) {
        if let HappinessChange::Changed(changed) = change(&people) {
            let [same, new, gone] = parts(&changed);
            let value = |rating: Option<Rating>| rating.map(Rating::value);
            if people.iter().all(|(then, now)| then.is_none() || now.is_none() || value(*then) == value(*now)) {
                prop_assert_eq!(same, 0);
            }
            if people.iter().all(|(then, now)| then.is_some() || now.is_none()) {
                prop_assert_eq!(new, 0);
            }
            if people.iter().all(|(then, now)| then.is_none() || now.is_some()) {
                prop_assert_eq!(gone, 0);
            }
        }
    }

    #[test]
    fn no_change_is_made_of_nothing(ratings in proptest::collection::vec(any_rating(), 1..16)) {
        let people: Vec<Person> = ratings.into_iter().map(|rating| (Some(rating), Some(rating))).collect();
        let changed = changed(&people);
        prop_assert_eq!(parts(&changed), [0; 3]);
        let count = people.len();
        let score = changed.to_score.shown();
        let expected = format!("{score}, as before: same people ({count} rated as before)");
        prop_assert_eq!(HappinessChange::Changed(changed).sentence(), expected);
    }

    /// Rating higher never lowers the part of the same people, a happy new voice never that of new voices.
    #[test]
    fn a_part_has_the_sign_of_its_cause(then in proptest::collection::vec(0_u8..=10, 1..8), voice in 0_u8..=10) {
        let risen: Vec<Person> = then.iter().map(|rating| both(*rating, (rating + 2).min(10))).collect();
        prop_assert!(parts(&changed(&risen))[0] >= 0);
        let mut joined: Vec<Person> = then.iter().map(|rating| both(*rating, *rating)).collect();
        joined.push(new(voice));
        let changed = changed(&joined);
        let above = nps(voice).value() >= changed.from_score;
        prop_assert_eq!(parts(&changed)[1] >= 0, above || parts(&changed)[1] == 0);
    }
}

/// Ids only name people.
#[test]
fn other_names_give_the_same() {
    let rename = |answers: &[Answer]| -> Vec<Answer> {
        let mirrored = |answer: &Answer| {
            let number: u32 = answer.user.as_str()[1..].parse().unwrap();
            Answer { user: UserId::new(format!("z{:03}", 999 - number)).unwrap(), ..answer.clone() }
        };
        answers.iter().map(mirrored).collect()
    };
    let before = answers([Some(nps(3)), Some(nps(9)), None]);
    let now = answers([Some(nps(5)), None, Some(nps(1))]);
    let (mirrored_before, mirrored_now) = (rename(&before), rename(&now));
    assert_eq!(
        HappinessChange::between(&by_user(&before), &by_user(&now), oldest()),
        HappinessChange::between(&by_user(&mirrored_before), &by_user(&mirrored_now), oldest())
    );
}
