//! How long a what-if takes: 1,000 companies × 26 weeks on one core.
//!
//! `cargo run --release -p barometer-domain --example what_if_bench -- 1000`
//!
//! Every week has 50 users and 20 names in use; the draft has a catalogue of 20 features and changes weights,
//! target and bands. The budget is two seconds in a release build.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use std::{collections::BTreeMap, hint::black_box, time::Instant};

use barometer_domain::{
    CompanyId, IsoWeek, Settings, UserId,
    activity::UserWeek,
    band::Bands,
    catalogue::{Feature, Match},
    member::Member,
    telemetry::Telemetry,
    week::{CompanyWeek, History, WeekSnapshot, score},
    what_if::WhatIf,
};

const WEEKS: u32 = 26;
const USERS: u32 = 50;
const FEATURES: u32 = 20;
/// Companies that differ; the others repeat them.
const KINDS: u32 = 20;
const BUDGET_SECONDS: f64 = 2.0;

fn main() {
    let companies: u32 =
        std::env::args().nth(1).map_or(1_000, |number| number.parse().expect("a number of companies"));
    let current = settings("Feature * of {number}");
    let mut draft = settings("Feature {number} *");
    draft.login_days = 3.try_into().unwrap();
    draft.bands = Bands::GOCSM_2026;

    let kinds: Vec<Vec<WeekSnapshot>> = (0..KINDS).map(|kind| weeks_of(kind, &current)).collect();
    let began = Instant::now();
    let mut what_if = WhatIf::new(&current, &draft, 2, first_week());
    for number in 0..companies {
        let id = CompanyId::new(format!("company-{number}")).unwrap();
        what_if.add(&id, black_box(&kinds[(number % KINDS) as usize]));
    }
    let result = black_box(what_if.finish());
    let seconds = began.elapsed().as_secs_f64();
    println!(
        "{companies} companies × {WEEKS} weeks of {USERS} users in {seconds:.2} s; {} change band",
        result.changed
    );
    println!("budget {BUDGET_SECONDS} s for 1,000 companies in a release build");
}

fn first_week() -> IsoWeek {
    "2026-W10".parse().unwrap()
}

fn settings(pattern: &str) -> Settings {
    let feature = |number: u32| Feature {
        key: format!("feature-{number}"),
        label: String::new(),
        weight: 1 + number as u16 % 5,
        plans: Vec::new(),
        names: Match { events: vec![pattern.replace("{number}", &number.to_string())], ..Match::default() },
    };
    let catalogue = Some((0..FEATURES).map(feature).collect());
    Settings { name: "Bench".to_owned(), catalogue, ..Settings::default() }
}

/// Half a year of a company: activity goes up and down.
fn weeks_of(kind: u32, settings: &Settings) -> Vec<WeekSnapshot> {
    let mut history = History { valid_weeks: 9, ..History::default() };
    (0..WEEKS)
        .map(|back| {
            let snapshot = week_of(kind + back, first_week().plus(back.into()), settings, &history);
            let [first, second, _] = std::mem::take(&mut history.uses);
            history =
                History { valid_weeks: snapshot.valid_weeks, uses: [snapshot.uses.clone(), first, second] };
            snapshot
        })
        .collect()
}

fn week_of(level: u32, week: IsoWeek, settings: &Settings, history: &History) -> WeekSnapshot {
    let seat = Member { first_seen: "2026-01-05".parse().unwrap(), left: None, excluded: false };
    let members: BTreeMap<UserId, Member> =
        (0..USERS).map(|number| (UserId::new(format!("user-{number}")).unwrap(), seat.clone())).collect();
    let mut activity = BTreeMap::new();
    for (number, id) in (0..).zip(members.keys()).filter(|(number, _)| number % 9 >= level % 9) {
        let days = 1..=(1 + (number % 5) as u8);
        let used = |day: u8| format!("{day}eFeature {} Used", (number + u32::from(day)) % FEATURES);
        let uses = days.clone().map(|day| used(day).parse().unwrap()).collect();
        let slots = (0..number as u16 % 20).collect();
        activity.insert(id.clone(), UserWeek { days: days.collect(), uses, slots });
    }
    score(&CompanyWeek {
        week,
        settings,
        settings_version: 1,
        started: "2026-01-05".parse().unwrap(),
        plan: Some("pro"),
        members: &members,
        activity: &activity,
        answers: &[],
        history,
        telemetry: Telemetry::Normal,
    })
}
