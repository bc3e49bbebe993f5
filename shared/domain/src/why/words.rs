//! The explanation of a change as people read it.

use std::cmp::Reverse;

use super::{AnswerMoves, End, Part, Parts, Seen, values, weighted, zip};
use crate::{
    Percent,
    component::{AdoptionCounts, Component, Components, FeedbackCounts, LoginCounts, Missing},
    month::{MIN_WEEKS, MonthSnapshot},
    percent::Points,
    text::count,
    week::WeekSnapshot,
};

const NAMES: [&str; 3] = ["login", "adoption", "feedback"];

/// `72 → 58: login −9 (3 of 8 users active, was 6), feedback −5 (2 answers expired)`.
pub(super) fn sentence(from: u8, to: u8, parts: &Parts) -> String {
    let Parts { login, adoption, feedback, coverage, settings } = parts;
    let [of_login, of_adoption, of_feedback] = zip(NAMES, [login, adoption, feedback]);
    let parts = [of_login, of_adoption, of_feedback, ("coverage", coverage), ("settings", settings)];
    told(from, to, parts)
}

/// A change of a shown score and its named parts: the biggest first, without what is less than a point; the counts
/// alone when nothing is a point.
pub(crate) fn told<const N: usize>(from: u8, to: u8, parts: [(&str, &Part); N]) -> String {
    let points = whole_points(parts.map(|(_, part)| part.change), i32::from(to) - i32::from(from));
    let mut effects: Vec<(i32, &str, &Part)> = points
        .into_iter()
        .zip(parts)
        .filter(|(points, _)| *points != 0)
        .map(|(points, (name, part))| (points, name, part))
        .collect();
    effects.sort_by_key(|(points, _, part)| Reverse((points.abs(), part.change.basis_points().abs())));
    let clauses: Vec<String> = if effects.is_empty() {
        let counts =
            parts.iter().filter_map(|(name, part)| part.text.as_ref().map(|text| format!("{name} ({text})")));
        counts.collect()
    } else {
        effects.into_iter().map(|(points, name, part)| effect(points, name, part)).collect()
    };
    let scores = if from == to { format!("{to}, as before") } else { format!("{from} → {to}") };
    if clauses.is_empty() { scores } else { format!("{scores}: {}", clauses.join(", ")) }
}

/// `login −9 (3 of 8 users active, was 6)`.
fn effect(points: i32, name: &str, part: &Part) -> String {
    let sign = if points < 0 { '−' } else { '+' };
    let text = part.text.as_ref().map(|text| format!(" ({text})")).unwrap_or_default();
    format!("{name} {sign}{}{text}", points.unsigned_abs())
}

/// Whole points that add up to `difference`, the difference of the shown scores: each change is rounded down, and the
/// points that lack go to the largest remainders. There are never more of them than remainders, so 0 stays 0.
fn whole_points<const N: usize>(changes: [Points; N], difference: i32) -> [i32; N] {
    let mut points = changes.map(|change| change.basis_points().div_euclid(100));
    let left = usize::try_from(difference - points.iter().sum::<i32>()).unwrap_or(0);
    let remainders = changes.map(|change| change.basis_points().rem_euclid(100));
    let mut largest: Vec<(i32, &mut i32)> = remainders.into_iter().zip(points.iter_mut()).collect();
    largest.sort_by_key(|(remainder, _)| Reverse(*remainder));
    for (_, points) in largest.into_iter().take(left) {
        *points += 1;
    }
    points
}

/// `Not scored in 2026-W39: login and adoption missing: no event has ever arrived`.
pub(super) fn not_scored(ends: [&End; 2]) -> String {
    let unscored = ends.into_iter().filter(|end| end.score.is_none());
    let sentences: Vec<_> =
        unscored.map(|end| format!("Not scored in {}: {}", end.period, end.lack)).collect();
    sentences.join(". ")
}

/// What a week lacks for a score: its missing components.
pub(super) fn lack_of_week(week: &WeekSnapshot, answer_age: Option<u16>) -> String {
    let missing = missing(&week.components);
    grouped(missing.map(|missing| Some(format!("missing: {}", reason(missing?, answer_age)))))
        .unwrap_or_else(|| "no component counts".to_owned())
}

/// What a month lacks for a score: scored weeks.
pub(super) fn lack_of_month(month: &MonthSnapshot) -> String {
    let scored = month.weeks.iter().filter(|week| week.score.is_some()).count();
    format!("{scored} of {} weeks scored, a month needs {MIN_WEEKS}", month.period.weeks().len())
}

/// Why components that are switched on have no value.
fn missing(week: &Components) -> [Option<Missing>; 3] {
    let Components { login, adoption, feedback } = week;
    let missing = [login.missing, adoption.missing, feedback.missing];
    zip(weighted(week), missing).map(|((weight, _), missing)| missing.filter(|_| weight > Percent::ZERO))
}

fn reason(missing: Missing, answer_age: Option<u16>) -> String {
    match missing {
        Missing::NoEligibleUsers => "no user counted".to_owned(),
        Missing::NoAnswers => match answer_age {
            Some(days) => format!("nobody answered within {days} days"),
            None => "nobody's answer counted".to_owned(),
        },
        Missing::NoTelemetry => "no event has ever arrived".to_owned(),
        Missing::WorkspaceSilent => "no event arrived from any company".to_owned(),
        Missing::DataGap => "data gap".to_owned(),
    }
}

/// Which components came or went, with `counted` for those that came.
pub(super) fn coverage(
    before: &Seen<'_>,
    after: &Seen<'_>,
    counted: &[Option<String>; 3],
    answer_age: u16,
) -> Option<String> {
    let (were, are) = (before.weeks.len(), after.weeks.len());
    let missing = after.weeks.last().map_or([None; 3], |week| missing(&week.components));
    let reasons = missing.map(|missing| missing.map(|missing| reason(missing, Some(answer_age))));
    let known = zip(before.known(), after.known());
    let changes = zip(known, zip(reasons, counted.each_ref())).map(|((was, is), (reason, counted))| {
        let and = |text: Option<&String>| text.map(|text| format!(": {text}")).unwrap_or_default();
        match (was, is) {
            (0, 0) => None,
            (_, 0) => Some(format!("now missing{}", and(reason.as_ref()))),
            (0, _) => Some(format!("now known{}", and(counted.as_ref()))),
            _ if was == were && is == are => None,
            _ => Some(format!("known in {is} of {are} weeks, was {was} of {were}")),
        }
    });
    grouped(changes)
}

/// `login and adoption now missing: data gap; feedback now known: 3 answers`: names that say the same stand together.
fn grouped(clauses: [Option<String>; 3]) -> Option<String> {
    let mut groups: Vec<(Vec<&str>, String)> = Vec::new();
    for (name, clause) in NAMES.into_iter().zip(clauses) {
        let Some(clause) = clause else { continue };
        match groups.iter_mut().find(|(_, said)| *said == clause) {
            Some((names, _)) => names.push(name),
            None => groups.push((vec![name], clause)),
        }
    }
    let said: Vec<_> = groups.iter().map(|(names, clause)| format!("{} {clause}", list(names))).collect();
    (!said.is_empty()).then(|| said.join("; "))
}

fn list(names: &[&str]) -> String {
    match names {
        [names @ .., before, last] if !names.is_empty() => {
            format!("{}, {before} and {last}", names.join(", "))
        }
        names => names.join(" and "),
    }
}

/// `version 3 → 4`, with what it changed in basis points.
pub(super) fn versions(from: u32, to: u32, change: i32) -> Option<String> {
    match (from == to, change) {
        (false, _) => Some(format!("version {from} → {to}")),
        (true, 0) => None,
        // A month has the version of its latest week.
        (true, _) => Some(format!("version {to} came within a month")),
    }
}

/// The means of a month's component that both sides know.
pub(super) fn averages((was, is): (Option<Percent>, Option<Percent>)) -> Option<String> {
    was.zip(is).map(|(was, is)| match (was.shown(), is.shown()) {
        (was, is) if was == is => format!("{is} % on average"),
        (was, is) => format!("{is} % on average, was {was} %"),
    })
}

/// The counts of the components that both weeks know.
pub(super) fn compared(was: &Components, is: &Components, moves: Option<AnswerMoves>) -> [Option<String>; 3] {
    let known = zip(values(was), values(is)).map(|(was, is)| was.is_some() && is.is_some());
    let texts = [
        login(was.login.counts, is.login.counts),
        adoption(was, is),
        feedback(&was.feedback, &is.feedback, moves),
    ];
    zip(known, texts).map(|(known, text)| known.then_some(text))
}

/// The counts of a week's components.
pub(super) fn counted(week: &Components) -> [Option<String>; 3] {
    compared(week, week, None)
}

/// `3 of 8 users active, was 6`; with days when more than one a week is expected, because they decide then.
fn login(was: LoginCounts, is: LoginCounts) -> String {
    let days = [was, is].iter().any(|counts| counts.active_days != counts.active_users);
    let users = count(is.users, "user");
    let on = if days { format!(" on {}", count(is.active_days, "day")) } else { String::new() };
    let now = format!("{} of {users} active{on}", is.active_users);
    if was == is {
        return now;
    }
    let of = if was.users == is.users { String::new() } else { format!(" of {}", was.users) };
    let on = if days { format!(" on {}", was.active_days) } else { String::new() };
    format!("{now}, was {}{of}{on}", was.active_users)
}

/// `4 of 12 features used, was 6; 212 minutes, was 400`: what changed, or both when neither did.
fn adoption(was: &Components, is: &Components) -> String {
    let features = features(was.adoption.counts, is.adoption.counts);
    let minutes = minutes(was, is);
    let both = [features, Some(minutes)];
    let changed: Vec<&str> =
        both.iter().flatten().filter(|(_, changed)| *changed).map(|(text, _)| text.as_str()).collect();
    if !changed.is_empty() {
        return changed.join("; ");
    }
    let all: Vec<&str> = both.iter().flatten().map(|(text, _)| text.as_str()).collect();
    all.join(", ")
}

/// Features used of entitled, and whether they changed. Nothing without a catalogue.
fn features(was: AdoptionCounts, is: AdoptionCounts) -> Option<(String, bool)> {
    let (used, entitled) = is.features_used.zip(is.features_entitled)?;
    let now = format!("{used} of {} used", count(entitled, "feature"));
    let was = was.features_used.zip(was.features_entitled).filter(|was| *was != (used, entitled));
    Some(match was {
        None => (now, false),
        Some((before, of)) if of == entitled => (format!("{now}, was {before}"), true),
        Some((before, of)) => (format!("{now}, was {before} of {of}"), true),
    })
}

/// Engaged minutes, and whether they changed; with the users when these did, because as much is expected of each.
fn minutes(was: &Components, is: &Components) -> (String, bool) {
    let (before, now) = (was.adoption.counts.minutes, is.adoption.counts.minutes);
    let (of_before, of_now) = (was.login.counts.users, is.login.counts.users);
    let minutes = count(now, "minute");
    if of_before != of_now {
        (format!("{minutes} of {}, was {before} of {of_before}", count(of_now, "user")), true)
    } else if before != now {
        (format!("{minutes}, was {before}"), true)
    } else {
        (minutes, false)
    }
}

/// `2 answers expired` when it is known and agrees with both weeks; else `3 answers, was 5`, and what they say
/// together when there are as many.
fn feedback(
    was: &Component<FeedbackCounts>,
    is: &Component<FeedbackCounts>,
    moves: Option<AnswerMoves>,
) -> String {
    let (before, now) = (was.counts.answers, is.counts.answers);
    let moved = moves.filter(|moves| moves.lead(before, now)).and_then(moved);
    let shown = |component: &Component<FeedbackCounts>| component.value.map(Percent::shown);
    let answers = count(now, "answer");
    match (moved, shown(was).zip(shown(is))) {
        (Some(moved), _) => moved,
        (None, _) if before != now => format!("{answers}, was {before}"),
        (None, Some((was, is))) if was != is => format!("{answers}, together {is} %, was {was} %"),
        (None, _) => answers,
    }
}

/// `2 answers expired, 1 new answer`.
fn moved(moves: AnswerMoves) -> Option<String> {
    let told = |number: u32, text: String| (number > 0).then_some(text);
    let AnswerMoves { before: _, new, changed, expired, withdrawn } = moves;
    let moved: Vec<String> = [
        told(expired, format!("{} expired", count(expired, "answer"))),
        told(withdrawn, format!("{} withdrawn", count(withdrawn, "answer"))),
        told(new, count(new, "new answer")),
        told(changed, format!("{} changed", count(changed, "answer"))),
    ]
    .into_iter()
    .flatten()
    .collect();
    (!moved.is_empty()).then(|| moved.join(", "))
}
