//! Signatures of Standard Webhooks: HMAC-SHA256 over id, time and body, in three headers.
//!
//! Source: <https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>, the symmetric
//! scheme `v1`.

use std::fmt;

use base64::{Engine, engine::general_purpose::STANDARD};
use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderMap, HeaderName, HeaderValue, header::InvalidHeaderValue};
use sha2::Sha256;

/// Header with the message's id, the same at every attempt, by which a receiver finds duplicates.
pub const ID: HeaderName = HeaderName::from_static("webhook-id");
/// Header with the attempt's time in Unix seconds.
pub const TIMESTAMP: HeaderName = HeaderName::from_static("webhook-timestamp");
/// Header with the signatures, separated by spaces.
pub const SIGNATURE: HeaderName = HeaderName::from_static("webhook-signature");

const PREFIX: &str = "whsec_";
/// Bytes of a secret, by the specification.
const LENGTHS: std::ops::RangeInclusive<usize> = 24..=64;
/// Bytes of a secret that is made here.
const MADE: usize = 32;
/// Longest message id.
const LONGEST_ID: usize = 200;

/// What sender and receiver share: `whsec_` and the base64 of 24 to 64 bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Vec<u8>);

/// A text is no secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a secret is whsec_ and the base64 of 24 to 64 bytes")]
pub struct NotASecret;

impl Secret {
    /// Reads a secret. Errors: it has another form.
    pub fn parse(text: &str) -> Result<Self, NotASecret> {
        let bytes =
            text.strip_prefix(PREFIX).and_then(|rest| STANDARD.decode(rest).ok()).ok_or(NotASecret)?;
        if LENGTHS.contains(&bytes.len()) { Ok(Self(bytes)) } else { Err(NotASecret) }
    }

    /// A new secret of 32 random bytes. Errors: the operating system has no random numbers.
    pub fn random() -> Result<Self, getrandom::Error> {
        let mut bytes = vec![0; MADE];
        getrandom::fill(&mut bytes)?;
        Ok(Self(bytes))
    }

    /// The secret as its receiver needs it.
    pub fn reveal(&self) -> String {
        format!("{PREFIX}{}", STANDARD.encode(&self.0))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

/// The secrets that sign: the current one and, for a while after a rotation, the one before it. A receiver that knows
/// either of the two verifies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Secrets {
    /// The current secret.
    pub current: Secret,
    /// The replaced one, while it still signs.
    pub previous: Option<Secret>,
}

impl Secrets {
    /// Reads the secrets as they are kept. Errors: one has another form.
    pub fn parse(current: &str, previous: Option<&str>) -> Result<Self, NotASecret> {
        Ok(Self { current: Secret::parse(current)?, previous: previous.map(Secret::parse).transpose()? })
    }
}

/// The id of a message. It may not have a dot, which separates the parts that are signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageId(String);

/// A text is no message id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a message id has 1 to 200 letters, digits, _ and -")]
pub struct NotAMessageId;

impl MessageId {
    /// Reads a message id. Errors: it has other characters, none, or too many.
    pub fn new(id: impl Into<String>) -> Result<Self, NotAMessageId> {
        let id = id.into();
        let legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
        if (1..=LONGEST_ID).contains(&id.len()) && id.bytes().all(legal) {
            Ok(Self(id))
        } else {
            Err(NotAMessageId)
        }
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The three headers of an attempt at `at` to send `body`, which must go out byte by byte as it is signed here.
/// Errors: none that can happen, since neither an id nor base64 has a character that a header can't.
pub fn headers(
    secrets: &Secrets,
    id: &MessageId,
    at: DateTime<Utc>,
    body: &[u8],
) -> Result<HeaderMap, InvalidHeaderValue> {
    let timestamp = at.timestamp();
    let signatures: Vec<String> = std::iter::once(&secrets.current)
        .chain(&secrets.previous)
        .filter_map(|secret| signature(secret, id, timestamp, body))
        .collect();
    let mut headers = HeaderMap::with_capacity(3);
    headers.insert(ID, HeaderValue::try_from(id.as_str())?);
    headers.insert(TIMESTAMP, HeaderValue::from(timestamp));
    headers.insert(SIGNATURE, HeaderValue::try_from(signatures.join(" "))?);
    Ok(headers)
}

/// HMAC takes keys of any length, so this is always something.
fn signature(secret: &Secret, id: &MessageId, timestamp: i64, body: &[u8]) -> Option<String> {
    let mut mac = Hmac::<Sha256>::new_from_slice(&secret.0).ok()?;
    mac.update(format!("{}.{timestamp}.", id.as_str()).as_bytes());
    mac.update(body);
    Some(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the specification's libraries: secret, id, time, body and the signature that they expect.
    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const BODY: &[u8] = br#"{"test": 2432232314}"#;
    const EXPECTED: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, 0).unwrap()
    }

    fn secrets(current: &str, previous: Option<&str>) -> Secrets {
        Secrets::parse(current, previous).unwrap()
    }

    fn id() -> MessageId {
        MessageId::new("msg_p5jXN8AQM9LWM0D4loKWxJek").unwrap()
    }

    #[test]
    fn signs_as_the_published_example() {
        let headers = headers(&secrets(SECRET, None), &id(), at(1_614_265_330), BODY).unwrap();
        assert_eq!(headers[ID], "msg_p5jXN8AQM9LWM0D4loKWxJek");
        assert_eq!(headers[TIMESTAMP], "1614265330");
        assert_eq!(headers[SIGNATURE], EXPECTED);
    }

    #[test]
    fn both_secrets_of_a_rotation_sign_the_current_one_first() {
        let new = Secret(vec![7; 32]).reveal();
        let alone = headers(&secrets(&new, None), &id(), at(1_614_265_330), BODY).unwrap();
        let both = headers(&secrets(&new, Some(SECRET)), &id(), at(1_614_265_330), BODY).unwrap();
        let alone = alone[SIGNATURE].to_str().unwrap();
        assert_eq!(both[SIGNATURE], format!("{alone} {EXPECTED}").as_str());
    }

    #[test]
    fn every_part_changes_the_signature() {
        let of = |id: &MessageId, seconds, body: &[u8]| {
            headers(&secrets(SECRET, None), id, at(seconds), body).unwrap()[SIGNATURE].clone()
        };
        let other = MessageId::new("msg_2").unwrap();
        assert_ne!(of(&other, 1_614_265_330, BODY), EXPECTED);
        assert_ne!(of(&id(), 1_614_265_331, BODY), EXPECTED);
        assert_ne!(of(&id(), 1_614_265_330, br#"{"test": 2432232315}"#), EXPECTED);
    }

    #[test]
    fn a_secret_has_24_to_64_bytes_and_reads_back() {
        for length in [24, 32, 64] {
            let text = Secret(vec![1; length]).reveal();
            assert_eq!(Secret::parse(&text).unwrap().reveal(), text);
        }
        let (short, long) = (Secret(vec![1; 23]).reveal(), Secret(vec![1; 65]).reveal());
        for wrong in ["", "whsec_", "whsec_!", &SECRET["whsec_".len()..], &short, &long] {
            assert_eq!(Secret::parse(wrong), Err(NotASecret), "{wrong}");
        }
    }

    #[test]
    fn made_secrets_differ_and_do_not_show_in_debug() {
        let (one, two) = (Secret::random().unwrap(), Secret::random().unwrap());
        assert_ne!(one, two);
        assert_eq!(Secret::parse(&one.reveal()).unwrap(), one);
        assert_eq!(format!("{one:?}"), "Secret");
    }

    #[test]
    fn a_message_id_can_not_be_taken_for_another_signed_part() {
        for wrong in ["", "a.1", "a b", "ä", "a\n", &"x".repeat(201)] {
            assert_eq!(MessageId::new(wrong), Err(NotAMessageId), "{wrong:?}");
        }
        assert!(MessageId::new("0d4f-77_A").is_ok());
    }
}
