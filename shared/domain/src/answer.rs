//! Ratings that users gave, on the scales that products ask on.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::{Percent, UserId, percent::round_half_up};

/// Longest comment, in characters.
pub const LONGEST_COMMENT: usize = 5_000;

/// A comment with plain line ends, without other control characters and without blanks around it.
pub fn tidy(comment: &str) -> String {
    let text = comment.replace("\r\n", "\n").replace('\r', "\n");
    let kept: String =
        text.chars().filter(|char| !char.is_control() || matches!(char, '\n' | '\t')).collect();
    kept.trim().to_owned()
}

/// A rating on its scale. The variants that can't be (8 of 5 stars) can't be built.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(try_from = "RawRating", into = "RawRating")]
pub struct Rating(Scaled);

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Scaled {
    Nps(u8),
    Faces(u8),
    Stars { stars: u8, of: u8 },
}

/// A rating as it is written down: `{"scale":"nps","rating":8}`, stars also with `of`.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, schemars::JsonSchema)]
struct RawRating {
    scale: Scale,
    rating: u8,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    of: Option<u8>,
}

/// The kind of question asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Scale {
    /// 0 to 10, "how likely are you to recommend …".
    Nps,
    /// Four faces, 1 (not happy) to 4 (very happy).
    Faces,
    /// 1 to k stars.
    Stars,
}

/// The number is not on its scale.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RatingError {
    /// Not 0 to 10.
    #[error("a rating is a whole number from 0 to 10")]
    Nps,
    /// Not 1 to 4.
    #[error("a face is a whole number from 1 to 4")]
    Faces,
    /// Not 1 to k, or k not 2 to 10.
    #[error("stars are a whole number from 1 to `of`, which is 2 to 10")]
    Stars,
}

impl Rating {
    /// A rating from 0 to 10. 0 is a rating.
    pub fn nps(rating: u8) -> Result<Self, RatingError> {
        if rating <= 10 { Ok(Self(Scaled::Nps(rating))) } else { Err(RatingError::Nps) }
    }

    /// One of four faces, 1 (not happy) to 4 (very happy).
    pub fn faces(face: u8) -> Result<Self, RatingError> {
        if (1..=4).contains(&face) { Ok(Self(Scaled::Faces(face))) } else { Err(RatingError::Faces) }
    }

    /// `stars` of `of`.
    pub fn stars(stars: u8, of: u8) -> Result<Self, RatingError> {
        if (2..=10).contains(&of) && (1..=of).contains(&stars) {
            Ok(Self(Scaled::Stars { stars, of }))
        } else {
            Err(RatingError::Stars)
        }
    }

    /// A rating on a scale that is named apart from it; `of` is how many stars there are, 5 unless said.
    pub fn on(scale: Scale, rating: u8, of: Option<u8>) -> Result<Self, RatingError> {
        match scale {
            Scale::Nps => Self::nps(rating),
            Scale::Faces => Self::faces(rating),
            Scale::Stars => Self::stars(rating, of.unwrap_or(5)),
        }
    }

    /// The rating as a percentage. Rule: feedback: NPS × 10; four faces 100/75/50/25; r of k stars
    /// 100(r−1)/(k−1).
    pub fn value(self) -> Percent {
        match self.0 {
            Scaled::Nps(rating) => Percent::whole(rating * 10),
            Scaled::Faces(face) => Percent::whole(face * 25),
            Scaled::Stars { stars, of } => {
                Percent::ratio(u128::from(stars.saturating_sub(1)), u128::from(of.saturating_sub(1)))
                    .unwrap_or(Percent::ZERO)
            }
        }
    }

    /// 9 or 10 of 10, or the like on another scale.
    pub fn is_promoter(self) -> bool {
        self.value() >= Percent::whole(90)
    }

    /// 6 of 10 or less, or the like on another scale.
    pub fn is_detractor(self) -> bool {
        self.value() <= Percent::whole(60)
    }
}

impl TryFrom<RawRating> for Rating {
    type Error = RatingError;
    fn try_from(raw: RawRating) -> Result<Self, RatingError> {
        Self::on(raw.scale, raw.rating, raw.of)
    }
}

impl From<Rating> for RawRating {
    fn from(rating: Rating) -> Self {
        match rating.0 {
            Scaled::Nps(rating) => Self { scale: Scale::Nps, rating, of: None },
            Scaled::Faces(rating) => Self { scale: Scale::Faces, rating, of: None },
            Scaled::Stars { stars, of } => Self { scale: Scale::Stars, rating: stars, of: Some(of) },
        }
    }
}

/// As people read it: `3 of 10`, `face 2 of 4`, `4 of 5 stars`.
impl std::fmt::Display for Rating {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            Scaled::Nps(rating) => write!(f, "{rating} of 10"),
            Scaled::Faces(face) => write!(f, "face {face} of 4"),
            Scaled::Stars { stars, of } => write!(f, "{stars} of {of} stars"),
        }
    }
}

/// One answer of one user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Who answered.
    pub user: UserId,
    /// What they gave.
    pub rating: Rating,
    /// When.
    pub at: DateTime<Utc>,
}

/// Each user's latest answer that was given before `until` and isn't older than `max_age` then. Two answers of
/// one user at the same instant: the lower counts, so that the order of arrival can't matter.
pub fn latest_per_user(
    answers: &[Answer],
    until: DateTime<Utc>,
    max_age: TimeDelta,
) -> BTreeMap<&UserId, &Answer> {
    let mut latest: BTreeMap<&UserId, &Answer> = BTreeMap::new();
    for answer in answers.iter().filter(|answer| answer.at < until && answer.at >= until - max_age) {
        let rank = |answer: &Answer| (answer.at, std::cmp::Reverse((answer.rating.value(), answer.rating)));
        latest
            .entry(&answer.user)
            .and_modify(|kept| {
                if rank(answer) > rank(kept) {
                    *kept = answer;
                }
            })
            .or_insert(answer);
    }
    latest
}

/// The mean of ratings: exact sum and count, divided once. Nothing for no rating.
pub fn mean(ratings: impl IntoIterator<Item = Rating>) -> Option<Percent> {
    let (sum, count) = ratings.into_iter().fold((0_u128, 0_u128), |(sum, count), rating| {
        (sum + u128::from(rating.value().basis_points()), count + 1)
    });
    if count == 0 {
        return None;
    }
    u16::try_from(round_half_up(sum, count)).ok().and_then(|mean| Percent::from_basis_points(mean).ok())
}

/// Net Promoter Score of a set of ratings: share of promoters minus share of detractors.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Nps {
    /// −100 to 100, one decimal.
    pub value: f64,
    /// Lower end of the 95 % interval, one decimal.
    pub low: f64,
    /// Upper end of the 95 % interval, one decimal.
    pub high: f64,
    /// Ratings counted.
    pub answers: u32,
    /// What the score is made of; nothing in what was kept before it was, and not written then, so that a row which is
    /// compared with what was read stays the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counts: Option<NpsCounts>,
}

/// The ratings behind a Net Promoter Score.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct NpsCounts {
    /// 9 or 10 of 10.
    pub promoters: u32,
    /// 6 of 10 or less.
    pub detractors: u32,
}

impl Nps {
    /// The score with its adjusted-Wald interval (J. Sauro: 3/4 of a rating added to promoters and detractors
    /// each and 3/2 to the passives). For display: floating point decides nothing here.
    pub fn of(ratings: impl IntoIterator<Item = Rating>) -> Option<Self> {
        let (mut promoters, mut detractors, mut answers) = (0_u32, 0_u32, 0_u32);
        for rating in ratings {
            answers += 1;
            promoters += u32::from(rating.is_promoter());
            detractors += u32::from(rating.is_detractor());
        }
        Self::counted(NpsCounts { promoters, detractors }, answers)
    }

    /// The score of several sets of ratings as if they were one. Sets whose counts weren't kept are left out.
    pub fn together<'a>(sets: impl IntoIterator<Item = &'a Self>) -> Option<Self> {
        let nothing = NpsCounts { promoters: 0, detractors: 0 };
        let (counts, answers) = sets.into_iter().fold((nothing, 0), |(sum, answers), set| match set.counts {
            Some(NpsCounts { promoters, detractors }) => (
                NpsCounts { promoters: sum.promoters + promoters, detractors: sum.detractors + detractors },
                answers + set.answers,
            ),
            None => (sum, answers),
        });
        Self::counted(counts, answers)
    }

    fn counted(counts: NpsCounts, answers: u32) -> Option<Self> {
        let NpsCounts { promoters, detractors } = counts;
        if answers == 0 {
            return None;
        }
        let share = |count: u32| f64::from(count) / f64::from(answers);
        let n = f64::from(answers) + 3.0;
        let p = (f64::from(promoters) + 0.75) / n;
        let d = (f64::from(detractors) + 0.75) / n;
        let margin = 1.96 * ((p + d - (p - d) * (p - d)) / n).sqrt();
        // Adding 0 turns −0 into 0, which JSON would show.
        let shown = |value: f64| (value.clamp(-1.0, 1.0) * 1_000.0).round() / 10.0 + 0.0;
        Some(Self {
            value: shown(share(promoters) - share(detractors)),
            low: shown(p - d - margin),
            high: shown(p - d + margin),
            answers,
            counts: Some(counts),
        })
    }
}

/// `(NPS + 100) / 2` as a percentage, in integers. Rule: `feedback_method = nps`.
pub fn nps_value(ratings: impl IntoIterator<Item = Rating>) -> Option<Percent> {
    let (mut doubled, mut count) = (0_u128, 0_u128);
    for rating in ratings {
        count += 1;
        doubled += if rating.is_promoter() {
            2
        } else if rating.is_detractor() {
            0
        } else {
            1
        };
    }
    Percent::ratio(doubled, 2 * count)
}
