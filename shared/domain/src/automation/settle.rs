//! Hysteresis: what automations take for a change of a scored reading.

use serde::{Deserialize, Serialize};

use crate::{
    Percent,
    band::{Band, Bands},
    happiness::{Level, Levels},
};

/// How far past a threshold a score must be to count at once: 2 points, in basis points.
const MARGIN: u16 = 200;

/// What cuts a score into values: [`Bands`], [`Levels`].
pub trait Scale: Copy {
    /// The value of a score.
    type Value: Copy + Ord;

    /// The value of a score.
    fn value(self, score: Percent) -> Self::Value;
}

impl Scale for Bands {
    type Value = Band;
    fn value(self, score: Percent) -> Band {
        self.band(score)
    }
}

impl Scale for Levels {
    type Value = Level;
    fn value(self, score: Percent) -> Level {
        self.level(score)
    }
}

/// What automations took a reading for, before and after its latest evaluation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Settled<T> {
    /// Before: nothing when it had never settled.
    pub before: Option<T>,
    /// After.
    pub now: Option<T>,
}

impl<T: Copy + PartialEq> Settled<T> {
    /// The transition that automations act on.
    pub fn transition(self) -> Option<(Option<T>, T)> {
        self.now.filter(|now| self.before != Some(*now)).map(|now| (self.before, now))
    }
}

/// Rule: automations need the score 2 points past the threshold or the value held for two evaluations. The recorded value
/// is exact; only automations have this hysteresis.
///
/// `before` is what the reading was taken for, `previous` what the evaluation before this one recorded, `score` the
/// present score. A reading that never settled has no threshold that it passed: it must lie 2 points inside its value.
pub fn settle<S: Scale>(
    scale: S,
    before: Option<S::Value>,
    previous: Option<S::Value>,
    score: Percent,
) -> Option<S::Value> {
    let now = scale.value(score);
    let points = score.basis_points();
    let lower = Percent::from_basis_points(points.saturating_sub(MARGIN)).unwrap_or(Percent::ZERO);
    let higher = Percent::from_basis_points(points.saturating_add(MARGIN)).unwrap_or(Percent::FULL);
    let is_past = match before {
        Some(before) if now > before => scale.value(lower) >= now,
        Some(before) if now < before => scale.value(higher) <= now,
        Some(_) => true,
        None => scale.value(lower) == now && scale.value(higher) == now,
    };
    if is_past || previous == Some(now) { Some(now) } else { before }
}
