//! The parameters `from` and `to` of a series.

use std::{fmt::Display, str::FromStr};

use barometer_cloud::http::Problem;
use barometer_domain::{IsoWeek, Month};

use crate::params::{Params, wrong};

/// A period that a series is made of.
pub trait Period: Copy + Ord + FromStr<Err: Display> {
    /// The period `count` before this one.
    fn back(self, count: u16) -> Self;
}

impl Period for IsoWeek {
    fn back(self, count: u16) -> Self {
        self.plus(-i64::from(count))
    }
}

impl Period for Month {
    fn back(self, count: u16) -> Self {
        (0..count).fold(self, |month, _| month.previous())
    }
}

/// The first and last period asked for: by default the `count` up to `now`. Errors: 400 for what isn't a
/// period, and for an end before the beginning.
pub fn range<P: Period>(params: &Params, now: P, count: u16) -> Result<(P, P), Problem> {
    let (from, to): (Option<P>, Option<P>) = (params.parse("from")?, params.parse("to")?);
    // Only a beginning: from there to now, also when it lies ahead of now.
    let to = to.unwrap_or_else(|| from.map_or(now, |from| from.max(now)));
    let from = from.unwrap_or_else(|| to.back(count.saturating_sub(1)));
    if from > to {
        return Err(wrong("from", "lies after to".to_owned()));
    }
    Ok((from, to))
}
