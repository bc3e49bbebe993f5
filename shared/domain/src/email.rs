//! An e-mail address by which somebody is known: written one way only, so that two spellings can't be two people.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::mail::is_address;

/// A text isn't an e-mail address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an e-mail address")]
pub struct NoAddress;

/// An address that mail programs take, in lower case. Before the `@` case could mean something (RFC 5321); no provider
/// of today gives two people addresses that differ in nothing else.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct EmailAddress(String);

impl EmailAddress {
    /// Reads an address; blanks around it don't count. Errors: [`NoAddress`].
    pub fn new(text: &str) -> Result<Self, NoAddress> {
        let text = text.trim();
        if is_address(text) { Ok(Self(text.to_ascii_lowercase())) } else { Err(NoAddress) }
    }

    /// The address.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What stands before the `@`: something to call somebody by whose name isn't known.
    pub fn local_part(&self) -> &str {
        self.0.split_once('@').map_or(self.as_str(), |(local, _)| local)
    }
}

impl FromStr for EmailAddress {
    type Err = NoAddress;
    fn from_str(text: &str) -> Result<Self, NoAddress> {
        Self::new(text)
    }
}

impl TryFrom<String> for EmailAddress {
    type Error = NoAddress;
    fn try_from(text: String) -> Result<Self, NoAddress> {
        Self::new(&text)
    }
}

impl From<EmailAddress> for String {
    fn from(address: EmailAddress) -> Self {
        address.0
    }
}

impl fmt::Display for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_address_are_one() {
        let address = EmailAddress::new("  Sam.O'Hara+CS@Example.COM ").unwrap();
        assert_eq!(address.as_str(), "sam.o'hara+cs@example.com");
        assert_eq!(address, EmailAddress::new(address.as_str()).unwrap());
        assert_eq!(address.local_part(), "sam.o'hara+cs");
        assert_eq!(serde_json::from_str::<EmailAddress>("\"A@b.example\"").unwrap().as_str(), "a@b.example");
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in ["", "sam", "sam@", "a@b@c", "a b@c.example", "a@c.example\r\nBcc: x@y.example"] {
            assert_eq!(EmailAddress::new(text), Err(NoAddress), "{text:?}");
        }
    }
}
