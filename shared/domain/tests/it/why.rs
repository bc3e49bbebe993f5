//! Rule: why did a score change between two snapshots.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use barometer_domain::{
    IsoWeek, Month, Percent, Settings,
    answer::Answer,
    band::Standing,
    component::{AdoptionCounts, FeedbackCounts, LoginCounts, Missing, Reading, weigh},
    month::{MonthSnapshot, roll_up},
    settings::MissingPolicy,
    week::WeekSnapshot,
    why::{self, AnswerMoves, AnswersOfWeek, Why},
};
use chrono::TimeDelta;
use proptest::prelude::*;

use crate::support::{
    answer, any_policy, any_value, any_weights, at, bp, cases, nps, snapshot, user, week, weighted,
};

/// A week of a company with 8 users and 12 features, as a CSM would tell it.
#[derive(Clone, Copy)]
struct Told {
    active_users: u32,
    features_used: u32,
    minutes: u32,
    adoption: u16,
    answers: u32,
    feedback: Option<u16>,
}

const CALM: Told = Told {
    active_users: 6,
    features_used: 6,
    minutes: 400,
    adoption: 6_667,
    answers: 6,
    feedback: Some(7_500),
};

fn told(settings: &Settings, version: u32, period: &str, told: Told) -> WeekSnapshot {
    let Told { active_users, features_used, minutes, adoption, answers, feedback } = told;
    let weighed = weigh(
        settings,
        Reading {
            value: Percent::ratio(active_users.into(), 8).ok_or(Missing::NoEligibleUsers),
            counts: LoginCounts { users: 8, active_users, active_days: active_users },
        },
        Reading {
            value: Ok(bp(adoption)),
            counts: AdoptionCounts {
                features_used: Some(features_used),
                features_entitled: Some(12),
                minutes,
            },
        },
        Reading { value: feedback.map(bp).ok_or(Missing::NoAnswers), counts: FeedbackCounts { answers } },
    );
    WeekSnapshot {
        settings_version: version,
        components: weighed.components,
        coverage: weighed.coverage,
        score: weighed.score,
        shown: weighed.score.map(Percent::shown),
        ..snapshot(settings, week(period), [None; 3])
    }
}

/// Explains under one version of the settings.
fn explained(settings: &Settings, from: Told, to: Told) -> Why {
    let from = told(settings, 3, "2026-W39", from);
    why::weeks(&from, &from, &told(settings, 3, "2026-W40", to), settings, None)
}

/// The effects in basis points: login, adoption, feedback, coverage, settings.
fn effects(why: &Why) -> [i32; 5] {
    let parts = why.parts.as_ref().unwrap();
    [&parts.login, &parts.adoption, &parts.feedback, &parts.coverage, &parts.settings]
        .map(|part| part.change.basis_points())
}

const NAMES: [&str; 5] = ["login", "adoption", "feedback", "coverage", "settings"];

/// The whole points that a sentence gives a part; 0 when it leaves it out.
fn points_told(sentence: &str, name: &str) -> i32 {
    let words: Vec<&str> = sentence.split(' ').collect();
    let points =
        words.windows(2).filter(|pair| pair[0] == name).find_map(|pair| match pair[1].strip_prefix('−') {
            Some(points) => points.parse::<i32>().ok().map(|points| -points),
            None => pair[1].strip_prefix('+').and_then(|points| points.parse().ok()),
        });
    points.unwrap_or(0)
}

fn month_of(period: &str, settings: &Settings, version: u32, weeks: &[WeekSnapshot]) -> MonthSnapshot {
    let weeks: Vec<_> = weeks.iter().map(|week| (1, week.clone())).collect();
    roll_up(period.parse().unwrap(), settings, version, &weeks)
}

/// The weeks of a month with these values of login, adoption and feedback.
fn weeks_of(period: &str, settings: &Settings, values: &[[Option<u16>; 3]]) -> Vec<WeekSnapshot> {
    let weeks = period.parse::<Month>().unwrap().weeks();
    weeks.into_iter().zip(values).map(|(week, values)| snapshot(settings, week, *values)).collect()
}

#[test]
fn the_sentence_of_the_rules() {
    let settings = weighted(2_400, 3_600, 4_000);
    let from = told(&settings, 3, "2026-W39", CALM);
    let now = Told { active_users: 3, answers: 4, feedback: Some(6_250), ..CALM };
    let to = told(&settings, 3, "2026-W40", now);
    let moves = AnswerMoves { before: 6, expired: 2, ..AnswerMoves::default() };
    let why = why::weeks(&from, &from, &to, &settings, Some(moves));
    // Login 24 % × (37.5 − 75) = −9, feedback 40 % × (62.5 − 75) = −5.
    assert_eq!(
        why.sentence,
        "72 → 58: login −9 (3 of 8 users active, was 6), feedback −5 (2 answers expired)"
    );
    assert_eq!(effects(&why), [-900, 0, -500, 0, 0]);

    let json = serde_json::to_value(&why).unwrap();
    assert_eq!((&json["from"], &json["to"]), (&"2026-W39".into(), &"2026-W40".into()));
    assert_eq!(
        (&json["from_score"], &json["to_score"], &json["change"]),
        (&72.into(), &58.into(), &(-14).into())
    );
    let login = serde_json::json!({ "change": -9, "text": "3 of 8 users active, was 6" });
    assert_eq!(json["parts"]["login"], login);
    assert_eq!(json["parts"]["settings"], serde_json::json!({ "change": 0, "text": null }));
    assert_eq!(json["parts"].as_object().unwrap().len(), 5);
}

#[test]
fn moves_that_do_not_lead_from_one_count_to_the_other_are_not_told() {
    let settings = weighted(2_400, 3_600, 4_000);
    let from = told(&settings, 3, "2026-W39", CALM);
    let to = told(&settings, 3, "2026-W40", Told { answers: 4, feedback: Some(6_250), ..CALM });
    let sentence = |moves| why::weeks(&from, &from, &to, &settings, Some(moves)).sentence;
    let none = AnswerMoves::default();
    for moves in
        [none, AnswerMoves { before: 6, expired: 1, ..none }, AnswerMoves { before: 7, expired: 2, ..none }]
    {
        assert_eq!(sentence(moves), "72 → 67: feedback −5 (4 answers, was 6)", "{moves:?}");
    }
    let moves = AnswerMoves { before: 6, new: 1, changed: 1, expired: 1, withdrawn: 2 };
    assert_eq!(
        sentence(moves),
        "72 → 67: feedback −5 (1 answer expired, 2 answers withdrawn, 1 new answer, 1 answer changed)"
    );
}

#[test]
fn feedback_that_goes_missing_is_coverage() {
    let settings = weighted(2_400, 3_600, 4_000);
    let why = explained(&settings, CALM, Told { answers: 0, feedback: None, ..CALM });
    // 72 was 60 % × 70 + 40 % × 75; login and adoption alone give 70.
    assert_eq!(why.sentence, "72 → 70: coverage −2 (feedback now missing: nobody answered within 90 days)");
    assert_eq!(effects(&why), [0, 0, 0, -200, 0]);
}

#[test]
fn what_both_weeks_know_is_compared_alone_and_the_rest_is_coverage() {
    let settings = weighted(2_400, 3_600, 4_000);
    let silent = Told { active_users: 3, answers: 0, feedback: None, ..CALM };
    let why = explained(&settings, silent, CALM);
    // Login and adoption weigh 24 : 36 where both weeks know them: 40 % × (75 − 37.5) = 15.
    assert_eq!(
        why.sentence,
        "55 → 72: login +15 (6 of 8 users active, was 3), coverage +2 (feedback now known: 6 answers)"
    );
    assert_eq!(effects(&why), [1_500, 0, 0, 200, 0]);
    assert_eq!(why.parts.unwrap().feedback.text, None);
}

#[test]
fn components_that_go_for_one_reason_are_told_together() {
    let settings = Settings { missing_policy: MissingPolicy::Neutral, ..weighted(2_500, 2_500, 5_000) };
    let from = snapshot(&settings, week("2026-W39"), [Some(9_000), Some(9_000), Some(5_000)]);
    let to = snapshot(&settings, week("2026-W40"), [None, None, Some(6_000)]);
    let why = why::weeks(&from, &from, &to, &settings, None);
    assert_eq!(
        why.sentence,
        "70 → 55: coverage −20 (login and adoption now missing: no event has ever arrived), \
         feedback +5 (0 answers, together 60 %, was 50 %)"
    );
    // Nothing in common: all of it is coverage.
    let from = snapshot(&settings, week("2026-W39"), [Some(9_000), Some(9_000), None]);
    let why = why::weeks(&from, &from, &to, &settings, None);
    assert_eq!(effects(&why), [0, 0, 0, -1_500, 0]);
    assert_eq!(
        why.sentence,
        "70 → 55: coverage −15 (login and adoption now missing: no event has ever arrived; \
         feedback now known: 0 answers)"
    );
}

#[test]
fn other_settings_are_an_effect_of_their_own() {
    let (old, new) = (weighted(2_400, 3_600, 4_000), weighted(8_000, 1_000, 1_000));
    let from = told(&old, 3, "2026-W39", CALM);
    let under_new = told(&new, 4, "2026-W39", CALM);
    let to = told(&new, 4, "2026-W40", Told { active_users: 4, ..CALM });
    let why = why::weeks(&from, &under_new, &to, &new, None);
    // The same week under version 4: 80 % × 75 + 10 % × 66.67 + 10 % × 75 = 74.17.
    assert_eq!(why.sentence, "72 → 54: login −20 (4 of 8 users active, was 6), settings +2 (version 3 → 4)");
    assert_eq!(effects(&why), [-2_000, 0, 0, 0, 217]);
    assert_eq!(serde_json::to_value(&why).unwrap()["parts"]["settings"]["change"], 2.17);

    let to = told(&old, 4, "2026-W40", CALM);
    let why = why::weeks(&from, &told(&old, 4, "2026-W39", CALM), &to, &old, None);
    assert_eq!(
        why.sentence,
        "72, as before: login (6 of 8 users active), adoption (6 of 12 features used, 400 minutes), \
         feedback (6 answers), settings (version 3 → 4)"
    );
}

#[test]
fn settings_under_which_the_first_week_says_too_little_are_weighed_nevertheless() {
    let (old, new) = (weighted(6_000, 0, 4_000), weighted(1_000, 0, 9_000));
    let values = [Some(8_000), None, None];
    let (from, under_new) =
        (snapshot(&old, week("2026-W39"), values), snapshot(&new, week("2026-W39"), values));
    assert_eq!((from.score, under_new.score), (Some(bp(8_000)), None));
    let to = WeekSnapshot {
        settings_version: 2,
        ..snapshot(&new, week("2026-W40"), [Some(6_000), None, Some(5_000)])
    };
    let why = why::weeks(&from, &under_new, &to, &new, None);
    // Login alone: 80 under either settings, and 60 now.
    assert_eq!(effects(&why), [-2_000, 0, 0, -900, 0]);

    // Settings that count nothing of what was known leave nothing to compare.
    let feedback_only = weighted(0, 0, 10_000);
    let under_new = snapshot(&feedback_only, week("2026-W39"), values);
    let to = snapshot(&feedback_only, week("2026-W40"), [Some(6_000), None, Some(5_000)]);
    let why = why::weeks(&from, &under_new, &to, &feedback_only, None);
    assert_eq!(effects(&why), [0, 0, 0, -3_000, 0]);
    assert_eq!(why.sentence, "80 → 50: coverage −30 (feedback now known: 0 answers)");
}

#[test]
fn a_score_that_stays_is_told_with_its_counts() {
    let settings = weighted(2_400, 3_600, 4_000);
    let why = explained(&settings, CALM, CALM);
    assert_eq!(
        why.sentence,
        "72, as before: login (6 of 8 users active), adoption (6 of 12 features used, 400 minutes), \
         feedback (6 answers)"
    );
    // What makes up for something else is told.
    let settings = weighted(4_000, 2_000, 4_000);
    let why = explained(&settings, CALM, Told { active_users: 4, feedback: Some(10_000), ..CALM });
    assert_eq!(
        why.sentence,
        "73, as before: login −10 (4 of 8 users active, was 6), \
         feedback +10 (6 answers, together 100 %, was 75 %)"
    );
}

#[test]
fn counts_say_what_changed() {
    let settings = weighted(0, 10_000, 0);
    let text = |now: Told| {
        let why = explained(&settings, CALM, now);
        why.parts.unwrap().adoption.text.unwrap()
    };
    assert_eq!(text(Told { features_used: 4, ..CALM }), "4 of 12 features used, was 6");
    assert_eq!(text(Told { minutes: 1, ..CALM }), "1 minute, was 400");
    assert_eq!(
        text(Told { features_used: 4, minutes: 212, ..CALM }),
        "4 of 12 features used, was 6; 212 minutes, was 400"
    );

    // Of more users more minutes are expected.
    let from = told(&settings, 3, "2026-W39", CALM);
    let mut to = told(&settings, 3, "2026-W40", CALM);
    to.components.login.counts.users = 10;
    let adoption = why::weeks(&from, &from, &to, &settings, None).parts.unwrap().adoption;
    assert_eq!(adoption.text.unwrap(), "400 minutes of 10 users, was 400 of 8");

    let login = |was: [u32; 3], is: [u32; 3]| {
        let settings = weighted(10_000, 0, 0);
        let [from, to] =
            [("2026-W39", was), ("2026-W40", is)].map(|(period, [active_users, users, active_days])| {
                let mut week = told(&settings, 3, period, CALM);
                week.components.login.counts = LoginCounts { users, active_users, active_days };
                week
            });
        why::weeks(&from, &from, &to, &settings, None).parts.unwrap().login.text.unwrap()
    };
    assert_eq!(login([6, 8, 6], [3, 9, 3]), "3 of 9 users active, was 6 of 8");
    assert_eq!(login([1, 1, 1], [1, 1, 1]), "1 of 1 user active");
    // Where more than a day is expected, days decide.
    assert_eq!(login([6, 8, 20], [7, 8, 9]), "7 of 8 users active on 9 days, was 6 on 20");
}

#[test]
fn a_side_without_a_score_says_why() {
    let settings = weighted(4_000, 2_000, 4_000);
    let scored = snapshot(&settings, week("2026-W40"), [Some(5_000), Some(5_000), Some(5_000)]);
    let silent = snapshot(&settings, week("2026-W39"), [None, None, Some(5_000)]);
    let why = why::weeks(&silent, &silent, &scored, &settings, None);
    assert_eq!(why.sentence, "Not scored in 2026-W39: login and adoption missing: no event has ever arrived");
    assert_eq!((why.change, &why.parts, why.from_score, why.to_score), (None, &None, None, Some(bp(5_000))));
    assert_eq!((why.band_from, why.band_to), (Standing::Insufficient, Standing::Steady));
    let json = serde_json::to_value(&why).unwrap();
    assert!(json["change"].is_null() && json["parts"].is_null() && json["from_score"].is_null());

    let nothing = snapshot(&settings, week("2026-W41"), [None; 3]);
    assert_eq!(
        why::weeks(&scored, &scored, &nothing, &settings, None).sentence,
        "Not scored in 2026-W41: login and adoption missing: no event has ever arrived; \
         feedback missing: nobody answered within 90 days"
    );
    assert_eq!(
        why::weeks(&silent, &silent, &nothing, &settings, None).sentence.matches("Not scored in").count(),
        2
    );

    let mut gap = nothing;
    gap.components.login.missing = Some(Missing::DataGap);
    gap.components.adoption.missing = Some(Missing::DataGap);
    gap.components.feedback.missing = Some(Missing::DataGap);
    assert_eq!(
        why::weeks(&scored, &scored, &gap, &settings, None).sentence,
        "Not scored in 2026-W41: login, adoption and feedback missing: data gap"
    );

    let month = |period, values: &[[Option<u16>; 3]]| {
        let weeks = weeks_of(period, &settings, values);
        (month_of(period, &settings, 1, &weeks), weeks)
    };
    let (august, august_weeks) = month("2026-08", &[[Some(5_000); 3]]);
    let (september, september_weeks) = month("2026-09", &[[Some(5_000); 3]; 4]);
    let why = why::months(&august, &august_weeks, &september, &september_weeks, &settings);
    assert_eq!(why.sentence, "Not scored in 2026-08: 1 of 4 weeks scored, a month needs 2");
}

#[test]
fn months_compare_the_means_of_their_weeks() {
    let settings = weighted(5_000, 0, 5_000);
    let explain = |august: &[[Option<u16>; 3]], september: &[[Option<u16>; 3]]| {
        let (from, to) = (weeks_of("2026-08", &settings, august), weeks_of("2026-09", &settings, september));
        let months = (month_of("2026-08", &settings, 1, &from), month_of("2026-09", &settings, 1, &to));
        why::months(&months.0, &from, &months.1, &to, &settings)
    };
    let of = |login, feedback| [Some(login), None, feedback];
    let why = explain(
        &[of(8_000, Some(7_000)), of(7_000, Some(7_000)), of(9_000, Some(7_000))],
        &[of(5_000, Some(6_000)), of(4_000, Some(6_000))],
    );
    assert_eq!(
        why.sentence,
        "75 → 53: login −17 (45 % on average, was 80 %), feedback −5 (60 % on average, was 70 %)"
    );
    assert_eq!((why.from.as_str(), why.to.as_str()), ("2026-08", "2026-09"));
    assert_eq!(effects(&why), [-1_750, 0, -500, 0, 0]);

    // Feedback is known in one week of September: its mean is compared, and the rest is coverage.
    let why = explain(&[of(8_000, Some(6_000)); 2], &[of(8_000, Some(6_000)), of(8_000, None)]);
    assert_eq!(why.sentence, "70 → 75: coverage +5 (feedback known in 1 of 2 weeks, was 2 of 2)");
    let why = explain(&[of(8_000, Some(6_000)); 2], &[of(6_000, None); 2]);
    assert_eq!(
        why.sentence,
        "70 → 60: login −20 (60 % on average, was 80 %), \
         coverage +10 (feedback now missing: nobody answered within 90 days)"
    );
}

#[test]
fn settings_that_changed_in_the_middle_of_a_month_are_no_effect_of_a_component() {
    let (old, new) = (weighted(5_000, 0, 5_000), weighted(10_000, 0, 0));
    let values = [Some(8_000), None, Some(4_000)];
    let from = weeks_of("2026-08", &old, &[values; 4]);
    let from_under_new = weeks_of("2026-08", &new, &[values; 4]);
    let to_under_new = weeks_of("2026-09", &new, &[values; 4]);
    let mut to = weeks_of("2026-09", &old, &[values; 4]);
    to[2..].clone_from_slice(&to_under_new[2..]);
    let (august, september) = (month_of("2026-08", &old, 1, &from), month_of("2026-09", &new, 2, &to));
    let why = why::months(&august, &from_under_new, &september, &to_under_new, &new);
    // Nothing but the settings changed: 60 under the old, 80 under the new, which half of September had.
    assert_eq!(why.sentence, "60 → 70: settings +10 (version 1 → 2)");

    let (october, october_weeks) = {
        let weeks = weeks_of("2026-10", &new, &[values; 5]);
        (month_of("2026-10", &new, 2, &weeks), weeks)
    };
    let why = why::months(&september, &to_under_new, &october, &october_weeks, &new);
    assert_eq!(why.sentence, "70 → 80: settings +10 (version 2 came within a month)");
}

#[test]
fn answers_come_go_and_change() {
    let settings = Settings::default();
    let (first, second) = (week("2026-W39"), week("2026-W40"));
    let old = at("2026-07-01T00:00:00Z"); // counts at the end of W39 (28 September), not a week later
    let recent = at("2026-09-20T00:00:00Z");
    let later = at("2026-09-30T00:00:00Z");
    let all = [
        answer("same", nps(8), recent),
        answer("again", nps(8), recent),
        answer("again", nps(8), later),
        answer("changed", nps(8), recent),
        answer("changed", nps(3), later),
        answer("new", nps(9), later),
        answer("left", nps(9), at("2026-07-07T00:00:00Z")), // just counts at the end of W40
        answer("old", nps(9), at("2026-07-02T00:00:00Z")),
        answer("older", nps(9), old),
    ];
    let stayed: Vec<Answer> = all.iter().filter(|answer| answer.user != user("left")).cloned().collect();
    let moves = AnswerMoves::between(
        AnswersOfWeek { week: first, settings: &settings, answers: &all },
        AnswersOfWeek { week: second, settings: &settings, answers: &stayed },
    );
    assert_eq!(moves, AnswerMoves { before: 6, new: 1, changed: 1, expired: 2, withdrawn: 1 });

    // The age is that of each side's settings.
    let strict = Settings { answer_age_days: 10.try_into().unwrap(), ..Settings::default() };
    let moves = AnswerMoves::between(
        AnswersOfWeek { week: first, settings: &settings, answers: &all },
        AnswersOfWeek { week: second, settings: &strict, answers: &all },
    );
    assert_eq!(moves, AnswerMoves { before: 6, new: 1, changed: 1, expired: 4, withdrawn: 0 });
}

fn any_settings() -> impl Strategy<Value = Settings> {
    (any_weights(), any_policy()).prop_map(|(weights, policy)| Settings {
        missing_policy: policy,
        ..weighted(weights.0, weights.1, weights.2)
    })
}

fn any_values() -> impl Strategy<Value = [Option<u16>; 3]> {
    [any_value(), any_value(), any_value()]
}

fn any_weeks() -> impl Strategy<Value = Vec<[Option<u16>; 3]>> {
    proptest::collection::vec(any_values(), 0..=5)
}

/// A company's answers: few people, some answering twice, and which of them still count.
fn any_answers() -> impl Strategy<Value = Vec<(Answer, bool)>> {
    let one = (0_u8..12, 0_u8..=10, 0_i64..150, any::<bool>()).prop_map(|(user, rating, age, stays)| {
        let at =
            week("2026-W40").end(Settings::default().time_zone) - TimeDelta::days(age) - TimeDelta::hours(1);
        (answer(&format!("u{user}"), nps(rating), at), stays)
    });
    proptest::collection::vec(one, 0..40)
}

fn present(settings: &Settings, values: [Option<u16>; 3]) -> [Option<u16>; 3] {
    let weights = [settings.weights.login(), settings.weights.adoption(), settings.weights.feedback()];
    let mut values = values;
    for (value, weight) in values.iter_mut().zip(weights) {
        *value = value.filter(|_| weight > Percent::ZERO);
    }
    values
}

fn assert_exact(why: &Why) -> Result<(), TestCaseError> {
    let (Some(from), Some(to)) = (why.from_score, why.to_score) else {
        prop_assert_eq!((why.change, &why.parts), (None, &None));
        prop_assert!(why.sentence.starts_with("Not scored in "), "{}", why.sentence);
        return Ok(());
    };
    let change = i32::from(to.basis_points()) - i32::from(from.basis_points());
    prop_assert_eq!(why.change.unwrap().basis_points(), change);
    prop_assert_eq!(effects(why).iter().sum::<i32>(), change, "{:?}", why);
    let shown = i32::from(to.shown()) - i32::from(from.shown());
    let told = NAMES.map(|name| points_told(&why.sentence, name));
    prop_assert_eq!(told.iter().sum::<i32>(), shown, "{:?}", why);
    for (points, effect) in told.into_iter().zip(effects(why)) {
        prop_assert!(
            (points * 100 - effect).abs() < 100,
            "less than a point apart, and 0 stays 0: {:?}",
            why
        );
    }
    let start = if shown == 0 {
        format!("{}, as before", to.shown())
    } else {
        format!("{} → {}: ", from.shown(), to.shown())
    };
    prop_assert!(why.sentence.starts_with(&start), "{}", why.sentence);
    Ok(())
}

fn week_pair() -> [IsoWeek; 2] {
    [week("2026-W39"), week("2026-W40")]
}

proptest! {
    #![proptest_config(cases(4_096))]

    #[test]
    fn the_effects_sum_exactly_to_the_change_of_a_week(
        old in any_settings(), new in any_settings(), changed in any::<bool>(),
        from in any_values(), to in any_values(),
    ) {
        let new = if changed { new } else { old.clone() };
        let [first, second] = week_pair();
        let to_week = WeekSnapshot { settings_version: 1 + u32::from(changed), ..snapshot(&new, second, to) };
        let why = why::weeks(&snapshot(&old, first, from), &snapshot(&new, first, from), &to_week, &new, None);
        assert_exact(&why)?;
        if why.parts.is_none() {
            return Ok(());
        }
        let [login, adoption, feedback, coverage, settings] = effects(&why);
        let (was, is) = (present(&new, from), present(&new, to));
        let comes_or_goes = was.iter().zip(is).any(|(was, is)| was.is_some() != is.is_some());
        prop_assert!(changed || settings == 0);
        prop_assert!(comes_or_goes || coverage == 0);
        prop_assert_eq!(why.parts.as_ref().unwrap().coverage.text.is_some(), comes_or_goes);
        // A component's effect is its weight among those that both sides know times the change of its value.
        let weights = [new.weights.login(), new.weights.adoption(), new.weights.feedback()].map(|w| i64::from(w.basis_points()));
        let redistributes = new.missing_policy == MissingPolicy::Redistribute;
        let divisor: i64 = (0..3).filter(|i| !redistributes || was[*i].and(is[*i]).is_some()).map(|i| weights[i]).sum();
        for (i, effect) in [login, adoption, feedback].into_iter().enumerate() {
            match was[i].zip(is[i]) {
                Some((was, is)) => {
                    let exact = weights[i] * (i64::from(is) - i64::from(was));
                    prop_assert!((i64::from(effect) * divisor - exact).abs() <= 2 * divisor, "{:?}", why);
                }
                None => prop_assert!(effect.abs() <= i32::from(!comes_or_goes), "{:?}", why),
            }
        }
    }

    #[test]
    fn the_way_back_is_the_opposite(settings in any_settings(), from in any_values(), to in any_values()) {
        let [first, second] = week_pair().map(|week| snapshot(&settings, week, if week == week_pair()[0] { from } else { to }));
        let there = why::weeks(&first, &first, &second, &settings, None);
        let back = why::weeks(&second, &second, &first, &settings, None);
        prop_assert_eq!(there.parts.is_some(), back.parts.is_some());
        if there.parts.is_some() {
            prop_assert_eq!(effects(&there), effects(&back).map(|effect| -effect));
        }
    }

    #[test]
    fn the_effects_sum_exactly_to_the_change_of_a_month(
        old in any_settings(), new in any_settings(), from in any_weeks(), to in any_weeks(), since in 0_usize..5,
    ) {
        let from_weeks = weeks_of("2026-10", &old, &from);
        let to_under_new = weeks_of("2026-12", &new, &to);
        let mut to_weeks = weeks_of("2026-12", &old, &to);
        for (week, under_new) in to_weeks.iter_mut().zip(&to_under_new).skip(since) {
            *week = under_new.clone();
        }
        let october = month_of("2026-10", &old, 1, &from_weeks);
        let december = month_of("2026-12", &new, 2, &to_weeks);
        let from_under_new = weeks_of("2026-10", &new, &from);
        let why = why::months(&october, &from_under_new, &december, &to_under_new, &new);
        assert_exact(&why)?;

        // Under one version the effects are the differences of the months' contributions, as long as all weeks
        // know the same.
        let november = month_of("2026-12", &new, 2, &to_under_new);
        let before = month_of("2026-10", &new, 2, &from_under_new);
        let why = why::months(&before, &from_under_new, &november, &to_under_new, &new);
        assert_exact(&why)?;
        if why.parts.is_some() {
            prop_assert_eq!(effects(&why)[4], 0);
        }
        let mut known = from_under_new.iter().chain(&to_under_new)
            .filter(|week| week.score.is_some())
            .map(|week| {
                let components = week.components;
                let values = [components.login.value, components.adoption.value, components.feedback.value];
                present(&new, values.map(|value| value.map(Percent::basis_points))).map(|value| value.is_some())
            });
        let first = known.next();
        if why.parts.is_some() && known.all(|known| Some(known) == first) {
            let parts = |month: &MonthSnapshot| {
                let parts = month.components;
                [parts.login.contribution, parts.adoption.contribution, parts.feedback.contribution]
                    .map(|part| i32::from(part.unwrap_or_default().basis_points()))
            };
            let (was, is) = (parts(&before), parts(&november));
            prop_assert_eq!(effects(&why), [is[0] - was[0], is[1] - was[1], is[2] - was[2], 0, 0]);
        }
    }

    #[test]
    fn moves_lead_from_one_count_to_the_other(
        answers in any_answers(), age_before in 1_u16..=120, age_after in 1_u16..=120,
    ) {
        let settings = |days: u16| Settings { answer_age_days: days.try_into().unwrap(), ..Settings::default() };
        let (before, after) = (settings(age_before), settings(age_after));
        let all: Vec<Answer> = answers.iter().map(|(answer, _)| answer.clone()).collect();
        let staying: Vec<Answer> = answers.into_iter().filter(|(_, stays)| *stays).map(|(answer, _)| answer).collect();
        let from = AnswersOfWeek { week: week("2026-W39"), settings: &before, answers: &all };
        let to = AnswersOfWeek { week: week("2026-W40"), settings: &after, answers: &staying };
        let moves = AnswerMoves::between(from, to);
        let counted = |side: AnswersOfWeek<'_>| {
            let zone = side.settings.time_zone;
            barometer_domain::component::voices(side.settings, side.answers, side.week, zone).answers
        };
        prop_assert_eq!(moves.before, counted(from));
        prop_assert_eq!(moves.before + moves.new - moves.expired - moves.withdrawn, counted(to));
        prop_assert!(moves.changed + moves.expired + moves.withdrawn <= moves.before);
        if all == staying {
            prop_assert_eq!(moves.withdrawn, 0);
        }
    }
}
