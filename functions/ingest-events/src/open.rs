//! From a request to what is left to do with it.

use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use http::{HeaderMap, Method, Uri};

use crate::{
    answer, documents, key,
    limits::Limits,
    read::{Posted, Reading, read},
    refusal::Refusal,
    route::Route,
};

/// A request after everything that needs no table.
#[derive(Debug)]
pub enum Opened {
    /// Answered already; [`answer::finish`] is still due.
    Answered(Response),
    /// Events to store in the workspace of this key.
    Events {
        /// The write key; whether it is known is for the table to say.
        key: String,
        /// The events.
        reading: Reading,
    },
    /// One answer, still to be read, for the workspace of this key.
    Feedback {
        /// The write key.
        key: String,
    },
}

/// Opens a request: routes it, reads it, answers what needs no table. `received` is the time of arrival.
pub fn open(
    method: &Method,
    uri: &Uri,
    headers: &HeaderMap,
    body: &[u8],
    received: DateTime<Utc>,
    limits: &Limits,
) -> Opened {
    if method == Method::OPTIONS {
        return Opened::Answered(answer::done());
    }
    attempt(method, uri, headers, body, received, limits)
        .unwrap_or_else(|refusal| Opened::Answered(refusal.into_response()))
}

fn attempt(
    method: &Method,
    uri: &Uri,
    headers: &HeaderMap,
    body: &[u8],
    received: DateTime<Utc>,
    limits: &Limits,
) -> Result<Opened, Refusal> {
    let query = uri.query();
    Ok(match Route::of(method, uri.path())? {
        Route::Events { protocol, kind } => {
            let mut reading = read(Posted { protocol, kind, headers, query, body, received }, limits)?;
            let key = reading.key.take().ok_or(Refusal::MissingKey)?;
            Opened::Events { key, reading }
        }
        Route::Feedback => {
            Opened::Feedback { key: key::of_request(headers, query).ok_or(Refusal::MissingKey)? }
        }
        Route::Flags => Opened::Answered(answer::nothing()),
        Route::Dropped | Route::Health => Opened::Answered(answer::done()),
        Route::Settings { key } => Opened::Answered(answer::document(&documents::settings(&key, headers))),
        Route::SourceConfig => {
            let key = key::of_request(headers, query).ok_or(Refusal::MissingKey)?;
            Opened::Answered(answer::document(&documents::source_config(&key)))
        }
    })
}
