//! Tasks: what CSMs are to do.

pub mod list;
pub mod patch;

use barometer_cloud::table::cases::Case;
use barometer_domain::{
    CompanyId,
    follow_up::Priority,
    task::{State, Subject, Task},
};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// The states of a task as the API names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[schemars(rename = "TaskState")]
#[serde(rename_all = "snake_case")]
pub enum Name {
    /// To be done.
    Open,
    /// Put off for a while.
    Snoozed,
    /// Done.
    Done,
    /// Not to be done.
    Cancelled,
}

impl Name {
    /// The name of a state at an instant: what was put off is open again when the time has come.
    fn of(task: &Task, now: DateTime<Utc>) -> Self {
        match task.state {
            State::Snoozed { until } if until > now => Self::Snoozed,
            State::Open | State::Snoozed { .. } => Self::Open,
            State::Done => Self::Done,
            State::Cancelled => Self::Cancelled,
        }
    }

    fn is_live(self) -> bool {
        matches!(self, Self::Open | Self::Snoozed)
    }
}

/// A task as the API shows it.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub struct TaskView {
    id: String,
    /// How often it was changed: what a change takes in `If-Match`, and answers as `ETag`.
    version: u32,
    company_id: Option<CompanyId>,
    #[serde(flatten)]
    subject: Subject,
    title: String,
    priority: Priority,
    due_at: DateTime<Utc>,
    overdue: bool,
    state: Name,
    /// Until when it is put off; null when it isn't.
    snoozed_until: Option<DateTime<Utc>>,
    /// The CSM who is to do it; null when the company has no owner.
    assignee: Option<String>,
    note: Option<String>,
    opened_at: DateTime<Utc>,
    closed_at: Option<DateTime<Utc>>,
    closed_by: Option<String>,
}

impl TaskView {
    /// A task at an instant.
    pub fn new(case: Case<Task>, now: DateTime<Utc>) -> Self {
        let (id, version, task) = (case.place.id(), case.version, case.content);
        let state = Name::of(&task, now);
        Self {
            id,
            version,
            company_id: case.place.company,
            overdue: task.is_overdue(now),
            snoozed_until: match task.state {
                State::Snoozed { until } if state == Name::Snoozed => Some(until),
                _ => None,
            },
            subject: task.subject,
            title: task.title,
            priority: task.priority,
            due_at: task.due_at,
            state,
            assignee: task.assignee,
            note: task.note,
            opened_at: task.opened_at,
            closed_at: task.closed_at,
            closed_by: task.closed_by,
        }
    }
}
