//! When a user may be asked next. The rule is on instants, so it neither drifts nor doubles where clocks change.

use chrono::{DateTime, Days, NaiveTime, TimeDelta, Utc};

use crate::{
    UserId,
    calendar::{Zone, is_working_day},
};

/// First local hour at which a mail may be sent.
pub const WINDOW_OPENS: u32 = 9;
/// First local hour at which none may be sent any more.
pub const WINDOW_CLOSES: u32 = 16;
/// A user is first asked this long after being first seen.
pub const FIRST_ASK_AFTER: TimeDelta = TimeDelta::days(14);

/// How long somebody isn't asked who answered another survey.
pub const AFTER_OTHER_SURVEY: TimeDelta = TimeDelta::days(30);

/// Whether mails may be sent at an instant: Monday to Friday, 09:00 to 16:00 in the user's zone.
pub fn in_window(at: DateTime<Utc>, zone: Zone) -> bool {
    use chrono::Timelike;
    let local = zone.local(at);
    is_working_day(local.date()) && (WINDOW_OPENS..WINDOW_CLOSES).contains(&local.hour())
}

/// The user's own minute of the window, derived from the id, so that a workspace's users don't all fire at
/// once and each keeps the same time of day.
fn jitter(user: &UserId) -> TimeDelta {
    let minutes = u64::from((WINDOW_CLOSES - WINDOW_OPENS) * 60);
    TimeDelta::minutes(i64::try_from(user.bits("") % minutes).unwrap_or(0))
}

/// The first instant not before `due` that lies in the window at the user's minute. Never earlier than `due`,
/// never later than four days after.
pub fn next_slot(due: DateTime<Utc>, user: &UserId, zone: Zone) -> DateTime<Utc> {
    let opens = NaiveTime::from_hms_opt(WINDOW_OPENS, 0, 0).unwrap_or(NaiveTime::MIN);
    let first = zone.date(due);
    // Two working days in a row are at most three days apart, so one of the candidates always fits. A zone may
    // skip a local day or the hours of the window; such a candidate falls out.
    (0..=4)
        .filter_map(|ahead| first.checked_add_days(Days::new(ahead)))
        .filter(|date| is_working_day(*date))
        .map(|date| zone.instant(date, opens + jitter(user)))
        .find(|at| *at >= due && in_window(*at, zone))
        .unwrap_or(due)
}

/// The earliest instant of the next ask: `cadence` after the last one, else [`FIRST_ASK_AFTER`] the user was
/// first seen.
pub fn due(first_seen: DateTime<Utc>, last_ask: Option<DateTime<Utc>>, cadence: TimeDelta) -> DateTime<Utc> {
    last_ask.map_or(first_seen + FIRST_ASK_AFTER, |last| last + cadence)
}

/// The cadence after a number of asks in a row that nobody answered: 60 days after two, 90 after four, unless
/// the setting is longer. An answer restores it.
pub fn cadence(setting: TimeDelta, unanswered: u32) -> TimeDelta {
    let back_off = match unanswered {
        0 | 1 => TimeDelta::zero(),
        2 | 3 => TimeDelta::days(60),
        _ => TimeDelta::days(90),
    };
    setting.max(back_off)
}
