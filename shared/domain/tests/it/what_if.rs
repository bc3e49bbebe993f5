//! Rule: a what-if re-scores history under draft settings and says what would change.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use std::collections::{BTreeMap, BTreeSet};

use barometer_domain::{
    CompanyId, IsoWeek, Percent, Settings, UserId,
    activity::{FeatureSource, Sighting, UserWeek, of_event},
    answer::{Answer, Rating},
    band::{Bands, Standing},
    component::{UsesOfWeek, uses_of_week},
    member::Member,
    telemetry::Telemetry,
    week::{Basis, CompanyWeek, History, WeekSnapshot, score},
    what_if::{WhatIf, WhatIfResult, not_applied, rescore},
};
use chrono::{DateTime, Days, TimeDelta, Utc};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::{any_weights, bp, cases, date, user, week, weighted};

const NAMES: [&str; 4] = ["export", "share", "Report Opened", "audit"];

fn company(id: &str) -> CompanyId {
    CompanyId::new(id).unwrap()
}

/// Settings that may differ in everything that history can be scored with again, and in nothing else.
fn any_settings() -> impl Strategy<Value = Settings> {
    let bands = (3_u8..=100).prop_flat_map(|thriving| (Just(thriving), 2..thriving)).prop_flat_map(
        |(thriving, healthy)| (1..healthy).prop_map(move |steady| Bands::new(thriving, healthy, steady)),
    );
    let policy = proptest::sample::select(&["redistribute", "zero", "neutral"][..]);
    let method = proptest::sample::select(&["mean", "nps"][..]);
    let catalogue = proptest::option::weighted(0.8, proptest::collection::vec(any_feature(), 0..4));
    (any_weights(), 1_u8..=7, 1_u16..300, 0_u8..=100, 1_u8..=5, catalogue, bands, policy, method).prop_map(
        |(weights, login_days, minutes, breadth, feature_days, catalogue, bands, policy, method)| {
            let base = weighted(weights.0, weights.1, weights.2);
            let mut json = serde_json::to_value(Settings { bands: bands.unwrap(), ..base }).unwrap();
            json["login_days"] = json!(login_days);
            json["minutes_per_user_week"] = json!(minutes);
            json["adoption_split"] = json!({"breadth": breadth, "depth": 100 - breadth});
            json["feature_days"] = json!(feature_days);
            json["catalogue"] = json!(catalogue);
            json["missing_policy"] = json!(policy);
            json["feedback_method"] = json!(method);
            json["time_zone"] = json!("America/St_Johns");
            json["exclusions"] = json!({"user_ids": ["dan"]});
            serde_json::from_value(json).unwrap()
        },
    )
}

fn any_feature() -> impl Strategy<Value = Value> {
    let key = proptest::sample::select(&NAMES[..]);
    let plans = proptest::sample::subsequence(vec!["pro", "free"], 0..=2);
    let names = proptest::option::of(proptest::sample::select(&["Report *", "share"][..]));
    (key, 1_u16..=5, plans, names).prop_map(|(key, weight, plans, names)| match names {
        Some(pattern) => {
            json!({"key": key, "weight": weight, "plans": plans, "match": {"events": [pattern]}})
        }
        None => json!({"key": key, "weight": weight, "plans": plans}),
    })
}

/// What is known of a company's week, whatever the settings.
#[derive(Debug, Clone)]
struct Known {
    members: BTreeMap<UserId, Member>,
    events: Vec<(UserId, DateTime<Utc>, TimeDelta, &'static str)>,
    answers: Vec<Answer>,
    plan: Option<&'static str>,
    /// How many days before the week's Monday the company began.
    age: u64,
    telemetry: Telemetry,
}

const WEEK: &str = "2026-W44"; // clocks go back in St John's on its Sunday

fn any_known() -> impl Strategy<Value = Known> {
    let id = || proptest::sample::select(&["ann", "ben", "cy", "dan", "eve"][..]).prop_map(user);
    let start = week(WEEK).start("America/St_Johns".parse().unwrap());
    let seat =
        (300_u32..306, proptest::option::weighted(0.1, Just("2026-10-20")), proptest::bool::weighted(0.1))
            .prop_map(|(day, left, excluded)| Member {
                first_seen: chrono::NaiveDate::from_yo_opt(2026, day).unwrap(),
                left: left.map(date),
                excluded,
            });
    let event = (id(), 0_i64..10_140, 0_i64..600, proptest::sample::select(&NAMES[..])).prop_map(
        move |(user, minute, duration, name)| {
            (user, start + TimeDelta::minutes(minute), TimeDelta::minutes(duration), name)
        },
    );
    let rating = prop_oneof![
        (0_u8..=10).prop_map(|rating| Rating::nps(rating).unwrap()),
        (1_u8..=5).prop_map(|stars| Rating::stars(stars, 5).unwrap()),
    ];
    let answer = (id(), rating, -100_i64..8).prop_map(move |(user, rating, days)| Answer {
        user,
        rating,
        at: start + TimeDelta::days(days),
    });
    let telemetry = prop_oneof![
        8 => Just(Telemetry::Normal),
        1 => Just(Telemetry::NeverSent),
        1 => Just(Telemetry::WorkspaceSilent),
        1 => Just(Telemetry::DataGap),
    ];
    (
        proptest::collection::btree_map(id(), seat, 0..5),
        proptest::collection::vec(event, 0..12),
        proptest::collection::vec(answer, 0..5),
        proptest::sample::select(&[None, Some("pro"), Some("free")][..]),
        0_u64..60,
        telemetry,
    )
        .prop_map(|(members, events, answers, plan, age, telemetry)| Known {
            members,
            events,
            answers,
            plan,
            age,
            telemetry,
        })
}

fn any_history() -> impl Strategy<Value = History> {
    let uses = || {
        let name = proptest::sample::select(&NAMES[..])
            .prop_map(|name| Sighting::new(FeatureSource::Event, name).unwrap());
        proptest::collection::btree_map(name, 1_u8..128, 0..3)
    };
    (0_u32..6, [uses(), uses(), uses()]).prop_map(|(valid_weeks, uses)| History { valid_weeks, uses })
}

impl Known {
    fn score(&self, settings: &Settings, version: u32, history: &History) -> WeekSnapshot {
        let week = week(WEEK);
        let mut activity: BTreeMap<UserId, UserWeek> = BTreeMap::new();
        for (user, at, duration, name) in &self.events {
            let seen = Sighting::new(FeatureSource::Event, name).unwrap();
            for (of, done) in of_event(*at, Some(*duration), &[seen], settings.time_zone) {
                if of == week {
                    activity.entry(user.clone()).or_default().merge(&done);
                }
            }
        }
        score(&CompanyWeek {
            week,
            settings,
            settings_version: version,
            started: week.monday().checked_sub_days(Days::new(self.age)).unwrap(),
            plan: self.plan,
            members: &self.members,
            activity: &activity,
            answers: &self.answers,
            history,
            telemetry: self.telemetry,
        })
    }
}

proptest! {
    #![proptest_config(cases(1_024))]

    #[test]
    fn a_stored_week_scored_again_is_the_week_scored_under_the_draft(
        known in any_known(), history in any_history(), current in any_settings(), draft in any_settings(),
    ) {
        let stored = known.score(&current, 1, &history);
        let text = serde_json::to_string(&stored).unwrap();
        let stored: WeekSnapshot = serde_json::from_str(&text).unwrap();
        let before = history.uses.each_ref();
        prop_assert_eq!(&rescore(&stored, before, &current, 1), &stored);
        prop_assert_eq!(rescore(&stored, before, &draft, 2), known.score(&draft, 2, &history));
    }
}

/// A week of four users of whom `active` were, in a company with history.
fn stored(settings: &Settings, period: IsoWeek, active: u32) -> WeekSnapshot {
    let members: BTreeMap<UserId, Member> = (0..4)
        .map(|number| {
            let seat = Member { first_seen: date("2026-01-05"), left: None, excluded: false };
            (user(&format!("user{number}")), seat)
        })
        .collect();
    let done =
        UserWeek { days: [1, 2].into(), uses: ["1eexport".parse().unwrap()].into(), ..UserWeek::default() };
    let activity = members.keys().take(active as usize).map(|id| (id.clone(), done.clone())).collect();
    score(&CompanyWeek {
        week: period,
        settings,
        settings_version: 1,
        started: date("2026-01-05"),
        plan: None,
        members: &members,
        activity: &activity,
        answers: &[],
        history: &History { valid_weeks: 5, ..History::default() },
        telemetry: Telemetry::Normal,
    })
}

fn what_if(draft: &Settings, companies: &[(&str, Vec<WeekSnapshot>)]) -> WhatIfResult {
    let mut what_if = WhatIf::new(&weighted(10_000, 0, 0), draft, 2, week("2026-W36"));
    for (id, weeks) in companies {
        what_if.add(&company(id), weeks);
    }
    what_if.finish()
}

#[test]
fn a_draft_says_who_would_stand_where() {
    let current = weighted(10_000, 0, 0);
    // Users came on two days: with four expected, each share is halved.
    let draft = Settings { login_days: 4.try_into().unwrap(), ..current.clone() };
    let weeks = |active: [u32; 2]| {
        vec![stored(&current, week("2026-W36"), active[0]), stored(&current, week("2026-W37"), active[1])]
    };
    // 100 → 50 and 0 → 0; 0 → 0 and 100 → 50; 50 → 25 in both.
    let companies = [("c", weeks([4, 0])), ("b", weeks([0, 4])), ("a", weeks([2, 2]))];
    let result = what_if(&draft, &companies);
    let expected = json!({
        "companies": 3,
        "changed": 2,
        "changed_in_any_week": 3,
        "weeks_left_as_stored": 0,
        "not_applied": [],
        "weeks": [
            {
                "week": "2026-W36",
                "before": {"standings": standings([1, 0, 1, 1]), "mean": 50},
                "after": {"standings": standings([0, 0, 1, 2]), "mean": 25},
            },
            {
                "week": "2026-W37",
                "before": {"standings": standings([1, 0, 1, 1]), "mean": 50},
                "after": {"standings": standings([0, 0, 1, 2]), "mean": 25},
            },
        ],
        "moves": [
            {"from": "steady", "to": "at_risk", "companies": 1},
            {"from": "thriving", "to": "steady", "companies": 1},
        ],
        "changes": [
            {"company_id": "a", "from": {"band": "steady", "score": 50}, "to": {"band": "at_risk", "score": 25}},
            {"company_id": "b", "from": {"band": "thriving", "score": 100}, "to": {"band": "steady", "score": 50}},
        ],
    });
    assert_eq!(serde_json::to_value(&result).unwrap(), expected);
    let mut others = companies.to_vec();
    others.reverse();
    others.iter_mut().for_each(|(_, weeks)| weeks.reverse());
    assert_eq!(what_if(&draft, &others), result, "in any order");
}

/// Thriving, healthy, steady, at risk.
fn standings(companies: [u32; 4]) -> Value {
    let [thriving, healthy, steady, at_risk] = companies;
    json!({
        "thriving": thriving, "healthy": healthy, "steady": steady, "at_risk": at_risk,
        "onboarding": 0, "insufficient": 0,
    })
}

#[test]
fn only_companies_with_the_latest_week_change_in_it() {
    let current = weighted(10_000, 0, 0);
    let draft = Settings { login_days: 4.try_into().unwrap(), ..current.clone() };
    let result = what_if(
        &draft,
        &[
            ("churned", vec![stored(&current, week("2026-W36"), 4)]),
            ("older", vec![stored(&current, week("2026-W35"), 4)]),
            ("quiet", vec![stored(&current, week("2026-W40"), 0)]),
        ],
    );
    assert_eq!((result.companies, result.changed, result.changed_in_any_week), (2, 0, 1));
    assert_eq!((result.moves, result.changes), (Vec::new(), Vec::new()));
    assert_eq!(what_if(&draft, &[]).weeks, Vec::new());
}

#[test]
fn weeks_before_the_first_are_looked_back_at() {
    let current = weighted(0, 10_000, 0);
    let mut draft = current.clone();
    draft.catalogue = serde_json::from_str(r#"[{"key":"export"}]"#).unwrap();
    draft.adoption_split = serde_json::from_str(r#"{"breadth":100,"depth":0}"#).unwrap();
    let quiet = stored(&current, week("2026-W36"), 0);
    let mean = |earlier: &[&str]| {
        let mut weeks: Vec<WeekSnapshot> =
            earlier.iter().map(|text| stored(&current, week(text), 1)).collect();
        weeks.push(quiet.clone());
        let result = what_if(&draft, &[("a", weeks)]);
        assert_eq!(result.weeks.len(), 1);
        result.weeks[0].after.mean
    };
    assert_eq!(mean(&["2026-W33"]), Some(Percent::FULL));
    assert_eq!(mean(&["2026-W32"]), Some(Percent::ZERO), "use older than four weeks does not count");
    assert_eq!(mean(&[]), Some(Percent::ZERO));
}

#[test]
fn a_company_that_is_onboarding_stays_so_and_is_in_no_mean() {
    let current = weighted(10_000, 0, 0);
    let mut new = stored(&current, week("2026-W36"), 4);
    new.basis.young = true;
    new.band = Standing::Onboarding;
    let draft = Settings { login_days: 4.try_into().unwrap(), ..current };
    let after = rescore(&new, [&UsesOfWeek::new(); 3], &draft, 2);
    assert_eq!((after.band, after.score, after.valid_weeks), (Standing::Onboarding, Some(Percent::HALF), 6));
    let result = what_if(&draft, &[("a", vec![new])]);
    assert_eq!((result.changed, result.weeks[0].before.standings.onboarding), (0, 1));
    assert_eq!((result.weeks[0].before.mean, result.weeks[0].after.mean), (None, None));
}

#[test]
fn a_week_stored_without_what_it_was_computed_from_stays_as_it_was() {
    let current = weighted(10_000, 0, 0);
    let old = WeekSnapshot { basis: Basis::default(), ..stored(&current, week("2026-W36"), 4) };
    let draft = Settings { login_days: 4.try_into().unwrap(), ..current };
    assert_eq!(rescore(&old, [&UsesOfWeek::new(); 3], &draft, 2), old);
    let result = what_if(&draft, &[("a", vec![old])]);
    assert_eq!((result.companies, result.changed, result.weeks_left_as_stored), (1, 0, 1));
}

#[test]
fn what_history_cannot_show_is_named() {
    let current = Settings::default();
    assert_eq!(not_applied(&current, &current), Vec::<&str>::new());
    let mut draft: Settings = serde_json::from_str(
        r#"{"name":"other","time_zone":"Europe/Berlin","answer_age_days":60,"feedback_events":["Rated"],
            "exclusions":{"email_domains":["initech.example"]},"login_days":3,"cadence_days":60,
            "retention_days":30,"missing_policy":"zero"}"#,
    )
    .unwrap();
    let all = ["answer_age_days", "exclusions", "feedback_events", "time_zone"];
    assert_eq!(not_applied(&current, &draft), all);
    draft.exclusions = current.exclusions.clone();
    assert_eq!(not_applied(&current, &draft), ["answer_age_days", "feedback_events", "time_zone"]);
}

proptest! {
    #![proptest_config(cases(256))]

    #[test]
    fn counts_are_those_of_all_companies_re_scored_one_by_one(
        companies in proptest::collection::vec(proptest::collection::vec((0_u32..=4, 0_i64..3), 0..6), 0..8),
        draft in any_settings(),
    ) {
        let current = weighted(5_000, 5_000, 0);
        let first = week("2026-W36");
        let mut what_if = WhatIf::new(&current, &draft, 2, first);
        let mut expected: BTreeMap<IsoWeek, Vec<(usize, WeekSnapshot, WeekSnapshot)>> = BTreeMap::new();
        for (number, weeks) in companies.iter().enumerate() {
            let mut period = first;
            let mut snapshots: Vec<WeekSnapshot> = Vec::new();
            for (active, skipped) in weeks {
                snapshots.push(stored(&current, period, *active));
                period = period.plus(1 + skipped);
            }
            what_if.add(&company(&format!("company{number}")), &snapshots);
            for snapshot in &snapshots {
                let uses_of = |back: i64| snapshots.iter()
                    .find(|earlier| earlier.period == snapshot.period.plus(-back))
                    .map(|earlier| earlier.uses.clone()).unwrap_or_default();
                let uses = [uses_of(1), uses_of(2), uses_of(3)];
                let after = rescore(snapshot, uses.each_ref(), &draft, 2);
                expected.entry(snapshot.period).or_default().push((number, snapshot.clone(), after));
            }
        }
        let result = what_if.finish();
        let moved: BTreeSet<usize> = expected.values().flatten()
            .filter(|(_, from, to)| from.band != to.band).map(|(number, ..)| *number).collect();
        prop_assert_eq!(result.changed_in_any_week as usize, moved.len());
        prop_assert!(result.weeks.iter().map(|of| &of.week).eq(expected.keys()));
        for of_week in &result.weeks {
            let pairs = &expected[&of_week.week];
            prop_assert_eq!(of_week.before.standings.companies() as usize, pairs.len());
            prop_assert_eq!(of_week.after.standings.companies() as usize, pairs.len());
            let at_risk = pairs.iter().filter(|(_, _, to)| to.band == Standing::AtRisk).count();
            prop_assert_eq!(of_week.after.standings.at_risk as usize, at_risk);
            let scores: Vec<u128> = pairs.iter().filter(|(_, _, to)| to.band.band().is_some())
                .map(|(_, _, to)| u128::from(to.score.unwrap().basis_points())).collect();
            let mean = Percent::ratio(scores.iter().sum(), 10_000 * scores.len() as u128);
            prop_assert_eq!(of_week.after.mean, mean);
        }
        if let Some((_, pairs)) = expected.last_key_value() {
            let changed: Vec<String> = pairs.iter().filter(|(_, from, to)| from.band != to.band)
                .map(|(number, ..)| format!("company{number}")).collect();
            let found: Vec<&str> = result.changes.iter().map(|change| change.company_id.as_str()).collect();
            prop_assert_eq!(found, changed);
            prop_assert_eq!(result.moves.iter().map(|moved| moved.companies).sum::<u32>(), result.changed);
        }
    }
}

#[test]
fn uses_are_read_from_the_snapshot_and_scores_stay_exact() {
    // 2 of 3 entitled features used, no minutes: breadth 2/3 and depth 0 of a split 60/40 are 40.00.
    let mut draft = weighted(0, 10_000, 0);
    draft.catalogue = serde_json::from_str(r#"[{"key":"export"},{"key":"share"},{"key":"audit"}]"#).unwrap();
    let snapshot = stored(&weighted(10_000, 0, 0), week("2026-W36"), 3);
    let shared = UserWeek { uses: ["4eshare".parse().unwrap()].into(), ..UserWeek::default() };
    let (earlier, none) = (uses_of_week([&shared]), UsesOfWeek::new());
    let after = rescore(&snapshot, [&none, &none, &earlier], &draft, 7);
    assert_eq!((after.score, after.settings_version), (Some(bp(4_000)), 7));
    assert_eq!(after.components.adoption.counts.features_used, Some(2));
}
