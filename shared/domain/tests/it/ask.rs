//! Rule: when a user may be asked next.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use std::collections::BTreeSet;

use barometer_domain::ask::{cadence, due, in_window, next_slot};
use chrono::TimeDelta;
use proptest::prelude::*;

use crate::support::{any_instant, any_zone, at, cases, user, zone};

#[test]
fn mails_leave_on_working_days_between_nine_and_four() {
    let berlin = zone("Europe/Berlin");
    for (time, open) in [
        ("2026-09-07T06:59:59Z", false), // Monday 08:59
        ("2026-09-07T07:00:00Z", true),
        ("2026-09-07T13:59:59Z", true),
        ("2026-09-07T14:00:00Z", false), // 16:00
        ("2026-09-11T13:00:00Z", true),  // Friday
        ("2026-09-12T10:00:00Z", false), // Saturday
        ("2026-09-13T10:00:00Z", false), // Sunday
    ] {
        assert_eq!(in_window(at(time), berlin), open, "{time}");
    }
    // Sunday noon in UTC is Monday in Kiritimati, 14 hours ahead.
    assert!(in_window(at("2026-09-13T20:00:00Z"), zone("Pacific/Kiritimati")));
}

#[test]
fn a_cycle_counts_hours_and_not_calendar_days() {
    let last = at("2026-03-20T09:30:00Z");
    let next = due(at("2026-01-01T00:00:00Z"), Some(last), cadence(TimeDelta::days(30), 0));
    assert_eq!(next - last, TimeDelta::hours(30 * 24), "also where clocks change in between");
    let seen = at("2026-09-01T12:00:00Z");
    assert_eq!(due(seen, None, TimeDelta::days(30)) - seen, TimeDelta::days(14));
}

#[test]
fn who_never_answers_is_asked_less_often() {
    let days = |setting: i64, unanswered: u32| cadence(TimeDelta::days(setting), unanswered).num_days();
    assert_eq!([0, 1, 2, 3, 4, 5, 100].map(|unanswered| days(30, unanswered)), [30, 30, 60, 60, 90, 90, 90]);
    assert_eq!([0, 1, 2, 3, 4, 100].map(|unanswered| days(180, unanswered)), [180; 6]);
    assert_eq!([0, 2, 4].map(|unanswered| days(60, unanswered)), [60, 60, 90]);
}

#[test]
fn users_do_not_all_fire_at_once() {
    let monday = at("2026-09-07T00:00:00Z");
    let slots: BTreeSet<_> =
        (0..100).map(|user_no| next_slot(monday, &user(&format!("u{user_no}")), zone("UTC"))).collect();
    assert!(slots.len() > 70, "{}", slots.len());
}

/// By SHA-256 of the id: another version doesn't move everybody to another minute.
#[test]
fn the_minute_follows_from_the_id() {
    let monday = at("2026-09-07T00:00:00Z");
    let slots = ["ann", "ben"].map(|id| next_slot(monday, &user(id), zone("UTC")));
    assert_eq!(slots, [at("2026-09-07T09:50:00Z"), at("2026-09-07T15:14:00Z")]);
}

#[test]
fn a_day_that_the_calendar_left_out_is_no_day_for_mails() {
    // Samoa went from Thursday 29 to Saturday 31 December 2011.
    let apia = zone("Pacific/Apia");
    let thursday_evening = at("2011-12-30T05:00:00Z");
    let slot = next_slot(thursday_evening, &user("ann"), apia);
    assert!(in_window(slot, apia) && slot - thursday_evening <= TimeDelta::days(4));
}

proptest! {
    #![proptest_config(cases(2_048))]

    #[test]
    fn a_slot_lies_in_the_window_never_early_and_never_four_days_late(
        due in any_instant(), id in "[a-z0-9]{1,12}", zone in any_zone(),
    ) {
        let user = user(&id);
        let slot = next_slot(due, &user, zone);
        prop_assert!(in_window(slot, zone), "{} {}", zone, slot);
        prop_assert!(slot >= due);
        prop_assert!(slot - due <= TimeDelta::days(4));
        prop_assert_eq!(next_slot(slot, &user, zone), slot, "a slot is its own next slot");
        // The same minute of every day: a user's asks don't wander.
        let later = next_slot(slot + TimeDelta::days(30), &user, zone);
        prop_assert_eq!(zone.local(later).time(), zone.local(slot).time());
    }

    #[test]
    fn a_later_due_never_gives_an_earlier_slot(due in any_instant(), more in 0_i64..864_000, zone in any_zone()) {
        let user = user("ann");
        prop_assert!(next_slot(due, &user, zone) <= next_slot(due + TimeDelta::seconds(more), &user, zone));
    }
}

/// Every zone of the database, an ask on every day of three years: users and times of day take turns, so that each zone
/// sees all of them in all seasons.
#[test]
fn in_every_zone_the_next_ask_is_in_the_window_after_thirty_days_and_at_most_four_more() {
    let users: Vec<_> = (0..5).map(|number| user(&format!("u{number}"))).collect();
    let midnight = at("2026-01-01T00:00:00Z");
    for (place, tz) in (0_i64..).zip(chrono_tz::TZ_VARIANTS) {
        let zone = zone(tz.name());
        for day in 0..3 * 365_i64 {
            // The 5 users, the 24 hours and the 7 days of a week share no factor; odd seconds fall beside the hours' edges.
            let last = midnight
                + TimeDelta::days(day)
                + TimeDelta::hours((place + day * 11) % 24)
                + TimeDelta::seconds(day * 37 % 3_600);
            let user = &users[usize::try_from((place + day) % 5).unwrap()];
            let next = next_slot(due(midnight, Some(last), TimeDelta::days(30)), user, zone);
            assert!(in_window(next, zone), "{zone} {last} {next}");
            let waited = next - last;
            assert!(waited >= TimeDelta::hours(30 * 24), "{zone} {last} {next}");
            assert!(waited <= TimeDelta::hours(34 * 24), "{zone} {last} {next}");
        }
    }
}

/// Where a zone left out a day, or its clocks jumped by hours, at the time that it did.
#[test]
fn days_that_zones_left_out_break_no_cycle() {
    for (name, left_out) in [
        ("Pacific/Apia", "2011-12-30"),       // a Friday
        ("Pacific/Fakaofo", "2011-12-30"),    // a Friday
        ("Pacific/Kwajalein", "1993-08-21"),  // a Saturday
        ("Pacific/Kiritimati", "1994-12-31"), // a Saturday
        ("Pacific/Enderbury", "1994-12-31"),  // a Saturday
        ("Pacific/Guam", "1844-12-31"),       // a Tuesday
        ("Asia/Manila", "1844-12-31"),        // a Tuesday
        ("America/Juneau", "1867-10-18"),     // a Friday that came twice
        ("Antarctica/Troll", "2026-03-29"),   // two hours
        ("Antarctica/Casey", "2010-03-05"),   // three hours, on a Friday
        ("Africa/Monrovia", "1972-01-07"),    // 44 minutes and a half, on a Friday
    ] {
        let zone = zone(name);
        let around = zone.start_of(crate::support::date(left_out)) - TimeDelta::days(40);
        for hours in 0..50 * 24 {
            let last = around + TimeDelta::hours(hours);
            for id in ["ann", "ben", "cy"] {
                let next = next_slot(due(last, Some(last), TimeDelta::days(30)), &user(id), zone);
                let waited = next - last - TimeDelta::days(30);
                assert!(in_window(next, zone), "{zone} {last} {next}");
                assert!(TimeDelta::zero() <= waited && waited <= TimeDelta::days(4), "{zone} {last} {next}");
            }
        }
    }
}
