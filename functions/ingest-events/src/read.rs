//! From a request to its validated events. Pure: the time of arrival is an argument.

use chrono::{DateTime, TimeDelta, Utc};
use http::HeaderMap;

use crate::{
    envelope::Envelope,
    event::{Event, Kind},
    fault::{Fault, Remark},
    json, key,
    limits::{Limits, MAX_LISTED},
    refusal::Refusal,
    request,
    segment::{self, Around},
};

/// A request as it came.
#[derive(Debug, Clone, Copy)]
pub struct Posted<'a> {
    /// The type that the path says, where it does.
    pub kind: Option<Kind>,
    /// The request's headers.
    pub headers: &'a HeaderMap,
    /// The request's query, still encoded.
    pub query: Option<&'a str>,
    /// The request's body.
    pub body: &'a [u8],
    /// When it arrived.
    pub received: DateTime<Utc>,
}

/// What a request says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reading {
    /// The first write key present; whether it is known is for the table to say.
    pub key: Option<String>,
    /// The valid events with their place in the request.
    pub events: Vec<(usize, Event)>,
    /// How many events are rejected.
    pub rejected: usize,
    /// The rejected events by index: the first [`MAX_LISTED`] of them.
    pub errors: Vec<Remark>,
    /// What was odd about valid events: the first [`MAX_LISTED`] remarks.
    pub warnings: Vec<Remark>,
}

impl Reading {
    /// Rejects one more event.
    fn reject(&mut self, index: usize, message_id: Option<String>, fault: &Fault) {
        self.rejected += 1;
        if self.errors.len() < MAX_LISTED {
            self.errors.push(Remark::fault(index, message_id, fault));
        }
    }

    /// Rejects events that are older than `days` at `now`: the workspace keeps nothing that old.
    pub fn reject_older(&mut self, days: u16, now: DateTime<Utc>) {
        let oldest = now - TimeDelta::days(i64::from(days));
        let (kept, old): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.events).into_iter().partition(|(_, event)| event.at >= oldest);
        self.events = kept;
        for (index, event) in old {
            self.reject(index, event.id, &Fault::TooOld { days: i64::from(days) });
        }
    }

    /// How many valid events name no company. They are kept until one is known.
    pub fn without_company(&self) -> usize {
        self.events.iter().filter(|(_, event)| event.company.is_none()).count()
    }
}

/// Reads a request in Segment's wire format. A bad event never fails its batch: it is rejected by its index, and so
/// are the events beyond [`Limits::events`]. Errors: the body as a whole can't be read.
pub fn read(posted: Posted<'_>, limits: &Limits) -> Result<Reading, Refusal> {
    let text = request::json(posted.headers, posted.body, limits)?;
    let malformed = |what: &str| Refusal::Malformed(what.to_owned());
    let envelope = Envelope::read(&text).map_err(|_| malformed("its fields can't be read"))?;
    let (calls, all) = match envelope.batch {
        Some(batch) if json::is_array(batch) => {
            json::elements(batch, limits.events).map_err(|_| malformed("its batch can't be read"))?
        }
        Some(_) => return Err(malformed("`batch` is an array of events")),
        None if posted.kind.is_none() && !envelope.is_call => {
            return Err(malformed("it has no `batch`, an array of events"));
        }
        None => (vec![text.trim()], 1),
    };
    let around = Around { envelope: &envelope, kind: posted.kind, received: posted.received, limits };
    let mut reading = Reading {
        key: key::of_request(posted.headers, posted.query).or_else(|| envelope.key()),
        events: Vec::with_capacity(calls.len()),
        ..Reading::default()
    };
    for (index, call) in calls.iter().enumerate() {
        let read = segment::event(call, around);
        match read.outcome {
            Ok(event) => reading.events.push((index, event)),
            Err(fault) => {
                reading.reject(index, read.message_id, &fault);
                continue;
            }
        }
        for oddity in read.oddities {
            if reading.warnings.len() < MAX_LISTED {
                reading.warnings.push(Remark::oddity(index, read.message_id.clone(), oddity));
            }
        }
    }
    for index in calls.len()..all {
        reading.reject(index, None, &Fault::TooMany { limit: limits.events });
    }
    Ok(reading)
}
