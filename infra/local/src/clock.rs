//! The home's clock: it runs at real speed from wherever it was set, and never backwards.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Instant;

use chrono::{DateTime, SecondsFormat, SubsecRound, TimeDelta, Utc};

/// A clock that can be set forward and be held. Clones share it.
#[derive(Debug, Clone)]
pub struct HomeClock(Arc<RwLock<State>>);

#[derive(Debug, Clone, Copy)]
enum State {
    Running { from: DateTime<Utc>, since: Instant },
    Standing { at: DateTime<Utc> },
}

impl State {
    fn now(self) -> DateTime<Utc> {
        match self {
            Self::Standing { at } => at,
            Self::Running { from, since } => TimeDelta::from_std(since.elapsed())
                .ok()
                .and_then(|elapsed| from.checked_add_signed(elapsed))
                .unwrap_or(from),
        }
    }
}

impl HomeClock {
    /// A clock that runs from `now`.
    #[must_use]
    pub fn starting_at(now: DateTime<Utc>) -> Self {
        Self(Arc::new(RwLock::new(State::Running { from: now, since: Instant::now() })))
    }

    /// What the clock shows.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).now()
    }

    /// Holds the clock at `at`, or where it is if that is later.
    pub fn stand_at(&self, at: DateTime<Utc>) {
        let mut state = self.0.write().unwrap_or_else(PoisonError::into_inner);
        *state = State::Standing { at: at.max(state.now()) };
    }

    /// Lets the clock run from `from`, or from where it is if that is later.
    pub fn run_from(&self, from: DateTime<Utc>) {
        let mut state = self.0.write().unwrap_or_else(PoisonError::into_inner);
        *state = State::Running { from: from.max(state.now()), since: Instant::now() };
    }

    /// The clock as the functions get it.
    #[must_use]
    pub fn for_functions(&self) -> barometer_cloud::Clock {
        let clock = self.clone();
        barometer_cloud::Clock::from_fn(move || clock.now())
    }
}

/// An instant as people and machines read it here: RFC 3339 in UTC, with milliseconds where there are any.
#[must_use]
pub fn rfc3339(at: DateTime<Utc>) -> String {
    at.trunc_subsecs(3).to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_runs_stands_and_never_goes_back() {
        let start: DateTime<Utc> = "2026-09-07T00:00:00Z".parse().unwrap();
        let clock = HomeClock::starting_at(start);
        std::thread::sleep(std::time::Duration::from_millis(5));
        let ran = clock.now();
        assert!(ran > start && ran < start + TimeDelta::seconds(5));
        clock.stand_at(start);
        assert!(clock.now() >= ran);
        let later = start + TimeDelta::days(3);
        clock.stand_at(later);
        assert_eq!(clock.now(), later);
        std::thread::sleep(std::time::Duration::from_millis(5));
        assert_eq!(clock.now(), later);
        clock.run_from(start);
        std::thread::sleep(std::time::Duration::from_millis(5));
        assert!(clock.now() > later);
    }
}
