//! Rule: activity is a set of days, uses and five-minute slots.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use std::collections::BTreeMap;

use barometer_domain::{
    IsoWeek, Zone,
    activity::{FeatureSource, MAX_FEATURE_BYTES, Sighting, Use, UserWeek, of_event},
};
use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;

use crate::support::{any_instant, any_zone, at, cases, minutes, week, zone};

fn named(name: &str) -> Vec<Sighting> {
    vec![Sighting::new(FeatureSource::Event, name).unwrap()]
}

fn alone(time: &str, duration: Option<TimeDelta>, zone: Zone) -> UserWeek {
    let mut weeks = of_event(at(time), duration, &[], zone);
    assert_eq!(weeks.len(), 1, "{time}");
    weeks.remove(0).1
}

/// All events merged, per week.
fn merged(events: &[(DateTime<Utc>, i64, &str)], zone: Zone) -> BTreeMap<IsoWeek, UserWeek> {
    let mut weeks: BTreeMap<IsoWeek, UserWeek> = BTreeMap::new();
    for (at, duration, name) in events {
        for (week, done) in of_event(*at, Some(minutes(*duration)), &named(name), zone) {
            weeks.entry(week).or_default().merge(&done);
        }
    }
    weeks
}

#[test]
fn two_events_in_one_slot_are_five_minutes() {
    let mut done = alone("2026-09-01T10:00:00Z", None, Zone::UTC);
    done.merge(&alone("2026-09-01T10:04:59Z", None, Zone::UTC));
    assert_eq!(done.minutes(week("2026-W36"), Zone::UTC), 5);
    done.merge(&alone("2026-09-01T10:05:00Z", None, Zone::UTC));
    assert_eq!(done.minutes(week("2026-W36"), Zone::UTC), 10);
}

#[test]
fn a_duration_fills_backward_with_both_ends() {
    // 10:07 minus 10 minutes is 09:57: the slots of 09:55, 10:00 and 10:05.
    let done = alone("2026-09-01T10:07:00Z", Some(minutes(10)), Zone::UTC);
    assert_eq!(done.minutes(week("2026-W36"), Zone::UTC), 15);
    // 10:10 minus 10 minutes is exactly 10:00: the slots of 10:00, 10:05 and 10:10.
    let done = alone("2026-09-01T10:10:00Z", Some(minutes(10)), Zone::UTC);
    assert_eq!(done.minutes(week("2026-W36"), Zone::UTC), 15);
    // One active day, however far back the time reaches.
    let done = alone("2026-09-02T00:30:00Z", Some(minutes(60)), Zone::UTC);
    assert_eq!(done.days.iter().copied().collect::<Vec<_>>(), [3]);
    // No duration, a negative one and one of nothing are the event's own slot.
    for duration in [None, Some(TimeDelta::zero()), Some(minutes(-30))] {
        assert_eq!(alone("2026-09-01T10:07:00Z", duration, Zone::UTC).slots.len(), 1);
    }
}

#[test]
fn tabs_that_overlap_count_once() {
    let mut done = alone("2026-09-01T10:59:00Z", Some(minutes(59)), Zone::UTC);
    done.merge(&alone("2026-09-01T10:59:30Z", Some(minutes(59)), Zone::UTC));
    assert_eq!(done.minutes(week("2026-W36"), Zone::UTC), 60);
}

#[test]
fn eight_hours_a_day_at_most() {
    let mut done = alone("2026-09-01T23:59:00Z", Some(minutes(23 * 60)), Zone::UTC);
    assert_eq!(done.minutes(week("2026-W36"), Zone::UTC), 480);
    done.merge(&alone("2026-09-02T10:00:00Z", None, Zone::UTC));
    assert_eq!(done.minutes(week("2026-W36"), Zone::UTC), 485, "another day has its own eight hours");
    // Seven full days.
    let full = UserWeek { slots: (0..2_016).collect(), ..UserWeek::default() };
    assert_eq!(full.minutes(week("2026-W36"), Zone::UTC), 7 * 480);
}

#[test]
fn the_day_of_eight_hours_is_the_local_one() {
    // 16:00–24:00 and 00:00–08:00 in Berlin: two days of eight hours, though one stretch.
    let berlin = zone("Europe/Berlin");
    let done = alone("2026-09-02T05:59:00Z", Some(minutes(16 * 60 - 1)), berlin);
    assert_eq!(done.minutes(week("2026-W36"), berlin), 960);
    // The Sunday of 25 hours still counts eight.
    let done = alone("2026-10-25T22:59:00Z", Some(minutes(24 * 60)), berlin);
    assert_eq!(done.minutes(week("2026-W43"), berlin), 480);
    assert_eq!(done.slots.len(), 289);
}

#[test]
fn a_duration_over_monday_belongs_to_both_weeks() {
    // Monday 00:07 minus 20 minutes is Sunday 23:47: three slots before midnight, two after.
    let weeks = of_event(at("2026-09-07T00:07:00Z"), Some(minutes(20)), &named("Export"), Zone::UTC);
    let [(before, earlier), (after, own)] = &weeks[..] else { panic!("two weeks") };
    assert_eq!((before.to_string(), after.to_string()), ("2026-W36".into(), "2026-W37".into()));
    assert_eq!(earlier.slots.iter().copied().collect::<Vec<_>>(), [2_013, 2_014, 2_015]);
    assert_eq!(own.slots.iter().copied().collect::<Vec<_>>(), [0, 1]);
    assert!(earlier.days.is_empty() && earlier.uses.is_empty(), "only the event's own day is active");
    assert_eq!(own.days.iter().copied().collect::<Vec<_>>(), [1]);
    assert_eq!(own.uses.iter().map(Use::to_string).collect::<Vec<_>>(), ["1eExport"]);
    // Reaching back to exactly midnight touches one week only.
    assert_eq!(of_event(at("2026-09-07T00:20:00Z"), Some(minutes(20)), &[], Zone::UTC).len(), 1);
    // The week before a change of clocks has its own number of slots: 167 hours.
    let berlin = zone("Europe/Berlin");
    let weeks = of_event(at("2026-03-29T22:01:00Z"), Some(minutes(2)), &[], berlin);
    assert_eq!(weeks[0].1.slots.iter().copied().collect::<Vec<_>>(), [167 * 12 - 1]);
}

#[test]
fn a_duration_that_nobody_can_have_is_cut_to_a_day() {
    let done = alone("2026-09-03T12:00:00Z", Some(TimeDelta::days(365)), Zone::UTC);
    assert_eq!(done.slots.len(), 289);
}

#[test]
fn an_event_on_a_day_without_midnight_is_active_on_that_day() {
    let cairo = zone("Africa/Cairo");
    let done = alone("2023-04-27T22:00:00Z", None, cairo);
    assert_eq!(done.days.iter().copied().collect::<Vec<_>>(), [5], "Friday 28 April 2023, 01:00");
    let done = alone("2023-04-27T21:59:59Z", None, cairo);
    assert_eq!(done.days.iter().copied().collect::<Vec<_>>(), [4]);
}

#[test]
fn a_name_is_trimmed_cut_at_a_character_and_never_blank() {
    assert_eq!(Sighting::new(FeatureSource::View, " Reports ").unwrap().to_string(), "vReports");
    assert_eq!(Sighting::new(FeatureSource::View, "  "), None);
    let long = "é".repeat(40);
    let cut = Sighting::new(FeatureSource::Property, &long).unwrap();
    assert_eq!(cut.name, "é".repeat(MAX_FEATURE_BYTES / 2));
    let odd = format!("a{long}");
    assert_eq!(Sighting::new(FeatureSource::Property, &odd).unwrap().name.len(), MAX_FEATURE_BYTES - 1);
}

#[test]
fn stored_texts_that_are_no_use_are_refused() {
    for text in ["", "0fx", "8fx", "f", "3", "3x", "é", "-1fx"] {
        assert!(text.parse::<Use>().is_err(), "{text}");
    }
    assert!("".parse::<Sighting>().is_err());
    assert!(serde_json::from_str::<Sighting>(r#""xname""#).is_err());
}

fn any_user_week() -> impl Strategy<Value = UserWeek> {
    let sets = (
        proptest::collection::btree_set(1_u8..=7, 0..5),
        proptest::collection::btree_set((1_u8..=7, "[a-c]"), 0..4),
        proptest::collection::btree_set(0_u16..2_028, 0..20),
    );
    sets.prop_map(|(days, uses, slots)| UserWeek {
        days,
        uses: uses
            .into_iter()
            .map(|(day, name)| Use { day, sighting: Sighting::new(FeatureSource::Event, &name).unwrap() })
            .collect(),
        slots,
    })
}

fn plus(a: &UserWeek, b: &UserWeek) -> UserWeek {
    let mut sum = a.clone();
    sum.merge(b);
    sum
}

fn any_events() -> impl Strategy<Value = Vec<(DateTime<Utc>, i64, &'static str)>> {
    let event = (0_i64..1_209_600, 0_i64..600, proptest::sample::select(&["a", "b", "c"][..]));
    let from = at("2026-10-20T00:00:00Z");
    let event = event.prop_map(move |(ahead, long, name)| (from + TimeDelta::seconds(ahead), long, name));
    proptest::collection::vec(event, 1..12)
}

proptest! {
    #![proptest_config(cases(256))]

    #[test]
    fn merging_is_commutative_associative_and_idempotent(
        a in any_user_week(), b in any_user_week(), c in any_user_week(),
    ) {
        prop_assert_eq!(plus(&a, &b), plus(&b, &a));
        prop_assert_eq!(plus(&plus(&a, &b), &c), plus(&a, &plus(&b, &c)));
        prop_assert_eq!(plus(&a, &a), a.clone());
        prop_assert_eq!(plus(&a, &UserWeek::default()), a.clone());
        prop_assert_eq!(a.is_empty(), a == UserWeek::default());
    }

    #[test]
    fn order_and_duplicates_of_events_change_nothing(
        (events, shuffled) in any_events().prop_flat_map(|events| {
            let thrice = [events.clone(), events.clone(), events.clone()].concat();
            (Just(events), Just(thrice).prop_shuffle())
        }),
        zone in any_zone(),
    ) {
        prop_assert_eq!(merged(&events, zone), merged(&shuffled, zone));
    }

    #[test]
    fn an_event_lands_in_its_own_week_and_day(at in any_instant(), long in 0_i64..1_440, zone in any_zone()) {
        let weeks = of_event(at, Some(minutes(long)), &named("a"), zone);
        let (own, done) = weeks.last().unwrap();
        prop_assert_eq!(*own, IsoWeek::at(at, zone));
        prop_assert_eq!(done.days.len(), 1);
        prop_assert!(weeks.len() == 1 || weeks[0].0 == own.previous());
        // Every slot lies within its week, and both ends of the duration are among them.
        for (week, done) in &weeks {
            let long = (week.end(zone) - week.start(zone)).num_minutes() / 5;
            prop_assert!(done.slots.iter().all(|slot| i64::from(*slot) < long));
        }
        let filled: usize = weeks.iter().map(|(_, done)| done.slots.len()).sum();
        prop_assert!(filled as i64 > long / 5 && filled as i64 <= long / 5 + 2, "{} of {}", filled, long);
        // The active day is the one whose slots hold the event.
        let starts = own.day_starts(zone);
        let day = usize::from(*done.days.first().unwrap());
        let slot = i64::from(*done.slots.last().unwrap());
        prop_assert!(starts[day - 1] <= slot && slot < starts[day], "{:?} {} {}", starts, day, slot);
    }

    #[test]
    fn minutes_are_at_most_eight_hours_a_day(done in any_user_week(), more in any_user_week(), zone in any_zone()) {
        let week = week("2026-W43");
        let before = done.minutes(week, zone);
        let after = plus(&done, &more).minutes(week, zone);
        prop_assert!(before <= after && after <= 7 * 480);
        prop_assert!(after <= before + more.minutes(week, zone));
        prop_assert_eq!(before % 5, 0);
    }

    #[test]
    fn a_use_survives_as_text(day in 1_u8..=7, source in 0_usize..3, name in "[^ \\p{Cc}]{1,40}") {
        let source = [FeatureSource::Property, FeatureSource::Event, FeatureSource::View][source];
        if let Some(sighting) = Sighting::new(source, &name) {
            prop_assert!(sighting.name.len() <= MAX_FEATURE_BYTES);
            let used = Use { day, sighting: sighting.clone() };
            prop_assert_eq!(used.to_string().parse::<Use>().unwrap(), used);
            let text = serde_json::to_string(&sighting).unwrap();
            prop_assert_eq!(serde_json::from_str::<Sighting>(&text).unwrap(), sighting);
        }
    }
}
