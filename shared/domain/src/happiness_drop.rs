//! A company's users rate lower than they did.

use std::collections::BTreeMap;

use crate::{
    Percent, UserId, Zone,
    alert::{Finding, Rule},
    answer::Answer,
    calendar::IsoWeek,
    percent::round_half_up,
};

/// People who rated again that a paired change needs.
pub const MIN_PAIRS: usize = 2;
/// Mean paired fall: 1 point of 10, in basis points.
pub const PAIRED_FALL: i128 = 1_000;
/// Standard errors that the mean paired fall must be.
pub const SHRUNKEN_Z: i128 = 2;
/// Ratings that a company's mean needs, then and now.
pub const MIN_RATINGS: usize = 3;
/// Fall of the company's mean: 10 points of 100, in basis points.
pub const MEAN_FALL: i128 = 1_000;

/// What is believed of the spread of changes before any is seen: a standard deviation of 1.8 points of 10, in
/// basis points. Satisfaction asked twice within two weeks correlates by 0.59 (Krueger and Schkade 2008,
/// Journal of Public Economics 92); that ratings spread by 2 points between people is our assumption. So
/// changes spread by 2 × √(2 × 0.41) ≈ 1.8 although nothing happened.
const PRIOR_DEVIATION: i128 = 1_800;
/// How many changes that belief weighs as much as: our choice.
const PRIOR_WEIGHT: i128 = 4;

/// Each user's rating that counted at an instant, as [`crate::answer::latest_per_user`] gives it.
pub type Ratings<'a> = BTreeMap<&'a UserId, &'a Answer>;

/// Rule: sudden drop of happiness: the same people rate lower by a mean of 1 point or more with a shrunken z
/// of −2 or less, or the company's mean is down by 10 points or more with three ratings or more both times.
///
/// `before` are the ratings that counted one cadence ago, `now` those that count today; both of active users
/// and without void answers. A person is paired who has a rating in both and gave the later one since.
/// Nothing is found when nobody has rated since: an answer that expires says nothing.
pub fn happiness_drop(before: &Ratings<'_>, now: &Ratings<'_>, zone: Zone) -> Option<Finding> {
    let since = |user: &UserId, answer: &Answer| before.get(user).is_none_or(|old| old.at < answer.at);
    let at = now.iter().filter(|(user, answer)| since(user, answer)).map(|(_, answer)| answer.at).max()?;
    let changes: Vec<i128> = now
        .iter()
        .filter(|(user, answer)| since(user, answer))
        .filter_map(|(user, answer)| Some(value(answer) - value(before.get(user)?)))
        .collect();
    let paired = paired_fall(&changes).map(|fall| {
        let (people, points) = (changes.len(), points_of_10(fall));
        (fall, format!("{people} people who rated again went down by {points} points of 10 on average"))
    });
    let mean = mean_fall(before, now).map(|(fall, from, to)| {
        let (then, today) = (before.len(), now.len());
        (fall, format!("Happiness fell from {from} ({then} ratings) to {to} ({today} ratings)"))
    });
    let (severity, sentence) = match (paired, mean) {
        (Some((one, paired)), Some((other, mean))) => (one.max(other), format!("{mean}; {paired}")),
        (one, other) => one.or(other)?,
    };
    let period = IsoWeek::at(at, zone);
    Some(Finding { rule: Rule::HappinessSuddenDrop, period, at, severity, baseline: None, sentence })
}

fn value(answer: &Answer) -> i128 {
    i128::from(answer.rating.value().basis_points())
}

/// A fall as points of the 0 to 10 scale with one decimal.
fn points_of_10(fall: Percent) -> String {
    let tenths = round_half_up(u128::from(fall.basis_points()), 100);
    format!("{}.{}", tenths / 10, tenths % 10)
}

/// The mean fall of the same people when it is large and sure enough.
///
/// The shrunken z is Smyth's moderated t (2004, Statistical Applications in Genetics and Molecular Biology
/// 3:1): z = mean / √(s²/k) with s² = (ν₀σ₀² + Σ(d − mean)²) / (ν₀ + k − 1), so that two people who happen to
/// agree aren't taken for certainty. With D = Σd and Q = Σd², z ≤ −2 is D < 0 and D²(ν₀ + k − 1) ≥ 4(k(ν₀σ₀²
/// + Q) − D²): no root and no division.
fn paired_fall(changes: &[i128]) -> Option<Percent> {
    let people = i128::try_from(changes.len()).ok().filter(|_| changes.len() >= MIN_PAIRS)?;
    let sum: i128 = changes.iter().sum();
    let squares: i128 = changes.iter().map(|change| change * change).sum();
    let large = sum <= -PAIRED_FALL * people;
    let spread = people * (PRIOR_WEIGHT * PRIOR_DEVIATION * PRIOR_DEVIATION + squares) - sum * sum;
    let sure = sum * sum * (PRIOR_WEIGHT + people - 1) >= SHRUNKEN_Z * SHRUNKEN_Z * spread;
    if large && sure { Percent::ratio(sum.unsigned_abs(), people.unsigned_abs() * 10_000) } else { None }
}

/// How far the company's mean fell when far enough, from and to which whole percent.
fn mean_fall(before: &Ratings<'_>, now: &Ratings<'_>) -> Option<(Percent, u8, u8)> {
    let (then, today) =
        (before.len().min(now.len()) >= MIN_RATINGS).then(|| (Sum::of(before), Sum::of(now)))?;
    let (divisor, fall) = (then.count * today.count, then.sum * today.count - today.sum * then.count);
    if fall < MEAN_FALL * divisor {
        return None;
    }
    let fall = Percent::ratio(fall.unsigned_abs(), divisor.unsigned_abs() * 10_000)?;
    Some((fall, then.shown()?, today.shown()?))
}

/// An exact mean.
struct Sum {
    sum: i128,
    count: i128,
}

impl Sum {
    fn of(ratings: &Ratings<'_>) -> Self {
        let add = |Self { sum, count }, answer: &&Answer| Self { sum: sum + value(answer), count: count + 1 };
        ratings.values().fold(Self { sum: 0, count: 0 }, add)
    }

    fn shown(&self) -> Option<u8> {
        Percent::ratio(self.sum.unsigned_abs(), self.count.unsigned_abs() * 10_000).map(Percent::shown)
    }
}
