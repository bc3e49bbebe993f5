//! Requests recorded from the official clients, byte for byte, against what they are known to say.

use std::fs;

use chrono::TimeDelta;
use http::{HeaderValue, StatusCode};
use ingest_events::{
    event::{Event, Kind},
    open::Opened,
};
use serde_json::Value;

use crate::common::{Raw, at, body, fixtures, long, noon};

fn index() -> serde_json::Map<String, Value> {
    let text = fs::read_to_string(fixtures().join("clients/INDEX.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn load(name: &str) -> Raw {
    Raw::parse(&fs::read(fixtures().join("clients").join(name)).unwrap())
}

/// A number or text as the text that an id becomes.
fn id(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

fn kind(name: &str) -> Kind {
    Kind::parse(name).unwrap()
}

fn compare(name: &str, event: &Event, expected: &Value) {
    let text = |value: Option<&str>| value.map(str::to_owned);
    assert_eq!(event.kind, kind(expected["type"].as_str().unwrap()), "{name}");
    assert_eq!(text(event.user.as_ref().map(|id| id.as_str())), id(&expected["userId"]), "{name}");
    assert_eq!(text(event.anonymous.as_ref().map(|id| id.as_str())), id(&expected["anonymousId"]), "{name}");
    // Of PostHog's alias the index names the user only.
    let previous = if name == "posthog-node/alias.http" {
        Some("anon-7f3a".to_owned())
    } else {
        id(&expected["previousId"])
    };
    assert_eq!(text(event.previous.as_ref().map(|id| id.as_str())), previous, "{name}");
    assert_eq!(text(event.company.as_ref().map(|id| id.as_str())), id(&expected["groupId"]), "{name}");
    assert_eq!(event.session, id(&expected["sessionId"]), "{name}");
    assert_eq!(event.id, id(&expected["messageId"]), "{name}");
    let named = match expected["event"].as_str() {
        // Of PostHog's other kinds the index has the event's name, which becomes the kind.
        Some(named) if event.kind != Kind::Track && named.starts_with('$') => None,
        // Jitsu's page names stand in the properties.
        None if name == "jitsu-js-node/page.http" => Some("Pricing".to_owned()),
        _ => id(&expected["event"]),
    };
    assert_eq!(event.name, named, "{name}");
    assert!(!event.quiet, "{name}");
    if let Some(timestamp) = expected["timestamp"].as_str() {
        assert_eq!(event.at, at(timestamp), "{name}");
    }
    let email = event.user_traits.as_ref().and_then(|traits| traits.email.clone());
    if event.kind == Kind::Identify {
        assert_eq!(email, id(&expected["email"]), "{name}");
    }
    if let Some(keys) = expected["propertyKeys"].as_array() {
        let has = |key: &str| keys.iter().any(|known| known == key);
        assert_eq!(event.feature.is_some(), has("feature"), "{name}");
        assert_eq!(event.duration_ms, has("durationSeconds").then_some(12_500), "{name}");
    }
    if event.kind == Kind::Group && expected["traitKeys"].as_array().is_some_and(|keys| !keys.is_empty()) {
        let company = event.company_traits.as_ref().and_then(|traits| traits.name.as_deref());
        assert!(matches!(company, Some("Initech" | "N")), "{name}: {company:?}");
    }

    let log = serde_json::to_string(event).unwrap();
    assert_eq!(&serde_json::from_str::<Event>(&log).unwrap(), event, "{name}");
}

#[test]
fn every_recorded_request_says_what_it_is_known_to_say() {
    let mut events = 0;
    for (name, expected) in index() {
        let mut request = load(&name);
        let known = expected["events"].as_array().cloned().unwrap_or_default();
        let sent = known.iter().find_map(|event| event["sentAt"].as_str()).map_or(noon(), at);
        let sent = if expected["kind"].as_str().unwrap().starts_with("cloudevents") {
            at("2026-11-22T06:00:00Z") // After all of them; CloudEvents don't say when they are sent.
        } else {
            sent
        };
        let received = sent + TimeDelta::milliseconds(250);
        if name == "segment-analytics-node/track-40kb.http" {
            let answer = body(request.answer(received, &long()));
            assert_eq!(answer["rejected"], 1);
            assert_eq!(answer["errors"][0]["code"], "too_large");
            assert_eq!(answer["errors"][0]["messageId"], known[0]["messageId"]);
            continue;
        }
        match expected["kind"].as_str().unwrap() {
            "segment"
            | "jitsu"
            | "posthog"
            | "cloudevents-binary"
            | "cloudevents-structured"
            | "cloudevents-batch" => {
                let key = match expected["key"].as_str() {
                    Some(key) => key,
                    None => {
                        let answer = request.answer(received, &long());
                        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "{name}");
                        request.headers.insert("x-write-key", HeaderValue::from_static("wk_added"));
                        "wk_added"
                    }
                };
                let Opened::Events { key: read, reading } = request.open(received, &long()) else {
                    panic!("{name} has events");
                };
                assert_eq!(read, key, "{name}");
                let warnings: Vec<_> = reading.warnings.iter().map(|warning| warning.code).collect();
                let nobody = name == "cloudevents-js/structured-base64.http";
                assert_eq!(warnings, if nobody { vec!["no_subject"] } else { vec![] }, "{name}");
                assert_eq!(reading.errors, vec![], "{name}");
                assert_eq!(reading.events.len(), known.len(), "{name}");
                for ((place, event), (index, expected)) in reading.events.iter().zip(known.iter().enumerate())
                {
                    assert_eq!(*place, index);
                    compare(&name, event, expected);
                    events += 1;
                }
                let answer = request.answer(received, &long());
                assert_eq!(answer.status(), StatusCode::OK, "{name}");
                let answer = body(answer);
                assert_eq!(answer["success"], true, "{name}");
                assert_eq!(answer.get("error"), None, "{name}");
                assert_eq!(answer["accepted"], known.len(), "{name}");
            }
            "preflight" => {
                let answer = request.answer(received, &long());
                assert_eq!(answer.status(), StatusCode::OK, "{name}");
                let allowed =
                    answer.headers()["access-control-allow-headers"].to_str().unwrap().to_lowercase();
                for asked in expected["requestHeaders"].as_str().unwrap().split(',') {
                    assert!(allowed.split(", ").any(|allowed| allowed == asked), "{name}: {asked}");
                }
                assert_eq!(answer.headers()["access-control-allow-origin"], request.headers["origin"]);
            }
            "config" => {
                let answer = body(request.answer(received, &long()));
                let segment = &answer["integrations"]["Segment.io"];
                assert_eq!(segment["apiKey"], "wk_test_123", "{name}");
                assert_eq!(segment["apiHost"], "127.0.0.1:18900/v1", "{name}");
            }
            // A beacon with form data isn't JSON, whatever is in it.
            "multipart" => assert_eq!(request.answer(received, &long()).status(), StatusCode::BAD_REQUEST),
            kind => panic!("{name}: {kind}"),
        }
    }
    assert!(events > 80, "{events}");
}

#[test]
fn a_retry_has_the_same_id_though_its_body_differs() {
    let read = |name| match load(name).open(at("2026-11-22T05:20:28.5Z"), &long()) {
        Opened::Events { mut reading, .. } => reading.events.remove(0).1,
        Opened::Answered(_) => panic!("{name} has events"),
        Opened::Feedback { .. } => panic!("no events"),
    };
    assert_eq!(read("segment-analytics-next/retry.http"), read("segment-analytics-next/retry-2.http"));
}
