//! Why did a company's happiness change? An exact decomposition between two instants, and a sentence that says it.
//!
//! The ratings that counted then become those that count now in three steps: the same people's ratings are replaced, then
//! those of new people are added, then those that no longer count are taken away. Each step's change of the mean is one
//! part. The order is fixed because it is the only one whose steps never leave nobody to take the mean of, and because it
//! measures the same people among those they were with. Every mean is rounded once, as it would be published, so that the
//! parts sum to the change of the published scores to the basis point, and a step without people is exactly 0.

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::{
    Percent,
    answer::{self, Answer, Rating},
    happiness_drop::Ratings,
    percent::Points,
    text::count,
    why::{Part, words},
};

/// What happened to a company's happiness between two instants.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum HappinessChange {
    /// No Data, then and now.
    Nothing,
    /// No Data then.
    Appeared {
        /// The score now.
        to_score: Percent,
        /// People counted now.
        answers: u32,
    },
    /// No Data now.
    Vanished {
        /// The score then.
        from_score: Percent,
        /// People counted then.
        answers: u32,
    },
    /// A score on both sides, and what led from one to the other.
    Changed(Changed),
}

/// A change between two scores.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Changed {
    /// The score then.
    pub from_score: Percent,
    /// The score now.
    pub to_score: Percent,
    /// `to_score` − `from_score`.
    pub change: Points,
    /// What the change is made of.
    pub parts: Parts,
}

/// The three effects that sum exactly to a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[schemars(rename = "HappinessParts")]
pub struct Parts {
    /// People counted then and now changed their rating.
    pub same_people: Part,
    /// People counted now and not then.
    pub new_voices: Part,
    /// People counted then and not now.
    pub gone: Part,
    /// Whether all of those who are gone are so because their answer is too old; else some left, or their answer was made
    /// void.
    pub expired: bool,
}

impl HappinessChange {
    /// Compares the ratings that counted at an instant with those that count now. `oldest` is when an answer that counts
    /// now may have been given at the earliest: what is older has expired.
    pub fn between(before: &Ratings<'_>, now: &Ratings<'_>, oldest: DateTime<Utc>) -> Self {
        let score = |ratings: &Ratings<'_>| answer::mean(ratings.values().map(|answer| answer.rating));
        match (score(before), score(now)) {
            (None, None) => Self::Nothing,
            (None, Some(to_score)) => Self::Appeared { to_score, answers: number(now.len()) },
            (Some(from_score), None) => Self::Vanished { from_score, answers: number(before.len()) },
            (Some(from_score), Some(to_score)) => Self::Changed(Changed {
                from_score,
                to_score,
                change: Points::between(from_score, to_score),
                parts: Parts::between([from_score, to_score], before, now, oldest),
            }),
        }
    }

    /// The change and its reasons for people, in whole points that add up to the difference of the shown scores:
    /// `64 → 58: same people −8 (3 of 5 rated lower), new voices +4 (2 people), expired −2 (1 answer)`.
    pub fn sentence(&self) -> String {
        match self {
            Self::Nothing => "Nobody's answer counts, as before".to_owned(),
            Self::Appeared { to_score, answers } => {
                format!("{} ({}), no answer counted before", to_score.shown(), count(*answers, "answer"))
            }
            Self::Vanished { from_score, answers } => {
                format!(
                    "No answer counts any more, was {} ({})",
                    from_score.shown(),
                    count(*answers, "answer")
                )
            }
            Self::Changed(Changed { from_score, to_score, parts, .. }) => {
                let Parts { same_people, new_voices, gone, expired } = parts;
                let gone = (if *expired { "expired" } else { "expired or withdrawn" }, gone);
                let parts = [("same people", same_people), ("new voices", new_voices), gone];
                words::told(from_score.shown(), to_score.shown(), parts)
            }
        }
    }
}

impl Parts {
    fn between(
        [from, to]: [Percent; 2],
        before: &Ratings<'_>,
        now: &Ratings<'_>,
        oldest: DateTime<Utc>,
    ) -> Self {
        let same: Vec<(Rating, Rating)> =
            before.iter().filter_map(|(user, answer)| Some((answer.rating, now.get(user)?.rating))).collect();
        let new =
            || now.iter().filter(|(user, _)| !before.contains_key(*user)).map(|(_, answer)| answer.rating);
        let gone: Vec<&Answer> =
            before.iter().filter(|(user, _)| !now.contains_key(*user)).map(|(_, answer)| *answer).collect();
        let replaced = || same.iter().map(|(_, now)| *now).chain(gone.iter().map(|answer| answer.rating));
        // Neither is a mean of nobody: there are as many as before, and then no fewer.
        let after_same = answer::mean(replaced()).unwrap_or(from);
        let after_new = answer::mean(replaced().chain(new())).unwrap_or(after_same);
        let part = |from, to, text| Part { change: Points::between(from, to), text };
        let people = |people: usize, text: String| (people > 0).then_some(text);
        let voices = new().count();
        let lost = number(gone.len());
        Self {
            same_people: part(from, after_same, rated(&same)),
            new_voices: part(
                after_same,
                after_new,
                people(voices, if voices == 1 { "1 person".to_owned() } else { format!("{voices} people") }),
            ),
            gone: part(after_new, to, people(gone.len(), count(lost, "answer"))),
            expired: gone.iter().all(|answer| answer.at < oldest),
        }
    }
}

/// `3 of 5 rated lower, 1 higher`.
fn rated(same: &[(Rating, Rating)]) -> Option<String> {
    let of = same.len();
    let lower = same.iter().filter(|(was, is)| is.value() < was.value()).count();
    let higher = same.iter().filter(|(was, is)| is.value() > was.value()).count();
    match (lower, higher) {
        _ if of == 0 => None,
        (0, 0) => Some(format!("{of} rated as before")),
        (0, higher) => Some(format!("{higher} of {of} rated higher")),
        (lower, 0) => Some(format!("{lower} of {of} rated lower")),
        (lower, higher) => Some(format!("{lower} of {of} rated lower, {higher} higher")),
    }
}

fn number(of: usize) -> u32 {
    u32::try_from(of).unwrap_or(u32::MAX)
}
