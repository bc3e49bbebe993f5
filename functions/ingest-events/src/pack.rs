//! The packed log's form: the events of one request as one JSON document, column by column.
//!
//! What costs is bytes (a write unit for each begun KB of the compressed item), so every text stands once, in
//! `text`, and the columns hold its number there (from 1, 0 for none); times are the milliseconds since the event
//! before. What few events have stands in `rest` by the event's place.
//!
//! ```json
//! {"v":2,"text":["usr_42","acct_1","Export"],"kinds":"tt","from":1768471200123,"after":[0,5000],
//!  "user":[1,1],"anonymous":[],"company":[2,0],"name":[3,3],"feature":[],"session":[],"rest":{"1":{"d":12500}}}
//! ```
//!
//! A column of zeros alone is empty. An event's id is kept only where an aggregate needs it, with a rating: ids
//! are random, and in a hundred events they would take more than all the rest. The request is recognised by
//! [`identity`], which is where every id counts. The form before this one, an event a line, can be read too.

use std::collections::{BTreeMap, HashMap};

use barometer_domain::{CompanyId, UserId};
use chrono::DateTime;
use serde::{Deserialize, Serialize};

use crate::event::{CompanyTraits, Event, Kind, UserTraits};

/// The version that is written.
const VERSION: u8 = 2;

/// How every version from 2 on begins.
const VERSIONED: &[u8] = br#"{"v":"#;

/// Why a pack can't be read.
#[derive(Debug, thiserror::Error)]
pub enum PackError {
    /// It isn't JSON, or not in the form of its version.
    #[error("a pack of the log isn't in its form")]
    Form(#[from] serde_json::Error),
    /// It was written by a later version of this program.
    #[error("a pack of the log has version {0}, which isn't known")]
    Version(u8),
    /// A column is too short, or names a text that isn't there.
    #[error("a pack of the log has no {column} for event {index}")]
    Column {
        /// The column.
        column: &'static str,
        /// The event's place.
        index: usize,
    },
}

#[derive(Serialize, Deserialize)]
struct Columns<T> {
    v: u8,
    text: Vec<T>,
    kinds: String,
    from: i64,
    after: Vec<i64>,
    user: Vec<u32>,
    anonymous: Vec<u32>,
    company: Vec<u32>,
    name: Vec<u32>,
    feature: Vec<u32>,
    session: Vec<u32>,
    rest: BTreeMap<usize, Rest>,
}

/// What few events have.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Rest {
    #[serde(rename = "p", default, skip_serializing_if = "Option::is_none")]
    previous: Option<UserId>,
    #[serde(rename = "id", default, skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[serde(rename = "d", default, skip_serializing_if = "Option::is_none")]
    duration_ms: Option<u32>,
    #[serde(rename = "r", default, skip_serializing_if = "Option::is_none")]
    rating: Option<u8>,
    #[serde(rename = "m", default, skip_serializing_if = "Option::is_none")]
    comment: Option<String>,
    #[serde(rename = "ut", default, skip_serializing_if = "Option::is_none")]
    user_traits: Option<Box<UserTraits>>,
    #[serde(rename = "ct", default, skip_serializing_if = "Option::is_none")]
    company_traits: Option<Box<CompanyTraits>>,
    #[serde(rename = "q", default, skip_serializing_if = "std::ops::Not::not")]
    quiet: bool,
}

/// Texts by the order in which they came.
#[derive(Default)]
struct Texts<'a> {
    numbers: HashMap<&'a str, u32>,
    texts: Vec<&'a str>,
}

impl<'a> Texts<'a> {
    fn number(&mut self, text: Option<&'a str>) -> u32 {
        let Some(text) = text else { return 0 };
        *self.numbers.entry(text).or_insert_with(|| {
            self.texts.push(text);
            u32::try_from(self.texts.len()).unwrap_or(u32::MAX)
        })
    }
}

fn letter(kind: Kind) -> char {
    match kind {
        Kind::Track => 't',
        Kind::Page => 'p',
        Kind::Screen => 's',
        Kind::Identify => 'i',
        Kind::Group => 'g',
        Kind::Alias => 'a',
    }
}

/// What a request is recognised by when it comes again: its events' ids, which survive a retry; its bytes don't.
/// `source` is who sent it, since ids are unique only within a source. Errors: none that a validated event can cause.
pub fn identity<'a>(source: &str, events: impl IntoIterator<Item = &'a Event>) -> Result<Vec<u8>, PackError> {
    let mut identity = source.as_bytes().to_vec();
    for event in events {
        identity.push(b'\n');
        match &event.id {
            Some(id) => identity.extend_from_slice(id.as_bytes()),
            None => serde_json::to_writer(&mut identity, event)?,
        }
    }
    Ok(identity)
}

/// The events of a request in the log's form. Errors: none that a validated event can cause.
pub fn encode<'a>(events: impl IntoIterator<Item = &'a Event>) -> Result<Vec<u8>, PackError> {
    let mut texts = Texts::default();
    let mut columns = Columns {
        v: VERSION,
        text: Vec::new(),
        kinds: String::new(),
        from: 0,
        after: Vec::new(),
        user: Vec::new(),
        anonymous: Vec::new(),
        company: Vec::new(),
        name: Vec::new(),
        feature: Vec::new(),
        session: Vec::new(),
        rest: BTreeMap::new(),
    };
    let mut before = None;
    for (index, event) in events.into_iter().enumerate() {
        // Every field is named, so that a new one can't be forgotten here.
        let Event {
            kind,
            at,
            user,
            anonymous,
            previous,
            company,
            name,
            id,
            feature,
            duration_ms,
            rating,
            comment,
            session,
            user_traits,
            company_traits,
            quiet,
        } = event;
        columns.kinds.push(letter(*kind));
        let at = at.timestamp_millis();
        let last = *before.get_or_insert(at);
        if index == 0 {
            columns.from = at;
        }
        columns.after.push(at.saturating_sub(last));
        before = Some(at);
        columns.user.push(texts.number(user.as_ref().map(UserId::as_str)));
        columns.anonymous.push(texts.number(anonymous.as_ref().map(UserId::as_str)));
        columns.company.push(texts.number(company.as_ref().map(CompanyId::as_str)));
        columns.name.push(texts.number(name.as_deref()));
        columns.feature.push(texts.number(feature.as_deref()));
        columns.session.push(texts.number(session.as_deref()));
        let rest = Rest {
            previous: previous.clone(),
            id: id.clone().filter(|_| rating.is_some()),
            duration_ms: *duration_ms,
            rating: *rating,
            comment: comment.clone(),
            user_traits: user_traits.clone(),
            company_traits: company_traits.clone(),
            quiet: *quiet,
        };
        if rest != Rest::default() {
            columns.rest.insert(index, rest);
        }
    }
    for column in [
        &mut columns.user,
        &mut columns.anonymous,
        &mut columns.company,
        &mut columns.name,
        &mut columns.feature,
        &mut columns.session,
    ] {
        if column.iter().all(|number| *number == 0) {
            column.clear();
        }
    }
    columns.text = texts.texts;
    Ok(serde_json::to_vec(&columns)?)
}

/// The events of a pack, of any version, in the order of the request. Errors: it isn't a pack of a version that
/// is known.
pub fn decode(content: &[u8]) -> Result<Vec<Event>, PackError> {
    if !content.starts_with(VERSIONED) {
        let lines = content.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        return lines.map(|line| Ok(serde_json::from_slice(line)?)).collect();
    }
    #[derive(Deserialize)]
    struct Versioned {
        v: u8,
    }
    let Versioned { v } = serde_json::from_slice(content)?;
    if v != VERSION {
        return Err(PackError::Version(v));
    }
    let mut columns: Columns<String> = serde_json::from_slice(content)?;
    let mut rest = std::mem::take(&mut columns.rest);
    let mut at = columns.from;
    columns
        .kinds
        .chars()
        .enumerate()
        .map(|(index, kind)| {
            let missing = |column| PackError::Column { column, index };
            at = columns.after.get(index).and_then(|after| at.checked_add(*after)).ok_or(missing("after"))?;
            let rest = rest.remove(&index).unwrap_or_default();
            let text = |column: &'static str, numbers: &[u32]| match numbers.get(index) {
                None if numbers.is_empty() => Ok(None),
                Some(0) => Ok(None),
                Some(number) => {
                    let text = usize::try_from(*number).ok().and_then(|number| columns.text.get(number - 1));
                    text.cloned().map(Some).ok_or(missing(column))
                }
                None => Err(missing(column)),
            };
            let user = |column, numbers: &[u32]| {
                text(column, numbers)?.map(UserId::new).transpose().map_err(|_| missing(column))
            };
            Ok(Event {
                kind: Kind::parse(kind.encode_utf8(&mut [0; 4])).ok_or(missing("kinds"))?,
                at: DateTime::from_timestamp_millis(at).ok_or(missing("after"))?,
                user: user("user", &columns.user)?,
                anonymous: user("anonymous", &columns.anonymous)?,
                previous: rest.previous,
                company: text("company", &columns.company)?
                    .map(CompanyId::new)
                    .transpose()
                    .map_err(|_| missing("company"))?,
                name: text("name", &columns.name)?,
                id: rest.id,
                feature: text("feature", &columns.feature)?,
                duration_ms: rest.duration_ms,
                rating: rest.rating,
                comment: rest.comment,
                session: text("session", &columns.session)?,
                user_traits: rest.user_traits,
                company_traits: rest.company_traits,
                quiet: rest.quiet,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use barometer_domain::Zone;
    use proptest::{collection::vec, option, prelude::*};

    use super::*;

    fn event() -> impl Strategy<Value = Event> {
        let kind = prop::sample::select(vec![
            Kind::Track,
            Kind::Page,
            Kind::Screen,
            Kind::Identify,
            Kind::Group,
            Kind::Alias,
        ]);
        let text = || option::of("[a-cé\"\\\\]{1,3}");
        let ids = || (text(), text(), text(), text());
        let rest = (option::of(0..9_u32), option::of(0..=100_u8), text(), text(), any::<bool>());
        (kind, -9_999_999_999_999..99_999_999_999_999_i64, ids(), ids(), rest).prop_map(
            |(kind, at, (user, anonymous, previous, company), (name, id, feature, session), rest)| {
                let user_id = |id: Option<String>| id.map(|id| UserId::new(id).unwrap());
                let (duration_ms, rating, comment, told, zone) = rest;
                Event {
                    kind,
                    at: DateTime::from_timestamp_millis(at).unwrap(),
                    user: user_id(user),
                    anonymous: user_id(anonymous),
                    previous: user_id(previous),
                    company: company.map(|id| CompanyId::new(id).unwrap()),
                    name,
                    id,
                    feature,
                    duration_ms,
                    rating,
                    comment,
                    session,
                    user_traits: told
                        .clone()
                        .map(|email| Box::new(UserTraits { email: Some(email), ..UserTraits::default() })),
                    company_traits: told.map(|name| {
                        let time_zone = zone.then_some(Zone::UTC);
                        Box::new(CompanyTraits { name: Some(name), time_zone, ..CompanyTraits::default() })
                    }),
                    quiet: zone,
                }
            },
        )
    }

    /// An event as the log keeps it.
    fn kept(event: Event) -> Event {
        Event { id: event.id.filter(|_| event.rating.is_some()), ..event }
    }

    proptest! {
        #[test]
        fn what_goes_in_comes_out(events in vec(event(), 0..12)) {
            let packed = encode(&events).unwrap();
            let events: Vec<Event> = events.into_iter().map(kept).collect();
            prop_assert_eq!(decode(&packed).unwrap(), events);
        }

        #[test]
        fn the_form_before_can_be_read(events in vec(event(), 0..12)) {
            let lines: Vec<String> =
                events.iter().map(|event| serde_json::to_string(event).unwrap() + "\n").collect();
            prop_assert_eq!(decode(lines.concat().as_bytes()).unwrap(), events);
        }

        #[test]
        fn damage_is_an_error_and_no_panic(
            events in vec(event(), 1..5), place in any::<prop::sample::Index>(), byte in any::<u8>(),
        ) {
            let mut packed = encode(&events).unwrap();
            *place.get_mut(&mut packed) = byte;
            decode(&packed).ok();
        }
    }

    #[test]
    fn a_later_version_is_told_apart() {
        assert!(matches!(decode(br#"{"v":3,"whatever":[]}"#), Err(PackError::Version(3))));
    }

    #[test]
    fn a_column_that_is_too_short_is_an_error() {
        let packed = br#"{"v":2,"text":["a"],"kinds":"tt","from":0,"after":[0,1],"user":[1],"anonymous":[],
            "company":[],"name":[],"feature":[],"session":[],"rest":{}}"#;
        assert!(matches!(decode(packed), Err(PackError::Column { column: "user", index: 1 })));
    }

    fn with_id(id: Option<&str>) -> Event {
        let event = r#"{"k":"t","t":1768471200123,"u":"usr_42","n":"Export"}"#;
        Event { id: id.map(str::to_owned), ..serde_json::from_str(event).unwrap() }
    }

    #[test]
    fn a_retry_has_the_same_identity() {
        let (one, other) = (with_id(Some("m1")), with_id(Some("m2")));
        let later = Event { at: one.at + chrono::TimeDelta::seconds(1), ..one.clone() };
        assert_eq!(identity("web", [&one, &other]).unwrap(), identity("web", [&later, &other]).unwrap());
        assert_ne!(identity("web", [&one, &other]).unwrap(), identity("web", [&one]).unwrap());
        assert_ne!(identity("web", [&one]).unwrap(), identity("server", [&one]).unwrap());
    }

    #[test]
    fn events_without_ids_are_told_apart_by_what_they_say() {
        let one = with_id(None);
        let other = Event { company: Some(CompanyId::new("acme").unwrap()), ..one.clone() };
        assert_eq!(identity("", [&one]).unwrap(), identity("", [&one.clone()]).unwrap());
        assert_ne!(identity("", [&one]).unwrap(), identity("", [&other]).unwrap());
    }

    #[test]
    fn texts_stand_once() {
        let events = vec![with_id(Some("m1")); 100];
        let packed = String::from_utf8(encode(&events).unwrap()).unwrap();
        assert_eq!(packed.matches("usr_42").count(), 1, "{packed}");
        assert!(packed.starts_with(r#"{"v":2,"text":["usr_42","Export"],"kinds":"tttt"#), "{packed}");
        assert!(!packed.contains("m1"), "{packed}");
    }
}
