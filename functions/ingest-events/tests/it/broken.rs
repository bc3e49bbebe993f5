//! Broken requests get the answer that helps: 200 with what is wrong by index, or the status that makes a client stop
//! or wait.

use std::io::Write;

use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, Method, header};
use ingest_events::{answer, limits::Limits, refusal::Refusal};
use serde_json::{Value, json};

use crate::common::{Raw, body, noon};

fn post(path: &str, body: impl Into<Vec<u8>>) -> Response {
    Raw::post(path, body).answer(noon(), &Limits::default())
}

/// The status and the code of an error, after checking what every error must have.
fn problem(answer: Response) -> (u16, String) {
    let status = answer.status().as_u16();
    assert_eq!(answer.headers()[header::CONTENT_TYPE], "application/problem+json");
    assert!(!answer.headers().contains_key(header::WWW_AUTHENTICATE));
    assert!(answer.headers().contains_key(header::VARY));
    let body = body(answer);
    assert_eq!(body["status"], status);
    for member in ["type", "title", "detail", "code", "message", "error"] {
        assert!(body[member].is_string(), "{member} in {body}");
    }
    (status, body["code"].as_str().unwrap().to_owned())
}

#[test]
fn good_events_beside_bad_ones_are_kept_and_the_bad_ones_named() {
    let events = json!({"batch": [
        {"type": "track", "event": "Export", "userId": "u", "groupId": "c", "messageId": "m0"},
        {"type": "track", "event": "Export", "messageId": "m1"},
        {"type": "nothing", "userId": "u", "messageId": "m2"},
        {"type": "track", "event": "Export", "userId": "u", "messageId": "m3"},
        {"type": "track", "event": "Export", "userId": "u", "pad": "x".repeat(33_000), "messageId": "m4"},
        {"type": "track", "event": "Export", "userId": "u", "timestamp": "1970-01-01T00:00:00Z", "messageId": "m5"},
        {"type": "track", "event": "Export", "userId": "u", "timestamp": "2099-01-01T00:00:00Z", "messageId": "m6"},
        {"type": "track", "userId": "u", "messageId": "m7"},
        {"type": "group", "userId": "u", "messageId": "m8"},
        "text",
        {"type": "track", "event": "Export", "userId": {"id": 1}, "messageId": 10},
    ]});
    let answer = post("/v1/batch", events.to_string());
    assert_eq!(answer.status(), 200);
    let answer = body(answer);
    assert_eq!(answer["success"], true);
    assert_eq!((&answer["accepted"], &answer["rejected"]), (&json!(3), &json!(8)));
    assert_eq!(answer["unattributed"], 2);
    let listed = |list: &str| -> Vec<(u64, Value, String)> {
        let remarks = answer[list].as_array().unwrap().iter();
        remarks
            .map(|remark| {
                assert!(remark["message"].is_string());
                let code = remark["code"].as_str().unwrap().to_owned();
                (remark["index"].as_u64().unwrap(), remark["messageId"].clone(), code)
            })
            .collect()
    };
    let expect = |expected: &[(u64, Value, &str)]| -> Vec<(u64, Value, String)> {
        expected.iter().map(|(index, id, code)| (*index, id.clone(), (*code).to_owned())).collect()
    };
    assert_eq!(
        listed("errors"),
        expect(&[
            (1, json!("m1"), "missing_user"),
            (2, json!("m2"), "unknown_type"),
            (4, json!("m4"), "too_large"),
            (5, json!("m5"), "too_old"),
            (7, json!("m7"), "missing_event_name"),
            (8, json!("m8"), "missing_company"),
            (9, Value::Null, "not_an_object"),
            (10, json!("10"), "bad_id"),
        ])
    );
    assert_eq!(listed("warnings"), expect(&[(6, json!("m6"), "future_timestamp")]));
}

#[test]
fn a_large_batch_of_small_events_is_taken() {
    let events: Vec<_> = (0..200)
        .map(|n| json!({"type": "track", "event": "Export", "userId": "u", "messageId": n, "pad": "x".repeat(3_000)}))
        .collect();
    let text = json!({ "batch": events }).to_string();
    assert!(text.len() > 600_000);
    assert_eq!(body(post("/v1/batch", text))["accepted"], 200);
}

#[test]
fn what_a_batch_hands_down_counts_with_each_event() {
    let events = |pad: usize| {
        let page = |id: &str| json!({"type": "page", "userId": "u", "messageId": id});
        let context = json!({"groupId": "c", "pad": "x".repeat(pad)});
        body(post("/v1/batch", json!({"context": context, "batch": [page("1"), page("2")]}).to_string()))
    };
    assert_eq!(events(32_000)["accepted"], 2);
    let answer = events(33_000);
    assert_eq!((&answer["accepted"], &answer["rejected"]), (&json!(0), &json!(2)));
    assert_eq!(
        (&answer["errors"][1]["index"], &answer["errors"][1]["code"]),
        (&json!(1), &json!("too_large"))
    );
    // A call that is its own request inherits nothing: its context counts once.
    let call = json!({"userId": "u", "context": {"groupId": "c", "pad": "x".repeat(20_000)}});
    assert_eq!(body(post("/v1/page", call.to_string()))["accepted"], 1);
}

#[test]
fn an_answer_is_short_however_long_the_ids_are() {
    let id = "\u{1}".repeat(400_000);
    for event in [
        json!({"type": "page", "messageId": id}),
        json!({"type": "page", "userId": "u", "messageId": id, "timestamp": "x"}),
    ] {
        let answer = body(post("/v1/batch", json!([event]).to_string()));
        let remark = answer["errors"].get(0).or(answer["warnings"].get(0)).unwrap();
        assert_eq!(remark["messageId"].as_str().unwrap().len(), 256, "{remark}");
    }
}

#[test]
fn depth_is_no_matter_wherever_it_is() {
    for depth in [1, 127, 128, 129, 200, 10_000] {
        let deep = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        let deeper = format!("{}1{}", "{\"a\":".repeat(depth), "}".repeat(depth));
        for value in [&deep, &deeper] {
            for field in ["properties", "x"] {
                let event = format!(r#"{{"type":"track","event":"e","userId":"u","{field}":{value}}}"#);
                let expected = if event.len() > 32 * 1024 { 0 } else { 1 };
                assert_eq!(
                    body(post("/v1/batch", format!("[{event}]")))["accepted"],
                    expected,
                    "{field} {depth}"
                );
            }
            let around = format!(r#"{{"x":{value},"batch":[{{"type":"page","userId":"u"}}]}}"#);
            assert_eq!(body(post("/v1/batch", around))["accepted"], 1, "{depth}");
            // The tolerant pass reads it, too.
            let odd = format!(r#"[{{"type":"page","userId":"u","properties":{{"x":{value},"y":NaN}}}}]"#);
            let expected = if odd.len() > 32 * 1024 { 0 } else { 1 };
            assert_eq!(body(post("/v1/batch", odd))["accepted"], expected, "{depth}");
        }
    }
}

#[test]
fn ids_as_clients_write_them() {
    let long = "9".repeat(257);
    for (given, read) in [
        ("42", Some("42")),
        ("42.0", Some("42")),
        ("-7", Some("-7")),
        ("1e3", Some("1000")),
        ("1.5", Some("1.5")),
        ("12345678901234567890123", Some("12345678901234567890123")),
        ("1e999", Some("1e999")),
        ("\"a\\u0062\"", Some("ab")),
        ("\"cut \\ud83d\"", Some("cut \u{FFFD}")),
        ("\"\"", None),
        ("\" \"", None),
        ("null", None),
        ("true", None),
        ("[]", None),
        ("{\"id\":1}", None),
        ("\"a\\nb\"", None),
        (long.as_str(), None),
    ] {
        let event = format!(r#"[{{"type":"page","userId":{given}}}]"#);
        let reading = crate::common::batch(&event);
        let user = reading.events.first().and_then(|(_, event)| event.user.as_ref());
        assert_eq!(user.map(|user| user.as_str()), read, "{given}");
        assert_eq!(reading.rejected, usize::from(read.is_none()), "{given}");
    }
}

#[test]
fn odd_timestamps_count_as_now_and_say_so() {
    for (given, oddity) in [
        ("\"2099-12-31T23:59:59.999999999Z\"".to_owned(), Some("future_timestamp")),
        // From the year 5138 on no instant is read at all.
        ("\"9999-12-31T23:59:59Z\"".to_owned(), Some("bad_timestamp")),
        ("99999999999999999999999".to_owned(), Some("bad_timestamp")),
        ("1e999".to_owned(), Some("bad_timestamp")),
        ("\"2026-02-30T00:00:00Z\"".to_owned(), Some("bad_timestamp")),
        ("\"2026-09-07T24:00:00Z\"".to_owned(), Some("bad_timestamp")),
        ("\"2026-09-07T11:00:00+24:00\"".to_owned(), Some("bad_timestamp")),
        ("\"Mon Sep 07 2026\"".to_owned(), Some("bad_timestamp")),
        ("\"\\ud83d\"".to_owned(), Some("bad_timestamp")),
        ("[2026]".to_owned(), Some("bad_timestamp")),
        ("\"\"".to_owned(), None),
        ("null".to_owned(), None),
    ] {
        let reading =
            crate::common::batch(&format!(r#"[{{"type":"page","userId":"u","timestamp":{given}}}]"#));
        assert_eq!(reading.events[0].1.at, noon(), "{given}");
        assert_eq!(reading.warnings.first().map(|warning| warning.code), oddity, "{given}");
    }
}

#[test]
fn fields_given_twice_or_in_several_spellings_count_as_they_stand_last() {
    for (body_text, company) in [
        (r#"{"batch":[],"batch":[{"type":"page","userId":"u","groupId":"a"}]}"#, "a"),
        (
            r#"{"Batch":[{"type":"page"}],"batch":[{"type":"page","userId":"u","groupId":"a","group_id":"b"}]}"#,
            "b",
        ),
        (
            r#"{"context":{"groupId":"a"},"context":{"groupId":"b"},"batch":[{"type":"page","userId":"u"}]}"#,
            "b",
        ),
        (
            r#"[{"type":"page","userId":"u","context":{"groupId":"a","groupId":"b"},"context":{"groupId":"c"}}]"#,
            "c",
        ),
    ] {
        let reading = crate::common::batch(body_text);
        assert_eq!(reading.errors, [], "{body_text}");
        assert_eq!(reading.events[0].1.company.as_ref().unwrap().as_str(), company, "{body_text}");
    }
}

#[test]
fn events_beyond_the_limit_are_rejected_by_index() {
    let event = r#"{"type":"page","userId":"u"}"#;
    let answer = body(post("/v1/batch", format!("{{\"batch\":[{}]}}", vec![event; 1_003].join(","))));
    assert_eq!((&answer["accepted"], &answer["rejected"]), (&json!(1_000), &json!(3)));
    assert_eq!(answer["errors"][0]["index"], 1_000);
    assert_eq!(answer["errors"][2]["code"], "too_many");

    let answer = body(post("/v1/batch", format!("[{}1]", "0,".repeat(1_000_000))));
    assert_eq!((&answer["accepted"], &answer["rejected"]), (&json!(0), &json!(1_000_001)));
    assert_eq!(answer["errors"].as_array().unwrap().len(), 1_000);
}

#[test]
fn whole_requests_that_cant_be_read() {
    assert_eq!(problem(post("/v1/batch", "{\"batch\":[")), (400, "malformed_body".to_owned()));
    assert_eq!(problem(post("/v1/batch", "")), (400, "malformed_body".to_owned()));
    assert_eq!(problem(post("/v1/batch", "{}")), (400, "malformed_body".to_owned()));
    assert_eq!(problem(post("/v1/batch", "1")), (400, "malformed_body".to_owned()));
    assert_eq!(problem(post("/v1/batch", "{\"batch\":{}}")), (400, "malformed_body".to_owned()));
    assert_eq!(problem(post("/v1/batch", vec![b' '; 4 * 1024 * 1024 + 1])), (413, "too_large".to_owned()));
    let mut bomb = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    bomb.write_all(&vec![b' '; 30_000_000]).unwrap();
    assert_eq!(problem(post("/v1/batch", bomb.finish().unwrap())), (413, "too_large".to_owned()));
    assert_eq!(problem(post("/v1/batch", "\u{1F}\u{FFFD}\u{8}")), (415, "unreadable_encoding".to_owned()));
    assert_eq!(problem(post("/v1/nothing", "{}")), (404, "not_found".to_owned()));
    let mut request = Raw::post("/v1/batch", "");
    request.method = Method::PUT;
    let answer = request.answer(noon(), &Limits::default());
    assert_eq!(answer.headers()[header::ALLOW], "POST, OPTIONS");
    assert_eq!(problem(answer), (405, "method_not_allowed".to_owned()));
}

#[test]
fn no_key_is_401() {
    let mut request = Raw::post("/v1/batch", "{\"batch\":[]}");
    request.headers.clear();
    assert_eq!(problem(request.answer(noon(), &Limits::default())), (401, "missing_key".to_owned()));
    let unknown = answer::finish(&HeaderMap::new(), Refusal::UnknownKey.into_response());
    assert_eq!(problem(unknown), (401, "unknown_key".to_owned()));
}

#[test]
fn waiting_is_told_in_whole_seconds() {
    for (refusal, status) in
        [(Refusal::TooFast { retry_after: 7 }, 429), (Refusal::Unavailable { retry_after: 7 }, 503)]
    {
        let answer = answer::finish(&HeaderMap::new(), refusal.into_response());
        assert_eq!(answer.headers()[header::RETRY_AFTER], "7");
        assert_eq!(problem(answer).0, status);
    }
}

#[test]
fn successes_without_events_are_200_and_say_so() {
    let mut requests = vec![
        Raw::post("/v1/batch", "{\"batch\":[]}"),
        Raw::post("/v1/import/", "[]"),
        Raw::post("/beacon/v1/batch?writeKey=wk", "{\"batch\":[]}"),
        Raw::post("/v1/m", "{\"series\":[]}"),
    ];
    for (method, path) in
        [(Method::GET, "/health"), (Method::OPTIONS, "/v1/batch"), (Method::OPTIONS, "/nothing")]
    {
        let mut request = Raw::post(path, "");
        request.method = method;
        requests.push(request);
    }
    for request in requests {
        let answer = request.answer(noon(), &Limits::default());
        assert_eq!(answer.status(), 200, "{}", request.uri);
        assert_eq!(answer.headers()[header::CONTENT_TYPE], "application/json");
        assert_eq!(body(answer)["success"], true, "{}", request.uri);
    }
}

#[test]
fn browsers_may_read_every_answer() {
    for (path, status) in [
        ("/v1/batch", 200),
        ("/batch/", 200),
        ("/flags/", 200),
        ("/events", 400),
        ("/api/s/track", 200),
        ("/v1/nothing", 404),
        ("/v1/projects/wk/settings", 405),
    ] {
        let mut request = Raw::post(path, "{\"batch\":[]}");
        request.headers.insert(header::ORIGIN, HeaderValue::from_static("https://app.example"));
        let answer = request.answer(noon(), &Limits::default());
        assert_eq!(answer.status(), status);
        assert_eq!(answer.headers()[header::ACCESS_CONTROL_ALLOW_ORIGIN], "https://app.example");
        assert_eq!(answer.headers()[header::ACCESS_CONTROL_ALLOW_CREDENTIALS], "true");
        assert_eq!(answer.headers()[header::VARY], "Origin");
        assert_eq!(answer.headers()[header::ACCESS_CONTROL_MAX_AGE], "86400");
        assert_eq!(answer.headers()[header::ACCESS_CONTROL_EXPOSE_HEADERS], "Retry-After");
        let allowed = answer.headers()[header::ACCESS_CONTROL_ALLOW_HEADERS].to_str().unwrap().to_lowercase();
        for name in [
            "authorization",
            "content-type",
            "content-encoding",
            "x-retry-count",
            "x-write-key",
            "anonymousid",
            "sentat",
            "rsa-retry-attempt",
            "rsa-since-last-attempt",
            "rsa-since-first-attempt",
            "rsa-retry-reason",
            "ce-id",
            "ce-source",
            "ce-specversion",
            "ce-type",
            "ce-time",
            "ce-subject",
        ] {
            assert!(allowed.split(", ").any(|allowed| allowed == name), "{name}");
        }
    }
}

#[test]
fn rudderstacks_browser_client_gets_its_source() {
    let mut request = Raw::post("/sourceConfig/?p=web&v=3", "");
    request.method = Method::GET;
    request.headers.insert(header::AUTHORIZATION, HeaderValue::from_static("Basic d2tfdGVzdF8xMjM6"));
    let source = &body(request.answer(noon(), &Limits::default()))["source"];
    assert_eq!(source["writeKey"], "wk_test_123");
    request.headers.clear();
    assert_eq!(problem(request.answer(noon(), &Limits::default())).0, 401);
}
