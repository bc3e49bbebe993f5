//! How long a request may take. A store that throttles or hangs makes every call of a request slow, one stage after
//! the other; the client mustn't have given up, nor Lambda have ended the function, before it is told to come back.

use std::time::Duration;

use crate::refusal::Refusal;

/// Below the shortest time that official clients wait for an answer (10 seconds) and the function's own 20 seconds
/// in `infra/template.yaml`.
pub const DEADLINE: Duration = Duration::from_secs(8);

/// When a client is asked to come back, in seconds: a store that is this slow won't be well at once.
const RETRY_AFTER: u32 = 5;

/// Does the work if it ends in time. What was written by then stays and is written again with the retry, since
/// everything that is written is a set that grows or a minimum. Errors: the work's own, or
/// [`Refusal::Unavailable`].
pub(crate) async fn within<T>(
    deadline: Duration,
    work: impl Future<Output = Result<T, Refusal>>,
) -> Result<T, Refusal> {
    tokio::time::timeout(deadline, work).await.unwrap_or_else(|_| {
        tracing::warn!(seconds = deadline.as_secs(), "events not stored in time");
        Err(Refusal::Unavailable { retry_after: RETRY_AFTER })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn work_that_hangs_is_refused() {
        let refused = within(Duration::from_millis(1), std::future::pending::<Result<(), _>>()).await;
        assert_eq!(refused, Err(Refusal::Unavailable { retry_after: RETRY_AFTER }));
    }

    #[tokio::test]
    async fn work_in_time_keeps_its_outcome() {
        assert_eq!(within(DEADLINE, async { Ok(1) }).await, Ok(1));
        let refused = within(DEADLINE, async { Err::<(), _>(Refusal::UnknownKey) }).await;
        assert_eq!(refused, Err(Refusal::UnknownKey));
    }
}
