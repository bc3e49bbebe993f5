//! Why a whole request is refused. What is wrong with a single event is a [`Fault`](crate::fault::Fault).

use http::StatusCode;

use crate::fault::Remark;

/// A request that can't be taken. The text is what the client is told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The body isn't JSON, also after the tolerant pass, or not a call.
    #[error("the body can't be read: {0}")]
    Malformed(String),
    /// None of the events is valid, where the protocol wants that told by the status.
    #[error("none of the events is valid{}", first(errors))]
    NothingValid {
        /// How many are rejected.
        rejected: usize,
        /// The rejected events by index.
        errors: Vec<Remark>,
    },
    /// The body is larger than allowed, in bytes.
    #[error("a request has at most {limit} bytes {state}")]
    TooLarge {
        /// The limit that was passed, in bytes.
        limit: usize,
        /// "as sent" or "after decompression".
        state: &'static str,
    },
    /// The body is compressed in a way that isn't known, or damaged.
    #[error("the body's encoding can't be read: {0}")]
    Encoding(&'static str),
    /// No write key came with the request.
    #[error(
        "a write key is needed: as Basic auth user name, as Bearer token, in X-Write-Key, in the query's \
         writeKey or in the body's writeKey"
    )]
    MissingKey,
    /// The write key belongs to no workspace, or is disabled.
    #[error("this write key isn't known or is disabled")]
    UnknownKey,
    /// The page that posts isn't of an origin that the source allows. Not 401: the key is right; and not a status
    /// that any client tries again.
    #[error("pages of {origin} may not post with this write key; its source lists the origins that may")]
    OriginNotAllowed {
        /// The page's origin.
        origin: String,
    },
    /// No such path.
    #[error("there is nothing at this path")]
    NotFound,
    /// The path exists, the method doesn't fit.
    #[error("this path takes {allow}")]
    Method {
        /// The methods that fit, as the `Allow` header says them.
        allow: &'static str,
    },
    /// Too many requests with this key.
    #[error("too many requests with this write key")]
    TooFast {
        /// When to try again, in seconds.
        retry_after: u32,
    },
    /// The store didn't take the events; nothing of the request counts as accepted.
    #[error("the events couldn't be stored; send them again")]
    Unavailable {
        /// When to try again, in seconds.
        retry_after: u32,
    },
}

/// What is wrong with the first event.
fn first(errors: &[Remark]) -> String {
    errors.first().map_or(String::new(), |remark| format!(": {}", remark.message))
}

impl Refusal {
    /// The HTTP status. Rule: ingestion, answers.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Malformed(_) | Self::NothingValid { .. } => StatusCode::BAD_REQUEST,
            Self::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Encoding(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::MissingKey | Self::UnknownKey => StatusCode::UNAUTHORIZED,
            Self::OriginNotAllowed { .. } => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Method { .. } => StatusCode::METHOD_NOT_ALLOWED,
            Self::TooFast { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::Unavailable { .. } => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// The word a program can compare.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Malformed(_) => "malformed_body",
            Self::NothingValid { .. } => "no_valid_event",
            Self::TooLarge { .. } => "too_large",
            Self::Encoding(_) => "unreadable_encoding",
            Self::MissingKey => "missing_key",
            Self::UnknownKey => "unknown_key",
            Self::OriginNotAllowed { .. } => "origin_not_allowed",
            Self::NotFound => "not_found",
            Self::Method { .. } => "method_not_allowed",
            Self::TooFast { .. } => "too_fast",
            Self::Unavailable { .. } => "unavailable",
        }
    }

    /// When to try again, in seconds.
    pub fn retry_after(&self) -> Option<u32> {
        match self {
            Self::TooFast { retry_after } | Self::Unavailable { retry_after } => Some(*retry_after),
            _ => None,
        }
    }
}
