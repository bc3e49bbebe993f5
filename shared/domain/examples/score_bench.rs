//! How many company-weeks one core scores in a minute.
//!
//! `cargo run --release -p barometer-domain --example score_bench -- 20000`
//!
//! Every company has 50 users, a catalogue of 20 features, answers and three weeks of history. The budget is
//! 200,000 company-weeks a minute on one core in a release build.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use std::{collections::BTreeMap, hint::black_box, time::Instant};

use barometer_domain::{
    IsoWeek, Settings, UserId,
    activity::{FeatureSource, Sighting, UserWeek, of_event},
    answer::{Answer, Rating},
    catalogue::{Feature, Match},
    component::uses_of_week,
    member::Member,
    telemetry::Telemetry,
    week::{CompanyWeek, History, score},
};
use chrono::TimeDelta;

const USERS: u32 = 50;
const FEATURES: u32 = 20;
const BUDGET_A_MINUTE: f64 = 200_000.0;

fn main() {
    let companies: u32 =
        std::env::args().nth(1).map_or(2_000, |number| number.parse().expect("a number of company-weeks"));
    let feature = |number| Feature {
        key: format!("feature-{number}"),
        label: String::new(),
        weight: 1 + number as u16 % 5,
        plans: Vec::new(),
        names: Match { events: vec![format!("Feature {number} *")], ..Match::default() },
    };
    let settings = Settings {
        name: "Bench".to_owned(),
        time_zone: "Europe/Berlin".parse().unwrap(),
        catalogue: Some((0..FEATURES).map(feature).collect()),
        ..Settings::default()
    };
    let week: IsoWeek = "2026-W36".parse().unwrap();
    let zone = settings.time_zone;
    let (mut members, mut activity, mut answers) = (BTreeMap::new(), BTreeMap::new(), Vec::new());
    for number in 0..USERS {
        let user = UserId::new(format!("user-{number}")).unwrap();
        let member = Member { first_seen: "2026-01-05".parse().unwrap(), left: None, excluded: false };
        members.insert(user.clone(), member);
        if number % 5 == 0 {
            answers.push(Answer {
                user: user.clone(),
                rating: Rating::nps(number as u8 % 11).unwrap(),
                at: week.start(zone) + TimeDelta::hours(i64::from(number)),
            });
        }
        if number % 4 == 0 {
            continue;
        }
        let mut done = UserWeek::default();
        for step in 0..30 {
            let at = week.start(zone) + TimeDelta::minutes(i64::from(number * 7 + step * 311));
            let name = format!("Feature {} Used", (number + step) % FEATURES);
            let seen = Sighting::new(FeatureSource::Event, &name).unwrap();
            for (_, of) in of_event(at, Some(TimeDelta::minutes(12)), &[seen], zone) {
                done.merge(&of);
            }
        }
        activity.insert(user, done);
    }
    let uses = uses_of_week(activity.values());
    let history = History { valid_weeks: 9, uses: [uses.clone(), uses.clone(), uses] };
    let input = CompanyWeek {
        week,
        settings: &settings,
        settings_version: 1,
        started: "2026-01-05".parse().unwrap(),
        plan: Some("pro"),
        members: &members,
        activity: &activity,
        answers: &answers,
        history: &history,
        telemetry: Telemetry::Normal,
    };
    let began = Instant::now();
    for _ in 0..companies {
        black_box(score(black_box(&input)));
    }
    let seconds = began.elapsed().as_secs_f64();
    let a_minute = f64::from(companies) / seconds * 60.0;
    println!("{companies} company-weeks of {USERS} users in {seconds:.2} s: {a_minute:.0} a minute");
    println!("budget {BUDGET_A_MINUTE:.0} a minute in a release build: {:.1} ×", a_minute / BUDGET_A_MINUTE);
}
