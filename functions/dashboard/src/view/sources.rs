//! Sources: where events come from, what came lately, and why some did not.

use askama::Template;
use barometer_cloud::{
    sources::{MAX_EVENTS, Overview},
    table::sources::{Counts, DAYS_KEPT, Reason, Unit},
};
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

use super::{Scene, chrome::Chrome, words};

/// Days of the picture.
const DAYS: usize = 14;
/// The drawing: 640 × 190, the bars between these edges.
const LEFT: u64 = 10;
const STEP: u64 = 44;
const BAR: u64 = 32;
const TOP: u64 = 24;
const BOTTOM: u64 = 160;

/// Who may change sources here, and where clients send to.
#[derive(Debug, Clone)]
pub struct Place {
    /// The address that clients need, `https://host`.
    pub origin: String,
    /// Whether the visitor may change sources.
    pub admin: bool,
}

/// What a person copies into a terminal or a client.
#[derive(Debug, Clone)]
pub struct Try {
    /// The address.
    pub origin: String,
    /// The write key, or what stands for it.
    pub key: String,
}

impl Try {
    fn new(origin: &str, key: Option<&str>) -> Self {
        Self { origin: origin.to_owned(), key: key.unwrap_or("YOUR_WRITE_KEY").to_owned() }
    }
}

/// A source in the list.
#[derive(Debug, Clone)]
pub struct Row {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its key.
    pub key: String,
    /// How it does.
    pub state: words::Mark,
    /// When the last event came.
    pub last: String,
    /// Events accepted today.
    pub today: String,
    /// Events accepted in seven days.
    pub week: String,
    /// What was not taken in seven days.
    pub trouble: String,
}

/// The list.
#[derive(Debug, Clone, Template)]
#[template(path = "sources.html")]
pub struct SourcesPage {
    chrome: Chrome,
    place: Place,
    rows: Vec<Row>,
    /// Whether nothing has ever come, as far as is known.
    silent: bool,
    attempt: Try,
    problem: Option<String>,
}

impl SourcesPage {
    /// The list of a workspace's sources; `problem` is what was wrong with a form.
    pub fn build(
        chrome: Chrome,
        sources: &[Overview],
        place: Place,
        problem: Option<String>,
        scene: Scene<'_>,
    ) -> Self {
        let rows: Vec<Row> = sources.iter().map(|source| row(source, scene)).collect();
        let working = sources.iter().find(|found| found.source.disabled_at.is_none());
        let key = working.and_then(|found| found.source.key.as_deref());
        let silent = sources.iter().all(|source| source.last_event_at().is_none());
        Self { chrome, attempt: Try::new(&place.origin, key), place, rows, silent, problem }
    }
}

fn row(overview: &Overview, scene: Scene<'_>) -> Row {
    let week = overview.last_days(7);
    let source = &overview.source;
    Row {
        id: source.id.clone(),
        name: source.name.clone(),
        key: source.key.clone().unwrap_or_else(|| "key not readable".to_owned()),
        state: state(overview, scene.now),
        last: last(overview, scene.now),
        today: words::thousands(overview.last_days(1).accepted),
        week: words::thousands(week.accepted),
        trouble: trouble(&week),
    }
}

fn state(overview: &Overview, now: DateTime<Utc>) -> words::Mark {
    let day = TimeDelta::days(1);
    match (overview.source.disabled_at, overview.last_event_at()) {
        (Some(_), _) => words::Mark { class: "lx", label: "Disabled" },
        (None, Some(last)) if now - last < day => words::Mark { class: "l3", label: "Sending" },
        (None, Some(_)) => words::Mark { class: "l1", label: "Silent for a day" },
        (None, None) => words::Mark { class: "lx", label: "Nothing yet" },
    }
}

fn last(overview: &Overview, now: DateTime<Utc>) -> String {
    match overview.last_event_at() {
        Some(at) => words::since(now - at),
        None => format!("none in {DAYS_KEPT} days"),
    }
}

fn trouble(counts: &Counts) -> String {
    let events = (counts.rejected > 0).then(|| words::many(counts.rejected, "event"));
    let requests = (counts.refused > 0).then(|| words::many(counts.refused, "request"));
    match (events, requests) {
        (Some(events), Some(requests)) => format!("{events}, {requests}"),
        (Some(one), None) | (None, Some(one)) => one,
        (None, None) => "none".to_owned(),
    }
}

/// A day's bar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bar {
    /// Left edge.
    pub x: u64,
    /// Middle.
    pub middle: u64,
    /// Top and height of the accepted part.
    pub accepted: (u64, u64),
    /// Top and height of the rejected part, on top of the other.
    pub rejected: (u64, u64),
    /// Where the number stands.
    pub label_y: u64,
    /// Accepted events, short; nothing for none.
    pub label: String,
    /// The day, under every other bar.
    pub day: String,
}

/// The picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chart {
    /// The bars, the oldest first.
    pub bars: Vec<Bar>,
    /// The picture in words.
    pub title: String,
    /// Whether anything was rejected.
    pub rejected: bool,
}

/// Draws the last fourteen days; nothing when nothing came.
pub fn chart(days: &[(NaiveDate, Counts)], today: NaiveDate) -> Option<Chart> {
    let shown: Vec<(NaiveDate, Counts)> = today
        .iter_days()
        .rev()
        .take(DAYS)
        .map(|day| {
            let counts = days.iter().find(|(of, _)| *of == day).map(|(_, counts)| counts.clone());
            (day, counts.unwrap_or_default())
        })
        .collect();
    let sum = shown.iter().fold(Counts::default(), |mut sum, (_, counts)| {
        sum.add(counts);
        sum
    });
    let highest = shown.iter().map(|(_, counts)| counts.accepted + counts.rejected).max()?;
    if highest == 0 {
        return None;
    }
    // At least a pixel for what is there.
    let height = |events: u64| match events {
        0 => 0,
        events => (u128::from(events) * u128::from(BOTTOM - TOP) / u128::from(highest)).max(1) as u64,
    };
    let mut bars = Vec::new();
    for (place, (day, counts)) in shown.iter().rev().enumerate() {
        let x = LEFT + place as u64 * STEP;
        let (accepted, rejected) = (height(counts.accepted), height(counts.rejected));
        let top = BOTTOM - accepted;
        bars.push(Bar {
            x,
            middle: x + BAR / 2,
            accepted: (top, accepted),
            rejected: (top.saturating_sub(rejected), rejected),
            label_y: top.saturating_sub(rejected + 5),
            label: if counts.accepted + counts.rejected == 0 {
                String::new()
            } else {
                words::short(counts.accepted)
            },
            day: if place % 2 == DAYS % 2 { String::new() } else { words::day(*day, today) },
        });
    }
    let first = shown.last().map(|(day, _)| words::day(*day, today)).unwrap_or_default();
    let title = format!(
        "Events by day from {first} to {}: {} accepted, {} rejected.",
        words::day(today, today),
        words::thousands(sum.accepted),
        words::thousands(sum.rejected)
    );
    Some(Chart { bars, title, rejected: sum.rejected > 0 })
}

/// A day in the table.
#[derive(Debug, Clone)]
pub struct Day {
    day: String,
    accepted: String,
    rejected: String,
    refused: String,
}

/// Why something was not taken.
#[derive(Debug, Clone)]
pub struct Why {
    when: String,
    what: String,
    message: String,
    code: String,
    hint: Option<&'static str>,
    example: Option<String>,
}

fn why(reason: &Reason, now: DateTime<Utc>) -> Why {
    let unit = match reason.unit {
        Unit::Event => "event",
        Unit::Request => "request",
    };
    let example = match (&reason.message_id, reason.index) {
        (Some(id), Some(index)) => Some(format!("messageId {id}, number {} of its request", index + 1)),
        (None, Some(index)) => Some(format!("number {} of its request", index + 1)),
        (Some(id), None) => Some(format!("messageId {id}")),
        (None, None) => None,
    };
    Why {
        when: words::since(now - reason.last_at),
        what: words::many(reason.count, unit),
        message: reason.message.clone(),
        code: reason.code.clone(),
        hint: hint(&reason.code),
        example,
    }
}

/// What a person can do about a reason.
fn hint(code: &str) -> Option<&'static str> {
    Some(match code {
        "key_disabled" => "Enable the source below, or take its key out of the client.",
        "key_replaced" => "Put the new key into the client.",
        "origin_not_allowed" => "If the page is yours, add its origin below.",
        "too_fast" => "Clients send again by themselves. If it is usual, raise the rate below.",
        "unavailable" => "Clients send again by themselves.",
        "malformed_body" => "Something other than a client sends, or a proxy damages the body.",
        "unreadable_encoding" => "A proxy damages compressed bodies, or the encoding isn’t gzip.",
        "not_found" => "The client’s host has a path too many, or its protocol isn’t known here.",
        "missing_user" => "Call identify first, or give userId with each event.",
        "missing_company" => "Give groupId in the group call.",
        "missing_event_name" => "A track call without a name can’t be counted.",
        "too_old" => "Events older than the workspace keeps are not taken; import is for them.",
        _ => return None,
    })
}

/// A replaced key that still works.
#[derive(Debug, Clone)]
pub struct Old {
    key: String,
    until: String,
}

/// What the form shows: as it is stored, or as it was sent when something was wrong with it.
#[derive(Debug, Clone, Default)]
pub struct Given {
    /// The name.
    pub name: String,
    /// The origins, one a line.
    pub origins: String,
    /// Events a second.
    pub rate: String,
    /// Events at once.
    pub burst: String,
    /// What is wrong.
    pub problems: Vec<String>,
}

/// One source.
#[derive(Debug, Clone, Template)]
#[template(path = "source.html")]
pub struct SourcePage {
    chrome: Chrome,
    place: Place,
    id: String,
    name: String,
    state: words::Mark,
    disabled: Option<String>,
    facts: Vec<String>,
    key: Option<String>,
    old: Vec<Old>,
    last: String,
    last_at: Option<String>,
    today: String,
    week: String,
    trouble: String,
    chart: Option<Chart>,
    days: Vec<Day>,
    reasons: Vec<Why>,
    attempt: Try,
    given: Given,
    most: u32,
}

impl SourcePage {
    /// The page of a source; `given` is a form that something was wrong with.
    pub fn build(
        chrome: Chrome,
        overview: &Overview,
        place: Place,
        given: Option<Given>,
        scene: Scene<'_>,
    ) -> Self {
        let (source, now) = (&overview.source, scene.now);
        let week = overview.last_days(7);
        let day = |(day, counts): &(NaiveDate, Counts)| Day {
            day: words::day(*day, now.date_naive()),
            accepted: words::thousands(counts.accepted),
            rejected: words::thousands(counts.rejected),
            refused: words::thousands(counts.refused),
        };
        let old = source.working_previous(now).map(|previous| Old {
            key: previous.key.clone().unwrap_or_else(|| "an older key, not readable,".to_owned()),
            until: instant(previous.expires_at),
        });
        Self {
            attempt: Try::new(&place.origin, source.key.as_deref()),
            id: source.id.clone(),
            name: source.name.clone(),
            state: state(overview, now),
            disabled: source.disabled_at.map(instant),
            facts: facts(overview, scene),
            key: source.key.clone(),
            old: old.collect(),
            last: last(overview, now),
            last_at: overview.last_event_at().map(instant),
            today: words::thousands(overview.last_days(1).accepted),
            week: words::thousands(week.accepted),
            trouble: trouble(&week),
            chart: chart(&overview.days, now.date_naive()),
            days: overview.days.iter().rev().take(DAYS).map(day).collect(),
            reasons: overview.reasons.iter().map(|reason| why(reason, now)).collect(),
            given: given.unwrap_or_else(|| Given {
                name: source.name.clone(),
                origins: source.allowed_origins.join("\n"),
                rate: source.rate.to_string(),
                burst: source.burst.to_string(),
                problems: Vec::new(),
            }),
            most: MAX_EVENTS,
            chrome,
            place,
        }
    }
}

fn facts(overview: &Overview, scene: Scene<'_>) -> Vec<String> {
    let source = &overview.source;
    let origins = match source.allowed_origins.as_slice() {
        [] => "Pages of any origin may post".to_owned(),
        listed => format!("Pages of {} may post", listed.join(", ")),
    };
    vec![
        format!("Made {} by {}", scene.day(source.created_at), source.author),
        origins,
        format!(
            "{} events a second, {} at once",
            words::thousands(source.rate.into()),
            words::thousands(source.burst.into())
        ),
    ]
}

/// `8 Sep 2026, 10:00 UTC`.
fn instant(at: DateTime<Utc>) -> String {
    at.format("%-d %b %Y, %H:%M UTC").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn counts(accepted: u64, rejected: u64) -> Counts {
        Counts { accepted, rejected, ..Counts::default() }
    }

    #[test]
    fn the_picture_ends_today_and_shows_gaps() {
        let days = [(day("2026-09-06"), counts(400, 100)), (day("2026-09-08"), counts(1, 0))];
        let chart = chart(&days, day("2026-09-08")).unwrap();
        assert_eq!(chart.bars.len(), DAYS);
        assert_eq!(chart.title, "Events by day from 26 Aug to 8 Sep: 401 accepted, 100 rejected.");
        let [before, gap, today] = &chart.bars[11..] else { panic!() };
        // 500 events are the whole height.
        assert_eq!(before.accepted.1 + before.rejected.1, 135);
        assert_eq!((before.rejected.0, before.label.as_str()), (25, "400"));
        assert_eq!((gap.accepted.1, gap.rejected.1, gap.label.as_str()), (0, 0, ""));
        assert_eq!((today.accepted, today.day.as_str()), ((159, 1), "8 Sep"), "one event is to be seen");
        assert!(chart.rejected && today.x + BAR <= 640);
    }

    #[test]
    fn nothing_has_no_picture() {
        assert_eq!(super::chart(&[], day("2026-09-08")), None);
        assert_eq!(super::chart(&[(day("2026-08-01"), counts(5, 5))], day("2026-09-08")), None);
    }

    #[test]
    fn trouble_is_said_in_units() {
        assert_eq!(trouble(&counts(3, 0)), "none");
        assert_eq!(trouble(&Counts { refused: 1, ..counts(0, 1_200) }), "1,200 events, 1 request");
    }
}
