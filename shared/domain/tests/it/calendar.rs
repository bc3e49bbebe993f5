//! Rules: weeks in the workspace's zone, the month of a week.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use barometer_domain::{
    IsoWeek, Month, Zone,
    calendar::{GRACE, SLOT_SECONDS},
};
use chrono::{Datelike, TimeDelta, Timelike, Weekday};
use proptest::prelude::*;

use crate::support::{any_instant, any_week, any_zone, at, cases, date, week, zone};

#[test]
fn years_end_where_iso_8601_says() {
    for (day, text) in [
        ("2026-12-28", "2026-W53"),
        ("2027-01-03", "2026-W53"),
        ("2027-01-04", "2027-W01"),
        ("2020-12-31", "2020-W53"),
        ("2021-01-03", "2020-W53"),
        ("2021-01-04", "2021-W01"),
        ("2024-12-29", "2024-W52"),
        ("2024-12-30", "2025-W01"),
        ("2025-01-01", "2025-W01"),
        ("2025-12-28", "2025-W52"),
        ("2025-12-29", "2026-W01"),
        ("2026-01-01", "2026-W01"),
        ("2016-01-03", "2015-W53"),
        ("2000-01-01", "1999-W52"),
    ] {
        assert_eq!(IsoWeek::of(date(day)).to_string(), text, "{day}");
        assert_eq!(week(text), IsoWeek::of(date(day)), "{day}");
    }
    assert_eq!(week("2026-W53").next(), week("2027-W01"));
    assert_eq!(week("2025-W01").previous(), week("2024-W52"));
    assert_eq!(week("2027-W01").since(week("2026-W01")), 53);
    assert_eq!(week("2026-W01").since(week("2027-W01")), -53);
}

#[test]
fn a_week_belongs_to_the_month_of_its_thursday() {
    for (text, month) in [
        ("2026-W53", "2026-12"), // Thursday 31 December
        ("2026-W01", "2026-01"), // Thursday 1 January, Monday still in December
        ("2025-W01", "2025-01"), // Thursday 2 January
        ("2020-W53", "2020-12"),
        ("2026-W36", "2026-09"), // Monday 31 August, Thursday 3 September
        ("2026-W31", "2026-07"), // Thursday 30 July, Sunday 2 August
    ] {
        assert_eq!(week(text).month().to_string(), month, "{text}");
        assert_eq!(week(text).thursday().weekday(), Weekday::Thu);
        assert_eq!(week(text).monday(), week(text).day(Weekday::Mon));
    }
    let weeks: Vec<String> =
        "2026-12".parse::<Month>().unwrap().weeks().iter().map(IsoWeek::to_string).collect();
    assert_eq!(weeks, ["2026-W49", "2026-W50", "2026-W51", "2026-W52", "2026-W53"]);
}

#[test]
fn every_week_of_forty_years_lies_in_exactly_one_month_of_four_or_five() {
    let mut month: Month = "2000-01".parse().unwrap();
    let mut expected = month.weeks()[0];
    for _ in 0..40 * 12 {
        let weeks = month.weeks();
        assert!(matches!(weeks.len(), 4 | 5), "{month}");
        for week in &weeks {
            assert_eq!(*week, expected, "{month}: no week is left out or in two months");
            assert_eq!(week.month(), month);
            expected = expected.next();
        }
        assert_eq!(weeks.last(), Some(&month.last_week()), "{month}");
        assert_eq!(month.next().previous(), month);
        assert!(month < month.next());
        month = month.next();
    }
}

#[test]
fn texts_that_are_no_week_month_or_zone_are_refused() {
    for text in [
        "2025-W53",
        "2026-W54",
        "2026-W00",
        "2026-W1",
        "2026W36",
        "26-W36",
        "2026-W+1",
        "+026-W01",
        "",
        "2026-w36",
        " 2026-W36",
        "2026-W36 ",
        "2026-W3６",
    ] {
        assert!(text.parse::<IsoWeek>().is_err(), "{text}");
    }
    for text in ["2026-00", "2026-13", "2026-1", "26-01", "2026-+1", "202601", "", "2026-01-01"] {
        assert!(text.parse::<Month>().is_err(), "{text}");
    }
    for text in ["", "Berlin", "CEST+2", "europe/berlin", "Europe/Berlin "] {
        assert!(text.parse::<Zone>().is_err(), "{text}");
    }
    assert_eq!(serde_json::to_string(&week("2026-W36")).unwrap(), r#""2026-W36""#);
    assert_eq!(serde_json::from_str::<Month>(r#""2026-09""#).unwrap().to_string(), "2026-09");
    assert_eq!(serde_json::from_str::<Zone>(r#""Africa/Cairo""#).unwrap(), zone("Africa/Cairo"));
    assert_eq!(Zone::default().name(), "UTC");
}

#[test]
fn a_day_without_a_midnight_begins_where_the_clock_jumps_to() {
    // Cairo, 28 April 2023: from 00:00 to 01:00. Beirut, 31 March 2024: the same.
    for (name, day, start, clock) in [
        ("Africa/Cairo", "2023-04-28", "2023-04-27T22:00:00Z", 1),
        ("Asia/Beirut", "2024-03-31", "2024-03-30T22:00:00Z", 1),
        ("Europe/Berlin", "2026-03-29", "2026-03-28T23:00:00Z", 0),
    ] {
        let zone = zone(name);
        assert_eq!(zone.start_of(date(day)), at(start), "{name}");
        assert_eq!(zone.date(at(start)), date(day), "{name}");
        assert_eq!(zone.local(at(start)).hour(), clock, "{name}");
        assert!(zone.date(at(start) - TimeDelta::seconds(1)) < date(day), "{name}");
    }
    // Samoa left out 30 December 2011: the day lasts no time.
    let apia = zone("Pacific/Apia");
    assert_eq!(apia.start_of(date("2011-12-30")), apia.start_of(date("2011-12-31")));
    assert_eq!(week("2011-W52").end(apia) - week("2011-W52").start(apia), TimeDelta::hours(144));
}

#[test]
fn a_midnight_that_comes_twice_begins_the_day_the_first_time() {
    // Havana, 1 November 2026: at 01:00 back to 00:00, so 00:00 comes at 04:00Z and at 05:00Z.
    let havana = zone("America/Havana");
    assert_eq!(havana.start_of(date("2026-11-01")), at("2026-11-01T04:00:00Z"));
    // Tehran, 22 September 2014, a Monday: at 00:00 back to 23:00 of Sunday, so Monday begins an hour later.
    let tehran = zone("Asia/Tehran");
    let monday = week("2014-W39");
    assert_eq!(monday.monday(), date("2014-09-22"));
    assert_eq!(monday.start(tehran), at("2014-09-21T20:30:00Z"));
    assert_eq!(IsoWeek::at(at("2014-09-21T20:29:59Z"), tehran), week("2014-W38"));
    assert_eq!(IsoWeek::at(at("2014-09-21T20:30:00Z"), tehran), monday);
}

#[test]
fn a_week_is_as_long_as_the_clocks_make_it() {
    let hours =
        |name: &str, text: &str| (week(text).end(zone(name)) - week(text).start(zone(name))).num_hours();
    assert_eq!(hours("Europe/Berlin", "2026-W13"), 167); // ends on 29 March
    assert_eq!(hours("Europe/Berlin", "2026-W43"), 169); // ends on 25 October
    assert_eq!(hours("Europe/Berlin", "2026-W36"), 168);
    assert_eq!(hours("Pacific/Kiritimati", "2026-W36"), 168);
    assert_eq!(week("2026-W36").start(zone("Pacific/Kiritimati")), at("2026-08-30T10:00:00Z"));
    assert_eq!(week("2026-W36").start(zone("America/St_Johns")), at("2026-08-31T02:30:00Z"));
    let berlin = zone("Europe/Berlin");
    let starts = week("2026-W43").day_starts(berlin);
    let slots_a_day = 86_400 / SLOT_SECONDS;
    assert_eq!(starts[6], 6 * slots_a_day);
    assert_eq!(starts[7], 7 * slots_a_day + 12, "Sunday has 25 hours");
    assert_eq!(week("2026-W36").grace_end(berlin), at("2026-09-08T22:00:00Z"));
    assert_eq!(GRACE, TimeDelta::hours(48));
}

/// Every zone of the database, over forty years: the week that an instant is said to lie in is the
/// one whose start and end enclose it, on both sides of every Monday.
#[test]
fn in_every_zone_the_weeks_touch_and_enclose_their_instants() {
    for tz in chrono_tz::TZ_VARIANTS {
        let zone = zone(tz.name());
        let mut monday = week("2000-W01");
        while monday < week("2040-W01") {
            let start = monday.start(zone);
            assert_eq!(IsoWeek::at(start, zone), monday, "{zone} {monday}");
            assert_eq!(
                IsoWeek::at(start - TimeDelta::seconds(1), zone),
                monday.previous(),
                "{zone} {monday}"
            );
            monday = monday.next();
        }
    }
}

proptest! {
    #![proptest_config(cases(1_024))]

    #[test]
    fn every_instant_lies_in_exactly_one_week(at in any_instant(), zone in any_zone()) {
        let week = IsoWeek::at(at, zone);
        prop_assert!(week.start(zone) <= at && at < week.end(zone));
        prop_assert_eq!(week.end(zone), week.next().start(zone));
        prop_assert!(week.previous().end(zone) <= at);
    }

    #[test]
    fn a_week_lasts_167_to_169_hours(week in any_week(), zone in any_zone()) {
        let hours = week.end(zone) - week.start(zone);
        let skipped_a_day = zone.name() == "Pacific/Apia" && week.to_string() == "2011-W52";
        let range = TimeDelta::hours(167)..=TimeDelta::hours(169);
        prop_assert!(skipped_a_day || range.contains(&hours), "{zone} {week} {hours}");
        let starts = week.day_starts(zone);
        prop_assert!(starts.is_sorted());
        prop_assert_eq!(starts[0], 0);
        prop_assert_eq!(starts[7] * SLOT_SECONDS, hours.num_seconds());
    }

    #[test]
    fn a_week_survives_as_text_and_keeps_its_order(week in any_week(), ahead in 1_i64..200) {
        prop_assert_eq!(week.to_string().parse::<IsoWeek>().unwrap(), week);
        let later = week.plus(ahead);
        prop_assert!(week < later && week.to_string() < later.to_string());
        prop_assert_eq!(later.since(week), ahead);
        prop_assert_eq!(later.plus(-ahead), week);
        prop_assert_eq!(week.next().previous(), week);
        prop_assert_eq!(week.month().to_string().parse::<Month>().unwrap(), week.month());
        prop_assert!(week.month().weeks().contains(&week));
    }
}

#[test]
fn a_day_of_a_week_has_a_date() {
    let week: IsoWeek = "2026-W36".parse().unwrap();
    let dates = [1, 4, 7].map(|day| week.date_of(day).unwrap().to_string());
    assert_eq!(dates, ["2026-08-31", "2026-09-03", "2026-09-06"]);
    assert_eq!((week.date_of(0), week.date_of(8)), (None, None));
}
