//! From a request's bytes to its JSON text. Rule: ingestion, reading a request.
//!
//! The content type decides nothing: clients send JSON as `text/plain`, as a form and without any type.

use std::io::Read;

use base64::{
    Engine, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use flate2::read::MultiGzDecoder;
use http::{HeaderMap, header::CONTENT_ENCODING};

use crate::{json, limits::Limits, refusal::Refusal, tolerant};

const GZIP: &[u8] = &[0x1F, 0x8B];
const ZSTD: &[u8] = &[0x28, 0xB5, 0x2F, 0xFD];
/// What becomes of gzip where something on the way took it for text.
const DAMAGED_GZIP: &[u8] = "\u{1F}\u{FFFD}".as_bytes();

const BASE64_CONFIG: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(true);

/// What `compression` says in the query or form of PostHog's browser clients before 2023, when the host announced that
/// it reads it. This one never does.
const LZ64: &str = "lz64";

/// The JSON text of a body, known to be one JSON value. Errors: [`Refusal::TooLarge`], [`Refusal::Encoding`],
/// [`Refusal::Malformed`].
pub fn json(
    headers: &HeaderMap,
    query: Option<&str>,
    body: &[u8],
    limits: &Limits,
) -> Result<String, Refusal> {
    if body.len() > limits.body_bytes {
        return Err(Refusal::TooLarge { limit: limits.body_bytes, state: "as sent" });
    }
    let inflated = inflate(body, limits)?;
    let plain = inflated.as_deref().unwrap_or(body);
    if says_lz64(query.unwrap_or_default().as_bytes()) || (plain.starts_with(b"data=") && says_lz64(plain)) {
        return Err(Refusal::Encoding("lz64 isn't read; send gzip, base64 or plain JSON"));
    }
    let form = form_data(plain, limits)?;
    let bytes = form.or(inflated).unwrap_or_else(|| body.to_vec());
    let first = match String::from_utf8(bytes) {
        Ok(text) => match json::whole(&text) {
            Ok(_) => return Ok(text),
            Err(_) => text.into_bytes(),
        },
        Err(error) => error.into_bytes(),
    };
    let repaired = tolerant::repair(&first);
    match json::whole(&repaired) {
        Ok(_) => Ok(repaired),
        Err(_) if first.starts_with(DAMAGED_GZIP) => Err(Refusal::Encoding(
            "it looks like gzip that was taken for text on the way; send it without compression",
        )),
        Err(_) if first.starts_with(ZSTD) || foreign_encoding(headers) => {
            Err(Refusal::Encoding("only gzip is read"))
        }
        Err(_) if first.trim_ascii().is_empty() => Err(Refusal::Malformed("it is empty".to_owned())),
        Err(json::Syntax { at: (line, column) }) => {
            Err(Refusal::Malformed(format!("it isn't JSON at line {line}, column {column}")))
        }
    }
}

fn says_lz64(form: &[u8]) -> bool {
    form_urlencoded::parse(form).any(|(name, value)| name == "compression" && value == LZ64)
}

fn foreign_encoding(headers: &HeaderMap) -> bool {
    headers.get(CONTENT_ENCODING).is_some_and(|encoding| {
        !matches!(
            encoding.as_bytes().trim_ascii().to_ascii_lowercase().as_slice(),
            b"" | b"gzip" | b"identity"
        )
    })
}

/// Unpacks what begins like gzip, whatever the headers say; nothing for anything else.
fn inflate(bytes: &[u8], limits: &Limits) -> Result<Option<Vec<u8>>, Refusal> {
    if !bytes.starts_with(GZIP) {
        return Ok(None);
    }
    let limit = limits.inflated_bytes;
    let mut inflated = Vec::with_capacity(bytes.len().saturating_mul(4).min(limit));
    MultiGzDecoder::new(bytes)
        .take(u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1))
        .read_to_end(&mut inflated)
        .map_err(|_| Refusal::Encoding("it begins like gzip and is damaged"))?;
    if inflated.len() > limit {
        return Err(Refusal::TooLarge { limit, state: "after decompression" });
    }
    Ok(Some(inflated))
}

/// The `data` of a form: JSON itself, or in base64, which may hold gzip again. Nothing when it's no such form.
fn form_data(bytes: &[u8], limits: &Limits) -> Result<Option<Vec<u8>>, Refusal> {
    if !bytes.starts_with(b"data=") {
        return Ok(None);
    }
    let Some(data) =
        form_urlencoded::parse(bytes).find_map(|(name, value)| (name == "data").then_some(value))
    else {
        return Ok(None);
    };
    if data.trim_start().starts_with(['{', '[']) {
        return Ok(Some(data.into_owned().into_bytes()));
    }
    // A plus sign that the client didn't escape has become a space.
    let data = data.trim().replace(' ', "+");
    let alphabet = if data.contains(['-', '_']) { &alphabet::URL_SAFE } else { &alphabet::STANDARD };
    let decoded = GeneralPurpose::new(alphabet, BASE64_CONFIG)
        .decode(data)
        .map_err(|_| Refusal::Malformed("the form's data is neither JSON nor base64".to_owned()))?;
    Ok(Some(inflate(&decoded, limits)?.unwrap_or(decoded)))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn read(body: &[u8]) -> Result<String, Refusal> {
        json(&HeaderMap::new(), None, body, &Limits::default())
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn unpacks_gzip_and_forms() {
        let text = r#"{"a":"ÿ>?"}"#;
        assert_eq!(read(text.as_bytes()).unwrap(), text);
        assert_eq!(read(&gzip(text.as_bytes())).unwrap(), text);
        let base64 = base64::engine::general_purpose::STANDARD.encode(text);
        let url_safe = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(text);
        for data in
            [base64.clone(), base64.replace('+', "%2B"), url_safe, "%7B%22a%22%3A%22ÿ%3E?%22}".to_owned()]
        {
            assert_eq!(read(format!("data={data}&compression=base64").as_bytes()).unwrap(), text, "{data}");
        }
        let packed = base64::engine::general_purpose::STANDARD.encode(gzip(text.as_bytes()));
        let form: String =
            form_urlencoded::Serializer::new(String::new()).append_pair("data", &packed).finish();
        assert_eq!(read(form.as_bytes()).unwrap(), text);
        assert_eq!(read(&gzip(form.as_bytes())).unwrap(), text);
    }

    #[test]
    fn large_bodies_are_413() {
        let limits = Limits { body_bytes: 100, inflated_bytes: 200, ..Limits::default() };
        let status =
            |body: &[u8]| json(&HeaderMap::new(), None, body, &limits).unwrap_err().status().as_u16();
        assert_eq!(status(&[b' '; 101]), 413);
        assert_eq!(status(&gzip(&[b' '; 201])), 413);
        assert_eq!(status(&gzip(&[b' '; 200])), 400);
        assert!(read(&gzip(&vec![b'['; 20_000_000])).is_err_and(|refusal| refusal.status().as_u16() == 413));
    }

    #[test]
    fn unreadable_encodings_are_415() {
        let mut cut = gzip(b"{\"a\":1}");
        cut.truncate(12);
        let lossy = String::from_utf8_lossy(&gzip(b"{\"a\":1}")).into_owned();
        for body in [&cut[..], lossy.as_bytes(), &[0x28, 0xB5, 0x2F, 0xFD, 0]] {
            assert_eq!(read(body).unwrap_err().status().as_u16(), 415);
        }
        let headers =
            |encoding| [(CONTENT_ENCODING, http::HeaderValue::from_static(encoding))].into_iter().collect();
        let status = |encoding, body: &[u8]| {
            json(&headers(encoding), None, body, &Limits::default())
                .map_err(|refusal| refusal.status().as_u16())
        };
        assert_eq!(status("br", b"\x0b\x02\x80"), Err(415));
        assert_eq!(status("gzip", b"\x0b\x02\x80"), Err(400));
        assert_eq!(status("br", b"{}"), Ok("{}".to_owned()));
    }

    #[test]
    fn what_is_no_json_is_400() {
        for body in [&b""[..], b" ", b"{", b"hello", b"{}{}", b"data=%%%", b"data=", b"------Boundary\r\n"] {
            assert_eq!(read(body).unwrap_err().status().as_u16(), 400, "{body:?}");
        }
    }

    #[test]
    fn the_tolerant_pass_saves_the_batch() {
        assert_eq!(read(b"\xEF\xBB\xBF{\"a\":NaN}").unwrap(), "{\"a\":null}");
        assert_eq!(read(b"[\"\xFF\"]").unwrap(), "[\"\u{FFFD}\"]");
    }
}
