//! When an event happened. Rule: ingestion, time.

use chrono::{DateTime, FixedOffset, NaiveDate, NaiveTime, SubsecRound, TimeDelta, TimeZone, Utc};

use crate::fault::Oddity;

/// How far sending and arrival may lie apart before a device's clock is distrusted.
pub const SKEW: TimeDelta = TimeDelta::seconds(60);

/// How far ahead a timestamp may lie.
pub const AHEAD: TimeDelta = TimeDelta::minutes(5);

/// What an event says about its time, as text.
#[derive(Debug, Clone, Copy)]
pub struct Times<'a> {
    /// When it happened; the original timestamp where there is no other.
    pub timestamp: Option<&'a str>,
    /// When the client sent it.
    pub sent_at: Option<&'a str>,
    /// Whether it comes from a browser or a phone, whose clock may be wrong.
    pub from_device: bool,
}

/// The instant an event counts at, in whole milliseconds, and what was odd about it.
///
/// A server's timestamp is taken as given. A device's is corrected by the difference of sending and arrival, but
/// only when they lie more than [`SKEW`] apart, since several clients repeat an old `sentAt` when they retry.
/// Missing, unreadable and future timestamps become the time of arrival.
pub fn instant(times: Times<'_>, received: DateTime<Utc>) -> (DateTime<Utc>, Option<Oddity>) {
    let received = received.trunc_subsecs(3);
    let Some(timestamp) = times.timestamp else { return (received, None) };
    let Some(given) = parse(timestamp) else { return (received, Some(Oddity::BadTimestamp)) };
    let at = match times.sent_at.filter(|_| times.from_device).and_then(parse) {
        Some(sent) if (received - sent).abs() > SKEW => {
            received.checked_sub_signed(sent - given).unwrap_or(given)
        }
        _ => given,
    };
    if at > received + AHEAD { (received, Some(Oddity::FutureTimestamp)) } else { (at, None) }
}

/// Reads an instant: RFC 3339 with 0–9 digits of a second's fraction; a space for the `T`, no offset (then UTC),
/// no seconds or only a date; or the seconds or milliseconds since 1970. Cut to whole milliseconds.
pub fn parse(text: &str) -> Option<DateTime<Utc>> {
    let text = text.trim();
    let at = if text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'.'))
        || text.strip_prefix('-').is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_digit()))
    {
        epoch(text)?
    } else {
        calendar(text)?
    };
    // Beyond these years arithmetic with offsets and retention could leave the calendar.
    (-9_999_999_999_999..=99_999_999_999_999).contains(&at.timestamp_millis()).then_some(at)
}

/// Below this number of seconds, the year 5138, a number is seconds; from it on milliseconds, which then begin
/// in March 1973.
const SECONDS_BELOW: f64 = 1e11;

fn epoch(text: &str) -> Option<DateTime<Utc>> {
    let number: f64 = text.parse().ok()?;
    let millis = if number.abs() < SECONDS_BELOW { number * 1_000.0 } else { number };
    if millis.abs() > 1e15 {
        return None;
    }
    DateTime::from_timestamp_millis(millis.round() as i64)
}

fn calendar(text: &str) -> Option<DateTime<Utc>> {
    let mut rest = text.as_bytes();
    let year = number(&mut rest, 4)?;
    skip(&mut rest, b'-')?;
    let month = number(&mut rest, 2)?;
    skip(&mut rest, b'-')?;
    let date = NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, number(&mut rest, 2)?)?;
    if rest.is_empty() {
        return Some(date.and_time(NaiveTime::MIN).and_utc());
    }
    let (b'T' | b't' | b' ') = take(&mut rest)? else { return None };
    let hour = number(&mut rest, 2)?;
    skip(&mut rest, b':')?;
    let minute = number(&mut rest, 2)?;
    let (mut second, mut millis) = (0, 0);
    if skip(&mut rest, b':').is_some() {
        // A leap second counts as the second before it.
        second = match number(&mut rest, 2)? {
            60 => 59,
            second => second,
        };
        if let Some(b'.' | b',') = rest.first() {
            take(&mut rest);
            let mut weight = 100;
            while let Some(digit @ b'0'..=b'9') = rest.first() {
                millis += u32::from(digit - b'0') * weight;
                weight /= 10;
                take(&mut rest);
            }
        }
    }
    let local = date.and_time(NaiveTime::from_hms_milli_opt(hour, minute, second, millis)?);
    Some(offset(rest)?.from_local_datetime(&local).single()?.with_timezone(&Utc))
}

fn offset(text: &[u8]) -> Option<FixedOffset> {
    let text = text.trim_ascii_start();
    let sign = match text {
        b"" | b"Z" | b"z" | b"UTC" | b"GMT" => return FixedOffset::east_opt(0),
        [b'+', ..] => 1,
        [b'-', ..] => -1,
        _ => return None,
    };
    let mut rest = text.get(1..)?;
    let hours = number(&mut rest, 2)?;
    skip(&mut rest, b':');
    let minutes = if rest.is_empty() { 0 } else { number(&mut rest, 2)? };
    if !rest.is_empty() || minutes > 59 {
        return None;
    }
    FixedOffset::east_opt(sign * i32::try_from(hours * 3_600 + minutes * 60).ok()?)
}

fn take(rest: &mut &[u8]) -> Option<u8> {
    let (first, tail) = rest.split_first()?;
    *rest = tail;
    Some(*first)
}

fn skip(rest: &mut &[u8], byte: u8) -> Option<()> {
    *rest = rest.strip_prefix(&[byte])?;
    Some(())
}

fn number(rest: &mut &[u8], digits: usize) -> Option<u32> {
    let mut number = 0;
    for _ in 0..digits {
        let digit = take(rest).filter(u8::is_ascii_digit)?;
        number = number * 10 + u32::from(digit - b'0');
    }
    Some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        DateTime::parse_from_rfc3339(text).unwrap().with_timezone(&Utc)
    }

    #[test]
    fn reads_what_clients_write() {
        let ten = at("2026-01-15T10:00:00Z");
        for text in [
            "2026-01-15T10:00:00Z",
            "2026-01-15T10:00:00.Z",
            "2026-01-15T10:00:00.0Z",
            "2026-01-15T10:00:00.000000000Z",
            "2026-01-15t10:00:00z",
            "2026-01-15 10:00:00",
            "2026-01-15 10:00:00 UTC",
            "2026-01-15T10:00",
            "2026-01-15T10:00:00.000+00:00",
            "2026-01-15T12:30:00+02:30",
            "2026-01-15T12:00:00+0200",
            "2026-01-15T08:00:00 -02",
            "1768471200",
            "1768471200.000",
            "1768471200000",
        ] {
            assert_eq!(parse(text), Some(ten), "{text}");
        }
        assert_eq!(parse("2026-01-15"), Some(at("2026-01-15T00:00:00Z")));
        assert_eq!(parse("2026-01-15T10:00:00.123456789Z"), Some(at("2026-01-15T10:00:00.123Z")));
        assert_eq!(parse("1768471200.5"), Some(at("2026-01-15T10:00:00.5Z")));
        assert_eq!(parse("2026-06-30T23:59:60Z"), Some(at("2026-06-30T23:59:59Z")));
        assert_eq!(parse("0"), Some(at("1970-01-01T00:00:00Z")));
        assert_eq!(parse("-86400"), Some(at("1969-12-31T00:00:00Z")));
    }

    #[test]
    fn refuses_what_is_no_instant() {
        for text in [
            "",
            "-",
            ".",
            "yesterday",
            "2026-13-01",
            "2026-02-30T00:00:00Z",
            "2026-01-15T25:00:00Z",
            "2026-01-15T10:00:00X",
            "2026-01-15T10:00:00+99:00",
            "2026-01-15T10:00:00+02:00x",
            "20-01-15",
            "99999999999999999999",
            "1e3",
            "2026-01-15T10",
            "٢٠٢٦-01-15",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_devices_clock_is_corrected_only_when_it_is_off() {
        let received = at("2026-01-15T12:00:00.000999Z");
        let resolve = |timestamp, sent_at, from_device| {
            instant(Times { timestamp: Some(timestamp), sent_at: Some(sent_at), from_device }, received).0
        };
        let (ten, hour_ago) = ("2026-01-15T10:00:00Z", "2026-01-15T11:00:00Z");
        assert_eq!(resolve(ten, hour_ago, true), at("2026-01-15T11:00:00Z"));
        assert_eq!(resolve(ten, hour_ago, false), at(ten));
        assert_eq!(resolve(ten, "2026-01-15T11:59:00Z", true), at(ten));
        assert_eq!(resolve(ten, "2026-01-15T11:58:59Z", true), at("2026-01-15T10:01:01Z"));
        assert_eq!(resolve(ten, "soon", true), at(ten));
        // A clock that runs ahead is corrected before anything is called future.
        assert_eq!(resolve("2026-01-16T10:00:00Z", "2026-01-16T12:00:00Z", true), at(ten));
    }

    #[test]
    fn missing_unreadable_and_future_become_the_arrival() {
        let received = at("2026-01-15T12:00:00Z");
        let resolve = |timestamp| instant(Times { timestamp, sent_at: None, from_device: false }, received);
        assert_eq!(resolve(None), (received, None));
        assert_eq!(resolve(Some("?")), (received, Some(Oddity::BadTimestamp)));
        assert_eq!(resolve(Some("2099-01-01T00:00:00Z")), (received, Some(Oddity::FutureTimestamp)));
        assert_eq!(resolve(Some("2026-01-15T12:05:00Z")).1, None);
        assert_eq!(resolve(Some("2026-01-15T12:05:01Z")), (received, Some(Oddity::FutureTimestamp)));
    }
}
