//! Rules: engagement drop, sudden drop of happiness.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use barometer_domain::{
    Percent, Zone,
    alert::{Finding, Rule},
    answer::{Answer, latest_per_user},
    band::Standing,
    drop::{REACH, engagement_drops},
    happiness_drop::happiness_drop,
    telemetry::Telemetry,
    week::WeekSnapshot,
};
use chrono::TimeDelta;
use proptest::prelude::*;

use crate::support::{answer, any_basis_points, at, bp, cases, nps, scored_week, week};

/// Weeks with these scores in basis points, the last in 2026-W40.
fn weeks(scores: &[u16]) -> Vec<WeekSnapshot> {
    let last = week("2026-W40");
    let ago = (0..scores.len() as i64).rev();
    scores.iter().zip(ago).map(|(score, ago)| scored_week(last.plus(-ago), *score)).collect()
}

fn find(weeks: &[WeekSnapshot]) -> Vec<Finding> {
    engagement_drops(weeks, week("2026-W40"), Zone::UTC)
}

fn rules(weeks: &[WeekSnapshot]) -> Vec<Rule> {
    find(weeks).into_iter().map(|finding| finding.rule).collect()
}

const SUDDEN: Rule = Rule::EngagementSuddenDrop;
const SUSTAINED: Rule = Rule::EngagementSustainedDrop;

#[test]
fn a_sudden_drop_is_25_points_below_the_median() {
    for (score, expected) in [(4_700, vec![SUDDEN]), (4_701, vec![]), (0, vec![SUDDEN]), (9_000, vec![])] {
        assert_eq!(rules(&weeks(&[7_200, 7_200, 7_200, 7_200, score])), expected, "{score}");
    }
    let found = find(&weeks(&[7_000, 7_400, 9_900, 6_000, 4_400])).remove(0);
    assert_eq!(found.sentence, "Engagement fell from a usual 72 to 44 in 2026-W40 (median of 4 weeks)");
    assert_eq!((found.period, found.severity), (week("2026-W40"), Percent::whole(28)));
    assert_eq!(found.at, at("2026-10-05T00:00:00Z"), "known when the week is over");
}

#[test]
fn the_median_of_four_is_exact() {
    // 70.00 and 70.01 in the middle: 70.005, and 25 points below is 45.005.
    let before = [6_000, 7_000, 7_001, 9_000];
    let rules = |score| rules(&weeks(&[before.as_slice(), &[score]].concat()));
    assert_eq!((rules(4_500), rules(4_501)), (vec![SUDDEN], vec![]));
}

#[test]
fn a_sudden_drop_needs_five_users() {
    let mut weeks = weeks(&[7_000, 7_000, 7_000, 7_000, 2_000]);
    weeks[4].components.login.counts.users = 4;
    assert_eq!(rules(&weeks), []);
    weeks[4].components.login.counts.users = 5;
    assert_eq!(rules(&weeks), [SUDDEN]);
}

#[test]
fn a_baseline_needs_three_valid_weeks() {
    assert_eq!(rules(&weeks(&[2_000])), []);
    assert_eq!(rules(&weeks(&[7_000, 7_000, 2_000])), []);
    assert_eq!(rules(&weeks(&[7_000, 7_000, 7_000, 2_000])), [SUDDEN]);
    // The median of three is the middle one: 70.
    assert_eq!(rules(&weeks(&[10_000, 7_000, 0, 4_501])), []);
    assert_eq!(rules(&weeks(&[10_000, 7_000, 0, 4_500])), [SUDDEN]);
    let found = find(&weeks(&[10_000, 7_000, 0, 4_500])).remove(0);
    assert_eq!(found.sentence, "Engagement fell from a usual 70 to 45 in 2026-W40 (median of 3 weeks)");
}

#[test]
fn weeks_of_other_settings_are_not_compared() {
    let mut weeks = weeks(&[7_000, 7_000, 7_000, 7_000, 2_000]);
    weeks[4].settings_version = 2;
    assert_eq!(rules(&weeks), [], "changed for the judged week");
    weeks[4].settings_version = 1;
    weeks[2].settings_version = 2;
    assert_eq!(rules(&weeks), [SUDDEN], "changed in between and back: three are left");
    weeks[1].settings_version = 2;
    assert_eq!(rules(&weeks), [], "two are left");
}

type Spoil = (&'static str, fn(&mut WeekSnapshot));

/// What makes a week invalid, by name.
const SPOILS: [Spoil; 5] = [
    ("data gap", |week| week.telemetry = Telemetry::DataGap),
    ("workspace silent", |week| week.telemetry = Telemetry::WorkspaceSilent),
    ("onboarding", |week| week.band = Standing::Onboarding),
    ("insufficient", |week| week.band = Standing::Insufficient),
    ("no score", |week| week.score = None),
];

#[test]
fn only_valid_weeks_are_judged_and_compared() {
    for (name, spoil) in SPOILS {
        let mut judged = weeks(&[7_000, 7_000, 7_000, 7_000, 2_000]);
        spoil(&mut judged[4]);
        assert_eq!(rules(&judged), [], "{name}");

        let mut before = weeks(&[7_000, 7_000, 7_000, 0, 2_000]);
        spoil(&mut before[3]);
        assert_eq!(rules(&before), [SUDDEN], "{name}: passed over");
        spoil(&mut before[2]);
        assert_eq!(rules(&before), [], "{name}: two are left");
    }
}

#[test]
fn the_previous_four_valid_weeks_are_of_the_last_eight() {
    let scored = |ago: &[i64]| {
        let weeks: Vec<_> = ago
            .iter()
            .map(|ago| scored_week(week("2026-W40").plus(-ago), if *ago == 0 { 2_000 } else { 7_000 }))
            .collect();
        rules(&weeks)
    };
    assert_eq!(scored(&[8, 7, 6, 0]), [SUDDEN]);
    assert_eq!(scored(&[9, 8, 7, 0]), []);
}

#[test]
fn a_sustained_drop_is_15_points_below_in_two_weeks() {
    for (first, second, expected) in [
        (5_500, 5_500, vec![SUSTAINED]),
        (5_501, 5_500, vec![]),
        (5_500, 5_501, vec![]),
        (5_500, 4_500, vec![SUSTAINED]), // the median of 70, 70, 70, 55 is 70: 25 points
        (4_000, 5_000, vec![SUSTAINED]), // a sudden drop is its first week, too
    ] {
        let expected = if second == 4_500 { vec![SUDDEN, SUSTAINED] } else { expected };
        assert_eq!(rules(&weeks(&[7_000, 7_000, 7_000, 7_000, first, second])), expected, "{first} {second}");
    }
    let found = find(&weeks(&[7_000, 7_000, 7_000, 7_000, 5_000, 5_200])).remove(0);
    assert_eq!(
        found.sentence,
        "Engagement fell from a usual 70 to 50 in 2026-W39 and is still down at 52 in 2026-W40 \
         (median of 4 weeks)"
    );
    assert_eq!((found.rule, found.severity), (SUSTAINED, Percent::whole(18)));
}

#[test]
fn the_second_week_is_compared_with_the_baseline_of_the_first() {
    // Before W39 the median is 70. Before W40 it is 60, of 70, 70, 50, 50: 55 would be no drop against that.
    let moved = weeks(&[9_000, 5_000, 7_000, 7_000, 5_000, 5_500]);
    assert_eq!(rules(&moved), [SUSTAINED]);
    assert_eq!(find(&moved)[0].severity, Percent::whole(15));
    // And the other way round: 40 below the moved median of 80 isn't enough against the frozen one of 50.
    assert_eq!(rules(&weeks(&[5_000, 5_000, 5_000, 8_000, 9_000, 4_900])), []);
}

#[test]
fn four_users_are_enough_for_a_sustained_drop() {
    let mut weeks = weeks(&[7_000, 7_000, 7_000, 7_000, 3_000, 3_000]);
    weeks.iter_mut().for_each(|week| week.components.login.counts.users = 2);
    assert_eq!(rules(&weeks), [SUSTAINED]);
}

#[test]
fn the_next_week_is_the_next_valid_one_within_four() {
    for (name, spoil) in SPOILS {
        let mut weeks = weeks(&[7_000, 7_000, 7_000, 7_000, 5_000, 9_000, 5_000]);
        assert_eq!(rules(&weeks), [], "a good week lies in between");
        spoil(&mut weeks[5]);
        assert_eq!(rules(&weeks), [SUSTAINED], "{name}");
    }
    let ago = |first: i64| {
        let before = (1..=4).map(|ago| scored_week(week("2026-W40").plus(-first - ago), 7_000));
        let fallen = [first, 0].map(|ago| scored_week(week("2026-W40").plus(-ago), 5_000));
        rules(&before.chain(fallen).collect::<Vec<_>>())
    };
    assert_eq!((ago(4), ago(5)), (vec![SUSTAINED], vec![]));
}

#[test]
fn a_change_of_settings_between_the_two_weeks_is_no_sustained_drop() {
    let mut weeks = weeks(&[7_000, 7_000, 7_000, 7_000, 5_000, 5_000]);
    weeks[5].settings_version = 2;
    assert_eq!(rules(&weeks), []);
}

#[test]
fn a_week_that_is_not_there_finds_nothing() {
    assert_eq!(engagement_drops(&[], week("2026-W40"), Zone::UTC), []);
    assert_eq!(engagement_drops(&weeks(&[7_000; 6]), week("2026-W41"), Zone::UTC), []);
}

#[test]
fn a_finding_survives_storage() {
    let found = find(&weeks(&[7_000, 7_001, 7_001, 7_000, 3_333])).remove(0);
    let text = serde_json::to_string(&found).unwrap();
    assert_eq!(serde_json::from_str::<Finding>(&text).unwrap(), found);
}

fn any_weeks() -> impl Strategy<Value = Vec<WeekSnapshot>> {
    proptest::collection::vec((any_basis_points(), 0_usize..12, 1_u32..=2, 4_u32..=6), 1..20).prop_map(
        |rows| {
            let last = week("2026-W40");
            let spoiled = |(ago, (score, spoil, version, users)): (i64, (u16, usize, u32, u32))| {
                let mut week = scored_week(last.plus(-ago), score);
                week.settings_version = if version == 2 && ago > 9 { 2 } else { 1 };
                week.components.login.counts.users = users;
                if let Some((_, spoil)) = SPOILS.get(spoil) {
                    spoil(&mut week);
                }
                week
            };
            (0..).zip(rows).map(spoiled).collect()
        },
    )
}

proptest! {
    #![proptest_config(cases(512))]

    #[test]
    fn the_order_of_weeks_changes_nothing(
        (weeks, shuffled) in any_weeks()
            .prop_flat_map(|weeks| (Just(weeks.clone()), Just(weeks).prop_shuffle())),
    ) {
        prop_assert_eq!(find(&weeks), find(&shuffled));
    }

    #[test]
    fn weeks_beyond_the_reach_and_after_the_judged_one_change_nothing(
        weeks in any_weeks(), score in any_basis_points(), beyond in 1_i64..50,
    ) {
        let reached: Vec<_> = weeks
            .iter()
            .filter(|snapshot| week("2026-W40").since(snapshot.period) <= REACH)
            .cloned()
            .collect();
        let mut more = weeks.clone();
        more.push(scored_week(week("2026-W40").plus(-REACH - 20 - beyond), score));
        more.push(scored_week(week("2026-W40").plus(beyond), score));
        prop_assert_eq!(find(&more), find(&reached));
    }

    #[test]
    fn a_lower_score_never_finds_less(weeks in any_weeks(), lower in any_basis_points()) {
        let mut worse = weeks.clone();
        let Some(score) = worse[0].score else { return Ok(()) };
        worse[0].score = Some(score.min(bp(lower)));
        let found = rules(&worse);
        prop_assert!(rules(&weeks).iter().all(|rule| found.contains(rule)));
    }

    #[test]
    fn a_steady_company_is_left_alone(scores in proptest::collection::vec(6_000_u16..7_500, 1..14)) {
        prop_assert_eq!(find(&weeks(&scores)), []);
    }
}

/// Happiness on 1 September and 30 days earlier, of people with a rating then and one since.
fn happiness(people: &[(Option<u8>, Option<u8>)]) -> Option<Finding> {
    let now = at("2026-09-01T12:00:00Z");
    let before = now - TimeDelta::days(30);
    let mut answers: Vec<Answer> = Vec::new();
    for (index, (then, since)) in people.iter().enumerate() {
        let id = format!("u{index}");
        answers.extend(then.map(|rating| answer(&id, nps(rating), before - TimeDelta::days(3))));
        answers.extend(since.map(|rating| answer(&id, nps(rating), now - TimeDelta::days(2))));
    }
    let latest = |at| latest_per_user(&answers, at, TimeDelta::days(90));
    happiness_drop(&latest(before), &latest(now), Zone::UTC)
}

fn pairs(pairs: &[(u8, u8)]) -> Option<Finding> {
    happiness(&pairs.iter().map(|(then, since)| (Some(*then), Some(*since))).collect::<Vec<_>>())
}

#[test]
fn two_people_who_fall_together_are_a_sudden_drop() {
    let found = pairs(&[(9, 6), (8, 6)]).unwrap();
    assert_eq!(found.sentence, "2 people who rated again went down by 2.5 points of 10 on average");
    assert_eq!((found.rule, found.severity), (Rule::HappinessSuddenDrop, Percent::whole(25)));
    assert_eq!((found.period, found.at), (week("2026-W35"), at("2026-08-30T12:00:00Z")));
}

#[test]
fn two_people_need_a_fall_that_is_sure() {
    for (people, found) in [
        (&[(9, 6), (9, 7)][..], true), // mean −2.5, z = −2.5 / √(2.69 / 2) = −2.16
        (&[(9, 5), (9, 8)], false),    // mean −2.5, further apart: z = −1.89
        (&[(9, 4), (9, 8)], true),     // mean −3, z = −2.07
        (&[(9, 3), (9, 9)], false),    // mean −3, one person alone: z = −1.71
        (&[(9, 7), (9, 7)], false),    // mean −2, z = −1.76
        (&[(9, 8), (9, 8)], false),    // mean −1, z = −0.88
        (&[(9, 0)], false),            // one person isn't the same people
        (&[(6, 9), (6, 9)], false),    // up
    ] {
        assert_eq!(pairs(people).is_some(), found, "{people:?}");
    }
}

#[test]
fn a_sure_fall_of_less_than_a_point_is_none() {
    let fall = |fallen: usize| {
        let mut people = vec![(9, 8); fallen];
        people.resize(40, (9, 9));
        pairs(&people)
    };
    assert!(fall(39).is_none(), "0.975 points");
    assert!(fall(40).is_some());
}

#[test]
fn the_company_mean_counts_from_three_ratings() {
    // Nobody rates lower; somebody new does: from 90 to 80 exactly, or to 82.5.
    let joined =
        |rating| happiness(&[(Some(9), None), (Some(9), None), (Some(9), None), (None, Some(rating))]);
    let found = joined(5).unwrap();
    assert_eq!(found.sentence, "Happiness fell from 90 (3 ratings) to 80 (4 ratings)");
    assert_eq!(found.severity, Percent::whole(10));
    assert!(joined(6).is_none());
    assert!(happiness(&[(Some(9), None), (Some(9), None), (None, Some(0))]).is_none(), "two before");
}

#[test]
fn both_say_so_in_one_sentence() {
    let found = pairs(&[(9, 6), (8, 5), (9, 6)]).unwrap();
    assert_eq!(
        found.sentence,
        "Happiness fell from 87 (3 ratings) to 57 (3 ratings); \
         3 people who rated again went down by 3.0 points of 10 on average"
    );
}

#[test]
fn nothing_new_is_no_drop() {
    assert!(happiness(&[(Some(2), None), (Some(9), None)]).is_none());
    // The happy answers expire, and only the unhappy ones are left: nobody has said anything.
    let now = at("2026-09-01T12:00:00Z");
    let mut answers: Vec<_> =
        (0..3).map(|index| answer(&format!("old{index}"), nps(10), now - TimeDelta::days(100))).collect();
    answers.extend((0..3).map(|index| answer(&format!("u{index}"), nps(2), now - TimeDelta::days(40))));
    let latest = |at| latest_per_user(&answers, at, TimeDelta::days(90));
    assert!(happiness_drop(&latest(now - TimeDelta::days(30)), &latest(now), Zone::UTC).is_none());
}

proptest! {
    #![proptest_config(cases(256))]

    #[test]
    fn nobody_rating_lower_is_no_drop(people in proptest::collection::vec((0_u8..=10, 0_u8..=10), 1..12)) {
        let people: Vec<_> = people.into_iter().map(|(one, other)| (one.min(other), one.max(other))).collect();
        prop_assert!(pairs(&people).is_none());
    }

    /// The integers decide what the formula says.
    #[test]
    fn the_shrunken_z_is_the_formula(people in proptest::collection::vec((0_u8..=10, 0_u8..=10), 2..9)) {
        let changes: Vec<f64> = people.iter().map(|(then, since)| f64::from(*since) - f64::from(*then)).collect();
        let count = changes.len() as f64;
        let mean = changes.iter().sum::<f64>() / count;
        let around: f64 = changes.iter().map(|change| (change - mean).powi(2)).sum();
        let z = mean / ((4.0 * 1.8 * 1.8 + around) / (4.0 + count - 1.0) / count).sqrt();
        let found = pairs(&people).is_some_and(|found| found.sentence.contains("rated again"));
        prop_assert_eq!(found, mean <= -1.0 && z <= -2.0, "z = {}", z);
    }
}
