//! The write key of a request: the first that is present counts. Rule: ingestion, reading a request.

use base64::{
    Engine, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use http::{HeaderMap, header::AUTHORIZATION};

/// Base64 with or without padding: clients differ.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// The key in the request's headers or query: Basic user, else Bearer, else `X-Write-Key` up to its colon, else
/// the query's `writeKey`. The key in a body comes after these; see
/// [`Envelope::key`](crate::envelope::Envelope::key).
pub fn of_request(headers: &HeaderMap, query: Option<&str>) -> Option<String> {
    authorization(headers, "basic")
        .find_map(basic_user)
        .or_else(|| authorization(headers, "bearer").find_map(given))
        .or_else(|| {
            let value = headers.get("x-write-key")?.to_str().ok()?;
            given(value.split(':').next()?)
        })
        .or_else(|| {
            form_urlencoded::parse(query?.as_bytes())
                .find_map(|(name, value)| if name == "writeKey" { given(&value) } else { None })
        })
}

fn authorization<'a>(headers: &'a HeaderMap, scheme: &'a str) -> impl Iterator<Item = &'a str> {
    headers.get_all(AUTHORIZATION).iter().filter_map(move |value| {
        let (given, credentials) = value.to_str().ok()?.trim().split_once(' ')?;
        given.eq_ignore_ascii_case(scheme).then(|| credentials.trim())
    })
}

fn basic_user(credentials: &str) -> Option<String> {
    let decoded = BASE64.decode(credentials).ok()?;
    given(std::str::from_utf8(&decoded).ok()?.split(':').next()?)
}

fn given(key: &str) -> Option<String> {
    let key = key.trim();
    (!key.is_empty()).then(|| key.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(headers: &[(&'static str, &'static str)], query: &str) -> Option<String> {
        let headers = headers.iter().map(|(name, value)| {
            (http::HeaderName::from_static(name), http::HeaderValue::from_static(value))
        });
        of_request(&headers.collect(), Some(query))
    }

    #[test]
    fn the_first_present_counts() {
        // "one:" and "one", which lacks its colon and its padding.
        let basic = ("authorization", "Basic b25lOg==");
        let bearer = ("authorization", "bearer two");
        let header = ("x-write-key", "three:secret");
        let query = "a=b&writeKey=f%6Fur";
        assert_eq!(key(&[bearer, basic, header], query).as_deref(), Some("one"));
        assert_eq!(key(&[("authorization", "basic b25l")], "").as_deref(), Some("one"));
        assert_eq!(key(&[("authorization", "basic b25lOg")], "").as_deref(), Some("one"));
        assert_eq!(key(&[bearer, header], query).as_deref(), Some("two"));
        assert_eq!(key(&[header], query).as_deref(), Some("three"));
        assert_eq!(key(&[], query).as_deref(), Some("four"));
        assert_eq!(key(&[], ""), None);
    }

    #[test]
    fn an_empty_or_unreadable_one_is_not_present() {
        for empty in ["Basic Og==", "Basic ", "Basic %%%", "Basic", "Bearer ", "Digest x"] {
            assert_eq!(key(&[("authorization", empty)], "writeKey=x").as_deref(), Some("x"), "{empty}");
        }
        assert_eq!(key(&[("x-write-key", ":secret")], "writeKey="), None);
    }
}
