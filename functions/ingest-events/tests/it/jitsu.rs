//! Jitsu's format is Segment's; what differs is the path and whose clock it is.

use http::Method;
use ingest_events::{event::Kind, open::Opened};
use serde_json::json;

use crate::common::{Raw, at, body, long, noon};

fn event(path: &str, environment: &str) -> ingest_events::event::Event {
    let text = json!({
        "userId": "u", "anonymousId": "a", "messageId": "m", "event": "x", "writeKey": "wk:***",
        "timestamp": "2026-09-07T10:00:00Z", "sentAt": "2026-09-07T10:30:00Z",
        "context": {"library": {"name": "@jitsu/js", "env": environment}, "groupId": "c"},
    });
    match Raw::post(path, text.to_string()).open(noon(), &long()) {
        Opened::Events { mut reading, key } => {
            assert_eq!((key.as_str(), reading.rejected), ("wk_test", 0));
            reading.events.remove(0).1
        }
        Opened::Answered(answer) => panic!("{}", body(answer)),
        Opened::Feedback { .. } => panic!("no events"),
    }
}

#[test]
fn the_path_says_the_type_and_whose_clock_it_is() {
    let corrected = at("2026-09-07T11:30:00Z");
    let given = at("2026-09-07T10:00:00Z");
    for (path, environment, expected) in [
        ("/api/s/track", "browser", corrected),
        ("/api/s/track/", "", corrected),
        ("/api/s/track", "node", given),
        ("/api/s/s2s/track", "browser", given),
    ] {
        let event = event(path, environment);
        assert_eq!((event.kind, event.at), (Kind::Track, expected), "{path} {environment}");
        assert_eq!(event.company.unwrap().as_str(), "c");
    }
    assert_eq!(event("/api/s/page", "browser").kind, Kind::Page);
    assert_eq!(event("/api/s/s2s/identify", "node").kind, Kind::Identify);
}

#[test]
fn an_event_path_needs_the_type_in_the_event() {
    let post = |path: &str, text: &str| Raw::post(path, text).answer(noon(), &long());
    let page = r#"{"type":"page","userId":"u"}"#;
    assert_eq!(body(post("/api/s/event", page))["accepted"], 1);
    assert_eq!(body(post("/api/s/s2s/batch", &format!(r#"{{"batch":[{page},{page}]}}"#)))["accepted"], 2);
    assert_eq!(post("/api/s/event", r#"{"userId":"u"}"#).status(), 400);
    assert_eq!(post("/api/s/lib.js", page).status(), 404);
    let mut get = Raw::post("/api/s/page", "");
    get.method = Method::GET;
    assert_eq!(get.answer(noon(), &long()).status(), 405);
}
