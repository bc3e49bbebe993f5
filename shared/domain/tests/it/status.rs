//! Rule: business status: review-by, stale, transition and confirmation.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use barometer_domain::status::{BusinessStatus, ChangeKind, ReviewDays, Stale, Status};
use chrono::TimeDelta;

use crate::support::at;

const ALL: [Status; 4] = [Status::Thriving, Status::Healthy, Status::Steady, Status::Struggling];

#[test]
fn thriving_and_struggling_are_reviewed_after_30_days_the_others_after_90() {
    let set = at("2026-03-01T09:00:00Z");
    for (status, days) in ALL.into_iter().zip([30, 90, 90, 30]) {
        assert_eq!(ReviewDays::default().review_by(status, set) - set, TimeDelta::days(days), "{status:?}");
    }
    let own: ReviewDays =
        serde_json::from_str(r#"{"thriving":1,"healthy":2,"steady":3,"struggling":4}"#).unwrap();
    for (status, days) in ALL.into_iter().zip([1, 2, 3, 4]) {
        assert_eq!(own.review_by(status, set) - set, TimeDelta::days(days), "{status:?}");
    }
    assert!(serde_json::from_str::<ReviewDays>(r#"{"thriving":1,"healthy":2,"steady":3}"#).is_err());
}

#[test]
fn a_status_is_stale_from_a_handover_until_it_is_set_again() {
    let set_at = at("2026-09-01T09:00:00Z");
    let status = |set_at| BusinessStatus {
        value: Status::Steady,
        note: "As agreed".into(),
        author: "kim@acme.example".into(),
        set_at,
        review_by: ReviewDays::default().review_by(Status::Steady, set_at),
    };
    let handover = set_at + TimeDelta::days(10);
    let now = handover + TimeDelta::days(1);
    assert_eq!(status(set_at).stale(Some(handover), now), Some(Stale::HandedOver));
    assert_eq!(status(handover).stale(Some(handover), now), None, "set by the new owner");
    let late = set_at + TimeDelta::days(100);
    assert_eq!(status(set_at).stale(Some(handover), late), Some(Stale::HandedOver));
    assert_eq!(
        status(handover).stale(Some(handover), handover + TimeDelta::days(91)),
        Some(Stale::ReviewOverdue)
    );
}

#[test]
fn a_status_is_stale_past_its_review_by() {
    let set_at = at("2026-09-01T09:00:00Z");
    let review_by = ReviewDays::default().review_by(Status::Thriving, set_at);
    let status = BusinessStatus {
        value: Status::Thriving,
        note: "Signed for two years".into(),
        author: "kim@acme.example".into(),
        set_at,
        review_by,
    };
    assert_eq!(status.stale(None, set_at), None);
    assert_eq!(status.stale(None, review_by), None, "due, not yet past");
    assert_eq!(status.stale(None, review_by + TimeDelta::seconds(1)), Some(Stale::ReviewOverdue));
    let text = serde_json::to_string(&status).unwrap();
    assert_eq!(serde_json::from_str::<BusinessStatus>(&text).unwrap(), status);
}

#[test]
fn the_same_again_is_a_confirmation() {
    for from in ALL {
        for to in ALL {
            let expected = if from == to { ChangeKind::Confirmation } else { ChangeKind::Transition };
            assert_eq!(ChangeKind::of(Some(from), to), expected);
        }
        assert_eq!(ChangeKind::of(None, from), ChangeKind::Transition, "the first is a transition");
    }
}

#[test]
fn struggling_is_a_word_of_its_own() {
    for (status, wire, label) in [
        (Status::Thriving, "thriving", "Thriving"),
        (Status::Healthy, "healthy", "Healthy"),
        (Status::Steady, "steady", "Steady"),
        (Status::Struggling, "struggling", "Struggling"),
    ] {
        assert_eq!(serde_json::to_value(status).unwrap(), wire);
        assert_eq!(status.label(), label);
    }
    for text in [r#""at_risk""#, r#""onboarding""#, r#""Struggling""#, r#""""#] {
        assert!(serde_json::from_str::<Status>(text).is_err(), "{text}");
    }
}
