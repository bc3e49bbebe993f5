//! CloudEvents: the conformance vectors of the specification, and the rules of reading them.

use http::HeaderValue;
use ingest_events::{event::Event, open::Opened, read::Reading};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use crate::common::{Raw, at, body, fixtures, long, noon};

fn vectors(name: &str) -> String {
    std::fs::read_to_string(fixtures().join("published/cloudevents").join(name)).unwrap()
}

fn open(request: &Raw) -> Reading {
    match request.open(noon(), &long()) {
        Opened::Events { reading, .. } => reading,
        Opened::Answered(answer) => panic!("{}", body(answer)),
        Opened::Feedback { .. } => panic!("no events"),
    }
}

fn one(request: &Raw) -> Event {
    let mut reading = open(request);
    assert_eq!(reading.errors, []);
    assert_eq!(reading.events.len(), 1);
    reading.events.remove(0).1
}

fn structured(content_type: &'static str, body: &Value) -> Raw {
    let mut request = Raw::post("/events", body.to_string());
    if !content_type.is_empty() {
        request.headers.insert("content-type", HeaderValue::from_static(content_type));
    }
    request
}

/// The lines between the next two `"""`, without their common indentation.
fn quoted<'a>(lines: &mut impl Iterator<Item = &'a str>) -> Vec<String> {
    let start = lines.find(|line| line.trim() == "\"\"\"").unwrap();
    let indent = start.len() - start.trim_start().len();
    let inside = lines.take_while(|line| line.trim() != "\"\"\"");
    inside.map(|line| line.get(indent..).unwrap_or_default().to_owned()).collect()
}

/// The rows of the next table, without its head.
fn table<'a>(lines: &mut impl Iterator<Item = &'a str>) -> Vec<Vec<String>> {
    let cells = |line: &str| -> Vec<String> {
        line.trim().trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect()
    };
    lines
        .skip_while(|line| !line.trim().starts_with('|'))
        .take_while(|line| line.trim().starts_with('|'))
        .skip(1)
        .map(cells)
        .collect()
}

#[test]
fn the_http_bindings_scenarios_pass() {
    let feature = vectors("features/http-protocol-binding.feature");
    let mut checked = 0;
    for scenario in feature.split("Scenario Outline:").skip(1) {
        let mut lines = scenario.lines();
        let request = quoted(&mut lines);
        let attributes = table(&mut lines);
        let data: Value = serde_json::from_str(&quoted(&mut lines).concat()).unwrap();
        for example in table(&mut lines) {
            let fill = |text: &str| text.replace("<contentType>", &example[0]);
            let (_, body) = request.split_at(request.iter().position(String::is_empty).unwrap() + 1);
            let raw = fill(&format!(
                "{}\r\n\r\n{}",
                request[..request.len() - body.len() - 1].join("\r\n"),
                body.join("\n")
            ));
            let mut raw = Raw::parse(raw.as_bytes());
            // The vectors' path is any; ours is fixed.
            assert_eq!(raw.uri.path(), "/someresource");
            raw.uri = "/events".parse().unwrap();
            raw.headers.insert("x-write-key", HeaderValue::from_static("wk"));
            let event = one(&raw);
            let attribute = |name: &str| {
                let found = attributes.iter().find(|row| row[0] == name).unwrap();
                fill(&found[1])
            };
            assert_eq!(attribute("specversion"), "1.0");
            assert_eq!(event.id, Some(format!("{}#{}", attribute("source"), attribute("id"))));
            assert_eq!(event.name, Some(attribute("type")));
            assert_eq!(event.at, at(&attribute("time")));
            // The data is read: what a rule asks for is found beside what the vector holds.
            let mut more = data.clone();
            more["feature"] = json!("export");
            let text = String::from_utf8(raw.body.clone()).unwrap();
            let old = text.split_once("\"message\"").unwrap();
            raw.body = format!("{}\"feature\": \"export\", \"message\"{}", old.0, old.1).into_bytes();
            assert!(text.contains(data["message"].as_str().unwrap()));
            assert_eq!(one(&raw).feature.as_deref(), more["feature"].as_str());
            checked += 1;
        }
    }
    assert_eq!(checked, 4);
}

/// One document of the YAML vectors: attributes, and the data's text.
struct Vector {
    mode: Option<String>,
    attributes: Vec<(String, String)>,
    data: String,
}

/// Reads the little of YAML that the vectors use: nested maps of plain or quoted texts and block texts.
fn documents(yaml: &str) -> Vec<Vector> {
    yaml.split("\n---\n").filter(|document| document.contains("ContextAttributes:")).map(document).collect()
}

fn document(yaml: &str) -> Vector {
    let indent = |line: &str| line.len() - line.trim_start().len();
    let mut vector = Vector { mode: None, attributes: Vec::new(), data: String::new() };
    let mut section = "";
    let mut lines = yaml.lines().filter(|line| !line.trim_start().starts_with('#')).peekable();
    while let Some(line) = lines.next() {
        if line.trim().is_empty() {
            continue;
        }
        let (name, value) = line.split_once(':').unwrap();
        let (name, mut value) = (name.trim(), value.trim().trim_matches('"').to_owned());
        if value == "|" {
            let mut block = Vec::new();
            while let Some(next) = lines.next_if(|next| next.trim().is_empty() || indent(next) > indent(line))
            {
                block.push(next.trim_start());
            }
            value = block.join("\n");
        }
        match (indent(line), name) {
            (0, "Mode") => vector.mode = Some(value),
            (0, "Data") => vector.data = value,
            (0, name) => section = name,
            (_, "Extensions") => {}
            _ if section == "ContextAttributes" => vector.attributes.push((name.to_owned(), value)),
            _ => {}
        }
    }
    vector
}

impl Vector {
    fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    fn binary(&self) -> Raw {
        let mut request = Raw::post("/events", self.data.clone());
        for (name, value) in &self.attributes {
            let name = match name.as_str() {
                "datacontenttype" => "content-type".to_owned(),
                name => format!("ce-{name}"),
            };
            let value = if name == "content-type" {
                value.clone()
            } else {
                utf8_percent_encode(value, NON_ALPHANUMERIC).to_string()
            };
            request.headers.insert(http::HeaderName::try_from(name).unwrap(), value.parse().unwrap());
        }
        request
    }

    fn json(&self) -> Value {
        let mut event: Value =
            self.attributes.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
        event["data"] = serde_json::from_str(&self.data).unwrap_or_else(|_| json!(self.data));
        event
    }
}

#[test]
fn the_yaml_vectors_pass_in_every_mode() {
    let mut checked = 0;
    for file in ["yaml/v1.yaml", "yaml/v1.0/v1_minimum.yaml"] {
        for vector in documents(&vectors(file)) {
            let mut requests = Vec::new();
            if vector.mode.as_deref() != Some("structured") {
                requests.push(vector.binary());
            }
            if vector.mode.as_deref() != Some("binary") {
                requests.push(structured("application/cloudevents+json; charset=utf-8", &vector.json()));
                requests.push(structured("application/cloudevents-batch+json", &json!([vector.json()])));
            }
            for request in requests {
                let event = one(&request);
                let attribute = |name: &str| vector.attribute(name);
                let id = format!("{}#{}", attribute("source").unwrap(), attribute("id").unwrap());
                assert_eq!(event.id, Some(id));
                assert_eq!(event.name.as_deref(), attribute("type"));
                assert_eq!(event.at, attribute("time").map_or(noon(), at));
                assert_eq!(event.person(), None);
                checked += 1;
            }
        }
    }
    assert_eq!(checked, 1 + 2 + 6 * 3);
}

fn event() -> Value {
    json!({"id": "1", "source": "/s", "specversion": "1.0", "type": "user.signed_in", "subject": "u",
        "time": "2026-09-07T11:00:00.123456789+02:00"})
}

fn also(more: Value) -> Value {
    let mut event = event();
    event.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    event
}

#[test]
fn attributes_become_the_events_fields() {
    const TYPE: &str = "application/cloudevents+json";
    let read = |more: Value| one(&structured(TYPE, &also(more)));
    let plain = read(json!({}));
    assert_eq!(plain.user.as_ref().unwrap().as_str(), "u");
    assert_eq!((plain.id.as_deref(), plain.name.as_deref()), (Some("/s#1"), Some("user.signed_in")));
    assert_eq!(plain.at, at("2026-09-07T09:00:00.123Z"));
    assert!(plain.is_activity());
    for (more, expected) in [
        (json!({"companyid": "c", "accountid": "a", "groupid": "g"}), Some("c")),
        (json!({"companyid": "", "accountid": "a", "groupid": "g"}), Some("a")),
        (json!({"groupid": 7}), Some("7")),
        (json!({}), None),
    ] {
        assert_eq!(read(more).company.as_ref().map(|company| company.as_str()), expected);
    }
    let data = json!({"feature": "export", "durationSeconds": 2, "score": 9, "comment": "ok"});
    let base64 = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, data.to_string());
    for more in [json!({"data": data}), json!({"data_base64": base64})] {
        let event = read(more);
        assert_eq!((event.feature.as_deref(), event.duration_ms), (Some("export"), Some(2_000)));
        assert_eq!((event.rating, event.comment.as_deref()), (Some(9), Some("ok")));
    }
    for more in [
        json!({"data": "text"}),
        json!({"data": [1]}),
        json!({"data_base64": "AAEC/w=="}),
        json!({"data_base64": "%"}),
    ] {
        assert_eq!(read(more).feature, None);
    }
    // Without a content type the shape decides.
    assert_eq!(one(&structured("", &event())), plain);
    assert_eq!(one(&structured("application/json", &json!([event()]))), plain);
}

#[test]
fn headers_are_decoded_once() {
    let mut request = Raw::post("/events", "\u{0}no json");
    for (name, value) in [
        ("ce-id", "50%25"),
        ("ce-source", "/s"),
        ("ce-specversion", "1.0"),
        ("ce-type", "\"a \\\"quoted\\\" name\""),
        ("ce-subject", "Jan%C3%A9%20%2525"),
        ("ce-companyid", "Acme %E2%82%AC"),
    ] {
        request.headers.insert(name, HeaderValue::from_static(value));
    }
    let event = one(&request);
    assert_eq!(event.id.as_deref(), Some("/s#50%"));
    assert_eq!(event.name.as_deref(), Some("a \"quoted\" name"));
    assert_eq!(event.user.as_ref().unwrap().as_str(), "Jané %25");
    assert_eq!(event.company.as_ref().unwrap().as_str(), "Acme €");
    request.headers.insert("ce-subject", HeaderValue::from_bytes(b"Jan\xE9").unwrap());
    assert_eq!(one(&request).user.unwrap().as_str(), "Jané");
    request.body = br#"{"feature":"cut \ud83d"}"#.to_vec();
    assert_eq!(one(&request).feature.as_deref(), Some("cut \u{FFFD}"));
}

#[test]
fn what_is_missing_is_told_by_index() {
    let without = |name: &str| {
        let mut event = event();
        event.as_object_mut().unwrap().remove(name);
        event
    };
    let batch = json!([
        without("id"),
        event(),
        without("source"),
        without("type"),
        without("specversion"),
        also(json!({"specversion": "0.3"})),
        7,
        also(json!({"type": ""})),
        without("subject")
    ]);
    let answer = structured("application/cloudevents-batch+json", &batch).answer(noon(), &long());
    assert_eq!(answer.status(), 200);
    let answer = body(answer);
    assert_eq!((&answer["accepted"], &answer["rejected"]), (&json!(2), &json!(7)));
    let codes = |list: &Value| -> Vec<(u64, String)> {
        let remarks = list.as_array().unwrap().iter();
        remarks
            .map(|error| (error["index"].as_u64().unwrap(), error["code"].as_str().unwrap().to_owned()))
            .collect()
    };
    let expected = [
        (0, "missing_attribute"),
        (2, "missing_attribute"),
        (3, "missing_attribute"),
        (4, "missing_attribute"),
        (5, "unknown_version"),
        (6, "not_an_object"),
        (7, "missing_attribute"),
    ];
    assert_eq!(codes(&answer["errors"]), expected.map(|(index, code)| (index, code.to_owned())));
    assert_eq!(codes(&answer["warnings"]), [(8, "no_subject".to_owned())]);
    assert_eq!(answer["errors"][1]["message"], "a CloudEvent needs the attribute source");
}

#[test]
fn a_request_without_a_valid_event_is_400_and_lists_why() {
    let mut old = event();
    old["time"] = json!("2020-01-01T00:00:00Z");
    let mut binary = Raw::post("/events", "{}");
    binary.headers.insert("ce-type", HeaderValue::from_static("x"));
    let limits = ingest_events::limits::Limits::default();
    for (request, code) in [
        (structured("application/cloudevents+json", &json!({"id": "1"})), "missing_attribute"),
        (structured("application/cloudevents-batch+json", &json!([old, old])), "too_old"),
        (binary, "missing_attribute"),
    ] {
        let answer = request.answer(noon(), &limits);
        assert_eq!(answer.status(), 400);
        assert_eq!(answer.headers()["content-type"], "application/problem+json");
        let answer = body(answer);
        assert_eq!((&answer["code"], &answer["accepted"]), (&json!("no_valid_event"), &json!(0)));
        assert_eq!(answer["errors"][0]["code"], code);
    }
    for (content_type, body, status) in [
        ("application/cloudevents-batch+json", "[]", 200),
        ("application/cloudevents-batch+json", "{}", 400),
        ("application/cloudevents+json", "[]", 400),
        ("application/cloudevents+json", "{", 400),
        ("application/cloudevents+xml", "<event/>", 415),
        ("application/cloudevents-batch+avro", "x", 415),
        ("", "7", 400),
    ] {
        let mut request = Raw::post("/events", body);
        request.headers.insert("content-type", HeaderValue::from_static(content_type));
        assert_eq!(request.answer(noon(), &limits).status(), status, "{content_type} {body}");
    }
    let mut large = Raw::post("/events", vec![b'x'; 40_000]);
    for (name, value) in [("ce-id", "1"), ("ce-source", "/s"), ("ce-specversion", "1.0"), ("ce-type", "t")] {
        large.headers.insert(name, HeaderValue::from_static(value));
    }
    assert_eq!(body(large.answer(noon(), &limits))["errors"][0]["code"], "too_large");
}
