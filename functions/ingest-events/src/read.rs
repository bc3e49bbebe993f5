//! From a request to its validated events. Pure: the time of arrival is an argument.

use chrono::{DateTime, TimeDelta, Utc};
use http::HeaderMap;

use crate::{
    cloudevents::{self, Mode},
    envelope::Envelope,
    event::{Event, Kind},
    fault::{Fault, Remark},
    fields::{Around, Read},
    jitsu, json, key,
    limits::{Limits, MAX_LISTED},
    posthog,
    refusal::Refusal,
    request,
    route::Protocol,
    segment,
};

/// A request as it came.
#[derive(Debug, Clone, Copy)]
pub struct Posted<'a> {
    /// The format that the path is for.
    pub protocol: Protocol,
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
    /// Whether a request without any valid event is refused. Rule: ingestion, answers.
    pub strict: bool,
}

impl Reading {
    /// Adds one event's reading.
    fn add(&mut self, index: usize, read: Read) {
        match read.outcome {
            Ok(event) => self.events.push((index, event)),
            Err(fault) => return self.reject(index, read.message_id, &fault),
        }
        for oddity in read.oddities {
            if self.warnings.len() < MAX_LISTED {
                self.warnings.push(Remark::oddity(index, read.message_id.clone(), oddity));
            }
        }
    }

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

/// Reads a request. A bad event never fails its batch: it is rejected by its index, and so are the events beyond
/// [`Limits::events`]. Errors: the body as a whole can't be read.
pub fn read(posted: Posted<'_>, limits: &Limits) -> Result<Reading, Refusal> {
    let mut reading = Reading {
        key: key::of_request(posted.headers, posted.query),
        strict: posted.protocol == Protocol::CloudEvents,
        ..Reading::default()
    };
    let mode = match posted.protocol {
        Protocol::CloudEvents => Some(Mode::of(posted.headers)?),
        _ => None,
    };
    if mode == Some(Mode::Binary) {
        let envelope = Envelope::default();
        reading.add(
            0,
            cloudevents::binary(posted.headers, posted.body, posted.around(&envelope, limits), limits)?,
        );
        return Ok(reading);
    }

    let text = request::json(posted.headers, posted.query, posted.body, limits)?;
    let mut envelope = Envelope::read(&text).map_err(|_| malformed("its fields can't be read"))?;
    let sent_at = posted.sent_at();
    if posted.protocol == Protocol::PostHog {
        envelope.sent_at = envelope.sent_at.or(sent_at.as_deref());
    }
    let (calls, all) = match mode {
        Some(mode) => cloud_events(&text, mode, limits)?,
        None => posted.calls(&text, &envelope, limits)?,
    };
    reading.key = reading.key.or_else(|| envelope.key());
    if posted.protocol == Protocol::PostHog && reading.key.is_none() {
        reading.key = calls.iter().find_map(|call| posthog::key(call));
    }
    reading.events.reserve(calls.len());
    let around = posted.around(&envelope, limits);
    for (index, call) in calls.iter().enumerate() {
        let read = match posted.protocol {
            Protocol::Segment => segment::event(call, around),
            Protocol::Jitsu { server } => jitsu::event(call, around, server),
            Protocol::PostHog => posthog::event(call, around),
            Protocol::CloudEvents => cloudevents::event(call, around),
        };
        reading.add(index, read);
    }
    for index in calls.len()..all {
        reading.reject(index, None, &Fault::TooMany { limit: limits.events });
    }
    Ok(reading)
}

fn malformed(what: &str) -> Refusal {
    Refusal::Malformed(what.to_owned())
}

/// The events of a body, the first [`Limits::events`], and the number of all.
type Calls<'a> = (Vec<&'a str>, usize);

fn elements<'a>(batch: &'a str, limits: &Limits) -> Result<Calls<'a>, Refusal> {
    json::elements(batch, limits.events).map_err(|_| malformed("its batch can't be read"))
}

fn cloud_events<'a>(text: &'a str, mode: Mode, limits: &Limits) -> Result<Calls<'a>, Refusal> {
    let text = text.trim();
    match (mode.fits(json::is_array(text)), json::is_array(text)) {
        (false, true) => Err(malformed("a batch has the content type application/cloudevents-batch+json")),
        (false, false) => Err(malformed("a batch is an array of events")),
        (true, true) => elements(text, limits),
        (true, false) if json::is_object(text) => Ok((vec![text], 1)),
        (true, false) => Err(malformed("an event is a JSON object")),
    }
}

impl Posted<'_> {
    fn around<'b>(&'b self, envelope: &'b Envelope<'b>, limits: &'b Limits) -> Around<'b> {
        Around { envelope, kind: self.kind, from_server: false, received: self.received, limits }
    }

    /// When PostHog's browser client says in the query that it sent the request, in milliseconds since 1970.
    fn sent_at(&self) -> Option<String> {
        let query = self.query.filter(|_| self.protocol == Protocol::PostHog)?;
        form_urlencoded::parse(query.as_bytes())
            .find_map(|(name, value)| (name == "_").then_some(value))
            .filter(|value| !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()))
            .map(|value| value.into_owned())
    }

    fn calls<'b>(
        &self,
        text: &'b str,
        envelope: &Envelope<'b>,
        limits: &Limits,
    ) -> Result<Calls<'b>, Refusal> {
        let is_single = match self.protocol {
            Protocol::PostHog => envelope.is_event,
            _ => self.kind.is_some() || envelope.is_call,
        };
        match envelope.batch {
            Some(batch) if json::is_array(batch) => elements(batch, limits),
            Some(_) => Err(malformed("`batch` is an array of events")),
            None if is_single => Ok((vec![text.trim()], 1)),
            None => Err(malformed("it has no `batch`, an array of events")),
        }
    }
}
