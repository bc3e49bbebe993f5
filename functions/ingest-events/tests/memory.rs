//! What the worst bodies cost: memory and time of one request are bounded, whatever a stranger sends.
//!
//! A binary of its own, since it counts every allocation of its process.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use std::{
    fmt::Write as _,
    fs,
    io::Write as _,
    time::{Duration, Instant},
};

use axum::response::{IntoResponse, Response};
use chrono::{DateTime, TimeDelta, Utc};
use flate2::{Compression, write::GzEncoder};
use http::{HeaderMap, HeaderValue, Method, Uri};
use ingest_events::{
    answer::{self, Receipt},
    limits::{Limits, MAX_REQUEST_MEMORY},
    open::{Opened, open},
};
use peak_alloc::PeakAlloc;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// What a common body of the same size may cost in time, times this, is the most that any body costs.
const TIMES_COMMON: u32 = 8;

struct Cost {
    peak: usize,
    time: Duration,
    answer: usize,
    status: u16,
}

/// The processor time of this thread; where the system doesn't tell, the time that passed.
fn now() -> Duration {
    static START: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    let of_thread = fs::read_to_string("/proc/thread-self/schedstat").ok();
    match of_thread.and_then(|text| text.split(' ').next()?.parse().ok()) {
        Some(nanos) => Duration::from_nanos(nanos),
        None => START.get_or_init(Instant::now).elapsed(),
    }
}

/// Reads and answers a body as the function does, without the table; the body itself isn't counted.
fn cost(path: &str, body: &[u8]) -> Cost {
    let received: DateTime<Utc> = "2026-09-07T12:00:00Z".parse().unwrap();
    let limits = Limits { retention: TimeDelta::days(i64::from(u16::MAX)), ..Limits::default() };
    let mut headers = HeaderMap::new();
    headers.insert("x-write-key", HeaderValue::from_static("wk"));
    let uri: Uri = path.parse().unwrap();
    let before = MEMORY.current_usage();
    MEMORY.reset_peak_usage();
    let began = now();
    let answer: Response = match open(&Method::POST, &uri, &headers, body, received, &limits) {
        Opened::Answered(answer) => answer,
        Opened::Feedback { .. } => answer::done(),
        Opened::Events { reading, .. } => {
            let unattributed = reading.without_company();
            Receipt::new(reading, unattributed).into_response()
        }
    };
    let time = now() - began;
    let peak = MEMORY.peak_usage() - before;
    let length = axum::body::HttpBody::size_hint(answer.body()).exact().unwrap();
    Cost { peak, time, answer: usize::try_from(length).unwrap(), status: answer.status().as_u16() }
}

fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(plain).unwrap();
    gzip.finish().unwrap()
}

/// Repeats a piece until the text is as long as it may be.
fn filled(head: &str, piece: &str, tail: &str, bytes: usize) -> Vec<u8> {
    let times = (bytes - head.len() - tail.len()) / piece.len();
    [head, &piece.repeat(times), tail].concat().into_bytes()
}

fn keys(head: &str, tail: &str, bytes: usize) -> Vec<u8> {
    let mut text = String::from(head);
    let mut index = 0;
    while text.len() + tail.len() + 12 < bytes {
        write!(text, "\"{index:x}\":0,").unwrap();
        index += 1;
    }
    text.pop();
    text.push_str(tail);
    text.into_bytes()
}

/// Bodies of up to so many bytes that cost more than others of their size.
fn worst(bytes: usize) -> Vec<(&'static str, Vec<u8>)> {
    const EVENT: &str = r#"{"type":"track","event":"e","userId":"u""#;
    let page = r#"{"type":"page","userId":"u","messageId":"m"},"#;
    let padded = format!("{{\"type\":\"page\",\"userId\":\"u\",\"pad\":\"{}\"}},", "x".repeat(32_000));
    let mut all = vec![
        ("opening brackets", b"[".repeat(bytes)),
        (
            "opening brackets as a property",
            [format!("{EVENT},\"properties\":").as_bytes(), &b"[".repeat(bytes - 60)].concat(),
        ),
        ("arrays in arrays", [b"[".repeat(bytes / 2), b"]".repeat(bytes / 2)].concat()),
        (
            "objects in objects",
            [b"{\"a\":".repeat(bytes / 6), b"0".to_vec(), b"}".repeat(bytes / 6)].concat(),
        ),
        ("keys in the properties", keys(&format!("{EVENT},\"properties\":{{"), "}}", bytes)),
        ("keys at the top", keys("{", "}", bytes)),
        ("keys in the context of a call", keys(&format!("{EVENT},\"context\":{{"), "}}", bytes)),
        (
            "keys in the context of a batch",
            keys("{\"context\":{", &format!("}},\"batch\":[{}1]}}", page.repeat(999)), bytes),
        ),
        (
            "keys in the traits of a batch's context",
            keys("{\"context\":{\"traits\":{", &format!("}}}},\"batch\":[{}1]}}", page.repeat(999)), bytes),
        ),
        (
            "a long sentAt of a batch",
            filled("{\"sentAt\":\"", "\\n", &format!("\",\"batch\":[{}1]}}", page.repeat(999)), bytes),
        ),
        ("empty events", filled("[", "{},", "{}]", bytes)),
        ("numbers for events", filled("[", "0,", "0]", bytes)),
        ("small events", filled("[", page, "0]", bytes)),
        ("events of 32,000 bytes", filled("[", &padded, "0]", bytes)),
        ("one field again and again", filled("{\"type\":\"page\"", ",\"userId\":\"u\"", "}", bytes)),
        (
            "a name of escapes",
            filled("[{\"type\":\"track\",\"userId\":\"u\",\"event\":\"", "\\u0041", "\"}]", bytes),
        ),
        ("a message id of escapes", filled("[{\"type\":\"page\",\"messageId\":\"", "\\u0001", "\"}]", bytes)),
        ("a field's name of escapes", filled("[{\"type\":\"page\",\"", "\\n", "\":\"u\"}]", bytes)),
        ("a key of escapes", filled("{\"batch\":[],\"writeKey\":\"", "\\n", "\"}", bytes)),
        ("bytes that aren't UTF-8", vec![0xFF; bytes]),
        ("a string that isn't UTF-8", [b"[\"".to_vec(), vec![0xFF; bytes - 4], b"\"]".to_vec()].concat()),
        ("lone surrogates", filled("[\"", "\\ud83d", "\"]", bytes)),
        ("surrogates as bytes", [&b"[\""[..], &b"\xED\xA0\xBD".repeat(bytes / 3 - 2), b"\"]"].concat()),
        ("numbers that aren't", filled("[", "NaN,", "NaN]", bytes)),
        ("words", filled("[", "N,", "N]", bytes)),
        ("one long word", vec![b'N'; bytes]),
        ("an open string of backslashes", filled("[\"", "\\", "", bytes)),
        ("space", vec![b' '; bytes]),
    ];
    let many: String = (0..1_000)
        .map(|index| {
            format!(
                "{{\"type\":\"page\",\"messageId\":\"{}{index}\"}},",
                "\\u0001".repeat((bytes - 50_000) / 6_000)
            )
        })
        .collect();
    all.push(("a thousand bad events with long ids", format!("[{many}0]").into_bytes()));
    all.push(("a form's data", filled("data=[\"", "%41", "\"]", bytes)));
    all.push(("a form of many fields", filled("data", "=&", "", bytes)));
    all
}

/// As sent, and compressed as far as may be unpacked.
fn bodies() -> Vec<(String, Vec<u8>, usize)> {
    let limits = Limits::default();
    let mut bodies = Vec::new();
    for (name, body) in worst(limits.body_bytes) {
        assert!(body.len() <= limits.body_bytes, "{name}");
        bodies.push((name.to_owned(), body, limits.body_bytes));
    }
    for (name, plain) in worst(limits.inflated_bytes) {
        let body = gzip(&plain);
        if body.len() <= limits.body_bytes {
            bodies.push((format!("{name}, compressed"), body, limits.inflated_bytes));
        }
    }
    let inner = vec![b'['; limits.inflated_bytes];
    let form = form_urlencoded::byte_serialize(base64(&gzip(&inner)).as_bytes()).collect::<String>();
    bodies.push((
        "a bomb in a form's data".to_owned(),
        format!("data={form}").into_bytes(),
        limits.inflated_bytes,
    ));
    bodies.push((
        "a bomb in a compressed form's data".to_owned(),
        gzip(format!("data={form}").as_bytes()),
        limits.inflated_bytes,
    ));
    bodies.push(("a bomb of a gigabyte".to_owned(), gzip(&inner).repeat(100), limits.inflated_bytes));
    bodies
}

fn base64(bytes: &[u8]) -> String {
    use base64::{Engine, engine::general_purpose::STANDARD};
    STANDARD.encode(bytes)
}

#[test]
fn the_worst_bodies_cost_no_more_than_is_stated() {
    let event = format!(
        "{{\"type\":\"track\",\"event\":\"Export\",\"userId\":\"u\",\"groupId\":\"c\",\"messageId\":\"m\",\"timestamp\":\"2026-09-07T11:00:00Z\",\"properties\":{{\"feature\":\"export\",\"items\":[{}1]}}}},",
        "1,".repeat(1_800)
    );
    let common = |bytes: usize| filled("{\"batch\":[", &event, "0]}", bytes);
    let limits = Limits::default();
    let plain = cost("/v1/batch", &common(limits.body_bytes));
    let compressed = cost("/v1/batch", &gzip(&common(limits.inflated_bytes)));
    println!("{:>9} {:>8} {:>9} status body", "peak KiB", "ms", "answer");
    let mut worst = Vec::new();
    for (name, body, bytes) in bodies() {
        let cost = cost("/v1/batch", &body);
        println!(
            "{:>9} {:>8.1} {:>9} {} {name}",
            cost.peak / 1024,
            cost.time.as_secs_f64() * 1e3,
            cost.answer,
            cost.status
        );
        let common = if bytes == limits.body_bytes { &plain } else { &compressed };
        if cost.peak > MAX_REQUEST_MEMORY || cost.answer > 4_500_000 || cost.time > common.time * TIMES_COMMON
        {
            worst.push(name);
        }
        assert!([200, 400, 413, 415].contains(&cost.status));
    }
    println!(
        "common: {} KiB {:?}, compressed {} KiB {:?}",
        plain.peak / 1024,
        plain.time,
        compressed.peak / 1024,
        compressed.time
    );
    assert_eq!(worst, [""; 0]);
}
