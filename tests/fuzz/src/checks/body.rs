//! A body's bytes become one JSON text or a refusal, and what is around them changes nothing.

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use flate2::Crc;
use http::HeaderMap;
use ingest_events::{limits::Limits, refusal::Refusal, request, tolerant};
use serde_json::value::RawValue;

use super::request::problem;

/// Small enough for a fuzzer to reach.
fn limits() -> Limits {
    Limits { body_bytes: 4_096, inflated_bytes: 8_192, ..Limits::default() }
}

fn read(body: &[u8]) -> Result<String, Refusal> {
    request::json(&HeaderMap::new(), None, body, &limits())
}

/// Gzip that stores the bytes as they are: a real compressor would take most of a fuzzer's time.
fn gzip(bytes: &[u8]) -> Vec<u8> {
    let length = u16::try_from(bytes.len()).expect("a small payload");
    let mut crc = Crc::new();
    crc.update(bytes);
    let mut gzip = vec![0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 0xFF, 1];
    gzip.extend(length.to_le_bytes());
    gzip.extend((!length).to_le_bytes());
    gzip.extend(bytes);
    gzip.extend(crc.sum().to_le_bytes());
    gzip.extend(u32::from(length).to_le_bytes());
    gzip
}

/// The first byte says what is put around the rest, and where it is cut.
pub fn check(input: &[u8]) {
    let Some((&around, payload)) = input.split_first() else { return };
    let plain = read(payload);
    assert_eq!(read(payload), plain, "reading twice");
    match &plain {
        Ok(text) => {
            assert!(text.len() <= 3 * limits().inflated_bytes, "{} bytes of text", text.len());
            let whole: &RawValue = serde_json::from_str(text).expect("what was read is JSON");
            assert_eq!(whole.get(), text.trim_matches([' ', '\n', '\r', '\t']));
            if text.len() <= limits().body_bytes {
                assert_eq!(read(text.as_bytes()).as_ref(), Ok(text), "reading what was read");
            }
        }
        Err(refusal) => problem(refusal.clone()),
    }
    let is_json = serde_json::from_slice::<&RawValue>(payload).is_ok();
    let fits = payload.len() <= limits().body_bytes;
    if is_json && fits {
        assert_eq!(plain.as_deref().map(str::as_bytes), Ok(payload), "valid JSON stays as it is");
    }
    let once = tolerant::repair(payload);
    assert!(
        once.len() <= 3 * payload.len() + 4,
        "the tolerant pass made {} of {}",
        once.len(),
        payload.len()
    );

    // What is peeled off only once can't be put around itself.
    if payload.starts_with(&[0x1F, 0x8B]) || payload.starts_with(b"data=") || !fits {
        return;
    }
    let same = |wrapped: &[u8], how: &str| {
        if wrapped.len() <= limits().body_bytes {
            assert_eq!(read(wrapped), plain, "{how}");
        }
    };
    let cut = usize::from(around >> 3) * payload.len() / 32;
    match around & 7 {
        0 => same(&gzip(payload), "gzip"),
        1 => {
            let mut members = gzip(&payload[..cut]);
            members.extend(gzip(&payload[cut..]));
            same(&members, "gzip in two members");
        }
        2 => {
            let form: String = form_urlencoded::byte_serialize(STANDARD.encode(payload).as_bytes()).collect();
            same(format!("data={form}").as_bytes(), "data in base64");
        }
        // Not escaped, so that each plus sign comes in as a space; no JSON's base64 begins or ends with one.
        3 => {
            let encoded = STANDARD.encode(payload);
            if !encoded.starts_with('+') && !encoded.ends_with('+') {
                same(format!("data={encoded}").as_bytes(), "data in base64, not escaped");
            }
        }
        4 => same(
            format!("data={}&ver=1", URL_SAFE_NO_PAD.encode(gzip(payload))).as_bytes(),
            "data in base64 and gzip",
        ),
        5 => {
            if let Ok(text) = std::str::from_utf8(payload)
                && text.trim_start().starts_with(['{', '['])
            {
                let form: String = form_urlencoded::byte_serialize(text.as_bytes()).collect();
                same(format!("data={form}").as_bytes(), "data as it is");
            }
        }
        6 => {
            let whole = gzip(payload);
            let cut = 2 + usize::from(around >> 3) * (whole.len() - 3) / 32;
            assert!(matches!(read(&whole[..cut]), Err(Refusal::Encoding(_))), "gzip cut at {cut}");
        }
        _ => {
            // A foreign encoding in the headers is worth a mention only when nothing could be read.
            let headers = [("content-encoding", "br"), ("content-type", "text/plain")];
            let headers = headers.map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
            let read = request::json(&headers.into_iter().collect(), None, payload, &limits());
            assert_eq!(read.ok(), plain.ok(), "headers decide nothing");
        }
    }
}
