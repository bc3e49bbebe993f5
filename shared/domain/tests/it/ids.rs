//! Identifiers.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use barometer_domain::{
    CompanyId, SendId, UserId, WorkspaceId,
    ids::{IdError, MAX_ID_BYTES},
};
use proptest::prelude::*;

use crate::support::{cases, user};

#[test]
fn an_identifier_is_not_empty_not_long_and_has_no_control_characters() {
    assert_eq!(UserId::new(""), Err(IdError::Empty));
    assert_eq!(UserId::new("a\nb"), Err(IdError::Control));
    assert_eq!(UserId::new("a\u{0}"), Err(IdError::Control));
    assert_eq!(UserId::new("é".repeat(MAX_ID_BYTES / 2 + 1)), Err(IdError::TooLong));
    assert!(UserId::new("é".repeat(MAX_ID_BYTES / 2)).is_ok());
    assert_eq!(CompanyId::new("Acme #1/2 東京").unwrap().as_str(), "Acme #1/2 東京");
    assert!(serde_json::from_str::<UserId>(r#""""#).is_err());
    assert_eq!(serde_json::to_string(&user("ann")).unwrap(), r#""ann""#);
}

#[test]
fn a_send_id_is_the_same_for_the_same_purpose_and_no_other() {
    let send = |workspace: &str, company: &str, person: &str, kind, cycle| {
        let workspace = WorkspaceId::new(workspace).unwrap();
        SendId::derive(&workspace, &CompanyId::new(company).unwrap(), &user(person), kind, cycle)
    };
    let one = send("w", "c", "u", "survey", 1);
    assert_eq!(one, send("w", "c", "u", "survey", 1));
    for other in [
        send("w2", "c", "u", "survey", 1),
        send("w", "c2", "u", "survey", 1),
        send("w", "c", "u2", "survey", 1),
        send("w", "c", "u", "digest", 1),
        send("w", "c", "u", "survey", 2),
        send("wc", "u", "u", "survey", 1),
    ] {
        assert_ne!(one, other);
    }
    assert_ne!(send("ab", "c", "u", "k", 1), send("a", "bc", "u", "k", 1), "parts don't run into each other");
}

#[test]
fn texts_that_are_no_send_id_are_refused() {
    for text in [
        String::new(),
        "0".repeat(31),
        "0".repeat(33),
        "g".repeat(32),
        format!("+f{}", "0".repeat(30)),
        "é".repeat(16),
    ] {
        assert!(SendId::try_from(text.clone()).is_err(), "{text}");
    }
}

proptest! {
    #![proptest_config(cases(64))]

    #[test]
    fn a_send_id_survives_as_text(bytes in any::<[u8; 16]>()) {
        let send = SendId::from_bytes(bytes);
        prop_assert_eq!(send.to_string().len(), 32);
        prop_assert_eq!(SendId::try_from(send.to_string()).unwrap(), send);
        prop_assert_eq!(send.as_bytes(), &bytes);
    }
}
