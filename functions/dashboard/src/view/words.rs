//! Labels, numbers and dates as people read them.

use barometer_domain::{
    Percent,
    band::Standing,
    component::{AdoptionCounts, FeedbackCounts, LoginCounts, Missing},
    happiness::{Happiness, Level},
    status::Status,
    week::Confidence,
};
use chrono::{Datelike, NaiveDate, TimeDelta};

/// A label with the mark before it: a disc that is the fuller the better, so that colour only repeats it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// The style's class: `l0` (worst) to `l3` (best), `lx` for nothing known.
    pub class: &'static str,
    /// The label.
    pub label: &'static str,
}

/// A business status.
pub fn status(status: Status) -> Mark {
    let class = match status {
        Status::Struggling => "l0",
        Status::Steady => "l1",
        Status::Healthy => "l2",
        Status::Thriving => "l3",
    };
    Mark { class, label: status.label() }
}

/// A band, or why there is none.
pub fn standing(standing: Standing) -> Mark {
    let class = match standing {
        Standing::AtRisk => "l0",
        Standing::Steady => "l1",
        Standing::Healthy => "l2",
        Standing::Thriving => "l3",
        Standing::Onboarding | Standing::Insufficient => "lx",
    };
    Mark { class, label: standing.label() }
}

/// A level of happiness.
pub fn level(level: Level) -> Mark {
    let class = match level {
        Level::NotHappy => "l0",
        Level::Neutral => "l1",
        Level::Happy => "l2",
        Level::VeryHappy => "l3",
        Level::NoData => "lx",
    };
    Mark { class, label: level.label() }
}

/// Who looks after a company, where there is little room: the page of the company has the whole address.
pub fn owner(owner: Option<&str>) -> &str {
    owner.map_or("no owner", |owner| owner.split('@').next().unwrap_or(owner))
}

/// How far to rely on a score.
pub fn confidence(confidence: Confidence) -> &'static str {
    match confidence {
        Confidence::Low => "low",
        Confidence::Medium => "medium",
        Confidence::High => "high",
    }
}

/// `3 answers`, `1 answer`.
pub fn count(number: u32, one: &str) -> String {
    format!("{number} {one}{}", if number == 1 { "" } else { "s" })
}

/// A large number as people read it: `1,234`.
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A large number where there is little room: `1.2k`, `35k`, `2.0M`.
pub fn short(number: u64) -> String {
    let tenths = |unit: u64, letter: char| {
        let tenths = number / (unit / 10);
        match tenths {
            0..100 => format!("{}.{}{letter}", tenths / 10, tenths % 10),
            _ => format!("{}{letter}", tenths / 10),
        }
    };
    match number {
        0..1_000 => number.to_string(),
        1_000..1_000_000 => tenths(1_000, 'k'),
        _ => tenths(1_000_000, 'M'),
    }
}

/// `1,200 events`, `1 event`.
pub fn many(number: u64, one: &str) -> String {
    format!("{} {one}{}", thousands(number), if number == 1 { "" } else { "s" })
}

/// How long ago something was: `just now`, `2 minutes ago`, `3 days ago`.
pub fn since(span: TimeDelta) -> String {
    let ago = |number: i64, one: &str| format!("{} ago", many(number.unsigned_abs(), one));
    match span.num_seconds() {
        ..10 => "just now".to_owned(),
        seconds @ 10..60 => ago(seconds, "second"),
        seconds @ 60..3_600 => ago(seconds / 60, "minute"),
        seconds @ 3_600..86_400 => ago(seconds / 3_600, "hour"),
        seconds => ago(seconds / 86_400, "day"),
    }
}

/// A percentage's number with as many decimals as it has: `33.33`, `12.5`, `50`.
pub fn number(percent: Percent) -> String {
    let (whole, rest) = (percent.basis_points() / 100, percent.basis_points() % 100);
    match rest {
        0 => whole.to_string(),
        rest if rest % 10 == 0 => format!("{whole}.{}", rest / 10),
        rest => format!("{whole}.{rest:02}"),
    }
}

/// `3 Sep`, or `3 Sep 2025` in another year than today's.
pub fn day(date: NaiveDate, today: NaiveDate) -> String {
    let format = if date.year() == today.year() { "%-d %b" } else { "%-d %b %Y" };
    date.format(format).to_string()
}

/// `today`, `12 d ago`.
pub fn ago(days: i64) -> String {
    if days <= 0 { "today".to_owned() } else { format!("{days} d ago") }
}

/// A change of the shown score with its direction: `▲ +5`, `▼ −22`, `0`.
pub fn change(change: i16) -> String {
    match change {
        0 => "0".to_owned(),
        up if up > 0 => format!("▲ +{up}"),
        down => format!("▼ −{}", down.unsigned_abs()),
    }
}

/// The same without the arrow, for sentences: `+5`, `−22`, `±0`.
pub fn signed(change: i16) -> String {
    match change {
        0 => "±0".to_owned(),
        up if up > 0 => format!("+{up}"),
        down => format!("−{}", down.unsigned_abs()),
    }
}

/// What stands behind a level of happiness: `5 answers`.
pub fn behind_happiness(happiness: &Happiness) -> String {
    match happiness.score {
        Some(_) if happiness.provisional => {
            format!("{} · provisional", count(happiness.answers, "answer"))
        }
        Some(_) => count(happiness.answers, "answer"),
        None if happiness.silent => "silent: asked, no answer".to_owned(),
        None => "no answers yet".to_owned(),
    }
}

/// Why a component has no value, with the age up to which answers count.
pub fn missing(missing: Missing, answer_age_days: u16) -> String {
    match missing {
        Missing::NoEligibleUsers => "no user counted in this week".to_owned(),
        Missing::NoAnswers => format!("nobody has answered in the last {answer_age_days} days"),
        Missing::NoTelemetry => "no event has ever arrived from this company".to_owned(),
        Missing::WorkspaceSilent => "no event arrived from any company this week".to_owned(),
        Missing::DataGap => {
            "data gap: many companies went silent at once, so the week doesn't count".to_owned()
        }
    }
}

/// `3 of 8 users active`.
pub fn logins(counts: LoginCounts) -> String {
    format!("{} of {} active", counts.active_users, count(counts.users, "user"))
}

/// `4 of 12 features used · 212 minutes`.
pub fn adoption(counts: AdoptionCounts) -> String {
    let minutes = count(counts.minutes, "minute");
    match (counts.features_used, counts.features_entitled) {
        (Some(used), Some(entitled)) => {
            format!("{used} of {} used · {minutes}", count(entitled, "feature"))
        }
        _ => format!("{minutes} · no feature catalogue yet, so time alone counts"),
    }
}

/// `5 answers`.
pub fn answers(counts: FeedbackCounts) -> String {
    count(counts.answers, "answer")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn percent(basis_points: u16) -> Percent {
        Percent::from_basis_points(basis_points).unwrap()
    }

    #[test]
    fn numbers_keep_the_decimals_that_they_have() {
        assert_eq!(number(percent(3_333)), "33.33");
        assert_eq!(number(percent(1_250)), "12.5");
        assert_eq!(number(percent(5_000)), "50");
        assert_eq!(number(percent(5)), "0.05");
        assert_eq!(number(Percent::FULL), "100");
    }

    #[test]
    fn large_numbers_and_spans_read_easily() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(thousands), ["0", "999", "1,000", "1,234,567"]);
        let shorts = [999, 1_000, 1_290, 10_500, 999_999, 1_000_000, 25_000_000].map(short);
        assert_eq!(shorts, ["999", "1.0k", "1.2k", "10k", "999k", "1.0M", "25M"]);
        assert_eq!([many(1, "event"), many(1_200, "event")], ["1 event", "1,200 events"]);
        let spans = [-5, 9, 59, 119, 7_199, 86_399, 172_800].map(|span| since(TimeDelta::seconds(span)));
        let words = ["just now", "just now", "59 seconds ago", "1 minute ago", "1 hour ago", "23 hours ago"];
        assert_eq!((&spans[..6], spans[6].as_str()), (&words.map(str::to_owned)[..], "2 days ago"));
    }

    #[test]
    fn days_name_the_year_only_where_it_differs() {
        let date = |year, month, day| NaiveDate::from_ymd_opt(year, month, day).unwrap();
        assert_eq!(day(date(2026, 9, 3), date(2026, 12, 1)), "3 Sep");
        assert_eq!(day(date(2025, 9, 3), date(2026, 12, 1)), "3 Sep 2025");
        assert_eq!(ago(0), "today");
        assert_eq!(ago(12), "12 d ago");
    }

    #[test]
    fn changes_have_arrow_and_sign() {
        assert_eq!([change(5), change(0), change(-22)], ["▲ +5", "0", "▼ −22"]);
        assert_eq!([signed(5), signed(0), signed(-22)], ["+5", "±0", "−22"]);
    }

    #[test]
    fn counts_read_as_sentences() {
        assert_eq!(logins(LoginCounts { users: 8, active_users: 3, active_days: 3 }), "3 of 8 users active");
        assert_eq!(logins(LoginCounts { users: 1, active_users: 0, active_days: 0 }), "0 of 1 user active");
        let counts = AdoptionCounts { features_used: Some(4), features_entitled: Some(12), minutes: 212 };
        assert_eq!(adoption(counts), "4 of 12 features used · 212 minutes");
        let counts = AdoptionCounts { features_used: None, features_entitled: None, minutes: 1 };
        assert_eq!(adoption(counts), "1 minute · no feature catalogue yet, so time alone counts");
    }

    #[test]
    fn silence_is_not_a_score() {
        let mut happiness = barometer_cloud::views::no_happiness();
        assert_eq!(behind_happiness(&happiness), "no answers yet");
        happiness.silent = true;
        assert_eq!(behind_happiness(&happiness), "silent: asked, no answer");
        happiness = Happiness {
            score: Some(percent(0)),
            level: Level::NotHappy,
            answers: 1,
            silent: false,
            ..happiness
        };
        assert_eq!(behind_happiness(&happiness), "1 answer · provisional");
    }
}
