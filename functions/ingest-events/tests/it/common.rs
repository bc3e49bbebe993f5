//! Requests and answers as tests need them.

use std::path::PathBuf;

use axum::response::{IntoResponse, Response};
use chrono::{DateTime, TimeDelta, Utc};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use http_body_util::BodyExt;
use ingest_events::{
    answer::{self, Receipt},
    limits::Limits,
    open::{Opened, open},
    read::{Posted, Reading, read},
    route::Protocol,
};
use serde_json::Value;

pub fn at(text: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(text).unwrap().with_timezone(&Utc)
}

/// When test requests arrive, unless a test says otherwise.
pub fn noon() -> DateTime<Utc> {
    at("2026-09-07T12:00:00Z")
}

/// Limits that take the recorded events, the oldest of which are ten months older than their recording.
pub fn long() -> Limits {
    Limits { retention: TimeDelta::days(5_000), ..Limits::default() }
}

pub fn fixtures() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures")
}

/// A raw HTTP request.
pub struct Raw {
    pub method: Method,
    pub uri: Uri,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Raw {
    pub fn parse(bytes: &[u8]) -> Self {
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
        let head = std::str::from_utf8(&bytes[..end]).unwrap();
        let mut lines = head.split("\r\n");
        let mut start = lines.next().unwrap().split(' ');
        let headers = lines.map(|line| {
            let (name, value) = line.split_once(':').unwrap();
            (name.parse::<HeaderName>().unwrap(), value.trim().parse::<HeaderValue>().unwrap())
        });
        let headers: HeaderMap = headers.collect();
        let body = &bytes[end + 4..];
        let chunked = headers.get("transfer-encoding").is_some_and(|encoding| encoding == "chunked");
        Self {
            method: start.next().unwrap().parse().unwrap(),
            uri: start.next().unwrap().parse().unwrap(),
            body: if chunked { joined(body) } else { body.to_vec() },
            headers,
        }
    }

    pub fn post(uri: &str, body: impl Into<Vec<u8>>) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert("x-write-key", HeaderValue::from_static("wk_test"));
        Self { method: Method::POST, uri: uri.parse().unwrap(), headers, body: body.into() }
    }

    pub fn open(&self, received: DateTime<Utc>, limits: &Limits) -> Opened {
        open(&self.method, &self.uri, &self.headers, &self.body, received, limits)
    }

    /// The answer as if every valid event were stored.
    pub fn answer(&self, received: DateTime<Utc>, limits: &Limits) -> Response {
        let answer = match self.open(received, limits) {
            Opened::Answered(answer) => answer,
            Opened::Feedback { .. } => answer::done(),
            Opened::Events { reading, .. } => {
                let unattributed = reading.without_company();
                Receipt::new(reading, unattributed).into_response()
            }
        };
        answer::finish(&self.headers, answer)
    }
}

/// The body of which these are the chunks.
fn joined(mut chunks: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    loop {
        let end = chunks.windows(2).position(|window| window == b"\r\n").unwrap();
        let length = usize::from_str_radix(std::str::from_utf8(&chunks[..end]).unwrap(), 16).unwrap();
        if length == 0 {
            return body;
        }
        body.extend_from_slice(&chunks[end + 2..][..length]);
        chunks = &chunks[end + 2 + length + 2..];
    }
}

/// The JSON of an answer; every answer has one.
pub fn body(answer: Response) -> Value {
    use std::task::{Context, Poll, Waker};
    let mut collected = std::pin::pin!(answer.into_body().collect());
    match collected.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(body) => serde_json::from_slice(&body.unwrap().to_bytes()).unwrap(),
        Poll::Pending => panic!("the answer isn't complete"),
    }
}

/// Reads a body in a protocol's format.
pub fn read_as(protocol: Protocol, body: &str) -> Reading {
    let headers = &HeaderMap::new();
    let posted =
        Posted { protocol, kind: None, headers, query: None, body: body.as_bytes(), received: noon() };
    read(posted, &Limits::default()).unwrap()
}

/// Reads a body posted to `/v1/batch`.
pub fn batch(body: &str) -> Reading {
    read_as(Protocol::Segment, body)
}

/// Reads one event, which must be valid.
pub fn one(event: &str) -> ingest_events::event::Event {
    let mut reading = batch(&format!("{{\"batch\":[{event}]}}"));
    assert_eq!(reading.errors, [], "{event}");
    reading.events.remove(0).1
}

/// Reads one event, which must be rejected, and says why.
pub fn fault(event: &str) -> &'static str {
    let reading = batch(&format!("{{\"batch\":[{event}]}}"));
    assert_eq!((reading.events.len(), reading.rejected), (0, 1), "{event}");
    reading.errors[0].code
}
