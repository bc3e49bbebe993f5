//! Segment's wire format, which RudderStack's clients speak too. Rule: ingestion, reading an event.

use std::borrow::Cow;

use barometer_domain::{CompanyId, UserId};

use crate::{
    device,
    event::{Event, Kind, MAX_NAME_BYTES},
    fault::{Fault, Oddity},
    fields::{self, Around, Device, Properties, Read, Traits},
    json::{self, Scalar, Syntax},
    time::Times,
};

/// Reads one event from its JSON.
pub fn event(text: &str, around: Around<'_>) -> Read {
    fields::read(text, around, attempt)
}

fn attempt(text: &str, around: Around<'_>) -> Result<Read, Syntax> {
    let wire = Wire::read(text)?;
    let message_id = json::text(wire.message_id)?.map(Cow::into_owned);
    let mut oddities = Vec::new();
    let outcome = match around.too_large(text.len()) {
        Some(fault) => Err(fault),
        None => wire.validate(around, message_id.as_deref(), &mut oddities)?,
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
        let own = Traits::read(self.traits)?;
        let (traits, of_company) = match kind {
            // The traits of a group call are the company's.
            Kind::Group => (Traits::default(), own),
            _ => {
                let traits = if own.says_nothing() { Traits::read(context.traits)? } else { own };
                let company = Traits::read(traits.company)?;
                (traits, company)
            }
        };
        let company = match kind {
            Kind::Group => self.group_id,
            _ => {
                let of_groups = fields::company_of(properties.groups)?;
                fields::first(&[self.group_id, context.group_id, of_groups, of_company.id])?
            }
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

        let from_device = !around.from_server && self.is_from_device(context)?;
        let timestamp = match json::text(self.timestamp)? {
            Some(timestamp) => Some(timestamp),
            None => json::text(self.original_timestamp)?,
        };
        let sent_at = match json::text(self.sent_at)? {
            Some(sent_at) => Some(sent_at),
            None => json::text(around.envelope.sent_at)?,
        };
        let times = Times {
            timestamp: fields::given(self.timestamp, timestamp.as_deref()),
            sent_at: sent_at.as_deref(),
            from_device,
        };
        let at = match around.instant(times, oddities) {
            Ok(at) => at,
            Err(fault) => return Ok(Err(fault)),
        };

        let mut event = Event {
            user: ids.user,
            anonymous: ids.anonymous,
            previous: ids.previous,
            company: ids.company,
            name: name.map(|name| fields::cut(name, MAX_NAME_BYTES)),
            id: message_id.map(fields::own_id),
            session: fields::text(context.session_id)?,
            company_traits: fields::some(of_company.company()?),
            ..Event::new(kind, at)
        };
        properties.describe(&mut event)?;
        if kind == Kind::Identify {
            let device = Device { time_zone: context.time_zone, locale: context.locale };
            event.user_traits = fields::some(traits.user(from_device.then_some(device))?);
        }
        if event.id.is_none()
            && let Some(timestamp) = timestamp
        {
            event.id = Some(fields::derived_id(&event, &timestamp, [self.properties, self.traits]));
        }
        Ok(Ok(event))
    }

    fn is_from_device(&self, context: Context<'_>) -> Result<bool, Syntax> {
        let channel = json::text(self.channel)?;
        let library = json::text(context.library)?;
        let environment = json::text(context.environment)?;
        Ok(device::is_device(channel.as_deref(), library.as_deref(), environment.as_deref()))
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
        let user = fields::id(wire.user_id, "userId", UserId::new)?;
        let known = matches!(user, Ok(Some(_)));
        let anonymous = fields::anonymous(wire.anonymous_id, "anonymousId", known, oddities)?;
        let previous = fields::id(wire.previous_id, "previousId", UserId::new)?;
        let company = fields::id(company, "groupId", CompanyId::new)?;
        let all = || Ok(Self { user: user?, anonymous: anonymous?, previous: previous?, company: company? });
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

/// `context`, the event's fields over the batch's.
#[derive(Debug, Clone, Copy, Default)]
struct Context<'a> {
    group_id: Option<&'a str>,
    library: Option<&'a str>,
    /// Where the library runs; Jitsu's, which is one for browsers and servers, says it.
    environment: Option<&'a str>,
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
        json::fields(library.unwrap_or_default(), |name, value| match name {
            "name" => context.library = Some(value),
            "env" => context.environment = Some(value),
            _ => {}
        })?;
        Ok(context)
    }
}
