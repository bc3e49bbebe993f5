//! What waits for somebody: tasks, alerts, disagreements, and what rules are about to do; the rows that the pages of a
//! company and of the day show alike.

use barometer_cloud::table::{
    actions::{Action, ActionState},
    cases::Case,
};
use barometer_domain::{
    UserId,
    alert::{self, Alert},
    automation::{Happened, Wanted},
    disagreement::Disagreement,
    follow_up::Priority,
    task::Task,
};

use super::Scene;

/// The company that a row is about, where the page isn't the company's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Whose {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
}

/// A task that is to be done.
#[derive(Debug, Clone)]
pub struct TaskRow {
    /// Its id.
    pub id: String,
    /// Whose it is.
    pub whose: Option<Whose>,
    /// What is to be done.
    pub title: String,
    /// Until when, and by whom.
    pub due: String,
    /// Whether the due date has passed.
    pub overdue: bool,
    /// Whether it has high priority.
    pub urgent: bool,
    /// What there is to say about it.
    pub note: String,
}

/// Builds a row.
pub fn task(case: &Case<Task>, whose: Option<Whose>, scene: Scene<'_>) -> TaskRow {
    let task = &case.content;
    let by = task.assignee.as_ref().map(|assignee| format!(", {assignee}")).unwrap_or_default();
    TaskRow {
        id: case.place.id(),
        whose,
        title: task.title.clone(),
        due: format!("due {}{by}", scene.day(task.due_at)),
        overdue: task.is_overdue(scene.now),
        urgent: task.priority == Priority::High,
        note: task.note.clone().unwrap_or_default(),
    }
}

/// Tasks that are in sight, the most urgent first; what was put off comes when its time has come.
pub fn in_sight<'a>(tasks: &'a [Case<Task>], scene: Scene<'_>) -> Vec<&'a Case<Task>> {
    let mut tasks: Vec<_> = tasks.iter().filter(|case| case.content.is_in_sight(scene.now)).collect();
    tasks.sort_by_key(|case| (case.content.due_at, std::cmp::Reverse(case.content.priority)));
    tasks
}

/// An alert that isn't resolved.
#[derive(Debug, Clone)]
pub struct AlertRow {
    /// Its id.
    pub id: String,
    /// Whose it is.
    pub whose: Option<Whose>,
    /// What it is.
    pub label: &'static str,
    /// What happened.
    pub sentence: String,
    /// Since when, and who looks after it.
    pub since: String,
    /// Whether nobody looks after it yet.
    pub free: bool,
}

/// Builds a row.
pub fn alert(case: &Case<Alert>, whose: Option<Whose>, scene: Scene<'_>) -> AlertRow {
    let alert = &case.content;
    let taken = alert.changed_by.as_ref().map(|by| format!(", {by} looks after it")).unwrap_or_default();
    AlertRow {
        id: case.place.id(),
        whose,
        label: alert.finding.rule.label(),
        sentence: alert.finding.sentence.clone(),
        since: format!("since {}{taken}", scene.day(alert.opened_at)),
        free: alert.state == alert::State::Open,
    }
}

/// A status and an engagement that say different things.
#[derive(Debug, Clone)]
pub struct DisagreementRow {
    /// Its id.
    pub id: String,
    /// Whose it is.
    pub whose: Option<Whose>,
    /// The two readings.
    pub sentence: String,
    /// Until when an answer is taken.
    pub until: String,
}

/// Builds a row.
pub fn disagreement(case: &Case<Disagreement>, whose: Option<Whose>, scene: Scene<'_>) -> DisagreementRow {
    let Disagreement { readings, due_at, .. } = &case.content;
    DisagreementRow {
        id: case.place.id(),
        whose,
        sentence: format!(
            "The business status says {}, yet engagement is {}.",
            readings.status.label(),
            readings.engagement.label()
        ),
        until: format!("open until {}", scene.day(*due_at)),
    }
}

/// What a rule does, or did.
#[derive(Debug, Clone)]
pub struct MotionRow {
    /// Its id.
    pub id: String,
    /// Whose it is.
    pub whose: Option<Whose>,
    /// What is done.
    pub what: String,
    /// How far it is, and when it goes on.
    pub state: String,
    /// The text of a mail or a note.
    pub text: Option<String>,
    /// Why it is done, by which rule.
    pub because: String,
    /// Whether somebody can undo it.
    pub undo: bool,
    /// Whether somebody must approve it.
    pub approve: bool,
    /// Whether somebody can have it tried again.
    pub repeat: bool,
}

/// Builds a row; `name` tells users' names, `rule` rules'.
pub fn motion(
    action: &Action,
    whose: Option<Whose>,
    name: impl Fn(&UserId) -> String,
    rule: impl Fn(&str) -> String,
    scene: Scene<'_>,
) -> MotionRow {
    let (what, text) = said(&action.wanted, name, scene);
    let reason = action.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
    let by = action.by.as_ref().map(|by| format!(" by {by}")).unwrap_or_default();
    let local = |at| scene.zone().local(at).format("%H:%M").to_string();
    let state = match action.state {
        ActionState::Planned if action.attempts > 0 => format!("tried {} times{reason}", action.attempts),
        ActionState::Planned => action.due_at.map_or_else(
            || "waits".to_owned(),
            |due| {
                // What goes out is looked through every quarter of an hour.
                let day =
                    if scene.days_since(due) == 0 { String::new() } else { format!("{} ", scene.day(due)) };
                format!("waits until {day}{}, then goes out within a quarter of an hour", local(due))
            },
        ),
        ActionState::AwaitingApproval => "waits until somebody approves it".to_owned(),
        ActionState::Submitting => "is going out".to_owned(),
        ActionState::Done => action
            .ended_at
            .map_or_else(|| "done".to_owned(), |at| format!("done {} {}{reason}", scene.day(at), local(at))),
        ActionState::Cancelled => format!("undone{by}{reason}"),
        ActionState::Skipped => format!("not done{reason}"),
        ActionState::Failed => format!("failed{reason}"),
        ActionState::Undelivered => format!("did not arrive{reason}"),
        ActionState::Unknown => "may have gone out or not; it is never sent twice".to_owned(),
    };
    let open = matches!(action.state, ActionState::Planned | ActionState::AwaitingApproval);
    MotionRow {
        id: action.place().id(),
        whose,
        what,
        state,
        text,
        because: format!("{}, {}", rule(action.rule.as_str()), because(&action.happened)),
        undo: open,
        approve: action.state == ActionState::AwaitingApproval,
        repeat: action.state == ActionState::Failed,
    }
}

/// What is to be done, and the text of a mail or a note.
pub fn said(wanted: &Wanted, name: impl Fn(&UserId) -> String, scene: Scene<'_>) -> (String, Option<String>) {
    match wanted {
        Wanted::Email { user_id, subject, text, .. } => {
            let to = user_id.as_ref().map_or_else(|| "nobody: nobody here can be mailed".to_owned(), name);
            (format!("Mail to {to}: “{subject}”"), Some(text.clone()))
        }
        Wanted::Task { title, due_at, .. } => (format!("Task: {title}, due {}", scene.day(*due_at)), None),
        Wanted::Webhook { .. } => ("Webhook".to_owned(), None),
        Wanted::Chat { text, .. } => ("Note to the chat".to_owned(), Some(text.clone())),
        Wanted::Tag { add, remove } => {
            let part = |verb: &str, tags: &std::collections::BTreeSet<String>| {
                let tags: Vec<&str> = tags.iter().map(String::as_str).collect();
                (!tags.is_empty()).then(|| format!("{verb} {}", tags.join(", ")))
            };
            let parts: Vec<String> =
                [part("add", add), part("remove", remove)].into_iter().flatten().collect();
            (format!("Tags: {}", parts.join("; ")), None)
        }
    }
}

/// What happened, in a few words.
pub fn because(happened: &Happened) -> String {
    let (from, to) = happened.labels();
    let moved = |what: &str| {
        if from.is_empty() { format!("{what} {to}") } else { format!("{what} {from} → {to}") }
    };
    match happened {
        Happened::Status { .. } => moved("status"),
        Happened::Engagement { .. } => moved("engagement"),
        Happened::Happiness { .. } => moved("happiness"),
        Happened::Alert { .. } => format!("alert: {to}"),
        Happened::Answer { value } => format!("an answer of {} of 10", value.basis_points() / 1_000),
        Happened::ReviewOverdue => "review overdue".to_owned(),
        Happened::Renewal { days } => format!("renews within {days} days"),
    }
}
