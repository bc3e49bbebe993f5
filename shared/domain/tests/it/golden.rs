//! The table of company-weeks that were computed by hand.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use std::collections::BTreeMap;

use barometer_domain::{
    IsoWeek, Percent, Settings, UserId, Zone,
    activity::{Use, UserWeek},
    answer::{Answer, Rating},
    component::UsesOfWeek,
    member::Member,
    telemetry::Telemetry,
    week::{CompanyWeek, History, WeekSnapshot, score},
};
use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::support::{date, user, week};

const TABLE: &str = include_str!("golden.txt");

/// A case as its lines: what is given, and what must come out.
struct Case<'a> {
    name: &'a str,
    given: BTreeMap<&'a str, &'a str>,
    expected: BTreeMap<&'a str, &'a str>,
    by_hand: usize,
}

fn read() -> Vec<Case<'static>> {
    let (_, cases) = TABLE.split_once("────\n").expect("a rule before the cases");
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

fn numbers(text: &str) -> Vec<f64> {
    text.split('/').map(|number| number.parse().unwrap()).collect()
}

/// Built as JSON, so that the settings go the way a client's do.
fn settings(given: &BTreeMap<&str, &str>) -> Settings {
    let mut json = json!({ "name": "Golden" });
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
            "policy" => ("missing_policy", json!(value)),
            "method" => ("feedback_method", json!(value)),
            "T" => ("login_days", whole()),
            "M" => ("minutes_per_user_week", whole()),
            "D" => ("feature_days", whole()),
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

/// "2d 90m": active from Monday on, the minutes on Monday.
fn user_week(entry: &str) -> UserWeek {
    let (days, minutes) = entry.split_once(' ').unwrap();
    let days: u8 = days.strip_suffix('d').unwrap().parse().unwrap();
    let minutes: u16 = minutes.strip_suffix('m').unwrap().parse().unwrap();
    assert_eq!(minutes % 5, 0, "whole slots: {entry}");
    UserWeek { days: (1..=days).collect(), slots: (60..60 + minutes / 5).collect(), ..UserWeek::default() }
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

/// "stars 4/5", "nps 4 90d ago".
fn answer_of(entry: &str, number: usize, week: IsoWeek) -> Answer {
    let mut words = entry.split(' ');
    let (scale, rating) = (words.next().unwrap(), words.next().unwrap());
    let rating = match (scale, rating.split_once('/')) {
        ("nps", None) => Rating::nps(rating.parse().unwrap()),
        ("faces", None) => Rating::faces(rating.parse().unwrap()),
        ("stars", Some((stars, of))) => Rating::stars(stars.parse().unwrap(), of.parse().unwrap()),
        _ => panic!("{entry}"),
    };
    let days: i64 = words.next().map_or(1, |days| days.strip_suffix('d').unwrap().parse().unwrap());
    let at = week.end(Zone::UTC) - TimeDelta::days(days);
    Answer { user: user(&format!("voice{number}")), rating: rating.unwrap(), at }
}

fn computed(case: &Case) -> WeekSnapshot {
    let given = &case.given;
    let known =
        ["settings", "catalogue", "plan", "users", "used", "answers", "started", "history", "telemetry"];
    assert!(given.keys().all(|key| known.contains(key)), "{}: an unknown line", case.name);
    let week = week("2026-W36");
    let settings = settings(given);
    let mut activity: BTreeMap<UserId, UserWeek> = entries(given["users"])
        .enumerate()
        .map(|(number, entry)| (user(&format!("user{number}")), user_week(entry)))
        .collect();
    let seat = Member { first_seen: date("2026-01-05"), left: None, excluded: false };
    let members: BTreeMap<UserId, Member> = activity.keys().map(|id| (id.clone(), seat.clone())).collect();
    let mut earlier: [UsesOfWeek; 3] = Default::default();
    for (weeks, used) in entries(given.get("used").unwrap_or(&"")).map(use_of) {
        match weeks {
            0 => {
                activity.get_mut(&user("user0")).unwrap().uses.insert(used);
            }
            _ => *earlier[weeks - 1].entry(used.sighting).or_default() |= 1 << (used.day - 1),
        }
    }
    let answers: Vec<Answer> = entries(given.get("answers").unwrap_or(&""))
        .enumerate()
        .map(|(number, entry)| answer_of(entry, number, week))
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

fn written(value: Option<Percent>, nothing: &str) -> String {
    value.map_or(nothing.to_owned(), |value| value.to_string().trim_end_matches(" %").to_owned())
}

#[test]
fn what_was_computed_by_hand_comes_out() {
    let cases = read();
    assert!(cases.len() >= 12, "{}", cases.len());
    let mut wrong = Vec::new();
    for case in &cases {
        assert!(case.by_hand > 0, "{}: no computation by hand", case.name);
        let snapshot = computed(case);
        let parts = snapshot.components;
        let found: BTreeMap<&str, String> = [
            ("login", written(parts.login.value, "missing")),
            ("adoption", written(parts.adoption.value, "missing")),
            ("feedback", written(parts.feedback.value, "missing")),
            ("coverage", written(Some(snapshot.coverage), "")),
            ("score", written(snapshot.score, "none")),
            ("shown", snapshot.shown.map_or("none".to_owned(), |shown| shown.to_string())),
            ("band", snapshot.band.label().to_owned()),
        ]
        .into();
        assert!(case.expected.keys().eq(found.keys()), "{}: a result is left out or unknown", case.name);
        for (result, found) in found {
            if case.expected[result] != found {
                wrong.push(format!("{}: {result} is {found}, by hand {}", case.name, case.expected[result]));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
