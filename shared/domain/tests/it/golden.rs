//! The tables of company-weeks and months that were computed by hand.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use std::collections::BTreeMap;

use barometer_domain::{
    Percent, Settings,
    activity::{Use, UserWeek, of_event},
    answer::{Answer, Rating},
    band::{Bands, Standing},
    component::UsesOfWeek,
    member::Member,
    month::{MonthSnapshot, roll_up},
    telemetry::Telemetry,
    week::{CompanyWeek, Confidence, History, WeekSnapshot, score},
};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::support::{answer, at, bp, date, snapshot, user, week, weighted};

const WEEKS: &str = include_str!("golden.txt");
const MONTHS: &str = include_str!("golden_months.txt");

/// A case as its lines: what is given, and what must come out.
struct Case<'a> {
    name: &'a str,
    given: BTreeMap<&'a str, &'a str>,
    expected: BTreeMap<&'a str, &'a str>,
    by_hand: usize,
}

fn read(table: &str) -> Vec<Case<'_>> {
    let (_, cases) = table.split_once("────\n").expect("a rule before the cases");
    let mut read: Vec<Case> = Vec::new();
    for line in cases.lines().filter(|line| !line.trim().is_empty()) {
        let (key, value) = line.split_once(": ").unwrap_or_else(|| panic!("no \"key: value\": {line}"));
        if key == "case" {
            read.push(Case { name: value, given: BTreeMap::new(), expected: BTreeMap::new(), by_hand: 0 });
            continue;
        }
        let case = read.last_mut().expect("a case first");
        let before = match key.strip_prefix("= ") {
            Some(result) => case.expected.insert(result, value),
            None if key == "by hand" => {
                case.by_hand += 1;
                None
            }
            None => case.given.insert(key, value),
        };
        assert_eq!(before, None, "{}: {key} twice", case.name);
    }
    read
}

fn entries(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|entry| !entry.is_empty() && *entry != "none")
}

/// "10 × 1d 60m" is ten of them.
fn repeated(text: &str) -> impl Iterator<Item = &str> {
    entries(text).flat_map(|entry| {
        let (times, entry) = entry.split_once(" × ").unwrap_or(("1", entry));
        std::iter::repeat_n(entry, times.parse().unwrap())
    })
}

fn numbers(text: &str) -> Vec<f64> {
    text.split('/').map(|number| number.parse().unwrap()).collect()
}

/// Built as JSON, so that the settings go the way a client's do.
fn settings(given: &BTreeMap<&str, &str>) -> Settings {
    let mut json = json!({ "name": "Golden" });
    if let Some(zone) = given.get("zone") {
        json["time_zone"] = json!(zone);
    }
    for entry in entries(given.get("settings").unwrap_or(&"")) {
        let (key, value) = entry.split_once(' ').unwrap_or_else(|| panic!("{entry}"));
        let of = |names: [&str; 3]| -> Value {
            names
                .iter()
                .zip(numbers(value))
                .map(|(name, number)| ((*name).to_owned(), json!(number)))
                .collect()
        };
        let whole = || json!(value.parse::<u16>().unwrap());
        let (field, value) = match key {
            "weights" => ("weights", of(["login", "adoption", "feedback"])),
            "bands" => {
                let [thriving, healthy, steady] = numbers(value)[..] else { panic!("{entry}") };
                let (thriving, healthy, steady) = (thriving as u8, healthy as u8, steady as u8);
                ("bands", json!({"thriving": thriving, "healthy": healthy, "steady": steady}))
            }
            "split" => {
                let (breadth, depth) = value.split_once('/').unwrap_or_else(|| panic!("{entry}"));
                let whole = |text: &str| text.parse::<u8>().unwrap();
                ("adoption_split", json!({"breadth": whole(breadth), "depth": whole(depth)}))
            }
            "policy" => ("missing_policy", json!(value)),
            "method" => ("feedback_method", json!(value)),
            "T" => ("login_days", whole()),
            "M" => ("minutes_per_user_week", whole()),
            "D" => ("feature_days", whole()),
            "age" => ("answer_age_days", whole()),
            _ => panic!("an unknown setting: {entry}"),
        };
        json[field] = value;
    }
    if let Some(catalogue) = given.get("catalogue") {
        json["catalogue"] = entries(catalogue)
            .map(|feature| {
                let mut parts = feature.split(':');
                let key = parts.next().unwrap();
                let weight: u16 = parts.next().unwrap().parse().unwrap();
                json!({"key": key, "weight": weight, "plans": parts.collect::<Vec<_>>()})
            })
            .collect();
    }
    let settings: Settings = serde_json::from_value(json).unwrap();
    settings.check().unwrap();
    settings
}

/// "2d 90m": active from Monday on, the minutes on Monday; then "since" or "left" with a date.
fn seat(entry: &str) -> (Member, UserWeek) {
    let mut words = entry.split(' ');
    let mut number = |unit| -> u16 { words.next().unwrap().strip_suffix(unit).unwrap().parse().unwrap() };
    let (days, minutes) = (number('d') as u8, number('m'));
    assert_eq!(minutes % 5, 0, "whole slots: {entry}");
    let done = UserWeek {
        days: (1..=days).collect(),
        slots: (60..60 + minutes / 5).collect(),
        ..UserWeek::default()
    };
    let mut member = Member { first_seen: date("2026-01-05"), left: None, excluded: false };
    match (words.next(), words.next()) {
        (None, None) => {}
        (Some("since"), Some(day)) => member.first_seen = date(day),
        (Some("left"), Some(day)) => member.left = Some(date(day)),
        _ => panic!("{entry}"),
    }
    (member, done)
}

/// "2 at 2026-03-29T01:30Z for 90m": which user, when, and how long it had taken by then.
fn event(entry: &str) -> (usize, DateTime<Utc>, Option<TimeDelta>) {
    let words: Vec<&str> = entry.split(' ').collect();
    let when = |text: &str| at(&text.replace('Z', ":00Z"));
    match words[..] {
        [number, "at", instant] => (number.parse().unwrap(), when(instant), None),
        [number, "at", instant, "for", length] => {
            let length: i64 = length.strip_suffix('m').unwrap().parse().unwrap();
            (number.parse().unwrap(), when(instant), Some(TimeDelta::minutes(length)))
        }
        _ => panic!("{entry}"),
    }
}

/// "export Mon -1w": what, on which day, how many weeks earlier.
fn use_of(entry: &str) -> (usize, Use) {
    let mut words = entry.split(' ');
    let name = words.next().unwrap();
    let day = words.next().unwrap();
    let days = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
    let day = 1 + days.iter().position(|known| *known == day).unwrap_or_else(|| panic!("{entry}"));
    let weeks = words.next().map_or(0, |weeks| {
        weeks.strip_prefix('-').and_then(|weeks| weeks.strip_suffix('w')).unwrap().parse().unwrap()
    });
    (weeks, format!("{day}e{name}").parse().unwrap())
}

/// "stars 4/5", "nps 4 90d ago", "nps 3 40d ago by ann".
fn answer_of(entry: &str, number: usize, end: DateTime<Utc>) -> Answer {
    let (entry, by) = match entry.split_once(" by ") {
        Some((entry, by)) => (entry, by.to_owned()),
        None => (entry, format!("voice{number}")),
    };
    let mut words = entry.split(' ');
    let (scale, rating) = (words.next().unwrap(), words.next().unwrap());
    let rating = match (scale, rating.split_once('/')) {
        ("nps", None) => Rating::nps(rating.parse().unwrap()),
        ("faces", None) => Rating::faces(rating.parse().unwrap()),
        ("stars", Some((stars, of))) => Rating::stars(stars.parse().unwrap(), of.parse().unwrap()),
        _ => panic!("{entry}"),
    };
    let days: i64 = words.next().map_or(1, |days| days.strip_suffix('d').unwrap().parse().unwrap());
    answer(&by, rating.unwrap(), end - TimeDelta::days(days))
}

const GIVEN_OF_WEEK: [&str; 12] = [
    "week",
    "zone",
    "settings",
    "catalogue",
    "plan",
    "users",
    "events",
    "used",
    "answers",
    "started",
    "history",
    "telemetry",
];

fn computed(case: &Case) -> WeekSnapshot {
    let given = &case.given;
    assert!(given.keys().all(|key| GIVEN_OF_WEEK.contains(key)), "{}: an unknown line", case.name);
    let list = |key| given.get(key).copied().unwrap_or_default();
    let week = week(given.get("week").unwrap_or(&"2026-W36"));
    let settings = settings(given);
    let zone = settings.time_zone;
    let id = |number: usize| user(&format!("user{number}"));
    let (mut members, mut activity) = (BTreeMap::new(), BTreeMap::new());
    for (number, (member, done)) in (1..).zip(repeated(given["users"]).map(seat)) {
        members.insert(id(number), member);
        activity.insert(id(number), done);
    }
    for (number, at, duration) in entries(list("events")).map(event) {
        for (_, done) in of_event(at, duration, &[], zone).iter().filter(|(of, _)| *of == week) {
            activity.get_mut(&id(number)).unwrap().merge(done);
        }
    }
    let mut earlier: [UsesOfWeek; 3] = Default::default();
    for (weeks, used) in entries(list("used")).map(use_of) {
        match weeks {
            0 => {
                activity.get_mut(&id(1)).unwrap().uses.insert(used);
            }
            1..=3 => *earlier[weeks - 1].entry(used.sighting).or_default() |= 1 << (used.day - 1),
            // A week is scored with three earlier ones: what is older never gets there.
            _ => {}
        }
    }
    let answers: Vec<Answer> = (1..)
        .zip(repeated(list("answers")))
        .map(|(number, entry)| answer_of(entry, number, week.end(zone)))
        .collect();
    let history = History {
        valid_weeks: given.get("history").map_or(4, |weeks| weeks.parse().unwrap()),
        uses: earlier,
    };
    let telemetry = match given.get("telemetry") {
        None => Telemetry::Normal,
        Some(&"never sent") => Telemetry::NeverSent,
        Some(&"whole workspace silent") => Telemetry::WorkspaceSilent,
        Some(&"data gap") => Telemetry::DataGap,
        Some(other) => panic!("{other}"),
    };
    score(&CompanyWeek {
        week,
        settings: &settings,
        settings_version: 1,
        started: date(given.get("started").unwrap_or(&"2026-01-05")),
        plan: given.get("plan").copied(),
        members: &members,
        activity: &activity,
        answers: &answers,
        history: &history,
        telemetry,
    })
}

/// "2026-W36 80.00 high": week, score or "insufficient", and what else is to be known of it.
fn week_of_month(entry: &str, settings: &Settings) -> WeekSnapshot {
    let mut words = entry.split(' ');
    let (period, score) = (week(words.next().unwrap()), words.next().unwrap());
    let score = match score {
        "insufficient" => None,
        score => Some(bp(score.replace('.', "").parse().unwrap())),
    };
    let mut snapshot = snapshot(settings, period, [score.map(Percent::basis_points), None, None]);
    for word in words {
        match word {
            "onboarding" => snapshot.band = Standing::Onboarding,
            "low" => snapshot.confidence = Confidence::Low,
            "medium" => snapshot.confidence = Confidence::Medium,
            "high" => snapshot.confidence = Confidence::High,
            _ => panic!("{entry}"),
        }
    }
    snapshot
}

fn rolled_up(case: &Case) -> MonthSnapshot {
    let given = &case.given;
    assert!(
        given.keys().all(|key| ["month", "weeks", "bands"].contains(key)),
        "{}: an unknown line",
        case.name
    );
    let mut settings = weighted(10_000, 0, 0);
    if let Some(bands) = given.get("bands") {
        let [thriving, healthy, steady] = numbers(bands)[..] else { panic!("{bands}") };
        settings.bands = Bands::new(thriving as u8, healthy as u8, steady as u8).unwrap();
    }
    let weeks: Vec<(u32, WeekSnapshot)> =
        entries(given["weeks"]).map(|entry| (1, week_of_month(entry, &settings))).collect();
    roll_up(given["month"].parse().unwrap(), &settings, 1, &weeks)
}

fn written(value: Option<Percent>, nothing: &str) -> String {
    value.map_or(nothing.to_owned(), |value| value.to_string().trim_end_matches(" %").to_owned())
}

fn confidence(confidence: Confidence) -> String {
    format!("{confidence:?}")
}

/// Compares what was found with what was computed by hand. `may` is told only where it matters.
fn compare(case: &Case, found: &[(&'static str, String)], may: &str, wrong: &mut Vec<String>) {
    assert!(case.by_hand > 0, "{}: no computation by hand", case.name);
    assert!(
        case.expected.keys().all(|key| found.iter().any(|(known, _)| known == key)),
        "{}: an unknown result",
        case.name
    );
    for (result, found) in found {
        match case.expected.get(result) {
            None => assert_eq!(*result, may, "{}: left out", case.name),
            Some(by_hand) if by_hand != found => {
                wrong.push(format!("{}: {result} is {found}, by hand {by_hand}", case.name));
            }
            Some(_) => {}
        }
    }
}

#[test]
fn weeks_computed_by_hand_come_out() {
    let cases = read(WEEKS);
    assert!(cases.len() >= 32, "{}", cases.len());
    let mut wrong = Vec::new();
    for case in &cases {
        let snapshot = computed(case);
        let parts = snapshot.components;
        let found = [
            ("login", written(parts.login.value, "missing")),
            ("adoption", written(parts.adoption.value, "missing")),
            ("feedback", written(parts.feedback.value, "missing")),
            ("coverage", written(Some(snapshot.coverage), "")),
            ("score", written(snapshot.score, "none")),
            ("shown", snapshot.shown.map_or("none".to_owned(), |shown| shown.to_string())),
            ("band", snapshot.band.label().to_owned()),
            ("confidence", confidence(snapshot.confidence)),
        ];
        compare(case, &found, "confidence", &mut wrong);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn months_computed_by_hand_come_out() {
    let mut wrong = Vec::new();
    for case in &read(MONTHS) {
        let month = rolled_up(case);
        let scored = month.weeks.iter().filter(|week| week.score.is_some()).count();
        let found = [
            ("weeks", format!("{scored} of {}", month.weeks.len())),
            ("score", written(month.score, "none")),
            ("shown", month.shown.map_or("none".to_owned(), |shown| shown.to_string())),
            ("band", month.band.label().to_owned()),
            ("confidence", confidence(month.confidence)),
        ];
        compare(case, &found, "confidence", &mut wrong);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
