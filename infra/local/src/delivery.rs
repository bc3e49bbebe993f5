//! Delivery to functions that are called by events: a few attempts, then the dead letters.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::clock::HomeClock;
use crate::functions::{CallError, Functions};
use crate::records::{Record, RecordError, Records, numbered};

const KIND: &str = "dead";
/// Pauses before the second and third attempt; real time, since the home's clock may be standing.
const PAUSES: [Duration; 2] = [Duration::from_millis(20), Duration::from_millis(100)];

/// A delivery that was given up.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DeadLetter {
    /// The function that didn't take it.
    pub function: String,
    /// What it was called with.
    pub event: Value,
    /// Its last error.
    pub error: String,
    /// When, by the home's clock.
    pub at: DateTime<Utc>,
}

/// How a delivery ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivered {
    /// The function took it.
    Done,
    /// It is among the dead letters.
    Dead,
}

/// Calls functions with events. Clones share it.
#[derive(Debug, Clone)]
pub struct Delivery {
    functions: Functions,
    records: Records,
    clock: HomeClock,
    next: Arc<AtomicU64>,
}

impl Delivery {
    /// Opens the list of dead letters where it left off.
    ///
    /// # Errors
    /// When the records can't be read.
    pub async fn open(functions: Functions, records: Records, clock: HomeClock) -> Result<Self, RecordError> {
        let next = Arc::new(AtomicU64::new(records.next_number(KIND).await?));
        Ok(Self { functions, records, clock, next })
    }

    /// The functions.
    #[must_use]
    pub fn functions(&self) -> &Functions {
        &self.functions
    }

    /// Calls `function` until it takes the event or has failed three times.
    ///
    /// # Errors
    /// When the dead letter can't be kept.
    pub async fn deliver(&self, function: &str, event: &Value) -> Result<Delivered, RecordError> {
        let mut pauses = PAUSES.iter();
        loop {
            let error = match self.functions.invoke(function, event.clone()).await {
                Ok(_) => return Ok(Delivered::Done),
                Err(error) => error,
            };
            // An event that doesn't fit won't fit the next time either.
            let pause = if matches!(error, CallError::Event(_)) { None } else { pauses.next() };
            let Some(pause) = pause else {
                tracing::error!(function, %error, "given up");
                return self.bury(function, event, error.to_string()).await.map(|()| Delivered::Dead);
            };
            tracing::warn!(function, %error, "failed, tried again");
            tokio::time::sleep(*pause).await;
        }
    }

    /// Puts an event among the dead letters.
    ///
    /// # Errors
    /// When it can't be kept.
    pub async fn bury(&self, function: &str, event: &Value, error: String) -> Result<(), RecordError> {
        let letter =
            DeadLetter { function: function.to_owned(), event: event.clone(), error, at: self.clock.now() };
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        self.records.put(Record::new(KIND, numbered(number), &letter)?).await
    }

    /// Every dead letter, oldest first.
    ///
    /// # Errors
    /// When the records can't be read.
    pub async fn dead(&self) -> Result<Vec<DeadLetter>, RecordError> {
        Ok(self.records.list(KIND).await?.into_iter().map(|(_, letter)| letter).collect())
    }
}
