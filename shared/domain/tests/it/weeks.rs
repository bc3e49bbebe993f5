//! Rules: who counts in a week, onboarding, confidence, and the snapshot as a whole.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use std::collections::BTreeMap;

use barometer_domain::{
    IsoWeek, Percent, Settings, UserId, Zone,
    activity::{FeatureSource, Sighting, UserWeek, of_event},
    answer::Answer,
    band::Standing,
    component::{MAX_USES, Missing, UsesOfWeek, kept_uses},
    member::Member,
    telemetry::Telemetry,
    week::{CompanyWeek, Confidence, History, WeekSnapshot, score},
};
use chrono::{Days, NaiveDate, TimeDelta};
use proptest::prelude::*;

use crate::support::{answer, at, bp, cases, date, minutes, nps, user, week, weighted, zone};

fn member(first_seen: &str) -> Member {
    Member { first_seen: date(first_seen), left: None, excluded: false }
}

fn active(days: u8) -> UserWeek {
    UserWeek { days: (1..=days).collect(), ..UserWeek::default() }
}

/// A company of 2026-W36 in UTC that began long before, with four valid weeks.
struct Company {
    settings: Settings,
    started: NaiveDate,
    members: BTreeMap<UserId, Member>,
    activity: BTreeMap<UserId, UserWeek>,
    answers: Vec<Answer>,
    history: History,
    telemetry: Telemetry,
}

impl Company {
    fn new(members: &[(&str, Member)]) -> Self {
        Self {
            settings: weighted(10_000, 0, 0),
            started: date("2026-01-01"),
            members: members.iter().map(|(id, member)| (user(id), member.clone())).collect(),
            activity: BTreeMap::new(),
            answers: Vec::new(),
            history: History { valid_weeks: 4, ..History::default() },
            telemetry: Telemetry::Normal,
        }
    }

    fn active(mut self, id: &str, days: u8) -> Self {
        self.activity.insert(user(id), active(days));
        self
    }

    fn score(&self) -> WeekSnapshot {
        score(&CompanyWeek {
            week: week("2026-W36"),
            settings: &self.settings,
            settings_version: 3,
            started: self.started,
            plan: None,
            members: &self.members,
            activity: &self.activity,
            answers: &self.answers,
            history: &self.history,
            telemetry: self.telemetry,
        })
    }
}

#[test]
fn a_user_counts_from_the_thursday_until_leaving() {
    let thursday = week("2026-W36").thursday();
    assert_eq!(thursday, date("2026-09-03"));
    for (first_seen, left, excluded, counts) in [
        ("2026-09-03", None, false, true),
        ("2026-09-04", None, false, false),
        ("2020-01-01", None, false, true),
        ("2020-01-01", None, true, false),
        ("2020-01-01", Some("2026-09-03"), false, false),
        ("2020-01-01", Some("2026-09-04"), false, true),
    ] {
        let member = Member { first_seen: date(first_seen), left: left.map(date), excluded };
        assert_eq!(member.eligible(week("2026-W36")), counts, "{member:?}");
        let text = serde_json::to_string(&member).unwrap();
        assert_eq!(serde_json::from_str::<Member>(&text).unwrap(), member);
    }
}

#[test]
fn names_without_end_keep_those_of_the_catalogue_and_of_most_days() {
    let settings: Settings =
        serde_json::from_str(r#"{"catalogue":[{"key":"zebra","label":"Zebra","weight":1}]}"#).unwrap();
    let mut uses: UsesOfWeek = (0..5_000)
        .map(|number| (Sighting::new(FeatureSource::Event, &format!("opened {number:04}")).unwrap(), 1))
        .collect();
    let often = Sighting::new(FeatureSource::View, "zoo").unwrap();
    let feature = Sighting::new(FeatureSource::Property, "zebra").unwrap();
    uses.extend([(often.clone(), 3), (feature.clone(), 1)]);
    let kept = kept_uses(&settings, uses);
    assert_eq!(kept.len(), MAX_USES);
    assert!(kept.contains_key(&often) && kept.contains_key(&feature), "{kept:?}");
    assert!(kept.keys().any(|sighting| sighting.name == "opened 0000"));
    assert_eq!(kept_uses(&settings, kept.clone()), kept);
}

#[test]
fn only_eligible_users_are_counted() {
    let old = || member("2026-01-01");
    let company = Company::new(&[
        ("ann", old()),
        ("ben", old()),
        ("late", member("2026-09-04")),
        ("gone", Member { left: Some(date("2026-08-01")), ..old() }),
        ("service", Member { excluded: true, ..old() }),
        ("banned", old()),
    ]);
    let mut company = company.active("ann", 2).active("late", 3).active("gone", 3);
    company = company.active("service", 7).active("banned", 7).active("stranger", 7);
    company.settings.exclusions.user_ids.insert(user("banned"));
    let snapshot = company.score();
    let counts = snapshot.components.login.counts;
    assert_eq!((counts.users, counts.active_users), (2, 1));
    assert_eq!(snapshot.score, Some(Percent::HALF));
    assert_eq!((snapshot.settings_version, snapshot.valid_weeks, snapshot.heard), (3, 5, true));
}

#[test]
fn nobody_to_count_is_missing() {
    let snapshot = Company::new(&[]).score();
    assert_eq!(snapshot.components.login.missing, Some(Missing::NoEligibleUsers));
    assert_eq!((snapshot.score, snapshot.band, snapshot.heard), (None, Standing::Insufficient, false));
    assert_eq!(snapshot.valid_weeks, 4);
}

#[test]
fn a_company_that_did_nothing_scores_a_real_nought() {
    let mut company = Company::new(&[("ann", member("2026-01-01"))]);
    let snapshot = company.score();
    assert_eq!((snapshot.score, snapshot.band), (Some(Percent::ZERO), Standing::AtRisk));
    company.telemetry = Telemetry::DataGap;
    let snapshot = company.score();
    assert_eq!((snapshot.score, snapshot.band), (None, Standing::Insufficient));
    assert_eq!(snapshot.telemetry, Telemetry::DataGap);
}

#[test]
fn the_answer_of_somebody_who_left_or_is_excluded_does_not_count() {
    let mut company = Company::new(&[
        ("ann", member("2026-01-01")),
        ("gone", Member { left: Some(date("2026-09-03")), ..member("2026-01-01") }), // the week's Thursday
        ("service", Member { excluded: true, ..member("2026-01-01") }),
        ("banned", member("2026-01-01")),
    ]);
    company.settings = weighted(0, 0, 10_000);
    company.settings.exclusions.user_ids.insert(user("banned"));
    let when = at("2026-09-02T00:00:00Z");
    for id in ["gone", "service", "banned"] {
        company.answers.push(answer(id, nps(0), when));
    }
    assert_eq!(company.score().components.feedback.missing, Some(Missing::NoAnswers));
    company.answers.push(answer("ann", nps(10), when));
    assert_eq!(company.score().score, Some(Percent::FULL));
    company.members.get_mut(&user("gone")).unwrap().left = Some(date("2026-09-04"));
    assert_eq!(company.score().score, Some(Percent::HALF), "there until Friday: counts once more");
    company.members.get_mut(&user("gone")).unwrap().left = Some(date("2026-09-03"));
    // Somebody of whom only the answer is known counts as a voice, though not as a seat.
    company.answers.push(answer("stranger", nps(0), when));
    let snapshot = company.score();
    assert_eq!((snapshot.score, snapshot.components.feedback.counts.answers), (Some(Percent::HALF), 2));
    assert_eq!(snapshot.components.login.counts.users, 1);
}

#[test]
fn onboarding_lasts_28_days_and_until_two_valid_weeks() {
    let first_day = week("2026-W36").next().monday(); // the company is judged when the week is over
    let mut company = Company::new(&[("ann", member("2026-01-01"))]);
    for (days, valid_weeks, expected) in
        [(27, 9, true), (28, 9, false), (28, 2, false), (28, 1, true), (400, 1, true), (0, 4, true)]
    {
        company.started = first_day.checked_sub_days(Days::new(days)).unwrap();
        company.history.valid_weeks = valid_weeks - 1; // the scored week is valid too
        let onboarding = company.score().band == Standing::Onboarding;
        assert_eq!(onboarding, expected, "{days} days, {valid_weeks} weeks");
    }
}

#[test]
fn a_new_company_has_a_score_and_no_band() {
    let mut company = Company::new(&[("ann", member("2026-08-20"))]).active("ann", 1);
    company.started = date("2026-08-20");
    let snapshot = company.score();
    assert_eq!(
        (snapshot.score, snapshot.shown, snapshot.band),
        (Some(Percent::FULL), Some(100), Standing::Onboarding)
    );
    company.started = date("2026-08-10"); // 28 days before Monday 7 September
    assert_eq!(company.score().band, Standing::Thriving);
    company.history.valid_weeks = 1; // with this week the second
    assert_eq!(company.score().band, Standing::Thriving);
    company.history.valid_weeks = 0;
    assert_eq!(company.score().band, Standing::Onboarding);
}

#[test]
fn confidence_is_as_the_table_says() {
    for (users, coverage, weeks, answers, expected) in [
        (4, 10_000, 9, 9, Confidence::Low),
        (5, 10_000, 3, 0, Confidence::Medium),
        (5, 10_000, 2, 9, Confidence::Low),
        (10, 9_999, 9, 9, Confidence::Low),
        (10, 10_000, 3, 3, Confidence::Medium),
        (10, 10_000, 4, 2, Confidence::Medium),
        (9, 10_000, 4, 3, Confidence::Medium),
        (10, 10_000, 4, 3, Confidence::High),
        (0, 0, 0, 0, Confidence::Low),
    ] {
        let read = Confidence::of(users, bp(coverage), weeks, answers);
        assert_eq!(read, expected, "{users} users, {coverage}, {weeks} weeks, {answers} answers");
    }
    assert!(Confidence::Low < Confidence::Medium && Confidence::Medium < Confidence::High);
}

#[test]
fn use_is_remembered_for_four_weeks_and_then_decays() {
    let mut company = Company::new(&[("ann", member("2026-01-01"))]);
    company.settings = serde_json::from_str(
        r#"{"name":"t","weights":{"login":0,"adoption":100,"feedback":0},"adoption_split":{"breadth":100,"depth":0},"catalogue":[{"key":"export"}]}"#,
    )
    .unwrap();
    // Week after week the snapshot's uses become the next week's history.
    let used = UserWeek { uses: ["2eexport".parse().unwrap()].into(), ..active(2) };
    company.activity.insert(user("ann"), used);
    let mut scores = Vec::new();
    for _ in 0..5 {
        let snapshot = company.score();
        scores.push(snapshot.score.unwrap().shown());
        let [first, second, _] = company.history.uses;
        company.history.uses = [snapshot.uses, first, second];
        company.activity.clear();
    }
    assert_eq!(scores, [100, 100, 100, 100, 0]);
}

#[test]
fn a_use_by_somebody_who_does_not_count_is_not_remembered() {
    let mut company = Company::new(&[("ann", member("2026-01-01"))]).active("ann", 1);
    let used = UserWeek { uses: ["1eexport".parse().unwrap()].into(), ..active(1) };
    company.activity.insert(user("stranger"), used);
    assert!(company.score().uses.is_empty());
}

#[test]
fn a_snapshot_survives_storage() {
    let mut company = Company::new(&[("ann", member("2026-01-01"))]).active("ann", 3);
    company.settings = weighted(3_333, 3_333, 3_333);
    let used = UserWeek { uses: ["1eexport".parse().unwrap()].into(), ..active(1) };
    company.activity.insert(user("ann"), used);
    company.answers.push(answer("ann", nps(7), at("2026-09-02T00:00:00Z")));
    let snapshot = company.score();
    let text = serde_json::to_string(&snapshot).unwrap();
    assert_eq!(serde_json::from_str::<WeekSnapshot>(&text).unwrap(), snapshot);
    assert_eq!(company.score(), snapshot, "computed again it is identical");
}

/// What was posted: user, minute of the two weeks from Monday 19 October, minutes of duration, feature.
type Posted = (&'static str, i64, i64, &'static str);

fn any_post() -> impl Strategy<Value = Posted> {
    let users = proptest::sample::select(&["ann", "ben", "cy", "stranger"][..]);
    let features = proptest::sample::select(&["export", "share", "other"][..]);
    (users, 0_i64..20_160, 0_i64..300, features)
}

fn scored(posts: &[Posted], answers: &[Answer], week: IsoWeek, zone: Zone) -> WeekSnapshot {
    let mut settings: Settings =
        serde_json::from_str(r#"{"name":"t","catalogue":[{"key":"export","weight":2},{"key":"share"}]}"#)
            .unwrap();
    settings.time_zone = zone;
    let members: BTreeMap<UserId, Member> =
        ["ann", "ben", "cy"].map(|id| (user(id), member("2026-01-01"))).into();
    let mut activity: BTreeMap<UserId, UserWeek> = BTreeMap::new();
    for (id, minute, duration, feature) in posts {
        let sighting = Sighting::new(FeatureSource::Event, feature).unwrap();
        let when = at("2026-10-19T00:00:00Z") + minutes(*minute);
        for (of, done) in of_event(when, Some(minutes(*duration)), &[sighting], zone) {
            if of == week {
                activity.entry(user(id)).or_default().merge(&done);
            }
        }
    }
    score(&CompanyWeek {
        week,
        settings: &settings,
        settings_version: 1,
        started: date("2026-01-01"),
        plan: None,
        members: &members,
        activity: &activity,
        answers,
        history: &History { valid_weeks: 9, ..History::default() },
        telemetry: Telemetry::Normal,
    })
}

fn any_answers() -> impl Strategy<Value = Vec<Answer>> {
    let one = (proptest::sample::select(&["ann", "ben"][..]), 0_u8..=10, 0_i64..40);
    let from = at("2026-09-20T00:00:00Z");
    let one = one.prop_map(move |(id, rating, days)| answer(id, nps(rating), from + TimeDelta::days(days)));
    proptest::collection::vec(one, 0..5)
}

proptest! {
    #![proptest_config(cases(256))]

    #[test]
    fn order_and_duplicates_change_no_snapshot(
        (posts, again) in proptest::collection::vec(any_post(), 0..15).prop_flat_map(|posts| {
            let thrice = [posts.clone(), posts.clone(), posts.clone()].concat();
            (Just(posts), Just(thrice).prop_shuffle())
        }),
        (answers, answers_again) in any_answers().prop_flat_map(|answers| {
            let twice = [answers.clone(), answers.clone()].concat();
            (Just(answers), Just(twice).prop_shuffle())
        }),
        berlin in any::<bool>(),
    ) {
        let zone = if berlin { zone("Europe/Berlin") } else { zone("Pacific/Kiritimati") };
        let week = week("2026-W43"); // clocks go back on its Sunday in Berlin
        let snapshot = scored(&posts, &answers, week, zone);
        prop_assert_eq!(&snapshot, &scored(&again, &answers_again, week, zone));

        // And what it says is consistent in itself.
        prop_assert_eq!(snapshot.shown, snapshot.score.map(Percent::shown));
        if let Some(score) = snapshot.score {
            prop_assert_eq!(snapshot.band, Settings::default().bands.band(score).into());
            let parts = snapshot.components;
            let parts = [parts.login.contribution, parts.adoption.contribution, parts.feedback.contribution];
            let sum: u16 = parts.into_iter().flatten().map(Percent::basis_points).sum();
            prop_assert_eq!(sum, score.basis_points());
        }
        let counts = snapshot.components.login.counts;
        prop_assert!(counts.active_users <= counts.users && counts.users == 3);
        prop_assert!(snapshot.components.adoption.counts.minutes <= 3 * 7 * 480);
    }

    #[test]
    fn more_activity_never_lowers_a_score(
        posts in proptest::collection::vec(any_post(), 0..10), more in any_post(), answers in any_answers(),
    ) {
        let week = week("2026-W43");
        let before = scored(&posts, &answers, week, Zone::UTC);
        let mut posts = posts;
        posts.push(more);
        prop_assert!(scored(&posts, &answers, week, Zone::UTC).score >= before.score);
    }
}
