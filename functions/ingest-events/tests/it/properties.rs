//! What holds for any input.

use chrono::TimeDelta;
use http::{HeaderMap, HeaderName, HeaderValue};
use ingest_events::{
    event::Event,
    limits::Limits,
    read::{Posted, read},
    route::Protocol,
    time, tolerant,
};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::common::{batch, noon, read_as};

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
        "batch",
        "uuid",
        "distinct_id",
        "offset",
        "$groups",
        "$group_type",
        "$set",
        "$lib",
        "$device_id",
        "alias",
        "source",
        "specversion",
        "subject",
        "time",
        "data",
        "data_base64",
        "companyid",
    ]);
    let leaf = prop_oneof![
        3 => prop::sample::select(vec![
            "track", "identify", "group", "page", "u", "2026-09-01T00:00:00Z", "", "$identify", "$groupidentify",
            "$create_alias", "$pageview", "company", "web", "1.0", "true",
        ])
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

fn any_protocol() -> impl Strategy<Value = Protocol> {
    prop::sample::select(vec![
        Protocol::Segment,
        Protocol::Jitsu { server: false },
        Protocol::Jitsu { server: true },
        Protocol::PostHog,
        Protocol::CloudEvents,
    ])
}

/// Headers that CloudEvents read, with any bytes that a header may have.
fn any_headers() -> impl Strategy<Value = HeaderMap> {
    let names = [
        "content-type",
        "ce-id",
        "ce-source",
        "ce-specversion",
        "ce-type",
        "ce-subject",
        "ce-time",
        "ce-groupid",
    ];
    let value = prop_oneof![
        Just(b"1.0".to_vec()),
        Just(b"application/cloudevents+json".to_vec()),
        prop::collection::vec(any::<u8>(), 0..30),
        "[\"\\\\%a-f0-9]{0,12}".prop_map(String::into_bytes),
    ];
    prop::collection::vec((prop::sample::select(names.to_vec()), value), 0..8).prop_map(|headers| {
        let values = headers.into_iter().filter_map(|(name, value)| {
            Some((HeaderName::from_static(name), HeaderValue::from_bytes(&value).ok()?))
        });
        values.collect()
    })
}

/// What somebody did, as every protocol can tell it.
#[derive(Debug)]
struct Saying {
    name: String,
    user: String,
    company: Option<String>,
    timestamp: Option<String>,
    properties: Value,
}

fn any_saying() -> impl Strategy<Value = Saying> {
    let id = || "[a-zA-Zé0-9_.@-]{1,20}";
    let timestamp = (0..80_i64 * 86_400_000).prop_map(|ago| {
        (noon() - TimeDelta::milliseconds(ago)).to_rfc3339_opts(chrono::SecondsFormat::Millis, true)
    });
    let property = prop_oneof![
        (Just("feature"), "[a-z ]{1,10}".prop_map(Value::from)),
        (Just("durationSeconds"), (0..100_000_u32).prop_map(Value::from)),
        (Just("score"), (-1..12_i32).prop_map(Value::from)),
        (Just("comment"), any::<String>().prop_map(Value::from)),
        (Just("other"), any_json()),
    ];
    let properties = prop::collection::vec(property, 0..5)
        .prop_map(|all| all.into_iter().map(|(name, value)| (name.to_owned(), value)).collect());
    // Names that begin with `$` mean something in PostHog's format.
    ("[A-Za-zé][A-Za-z é]{0,20}", id(), prop::option::of(id()), prop::option::of(timestamp), properties)
        .prop_map(|(name, user, company, timestamp, properties)| Saying {
            name,
            user,
            company,
            timestamp,
            properties,
        })
}

impl Saying {
    fn in_all_protocols(&self) -> [Event; 4] {
        let Self { name, user, company, timestamp, properties } = self;
        let segment = json!({"type": "track", "event": name, "userId": user, "groupId": company,
            "timestamp": timestamp, "properties": properties, "messageId": "m"});
        let jitsu = json!({"type": "track", "event": name, "userId": user, "context": {"groupId": company},
            "timestamp": timestamp, "properties": properties, "messageId": "m"});
        let mut posthog = json!({"event": name, "distinct_id": user, "timestamp": timestamp,
            "properties": properties, "uuid": "m"});
        posthog["properties"]["$groups"] = json!({ "company": company });
        let cloudevents = json!({"type": name, "subject": user, "companyid": company, "time": timestamp,
            "data": properties, "id": "m", "source": "/s", "specversion": "1.0"});
        let one = |protocol, event: Value| {
            let mut reading = read_as(protocol, &event.to_string());
            assert_eq!((&reading.errors, &reading.warnings), (&vec![], &vec![]), "{event}");
            Event { id: None, ..reading.events.remove(0).1 }
        };
        [
            one(Protocol::Segment, segment),
            one(Protocol::Jitsu { server: true }, jitsu),
            one(Protocol::PostHog, posthog),
            one(Protocol::CloudEvents, cloudevents),
        ]
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(
        protocol in any_protocol(),
        bytes in prop::collection::vec(any::<u8>(), 0..400),
        prefix in 0..4_usize,
        headers in any_headers(),
    ) {
        let prefix: &[u8] = [&b""[..], &[0x1F, 0x8B, 8, 0], b"data=", b"{\"batch\":[{\"event\":"][prefix];
        let body = [prefix, &bytes].concat();
        let posted = Posted { protocol, ..posted(&body, &headers) };
        let _ = read(posted, &Limits::default());
    }

    #[test]
    fn any_json_is_read_or_refused(protocol in any_protocol(), value in prop_oneof![any_json(), any_event()]) {
        let array = json!([value]).to_string();
        let headers = HeaderMap::new();
        for body in [value.to_string(), array, json!({ "batch": [value] }).to_string()] {
            if let Ok(reading) = read(Posted { protocol, ..posted(body.as_bytes(), &headers) }, &Limits::default()) {
                for (_, event) in &reading.events {
                    let log = serde_json::to_string(event).unwrap();
                    prop_assert_eq!(&serde_json::from_str::<Event>(&log).unwrap(), event);
                }
            }
        }
    }

    #[test]
    fn the_four_protocols_read_one_event_alike(saying in any_saying()) {
        let [segment, jitsu, posthog, cloudevents] = saying.in_all_protocols();
        prop_assert_eq!(&jitsu, &segment);
        prop_assert_eq!(&posthog, &segment);
        prop_assert_eq!(&cloudevents, &segment);
        prop_assert_eq!(segment.user.as_ref().map(|id| id.as_str()), Some(saying.user.as_str()));
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
