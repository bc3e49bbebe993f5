//! Rules: what an answer asks of the CSM, and one live task per user.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use barometer_domain::{
    Zone,
    answer::Rating,
    follow_up::{FollowUp, Heard, Kind, Priority, Wanted, asks, follow_up, next_business_day},
};
use chrono::{Datelike, TimeDelta, Timelike, Weekday};
use proptest::prelude::*;

use crate::support::{any_instant, any_zone, at, cases, nps, zone};

const NOW: &str = "2026-09-07T12:00:00Z"; // a Monday

fn heard(rating: Rating) -> Heard<'static> {
    Heard { name: "ada", rating, comment: None, before: None, at: at(NOW) }
}

fn wanted(heard: &Heard<'_>) -> Option<Wanted> {
    follow_up(heard, Zone::UTC).task
}

#[test]
fn every_rating_up_to_six_is_a_high_priority_task() {
    for rating in 0..=10 {
        let expected = (rating <= 6).then(|| Wanted {
            kind: Kind::Detractor,
            priority: Priority::High,
            due_at: at("2026-09-08T17:00:00Z"),
            title: format!("ada rated {rating} of 10: ask what went wrong"),
            at: at(NOW),
        });
        let follow_up = follow_up(&heard(nps(rating)), Zone::UTC);
        assert_eq!(follow_up, FollowUp { task: expected, advocate: rating >= 9 });
    }
    assert!(Priority::High > Priority::Normal);
}

#[test]
fn other_scales_are_read_in_their_own_terms() {
    let title = |rating| wanted(&heard(rating)).map(|wanted| wanted.title);
    for (rating, expected) in [
        (Rating::stars(3, 5), Some("ada rated 3 of 5 stars: ask what went wrong")),
        (Rating::stars(4, 5), None),
        (Rating::faces(2), Some("ada rated face 2 of 4: ask what went wrong")),
        (Rating::faces(3), None),
    ] {
        assert_eq!(title(rating.unwrap()).as_deref(), expected);
    }
    assert!(follow_up(&heard(Rating::stars(5, 5).unwrap()), Zone::UTC).advocate);
}

#[test]
fn a_question_is_answered_at_any_rating() {
    let ask = |rating| Heard { comment: Some("When do exports come back?"), ..heard(nps(rating)) };
    for (rating, kind, priority, title) in [
        (
            6,
            Kind::Detractor,
            Priority::High,
            "ada rated 6 of 10: ask what went wrong, and answer the question",
        ),
        (7, Kind::Question, Priority::Normal, "ada rated 7 of 10: answer the question"),
        (10, Kind::Question, Priority::Normal, "ada rated 10 of 10: answer the question"),
    ] {
        let task = wanted(&ask(rating)).unwrap();
        assert_eq!((task.kind, task.priority, task.title.as_str()), (kind, priority, title));
    }
    assert!(follow_up(&ask(10), Zone::UTC).advocate, "an advocate who asks is one");
}

#[test]
fn question_marks_of_other_scripts_count() {
    for (comment, question) in [
        ("Why?", true),
        ("なぜですか？", true),
        ("لماذا؟", true),
        ("Γιατί\u{37E}", true),
        ("Great; thanks!", false),
        ("¿", false),
        ("", false),
    ] {
        assert_eq!(asks(comment), question, "{comment}");
    }
}

#[test]
fn a_rating_that_rose_says_both_and_is_no_new_alarm() {
    let rose = Heard { before: Some(nps(3)), ..heard(nps(8)) };
    let task = wanted(&rose).unwrap();
    assert_eq!((task.kind, task.priority), (Kind::Risen, Priority::Normal));
    assert_eq!(task.title, "ada rated 3 of 10, then 8 of 10: ask what went wrong");
    let asked = Heard { comment: Some("And now?"), ..rose };
    let task = wanted(&asked).unwrap();
    assert_eq!(task.kind, Kind::Question);
    assert_eq!(task.title, "ada rated 3 of 10, then 8 of 10: ask what went wrong, and answer the question");
    assert_eq!(wanted(&Heard { before: Some(nps(7)), ..heard(nps(9)) }), None, "was never low");
    let fell = wanted(&Heard { before: Some(nps(6)), ..heard(nps(2)) }).unwrap();
    assert_eq!(fell.title, "ada rated 2 of 10: ask what went wrong");
}

#[test]
fn a_name_stays_on_its_line() {
    let long = "x".repeat(500);
    for name in ["ada\r\nBcc: eve@acme.example", &long] {
        let title = wanted(&Heard { name, ..heard(nps(3)) }).unwrap().title;
        assert!(!title.contains(char::is_control) && title.chars().count() < 120, "{title}");
    }
}

#[test]
fn due_is_the_end_of_the_next_business_day() {
    for (name, time, due) in [
        ("UTC", "2026-09-07T00:00:00Z", "2026-09-08T17:00:00Z"), // Monday, however early
        ("UTC", "2026-09-07T23:59:59Z", "2026-09-08T17:00:00Z"),
        ("UTC", "2026-09-11T09:00:00Z", "2026-09-14T17:00:00Z"), // Friday
        ("UTC", "2026-09-12T09:00:00Z", "2026-09-14T17:00:00Z"), // Saturday
        ("UTC", "2026-09-13T09:00:00Z", "2026-09-14T17:00:00Z"), // Sunday
        ("Europe/Berlin", "2026-09-07T12:00:00Z", "2026-09-08T15:00:00Z"),
        ("Pacific/Auckland", "2026-09-10T13:00:00Z", "2026-09-14T05:00:00Z"), // there it is Friday
        ("Europe/Berlin", "2026-03-27T12:00:00Z", "2026-03-30T15:00:00Z"),    // clocks change on Sunday
        ("Pacific/Apia", "2011-12-30T05:00:00Z", "2012-01-02T03:00:00Z"),     // Thursday, and no Friday came
    ] {
        assert_eq!(next_business_day(at(time), zone(name)), at(due), "{name} {time}");
    }
}

proptest! {
    #![proptest_config(cases(1_024))]

    #[test]
    fn a_due_date_is_five_in_the_afternoon_of_a_working_day_after_today(now in any_instant(), zone in any_zone()) {
        let due = next_business_day(now, zone);
        let local = zone.local(due);
        prop_assert!(!matches!(local.weekday(), Weekday::Sat | Weekday::Sun));
        prop_assert_eq!((local.hour(), local.minute()), (17, 0));
        prop_assert!(local.date() > zone.date(now));
        prop_assert!(due - now <= TimeDelta::days(5));
    }

    #[test]
    fn whatever_is_answered_a_low_rating_is_a_task_and_a_high_one_an_advocate(
        rating in 0_u8..=10, before in proptest::option::of(0_u8..=10), comment in proptest::option::of(".{0,20}"),
    ) {
        let heard = Heard { comment: comment.as_deref(), before: before.map(nps), ..heard(nps(rating)) };
        let FollowUp { task, advocate } = follow_up(&heard, Zone::UTC);
        prop_assert_eq!(task.as_ref().is_some_and(|task| task.priority == Priority::High), rating <= 6);
        prop_assert_eq!(advocate, rating >= 9);
        if comment.is_some_and(|comment| comment.contains('?')) {
            prop_assert!(task.is_some_and(|task| task.title.contains("question")));
        }
    }
}
