//! Business status and engagement say different things: the CSM is asked, neither is averaged away.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::{
    band::{Band, Standing},
    quadrant,
    status::Status,
};

/// How long a CSM has to answer, and how long the same two readings aren't asked about again after that.
pub const DAYS: TimeDelta = TimeDelta::days(14);

/// The two readings of a company, each as it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Readings {
    /// The business status, fresh.
    pub status: Status,
    /// The band of engagement.
    pub engagement: Band,
}

impl Readings {
    /// Both readings; nothing when the status isn't set and fresh, or engagement has no band.
    pub fn of(fresh_status: Option<Status>, engagement: Option<Standing>) -> Option<Self> {
        Some(Self { status: fresh_status?, engagement: engagement?.band()? })
    }

    /// Two or more bands apart.
    pub fn disagree(self) -> bool {
        quadrant::disagree(self.status, self.engagement)
    }
}

/// What the CSM says of a disagreement. None of it changes a score or a status.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case", tag = "answer")]
pub enum Answer {
    /// Engagement is right: the status is out of date, and the CSM sets it.
    Confirm,
    /// Engagement is wrong for this company.
    Dispute {
        /// Why, such as use that isn't tracked.
        reason: String,
    },
    /// Both are right: they measure different things.
    BothRight,
}

/// Where a disagreement stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[schemars(rename = "DisagreementState")]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Waits for the CSM.
    Open,
    /// Engagement is right.
    Confirmed,
    /// Engagement is wrong, for the reason given.
    Disputed,
    /// Both are right.
    BothRight,
    /// Nobody answered within 14 days, or the readings came together before.
    Expired,
}

/// A disagreement as it is kept, owned by the company's CSM.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Disagreement {
    /// What was read when it was opened.
    pub readings: Readings,
    /// Where it stands.
    pub state: State,
    /// When it was opened.
    pub opened_at: DateTime<Utc>,
    /// When it expires unanswered.
    pub due_at: DateTime<Utc>,
    /// When it was answered or expired.
    pub closed_at: Option<DateTime<Utc>>,
    /// Who answered.
    pub answered_by: Option<String>,
    /// Why it was disputed.
    pub reason: Option<String>,
}

/// Why an answer isn't taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AnswerError {
    /// It is answered or expired.
    #[error("the disagreement is closed")]
    Closed,
    /// A dispute needs a reason.
    #[error("a dispute needs a reason")]
    NoReason,
}

impl Disagreement {
    /// A new item.
    pub fn open(readings: Readings, at: DateTime<Utc>) -> Self {
        Self {
            readings,
            state: State::Open,
            opened_at: at,
            due_at: at + DAYS,
            closed_at: None,
            answered_by: None,
            reason: None,
        }
    }

    /// Takes the CSM's answer. Errors: closed or past its 14 days, or a dispute with a blank reason.
    pub fn answer(&mut self, answer: Answer, by: &str, at: DateTime<Utc>) -> Result<(), AnswerError> {
        if self.state != State::Open || at >= self.due_at {
            return Err(AnswerError::Closed);
        }
        (self.state, self.reason) = match answer {
            Answer::Confirm => (State::Confirmed, None),
            Answer::BothRight => (State::BothRight, None),
            Answer::Dispute { reason } if reason.trim().is_empty() => return Err(AnswerError::NoReason),
            Answer::Dispute { reason } => (State::Disputed, Some(reason.trim().to_owned())),
        };
        (self.closed_at, self.answered_by) = (Some(at), Some(by.to_owned()));
        Ok(())
    }

    /// Closes an open item without an answer: at its 14 days, or earlier when the readings come together.
    pub fn expire(&mut self, at: DateTime<Utc>) {
        if self.state == State::Open {
            (self.state, self.closed_at) = (State::Expired, Some(at.min(self.due_at)));
        }
    }
}

/// What the readings of today do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Opens a new item; one that was open about other readings expires.
    Open,
    /// The open item expires.
    Expire,
    /// Nothing.
    Nothing,
}

/// Rule: business status and engagement two or more bands apart open an item for 14 days. The same two
/// readings are asked about again only when 14 days have passed since the item was answered or expired; other
/// readings at once.
///
/// `existing` is the company's latest item. `readings` are nothing when either side isn't known, which opens
/// nothing and leaves an open item its 14 days.
pub fn decide(existing: Option<&Disagreement>, readings: Option<Readings>, now: DateTime<Utc>) -> Decision {
    let open = existing.is_some_and(|item| item.state == State::Open);
    let differs = existing.is_none_or(|item| Some(item.readings) != readings);
    match (existing, readings.map(Readings::disagree)) {
        (_, Some(true)) if differs => Decision::Open,
        (_, Some(false)) if open => Decision::Expire,
        (Some(item), _) if open && now >= item.due_at => Decision::Expire,
        (Some(item), Some(true)) if item.closed_at.is_some_and(|closed| now >= closed + DAYS) => {
            Decision::Open
        }
        _ => Decision::Nothing,
    }
}
