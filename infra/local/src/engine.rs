//! What makes time pass: runs the schedules that become due, in order, and delivers what they put on the bus.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use thiserror::Error;
use tokio::sync::Mutex;

use crate::bus::Bus;
use crate::clock::{HomeClock, rfc3339};
use crate::delivery::{Delivered, Delivery};
use crate::functions::CallError;
use crate::queue::Queues;
use crate::records::{RecordError, Records};
use crate::state::State;
use crate::timetable::Timetable;

/// A move over weeks has thousands of runs that do nothing, so its progress is not stored after each. What a
/// kill leaves out runs again.
const SAVE_EVERY: Duration = Duration::from_millis(100);

/// Why time couldn't pass.
#[derive(Debug, Error)]
pub enum EngineError {
    /// The clock goes forward only.
    #[error("{} lies before the clock's {}; it goes forward only", rfc3339(*asked), rfc3339(*now))]
    Backwards {
        /// Where it was to go.
        asked: DateTime<Utc>,
        /// Where it is.
        now: DateTime<Utc>,
    },
    /// The home's records failed.
    #[error(transparent)]
    Records(#[from] RecordError),
    /// A schedule's input has no JSON form.
    #[error("a schedule's input")]
    Input(#[from] serde_json::Error),
}

/// What a passage of time did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Passed {
    /// By function: the runs of its schedules.
    pub ran: BTreeMap<String, Runs>,
    /// Whether the home was stopped before all was run; the rest runs after its next start.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub interrupted: bool,
}

/// The runs of one function.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Runs {
    /// How many.
    pub runs: u64,
    /// How many of them were given up after their retries.
    pub failed: u64,
    /// The instant of the first.
    pub first: DateTime<Utc>,
    /// The instant of the last.
    pub last: DateTime<Utc>,
}

/// The engine.
#[derive(Debug)]
pub struct Engine {
    /// The clock.
    pub clock: HomeClock,
    /// The bus.
    pub bus: Bus,
    /// The queues.
    pub queues: Queues,
    /// The functions that are called by events.
    pub delivery: Delivery,
    records: Records,
    timetable: Timetable,
    state: Mutex<State>,
    stopping: AtomicBool,
}

impl Engine {
    /// An engine whose clock runs from `state`'s.
    ///
    /// # Errors
    /// When the state can't be stored.
    pub async fn new(
        clock: HomeClock,
        bus: Bus,
        queues: Queues,
        delivery: Delivery,
        records: Records,
        timetable: Timetable,
        mut state: State,
    ) -> Result<Self, RecordError> {
        timetable.begin(&mut state.cursors, state.clock);
        state.note_running(clock.now());
        state.save(&records).await?;
        let (state, stopping) = (Mutex::new(state), AtomicBool::new(false));
        Ok(Self { clock, bus, queues, delivery, records, timetable, state, stopping })
    }

    /// Moves the clock to `to`: every schedule that becomes due on the way runs with the clock standing at its
    /// instant, and the bus is drained after each. Killed in between, the home goes on close before where it
    /// was, and the last few runs are repeated.
    ///
    /// # Errors
    /// When `to` lies in the past or the records fail.
    pub async fn move_clock(&self, to: DateTime<Utc>) -> Result<Passed, EngineError> {
        let mut state = self.state.lock().await;
        let now = self.clock.now();
        if to < now {
            return Err(EngineError::Backwards { asked: to, now });
        }
        state.follows_machine = false;
        self.clock.stand_at(now);
        // What was put on the bus before belongs to the time before.
        self.drain().await;
        let passed = self.run_due(&mut state, to).await;
        let reached = passed.as_ref().is_ok_and(|passed| !passed.interrupted);
        self.clock.run_from(if reached { to } else { now });
        state.note_running(self.clock.now());
        state.save(&self.records).await?;
        passed
    }

    /// Runs what became due while the clock ran, and stores the clock from time to time.
    ///
    /// # Errors
    /// When the records fail.
    pub async fn tick(&self) -> Result<Passed, EngineError> {
        let mut state = self.state.lock().await;
        let passed = self.run_due(&mut state, self.clock.now()).await?;
        let now = self.clock.now();
        if !passed.ran.is_empty() || state.is_behind(now) {
            state.note_running(now);
            state.save(&self.records).await?;
        }
        Ok(passed)
    }

    /// Calls a function and delivers what it put on the bus.
    ///
    /// # Errors
    /// When there is no such function, or it fails.
    pub async fn invoke(&self, function: &str, event: Value) -> Result<Value, CallError> {
        let answer = self.delivery.functions().invoke(function, event).await?;
        self.drain().await;
        Ok(answer)
    }

    /// Delivers what is on the bus and in the queues; what can't be delivered now stays there.
    pub async fn drain(&self) {
        if let Err(error) = self.deliver().await {
            tracing::error!(%error, "the bus could not be drained");
        }
    }

    async fn deliver(&self) -> Result<(), RecordError> {
        self.bus.drain(&self.delivery).await?;
        self.queues.drain(&self.delivery).await?;
        // What came out of the queues may have put something on the bus.
        self.bus.drain(&self.delivery).await
    }

    /// Waits until there is something to deliver.
    pub async fn arrival(&self) {
        tokio::select! {
            () = self.bus.arrival() => {}
            () = self.queues.arrival() => {}
        }
    }

    /// Lets a running move end after the schedule it is at.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    /// Stores the clock as it is, at the end.
    ///
    /// # Errors
    /// When the records fail.
    pub async fn rest(&self) -> Result<(), RecordError> {
        let mut state = self.state.lock().await;
        state.clock = self.clock.now();
        state.save(&self.records).await
    }

    async fn run_due(&self, state: &mut State, upto: DateTime<Utc>) -> Result<Passed, EngineError> {
        let mut passed = Passed::default();
        let mut saved = Instant::now();
        while let Some((due, entry)) = self.timetable.next(&state.cursors).filter(|(due, _)| *due <= upto) {
            if self.stopping.load(Ordering::Relaxed) {
                passed.interrupted = true;
                break;
            }
            if due > self.clock.now() {
                self.clock.stand_at(due);
            }
            // What requests put on the bus came before this run.
            self.deliver().await?;
            let delivered = self.delivery.deliver(&entry.function, &entry.schedule.event(due)?).await?;
            self.deliver().await?;
            passed.count(&entry.function, due, delivered);
            state.cursors.insert(entry.schedule.id.clone(), due);
            state.clock = self.clock.now();
            if saved.elapsed() >= SAVE_EVERY {
                state.save(&self.records).await?;
                saved = Instant::now();
            }
        }
        Ok(passed)
    }
}

impl Passed {
    fn count(&mut self, function: &str, due: DateTime<Utc>, delivered: Delivered) {
        let runs =
            self.ran.entry(function.to_owned()).or_insert(Runs { runs: 0, failed: 0, first: due, last: due });
        runs.runs += 1;
        runs.failed += u64::from(delivered == Delivered::Dead);
        runs.last = due;
    }
}
