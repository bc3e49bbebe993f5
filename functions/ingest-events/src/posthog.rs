//! PostHog's wire format: one event, an array of them, or a `batch`. Rule: ingestion, reading an event.
//!
//! Everything is an event with a `distinct_id`; what Segment calls a type is the event's name. Properties that
//! begin with `$` are the library's, others the product's.

use std::borrow::Cow;

use barometer_domain::{CompanyId, UserId};
use chrono::{DateTime, TimeDelta, Utc};

use crate::{
    device,
    event::{Event, Kind, MAX_NAME_BYTES},
    fault::{Fault, Oddity},
    fields::{self, Around, Device, Properties, Read, Traits},
    json::{self, Syntax},
    time::Times,
};

/// Events that libraries send without anybody doing anything: they measure, look up flags, record or report
/// failures, also while a tab lies in the background. `$pageleave` is among them, since a browser sends it for a
/// tab that it throws away, too; the page that is left was seen with `$pageview`. Clicks that are captured
/// automatically (`$autocapture`, `$rageclick`) are somebody's and are activity.
const QUIET: [&str; 15] = [
    "$$heatmap",
    "$csp_violation",
    "$client_ingestion_warning",
    "$exception",
    "$feature_flag_called",
    "$groupidentify",
    "$heatmap",
    "$opt_in",
    "$opt_out",
    "$pageleave",
    "$performance_event",
    "$snapshot",
    "$snapshot_items",
    "$web_vitals",
    "survey shown",
];

/// What libraries around language models report; nightly jobs do that as well.
const QUIET_PREFIX: &str = "$ai_";

/// The libraries' names in `$lib` of browsers, which say less than [`device`] asks for.
const BROWSERS: [&str; 3] = ["web", "js", "posthog-web"];

/// Reads one event from its JSON.
pub fn event(text: &str, around: Around<'_>) -> Read {
    fields::read(text, around, attempt)
}

/// The key that an event carries, for bodies whose top level has none.
pub fn key(text: &str) -> Option<String> {
    let wire = Wire::read(text).ok()?;
    let own = Own::read(wire.properties).ok()?;
    [wire.api_key, wire.token, own.token]
        .into_iter()
        .find_map(|key| json::text(key).ok().flatten())
        .map(|key| key.trim().to_owned())
}

fn attempt(text: &str, around: Around<'_>) -> Result<Read, Syntax> {
    let wire = Wire::read(text)?;
    let own = Own::read(wire.properties)?;
    let id = fields::first(&[wire.uuid, own.insert_id, wire.message_id])?;
    let message_id = json::text(id)?.map(Cow::into_owned);
    let mut oddities = Vec::new();
    let outcome = match around.too_large(text.len()) {
        Some(fault) => Err(fault),
        None => wire.validate(&own, around, message_id.as_deref(), &mut oddities)?,
    };
    Ok(Read { message_id, outcome, oddities })
}

/// An event's fields as JSON text.
#[derive(Debug, Clone, Copy, Default)]
struct Wire<'a> {
    event: Option<&'a str>,
    distinct_id: Option<&'a str>,
    uuid: Option<&'a str>,
    message_id: Option<&'a str>,
    timestamp: Option<&'a str>,
    offset: Option<&'a str>,
    sent_at: Option<&'a str>,
    properties: Option<&'a str>,
    set: Option<&'a str>,
    set_once: Option<&'a str>,
    api_key: Option<&'a str>,
    token: Option<&'a str>,
}

impl<'a> Wire<'a> {
    fn read(text: &'a str) -> Result<Self, Syntax> {
        let mut wire = Self::default();
        json::fields(text, |name, value| {
            let field = match name {
                "event" => &mut wire.event,
                "distinctid" | "$distinctid" => &mut wire.distinct_id,
                "uuid" => &mut wire.uuid,
                "messageid" => &mut wire.message_id,
                "timestamp" => &mut wire.timestamp,
                "offset" => &mut wire.offset,
                "sentat" => &mut wire.sent_at,
                "properties" => &mut wire.properties,
                "$set" => &mut wire.set,
                "$setonce" => &mut wire.set_once,
                "apikey" => &mut wire.api_key,
                "token" | "$token" => &mut wire.token,
                _ => return,
            };
            *field = Some(value);
        })?;
        Ok(wire)
    }
}

/// The library's properties, and those that every protocol has.
#[derive(Debug, Clone, Copy, Default)]
struct Own<'a> {
    common: Properties<'a>,
    distinct_id: Option<&'a str>,
    insert_id: Option<&'a str>,
    token: Option<&'a str>,
    library: Option<&'a str>,
    is_server: bool,
    is_identified: Option<bool>,
    user_state: Option<&'a str>,
    user_id: Option<&'a str>,
    device_id: Option<&'a str>,
    without_profile: bool,
    anonymous_id: Option<&'a str>,
    alias: Option<&'a str>,
    group_type: Option<&'a str>,
    group_key: Option<&'a str>,
    group_set: Option<&'a str>,
    set: Option<&'a str>,
    set_once: Option<&'a str>,
    session_id: Option<&'a str>,
    screen_name: Option<&'a str>,
    path_name: Option<&'a str>,
    time_zone: Option<&'a str>,
    locale: Option<&'a str>,
}

impl<'a> Own<'a> {
    fn read(text: Option<&'a str>) -> Result<Self, Syntax> {
        let mut own = Self::default();
        json::fields(text.unwrap_or_default(), |name, value| {
            if own.common.take(name, value) {
                return;
            }
            let field = match name {
                "distinctid" | "$distinctid" => &mut own.distinct_id,
                "$insertid" => &mut own.insert_id,
                "token" | "$token" => &mut own.token,
                "$lib" => &mut own.library,
                "$isserver" => return own.is_server = value == "true",
                "$isidentified" => return own.is_identified = boolean(value),
                "$processpersonprofile" => return own.without_profile = boolean(value) == Some(false),
                "$userstate" => &mut own.user_state,
                "$userid" => &mut own.user_id,
                "$deviceid" => &mut own.device_id,
                "$anondistinctid" => &mut own.anonymous_id,
                "alias" => &mut own.alias,
                "$grouptype" => &mut own.group_type,
                "$groupkey" => &mut own.group_key,
                "$groupset" => &mut own.group_set,
                "$set" => &mut own.set,
                "$setonce" => &mut own.set_once,
                "$sessionid" => &mut own.session_id,
                "$screenname" => &mut own.screen_name,
                "$pathname" => &mut own.path_name,
                "$timezone" => &mut own.time_zone,
                "$browserlanguage" | "$locale" => &mut own.locale,
                _ => return,
            };
            *field = Some(value);
        })?;
        Ok(own)
    }

    fn is_from_device(&self) -> Result<bool, Syntax> {
        let library = json::text(self.library)?;
        let library = library.as_deref().unwrap_or_default();
        Ok(!self.is_server && (BROWSERS.contains(&library) || device::is_device(None, Some(library), None)))
    }

    /// Whether a device's visitor isn't known yet, so that the distinct id is one that the library made up. Servers
    /// name users, also in events without a person profile.
    fn is_visitor(&self, distinct_id: &str) -> Result<bool, Syntax> {
        if let Some(identified) = self.is_identified {
            return Ok(!identified);
        }
        match json::text(self.user_state)?.as_deref() {
            Some("anonymous") => return Ok(true),
            Some("identified") => return Ok(false),
            _ => {}
        }
        if json::text(self.user_id)?.is_some() {
            return Ok(false);
        }
        Ok(self.without_profile || json::text(self.device_id)?.as_deref() == Some(distinct_id))
    }
}

fn boolean(value: &str) -> Option<bool> {
    match value {
        "true" | "\"true\"" | "1" => Some(true),
        "false" | "\"false\"" | "0" => Some(false),
        _ => None,
    }
}

/// What an event is by its name.
enum Meaning {
    Call(Kind),
    /// A group that is no company, such as a project.
    OtherGroup,
    Track {
        quiet: bool,
    },
}

fn meaning(name: &str, group_type: Option<&str>) -> Meaning {
    match name {
        "$pageview" => Meaning::Call(Kind::Page),
        "$screen" => Meaning::Call(Kind::Screen),
        "$identify" | "$set" | "$set_once" | "$unset" => Meaning::Call(Kind::Identify),
        "$create_alias" | "$merge_dangerously" => Meaning::Call(Kind::Alias),
        "$groupidentify" if group_type.is_some_and(fields::is_company_type) => Meaning::Call(Kind::Group),
        "$groupidentify" => Meaning::OtherGroup,
        _ => Meaning::Track { quiet: QUIET.contains(&name) || is_ai_report(name) },
    }
}

fn is_ai_report(name: &str) -> bool {
    name.starts_with(QUIET_PREFIX) && name != "$ai_feedback"
}

/// Who it is about.
#[derive(Default)]
struct Who {
    user: Option<UserId>,
    anonymous: Option<UserId>,
    previous: Option<UserId>,
}

impl Wire<'_> {
    fn validate(
        &self,
        own: &Own<'_>,
        around: Around<'_>,
        message_id: Option<&str>,
        oddities: &mut Vec<Oddity>,
    ) -> Result<Result<Event, Fault>, Syntax> {
        let Some(name) = json::text(self.event)? else { return Ok(Err(Fault::MissingEventName)) };
        let group_type = json::text(own.group_type)?;
        let meaning = meaning(&name, group_type.as_deref());
        let (kind, quiet) = match meaning {
            Meaning::Call(kind) => (kind, false),
            Meaning::OtherGroup => (Kind::Track, true),
            Meaning::Track { quiet } => (Kind::Track, quiet),
        };
        let from_device = !around.from_server && own.is_from_device()?;

        let is_group = kind == Kind::Group || matches!(meaning, Meaning::OtherGroup);
        let who = if is_group && self.is_made_up(own, group_type.as_deref())? {
            Who::default()
        } else {
            match self.who(own, kind, from_device, oddities)? {
                Ok(who) => who,
                Err(fault) => return Ok(Err(fault)),
            }
        };
        if who.user.is_none() && who.anonymous.is_none() && !is_group {
            return Ok(Err(Fault::MissingUser));
        }
        if kind == Kind::Alias && who.previous.is_none() {
            return Ok(Err(Fault::MissingPreviousId));
        }

        let traits = Traits::read_all(&[self.set_once, own.set_once, self.set, own.set])?;
        let of_company =
            if kind == Kind::Group { Traits::read(own.group_set)? } else { Traits::read(traits.company)? };
        let company = match kind {
            Kind::Group => own.group_key,
            _ => fields::first(&[fields::company_of(own.common.groups)?, of_company.id])?,
        };
        let company = match fields::id(company, "$groups", CompanyId::new)? {
            Ok(None) if kind == Kind::Group => return Ok(Err(Fault::MissingCompany)),
            Ok(company) => company,
            Err(fault) => return Ok(Err(fault)),
        };

        let timestamp = json::text(self.timestamp)?;
        let at = match self.at(timestamp.as_deref(), around, from_device, oddities)? {
            Ok(at) => at,
            Err(fault) => return Ok(Err(fault)),
        };
        let name = match kind {
            Kind::Track => Some(name),
            Kind::Page => json::text(fields::first(&[own.common.name, own.path_name])?)?,
            Kind::Screen => json::text(fields::first(&[own.common.name, own.screen_name])?)?,
            Kind::Identify | Kind::Group | Kind::Alias => None,
        };
        let mut event = Event {
            user: who.user,
            anonymous: who.anonymous,
            previous: who.previous,
            company,
            name: name.map(|name| fields::cut(name, MAX_NAME_BYTES)),
            id: message_id.map(fields::own_id),
            session: fields::text(own.session_id)?,
            company_traits: fields::some(of_company.company()?),
            quiet,
            ..Event::new(kind, at)
        };
        own.common.describe(&mut event)?;
        if kind == Kind::Identify || !traits.says_nothing() {
            let device = Device { time_zone: own.time_zone, locale: own.locale };
            event.user_traits = fields::some(traits.user(from_device.then_some(device))?);
        }
        if event.id.is_none()
            && let Some(timestamp) = timestamp
        {
            event.id = Some(fields::derived_id(&event, &timestamp, [self.properties, self.set]));
        }
        Ok(Ok(event))
    }

    fn distinct_id<'b>(&'b self, own: &'b Own<'_>) -> Result<Option<&'b str>, Syntax> {
        fields::first(&[self.distinct_id, own.distinct_id])
    }

    /// Whether the distinct id of a group call stands for the group itself, as libraries on servers make it up.
    fn is_made_up(&self, own: &Own<'_>, group_type: Option<&str>) -> Result<bool, Syntax> {
        let given = json::text(self.distinct_id(own)?)?;
        let (Some(given), Some(group_type), Some(key)) = (given, group_type, json::text(own.group_key)?)
        else {
            return Ok(false);
        };
        Ok(*given == format!("${group_type}_{key}"))
    }

    fn who(
        &self,
        own: &Own<'_>,
        kind: Kind,
        from_device: bool,
        oddities: &mut Vec<Oddity>,
    ) -> Result<Result<Who, Fault>, Syntax> {
        let given = self.distinct_id(own)?;
        let id = match fields::id(given, "distinct_id", UserId::new)? {
            Ok(id) => id,
            Err(fault) => return Ok(Err(fault)),
        };
        let is_visitor =
            from_device && id.as_ref().map(|id| own.is_visitor(id.as_str())).transpose()? == Some(true);
        Ok(match kind {
            Kind::Identify if own.anonymous_id.is_some() || !is_visitor => {
                fields::anonymous(own.anonymous_id, "$anon_distinct_id", id.is_some(), oddities)?
                    .map(|anonymous| Who { user: id, anonymous, previous: None })
            }
            // The id in `alias` joins the one in `distinct_id`; but a visitor joins the user that they name.
            Kind::Alias => fields::id(own.alias, "alias", UserId::new)?.map(|alias| match alias {
                Some(alias) if is_visitor => Who { user: Some(alias), anonymous: None, previous: id },
                previous => Who { user: id, anonymous: None, previous },
            }),
            _ if is_visitor => Ok(Who { anonymous: id, ..Who::default() }),
            _ => Ok(Who { user: id, ..Who::default() }),
        })
    }

    /// The timestamp, else the age in milliseconds that the browser's library sends instead.
    fn at(
        &self,
        timestamp: Option<&str>,
        around: Around<'_>,
        from_device: bool,
        oddities: &mut Vec<Oddity>,
    ) -> Result<Result<DateTime<Utc>, Fault>, Syntax> {
        let timestamp = fields::given(self.timestamp, timestamp);
        let sent_at = match json::text(self.sent_at)? {
            Some(sent_at) => Some(sent_at),
            None => json::text(around.envelope.sent_at)?,
        };
        let times = Times { timestamp, sent_at: sent_at.as_deref(), from_device };
        let at = match around.instant(times, oddities) {
            Ok(at) => at,
            Err(fault) => return Ok(Err(fault)),
        };
        let age = match timestamp {
            None => json::number(self.offset)?.filter(|age| (0.0..1e13).contains(age)),
            Some(_) => None,
        };
        Ok(match age {
            Some(age) => around.kept(at - TimeDelta::milliseconds(age as i64)),
            None => Ok(at),
        })
    }
}
