//! What the readers of all protocols share: the parts of an event that look the same everywhere.
//! Rule: ingestion, reading an event.

use std::{borrow::Cow, collections::BTreeMap};

use barometer_domain::{CompanyId, UserId, Zone, ids::IdError, language::Language};
use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};

use crate::{
    envelope::Envelope,
    event::{CompanyTraits, Event, Kind, MAX_COMMENT_BYTES, MAX_NAME_BYTES, UserTraits},
    fault::{Fault, Oddity},
    json::{self, Scalar, Syntax},
    limits::Limits,
    time::{self, Times},
    tolerant,
};

/// What an event inherits from its request.
#[derive(Debug, Clone, Copy)]
pub struct Around<'a> {
    /// The body's top level.
    pub envelope: &'a Envelope<'a>,
    /// The type that the path says, for events that don't.
    pub kind: Option<Kind>,
    /// Whether the path says that a server sent it.
    pub from_server: bool,
    /// When the request arrived.
    pub received: DateTime<Utc>,
    /// What an event may hold.
    pub limits: &'a Limits,
}

/// One event's reading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Read {
    /// The event's own id as the client sent it, for the answer.
    pub message_id: Option<String>,
    /// The event, or why it is rejected.
    pub outcome: Result<Event, Fault>,
    /// What was odd about it.
    pub oddities: Vec<Oddity>,
}

/// Reads one event's JSON by a protocol's `attempt`. One that can't be read goes through the tolerant pass once.
pub fn read(text: &str, around: Around<'_>, attempt: Attempt) -> Read {
    let rejected = |fault| Read { message_id: None, outcome: Err(fault), oddities: Vec::new() };
    if !json::is_object(text) {
        return rejected(Fault::NotAnObject);
    }
    match attempt(text, around) {
        Ok(read) => read,
        Err(Syntax { .. }) => {
            let repaired = tolerant::repair(text.as_bytes());
            // The fields around the event can be what is broken; an event is better than its context.
            attempt(&repaired, around)
                .or_else(|_| attempt(&repaired, Around { envelope: &Envelope::default(), ..around }))
                .unwrap_or_else(|_| rejected(Fault::Unreadable))
        }
    }
}

/// A protocol's reading of one event.
pub type Attempt = fn(&str, Around<'_>) -> Result<Read, Syntax>;

impl Around<'_> {
    /// An event larger than allowed, with what it inherits: that is read again for each event, and a batch of a
    /// thousand small events under one huge context would take a thousand times its bytes to read.
    pub fn too_large(&self, own: usize) -> Option<Fault> {
        let limit = self.limits.event_bytes;
        let bytes = own + self.envelope.inherited_bytes();
        (bytes > limit).then_some(Fault::TooLarge { bytes, limit })
    }

    /// When an event counts. Errors: it is older than the retention.
    pub fn instant(&self, times: Times<'_>, oddities: &mut Vec<Oddity>) -> Result<DateTime<Utc>, Fault> {
        let (at, oddity) = time::instant(times, self.received);
        oddities.extend(oddity);
        self.kept(at)
    }

    /// The instant, unless it is older than the retention.
    pub fn kept(&self, at: DateTime<Utc>) -> Result<DateTime<Utc>, Fault> {
        if at < self.received - self.limits.retention {
            return Err(Fault::TooOld { days: self.limits.retention.num_days() });
        }
        Ok(at)
    }
}

/// A timestamp as [`Times`] takes it: what is neither text nor number surely isn't an instant, but it was given.
pub fn given<'a>(value: Option<&str>, text: Option<&'a str>) -> Option<&'a str> {
    text.or_else(|| {
        let other = value.is_some_and(|value| matches!(json::scalar(value), Ok(Scalar::Other)));
        other.then_some("?")
    })
}

/// Names of group types that mean the company, the first that is given counts. Protocols with several types of
/// groups (PostHog's) have others, such as projects, which aren't companies.
const COMPANY_TYPES: [&str; 8] =
    ["company", "organization", "organisation", "org", "account", "customer", "workspace", "tenant"];

/// Whether a group type means the company.
pub fn is_company_type(name: &str) -> bool {
    COMPANY_TYPES.iter().any(|known| known.eq_ignore_ascii_case(name.trim()))
}

/// The company's key of an object of groups by type, PostHog's `$groups`.
pub fn company_of(groups: Option<&str>) -> Result<Option<&str>, Syntax> {
    let Some(groups) = groups else { return Ok(None) };
    let mut found = [None; COMPANY_TYPES.len()];
    json::fields(groups, |name, value| {
        let place = COMPANY_TYPES.iter().position(|known| *known == name);
        if let Some(slot) = place.and_then(|place| found.get_mut(place)) {
            *slot = Some(value);
        }
    })?;
    first(&found)
}

/// The id of an event that has none: a hash of what a retry repeats. The client's timestamp is among it; without
/// one, two equal events couldn't be told from one sent twice. `bodies` are the event's own fields as JSON.
pub fn derived_id(event: &Event, timestamp: &str, bodies: [Option<&str>; 2]) -> String {
    let mut hash = Sha256::new();
    let id = |id: &Option<UserId>| id.as_ref().map_or(String::new(), |id| id.as_str().to_owned());
    let company = event.company.as_ref().map_or("", CompanyId::as_str);
    let [first, second] = bodies;
    let parts: [&str; 9] = [
        &format!("{:?}", event.kind),
        &id(&event.user),
        &id(&event.anonymous),
        &id(&event.previous),
        company,
        event.name.as_deref().unwrap_or_default(),
        timestamp,
        first.unwrap_or_default(),
        second.unwrap_or_default(),
    ];
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    hex(&hash.finalize())
}

/// An id; nothing when it is absent. Errors: it isn't text or number, or doesn't fit.
pub fn id<T>(
    value: Option<&str>,
    field: &'static str,
    new: impl FnOnce(String) -> Result<T, IdError>,
) -> Result<Result<Option<T>, Fault>, Syntax> {
    Ok(match value.map(json::scalar).transpose()? {
        None | Some(Scalar::Absent) => Ok(None),
        Some(Scalar::Text(text)) => new(text.into_owned())
            .map(Some)
            .map_err(|error| Fault::BadId { field, reason: error.to_string() }),
        Some(Scalar::Other) => Err(Fault::BadId { field, reason: "an id is a text or a number".to_owned() }),
    })
}

/// An anonymous id; one that can't be used is left out with a remark where the user is known anyway.
pub fn anonymous(
    value: Option<&str>,
    field: &'static str,
    user_is_known: bool,
    oddities: &mut Vec<Oddity>,
) -> Result<Result<Option<UserId>, Fault>, Syntax> {
    Ok(match id(value, field, UserId::new)? {
        Err(_) if user_is_known => {
            oddities.push(Oddity::BadAnonymousId);
            Ok(None)
        }
        read => read,
    })
}

/// The first of several values that isn't absent.
pub fn first<'a>(values: &[Option<&'a str>]) -> Result<Option<&'a str>, Syntax> {
    for value in values.iter().flatten() {
        if json::scalar(value)? != Scalar::Absent {
            return Ok(Some(value));
        }
    }
    Ok(None)
}

/// `properties`, as far as rules ask for them.
#[derive(Debug, Clone, Copy, Default)]
pub struct Properties<'a> {
    /// Of a page or screen.
    pub name: Option<&'a str>,
    /// The feature that was used.
    pub feature: Option<&'a str>,
    /// Groups by type, as PostHog's clients and Segment's connection to PostHog name them.
    pub groups: Option<&'a str>,
    duration: Option<&'a str>,
    duration_seconds: Option<&'a str>,
    duration_ms: Option<&'a str>,
    time_spent: Option<&'a str>,
    score: Option<&'a str>,
    rating: Option<&'a str>,
    comment: Option<&'a str>,
}

impl<'a> Properties<'a> {
    /// Reads the object.
    pub fn read(text: Option<&'a str>) -> Result<Self, Syntax> {
        let mut properties = Self::default();
        json::fields(text.unwrap_or_default(), |name, value| {
            properties.take(name, value);
        })?;
        Ok(properties)
    }

    /// Takes one field, by its normalised name; whether it is one of these.
    pub fn take(&mut self, name: &str, value: &'a str) -> bool {
        let field = match name {
            "name" => &mut self.name,
            "feature" => &mut self.feature,
            "$groups" => &mut self.groups,
            "duration" => &mut self.duration,
            "durationseconds" => &mut self.duration_seconds,
            "durationms" => &mut self.duration_ms,
            "timespent" => &mut self.time_spent,
            "score" => &mut self.score,
            "rating" => &mut self.rating,
            "comment" => &mut self.comment,
            _ => return false,
        };
        *field = Some(value);
        true
    }

    /// Fills in what they say of an event.
    pub fn describe(&self, event: &mut Event) -> Result<(), Syntax> {
        event.feature = text(self.feature)?;
        event.duration_ms = self.duration_ms()?;
        event.rating = self.rating()?;
        event.comment = json::text(self.comment)?.map(|comment| cut(comment, MAX_COMMENT_BYTES));
        Ok(())
    }

    /// The duration in milliseconds: the first readable one that isn't negative, at most a day.
    fn duration_ms(&self) -> Result<Option<u32>, Syntax> {
        for (value, unit) in [
            (self.duration_seconds, 1_000.0),
            (self.duration, 1_000.0),
            (self.time_spent, 1_000.0),
            (self.duration_ms, 1.0),
        ] {
            if let Some(number) = json::number(value)?.filter(|number| *number >= 0.0) {
                let most = barometer_domain::activity::MAX_DURATION.num_milliseconds() as f64;
                return Ok(Some((number * unit).round().min(most) as u32));
            }
        }
        Ok(None)
    }

    fn rating(&self) -> Result<Option<u8>, Syntax> {
        let given = match json::number(self.score)? {
            Some(score) => Some(score),
            None => json::number(self.rating)?,
        };
        let on_scale = |rating: &f64| rating.fract() == 0.0 && (0.0..=100.0).contains(rating);
        Ok(given.filter(on_scale).map(|rating| rating as u8))
    }
}

/// Where a device says it is.
#[derive(Debug, Clone, Copy, Default)]
pub struct Device<'a> {
    /// Its time zone, as JSON.
    pub time_zone: Option<&'a str>,
    /// Its locale, as JSON.
    pub locale: Option<&'a str>,
}

/// Most traits of a company that are kept beside those that have a meaning here.
const MAX_TRAITS: usize = 20;
/// Longest value of such a trait, in bytes; longer ones aren't kept, since nothing is grouped by them.
const MAX_TRAIT_BYTES: usize = 64;

/// Traits of a person or a company.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Traits<'a> {
    /// Of a company: its id.
    pub id: Option<&'a str>,
    email: Option<&'a str>,
    name: Option<&'a str>,
    first_name: Option<&'a str>,
    last_name: Option<&'a str>,
    plan: Option<&'a str>,
    role: Option<&'a str>,
    created_at: Option<&'a str>,
    time_zone: Option<&'a str>,
    language: Option<&'a str>,
    locale: Option<&'a str>,
    primary_contact: Option<&'a str>,
    /// Of a person: their company's traits.
    pub company: Option<&'a str>,
    /// The first traits without a meaning here, by their name without case and punctuation.
    others: BTreeMap<String, &'a str>,
}

impl<'a> Traits<'a> {
    /// Reads the object.
    pub fn read(text: Option<&'a str>) -> Result<Self, Syntax> {
        let mut traits = Self::default();
        match text {
            Some(text) => traits.over(text).map(|()| traits),
            None => Ok(traits),
        }
    }

    /// Reads several objects; what a later one says counts over what an earlier one says.
    pub fn read_all(texts: &[Option<&'a str>]) -> Result<Self, Syntax> {
        let mut traits = Self::default();
        for text in texts.iter().flatten() {
            traits.over(text)?;
        }
        Ok(traits)
    }

    /// Whether nothing with a meaning here is said.
    pub fn says_nothing(&self) -> bool {
        Self { others: BTreeMap::new(), ..self.clone() } == Self::default()
    }

    fn over(&mut self, text: &'a str) -> Result<(), Syntax> {
        json::fields(text, |name, value| {
            let field = match name {
                "id" => &mut self.id,
                "email" => &mut self.email,
                "name" => &mut self.name,
                "firstname" => &mut self.first_name,
                "lastname" => &mut self.last_name,
                "plan" => &mut self.plan,
                "role" => &mut self.role,
                "createdat" => &mut self.created_at,
                "timezone" => &mut self.time_zone,
                "language" => &mut self.language,
                "locale" => &mut self.locale,
                "company" => &mut self.company,
                _ => {
                    // Of a person it says who is mailed; of a company it is a trait as any other.
                    if name == "primarycontact" {
                        self.primary_contact = Some(value);
                    }
                    if self.others.len() < MAX_TRAITS || self.others.contains_key(name) {
                        self.others.insert(name.to_owned(), value);
                    }
                    return;
                }
            };
            *field = Some(value);
        })
    }

    /// What they say about a person. Of a device the time zone and language count where the traits have none.
    pub fn user(&self, device: Option<Device<'_>>) -> Result<UserTraits, Syntax> {
        let name = match text(self.name)? {
            Some(name) => Some(name),
            None => {
                let parts = [text(self.first_name)?, text(self.last_name)?];
                let name = parts.into_iter().flatten().collect::<Vec<_>>().join(" ");
                (!name.is_empty()).then_some(name)
            }
        };
        let mut time_zone = zone(self.time_zone)?;
        let mut language = self.spoken()?;
        if let Some(device) = device {
            time_zone = match time_zone {
                Some(zone) => Some(zone),
                None => zone(device.time_zone)?,
            };
            language = match language {
                Some(language) => Some(language),
                None => text(device.locale)?,
            };
        }
        Ok(UserTraits {
            email: text(self.email)?.map(|email| email.trim().to_owned()).filter(|email| is_address(email)),
            name,
            plan: text(self.plan)?,
            role: text(self.role)?,
            created_at: instant(self.created_at)?,
            time_zone,
            language,
            primary_contact: match self.primary_contact {
                Some("true") => Some(true),
                Some("false") => Some(false),
                _ => None,
            },
        })
    }

    /// The language, or that of the locale.
    fn spoken(&self) -> Result<Option<String>, Syntax> {
        match text(self.language)? {
            Some(language) => Ok(Some(language)),
            None => text(self.locale),
        }
    }

    /// What they say about a company.
    pub fn company(&self) -> Result<CompanyTraits, Syntax> {
        let mut others = BTreeMap::new();
        for (name, value) in &self.others {
            let value = match *value {
                "true" | "false" => Some((*value).into()),
                value => json::text(Some(value))?,
            };
            if let Some(value) = value.filter(|value| value.len() <= MAX_TRAIT_BYTES) {
                others.insert(name.clone(), value.trim().to_owned());
            }
        }
        Ok(CompanyTraits {
            others,
            name: text(self.name)?,
            plan: text(self.plan)?,
            created_at: instant(self.created_at)?,
            time_zone: zone(self.time_zone)?,
            language: self.spoken()?.as_deref().and_then(Language::of_tag),
        })
    }
}

/// A text as an event keeps it.
pub fn text(value: Option<&str>) -> Result<Option<String>, Syntax> {
    Ok(json::text(value)?.map(|text| cut(text, MAX_NAME_BYTES)))
}

fn instant(value: Option<&str>) -> Result<Option<DateTime<Utc>>, Syntax> {
    Ok(json::text(value)?.and_then(|text| time::parse(&text)))
}

fn zone(value: Option<&str>) -> Result<Option<Zone>, Syntax> {
    Ok(json::text(value)?.and_then(|text| text.trim().parse().ok()))
}

/// Whether a mail could be addressed to it at all; whether it arrives is found out by sending.
fn is_address(text: &str) -> bool {
    text.len() < MAX_NAME_BYTES
        && !text.chars().any(|char| char.is_control() || char.is_whitespace())
        && text.split_once('@').is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty())
}

/// An id that can be part of a key: one that is too long is replaced by its hash.
pub fn own_id(id: &str) -> String {
    if id.len() <= MAX_NAME_BYTES { id.to_owned() } else { hex(&Sha256::digest(id.as_bytes())) }
}

/// The first 16 bytes of a hash.
fn hex(hash: &[u8]) -> String {
    use std::fmt::Write;
    hash.iter().take(16).fold(String::from("h:"), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Cuts a text at a character.
pub fn cut(text: Cow<'_, str>, max: usize) -> String {
    if text.len() <= max {
        return text.into_owned();
    }
    text.get(..text.floor_char_boundary(max)).unwrap_or_default().to_owned()
}

/// A box around what says anything at all.
pub fn some<T: Default + PartialEq>(value: T) -> Option<Box<T>> {
    (value != T::default()).then(|| Box::new(value))
}
