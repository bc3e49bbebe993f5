//! How fast each source may send: a bucket of events for each, in this process. A request waits a moment for its
//! turn before it is refused, and few wait at the same time, since each holds its events in memory.
//!
//! On AWS every warm instance of the function has buckets of its own, so the limit holds for each instance.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use barometer_cloud::table::sources::Source;
use barometer_domain::WorkspaceId;
use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::Semaphore;

use crate::{
    bucket::{Bucket, Limit},
    refusal::Refusal,
};

/// The longest that a request waits for its turn. Far less than the function's time, so that its events can still
/// be written.
const LONGEST_WAIT: TimeDelta = TimeDelta::seconds(2);

/// Most requests that wait at the same time.
const MAX_WAITING: usize = 32;

/// Most buckets.
const MAX_BUCKETS: usize = 10_000;

/// The pace of every source that this process has met.
#[derive(Debug)]
pub struct Pace {
    buckets: Mutex<HashMap<(WorkspaceId, String), (Bucket, Limit)>>,
    waiting: Semaphore,
}

impl Default for Pace {
    fn default() -> Self {
        Self { buckets: Mutex::default(), waiting: Semaphore::new(MAX_WAITING) }
    }
}

impl Pace {
    /// Lets a request with so many events pass at its turn. Errors: [`Refusal::TooFast`] when the turn is too far
    /// away or too many wait.
    pub async fn pass(&self, source: &Source, events: usize, now: DateTime<Utc>) -> Result<(), Refusal> {
        // A request without events is work, too.
        let tokens = events.max(1) as f64;
        let limit = Limit { rate: f64::from(source.rate.max(1)), burst: f64::from(source.burst.max(1)) };
        // A place in the queue is needed only by those who wait, but it must be there before tokens are taken.
        let place = self.waiting.try_acquire();
        let longest = if place.is_ok() { LONGEST_WAIT } else { TimeDelta::zero() };
        let wait = self.take(source, tokens, limit, now, longest);
        let wait = wait.map_err(|wait| Refusal::TooFast { retry_after: whole_seconds(wait) })?;
        if let Ok(wait) = wait.to_std()
            && !wait.is_zero()
        {
            tokio::time::sleep(wait).await;
        }
        Ok(())
    }

    fn take(
        &self,
        source: &Source,
        tokens: f64,
        limit: Limit,
        now: DateTime<Utc>,
        longest: TimeDelta,
    ) -> Result<TimeDelta, TimeDelta> {
        // A panic while the lock was held can't leave the map half changed.
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (source.workspace_id.clone(), source.id.clone());
        if buckets.len() >= MAX_BUCKETS && !buckets.contains_key(&key) {
            // A full bucket is the same as none.
            buckets.retain(|_, (bucket, limit)| !bucket.is_full(*limit, now));
            if buckets.len() >= MAX_BUCKETS {
                buckets.clear();
            }
        }
        let (bucket, current) = buckets.entry(key).or_insert_with(|| (Bucket::full(now), limit));
        *current = limit;
        bucket.take(tokens, limit, now, longest)
    }
}

/// At least the wait, as `Retry-After` says it.
fn whole_seconds(wait: TimeDelta) -> u32 {
    let seconds = wait.num_milliseconds().max(0).cast_unsigned().div_ceil(1_000).max(1);
    u32::try_from(seconds).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(id: &str, rate: u32, burst: u32) -> Source {
        let workspace = WorkspaceId::new("ws_test").unwrap();
        let text = id.to_owned();
        let made = Source::new(&workspace, text.clone(), text.clone(), text.clone(), text, noon());
        Source { rate, burst, ..made }
    }

    fn noon() -> DateTime<Utc> {
        "2026-09-07T12:00:00Z".parse().unwrap()
    }

    #[tokio::test]
    async fn says_in_whole_seconds_when_to_come_back() {
        let pace = Pace::default();
        let slow = source("slow", 1, 1);
        assert_eq!(pace.pass(&slow, 100, noon()).await, Ok(()));
        let refused = Refusal::TooFast { retry_after: 100 };
        assert_eq!(pace.pass(&slow, 0, noon()).await, Err(refused.clone()));
        assert_eq!(pace.pass(&source("other", 1, 1), 1, noon()).await, Ok(()), "each has its own");
        assert_eq!(pace.pass(&slow, 1, noon() + TimeDelta::milliseconds(100_000)).await, Ok(()));
        // A changed limit counts at once.
        assert_eq!(pace.pass(&source("slow", 1, 2), 5_000, noon() + TimeDelta::seconds(100)).await, Ok(()));
    }

    #[tokio::test]
    async fn waits_for_its_turn_before_it_refuses() {
        let pace = Pace::default();
        let quick = source("quick", 50, 10);
        assert_eq!(pace.pass(&quick, 20, noon()).await, Ok(()));
        let began = std::time::Instant::now();
        assert_eq!(pace.pass(&quick, 1, noon()).await, Ok(()));
        assert!(began.elapsed() >= std::time::Duration::from_millis(220), "{:?}", began.elapsed());
    }

    #[tokio::test]
    async fn few_wait_at_the_same_time() {
        let pace = std::sync::Arc::new(Pace::default());
        let quick = source("quick", 1_000, 1);
        assert_eq!(pace.pass(&quick, 500, noon()).await, Ok(()));
        let waiters: Vec<_> = (0..MAX_WAITING)
            .map(|_| {
                let (pace, quick) = (std::sync::Arc::clone(&pace), quick.clone());
                tokio::spawn(async move { pace.pass(&quick, 1, noon()).await })
            })
            .collect();
        while pace.waiting.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        assert_eq!(pace.pass(&quick, 1, noon()).await, Err(Refusal::TooFast { retry_after: 1 }));
        for waiter in waiters {
            assert_eq!(waiter.await.unwrap(), Ok(()));
        }
    }

    #[test]
    fn buckets_are_bounded_and_forget_the_full_ones_first() {
        let pace = Pace::default();
        let limit = Limit { rate: 1.0, burst: 10.0 };
        let take =
            |id: &str, tokens, now| pace.take(&source(id, 1, 10), tokens, limit, now, TimeDelta::zero());
        take("busy", 1_000.0, noon()).unwrap();
        for number in 1..MAX_BUCKETS {
            take(&number.to_string(), 1.0, noon()).unwrap();
        }
        take("late", 1.0, noon() + TimeDelta::seconds(5)).unwrap();
        assert_eq!(pace.buckets.lock().unwrap().len(), 2);
        assert!(take("busy", 1.0, noon() + TimeDelta::seconds(5)).is_err());
    }
}
