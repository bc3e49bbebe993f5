//! What the home must know to go on where it was: its clock and how far each schedule has run.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::clock::rfc3339;
use crate::records::{Record, RecordError, Records};

const KIND: &str = "home";
const KEY: &str = "state";

/// A start that would turn the clock back.
#[derive(Debug, Error, PartialEq, Eq)]
#[error(
    "--now {} lies before {}, which this data folder's clock has already shown",
    rfc3339(*asked),
    rfc3339(*stored)
)]
pub struct ClockBack {
    asked: DateTime<Utc>,
    stored: DateTime<Utc>,
}

/// The home's state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// No earlier than anything that the clock has shown.
    pub clock: DateTime<Utc>,
    /// Whether the clock was never set, and so follows the machine's across restarts.
    pub follows_machine: bool,
    /// The first instant of this data folder.
    pub started_at: DateTime<Utc>,
    /// By schedule: the last instant whose run has ended, or where the schedule began.
    pub cursors: BTreeMap<String, DateTime<Utc>>,
}

impl State {
    /// The state to start with: a new one, or the stored one with the clock moved on.
    ///
    /// A clock that was never set follows the machine's. One that was set goes on where it was. A start with
    /// the same `--now` as the folder's first start is that command given again, and also goes on.
    ///
    /// # Errors
    /// When any other `--now` lies before the stored clock.
    pub fn start(
        stored: Option<Self>,
        asked: Option<DateTime<Utc>>,
        machine: DateTime<Utc>,
    ) -> Result<Self, ClockBack> {
        let Some(mut state) = stored else {
            let now = asked.unwrap_or(machine);
            return Ok(Self {
                clock: now,
                follows_machine: asked.is_none(),
                started_at: now,
                cursors: BTreeMap::new(),
            });
        };
        match asked {
            Some(asked) if asked >= state.clock => {
                state.clock = asked;
                state.follows_machine = false;
            }
            Some(asked) if asked != state.started_at => {
                return Err(ClockBack { asked, stored: state.clock });
            }
            Some(_) => {}
            None if state.follows_machine => state.clock = state.clock.max(machine),
            None => {}
        }
        Ok(state)
    }

    /// Whether the clock has run far enough past what is stored to be stored again.
    #[must_use]
    pub fn is_behind(&self, now: DateTime<Utc>) -> bool {
        !self.follows_machine && now + TimeDelta::seconds(5) >= self.clock
    }

    /// Notes a clock that will go on running: somewhat later, so that a kill before the next note doesn't
    /// turn it back.
    pub fn note_running(&mut self, now: DateTime<Utc>) {
        self.clock = if self.follows_machine { now } else { now + TimeDelta::seconds(10) };
    }

    /// Reads the stored state.
    ///
    /// # Errors
    /// When the records can't be read.
    pub async fn load(records: &Records) -> Result<Option<Self>, RecordError> {
        records.get(KIND, KEY).await
    }

    /// Stores the state.
    ///
    /// # Errors
    /// When the records can't be written.
    pub async fn save(&self, records: &Records) -> Result<(), RecordError> {
        records.put(Record::new(KIND, KEY, self)?).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn a_new_folder_starts_where_it_is_told() {
        let machine = at("2026-11-22T00:00:00Z");
        let fresh = State::start(None, None, machine).unwrap();
        assert!(fresh.follows_machine && fresh.clock == machine);
        let set = State::start(None, Some(at("2026-09-01T00:00:00Z")), machine).unwrap();
        assert!(!set.follows_machine && set.clock == at("2026-09-01T00:00:00Z"));
    }

    #[test]
    fn a_known_folder_goes_on() {
        let machine = at("2026-11-22T00:00:00Z");
        let mut set = State::start(None, Some(at("2026-09-01T00:00:00Z")), machine).unwrap();
        set.clock = at("2026-09-20T00:00:00Z");
        let start = |asked: Option<&str>| State::start(Some(set.clone()), asked.map(at), machine);
        assert_eq!(start(None).unwrap().clock, set.clock);
        assert_eq!(start(Some("2026-09-01T00:00:00Z")).unwrap().clock, set.clock);
        assert_eq!(start(Some("2026-10-01T00:00:00Z")).unwrap().clock, at("2026-10-01T00:00:00Z"));
        assert!(start(Some("2026-09-19T00:00:00Z")).is_err());
        let machines = State { follows_machine: true, ..set };
        assert_eq!(State::start(Some(machines), None, machine).unwrap().clock, machine);
    }
}
