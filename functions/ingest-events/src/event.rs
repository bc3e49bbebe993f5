//! A validated event: what every protocol's reader produces, and what the packed log keeps.
//!
//! Serialised with short names, since a log item holds a whole request. Only what a rule asks for is kept;
//! other properties are dropped when the event is read.

use std::collections::BTreeMap;

use barometer_domain::{
    CompanyId, UserId, Zone,
    activity::{FeatureSource, Sighting},
    language::Language,
};
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

/// Longest name of an event, a feature or a trait that is kept, in bytes; longer ones are cut at a character.
pub const MAX_NAME_BYTES: usize = 256;

/// Longest comment that is kept, in bytes; longer ones are cut at a character.
pub const MAX_COMMENT_BYTES: usize = 4_000;

/// The kinds of calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Kind {
    /// A person did something that has a name.
    #[serde(rename = "t")]
    Track,
    /// A person saw a page.
    #[serde(rename = "p")]
    Page,
    /// A person saw a screen.
    #[serde(rename = "s")]
    Screen,
    /// Who a person is.
    #[serde(rename = "i")]
    Identify,
    /// What company a person belongs to, and what that company is.
    #[serde(rename = "g")]
    Group,
    /// Two ids are one person.
    #[serde(rename = "a")]
    Alias,
}

impl Kind {
    /// Types as clients write them, with the letters of the short paths.
    pub const NAMES: [(&str, &str, Self); 6] = [
        ("track", "t", Self::Track),
        ("page", "p", Self::Page),
        ("screen", "s", Self::Screen),
        ("identify", "i", Self::Identify),
        ("group", "g", Self::Group),
        ("alias", "a", Self::Alias),
    ];

    /// Reads a type as clients write it, in any case, or the letter of the short paths.
    pub fn parse(text: &str) -> Option<Self> {
        let is = |name: &str| name.eq_ignore_ascii_case(text);
        Self::NAMES.iter().find(|(name, letter, _)| is(name) || is(letter)).map(|(_, _, kind)| *kind)
    }
}

/// A validated event. Serialised as in the log; reading it back gives the same event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// What kind of call it is.
    #[serde(rename = "k")]
    pub kind: Kind,
    /// When it counts, in whole milliseconds.
    #[serde(rename = "t", with = "chrono::serde::ts_milliseconds")]
    pub at: DateTime<Utc>,
    /// The person, as the product names them.
    #[serde(rename = "u", default, skip_serializing_if = "Option::is_none")]
    pub user: Option<UserId>,
    /// The person before they were known.
    #[serde(rename = "a", default, skip_serializing_if = "Option::is_none")]
    pub anonymous: Option<UserId>,
    /// Of an alias: the id that is joined to `user`.
    #[serde(rename = "p", default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<UserId>,
    /// The company, when the event says it. Always there in a group call.
    #[serde(rename = "c", default, skip_serializing_if = "Option::is_none")]
    pub company: Option<CompanyId>,
    /// The tracked event's name, or the page's or screen's. Always there in a track call.
    #[serde(rename = "n", default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The event's own id, unique within the workspace. Two events with the same id are one. Absent when
    /// neither an id nor a timestamp came.
    #[serde(rename = "id", default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// `properties.feature`.
    #[serde(rename = "f", default, skip_serializing_if = "Option::is_none")]
    pub feature: Option<String>,
    /// How long it took until `at`, in milliseconds; at most a day.
    #[serde(rename = "d", default, skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<u32>,
    /// `properties.score` or `properties.rating`, when it is a whole number from 0 to 100.
    #[serde(rename = "r", default, skip_serializing_if = "Option::is_none")]
    pub rating: Option<u8>,
    /// `properties.comment`.
    #[serde(rename = "m", default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// The session, when the client numbers them.
    #[serde(rename = "s", default, skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// What it says about the person: of an identify call, and of any PostHog event with `$set`.
    #[serde(rename = "ut", default, skip_serializing_if = "Option::is_none")]
    pub user_traits: Option<Box<UserTraits>>,
    /// What the event says about the company: the traits of a group call, or `traits.company`.
    #[serde(rename = "ct", default, skip_serializing_if = "Option::is_none")]
    pub company_traits: Option<Box<CompanyTraits>>,
    /// Whether a client's library sent it on its own, so that nobody did anything. Such an event names a person and a
    /// company like any other and is no activity.
    #[serde(rename = "q", default, skip_serializing_if = "std::ops::Not::not")]
    pub quiet: bool,
}

impl Event {
    /// An event that says nothing yet.
    pub fn new(kind: Kind, at: DateTime<Utc>) -> Self {
        Self {
            kind,
            at,
            user: None,
            anonymous: None,
            previous: None,
            company: None,
            name: None,
            id: None,
            feature: None,
            duration_ms: None,
            rating: None,
            comment: None,
            session: None,
            user_traits: None,
            company_traits: None,
            quiet: false,
        }
    }

    /// Who it is about: the user, else the anonymous id. Nobody in a group call about the company alone, in a
    /// CloudEvent without a subject and in what a library reports about itself.
    pub fn person(&self) -> Option<&UserId> {
        self.user.as_ref().or(self.anonymous.as_ref())
    }

    /// Whether somebody used the product: track, page and screen. Servers send identify and group calls on their own,
    /// libraries send [`Event::quiet`] ones.
    pub fn is_activity(&self) -> bool {
        !self.quiet && matches!(self.kind, Kind::Track | Kind::Page | Kind::Screen)
    }

    /// How long it took until [`Event::at`].
    pub fn duration(&self) -> Option<TimeDelta> {
        self.duration_ms.map(|millis| TimeDelta::milliseconds(i64::from(millis)))
    }

    /// The names that the feature catalogue may know.
    pub fn sightings(&self) -> Vec<Sighting> {
        let source = match self.kind {
            Kind::Track => FeatureSource::Event,
            Kind::Page | Kind::Screen => FeatureSource::View,
            Kind::Identify | Kind::Group | Kind::Alias => return Vec::new(),
        };
        let own =
            |source, name: &Option<String>| name.as_deref().and_then(|name| Sighting::new(source, name));
        [own(FeatureSource::Property, &self.feature), own(source, &self.name)].into_iter().flatten().collect()
    }
}

/// What an identify call says about a person. What it doesn't say stays as it was.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct UserTraits {
    /// Where mail reaches them.
    #[serde(rename = "e", default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Their name; first and last name where there is no other.
    #[serde(rename = "n", default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Their plan.
    #[serde(rename = "p", default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<String>,
    /// Their role in the product.
    #[serde(rename = "r", default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// When the product first knew them.
    #[serde(rename = "c", default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<DateTime<Utc>>,
    /// Their time zone; from the context of a browser or phone where the traits have none.
    #[serde(rename = "z", default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<Zone>,
    /// Their language as a BCP 47 tag; from the context of a browser or phone where the traits have none.
    #[serde(rename = "l", default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// Whether mails to their company go to them first.
    #[serde(rename = "m", default, skip_serializing_if = "Option::is_none")]
    pub primary_contact: Option<bool>,
}

/// What an event says about a company. What it doesn't say stays as it was.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CompanyTraits {
    /// Its name.
    #[serde(rename = "n", default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its plan.
    #[serde(rename = "p", default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<String>,
    /// When it became a customer.
    #[serde(rename = "c", default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<DateTime<Utc>>,
    /// Its time zone.
    #[serde(rename = "z", default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<Zone>,
    /// Its language, if it is one of ours.
    #[serde(rename = "l", default, skip_serializing_if = "Option::is_none")]
    pub language: Option<Language>,
    /// Other traits that companies can be grouped by, by their name without case and punctuation.
    #[serde(rename = "o", default, skip_serializing_if = "BTreeMap::is_empty")]
    pub others: BTreeMap<String, String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_form_is_short_and_reads_back() {
        let event = Event {
            user: Some(UserId::new("usr_42").unwrap()),
            company: Some(CompanyId::new("acct_123").unwrap()),
            name: Some("Export".to_owned()),
            id: Some("m1".to_owned()),
            duration_ms: Some(12_500),
            rating: Some(0),
            user_traits: Some(Box::new(UserTraits {
                created_at: DateTime::from_timestamp_millis(1),
                time_zone: Some(Zone::UTC),
                ..UserTraits::default()
            })),
            ..Event::new(Kind::Track, DateTime::from_timestamp_millis(1_768_471_200_123).unwrap())
        };
        let log = serde_json::to_string(&event).unwrap();
        assert!(
            log.starts_with(r#"{"k":"t","t":1768471200123,"u":"usr_42","c":"acct_123","n":"Export","#),
            "{log}"
        );
        assert_eq!(serde_json::from_str::<Event>(&log).unwrap(), event);
    }
}
