//! Rule: disagreement of business status and engagement.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use barometer_domain::{
    band::{Band, Standing},
    disagreement::{Answer, AnswerError, Decision, Disagreement, Readings, State, decide},
    status::Status,
};
use chrono::{DateTime, TimeDelta, Utc};

use crate::support::at;

const APART: Readings = Readings { status: Status::Thriving, engagement: Band::AtRisk };
const OTHER: Readings = Readings { status: Status::Thriving, engagement: Band::Steady };
const NEAR: Readings = Readings { status: Status::Thriving, engagement: Band::Healthy };

fn day(days: i64) -> DateTime<Utc> {
    at("2026-09-07T09:00:00Z") + TimeDelta::days(days)
}

fn opened() -> Disagreement {
    Disagreement::open(APART, day(0))
}

#[test]
fn both_sides_must_be_known() {
    assert_eq!(Readings::of(Some(Status::Thriving), Some(Standing::AtRisk)), Some(APART));
    for (status, engagement) in [
        (None, Some(Standing::AtRisk)),
        (Some(Status::Thriving), None),
        (Some(Status::Thriving), Some(Standing::Onboarding)),
        (Some(Status::Thriving), Some(Standing::Insufficient)),
    ] {
        assert_eq!(Readings::of(status, engagement), None, "{status:?} {engagement:?}");
    }
}

#[test]
fn two_bands_apart_open_an_item_for_14_days() {
    assert_eq!(decide(None, None, day(0)), Decision::Nothing);
    assert_eq!(decide(None, Some(NEAR), day(0)), Decision::Nothing);
    assert_eq!(decide(None, Some(APART), day(0)), Decision::Open);
    let item = opened();
    assert_eq!((item.state, item.due_at), (State::Open, day(14)));
    assert_eq!(decide(Some(&item), Some(APART), day(13)), Decision::Nothing);
    assert_eq!(decide(Some(&item), None, day(13)), Decision::Nothing, "not known for a week");
    assert_eq!(decide(Some(&item), Some(APART), day(14)), Decision::Expire);
    assert_eq!(decide(Some(&item), None, day(14)), Decision::Expire);
}

#[test]
fn readings_that_come_together_settle_it() {
    let mut item = opened();
    assert_eq!(decide(Some(&item), Some(NEAR), day(3)), Decision::Expire);
    item.expire(day(3));
    assert_eq!((item.state, item.closed_at), (State::Expired, Some(day(3))));
    assert_eq!(decide(Some(&item), Some(NEAR), day(30)), Decision::Nothing);
}

#[test]
fn an_answer_is_taken_once_and_in_time() {
    let dispute = |reason: &str| Answer::Dispute { reason: reason.to_owned() };
    for (answer, state, reason) in [
        (Answer::Confirm, State::Confirmed, None),
        (dispute(" They use the API "), State::Disputed, Some("They use the API")),
        (Answer::BothRight, State::BothRight, None),
    ] {
        let mut item = opened();
        item.answer(answer, "kim@acme.example", day(5)).unwrap();
        assert_eq!((item.state, item.reason.as_deref()), (state, reason));
        assert_eq!((item.closed_at, item.answered_by.as_deref()), (Some(day(5)), Some("kim@acme.example")));
        assert_eq!(item.answer(Answer::Confirm, "lee", day(6)), Err(AnswerError::Closed));
        let before = item.clone();
        item.expire(day(20));
        assert_eq!(item, before, "what is answered doesn't expire");
        let text = serde_json::to_string(&item).unwrap();
        assert_eq!(serde_json::from_str::<Disagreement>(&text).unwrap(), item);
    }
    let mut item = opened();
    assert_eq!(item.answer(dispute("  "), "kim", day(1)), Err(AnswerError::NoReason));
    assert_eq!(item, opened());
    assert_eq!(item.answer(Answer::Confirm, "kim", day(14)), Err(AnswerError::Closed), "too late");
    assert!(item.answer(Answer::Confirm, "kim", day(14) - TimeDelta::seconds(1)).is_ok());
}

#[test]
fn the_same_readings_are_asked_about_again_after_14_days_others_at_once() {
    let mut answered = opened();
    answered.answer(Answer::BothRight, "kim", day(5)).unwrap();
    let mut expired = opened();
    expired.expire(day(16)); // found late: it expired on day 14
    for (item, closed) in [(answered, 5), (expired, 14)] {
        assert_eq!(decide(Some(&item), Some(APART), day(closed + 13)), Decision::Nothing);
        assert_eq!(decide(Some(&item), Some(APART), day(closed + 14)), Decision::Open);
        assert_eq!(decide(Some(&item), Some(OTHER), day(closed)), Decision::Open);
        assert_eq!(decide(Some(&item), Some(NEAR), day(closed + 14)), Decision::Nothing);
        assert_eq!(decide(Some(&item), None, day(closed + 14)), Decision::Nothing);
    }
    assert_eq!(decide(Some(&opened()), Some(OTHER), day(2)), Decision::Open, "in the open one's place");
}

#[test]
fn the_words_of_disagreements() {
    let states = [State::Open, State::Confirmed, State::Disputed, State::BothRight, State::Expired];
    let wire = states.map(|state| serde_json::to_value(state).unwrap());
    assert_eq!(wire, ["open", "confirmed", "disputed", "both_right", "expired"]);
    for (text, answer) in [
        (r#"{"answer":"confirm"}"#, Answer::Confirm),
        (r#"{"answer":"dispute","reason":"API"}"#, Answer::Dispute { reason: "API".to_owned() }),
        (r#"{"answer":"both_right"}"#, Answer::BothRight),
    ] {
        assert_eq!(serde_json::from_str::<Answer>(text).unwrap(), answer);
    }
    assert!(serde_json::from_str::<Answer>(r#"{"answer":"dispute"}"#).is_err());
}
