//! The daily digest of a CSM: what happened at the CSM's companies and what is to be done, in one mail.

use std::cmp::Reverse;

use chrono::{DateTime, Days, NaiveDate, NaiveTime, Utc};
use serde::Serialize;

use crate::{
    CompanyId, Zone,
    alert::{Alert, Finding},
    answer::Rating,
    automation::Wanted,
    calendar::is_working_day,
    follow_up::Priority,
    task::Task,
    text::one_line,
};

/// The local hour at which a digest is due.
pub const HOUR: u32 = 8;
/// Lines of a section; what is beyond them is counted.
pub const MOST_LINES: usize = 20;
/// Longest name of a company or a person, in characters.
const LONGEST_NAME: usize = 60;
/// Longest part of a comment that is quoted, in characters.
const LONGEST_QUOTE: usize = 160;

/// Something of a company.
#[derive(Debug, Clone, Copy)]
pub struct Of<'a, T> {
    /// The company.
    pub company: &'a CompanyId,
    /// Its name.
    pub name: &'a str,
    /// What is of it.
    pub item: T,
}

/// An answer that counts.
#[derive(Debug, Clone, Copy)]
pub struct Said<'a> {
    /// Who, as CSMs know them: a name, else the id.
    pub person: &'a str,
    /// What they gave.
    pub rating: Rating,
    /// The comment.
    pub comment: Option<&'a str>,
    /// When it was received, which may be later than it was given.
    pub received_at: DateTime<Utc>,
}

/// An alert, and when it was raised or got worse: later than [`Finding::at`], which says from when it could be known.
#[derive(Debug, Clone, Copy)]
pub struct Raised<'a> {
    /// The alert.
    pub alert: &'a Alert,
    /// When it was written down.
    pub at: DateTime<Utc>,
}

/// What became of something that a rule does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fate {
    /// It waits until somebody approves it.
    ToApprove,
    /// It failed for good, or nobody knows whether it was done.
    Failed,
}

/// Something that a rule does and that wants somebody's attention.
#[derive(Debug, Clone, Copy)]
pub struct Automated<'a> {
    /// What.
    pub wanted: &'a Wanted,
    /// What became of it.
    pub fate: Fate,
    /// Why it failed.
    pub reason: Option<&'a str>,
    /// When it was planned, or failed.
    pub at: DateTime<Utc>,
}

/// What there is at a CSM's companies. What doesn't concern the digest is left out by [`compose`].
#[derive(Debug, Clone, Default)]
pub struct Known<'a> {
    /// Answers, at least those received in the time that the digest [covers].
    pub answers: Vec<Of<'a, Said<'a>>>,
    /// Tasks that aren't closed.
    pub tasks: Vec<Of<'a, &'a Task>>,
    /// Alerts that aren't closed.
    pub alerts: Vec<Of<'a, Raised<'a>>>,
    /// What rules do that waits for approval, and what failed at least in the time that the digest [covers].
    pub actions: Vec<Of<'a, Automated<'a>>>,
}

/// One line about a company.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Line {
    /// The company, for a link.
    pub company_id: CompanyId,
    /// Its name.
    pub company: String,
    /// What there is to say.
    pub text: String,
}

/// Lines of one kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Section {
    /// What they are: `Overdue tasks`.
    pub heading: &'static str,
    /// How many there are, those without a line included.
    pub count: usize,
    /// The first of them, the most urgent first.
    pub lines: Vec<Line>,
}

/// The content of a digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Digest {
    /// The local day it is of.
    pub day: NaiveDate,
    /// What there is to say, the most urgent first; none of them is empty.
    pub sections: Vec<Section>,
    /// Tasks in sight that are due on a later day.
    pub later_tasks: usize,
    /// Live alerts that an earlier digest has told.
    pub older_alerts: usize,
}

/// Rule: one digest per CSM and working day. Says which tasks are overdue (first those that became more urgent for it) or due
/// on `day`, what rules do that waits for approval, and what of it failed, which alerts are new, and what was answered since the
/// digest before; Monday's covers the weekend. Nothing when there is none of that: tasks
/// that are due later and alerts told before are counted, but are no reason for a mail.
///
/// `day` comes from [`due_between`]. The same known things give the same digest, in whatever order they are given. What
/// comes in between 08:00 and the composing is the next one's.
pub fn compose(known: &Known<'_>, day: NaiveDate, zone: Zone) -> Option<Digest> {
    let (since, due) = covers(day, zone);
    let is_new = |at: DateTime<Utc>| since < at && at <= due;
    let end_of_day = day.succ_opt().map_or(due, |next| zone.start_of(next));

    let in_sight = || known.tasks.iter().filter(|task| task.item.is_in_sight(due));
    let escalated = in_sight().filter(|task| task.item.is_overdue(due) && task.item.escalated_at.is_some());
    let overdue = in_sight().filter(|task| task.item.is_overdue(due) && task.item.escalated_at.is_none());
    let today = in_sight().filter(|task| !task.item.is_overdue(due) && task.item.due_at < end_of_day);
    let later = in_sight().filter(|task| !task.item.is_overdue(due) && task.item.due_at >= end_of_day);
    let live = || known.alerts.iter().filter(|alert| alert.item.alert.is_live());
    let news = live().filter(|alert| is_new(alert.item.at));
    let heard = known.answers.iter().filter(|answer| is_new(answer.item.received_at));

    let of_fate = |fate| known.actions.iter().filter(move |action| action.item.fate == fate);
    let failed = of_fate(Fate::Failed).filter(|action| is_new(action.item.at));

    let sections = [
        section("Escalated tasks", escalated, urgency, |task| task_line(task, zone, true)),
        section("Overdue tasks", overdue, urgency, |task| task_line(task, zone, true)),
        section("Tasks due today", today, urgency, |task| task_line(task, zone, false)),
        section("Actions to approve", of_fate(Fate::ToApprove), |action| action.at, action_line),
        section("Failed actions", failed, |action| action.at, action_line),
        section("New alerts", news, severity, alert_line),
        section("Answers", heard, mood, answer_line),
    ];
    let sections: Vec<Section> = sections.into_iter().flatten().collect();
    (!sections.is_empty()).then(|| Digest {
        day,
        sections,
        later_tasks: later.count(),
        older_alerts: live().filter(|alert| alert.item.at <= since).count(),
    })
}

/// The lines of one kind by their rank; what ranks the same, by company and words. Nothing when there are none.
fn section<'a, T: 'a, R: Ord>(
    heading: &'static str,
    items: impl Iterator<Item = &'a Of<'a, T>>,
    rank: impl Fn(&T) -> R,
    words: impl Fn(&T) -> String,
) -> Option<Section> {
    let mut lines: Vec<(R, Line)> = items
        .map(|of| {
            let company = one_line(of.name, LONGEST_NAME);
            (rank(&of.item), Line { company_id: of.company.clone(), company, text: words(&of.item) })
        })
        .collect();
    lines.sort_by(|(one, of_one), (other, of_other)| {
        let by_words = |line: &Line| (line.company.clone(), line.company_id.clone(), line.text.clone());
        one.cmp(other).then_with(|| by_words(of_one).cmp(&by_words(of_other)))
    });
    let count = lines.len();
    let lines = lines.into_iter().take(MOST_LINES).map(|(_, line)| line).collect();
    (count > 0).then_some(Section { heading, count, lines })
}

fn urgency(task: &&Task) -> (Reverse<Priority>, DateTime<Utc>) {
    (Reverse(task.priority), task.due_at)
}

fn severity(raised: &Raised<'_>) -> (Reverse<u16>, DateTime<Utc>) {
    (Reverse(raised.alert.finding.severity.basis_points()), raised.alert.finding.at)
}

/// The least happy first, of those the newest.
fn mood(said: &Said<'_>) -> (u16, Reverse<DateTime<Utc>>) {
    (said.rating.value().basis_points(), Reverse(said.received_at))
}

/// `ada rated 3 of 10: ask what went wrong (due 2026-09-07)`.
fn task_line(task: &Task, zone: Zone, with_date: bool) -> String {
    let due = if with_date { format!(" (due {})", zone.date(task.due_at)) } else { String::new() };
    format!("{}{due}", task.title)
}

/// `mail “How can we help?” waits for your approval`, `webhook failed: the endpoint answered 500`.
fn action_line(action: &Automated<'_>) -> String {
    let what = match action.wanted {
        Wanted::Email { subject, .. } => format!("mail “{}”", one_line(subject, LONGEST_NAME)),
        Wanted::Task { title, .. } => format!("task “{}”", one_line(title, LONGEST_NAME)),
        Wanted::Webhook { .. } => "webhook".to_owned(),
        Wanted::Chat { .. } => "note to a chat".to_owned(),
        Wanted::Tag { .. } => "tags".to_owned(),
    };
    match (action.fate, action.reason) {
        (Fate::ToApprove, _) => format!("{what} waits for your approval"),
        (Fate::Failed, Some(reason)) => format!("{what} failed: {}", one_line(reason, LONGEST_QUOTE)),
        (Fate::Failed, None) => format!("{what} failed"),
    }
}

/// `Silent: Asked at least twice, nobody answered …`.
fn alert_line(raised: &Raised<'_>) -> String {
    let Finding { rule, sentence, .. } = &raised.alert.finding;
    format!("{}: {sentence}", rule.label())
}

/// `ada rated 3 of 10: “The export breaks”`.
fn answer_line(said: &Said<'_>) -> String {
    let person = one_line(said.person, LONGEST_NAME);
    let comment = said.comment.map(|comment| one_line(comment, LONGEST_QUOTE)).unwrap_or_default();
    let quoted = if comment.is_empty() { String::new() } else { format!(": “{comment}”") };
    format!("{person} rated {}{quoted}", said.rating)
}

/// When the digest of a local day is due; nothing on a weekend, and on a day that the zone leaves out.
fn due_at(day: NaiveDate, zone: Zone) -> Option<DateTime<Utc>> {
    let at = zone.instant(day, NaiveTime::from_hms_opt(HOUR, 0, 0)?);
    (is_working_day(day) && zone.date(at) == day).then_some(at)
}

/// From after which instant to which one the digest of a day tells: from the digest before to its own. A day without a
/// digest has what the next one would tell by its 08:00.
pub fn covers(day: NaiveDate, zone: Zone) -> (DateTime<Utc>, DateTime<Utc>) {
    let eight = NaiveTime::from_hms_opt(HOUR, 0, 0).unwrap_or(NaiveTime::MIN);
    // Two digests are at most four days apart: a weekend, with a day beside it that a zone leaves out.
    let before = (1..=4)
        .filter_map(|back| day.checked_sub_days(Days::new(back)))
        .find_map(|earlier| due_at(earlier, zone));
    let due = zone.instant(day, eight);
    (before.unwrap_or(due), due)
}

/// Rule: a digest is due at 08:00 local from Monday to Friday. The local day whose digest falls into the time after
/// `from` up to and with `to`, the latest when there are several; its instant is in exactly one of the spans of time that
/// touch each other, also where clocks change.
pub fn due_between(from: DateTime<Utc>, to: DateTime<Utc>, zone: Zone) -> Option<NaiveDate> {
    let last = zone.date(to);
    // The latest digest is at most four days back, as in `covers`.
    (0..=4)
        .filter_map(|back| last.checked_sub_days(Days::new(back)))
        .find(|day| due_at(*day, zone).is_some_and(|at| from < at && at <= to))
}
