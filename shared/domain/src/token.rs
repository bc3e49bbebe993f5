//! Signed links: the token in the path of an answer or unsubscribe page.
//!
//! base64url of 39 bytes: version, key id, purpose, 16-byte send id, expiry (Unix seconds, big endian, 0 =
//! never), HMAC-SHA256 over all before it cut to 16 bytes. Verified in constant time before anything is read.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::{SendId, language::Language};

const VERSION: u8 = 1;
const BODY: usize = 1 + 1 + 1 + 16 + 4;
const MAC: usize = 16;
/// How the token of a test mail begins. No signed one does: its first byte is the version.
const TEST: &str = "test-";

/// What a link may be used for. A link for one can't be used for the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Give or change an answer.
    Feedback,
    /// Unsubscribe.
    Unsubscribe,
}

impl Purpose {
    fn byte(self) -> u8 {
        match self {
            Self::Feedback => b'f',
            Self::Unsubscribe => b'u',
        }
    }
}

/// Why a token doesn't open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Not a token, not signed by us, or for another purpose.
    #[error("the link isn't valid")]
    Invalid,
    /// It was valid until its expiry.
    #[error("the link has expired")]
    Expired,
}

/// A signing key: its id stands in the token, so that two can be active while they rotate.
#[derive(Clone)]
pub struct Key {
    /// 0 to 255.
    pub id: u8,
    /// At least 32 random bytes.
    pub secret: Vec<u8>,
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Key").field("id", &self.id).finish_non_exhaustive()
    }
}

/// The active signing keys; the first signs, all verify.
#[derive(Debug, Clone)]
pub struct Keys {
    current: Key,
    others: Vec<Key>,
}

impl Keys {
    /// `current` signs and verifies, `others` verify.
    pub fn new(current: Key, others: Vec<Key>) -> Self {
        Self { current, others }
    }

    /// Signs a link. `expires` nothing: never.
    pub fn sign(&self, purpose: Purpose, send: SendId, expires: Option<DateTime<Utc>>) -> String {
        let seconds = expires.map_or(0, |at| at.timestamp().clamp(1, i64::from(u32::MAX)) as u32);
        let mut token = Vec::with_capacity(BODY + MAC);
        token.extend([VERSION, self.current.id, purpose.byte()]);
        token.extend(send.as_bytes());
        token.extend(seconds.to_be_bytes());
        if let Some(mac) = mac(&self.current, &token) {
            token.extend(mac.finalize().into_bytes().iter().take(MAC));
        }
        URL_SAFE_NO_PAD.encode(token)
    }

    /// Opens a link. Errors: [`TokenError`]; whether it was signed by us is decided before its expiry.
    pub fn open(&self, purpose: Purpose, token: &str, now: DateTime<Utc>) -> Result<SendId, TokenError> {
        let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| TokenError::Invalid)?;
        let (body, tag) = bytes.split_at_checked(BODY).ok_or(TokenError::Invalid)?;
        let &[version, key_id, kind, ref rest @ ..] = body else {
            return Err(TokenError::Invalid);
        };
        let (send, expiry) = rest.split_first_chunk::<16>().ok_or(TokenError::Invalid)?;
        let expiry: [u8; 4] = expiry.try_into().map_err(|_| TokenError::Invalid)?;
        let key = std::iter::once(&self.current).chain(&self.others).find(|key| key.id == key_id);
        let mac = key.and_then(|key| mac(key, body)).ok_or(TokenError::Invalid)?;
        if tag.len() != MAC || mac.verify_truncated_left(tag).is_err() {
            return Err(TokenError::Invalid);
        }
        if version != VERSION || kind != purpose.byte() {
            return Err(TokenError::Invalid);
        }
        let expiry = u32::from_be_bytes(expiry);
        if expiry != 0 && now.timestamp() > i64::from(expiry) {
            return Err(TokenError::Expired);
        }
        Ok(SendId::from_bytes(*send))
    }
}

/// The token of the links in a test mail. Nobody signs it: the page behind it only says that it is a test.
pub fn of_test(language: Language) -> String {
    format!("{TEST}{}", language.tag())
}

/// The language of the test mail that a token was for; nothing when it is any other token.
pub fn test_language(token: &str) -> Option<Language> {
    Language::ALL.into_iter().find(|language| token.strip_prefix(TEST) == Some(language.tag()))
}

/// HMAC takes keys of any length, so this is always something.
fn mac(key: &Key, body: &[u8]) -> Option<Hmac<Sha256>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(&key.secret).ok()?;
    mac.update(body);
    Some(mac)
}
