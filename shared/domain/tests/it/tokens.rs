//! Signed links.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use barometer_domain::{
    SendId,
    language::Language,
    token::{Key, Keys, Purpose, TokenError, of_test, test_language},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::TimeDelta;
use proptest::prelude::*;

use crate::support::{at, cases};

const NOW: &str = "2026-09-07T09:00:00Z";

fn key(id: u8, fill: u8) -> Key {
    Key { id, secret: vec![fill; 32] }
}

fn keys() -> Keys {
    Keys::new(key(1, 7), Vec::new())
}

fn send() -> SendId {
    SendId::from_bytes(*b"0123456789abcdef")
}

#[test]
fn a_link_opens_for_its_purpose_until_it_expires() {
    let expires = at(NOW) + TimeDelta::days(30);
    let token = keys().sign(Purpose::Feedback, send(), Some(expires));
    assert_eq!(token.len(), 52);
    assert!(token.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'));
    assert_eq!(keys().open(Purpose::Feedback, &token, at(NOW)), Ok(send()));
    assert_eq!(keys().open(Purpose::Feedback, &token, expires), Ok(send()));
    let late = expires + TimeDelta::seconds(1);
    assert_eq!(keys().open(Purpose::Feedback, &token, late), Err(TokenError::Expired));
    assert_eq!(keys().open(Purpose::Unsubscribe, &token, at(NOW)), Err(TokenError::Invalid));
    assert_eq!(
        keys().open(Purpose::Unsubscribe, &token, late),
        Err(TokenError::Invalid),
        "invalid before expired"
    );
}

#[test]
fn an_unsubscribe_link_never_expires_and_gives_no_answer() {
    let token = keys().sign(Purpose::Unsubscribe, send(), None);
    assert_eq!(token.len(), 52);
    assert_eq!(keys().open(Purpose::Unsubscribe, &token, at("2126-01-01T00:00:00Z")), Ok(send()));
    assert_eq!(keys().open(Purpose::Feedback, &token, at(NOW)), Err(TokenError::Invalid));
}

#[test]
fn an_expiry_long_past_does_not_become_one_far_ahead() {
    for past in ["1969-12-31T23:59:59Z", "1970-01-01T00:00:00Z", "1900-01-01T00:00:00Z"] {
        let token = keys().sign(Purpose::Feedback, send(), Some(at(past)));
        assert_eq!(keys().open(Purpose::Feedback, &token, at(NOW)), Err(TokenError::Expired), "{past}");
    }
}

#[test]
fn any_flipped_bit_is_refused() {
    let token = keys().sign(Purpose::Feedback, send(), Some(at(NOW) + TimeDelta::days(30)));
    let bytes = URL_SAFE_NO_PAD.decode(&token).unwrap();
    assert_eq!(bytes.len(), 39);
    for bit in 0..bytes.len() * 8 {
        let mut bytes = bytes.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        let token = URL_SAFE_NO_PAD.encode(bytes);
        for purpose in [Purpose::Feedback, Purpose::Unsubscribe] {
            assert_eq!(keys().open(purpose, &token, at(NOW)), Err(TokenError::Invalid), "bit {bit}");
        }
    }
}

#[test]
fn texts_that_are_almost_a_link_are_refused() {
    let token = keys().sign(Purpose::Feedback, send(), None);
    let padded = format!("{token}=");
    let longer = format!("{token}AAAA");
    let spaced = format!(" {token}");
    let newline = format!("{token}\n");
    let swapped = token.to_ascii_lowercase();
    for text in
        ["", "A", &token[..51], &token[..48], &token[4..], &padded, &longer, &spaced, &newline, &swapped]
    {
        assert_eq!(keys().open(Purpose::Feedback, text, at(NOW)), Err(TokenError::Invalid), "{text:?}");
    }
}

#[test]
fn keys_rotate_without_breaking_links() {
    let (old, new) = (key(1, 7), key(2, 9));
    let token = Keys::new(old.clone(), Vec::new()).sign(Purpose::Feedback, send(), None);
    let both = Keys::new(new.clone(), vec![old.clone()]);
    assert_eq!(both.open(Purpose::Feedback, &token, at(NOW)), Ok(send()));
    let fresh = both.sign(Purpose::Feedback, send(), None);
    assert_ne!(fresh, token);
    assert_eq!(Keys::new(new.clone(), Vec::new()).open(Purpose::Feedback, &fresh, at(NOW)), Ok(send()));
    let rotated = Keys::new(new, Vec::new());
    assert_eq!(
        rotated.open(Purpose::Feedback, &token, at(NOW)),
        Err(TokenError::Invalid),
        "the old key is gone"
    );
    let impostor = Keys::new(key(1, 8), Vec::new());
    assert_eq!(
        impostor.open(Purpose::Feedback, &token, at(NOW)),
        Err(TokenError::Invalid),
        "same id, other secret"
    );
}

#[test]
fn a_key_is_not_printed() {
    let text = format!("{:?}", Keys::new(Key { id: 3, secret: b"s3cret".to_vec() }, Vec::new()));
    assert!(!text.contains("115") && !text.contains("s3cret"), "{text}");
}

#[test]
fn the_token_of_a_test_mail_opens_nothing_and_names_its_language() {
    for language in Language::ALL {
        let test = of_test(language);
        assert_eq!(test_language(&test), Some(language));
        for purpose in [Purpose::Feedback, Purpose::Unsubscribe] {
            assert_eq!(keys().open(purpose, &test, at(NOW)), Err(TokenError::Invalid));
        }
    }
    for other in
        ["", "test-", "test-EN", "test-en ", "test-fr", "en", &keys().sign(Purpose::Feedback, send(), None)]
    {
        assert_eq!(test_language(other), None, "{other:?}");
    }
}

proptest! {
    #![proptest_config(cases(512))]

    #[test]
    fn every_link_round_trips(bytes in any::<[u8; 16]>(), seconds in 1_u32.., unsubscribe in any::<bool>()) {
        let purpose = if unsubscribe { Purpose::Unsubscribe } else { Purpose::Feedback };
        let expires = chrono::DateTime::from_timestamp(i64::from(seconds), 0).unwrap();
        let token = keys().sign(purpose, SendId::from_bytes(bytes), Some(expires));
        prop_assert_eq!(token.len(), 52);
        prop_assert_eq!(keys().open(purpose, &token, expires), Ok(SendId::from_bytes(bytes)));
        let late = expires + TimeDelta::seconds(1);
        prop_assert_eq!(keys().open(purpose, &token, late), Err(TokenError::Expired));
    }

    #[test]
    fn no_text_is_a_link_by_chance(text in "[A-Za-z0-9_-]{52}") {
        prop_assert_eq!(keys().open(Purpose::Feedback, &text, at(NOW)), Err(TokenError::Invalid));
    }

    #[test]
    fn any_other_character_is_refused(at_char in 0_usize..52, with in "[A-Za-z0-9_=+/. -]") {
        let token = keys().sign(Purpose::Feedback, send(), None);
        let mut other = token.clone();
        other.replace_range(at_char..=at_char, &with);
        if other != token {
            prop_assert_eq!(keys().open(Purpose::Feedback, &other, at(NOW)), Err(TokenError::Invalid));
        }
    }
}
