//! Segment's wire format, which RudderStack's clients speak too. Rule: ingestion, reading an event.

use std::borrow::Cow;

use barometer_domain::{CompanyId, UserId, Zone, ids::IdError};
use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};

use crate::{
    device,
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

/// Reads one event from its JSON. One that can't be read goes through the tolerant pass once.
pub fn event(text: &str, around: Around<'_>) -> Read {
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

fn attempt(text: &str, around: Around<'_>) -> Result<Read, Syntax> {
    let wire = Wire::read(text)?;
    let message_id = json::text(wire.message_id)?.map(Cow::into_owned);
    let mut oddities = Vec::new();
    let outcome = if text.len() > around.limits.event_bytes {
        Err(Fault::TooLarge { bytes: text.len(), limit: around.limits.event_bytes })
    } else {
        wire.validate(around, message_id.as_deref(), &mut oddities)?
    };
    Ok(Read { message_id, outcome, oddities })
}

/// An event's fields as JSON text.
#[derive(Debug, Clone, Copy, Default)]
struct Wire<'a> {
    kind: Option<&'a str>,
    action: Option<&'a str>,
    event: Option<&'a str>,
    name: Option<&'a str>,
    user_id: Option<&'a str>,
    anonymous_id: Option<&'a str>,
    previous_id: Option<&'a str>,
    group_id: Option<&'a str>,
    message_id: Option<&'a str>,
    timestamp: Option<&'a str>,
    original_timestamp: Option<&'a str>,
    sent_at: Option<&'a str>,
    channel: Option<&'a str>,
    context: Option<&'a str>,
    properties: Option<&'a str>,
    traits: Option<&'a str>,
}

impl<'a> Wire<'a> {
    fn read(text: &'a str) -> Result<Self, Syntax> {
        let mut wire = Self::default();
        json::fields(text, |name, value| {
            let field = match name {
                "type" => &mut wire.kind,
                "action" => &mut wire.action,
                "event" => &mut wire.event,
                "name" => &mut wire.name,
                "userid" => &mut wire.user_id,
                "anonymousid" => &mut wire.anonymous_id,
                "previousid" => &mut wire.previous_id,
                "groupid" => &mut wire.group_id,
                "messageid" => &mut wire.message_id,
                "timestamp" => &mut wire.timestamp,
                "originaltimestamp" => &mut wire.original_timestamp,
                "sentat" => &mut wire.sent_at,
                "channel" => &mut wire.channel,
                "context" => &mut wire.context,
                "properties" => &mut wire.properties,
                "traits" => &mut wire.traits,
                _ => return,
            };
            *field = Some(value);
        })?;
        Ok(wire)
    }

    /// The type: the event's, else `action` as old calls have it, else the path's.
    fn kind(&self, of_path: Option<Kind>) -> Result<Result<Kind, Fault>, Syntax> {
        let kind = match self.kind {
            Some(kind) => match json::scalar(kind)? {
                Scalar::Text(kind) => Kind::parse(kind.trim()),
                Scalar::Absent => of_path,
                Scalar::Other => None,
            },
            None => json::text(self.action)?.and_then(|action| Kind::parse(&action)).or(of_path),
        };
        Ok(kind.ok_or(Fault::UnknownType))
    }

    fn validate(
        &self,
        around: Around<'_>,
        message_id: Option<&str>,
        oddities: &mut Vec<Oddity>,
    ) -> Result<Result<Event, Fault>, Syntax> {
        let kind = match self.kind(around.kind)? {
            Ok(kind) => kind,
            Err(fault) => return Ok(Err(fault)),
        };
        let context = Context::read(around.envelope.context, self.context)?;
        let properties = Properties::read(self.properties)?;
        let traits = match kind {
            // The traits of a group call are the company's; the person's stand in the context.
            Kind::Group => context.traits,
            _ => self.traits.or(context.traits),
        };
        let traits = Traits::read(traits)?;
        let of_company = match kind {
            Kind::Group => Traits::read(self.traits)?,
            _ => Traits::read(traits.company)?,
        };
        let company = match kind {
            Kind::Group => self.group_id,
            _ => first(&[self.group_id, context.group_id, of_company.id])?,
        };

        let ids = match Ids::read(self, company, oddities)? {
            Ok(ids) => ids,
            Err(fault) => return Ok(Err(fault)),
        };
        let name = match kind {
            Kind::Track => json::text(self.event)?,
            Kind::Page | Kind::Screen => match json::text(self.name)? {
                Some(name) => Some(name),
                None => json::text(properties.name)?,
            },
            _ => None,
        };
        if let Some(fault) = ids.missing(kind, name.is_some()) {
            return Ok(Err(fault));
        }

        let channel = json::text(self.channel)?;
        let library = json::text(context.library)?;
        let from_device = device::is_device(channel.as_deref(), library.as_deref());
        let timestamp = match json::text(self.timestamp)? {
            Some(timestamp) => Some(timestamp),
            None => json::text(self.original_timestamp)?,
        };
        let sent_at = match json::text(self.sent_at)? {
            Some(sent_at) => Some(sent_at),
            None => json::text(around.envelope.sent_at)?,
        };
        // Neither text nor number, so surely not an instant; it was given all the same.
        let unreadable = || self.timestamp.map(|_| "?").filter(|_| !self.timestamp_is_blank());
        let times = Times {
            timestamp: timestamp.as_deref().or_else(unreadable),
            sent_at: sent_at.as_deref(),
            from_device,
        };
        let (at, oddity) = time::instant(times, around.received);
        if at < around.received - around.limits.retention {
            return Ok(Err(Fault::TooOld { days: around.limits.retention.num_days() }));
        }
        oddities.extend(oddity);

        let mut event = Event {
            kind,
            at,
            user: ids.user,
            anonymous: ids.anonymous,
            previous: ids.previous,
            company: ids.company,
            name: name.map(|name| cut(name, MAX_NAME_BYTES)),
            id: message_id.map(own_id),
            feature: json::text(properties.feature)?.map(|feature| cut(feature, MAX_NAME_BYTES)),
            duration_ms: properties.duration_ms()?,
            rating: properties.rating()?,
            comment: json::text(properties.comment)?.map(|comment| cut(comment, MAX_COMMENT_BYTES)),
            session: json::text(context.session_id)?.map(|session| cut(session, MAX_NAME_BYTES)),
            user_traits: None,
            company_traits: some(of_company.company()?),
        };
        if kind == Kind::Identify {
            event.user_traits = some(traits.user(context, from_device)?);
        }
        if event.id.is_none()
            && let Some(timestamp) = timestamp
        {
            event.id = Some(self.derived_id(&event, &timestamp));
        }
        Ok(Ok(event))
    }

    fn timestamp_is_blank(&self) -> bool {
        self.timestamp.is_none_or(|timestamp| matches!(json::scalar(timestamp), Ok(Scalar::Absent)))
    }

    /// The id of an event that has none: a hash of what a retry repeats. The client's timestamp is among it; without
    /// one, two equal events couldn't be told from one sent twice.
    fn derived_id(&self, event: &Event, timestamp: &str) -> String {
        let mut hash = Sha256::new();
        let id = |id: &Option<UserId>| id.as_ref().map_or(String::new(), |id| id.as_str().to_owned());
        let company = event.company.as_ref().map_or("", CompanyId::as_str);
        let parts: [&str; 9] = [
            &format!("{:?}", event.kind),
            &id(&event.user),
            &id(&event.anonymous),
            &id(&event.previous),
            company,
            event.name.as_deref().unwrap_or_default(),
            timestamp,
            self.properties.unwrap_or_default(),
            self.traits.unwrap_or_default(),
        ];
        for part in parts {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part.as_bytes());
        }
        hex(&hash.finalize())
    }
}

/// Who and which company.
struct Ids {
    user: Option<UserId>,
    anonymous: Option<UserId>,
    previous: Option<UserId>,
    company: Option<CompanyId>,
}

impl Ids {
    fn read(
        wire: &Wire<'_>,
        company: Option<&str>,
        oddities: &mut Vec<Oddity>,
    ) -> Result<Result<Self, Fault>, Syntax> {
        let user = id(wire.user_id, "userId", UserId::new)?;
        let anonymous = id(wire.anonymous_id, "anonymousId", UserId::new)?;
        let previous = id(wire.previous_id, "previousId", UserId::new)?;
        let company = id(company, "groupId", CompanyId::new)?;
        let all = || {
            let user = user?;
            let anonymous = match anonymous {
                Err(_) if user.is_some() => {
                    oddities.push(Oddity::BadAnonymousId);
                    None
                }
                anonymous => anonymous?,
            };
            Ok(Self { user, anonymous, previous: previous?, company: company? })
        };
        Ok(all())
    }

    fn missing(&self, kind: Kind, has_name: bool) -> Option<Fault> {
        let nobody = self.user.is_none() && self.anonymous.is_none();
        match kind {
            Kind::Group if self.company.is_none() => Some(Fault::MissingCompany),
            // A server tells what a company is without anybody being there.
            Kind::Group => None,
            Kind::Alias if self.user.is_none() || self.previous.is_none() => Some(Fault::MissingPreviousId),
            _ if nobody => Some(Fault::MissingUser),
            Kind::Track if !has_name => Some(Fault::MissingEventName),
            _ => None,
        }
    }
}

fn id<T>(
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

/// The first of several values that isn't absent.
fn first<'a>(values: &[Option<&'a str>]) -> Result<Option<&'a str>, Syntax> {
    for value in values.iter().flatten() {
        if json::scalar(value)? != Scalar::Absent {
            return Ok(Some(value));
        }
    }
    Ok(None)
}

/// `context`, the event's fields over the batch's.
#[derive(Debug, Clone, Copy, Default)]
struct Context<'a> {
    group_id: Option<&'a str>,
    library: Option<&'a str>,
    traits: Option<&'a str>,
    time_zone: Option<&'a str>,
    locale: Option<&'a str>,
    session_id: Option<&'a str>,
}

impl<'a> Context<'a> {
    fn read(of_batch: Option<&'a str>, own: Option<&'a str>) -> Result<Self, Syntax> {
        let mut context = Self::default();
        let mut library = None;
        // A single call is its own envelope: its context needn't be read twice.
        let of_batch = of_batch.filter(|of_batch| own != Some(of_batch));
        for text in [of_batch, own].into_iter().flatten() {
            json::fields(text, |name, value| {
                let field = match name {
                    "groupid" => &mut context.group_id,
                    "library" => &mut library,
                    "traits" => &mut context.traits,
                    "timezone" => &mut context.time_zone,
                    "locale" => &mut context.locale,
                    "sessionid" => &mut context.session_id,
                    _ => return,
                };
                *field = Some(value);
            })?;
        }
        json::fields(library.unwrap_or_default(), |name, value| {
            if name == "name" {
                context.library = Some(value);
            }
        })?;
        Ok(context)
    }
}

/// `properties`, as far as rules ask for them.
#[derive(Debug, Clone, Copy, Default)]
struct Properties<'a> {
    name: Option<&'a str>,
    feature: Option<&'a str>,
    duration: Option<&'a str>,
    duration_seconds: Option<&'a str>,
    duration_ms: Option<&'a str>,
    time_spent: Option<&'a str>,
    score: Option<&'a str>,
    rating: Option<&'a str>,
    comment: Option<&'a str>,
}

impl<'a> Properties<'a> {
    fn read(text: Option<&'a str>) -> Result<Self, Syntax> {
        let mut properties = Self::default();
        json::fields(text.unwrap_or_default(), |name, value| {
            let field = match name {
                "name" => &mut properties.name,
                "feature" => &mut properties.feature,
                "duration" => &mut properties.duration,
                "durationseconds" => &mut properties.duration_seconds,
                "durationms" => &mut properties.duration_ms,
                "timespent" => &mut properties.time_spent,
                "score" => &mut properties.score,
                "rating" => &mut properties.rating,
                "comment" => &mut properties.comment,
                _ => return,
            };
            *field = Some(value);
        })?;
        Ok(properties)
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

/// Traits of a person or a company.
#[derive(Debug, Clone, Copy, Default)]
struct Traits<'a> {
    id: Option<&'a str>,
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
    company: Option<&'a str>,
}

impl<'a> Traits<'a> {
    fn read(text: Option<&'a str>) -> Result<Self, Syntax> {
        let mut traits = Self::default();
        json::fields(text.unwrap_or_default(), |name, value| {
            let field = match name {
                "id" => &mut traits.id,
                "email" => &mut traits.email,
                "name" => &mut traits.name,
                "firstname" => &mut traits.first_name,
                "lastname" => &mut traits.last_name,
                "plan" => &mut traits.plan,
                "role" => &mut traits.role,
                "createdat" => &mut traits.created_at,
                "timezone" => &mut traits.time_zone,
                "language" => &mut traits.language,
                "locale" => &mut traits.locale,
                "company" => &mut traits.company,
                _ => return,
            };
            *field = Some(value);
        })?;
        Ok(traits)
    }

    fn user(&self, context: Context<'_>, from_device: bool) -> Result<UserTraits, Syntax> {
        let name = match text(self.name)? {
            Some(name) => Some(name),
            None => {
                let parts = [text(self.first_name)?, text(self.last_name)?];
                let name = parts.into_iter().flatten().collect::<Vec<_>>().join(" ");
                (!name.is_empty()).then_some(name)
            }
        };
        let mut time_zone = zone(self.time_zone)?;
        let mut language = match text(self.language)? {
            Some(language) => Some(language),
            None => text(self.locale)?,
        };
        if from_device {
            time_zone = match time_zone {
                Some(zone) => Some(zone),
                None => zone(context.time_zone)?,
            };
            language = match language {
                Some(language) => Some(language),
                None => text(context.locale)?,
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
        })
    }

    fn company(&self) -> Result<CompanyTraits, Syntax> {
        Ok(CompanyTraits {
            name: text(self.name)?,
            plan: text(self.plan)?,
            created_at: instant(self.created_at)?,
            time_zone: zone(self.time_zone)?,
        })
    }
}

fn text(value: Option<&str>) -> Result<Option<String>, Syntax> {
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
fn own_id(id: &str) -> String {
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
fn cut(text: Cow<'_, str>, max: usize) -> String {
    if text.len() <= max {
        return text.into_owned();
    }
    text.get(..text.floor_char_boundary(max)).unwrap_or_default().to_owned()
}

/// A box around what says anything at all.
fn some<T: Default + PartialEq>(value: T) -> Option<Box<T>> {
    (value != T::default()).then(|| Box::new(value))
}
