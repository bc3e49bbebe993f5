//! What users say: the happiness level of a company.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::{
    Percent,
    answer::{self, Answer, Nps, Rating},
};

/// Fewer answers than this: the level is provisional.
pub const FIRM_ANSWERS: u32 = 3;

/// The level of a company's happiness.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Nobody has answered within the answers' age.
    NoData,
    /// Below 37.5 by default.
    NotHappy,
    /// 37.5 or more by default.
    Neutral,
    /// 62.5 or more by default.
    Happy,
    /// 87.5 or more by default.
    VeryHappy,
}

impl Level {
    /// The name as people read it.
    pub fn label(self) -> &'static str {
        match self {
            Self::NoData => "No Data",
            Self::NotHappy => "Not Happy",
            Self::Neutral => "Neutral",
            Self::Happy => "Happy",
            Self::VeryHappy => "Very Happy",
        }
    }
}

/// The lowest score of each level, strictly descending.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(try_from = "RawLevels", into = "RawLevels")]
pub struct Levels {
    very_happy: Percent,
    happy: Percent,
    neutral: Percent,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct RawLevels {
    very_happy: Percent,
    happy: Percent,
    neutral: Percent,
}

/// The levels don't descend strictly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("happiness levels are percentages, strictly descending: very_happy > happy > neutral > 0")]
pub struct LevelsError;

impl Levels {
    /// The level of a score.
    pub fn level(self, score: Percent) -> Level {
        if score >= self.very_happy {
            Level::VeryHappy
        } else if score >= self.happy {
            Level::Happy
        } else if score >= self.neutral {
            Level::Neutral
        } else {
            Level::NotHappy
        }
    }
}

impl Default for Levels {
    /// 87.5 / 62.5 / 37.5.
    fn default() -> Self {
        let bp = |basis_points| Percent::from_basis_points(basis_points).unwrap_or(Percent::FULL);
        Self { very_happy: bp(8_750), happy: bp(6_250), neutral: bp(3_750) }
    }
}

impl TryFrom<RawLevels> for Levels {
    type Error = LevelsError;
    fn try_from(raw: RawLevels) -> Result<Self, LevelsError> {
        if raw.very_happy > raw.happy && raw.happy > raw.neutral && raw.neutral > Percent::ZERO {
            Ok(Self { very_happy: raw.very_happy, happy: raw.happy, neutral: raw.neutral })
        } else {
            Err(LevelsError)
        }
    }
}

impl From<Levels> for RawLevels {
    fn from(levels: Levels) -> Self {
        Self { very_happy: levels.very_happy, happy: levels.happy, neutral: levels.neutral }
    }
}

/// How a company's users feel, at an instant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Happiness {
    /// 10 × mean rating, 0 to 100; null when nobody has answered.
    pub score: Option<Percent>,
    /// The level.
    pub level: Level,
    /// Users whose latest answer counts.
    pub answers: u32,
    /// Answered / delivered of the asks in the same period; null when none was delivered.
    pub response_rate: Option<Percent>,
    /// Fewer than three answers.
    pub provisional: bool,
    /// Asked at least twice, and nobody answered in 90 days.
    pub silent: bool,
    /// When the oldest counted answer was given.
    pub oldest_answer_at: Option<DateTime<Utc>>,
    /// Net Promoter Score; null when nobody has answered.
    pub nps: Option<Nps>,
}

/// The asks of a company within the answers' age.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Asks {
    /// Mails that reached somebody's mailbox, as far as is known.
    pub delivered: u32,
    /// Of those, the ones that were answered.
    pub answered: u32,
    /// The most often that any asked user was asked, ever.
    pub rounds: u32,
}

/// Rule: happiness level: 10 × mean of each active user's latest rating of the last 90 days (settings).
/// `answers` are those of active users that aren't void.
pub fn happiness(
    answers: &[Answer],
    asks: Asks,
    at: DateTime<Utc>,
    max_age: TimeDelta,
    levels: Levels,
) -> Happiness {
    // An answer given at this very instant counts, and so does one that is exactly as old as it may be.
    let instant = TimeDelta::nanoseconds(1);
    let latest = answer::latest_per_user(answers, at + instant, max_age + instant);
    let ratings = || latest.values().map(|answer| answer.rating).collect::<Vec<Rating>>();
    let score = answer::mean(ratings());
    let counted = u32::try_from(latest.len()).unwrap_or(u32::MAX);
    Happiness {
        score,
        level: score.map_or(Level::NoData, |score| levels.level(score)),
        answers: counted,
        response_rate: Percent::ratio(u128::from(asks.answered), u128::from(asks.delivered)),
        provisional: counted < FIRM_ANSWERS,
        silent: counted == 0 && asks.rounds >= 2,
        oldest_answer_at: latest.values().map(|answer| answer.at).min(),
        nps: Nps::of(ratings()),
    }
}
