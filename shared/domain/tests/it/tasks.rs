//! Rules: the moves of a task, and one live follow-up per user.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use barometer_domain::{
    Zone,
    follow_up::{Heard, Kind, Priority, Wanted, follow_up},
    task::{Decision, LONGEST_NOTE, State, Subject, Task, TaskError, decide},
};
use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;

use crate::support::{at, cases, nps, user};

fn hour(hours: i64) -> DateTime<Utc> {
    at("2026-09-07T09:00:00Z") + TimeDelta::hours(hours)
}

fn wanted(kind: Kind, hours: i64) -> Wanted {
    Wanted {
        kind,
        priority: if kind == Kind::Detractor { Priority::High } else { Priority::Normal },
        due_at: hour(hours + 24),
        title: format!("{kind:?} {hours}"),
        at: hour(hours),
    }
}

fn subject() -> Subject {
    Subject::FollowUp { user_id: user("ada") }
}

fn opened() -> Task {
    Task::open(subject(), wanted(Kind::Detractor, 0), Some("kim".to_owned()))
}

fn done() -> Task {
    let mut task = opened();
    task.done("kim", hour(2)).unwrap();
    task
}

#[test]
fn a_low_answer_opens_a_task() {
    assert_eq!(decide(None, &wanted(Kind::Detractor, 0)), Decision::Open);
    assert_eq!(decide(None, &wanted(Kind::Question, 0)), Decision::Open);
    let task = opened();
    assert_eq!((task.state, task.opened_at, task.asked_at), (State::Open, hour(0), hour(0)));
    assert_eq!((task.title.as_str(), task.priority, task.due_at), ("Detractor 0", Priority::High, hour(24)));
    assert_eq!(task.assignee.as_deref(), Some("kim"));
}

#[test]
fn a_second_low_answer_changes_the_live_task() {
    let mut task = opened();
    assert_eq!(decide(Some(&task), &wanted(Kind::Detractor, 5)), Decision::Update);
    task.update(wanted(Kind::Detractor, 5));
    assert_eq!((task.title.as_str(), task.asked_at, task.opened_at), ("Detractor 5", hour(5), hour(0)));
    assert_eq!(task.due_at, hour(24), "never later");
    let sooner = Wanted { due_at: hour(10), ..wanted(Kind::Question, 6) };
    task.update(sooner);
    assert_eq!((task.due_at, task.priority), (hour(10), Priority::High), "never less urgent");
    let mut question = Task::open(subject(), wanted(Kind::Question, 0), None);
    question.update(wanted(Kind::Detractor, 1));
    assert_eq!(question.priority, Priority::High);
}

#[test]
fn the_same_answer_again_or_an_older_one_does_nothing() {
    for task in [opened(), done()] {
        for hours in [0, -1] {
            assert_eq!(decide(Some(&task), &wanted(Kind::Detractor, hours)), Decision::Nothing);
        }
    }
}

#[test]
fn after_done_or_cancelled_a_low_answer_opens_another_task() {
    let mut cancelled = opened();
    cancelled.cancel("kim", hour(2)).unwrap();
    for task in [done(), cancelled] {
        assert_eq!(decide(Some(&task), &wanted(Kind::Detractor, 3)), Decision::Open);
        assert_eq!(decide(Some(&task), &wanted(Kind::Question, 3)), Decision::Open);
    }
}

#[test]
fn a_rating_that_rose_is_noted_and_opens_nothing() {
    assert_eq!(decide(None, &wanted(Kind::Risen, 0)), Decision::Nothing);
    assert_eq!(decide(Some(&done()), &wanted(Kind::Risen, 3)), Decision::Nothing);
    let mut task = opened();
    task.snooze(hour(48), hour(1)).unwrap();
    assert_eq!(decide(Some(&task), &wanted(Kind::Risen, 3)), Decision::Update);
    task.update(wanted(Kind::Risen, 3));
    assert_eq!((task.title.as_str(), task.priority, task.due_at), ("Risen 3", Priority::High, hour(24)));
    assert_eq!(task.state, State::Snoozed { until: hour(48) }, "good news can wait");
    task.update(wanted(Kind::Detractor, 4));
    assert_eq!(task.state, State::Open, "bad news can't");
}

#[test]
fn a_task_is_closed_once() {
    let mut task = done();
    assert_eq!(
        (task.state, task.closed_at, task.closed_by.as_deref()),
        (State::Done, Some(hour(2)), Some("kim"))
    );
    let before = task.clone();
    assert_eq!(task.done("lee", hour(3)), Err(TaskError::Closed));
    assert_eq!(task.cancel("lee", hour(3)), Err(TaskError::Closed));
    assert_eq!(task.snooze(hour(9), hour(3)), Err(TaskError::Closed));
    assert_eq!(task, before);
    task.reopen().unwrap();
    assert_eq!(task, opened());
    assert_eq!(task.reopen(), Err(TaskError::Open));
}

#[test]
fn a_task_put_off_is_out_of_sight_until_then() {
    let mut task = opened();
    assert_eq!(task.snooze(hour(1), hour(1)), Err(TaskError::Past));
    task.snooze(hour(30), hour(1)).unwrap();
    assert!(task.is_live());
    assert!(!task.is_in_sight(hour(29)) && !task.is_overdue(hour(29)));
    assert!(task.is_in_sight(hour(30)) && task.is_overdue(hour(30)));
    task.reopen().unwrap();
    assert!(task.is_in_sight(hour(2)));
    task.snooze(hour(30), hour(2)).unwrap();
    assert!(task.done("kim", hour(3)).is_ok(), "what is put off can be done");
}

#[test]
fn a_task_is_overdue_after_its_due_date_while_it_is_to_be_done() {
    assert!(!opened().is_overdue(hour(24)));
    assert!(opened().is_overdue(hour(24) + TimeDelta::seconds(1)));
    assert!(!done().is_overdue(hour(25)));
}

#[test]
fn a_note_is_kept_without_blanks_around_and_within_its_length() {
    let mut task = done();
    task.set_note(" Called her \n").unwrap();
    assert_eq!(task.note.as_deref(), Some("Called her"));
    assert_eq!(task.set_note(&"ä".repeat(LONGEST_NOTE + 1)), Err(TaskError::LongNote));
    assert_eq!(task.note.as_deref(), Some("Called her"));
    task.set_note(&"ä".repeat(LONGEST_NOTE)).unwrap();
    task.set_note("  ").unwrap();
    assert_eq!(task.note, None);
}

#[test]
fn a_task_as_it_is_written_down() {
    let mut snoozed = opened();
    snoozed.snooze(hour(5), hour(1)).unwrap();
    let mut noted = done();
    noted.set_note("Called her").unwrap();
    for task in [opened(), snoozed, noted] {
        let text = serde_json::to_string(&task).unwrap();
        assert_eq!(serde_json::from_str::<Task>(&text).unwrap(), task, "{text}");
    }
    let json = serde_json::to_value(Task::open(subject(), wanted(Kind::Detractor, 0), None)).unwrap();
    assert_eq!(
        json,
        serde_json::json!({
            "subject": { "about": "follow_up", "user_id": "ada" },
            "title": "Detractor 0",
            "priority": "high",
            "due_at": "2026-09-08T09:00:00Z",
            "state": "open",
            "opened_at": "2026-09-07T09:00:00Z",
            "asked_at": "2026-09-07T09:00:00Z",
        })
    );
}

proptest! {
    #![proptest_config(cases(1_024))]

    /// Answers in any order, each any number of times, with the task being closed in between.
    #[test]
    fn there_is_never_a_second_live_task(
        deliveries in proptest::collection::vec((0_i64..12, 0_u8..=10, any::<bool>()), 1..24),
    ) {
        let mut tasks: Vec<Task> = Vec::new();
        for (hours, rating, close) in deliveries {
            let heard = Heard { name: "ada", rating: nps(rating), comment: None, before: None, at: hour(hours) };
            if let Some(wanted) = follow_up(&heard, Zone::UTC).task {
                match decide(tasks.last(), &wanted) {
                    Decision::Open => tasks.push(Task::open(subject(), wanted.clone(), None)),
                    Decision::Update => tasks.last_mut().unwrap().update(wanted.clone()),
                    Decision::Nothing => {}
                }
                prop_assert_eq!(decide(tasks.last(), &wanted), Decision::Nothing, "delivered again");
            }
            if close && let Some(task) = tasks.last_mut().filter(|task| task.is_live()) {
                task.done("kim", hour(50)).unwrap();
            }
            prop_assert!(tasks.iter().rev().skip(1).all(|task| !task.is_live()));
        }
    }
}
