//! Any request gets an answer that its client understands, and every event of it is accepted or named.

use std::collections::BTreeSet;

use axum::response::{IntoResponse, Response};
use barometer_domain::{CompanyId, Settings, UserId, Zone, activity};
use chrono::TimeDelta;
use http::{HeaderMap, Method, StatusCode, header::CONTENT_TYPE};
use http_body_util::BodyExt;
use ingest_events::{
    answer::{self, Receipt},
    event::{Event, Kind, MAX_COMMENT_BYTES, MAX_NAME_BYTES},
    limits::{Limits, MAX_LISTED},
    open::{Opened, open},
    read::Reading,
    time::AHEAD,
};
use serde_json::Value;

use super::{Message, Target, received};

/// Largest answer: Lambda hands on 6 MB.
const ANSWER_BYTES: usize = 5_000_000;

/// Checks one [`Message`].
pub fn check(target: Target, input: &[u8]) {
    let message = Message::parse(input, target.paths());
    // As the router has it: how far back a workspace looks is known only with its key.
    let limits = Limits { retention: TimeDelta::days(i64::from(u16::MAX)), ..Limits::default() };
    let open = || open(&Method::POST, &message.uri, &message.headers, message.body, received(), &limits);
    match (open(), open()) {
        (Opened::Answered(first), Opened::Answered(second)) => {
            let first = finished(first);
            assert_eq!(first, finished(second), "reading twice");
            answered(first);
        }
        (Opened::Events { key, reading }, Opened::Events { key: again, reading: second }) => {
            assert_eq!((&key, &reading), (&again, &second), "reading twice");
            assert!(!key.trim().is_empty(), "a blank key");
            events(target, &message, reading, &limits);
        }
        (Opened::Feedback { key }, Opened::Feedback { key: again }) => assert_eq!(key, again),
        _ => panic!("the same request is answered and not"),
    }
}

fn events(target: Target, message: &Message<'_>, mut reading: Reading, limits: &Limits) {
    assert!(reading.events.len() <= limits.events);
    let total = reading.events.len() + reading.rejected;
    if target == Target::Segment
        && let Some(count) = count(message.body)
    {
        assert_eq!(total, count, "accepted and rejected are all events");
    }
    everyone_once(&reading, total);
    for (_, event) in &reading.events {
        bounded(event, limits);
        // A CloudEvent needs no subject, and PostHog's servers tell of a group without anybody.
        let somebody = event.person().is_some() || event.kind == Kind::Group;
        assert!(somebody || target == Target::CloudEvents || event.quiet, "nobody did it");
        let line = serde_json::to_string(event).unwrap();
        assert_eq!(&serde_json::from_str::<Event>(&line).unwrap(), event, "the log's line reads back");
    }

    let settings = Settings::default();
    reading.reject_older(settings.retention_days.get(), received());
    assert_eq!(reading.events.len() + reading.rejected, total);
    for (_, event) in &reading.events {
        for (_, week) in activity::of_event(event.at, event.duration(), &event.sightings(), Zone::UTC) {
            assert!(!week.is_empty() && week.slots.len() <= 2_016, "{} slots of a week", week.slots.len());
        }
    }

    let accepted = reading.events.len();
    let unattributed = reading.without_company();
    let (status, _, body) = finished(Receipt::new(reading, unattributed).into_response());
    let body: Value = serde_json::from_slice(&body).unwrap();
    if target == Target::CloudEvents && accepted == 0 && total > 0 {
        assert_eq!(status, StatusCode::BAD_REQUEST);
    } else {
        assert_eq!(status, StatusCode::OK);
        assert_eq!(body["success"], true);
        assert!(body.get("error").is_none());
    }
    assert_eq!((&body["accepted"], &body["rejected"]), (&accepted.into(), &(total - accepted).into()));
}

/// Every event is accepted or named, and none is both.
fn everyone_once(reading: &Reading, total: usize) {
    let mut places: Vec<usize> = reading.events.iter().map(|(place, _)| *place).collect();
    let kept: BTreeSet<usize> = places.iter().copied().collect();
    places.extend(reading.errors.iter().map(|error| error.index));
    places.sort_unstable();
    assert!(places.windows(2).all(|pair| pair[0] < pair[1]), "{places:?}");
    assert!(places.iter().all(|place| *place < total), "{places:?} of {total}");
    assert_eq!(reading.errors.len(), reading.rejected.min(MAX_LISTED));
    assert!(reading.warnings.iter().all(|warning| kept.contains(&warning.index)));
    assert!(reading.warnings.len() <= MAX_LISTED);
}

/// Everything of an event is as long as its rule allows, and what its kind needs is there.
fn bounded(event: &Event, limits: &Limits) {
    for id in [&event.user, &event.anonymous, &event.previous].into_iter().flatten() {
        assert_eq!(UserId::new(id.as_str()).as_ref(), Ok(id));
    }
    if let Some(id) = &event.company {
        assert_eq!(CompanyId::new(id.as_str()).as_ref(), Ok(id));
    }
    let short = |text: &Option<String>, most: usize| text.as_ref().is_none_or(|text| text.len() <= most);
    for text in [&event.name, &event.id, &event.feature, &event.session] {
        assert!(short(text, MAX_NAME_BYTES), "{text:?}");
    }
    assert!(short(&event.comment, MAX_COMMENT_BYTES));
    if let Some(traits) = &event.user_traits {
        for text in [&traits.email, &traits.name, &traits.plan, &traits.role, &traits.language] {
            assert!(short(text, MAX_NAME_BYTES), "{text:?}");
        }
    }
    if let Some(traits) = &event.company_traits {
        assert!(short(&traits.name, MAX_NAME_BYTES) && short(&traits.plan, MAX_NAME_BYTES));
    }
    assert!(event.duration_ms.is_none_or(|millis| millis <= 86_400_000));
    assert!(event.rating.is_none_or(|rating| rating <= 100));
    assert!(
        event.at <= received() + AHEAD && event.at >= received() - limits.retention - TimeDelta::seconds(1)
    );
    match event.kind {
        Kind::Track => assert!(event.name.is_some()),
        Kind::Group => assert!(event.company.is_some()),
        Kind::Alias => assert!(event.user.is_some() && event.previous.is_some()),
        Kind::Page | Kind::Screen | Kind::Identify => {}
    }
}

/// How many events a body of Segment's has, when another reader of JSON can tell too.
fn count(body: &[u8]) -> Option<usize> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let Some(fields) = body.as_object() else { return Some(body.as_array()?.len()) };
    let is_batch = |name: &str| name.replace(['_', '-', ' '], "").eq_ignore_ascii_case("batch");
    let mut batches = fields.iter().filter(|(name, value)| is_batch(name) && !value.is_null());
    match (batches.next(), batches.next()) {
        (None, _) => Some(1),
        (Some((_, batch)), None) => Some(batch.as_array()?.len()),
        // Twice in different spellings: the last counts, which a map can't tell.
        _ => None,
    }
}

type Finished = (StatusCode, HeaderMap, Vec<u8>);

fn finished(answer: Response) -> Finished {
    use std::task::{Context, Poll, Waker};
    let answer = answer::finish(&HeaderMap::new(), answer);
    let (head, body) = answer.into_parts();
    let mut collected = std::pin::pin!(body.collect());
    match std::future::Future::poll(collected.as_mut(), &mut Context::from_waker(Waker::noop())) {
        Poll::Ready(body) => {
            let body = body.unwrap().to_bytes().to_vec();
            assert!(body.len() <= ANSWER_BYTES, "an answer of {} bytes", body.len());
            (head.status, head.headers, body)
        }
        Poll::Pending => panic!("the answer isn't complete"),
    }
}

/// A refusal is a problem document with what clients look for in it.
pub fn problem(refusal: impl IntoResponse) {
    let finished = finished(refusal.into_response());
    assert_ne!(finished.0, StatusCode::OK);
    answered(finished);
}

/// What is answered without events: a document, or a problem of the client's.
fn answered((status, headers, body): Finished) {
    let body: Value = serde_json::from_slice(&body).expect("an answer is JSON");
    if status == StatusCode::OK {
        assert_eq!(headers[CONTENT_TYPE], "application/json");
        assert!(body.is_object() && body.get("error").is_none(), "{body}");
        return;
    }
    assert!(status.is_client_error(), "{status}: {body}");
    assert_eq!(headers[CONTENT_TYPE], "application/problem+json");
    assert_eq!(body["status"], status.as_u16());
    for member in ["type", "title", "detail", "code", "message", "error"] {
        assert!(body[member].is_string(), "{member} in {body}");
    }
}
