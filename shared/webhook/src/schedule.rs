//! When a message that wasn't delivered is tried again: eight attempts in about a day, then it is a dead letter.
//!
//! The steps are those that Standard Webhooks recommends, drawn together so that the last one comes after a day. A
//! sweep that looks every minute rounds the first step up to a minute.

use chrono::{DateTime, TimeDelta, Utc};
use sha2::{Digest, Sha256};

/// Seconds from a failed attempt to the next. Their sum is 23 h 35 min 5 s, up to 26 h with the jitter.
const DELAYS: [i64; 7] = [5, 5 * 60, 30 * 60, 2 * 3_600, 4 * 3_600, 7 * 3_600, 10 * 3_600];

/// Attempts in all.
pub const ATTEMPTS: u32 = DELAYS.len() as u32 + 1;

/// The most that jitter adds, in parts of a step: a tenth.
const JITTER: i64 = 10;

/// How long to wait after the failed attempt `attempt` (the first is 1) of the message `id`; nothing after the last
/// one: it is a dead letter then. Up to a tenth is added by the id, always the same for an attempt, so that what failed
/// together doesn't come again together.
pub fn delay(attempt: u32, id: &str) -> Option<TimeDelta> {
    let seconds = step(attempt)?;
    let digest = Sha256::digest(format!("{id}#{attempt}"));
    let dice = digest.first_chunk().map_or(0, |bytes| u32::from_be_bytes(*bytes));
    // In milliseconds, since a tenth of five seconds is less than one.
    let most = seconds * 1_000 / JITTER;
    Some(TimeDelta::milliseconds(seconds * 1_000 + most * i64::from(dice) / i64::from(u32::MAX)))
}

/// When the message is tried again after an attempt that failed at `failed_at`. A longer wait that the receiver asked
/// for is granted, up to what the step after this one would be (the last step can't be made longer).
pub fn next(
    attempt: u32,
    id: &str,
    failed_at: DateTime<Utc>,
    retry_after: Option<TimeDelta>,
) -> Option<DateTime<Utc>> {
    let delay = delay(attempt, id)?;
    let longest = step(attempt.saturating_add(1)).map_or(delay, TimeDelta::seconds);
    let wait = retry_after.map_or(delay, |asked| asked.min(longest).max(delay));
    failed_at.checked_add_signed(wait)
}

fn step(attempt: u32) -> Option<i64> {
    DELAYS.get(usize::try_from(attempt.checked_sub(1)?).ok()?).copied()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn start() -> DateTime<Utc> {
        "2026-09-09T12:00:00Z".parse().unwrap()
    }

    /// How long after the first attempt every attempt is, when all fail.
    fn attempts(id: &str) -> Vec<TimeDelta> {
        let mut at = start();
        let mut all = vec![TimeDelta::zero()];
        let mut attempt = 1;
        while let Some(due) = next(attempt, id, at, None) {
            at = due;
            attempt += 1;
            all.push(at - start());
        }
        all
    }

    #[test]
    fn there_are_eight_attempts_and_then_none() {
        assert_eq!(attempts("msg_1").len(), ATTEMPTS as usize);
        assert_eq!(ATTEMPTS, 8);
        for attempt in [0, 8, 9, u32::MAX] {
            assert_eq!(delay(attempt, "msg_1"), None);
        }
    }

    #[test]
    fn a_receiver_that_is_back_after_an_hour_gets_it_within_three() {
        let after = attempts("msg_1").into_iter().find(|after| *after >= TimeDelta::hours(1)).unwrap();
        assert!(after < TimeDelta::hours(3), "{after}");
    }

    #[test]
    fn a_longer_wait_is_granted_up_to_the_step_after() {
        let wait = |asked| next(2, "msg_1", start(), Some(asked)).unwrap() - start();
        assert_eq!(wait(TimeDelta::seconds(1)), delay(2, "msg_1").unwrap());
        assert_eq!(wait(TimeDelta::minutes(20)), TimeDelta::minutes(20));
        assert_eq!(wait(TimeDelta::days(3)), TimeDelta::minutes(30));
        let last = next(7, "msg_1", start(), Some(TimeDelta::days(3))).unwrap() - start();
        assert_eq!(last, delay(7, "msg_1").unwrap());
    }

    proptest! {
        #[test]
        fn the_last_attempt_comes_after_about_a_day(id in "[a-z0-9]{1,24}") {
            let last = *attempts(&id).last().unwrap();
            prop_assert!(last >= TimeDelta::minutes(23 * 60 + 35) && last <= TimeDelta::hours(26), "{last}");
        }

        #[test]
        fn waits_grow_and_jitter_stays_under_a_tenth(id in "[a-z0-9]{1,24}") {
            for attempt in 1..ATTEMPTS {
                let wait = delay(attempt, &id).unwrap();
                let step = TimeDelta::seconds(DELAYS[attempt as usize - 1]);
                prop_assert!(wait >= step && wait <= step + step / 10, "{attempt}: {wait}");
                prop_assert_eq!(delay(attempt, &id), Some(wait));
            }
        }
    }

    #[test]
    fn messages_that_failed_together_do_not_come_again_together() {
        let waits: std::collections::BTreeSet<_> =
            (0..100).filter_map(|number| delay(3, &format!("msg_{number}"))).collect();
        assert!(waits.len() > 95, "{}", waits.len());
    }
}
