//! A workspace that begins to ask doesn't mail everybody on its first day: receivers of mail take a sender without a
//! history that sends much at once for a spammer, and the CSMs couldn't follow up on the answers.

use chrono::TimeDelta;

use crate::UserId;

/// A backlog is spread over at most so many days, the cadence of the default.
pub const SPREAD_DAYS: u32 = 30;
/// Users of a backlog for each day that it is spread over. Up to so many are all asked on the first day.
pub const USERS_A_DAY: u32 = 20;
/// Mails that a workspace may send on its first day.
pub const FIRST_CAP: u32 = 100;
/// A cap above this many mails is none: full volume.
pub const FULL_VOLUME: u32 = 1_000_000;

/// How much later than the others' first day a user of a backlog is asked, when asking is enabled and `backlog` users
/// wait: 0 to 29 whole days, fewer for a small backlog. Follows from the user's id, so enabling twice gives the same
/// day; a larger backlog never gives an earlier one.
pub fn spread(user: &UserId, backlog: u32) -> TimeDelta {
    let days = backlog.div_ceil(USERS_A_DAY).clamp(1, SPREAD_DAYS);
    // The high bits of the product, so that days of the same length share the users evenly.
    let day = (u128::from(user.bits("ramp\0")) * u128::from(days)) >> u64::BITS;
    TimeDelta::days(i64::try_from(day).unwrap_or(0))
}

/// How many mails a workspace may send on a day, counted from the day of its first one, which is 0: 100, doubled every
/// day. Nothing is no cap: from day 14 on.
pub fn daily_cap(day: u32) -> Option<u32> {
    FIRST_CAP.checked_mul(2_u32.checked_pow(day)?).filter(|cap| *cap <= FULL_VOLUME)
}
