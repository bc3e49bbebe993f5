//! What is wrong, or only odd, with one event of a request. Neither fails the request.

use std::borrow::Cow;

use serde::Serialize;

use crate::{event::MAX_NAME_BYTES, fields};

/// Why an event is rejected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The batch's element isn't an object.
    #[error("an event is a JSON object")]
    NotAnObject,
    /// The event's JSON can't be read.
    #[error("the event's JSON can't be read")]
    Unreadable,
    /// The event is larger than allowed.
    #[error("an event has at most {limit} bytes, this one has {bytes}")]
    TooLarge {
        /// The event's size.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// More events than a request may hold came before this one.
    #[error("a request has at most {limit} events; send this one in another request")]
    TooMany {
        /// The limit.
        limit: usize,
    },
    /// The event has no type, or one that doesn't exist.
    #[error("the type is one of track, page, screen, identify, group, alias")]
    UnknownType,
    /// The event names nobody.
    #[error("userId or anonymousId is needed, distinct_id in PostHog's format")]
    MissingUser,
    /// An alias doesn't say whom it joins.
    #[error("an alias needs userId and previousId, distinct_id and alias in PostHog's format")]
    MissingPreviousId,
    /// A tracked event has no name.
    #[error("a track call needs the event's name in `event`")]
    MissingEventName,
    /// A group call names no company.
    #[error("a group call needs groupId")]
    MissingCompany,
    /// A CloudEvent lacks an attribute that it must have.
    #[error("a CloudEvent needs the attribute {attribute}")]
    MissingAttribute {
        /// The attribute.
        attribute: &'static str,
    },
    /// A CloudEvent of a version that isn't read.
    #[error("CloudEvents are read in version 1.0, this one is {given}")]
    OtherVersion {
        /// The version.
        given: String,
    },
    /// An id isn't text or number, or is too long.
    #[error("{field} can't be used: {reason}")]
    BadId {
        /// The field as clients write it.
        field: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// The event is older than the retention.
    #[error("the event is older than {days} days")]
    TooOld {
        /// The retention in days.
        days: i64,
    },
}

impl Fault {
    /// The word a program can compare.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotAnObject => "not_an_object",
            Self::Unreadable => "unreadable_event",
            Self::TooLarge { .. } => "too_large",
            Self::TooMany { .. } => "too_many",
            Self::UnknownType => "unknown_type",
            Self::MissingUser => "missing_user",
            Self::MissingPreviousId => "missing_previous_id",
            Self::MissingEventName => "missing_event_name",
            Self::MissingCompany => "missing_company",
            Self::MissingAttribute { .. } => "missing_attribute",
            Self::OtherVersion { .. } => "unknown_version",
            Self::BadId { .. } => "bad_id",
            Self::TooOld { .. } => "too_old",
        }
    }
}

/// What was odd about an event that was kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Oddity {
    /// The timestamp can't be read; the time of arrival was taken.
    #[error("the timestamp can't be read; the time of arrival was taken")]
    BadTimestamp,
    /// The timestamp lies more than five minutes ahead; the time of arrival was taken.
    #[error("the timestamp lies in the future; the time of arrival was taken")]
    FutureTimestamp,
    /// The anonymous id can't be used and was left out, since the user is known.
    #[error("anonymousId can't be used and was left out")]
    BadAnonymousId,
    /// A CloudEvent names nobody.
    #[error("the event has no subject, so it counts for nobody")]
    NoSubject,
}

impl Oddity {
    /// The word a program can compare.
    pub fn code(self) -> &'static str {
        match self {
            Self::BadTimestamp => "bad_timestamp",
            Self::FutureTimestamp => "future_timestamp",
            Self::BadAnonymousId => "bad_anonymous_id",
            Self::NoSubject => "no_subject",
        }
    }
}

/// A remark about one event as the answer lists it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Remark {
    /// The event's place in the request, from 0.
    pub index: usize,
    /// The event's own id as the client sent it, cut like other names: an answer mustn't be as long as its request.
    #[serde(rename = "messageId")]
    pub message_id: Option<String>,
    /// The word a program can compare.
    pub code: &'static str,
    /// The sentence a person reads.
    pub message: String,
}

impl Remark {
    /// A rejected event.
    pub fn fault(index: usize, message_id: Option<String>, fault: &Fault) -> Self {
        Self::new(index, message_id, fault.code(), fault.to_string())
    }

    /// An event that was kept with a warning.
    pub fn oddity(index: usize, message_id: Option<String>, oddity: Oddity) -> Self {
        Self::new(index, message_id, oddity.code(), oddity.to_string())
    }

    fn new(index: usize, message_id: Option<String>, code: &'static str, message: String) -> Self {
        let message_id = message_id.map(|id| fields::cut(Cow::Owned(id), MAX_NAME_BYTES));
        Self { index, message_id, code, message }
    }
}
