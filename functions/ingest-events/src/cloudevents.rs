//! CloudEvents 1.0 over HTTP: binary, structured and in batches. Rule: ingestion, CloudEvents.
//!
//! The one protocol where the content type decides. An event's `type` is its name, its `subject` the user, one of the
//! extensions `companyid`, `accountid`, `groupid` the company, `data` the properties. An event without a subject is
//! kept: the specification doesn't ask for one, and it may still tell of a company.

use std::borrow::Cow;

use barometer_domain::{CompanyId, UserId};
use base64::{
    Engine, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use http::{HeaderMap, HeaderValue, header::CONTENT_TYPE};
use percent_encoding::percent_decode;

use crate::{
    event::{Event, Kind, MAX_NAME_BYTES},
    fault::{Fault, Oddity},
    fields::{self, Around, Properties, Read},
    json::{self, Syntax},
    limits::Limits,
    refusal::Refusal,
    request,
    time::Times,
    tolerant,
};

/// The one version of the specification that is read.
const VERSION: &str = "1.0";

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// How a request carries its events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Attributes in headers, the body is the data.
    Binary,
    /// The body is one event.
    Structured,
    /// The body is an array of events.
    Batch,
    /// The headers say nothing: an array is a batch, an object an event.
    Unsaid,
}

impl Mode {
    /// The mode that the headers say. Errors: a format other than JSON.
    pub fn of(headers: &HeaderMap) -> Result<Self, Refusal> {
        let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let media_type = content_type.and_then(|value| value.split(';').next()).unwrap_or_default();
        let media_type = media_type.trim().to_ascii_lowercase();
        let (mode, format) = if let Some(format) = media_type.strip_prefix("application/cloudevents-batch") {
            (Self::Batch, format)
        } else if let Some(format) = media_type.strip_prefix("application/cloudevents") {
            (Self::Structured, format)
        } else {
            // One that is missing among the attributes is told by name.
            let names = ["ce-specversion", "ce-id", "ce-source", "ce-type"];
            let binary = names.iter().any(|name| headers.contains_key(*name));
            return Ok(if binary { Self::Binary } else { Self::Unsaid });
        };
        match format {
            "" | "+json" => Ok(mode),
            _ => Err(Refusal::Encoding("of CloudEvents' formats only JSON is read")),
        }
    }

    /// Whether a body of this shape fits.
    pub fn fits(self, is_array: bool) -> bool {
        match self {
            Self::Batch => is_array,
            Self::Structured => !is_array,
            Self::Binary | Self::Unsaid => true,
        }
    }
}

/// Reads one event from its JSON.
pub fn event(text: &str, around: Around<'_>) -> Read {
    fields::read(text, around, attempt)
}

/// Reads the event whose attributes are headers. Errors: the body is too large or its encoding isn't known.
pub fn binary(
    headers: &HeaderMap,
    body: &[u8],
    around: Around<'_>,
    limits: &Limits,
) -> Result<Read, Refusal> {
    let data = match request::json(headers, None, body, limits) {
        Ok(data) => Some(data),
        // Data may be anything; properties it has only as JSON.
        Err(Refusal::Malformed(_)) => None,
        Err(refusal) => return Err(refusal),
    };
    let size = data.as_ref().map_or(body.len(), String::len);
    let read = |data: Option<&str>| attributes(headers).finish(data, size, around);
    Ok(read(data.as_deref())
        .or_else(|_| read(data.map(|data| tolerant::repair(data.as_bytes())).as_deref()))
        .or_else(|_| read(None))
        .unwrap_or_else(|_| Read { message_id: None, outcome: Err(Fault::Unreadable), oddities: Vec::new() }))
}

fn attributes(headers: &HeaderMap) -> Attributes<'static> {
    let header = |name: &str| headers.get(name).map(decode).filter(|value| !value.trim().is_empty());
    Attributes {
        id: header("ce-id").map(Cow::Owned),
        source: header("ce-source").map(Cow::Owned),
        version: header("ce-specversion").map(Cow::Owned),
        name: header("ce-type").map(Cow::Owned),
        time: header("ce-time").map(Cow::Owned),
        // As the JSON that ids are read from.
        subject: header("ce-subject").map(|value| Cow::Owned(serde_json::Value::from(value).to_string())),
        company: ["ce-companyid", "ce-accountid", "ce-groupid"]
            .iter()
            .find_map(|name| header(name))
            .map(|value| Cow::Owned(serde_json::Value::from(value).to_string())),
    }
}

/// A header's text: quotes around all of it are taken off, then it is percent-decoded once. Clients write what lies
/// beyond ASCII as Latin-1 or UTF-8 where they don't encode it.
fn decode(value: &HeaderValue) -> String {
    let bytes = value.as_bytes().trim_ascii();
    let unquoted = match bytes {
        [b'"', inner @ .., b'"'] => {
            let mut escaped = false;
            let kept = inner.iter().copied().filter(|byte| {
                escaped = *byte == b'\\' && !escaped;
                !escaped
            });
            Cow::Owned(kept.collect())
        }
        bytes => Cow::Borrowed(bytes),
    };
    let decoded: Vec<u8> = percent_decode(&unquoted).collect();
    String::from_utf8(decoded)
        .unwrap_or_else(|error| error.as_bytes().iter().map(|byte| char::from(*byte)).collect())
}

fn attempt(text: &str, around: Around<'_>) -> Result<Read, Syntax> {
    let mut wire = Wire::default();
    json::fields(text, |name, value| {
        let field = match name {
            "id" => &mut wire.id,
            "source" => &mut wire.source,
            "specversion" => &mut wire.version,
            "type" => &mut wire.name,
            "time" => &mut wire.time,
            "subject" => &mut wire.subject,
            "companyid" => &mut wire.company_id,
            "accountid" => &mut wire.account_id,
            "groupid" => &mut wire.group_id,
            "data" => &mut wire.data,
            "database64" => &mut wire.data_base64,
            _ => return,
        };
        *field = Some(value);
    })?;
    let attributes = Attributes {
        id: json::text(wire.id)?,
        source: json::text(wire.source)?,
        version: json::text(wire.version)?,
        name: json::text(wire.name)?,
        time: fields::given(wire.time, json::text(wire.time)?.as_deref())
            .map(|time| Cow::Owned(time.to_owned())),
        subject: wire.subject.map(Cow::Borrowed),
        company: fields::first(&[wire.company_id, wire.account_id, wire.group_id])?.map(Cow::Borrowed),
    };
    match (wire.data, json::text(wire.data_base64)?) {
        (None, Some(encoded)) => {
            let decoded = BASE64.decode(encoded.trim()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
            let data = decoded.as_deref().and_then(|data| json::whole(data).ok());
            attributes
                .finish(data, text.len(), around)
                .or_else(|_| attributes.finish(None, text.len(), around))
        }
        (data, _) => attributes.finish(data, text.len(), around),
    }
}

/// A structured event's fields as JSON text.
#[derive(Debug, Clone, Copy, Default)]
struct Wire<'a> {
    id: Option<&'a str>,
    source: Option<&'a str>,
    version: Option<&'a str>,
    name: Option<&'a str>,
    time: Option<&'a str>,
    subject: Option<&'a str>,
    company_id: Option<&'a str>,
    account_id: Option<&'a str>,
    group_id: Option<&'a str>,
    data: Option<&'a str>,
    data_base64: Option<&'a str>,
}

/// An event's attributes: texts, and the ids as JSON, since they may be numbers.
#[derive(Debug, Default)]
struct Attributes<'a> {
    id: Option<Cow<'a, str>>,
    source: Option<Cow<'a, str>>,
    version: Option<Cow<'a, str>>,
    name: Option<Cow<'a, str>>,
    time: Option<Cow<'a, str>>,
    subject: Option<Cow<'a, str>>,
    company: Option<Cow<'a, str>>,
}

impl Attributes<'_> {
    /// The event's id: unique are source and id together.
    fn unique(&self) -> Option<String> {
        Some(format!("{}#{}", self.source.as_deref()?, self.id.as_deref()?))
    }

    fn finish(&self, data: Option<&str>, size: usize, around: Around<'_>) -> Result<Read, Syntax> {
        let message_id = self.unique().or_else(|| self.id.as_deref().map(str::to_owned));
        let mut oddities = Vec::new();
        let outcome = match around.too_large(size) {
            Some(fault) => Err(fault),
            None => self.validate(data, around, &mut oddities)?,
        };
        Ok(Read { message_id, outcome, oddities })
    }

    fn validate(
        &self,
        data: Option<&str>,
        around: Around<'_>,
        oddities: &mut Vec<Oddity>,
    ) -> Result<Result<Event, Fault>, Syntax> {
        let (name, id) = match self.required() {
            Ok(required) => required,
            Err(fault) => return Ok(Err(fault)),
        };
        let user = fields::id(self.subject.as_deref(), "subject", UserId::new)?;
        let company = fields::id(self.company.as_deref(), "companyid", CompanyId::new)?;
        let (user, company) = match (user, company) {
            (Ok(user), Ok(company)) => (user, company),
            (Err(fault), _) | (_, Err(fault)) => return Ok(Err(fault)),
        };
        // Producers are servers: the time is as given.
        let times = Times { timestamp: self.time.as_deref(), sent_at: None, from_device: false };
        let at = match around.instant(times, oddities) {
            Ok(at) => at,
            Err(fault) => return Ok(Err(fault)),
        };
        if user.is_none() {
            oddities.push(Oddity::NoSubject);
        }
        let name = Some(fields::cut(Cow::Borrowed(name), MAX_NAME_BYTES));
        let id = Some(fields::own_id(&id));
        let mut event = Event { user, company, name, id, ..Event::new(Kind::Track, at) };
        Properties::read(data)?.describe(&mut event)?;
        Ok(Ok(event))
    }

    /// The name and the id, once everything that must be there is.
    fn required(&self) -> Result<(&str, String), Fault> {
        let missing = |attribute| Fault::MissingAttribute { attribute };
        match self.version.as_deref().map(str::trim) {
            None => return Err(missing("specversion")),
            Some(VERSION) => {}
            Some(given) => return Err(Fault::OtherVersion { given: given.chars().take(20).collect() }),
        }
        self.id.as_ref().ok_or(missing("id"))?;
        self.source.as_ref().ok_or(missing("source"))?;
        let name = self.name.as_deref().ok_or(missing("type"))?;
        Ok((name, self.unique().ok_or(missing("id"))?))
    }
}
