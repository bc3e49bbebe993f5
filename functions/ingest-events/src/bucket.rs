//! A token bucket that can go into debt. Pure: the time is an argument.
//!
//! Crates for this refuse for ever what asks for more than the bucket holds. A client can't cut its batch, so here
//! a request passes as soon as the bucket holds a token, whatever its size, and who comes next waits until the
//! debt is paid: the rate is kept over time, and a batch that is larger than the burst gets through.

use chrono::{DateTime, TimeDelta, Utc};

/// What sums of fractions may be off by, in tokens.
const NEGLIGIBLE: f64 = 1e-6;

/// How fast a bucket fills and how much it holds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limit {
    /// Tokens a second; more than 0.
    pub rate: f64,
    /// Tokens that it holds; at least 1.
    pub burst: f64,
}

/// A bucket, full at first.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bucket {
    /// Tokens that were taken and haven't come back at `at`.
    taken: f64,
    at: DateTime<Utc>,
}

impl Bucket {
    /// A full bucket.
    pub fn full(now: DateTime<Utc>) -> Self {
        Self { taken: 0.0, at: now }
    }

    fn fill(&mut self, limit: Limit, now: DateTime<Utc>) {
        // A clock that was set back gives nothing and takes nothing.
        self.taken = (self.taken - seconds(now - self.at).max(0.0) * limit.rate).max(0.0);
        self.at = now;
    }

    /// Whether nothing is missing from it: it is the same as a new one.
    pub fn is_full(&mut self, limit: Limit, now: DateTime<Utc>) -> bool {
        self.fill(limit, now);
        self.taken < NEGLIGIBLE
    }

    /// Takes `tokens`, for one who may have to wait for at most `longest` before going on. Returns the wait. Errors:
    /// how long it would have to be; nothing is taken then.
    pub fn take(
        &mut self,
        tokens: f64,
        limit: Limit,
        now: DateTime<Utc>,
        longest: TimeDelta,
    ) -> Result<TimeDelta, TimeDelta> {
        self.fill(limit, now);
        // One token must be there.
        let missing = (self.taken + 1.0 - limit.burst.max(1.0) - NEGLIGIBLE).max(0.0);
        let wait = TimeDelta::milliseconds((missing / limit.rate * 1_000.0).ceil() as i64);
        if wait > longest {
            return Err(wait);
        }
        self.taken += tokens;
        Ok(wait)
    }
}

fn seconds(span: TimeDelta) -> f64 {
    span.as_seconds_f64()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Limit = Limit { rate: 10.0, burst: 100.0 };
    const PATIENCE: TimeDelta = TimeDelta::seconds(2);

    fn at(millis: i64) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(1_790_000_000_000 + millis).unwrap()
    }

    fn millis(taken: Result<TimeDelta, TimeDelta>) -> Result<i64, i64> {
        taken.map(|wait| wait.num_milliseconds()).map_err(|wait| wait.num_milliseconds())
    }

    #[test]
    fn gives_the_burst_then_the_rate() {
        let mut bucket = Bucket::full(at(0));
        for _ in 0..100 {
            assert_eq!(millis(bucket.take(1.0, LIMIT, at(0), PATIENCE)), Ok(0));
        }
        // Empty: each of the next comes a tenth of a second after the one before, up to the longest wait.
        for turn in 1..=20 {
            assert_eq!(millis(bucket.take(1.0, LIMIT, at(0), PATIENCE)), Ok(turn * 100));
        }
        assert_eq!(millis(bucket.take(1.0, LIMIT, at(0), PATIENCE)), Err(2_100));
        // Who is refused takes nothing: after the wait that was named there is a token.
        assert_eq!(millis(bucket.take(1.0, LIMIT, at(2_100), TimeDelta::zero())), Ok(0));
    }

    #[test]
    fn a_batch_larger_than_the_burst_passes_and_is_paid_off() {
        let mut bucket = Bucket::full(at(0));
        assert_eq!(millis(bucket.take(1_000.0, LIMIT, at(0), PATIENCE)), Ok(0));
        assert_eq!(millis(bucket.take(1_000.0, LIMIT, at(0), PATIENCE)), Err(90_100));
        assert_eq!(millis(bucket.take(1_000.0, LIMIT, at(90_000), PATIENCE)), Ok(100));
        // Over time the rate holds: 2,000 tokens took at least (2,000 − 100) / 10 seconds.
        assert_eq!(millis(bucket.take(1.0, LIMIT, at(188_000), TimeDelta::zero())), Err(2_100));
        assert_eq!(millis(bucket.take(1.0, LIMIT, at(190_100), TimeDelta::zero())), Ok(0));
    }

    #[test]
    fn never_holds_more_than_the_burst() {
        let mut bucket = Bucket::full(at(0));
        assert_eq!(millis(bucket.take(50.0, LIMIT, at(0), PATIENCE)), Ok(0));
        assert!(!bucket.is_full(LIMIT, at(4_999)));
        assert!(bucket.is_full(LIMIT, at(5_000)));
        assert_eq!(millis(bucket.take(100.0, LIMIT, at(3_600_000), PATIENCE)), Ok(0));
        assert_eq!(millis(bucket.take(1.0, LIMIT, at(3_600_000), TimeDelta::zero())), Err(100));
    }

    #[test]
    fn survives_a_clock_that_is_set_back() {
        let mut bucket = Bucket::full(at(0));
        assert_eq!(millis(bucket.take(100.0, LIMIT, at(0), PATIENCE)), Ok(0));
        assert_eq!(millis(bucket.take(1.0, LIMIT, at(-3_600_000), TimeDelta::zero())), Err(100));
        assert_eq!(millis(bucket.take(1.0, LIMIT, at(-3_600_000 + 100), TimeDelta::zero())), Ok(0));
    }
}
