//! Identifiers as types of their own, so that a company's id can never stand where a user's is expected.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Longest identifier accepted, in bytes. A DynamoDB sort key holds 1,024 bytes and ours carry a prefix
/// and sometimes two identifiers.
pub const MAX_ID_BYTES: usize = 256;

/// Why a text is not an identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// The text is empty.
    #[error("an identifier can't be empty")]
    Empty,
    /// The text is longer than [`MAX_ID_BYTES`].
    #[error("an identifier has at most {MAX_ID_BYTES} bytes")]
    TooLong,
    /// The text holds a control character.
    #[error("an identifier can't hold control characters")]
    Control,
}

fn check(text: &str) -> Result<(), IdError> {
    if text.is_empty() {
        Err(IdError::Empty)
    } else if text.len() > MAX_ID_BYTES {
        Err(IdError::TooLong)
    } else if text.chars().any(char::is_control) {
        Err(IdError::Control)
    } else {
        Ok(())
    }
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Checks and wraps a text. Errors: [`IdError`].
            pub fn new(text: impl Into<String>) -> Result<Self, IdError> {
                let text = text.into();
                check(&text)?;
                Ok(Self(text))
            }

            /// The identifier as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;
            fn try_from(text: String) -> Result<Self, IdError> {
                Self::new(text)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

id!(
    /// A SaaS business that uses Barometer: the tenant. Ours to give, so never chosen by a client.
    WorkspaceId
);
id!(
    /// One customer of the workspace, as the workspace's own product names it.
    CompanyId
);
id!(
    /// A person at a company, as the workspace's own product names it.
    UserId
);

impl UserId {
    /// 64 bits that follow from the id, others for each purpose. A purpose that ends in a control character can't
    /// be the beginning of an id.
    pub(crate) fn bits(&self, purpose: &str) -> u64 {
        use sha2::{Digest, Sha256};
        let hash = Sha256::new().chain_update(purpose).chain_update(self.as_str()).finalize();
        hash.iter().take(8).fold(0, |bits, byte| bits << 8 | u64::from(*byte))
    }
}

/// One planned mail: 16 bytes derived from what it is for, so that planning twice gives the same one.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(try_from = "String", into = "String")]
pub struct SendId([u8; 16]);

impl SendId {
    /// Wraps the bytes as they stand in a token.
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The send of `kind` number `cycle` to `user`: the first 16 bytes of SHA-256 over the parts, each
    /// preceded by its length, so that no two different tuples collide by concatenation.
    pub fn derive(
        workspace: &WorkspaceId,
        company: &CompanyId,
        user: &UserId,
        kind: &str,
        cycle: u32,
    ) -> Self {
        Self::of([workspace.as_str(), company.as_str(), user.as_str(), kind], cycle)
    }

    /// The digest of a local day for a CSM.
    pub fn derive_digest(workspace: &WorkspaceId, owner: &str, day: chrono::NaiveDate) -> Self {
        Self::of([workspace.as_str(), owner, &day.to_string(), "digest"], 0)
    }

    /// The mail of an action of a rule's firing.
    pub fn derive_action(workspace: &WorkspaceId, company: &CompanyId, firing: &str, number: u8) -> Self {
        Self::of([workspace.as_str(), company.as_str(), firing, "action"], u32::from(number))
    }

    fn of(parts: [&str; 4], cycle: u32) -> Self {
        use sha2::{Digest, Sha256};
        let mut hash = Sha256::new();
        for part in parts {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part.as_bytes());
        }
        hash.update(cycle.to_be_bytes());
        let mut bytes = [0; 16];
        for (to, from) in bytes.iter_mut().zip(hash.finalize()) {
            *to = from;
        }
        Self(bytes)
    }

    /// The bytes as they stand in a token.
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Display for SendId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl From<SendId> for String {
    fn from(id: SendId) -> Self {
        id.to_string()
    }
}

/// The text is not 32 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a send id is 32 hexadecimal digits")]
pub struct SendIdError;

impl TryFrom<String> for SendId {
    type Error = SendIdError;
    fn try_from(text: String) -> Result<Self, SendIdError> {
        // `from_str_radix` alone would take a sign.
        if text.len() != 32 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(SendIdError);
        }
        let mut bytes = [0; 16];
        for (index, byte) in bytes.iter_mut().enumerate() {
            let digits = text.get(index * 2..index * 2 + 2).ok_or(SendIdError)?;
            *byte = u8::from_str_radix(digits, 16).map_err(|_| SendIdError)?;
        }
        Ok(Self(bytes))
    }
}
