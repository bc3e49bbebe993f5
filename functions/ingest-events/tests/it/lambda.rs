//! Requests as Lambda hands them over, through the adapter that the function runs with: payload version 2, of an HTTP
//! API or a Function URL. Rule: ingestion, on Lambda.

use std::{fs, io::Write};

use base64::Engine;
use http::HeaderValue;
use ingest_events::{limits::Limits, open::Opened};
use lambda_http::{Body, request};
use serde_json::{Value, json};

use crate::common::{Raw, body, fixtures, noon};

const BATCH: &str =
    r#"{"batch":[{"type":"track","event":"Export","userId":"u","groupId":"c","messageId":"m"}]}"#;

fn payload(name: &str) -> Value {
    let text = fs::read_to_string(fixtures().join("published/lambda-events").join(name)).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// The request that the adapter makes of a payload; why, where it makes none.
fn adapt(payload: &Value) -> Result<Raw, String> {
    let (head, body) =
        request::from_str(&payload.to_string()).map_err(|error| error.to_string())?.into_parts();
    let body = match body {
        Body::Empty => Vec::new(),
        Body::Text(text) => text.into_bytes(),
        Body::Binary(bytes) => bytes,
        _ => panic!("a body of another kind"),
    };
    Ok(Raw { method: head.method, uri: head.uri, headers: head.headers, body })
}

/// The payload, sent to a path with a body.
fn sent(mut payload: Value, path: &str, body: &[u8], base64: bool) -> Value {
    payload["rawPath"] = json!(path);
    payload["rawQueryString"] = json!("writeKey=wk%5F1");
    payload["requestContext"]["http"]["method"] = json!("POST");
    payload["requestContext"]["http"]["path"] = json!(path);
    payload["isBase64Encoded"] = json!(base64);
    payload["body"] = if base64 {
        json!(base64::engine::general_purpose::STANDARD.encode(body))
    } else {
        json!(String::from_utf8_lossy(body))
    };
    payload
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

const SECOND: [&str; 5] = [
    "apigw_v2_proxy_request.json",
    "apigw_v2_proxy_request_minimal.json",
    "apigw_v2_sam_local.json",
    "apigw_request_path_with_space.json",
    "lambda_function_url_request.json",
];

#[test]
fn payload_version_2_is_read_with_text_and_base64_bodies() {
    for name in SECOND {
        for (body, base64) in
            [(BATCH.as_bytes().to_vec(), false), (BATCH.as_bytes().to_vec(), true), (gzip(BATCH), true)]
        {
            let request = adapt(&sent(payload(name), "/v1/batch", &body, base64)).unwrap();
            let Opened::Events { key, reading } = request.open(noon(), &Limits::default()) else {
                panic!("{name} has events");
            };
            assert_eq!((key.as_str(), reading.rejected), ("wk_1", 0), "{name}");
            let event = &reading.events[0].1;
            assert_eq!((event.name.as_deref(), event.id.as_deref()), (Some("Export"), Some("m")), "{name}");
        }
        let dropped = adapt(&sent(payload(name), "/health", b"", false)).unwrap();
        assert_eq!(dropped.answer(noon(), &Limits::default()).status(), 405, "{name}");
    }
}

#[test]
fn gzip_that_a_gateway_took_for_text_is_415() {
    let request = adapt(&sent(payload(SECOND[0]), "/v1/batch", &gzip(BATCH), false)).unwrap();
    let answer = request.answer(noon(), &Limits::default());
    assert_eq!(answer.status(), 415);
    assert!(body(answer)["message"].as_str().unwrap().contains("taken for text"));
}

#[test]
fn the_payloads_as_they_are_get_a_clear_answer() {
    for entry in fs::read_dir(fixtures().join("published/lambda-events")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if !name.ends_with(".json") {
            continue;
        }
        let is_second = payload(&name)["version"] == "2.0";
        match adapt(&payload(&name)) {
            Ok(mut request) => {
                assert!(is_second, "{name}");
                request.headers.insert("x-write-key", HeaderValue::from_static("wk"));
                let answer = request.answer(noon(), &Limits::default());
                assert_eq!(answer.status(), 404, "{name}");
                assert_eq!(body(answer)["code"], "not_found", "{name}");
            }
            // Load balancers and version 1 aren't what the function is deployed behind: the adapter refuses them.
            Err(error) => {
                assert!(!is_second, "{name}: {error}");
                assert!(error.contains("expects a JSON payload from"), "{name}: {error}");
            }
        }
    }
}
