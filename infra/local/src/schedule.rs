//! EventBridge Scheduler's expressions, `cron(…)` and `rate(…)`: when is the next run after an instant?
//!
//! No general cron crate reads this dialect (six fields without seconds, `?` obligatory in exactly one of
//! the two day fields, Sunday = 1), and reading a wider one here would accept templates that AWS refuses.
//! `L`, `W` and `#` are not used by the template and are refused.

use chrono::{DateTime, Datelike, Days, NaiveDate, TimeDelta, Timelike, Utc};
use thiserror::Error;

/// Why an expression can't be read.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum ScheduleError {
    /// Neither `cron(…)` nor `rate(…)`.
    #[error("{0:?} is neither cron(…) nor rate(…)")]
    Form(String),
    /// `cron(…)` without exactly six fields.
    #[error("cron needs six fields, {0} given")]
    Fields(usize),
    /// A field that holds something its range doesn't.
    #[error("{value:?} is not a {field}")]
    Field {
        /// Which field.
        field: &'static str,
        /// What it held.
        value: String,
    },
    /// `?` in none or both of the day fields.
    #[error("exactly one of day-of-month and day-of-week must be `?`")]
    Days,
    /// `rate(…)` without a whole positive number and a known unit.
    #[error("{0:?} is not a rate such as `15 minutes`")]
    Rate(String),
}

/// A schedule in UTC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expression {
    /// Fixed times of the calendar.
    Cron(Cron),
    /// A fixed step, counted from 1970-01-01T00:00Z (AWS counts from the schedule's creation, which has no
    /// meaning on a clock that can be set).
    Rate(TimeDelta),
}

/// The six fields of `cron(…)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cron {
    minutes: Set,
    hours: Set,
    days_of_month: Option<Set>,
    months: Set,
    days_of_week: Option<Set>,
    years: Set,
}

const FIRST_YEAR: u32 = 1970;
const LAST_YEAR: u32 = 2199;
const MONTHS: [&str; 12] =
    ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const DAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

/// Values that a field allows, as ranges with a step.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Set(Vec<Span>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Span {
    from: u32,
    to: u32,
    step: u32,
}

impl Set {
    fn has(&self, value: u32) -> bool {
        self.0.iter().any(|s| value >= s.from && value <= s.to && (value - s.from).is_multiple_of(s.step))
    }
}

/// What a field's values may be.
struct Kind {
    name: &'static str,
    from: u32,
    to: u32,
    names: &'static [&'static str],
}

impl Kind {
    fn set(&self, text: &str) -> Result<Set, ScheduleError> {
        text.split(',')
            .map(|part| self.span(part))
            .collect::<Option<Vec<_>>>()
            .map(Set)
            .ok_or_else(|| ScheduleError::Field { field: self.name, value: text.to_owned() })
    }

    fn span(&self, part: &str) -> Option<Span> {
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => (range, Some(step.parse::<u32>().ok().filter(|s| *s > 0)?)),
            None => (part, None),
        };
        let (from, to) = match range.split_once('-') {
            _ if range == "*" => (self.from, self.to),
            Some((from, to)) => (self.value(from)?, self.value(to)?),
            // `5/15` runs from 5 to the field's end; a bare `5` is just itself.
            None => {
                let from = self.value(range)?;
                (from, if step.is_some() { self.to } else { from })
            }
        };
        (from <= to).then_some(Span { from, to, step: step.unwrap_or(1) })
    }

    fn value(&self, text: &str) -> Option<u32> {
        let named = self.names.iter().position(|name| name.eq_ignore_ascii_case(text));
        let value = match named {
            Some(index) => u32::try_from(index).ok()? + self.from,
            None if text.bytes().all(|b| b.is_ascii_digit()) => text.parse().ok()?,
            None => return None,
        };
        (self.from..=self.to).contains(&value).then_some(value)
    }
}

impl Expression {
    /// Reads `cron(…)` or `rate(…)`.
    ///
    /// # Errors
    /// When AWS would refuse it, and for `L`, `W`, `#` and `at(…)`, which the home doesn't know.
    pub fn parse(text: &str) -> Result<Self, ScheduleError> {
        let inner = |prefix: &str| text.trim().strip_prefix(prefix)?.strip_suffix(')');
        if let Some(fields) = inner("cron(") {
            return Cron::parse(fields).map(Self::Cron);
        }
        if let Some(rate) = inner("rate(") {
            return parse_rate(rate).map(Self::Rate);
        }
        Err(ScheduleError::Form(text.to_owned()))
    }

    /// The first run strictly after `after`; `None` when there is none before the year 2200.
    #[must_use]
    pub fn next_after(&self, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
        match self {
            Self::Cron(cron) => cron.next_after(after),
            Self::Rate(step) => {
                let step = step.num_seconds();
                let runs = after.timestamp().div_euclid(step) + 1;
                DateTime::from_timestamp(runs.checked_mul(step)?, 0)
            }
        }
    }
}

fn parse_rate(text: &str) -> Result<TimeDelta, ScheduleError> {
    let wrong = || ScheduleError::Rate(text.to_owned());
    let (count, unit) = text.trim().split_once(' ').ok_or_else(wrong)?;
    let count = count.parse::<i64>().ok().filter(|c| *c > 0).ok_or_else(wrong)?;
    let seconds = match (unit.trim(), count) {
        ("minute", 1) | ("minutes", _) => 60,
        ("hour", 1) | ("hours", _) => 3_600,
        ("day", 1) | ("days", _) => 86_400,
        _ => return Err(wrong()),
    };
    count.checked_mul(seconds).and_then(TimeDelta::try_seconds).ok_or_else(wrong)
}

impl Cron {
    fn parse(text: &str) -> Result<Self, ScheduleError> {
        let fields: Vec<&str> = text.split_whitespace().collect();
        let [minutes, hours, day_of_month, months, day_of_week, years] = fields.as_slice() else {
            return Err(ScheduleError::Fields(fields.len()));
        };
        let (days_of_month, days_of_week) = match (*day_of_month, *day_of_week) {
            ("?", "?") => return Err(ScheduleError::Days),
            ("?", days) => {
                (None, Some(Kind { name: "day of the week", from: 1, to: 7, names: &DAYS }.set(days)?))
            }
            (days, "?") => {
                (Some(Kind { name: "day of the month", from: 1, to: 31, names: &[] }.set(days)?), None)
            }
            _ => return Err(ScheduleError::Days),
        };
        Ok(Self {
            minutes: Kind { name: "minute", from: 0, to: 59, names: &[] }.set(minutes)?,
            hours: Kind { name: "hour", from: 0, to: 23, names: &[] }.set(hours)?,
            days_of_month,
            months: Kind { name: "month", from: 1, to: 12, names: &MONTHS }.set(months)?,
            days_of_week,
            years: Kind { name: "year", from: FIRST_YEAR, to: LAST_YEAR, names: &[] }.set(years)?,
        })
    }

    fn next_after(&self, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let start = after.with_second(0)?.with_nanosecond(0)?.checked_add_signed(TimeDelta::minutes(1))?;
        let mut date = start.date_naive();
        let (mut hour, mut minute) = (start.hour(), start.minute());
        loop {
            if u32::try_from(date.year()).ok()? > LAST_YEAR {
                return None;
            }
            if !self.in_month(date) {
                date = next_month(date)?;
                (hour, minute) = (0, 0);
                continue;
            }
            if self.on_day(date)
                && let Some((hour, minute)) = self.time_from(hour, minute)
            {
                return Some(date.and_hms_opt(hour, minute, 0)?.and_utc());
            }
            date = date.checked_add_days(Days::new(1))?;
            (hour, minute) = (0, 0);
        }
    }

    fn in_month(&self, date: NaiveDate) -> bool {
        u32::try_from(date.year()).is_ok_and(|year| self.years.has(year)) && self.months.has(date.month())
    }

    fn on_day(&self, date: NaiveDate) -> bool {
        self.days_of_month.as_ref().is_none_or(|days| days.has(date.day()))
            && self.days_of_week.as_ref().is_none_or(|days| days.has(date.weekday().number_from_sunday()))
    }

    /// The first allowed time of a day at or after `hour:minute`.
    fn time_from(&self, hour: u32, minute: u32) -> Option<(u32, u32)> {
        (hour..24).filter(|h| self.hours.has(*h)).find_map(|h| {
            let first = if h == hour { minute } else { 0 };
            (first..60).find(|m| self.minutes.has(*m)).map(|m| (h, m))
        })
    }
}

fn next_month(date: NaiveDate) -> Option<NaiveDate> {
    match date.month() {
        12 => NaiveDate::from_ymd_opt(date.year() + 1, 1, 1),
        month => NaiveDate::from_ymd_opt(date.year(), month + 1, 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runs(expression: &str, after: &str, count: usize) -> Vec<String> {
        let expression = Expression::parse(expression).unwrap();
        let mut at = after.parse::<DateTime<Utc>>().unwrap();
        let mut found = Vec::new();
        while found.len() < count {
            let Some(next) = expression.next_after(at) else { break };
            found.push(next.format("%Y-%m-%dT%H:%M").to_string());
            at = next;
        }
        found
    }

    #[test]
    fn quarter_hours_are_strictly_after() {
        assert_eq!(
            runs("cron(0/15 * * * ? *)", "2026-09-07T23:30:00Z", 3),
            ["2026-09-07T23:45", "2026-09-08T00:00", "2026-09-08T00:15"]
        );
        assert_eq!(runs("cron(0/15 * * * ? *)", "2026-09-07T23:44:59Z", 1), ["2026-09-07T23:45"]);
    }

    #[test]
    fn sunday_is_one() {
        // 2026-09-06 is a Sunday.
        let hourly = "cron(0 23 ? * SUN-WED *)";
        let expected = ["2026-09-06T23:00", "2026-09-07T23:00", "2026-09-08T23:00", "2026-09-09T23:00"];
        assert_eq!(runs(hourly, "2026-09-06T00:00:00Z", 4), expected);
        assert_eq!(runs("cron(0 23 ? * 1-4 *)", "2026-09-06T00:00:00Z", 4), expected);
        assert_eq!(runs(hourly, "2026-09-09T23:00:00Z", 1), ["2026-09-13T23:00"]);
        assert_eq!(runs("cron(0 0 ? * 7 *)", "2026-09-06T00:00:00Z", 1), ["2026-09-12T00:00"]);
    }

    #[test]
    fn steps_start_where_they_say() {
        assert_eq!(
            runs("cron(45 0/6 * * ? *)", "2026-09-30T12:00:00Z", 3),
            ["2026-09-30T12:45", "2026-09-30T18:45", "2026-10-01T00:45"]
        );
        assert_eq!(
            runs("cron(5-20/10 3 * * ? *)", "2026-09-30T03:00:00Z", 2),
            ["2026-09-30T03:05", "2026-09-30T03:15"]
        );
    }

    #[test]
    fn month_ends_and_leap_days() {
        assert_eq!(
            runs("cron(0 0 31 * ? *)", "2026-08-31T00:00:00Z", 3),
            ["2026-10-31T00:00", "2026-12-31T00:00", "2027-01-31T00:00"]
        );
        assert_eq!(
            runs("cron(0 0 29 FEB ? *)", "2026-01-01T00:00:00Z", 2),
            ["2028-02-29T00:00", "2032-02-29T00:00"]
        );
        assert_eq!(runs("cron(30 23 ? DEC * *)", "2026-12-31T23:30:00Z", 1), ["2027-12-01T23:30"]);
        assert!(runs("cron(0 0 30 2 ? *)", "2026-01-01T00:00:00Z", 1).is_empty());
        assert!(runs("cron(0 0 1 1 ? 2020)", "2026-01-01T00:00:00Z", 1).is_empty());
    }

    #[test]
    fn lists_and_names() {
        assert_eq!(
            runs("cron(0 9,17 ? JAN,jul MON,FRI 2027)", "2026-07-01T00:00:00Z", 3),
            ["2027-01-01T09:00", "2027-01-01T17:00", "2027-01-04T09:00"]
        );
    }

    #[test]
    fn rates_step_from_the_epoch() {
        assert_eq!(
            runs("rate(15 minutes)", "2026-09-07T00:00:01Z", 2),
            ["2026-09-07T00:15", "2026-09-07T00:30"]
        );
        assert_eq!(runs("rate(1 day)", "2026-09-07T00:00:00Z", 1), ["2026-09-08T00:00"]);
    }

    #[test]
    fn what_aws_refuses_is_refused() {
        for wrong in [
            "cron(0 0 * * * *)",
            "cron(0 0 ? * ? *)",
            "cron(0 0 * * ?)",
            "cron(60 0 * * ? *)",
            "cron(0 24 * * ? *)",
            "cron(0 0 0 * ? *)",
            "cron(0 0 ? * 8 *)",
            "cron(0 0 ? * 0 *)",
            "cron(0 0 L * ? *)",
            "cron(0 0 ? * FRI#2 *)",
            "cron(0 0 1 13 ? *)",
            "cron(5-1 0 * * ? *)",
            "cron(*/0 0 * * ? *)",
            "cron(+5 0 * * ? *)",
            "rate(0 minutes)",
            "rate(5 minute)",
            "rate(5 weeks)",
            "at(2026-01-01T00:00:00)",
            "0 0 * * *",
        ] {
            assert!(Expression::parse(wrong).is_err(), "{wrong}");
        }
    }
}
