//! Why a call failed, in words for whoever set the endpoint up.

use std::{error::Error, io};

use hyper_util::client::legacy;

use super::resolver::NoAddress;
use crate::destination::Refusal;

/// Why a call failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// The URL, or where its name leads, may not be called; nothing was connected.
    #[error("the URL may not be called: {0}")]
    Refused(Refusal),
    /// The name can't be looked up.
    #[error("the host's name has no address")]
    UnknownHost,
    /// Nobody accepts a connection.
    #[error("the host can't be reached")]
    Unreachable,
    /// No safe connection, such as for a certificate that isn't valid.
    #[error("no TLS connection: {0}")]
    Tls(String),
    /// The time was over before an answer began.
    #[error("no answer in time")]
    TimedOut,
    /// The connection ended, or what came is no HTTP answer.
    #[error("the connection broke")]
    Broken,
    /// A redirect, which isn't followed.
    #[error("the endpoint redirects ({0}), which isn't followed")]
    Redirect(u16),
    /// Another answer than 2xx.
    #[error("the endpoint answered {0}")]
    Status(u16),
    /// This machine has no root certificates.
    #[error("this machine has no root certificates")]
    NoRoots,
}

impl Reason {
    /// The status of the answer, if there was one.
    pub(super) fn status(&self) -> Option<u16> {
        match self {
            Self::Redirect(status) | Self::Status(status) => Some(*status),
            _ => None,
        }
    }
}

/// The reason behind an error of the client below.
pub(super) fn of(error: &legacy::Error) -> Reason {
    let mut next: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(cause) = next {
        match cause.downcast_ref::<NoAddress>() {
            Some(NoAddress::Refused(refusal)) => return Reason::Refused(refusal.clone()),
            Some(NoAddress::Unknown(_)) => return Reason::UnknownHost,
            None => {}
        }
        if let Some(error) = cause.downcast_ref::<rustls::Error>() {
            return Reason::Tls(error.to_string());
        }
        let io = cause.downcast_ref::<io::Error>();
        if io.is_some_and(|error| error.kind() == io::ErrorKind::TimedOut) {
            return Reason::TimedOut;
        }
        // An I/O error that was made of another one names that one's source as its own.
        next = match io.and_then(io::Error::get_ref) {
            Some(inner) => Some(inner),
            None => cause.source(),
        };
    }
    if error.is_connect() { Reason::Unreachable } else { Reason::Broken }
}
