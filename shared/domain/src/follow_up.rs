//! What an answer asks of the CSM: a task, the mark of an advocate, or nothing.

use chrono::{DateTime, Days, NaiveTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::{Zone, answer::Rating, calendar::is_working_day, text};

/// The local hour at which a business day ends.
pub const DAY_ENDS: u32 = 17;
/// Longest name in a title, in characters.
pub const LONGEST_NAME: usize = 60;

/// How urgent a task is. The higher is the greater.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    /// In its turn.
    Normal,
    /// Before others.
    High,
}

/// Why a task is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Somebody rated 6 of 10 or less, or the like on another scale.
    Detractor,
    /// The comment asks something.
    Question,
    /// A rule asks for it.
    Automation,
    /// Who had rated low rates higher now. Said on the open task, and nothing where there is none.
    Risen,
}

/// A task that is to be there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Why.
    pub kind: Kind,
    /// How urgent.
    pub priority: Priority,
    /// Until when it is to be done.
    pub due_at: DateTime<Utc>,
    /// What is to be done, in one line.
    pub title: String,
    /// When the answer was given: the same answer again, or an older one, wants nothing more.
    pub at: DateTime<Utc>,
}

/// An answer that was received.
#[derive(Debug, Clone, Copy)]
pub struct Heard<'a> {
    /// Who answered, as CSMs know them: a name, else the id.
    pub name: &'a str,
    /// What they gave.
    pub rating: Rating,
    /// The comment.
    pub comment: Option<&'a str>,
    /// What the same user's latest answer before this one gave, of this ask (then this is a revision) or an earlier one.
    pub before: Option<Rating>,
    /// When.
    pub at: DateTime<Utc>,
}

/// What an answer asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FollowUp {
    /// A task about the user; see [`crate::task::decide`].
    pub task: Option<Wanted>,
    /// Whether the user is marked as an advocate: an opportunity for a case study or a referral. An answer without it
    /// takes the mark away.
    pub advocate: bool,
}

/// Rule: following up. At most one task per answer: the one of a low rating says that there is a question, too.
///
/// Who revises a low rating upwards leaves the task open, because what went wrong did go wrong; its title says both
/// ratings ([`Kind::Risen`]). `zone` is that of the task's owner, else the workspace's.
pub fn follow_up(heard: &Heard<'_>, zone: Zone) -> FollowUp {
    let Heard { rating, before, at, .. } = *heard;
    let question = heard.comment.is_some_and(asks);
    let had_been = before.filter(|before| before.is_detractor());
    let kind = match (rating.is_detractor(), question, had_been) {
        (true, _, _) => Some(Kind::Detractor),
        (false, true, _) => Some(Kind::Question),
        (false, false, Some(_)) => Some(Kind::Risen),
        (false, false, None) => None,
    };
    let priority = if kind == Some(Kind::Detractor) { Priority::High } else { Priority::Normal };
    let wanted =
        |kind| Wanted { kind, priority, due_at: next_business_day(at, zone), title: title(heard), at };
    FollowUp { task: kind.map(wanted), advocate: rating.is_promoter() }
}

/// `ada rated 3 of 10: ask what went wrong`.
fn title(heard: &Heard<'_>) -> String {
    let Heard { rating, before, .. } = *heard;
    let name = text::one_line(heard.name, LONGEST_NAME);
    let had_been = before.filter(|before| before.is_detractor() && !rating.is_detractor());
    let rated = match had_been {
        Some(before) => format!("{name} rated {before}, then {rating}"),
        None => format!("{name} rated {rating}"),
    };
    let ask_back = rating.is_detractor() || had_been.is_some();
    match (ask_back, heard.comment.is_some_and(asks)) {
        (true, true) => format!("{rated}: ask what went wrong, and answer the question"),
        (true, false) => format!("{rated}: ask what went wrong"),
        (false, _) => format!("{rated}: answer the question"),
    }
}

/// A title without the name of who answered.
pub fn unnamed(title: &str) -> String {
    // The name comes first and may itself say that somebody rated.
    title
        .rsplit_once(" rated ")
        .map_or_else(|| "Follow up".to_owned(), |(_, rest)| format!("Somebody rated {rest}"))
}

/// Whether a comment asks something: it holds a question mark of any script that has one of its own. One too many (in
/// an address, say) costs a look, one too few a customer who waits.
pub fn asks(comment: &str) -> bool {
    // Latin, Arabic, full width, Greek.
    comment.contains(['?', '\u{61F}', '\u{FF1F}', '\u{37E}'])
}

/// The end of the next business day after an instant's local day: 17:00 of Monday to Friday.
pub fn next_business_day(at: DateTime<Utc>, zone: Zone) -> DateTime<Utc> {
    business_days(at, 1, zone)
}

/// The end of the `count`th business day after an instant's local day: 17:00 of Monday to Friday.
pub fn business_days(at: DateTime<Utc>, count: u8, zone: Zone) -> DateTime<Utc> {
    let ends = NaiveTime::from_hms_opt(DAY_ENDS, 0, 0).unwrap_or(NaiveTime::MIN);
    let today = zone.date(at);
    let ahead = u64::from(count.max(1));
    // Twice as many days and four are enough also where a zone leaves out a day beside a weekend.
    (1..=2 * ahead + 4)
        .filter_map(|ahead| today.checked_add_days(Days::new(ahead)))
        .filter(|date| is_working_day(*date))
        .map(|date| (date, zone.instant(date, ends)))
        .filter(|(date, end)| zone.date(*end) == *date)
        .map(|(_, end)| end)
        .nth(usize::from(count.max(1)) - 1)
        .unwrap_or(at + TimeDelta::days(i64::from(count) * 2 + 4))
}
