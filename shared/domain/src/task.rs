//! What a CSM is to do, as it is kept.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{
    UserId, Zone,
    automation::RuleId,
    follow_up::{Kind, Priority, Wanted, business_days},
};

/// Longest note, in characters.
pub const LONGEST_NOTE: usize = 5_000;

/// What a task is about. There is at most one live task of a subject.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case", tag = "about")]
pub enum Subject {
    /// What a user of the company answered.
    FollowUp {
        /// The user.
        user_id: UserId,
    },
    /// What a rule asks for.
    Automation {
        /// The rule.
        rule: RuleId,
    },
}

/// Where a task stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// To be done.
    Open,
    /// To be done, and out of sight for a while.
    Snoozed {
        /// Until then.
        until: DateTime<Utc>,
    },
    /// Done.
    Done,
    /// Not to be done.
    Cancelled,
}

/// A task as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Task {
    /// What it is about.
    pub subject: Subject,
    /// What is to be done, in one line.
    pub title: String,
    /// How urgent.
    pub priority: Priority,
    /// Until when it is to be done.
    pub due_at: DateTime<Utc>,
    /// Where it stands.
    pub state: State,
    /// When what asked for it happened first.
    pub opened_at: DateTime<Utc>,
    /// When what it says happened, such as the newest answer.
    pub asked_at: DateTime<Utc>,
    /// When it was made more urgent, because nobody did it in time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub escalated_at: Option<DateTime<Utc>>,
    /// When it was done or cancelled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_at: Option<DateTime<Utc>>,
    /// Who did or cancelled it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_by: Option<String>,
    /// What there is to say about it, in the CSM's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Who is to do it; nobody when the company has no owner.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assignee: Option<String>,
}

/// Why a task doesn't change as asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TaskError {
    /// It is done or cancelled.
    #[error("the task is closed")]
    Closed,
    /// It is open, so it can't be opened again.
    #[error("the task is open already")]
    Open,
    /// A snooze ends later than now.
    #[error("a task is put off to an instant in the future")]
    Past,
    /// The note is too long.
    #[error("a note has at most {LONGEST_NOTE} characters")]
    LongNote,
}

impl Task {
    /// A new task.
    pub fn open(subject: Subject, wanted: Wanted, assignee: Option<String>) -> Self {
        let Wanted { kind: _, priority, due_at, title, at } = wanted;
        Self {
            subject,
            title,
            priority,
            due_at,
            state: State::Open,
            opened_at: at,
            asked_at: at,
            escalated_at: None,
            closed_at: None,
            closed_by: None,
            note: None,
            assignee,
        }
    }

    /// Takes in what is wanted now, when [`decide`] says so: the title is the new one, the due date only ever comes
    /// nearer, the priority only ever rises. A task that was put off is in sight again, unless the news is good.
    pub fn update(&mut self, wanted: Wanted) {
        let Wanted { kind, priority, due_at, title, at } = wanted;
        self.title = title;
        self.priority = self.priority.max(priority);
        self.due_at = self.due_at.min(due_at);
        self.asked_at = self.asked_at.max(at);
        if kind != Kind::Risen && self.is_live() {
            self.state = State::Open;
        }
    }

    /// Neither done nor cancelled.
    pub fn is_live(&self) -> bool {
        matches!(self.state, State::Open | State::Snoozed { .. })
    }

    /// To be done, and not put off beyond now.
    pub fn is_in_sight(&self, now: DateTime<Utc>) -> bool {
        match self.state {
            State::Open => true,
            State::Snoozed { until } => until <= now,
            State::Done | State::Cancelled => false,
        }
    }

    /// In sight and past its due date.
    pub fn is_overdue(&self, now: DateTime<Utc>) -> bool {
        self.is_in_sight(now) && now > self.due_at
    }

    /// Rule: escalation: a task in sight that isn't done by the end of the business day after its due date has high
    /// priority. Returns whether that is new: it happens once.
    pub fn escalate(&mut self, now: DateTime<Utc>, zone: Zone) -> bool {
        let late = self.is_overdue(now) && now > business_days(self.due_at, 1, zone);
        if !late || self.escalated_at.is_some() {
            return false;
        }
        (self.priority, self.escalated_at) = (Priority::High, Some(now));
        true
    }

    /// Somebody did it. Errors: it is closed.
    pub fn done(&mut self, by: &str, at: DateTime<Utc>) -> Result<(), TaskError> {
        self.close(State::Done, by, at)
    }

    /// It isn't to be done. Errors: it is closed.
    pub fn cancel(&mut self, by: &str, at: DateTime<Utc>) -> Result<(), TaskError> {
        self.close(State::Cancelled, by, at)
    }

    /// Puts it off; the due date stays. Errors: it is closed, or `until` isn't later than now.
    pub fn snooze(&mut self, until: DateTime<Utc>, now: DateTime<Utc>) -> Result<(), TaskError> {
        if !self.is_live() {
            return Err(TaskError::Closed);
        }
        if until <= now {
            return Err(TaskError::Past);
        }
        self.state = State::Snoozed { until };
        Ok(())
    }

    /// Opens it again after it was put off, done or cancelled. The caller sees to it that the subject has no other live
    /// task. Errors: it is open.
    pub fn reopen(&mut self) -> Result<(), TaskError> {
        if self.state == State::Open {
            return Err(TaskError::Open);
        }
        (self.state, self.closed_at, self.closed_by) = (State::Open, None, None);
        Ok(())
    }

    /// Sets the note, also of a closed task; a blank one takes it away. Errors: it is too long.
    pub fn set_note(&mut self, note: &str) -> Result<(), TaskError> {
        let note = note.trim();
        if note.chars().count() > LONGEST_NOTE {
            return Err(TaskError::LongNote);
        }
        self.note = (!note.is_empty()).then(|| note.to_owned());
        Ok(())
    }

    fn close(&mut self, state: State, by: &str, at: DateTime<Utc>) -> Result<(), TaskError> {
        if !self.is_live() {
            return Err(TaskError::Closed);
        }
        (self.state, self.closed_at, self.closed_by) = (state, Some(at), Some(by.to_owned()));
        Ok(())
    }
}

/// What an answer does to the tasks about its user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Opens a new task.
    Open,
    /// Changes the live task: [`Task::update`].
    Update,
    /// Nothing.
    Nothing,
}

/// Rule: one live follow-up per user. `existing` is the subject's latest task. What is wanted changes it while it is
/// live and opens another one when it is closed. An answer that the task knows already, or an older one, does nothing,
/// so that delivering answers again or in another order never opens a second task. Good news opens nothing.
pub fn decide(existing: Option<&Task>, wanted: &Wanted) -> Decision {
    match existing {
        Some(task) if wanted.at <= task.asked_at => Decision::Nothing,
        Some(task) if task.is_live() => Decision::Update,
        _ if wanted.kind == Kind::Risen => Decision::Nothing,
        _ => Decision::Open,
    }
}
