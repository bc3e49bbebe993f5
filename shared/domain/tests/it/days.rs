//! A day of a company in a few numbers.

use std::collections::BTreeMap;

use barometer_domain::{
    UserId, Zone,
    activity::{FeatureSource, Sighting, UserWeek, of_event},
    day::{Day, days},
};

use crate::support::{at, week, zone};

/// What a user did in 2026-W36, given as instants and names.
fn did(events: &[(&str, &str)], zone: Zone) -> UserWeek {
    let mut all = UserWeek::default();
    for (when, name) in events {
        let names: Vec<Sighting> = Sighting::new(FeatureSource::Event, name).into_iter().collect();
        for (of, done) in of_event(at(when), None, &names, zone) {
            assert_eq!(of, week("2026-W36"), "{when}");
            all.merge(&done);
        }
    }
    all
}

fn of(users: &[UserWeek], zone: Zone) -> Vec<Day> {
    let named = users.iter().enumerate();
    let activity: BTreeMap<UserId, UserWeek> =
        named.map(|(number, done)| (UserId::new(format!("u{number}")).unwrap(), done.clone())).collect();
    days(week("2026-W36"), zone, &activity)
}

#[test]
fn a_day_counts_users_sessions_minutes_and_the_names_most_of_them_used() {
    let ada = did(
        &[
            ("2026-09-01T09:00:00Z", "Export"),
            ("2026-09-01T09:10:00Z", "Report"),
            ("2026-09-01T14:00:00Z", "Export"),
        ],
        Zone::UTC,
    );
    let bob = did(&[("2026-09-01T16:00:00Z", "Export"), ("2026-09-03T08:00:00Z", "")], Zone::UTC);
    let days = of(&[ada, bob], Zone::UTC);
    let days: Vec<_> =
        days.iter().map(|day| (day.day.to_string(), day.users, day.sessions, day.minutes)).collect();
    assert_eq!(days, [("2026-09-01".to_owned(), 2, 3, 20), ("2026-09-03".to_owned(), 1, 1, 5)]);
}

#[test]
fn names_come_by_how_many_used_them_and_at_most_ten() {
    let many: Vec<String> = (0..15).map(|number| format!("f{number:02}")).collect();
    let all: Vec<(&str, &str)> = many.iter().map(|name| ("2026-09-01T09:00:00Z", name.as_str())).collect();
    let used = &of(&[did(&all, Zone::UTC), did(&[all[12]], Zone::UTC)], Zone::UTC)[0].features;
    let named: Vec<_> = used.iter().map(|used| (used.name.as_str(), used.users)).collect();
    assert_eq!(named[..3], [("f12", 2), ("f00", 1), ("f01", 1)]);
    assert_eq!(named.len(), 10);
}

#[test]
fn half_an_hour_of_silence_begins_a_session_and_less_does_not() {
    let short = did(&[("2026-09-01T09:00:00Z", "a"), ("2026-09-01T09:34:59Z", "a")], Zone::UTC);
    let long = did(&[("2026-09-01T09:00:00Z", "a"), ("2026-09-01T09:35:00Z", "a")], Zone::UTC);
    assert_eq!((of(&[short], Zone::UTC)[0].sessions, of(&[long], Zone::UTC)[0].sessions), (1, 2));
}

#[test]
fn a_day_is_a_local_one() {
    let berlin = zone("Europe/Berlin");
    let late = did(&[("2026-09-01T22:30:00Z", "a")], berlin);
    assert_eq!(of(&[late], berlin)[0].day.to_string(), "2026-09-02");
}

#[test]
fn a_week_without_activity_has_no_days() {
    assert!(of(&[UserWeek::default()], Zone::UTC).is_empty());
}
