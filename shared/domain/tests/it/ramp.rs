//! Rules: a backlog is spread over up to 30 days; the daily cap doubles.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use barometer_domain::ramp::{daily_cap, spread};
use proptest::prelude::*;

use crate::support::{cases, user};

/// How many users of a backlog each day has.
fn days(backlog: u32) -> Vec<u32> {
    let mut days = vec![0; 30];
    for number in 0..backlog {
        let day = spread(&user(&format!("u{number}")), backlog).num_days();
        days[usize::try_from(day).unwrap()] += 1;
    }
    while days.last() == Some(&0) {
        days.pop();
    }
    days
}

#[test]
fn a_small_backlog_is_asked_on_the_first_day() {
    assert_eq!([1, 20].map(|backlog| days(backlog).len()), [1, 1]);
    assert_eq!(days(21).len(), 2);
    assert_eq!(spread(&user("ann"), 0).num_days(), 0);
}

/// By SHA-256 of `ramp`, a zero and the id: enabling again on another version asks nobody on another day.
#[test]
fn the_day_follows_from_the_id() {
    assert_eq!(["ann", "ben"].map(|id| spread(&user(id), 600).num_days()), [20, 6]);
}

#[test]
fn a_large_backlog_is_spread_evenly_over_thirty_days() {
    for backlog in [600, 3_000, 30_000] {
        let days = days(backlog);
        assert_eq!(days.len(), 30, "{backlog}");
        // Users fall on a day at random: six standard deviations around the mean.
        let mean = f64::from(backlog) / 30.0;
        for users in &days {
            assert!((f64::from(*users) - mean).abs() < 6.0 * mean.sqrt(), "{backlog}: {days:?}");
        }
    }
}

#[test]
fn the_day_has_nothing_to_do_with_the_minute() {
    // Were the same bits taken for both, those asked on the first day would all be asked in the first minutes.
    use barometer_domain::{Zone, ask::next_slot};
    use chrono::Timelike;
    let monday = crate::support::at("2026-09-07T00:00:00Z");
    let users = (0..600).map(|number| user(&format!("u{number}")));
    let first_day = users.filter(|user| spread(user, 600).num_days() == 0);
    let hours: std::collections::BTreeSet<u32> =
        first_day.map(|user| next_slot(monday, &user, Zone::UTC).hour()).collect();
    assert!(hours.len() >= 5, "{hours:?}");
}

#[test]
fn the_cap_doubles_until_full_volume() {
    assert_eq!([0, 1, 2, 10].map(daily_cap), [Some(100), Some(200), Some(400), Some(102_400)]);
    assert_eq!([13, 14, 15, 31, 32, u32::MAX].map(daily_cap), [Some(819_200), None, None, None, None, None]);
}

proptest! {
    #![proptest_config(cases(1_024))]

    #[test]
    fn nobody_waits_thirty_days_and_a_larger_backlog_never_brings_anybody_forward(
        id in "[a-zA-Z0-9@._-]{1,40}", backlog in any::<u32>(), more in any::<u32>(),
    ) {
        let user = user(&id);
        let days = spread(&user, backlog);
        prop_assert_eq!(days, spread(&user, backlog));
        let most = i64::from(backlog.div_ceil(20)).clamp(1, 30);
        prop_assert!((0..most).contains(&days.num_days()));
        prop_assert_eq!(days.num_seconds() % 86_400, 0);
        prop_assert!(days <= spread(&user, backlog.saturating_add(more)));
    }

    #[test]
    fn a_later_day_never_has_a_lower_cap(day in 0_u32..100, more in 0_u32..100) {
        let volume = |day| daily_cap(day).unwrap_or(u32::MAX);
        prop_assert!(volume(day) <= volume(day + more));
    }
}
