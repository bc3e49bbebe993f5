//! Weeks, months and days in a workspace's time zone.
//!
//! A week is an ISO 8601 week; it belongs to the month that holds its Thursday, so every week lies in
//! exactly one month and a month has four or five. Weeks and days are cut at local midnights, so a week
//! lasts 167, 168 or 169 hours where clocks change.

use std::{fmt, str::FromStr};

use chrono::{
    DateTime, Datelike, Days, LocalResult, NaiveDate, NaiveTime, TimeDelta, TimeZone, Utc, Weekday,
};
use serde::{Deserialize, Serialize};

/// How long after a week's end late events still count: 48 hours. Rule: weekly score, grace.
pub const GRACE: TimeDelta = TimeDelta::hours(48);

/// Length of the slots in which engaged time is measured, in seconds.
pub const SLOT_SECONDS: i64 = 300;

/// The text is not a week, a month or a zone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CalendarError {
    /// Not an ISO week such as `2026-W36`, or one that the year doesn't have.
    #[error("{0:?} is not an ISO week such as 2026-W36")]
    Week(String),
    /// Not a month such as `2026-09`.
    #[error("{0:?} is not a month such as 2026-09")]
    Month(String),
    /// Not a name of the IANA time zone database.
    #[error("{0:?} is not an IANA time zone such as Europe/Berlin")]
    Zone(String),
}

/// A time zone of the IANA database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(try_from = "String", into = "String")]
pub struct Zone(chrono_tz::Tz);

impl Zone {
    /// Coordinated Universal Time.
    pub const UTC: Self = Self(chrono_tz::Tz::UTC);

    /// The local calendar date at an instant.
    pub fn date(self, at: DateTime<Utc>) -> NaiveDate {
        at.with_timezone(&self.0).date_naive()
    }

    /// The local date and time at an instant.
    pub fn local(self, at: DateTime<Utc>) -> chrono::NaiveDateTime {
        at.with_timezone(&self.0).naive_local()
    }

    /// The first instant of a local date. Where clocks jump over midnight the day begins at the jump.
    pub fn start_of(self, date: NaiveDate) -> DateTime<Utc> {
        self.instant(date, NaiveTime::MIN)
    }

    /// The first instant at which clocks on `date` show `time` or later.
    pub fn instant(self, date: NaiveDate, time: NaiveTime) -> DateTime<Utc> {
        let mut local = date.and_time(time);
        // The longest jump in the database is a whole day (Samoa 2011, Kwajalein 1993).
        for _ in 0..=(25 * 60) {
            match self.0.from_local_datetime(&local) {
                LocalResult::Single(at) | LocalResult::Ambiguous(at, _) => return at.with_timezone(&Utc),
                LocalResult::None => local += TimeDelta::minutes(1),
            }
        }
        local.and_utc()
    }

    /// The zone's name in the IANA database.
    pub fn name(self) -> &'static str {
        self.0.name()
    }
}

impl Default for Zone {
    fn default() -> Self {
        Self::UTC
    }
}

impl FromStr for Zone {
    type Err = CalendarError;
    fn from_str(text: &str) -> Result<Self, CalendarError> {
        text.parse().map(Self).map_err(|_| CalendarError::Zone(text.to_owned()))
    }
}

impl TryFrom<String> for Zone {
    type Error = CalendarError;
    fn try_from(text: String) -> Result<Self, CalendarError> {
        text.parse()
    }
}

impl From<Zone> for String {
    fn from(zone: Zone) -> Self {
        zone.name().to_owned()
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// An ISO 8601 week, `2026-W36` on the wire. Ordered by time.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(try_from = "String", into = "String")]
pub struct IsoWeek {
    /// Kept instead of year and number: arithmetic and order follow from it, and it can't be invalid.
    monday: NaiveDate,
}

impl IsoWeek {
    /// The week that holds a date.
    pub fn of(date: NaiveDate) -> Self {
        let back = u64::from(date.weekday().num_days_from_monday());
        Self { monday: date.checked_sub_days(Days::new(back)).unwrap_or(date) }
    }

    /// The week that holds an instant, in a zone.
    pub fn at(at: DateTime<Utc>, zone: Zone) -> Self {
        Self::of(zone.date(at))
    }

    /// The week's Monday.
    pub fn monday(self) -> NaiveDate {
        self.monday
    }

    /// The week's Thursday, which decides its month and who is eligible.
    pub fn thursday(self) -> NaiveDate {
        self.day(Weekday::Thu)
    }

    /// The date of a day, 1 = Monday … 7 = Sunday.
    pub fn date_of(self, day: u8) -> Option<NaiveDate> {
        let after = day.checked_sub(1).filter(|after| *after < 7)?;
        self.monday.checked_add_days(Days::new(u64::from(after)))
    }

    /// A day of the week.
    pub fn day(self, weekday: Weekday) -> NaiveDate {
        let ahead = u64::from(weekday.num_days_from_monday());
        self.monday.checked_add_days(Days::new(ahead)).unwrap_or(self.monday)
    }

    /// The first instant of the week in a zone.
    pub fn start(self, zone: Zone) -> DateTime<Utc> {
        zone.start_of(self.monday)
    }

    /// The first instant after the week in a zone.
    pub fn end(self, zone: Zone) -> DateTime<Utc> {
        self.next().start(zone)
    }

    /// When late events stop counting: [`GRACE`] after the week's end.
    pub fn grace_end(self, zone: Zone) -> DateTime<Utc> {
        self.end(zone) + GRACE
    }

    /// The week after.
    pub fn next(self) -> Self {
        self.plus(1)
    }

    /// The week before.
    pub fn previous(self) -> Self {
        self.plus(-1)
    }

    /// The week `weeks` later, or earlier when negative.
    pub fn plus(self, weeks: i64) -> Self {
        Self { monday: self.monday.checked_add_signed(TimeDelta::weeks(weeks)).unwrap_or(self.monday) }
    }

    /// Whole weeks from `earlier` to this one; negative when this one is the earlier.
    pub fn since(self, earlier: Self) -> i64 {
        (self.monday - earlier.monday).num_weeks()
    }

    /// The month that holds the week's Thursday.
    pub fn month(self) -> Month {
        Month::of(self.thursday())
    }

    /// Where the week's local days begin, in slots since the week's start: eight numbers, the last is the
    /// week's end.
    pub fn day_starts(self, zone: Zone) -> [i64; 8] {
        let start = self.start(zone);
        let mut starts = [0; 8];
        for (ahead, slot) in (0_u64..).zip(starts.iter_mut()) {
            let date = self.monday.checked_add_days(Days::new(ahead)).unwrap_or(self.monday);
            *slot = (zone.start_of(date) - start).num_seconds() / SLOT_SECONDS;
        }
        starts
    }
}

impl fmt::Display for IsoWeek {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let week = self.monday.iso_week();
        write!(f, "{:04}-W{:02}", week.year(), week.week())
    }
}

impl FromStr for IsoWeek {
    type Err = CalendarError;
    fn from_str(text: &str) -> Result<Self, CalendarError> {
        let parse = || {
            let (year, week) = text.split_once("-W")?;
            if year.len() != 4 || week.len() != 2 {
                return None;
            }
            NaiveDate::from_isoywd_opt(digits(year)?.try_into().ok()?, digits(week)?, Weekday::Mon)
        };
        parse().map(|monday| Self { monday }).ok_or_else(|| CalendarError::Week(text.to_owned()))
    }
}

impl TryFrom<String> for IsoWeek {
    type Error = CalendarError;
    fn try_from(text: String) -> Result<Self, CalendarError> {
        text.parse()
    }
}

impl From<IsoWeek> for String {
    fn from(week: IsoWeek) -> Self {
        week.to_string()
    }
}

/// A calendar month, `2026-09` on the wire. Ordered by time.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(try_from = "String", into = "String")]
pub struct Month {
    first: NaiveDate,
}

impl Month {
    /// The month that holds a date.
    pub fn of(date: NaiveDate) -> Self {
        Self { first: date.with_day(1).unwrap_or(date) }
    }

    /// The month after.
    pub fn next(self) -> Self {
        Self { first: self.first.checked_add_months(chrono::Months::new(1)).unwrap_or(self.first) }
    }

    /// The month before.
    pub fn previous(self) -> Self {
        Self { first: self.first.checked_sub_months(chrono::Months::new(1)).unwrap_or(self.first) }
    }

    /// The weeks whose Thursday lies in the month: four or five, oldest first.
    pub fn weeks(self) -> Vec<IsoWeek> {
        let first = IsoWeek::of(self.first);
        let first = if first.month() == self { first } else { first.next() };
        std::iter::successors(Some(first), |week| Some(week.next()))
            .take_while(|week| week.month() == self)
            .collect()
    }

    /// The last week of the month; the month is final when its grace is over.
    pub fn last_week(self) -> IsoWeek {
        let next = IsoWeek::of(self.next().first);
        if next.month() == self { next } else { next.previous() }
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.first.year(), self.first.month())
    }
}

impl FromStr for Month {
    type Err = CalendarError;
    fn from_str(text: &str) -> Result<Self, CalendarError> {
        let parse = || {
            let (year, month) = text.split_once('-')?;
            if year.len() != 4 || month.len() != 2 {
                return None;
            }
            NaiveDate::from_ymd_opt(digits(year)?.try_into().ok()?, digits(month)?, 1)
        };
        parse().map(|first| Self { first }).ok_or_else(|| CalendarError::Month(text.to_owned()))
    }
}

impl TryFrom<String> for Month {
    type Error = CalendarError;
    fn try_from(text: String) -> Result<Self, CalendarError> {
        text.parse()
    }
}

impl From<Month> for String {
    fn from(month: Month) -> Self {
        month.to_string()
    }
}

/// Monday to Friday. Holidays aren't known.
pub fn is_working_day(date: NaiveDate) -> bool {
    !matches!(date.weekday(), Weekday::Sat | Weekday::Sun)
}

/// Decimal digits only: `str::parse` would take a sign.
fn digits(text: &str) -> Option<u32> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}
