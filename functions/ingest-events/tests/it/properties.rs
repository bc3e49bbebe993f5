//! What holds for any input.

use chrono::TimeDelta;
use http::HeaderMap;
use ingest_events::{
    event::Event,
    limits::Limits,
    read::{Posted, read},
    route::Protocol,
    time, tolerant,
};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::common::{batch, noon};

fn posted<'a>(body: &'a [u8], headers: &'a HeaderMap) -> Posted<'a> {
    Posted { protocol: Protocol::Segment, kind: None, headers, query: None, body, received: noon() }
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-1e9..1e9).prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        "NaN|-Infinity|\\\\u[dD]83[dD]".prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((any::<String>(), inner), 0..6)
                .prop_map(|fields| fields.into_iter().collect()),
        ]
    })
}

/// JSON whose fields are often those that rules ask for, with values of any kind.
fn any_event() -> impl Strategy<Value = Value> {
    let names = prop::sample::select(vec![
        "type",
        "event",
        "name",
        "userId",
        "anonymousId",
        "previousId",
        "groupId",
        "messageId",
        "timestamp",
        "originalTimestamp",
        "sentAt",
        "context",
        "properties",
        "traits",
        "channel",
        "library",
        "company",
        "id",
        "duration",
        "rating",
        "email",
        "createdAt",
        "timezone",
        "x",
    ]);
    let leaf = prop_oneof![
        3 => prop::sample::select(vec!["track", "identify", "group", "page", "u", "2026-09-01T00:00:00Z", ""])
            .prop_map(Value::from),
        1 => any_json(),
    ];
    let object = leaf.prop_recursive(3, 60, 12, move |inner| {
        prop::collection::vec((names.clone(), inner), 1..12)
            .prop_map(|fields| fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    });
    object.prop_map(|mut event: Value| {
        if let Some(fields) = event.as_object_mut() {
            fields.entry("userId").or_insert(json!("u"));
            fields.entry("type").or_insert(json!("page"));
        }
        event
    })
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..400), prefix in 0..4_usize) {
        let prefix: &[u8] = [&b""[..], &[0x1F, 0x8B, 8, 0], b"data=", b"{\"batch\":[{\"type\":"][prefix];
        let body = [prefix, &bytes].concat();
        let _ = read(posted(&body, &HeaderMap::new()), &Limits::default());
    }

    #[test]
    fn any_text_is_an_instant_or_not(text in "[-0-9T:+.Z ]{0,30}|.{0,30}") {
        let _ = time::parse(&text);
    }

    #[test]
    fn the_tolerant_pass_keeps_what_valid_json_says(value in any_json()) {
        for text in [value.to_string(), serde_json::to_string_pretty(&value).unwrap()] {
            let read = |text: &str| serde_json::from_str::<Value>(text).unwrap();
            prop_assert_eq!(read(&tolerant::repair(text.as_bytes())), read(&text));
        }
    }

    #[test]
    fn the_tolerant_pass_repairs_once(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let once = tolerant::repair(&bytes);
        let twice = tolerant::repair(once.as_bytes());
        prop_assert_eq!(twice.trim_start_matches('\u{FEFF}'), once.trim_start_matches('\u{FEFF}'));
    }

    #[test]
    fn every_event_is_accepted_or_named(events in prop::collection::vec(any_event(), 0..6)) {
        let reading = batch(&json!({ "batch": events }).to_string());
        let mut places: Vec<usize> = reading.events.iter().map(|(place, _)| *place).collect();
        places.extend(reading.errors.iter().map(|error| error.index));
        places.sort_unstable();
        prop_assert_eq!(places, (0..events.len()).collect::<Vec<_>>());
        for (_, event) in &reading.events {
            let log = serde_json::to_string(event).unwrap();
            prop_assert_eq!(&serde_json::from_str::<Event>(&log).unwrap(), event);
            prop_assert!(event.at <= noon() + TimeDelta::minutes(5));
            prop_assert!(event.at >= noon() - TimeDelta::days(90));
        }
    }

    #[test]
    fn the_order_of_fields_means_nothing(event in any_event(), turn in 0..30_usize) {
        let Some(fields) = event.as_object() else { return Ok(()) };
        let mut parts: Vec<String> = fields.iter().map(|(name, value)| format!("{}:{value}", json!(name))).collect();
        let straight = batch(&format!("[{{{}}}]", parts.join(",")));
        let middle = turn % parts.len();
        parts.rotate_left(middle);
        prop_assert_eq!(batch(&format!("[{{{}}}]", parts.join(","))), straight);
    }
}
