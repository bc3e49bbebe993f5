//! What one user did in one week, as sets: delivering an event twice, late or out of order adds nothing.

use std::collections::BTreeSet;
use std::{fmt, str::FromStr};

use chrono::{DateTime, Datelike, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::calendar::{IsoWeek, SLOT_SECONDS, Zone};

/// Longest duration of one event that is believed: 24 hours. A day counts at most 8 hours anyway; a client
/// that reports a year would otherwise write thousands of slots.
pub const MAX_DURATION: TimeDelta = TimeDelta::hours(24);

/// Engaged time counts at most 8 hours a user and day: 96 slots of five minutes. Rule: product adoption, depth.
pub const MAX_SLOTS_A_DAY: u32 = 96;

/// Longest feature name kept, in bytes: longer ones are cut at a character.
pub const MAX_FEATURE_BYTES: usize = 64;

/// Where a feature's name was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FeatureSource {
    /// `properties.feature` of any activity.
    Property,
    /// The name of a tracked event.
    Event,
    /// The name of a page or screen.
    View,
}

impl FeatureSource {
    fn letter(self) -> char {
        match self {
            Self::Property => 'f',
            Self::Event => 'e',
            Self::View => 'v',
        }
    }
}

/// A name that the catalogue may map to a feature, kept as it was seen, so that a catalogue accepted later
/// also reads earlier weeks. As text: source letter and name, `fexport`.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(try_from = "String", into = "String")]
pub struct Sighting {
    /// Where the name was read.
    pub source: FeatureSource,
    /// The name, cut to [`MAX_FEATURE_BYTES`].
    pub name: String,
}

impl Sighting {
    /// A name seen at `source`; nothing when it is blank.
    pub fn new(source: FeatureSource, name: &str) -> Option<Self> {
        let name = name.trim();
        let cut = name
            .char_indices()
            .map(|(at, char)| at + char.len_utf8())
            .take_while(|end| *end <= MAX_FEATURE_BYTES)
            .last()?;
        Some(Self { source, name: name.get(..cut)?.to_owned() })
    }
}

impl fmt::Display for Sighting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.source.letter(), self.name)
    }
}

/// A stored text is not a sighting or a use: the item was not written by us.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a stored feature use")]
pub struct StoredUseError(String);

impl FromStr for Sighting {
    type Err = StoredUseError;
    fn from_str(text: &str) -> Result<Self, StoredUseError> {
        let mut chars = text.chars();
        let source = match chars.next() {
            Some('f') => FeatureSource::Property,
            Some('e') => FeatureSource::Event,
            Some('v') => FeatureSource::View,
            _ => return Err(StoredUseError(text.to_owned())),
        };
        Ok(Self { source, name: chars.as_str().to_owned() })
    }
}

impl TryFrom<String> for Sighting {
    type Error = StoredUseError;
    fn try_from(text: String) -> Result<Self, StoredUseError> {
        text.parse()
    }
}

impl From<Sighting> for String {
    fn from(sighting: Sighting) -> Self {
        sighting.to_string()
    }
}

/// A name seen on a day of the week. As text: day 1 (Monday) to 7, then the sighting: `3fexport`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Use {
    /// 1 = Monday … 7 = Sunday.
    pub day: u8,
    /// What was seen.
    pub sighting: Sighting,
}

impl fmt::Display for Use {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.day, self.sighting)
    }
}

impl FromStr for Use {
    type Err = StoredUseError;
    fn from_str(text: &str) -> Result<Self, StoredUseError> {
        let bad = || StoredUseError(text.to_owned());
        let day = match text.as_bytes().first() {
            Some(digit @ b'1'..=b'7') => digit - b'0',
            _ => return Err(bad()),
        };
        Ok(Self { day, sighting: text.get(1..).ok_or_else(bad)?.parse()? })
    }
}

/// One user's activity of one week.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct UserWeek {
    /// Active local days, 1 = Monday … 7 = Sunday.
    pub days: BTreeSet<u8>,
    /// What was used on which day.
    pub uses: BTreeSet<Use>,
    /// Five-minute slots since the week's start in which anything happened.
    pub slots: BTreeSet<u16>,
}

impl UserWeek {
    /// Adds everything of `other`. Commutative, associative, idempotent.
    pub fn merge(&mut self, other: &Self) {
        self.days.extend(&other.days);
        self.uses.extend(other.uses.iter().cloned());
        self.slots.extend(&other.slots);
    }

    /// Whether nothing happened.
    pub fn is_empty(&self) -> bool {
        self.days.is_empty() && self.uses.is_empty() && self.slots.is_empty()
    }

    /// Engaged minutes: five a slot, at most [`MAX_SLOTS_A_DAY`] slots a local day.
    pub fn minutes(&self, week: IsoWeek, zone: Zone) -> u32 {
        self.minutes_of_days(&week.day_starts(zone))
    }

    /// As [`Self::minutes`], where the week's day starts are known: they are the same for all its users.
    pub(crate) fn minutes_of_days(&self, day_starts: &[i64; 8]) -> u32 {
        // Slots are sorted, so each day goes on where the one before ended.
        let mut slots = self.slots.iter().map(|slot| i64::from(*slot)).peekable();
        let mut counted = 0;
        for end in day_starts.iter().skip(1) {
            let mut of_day = 0;
            while slots.next_if(|slot| slot < end).is_some() {
                of_day += 1;
            }
            counted += of_day.min(MAX_SLOTS_A_DAY);
        }
        counted * (SLOT_SECONDS / 60) as u32
    }
}

/// What one event adds: to the week it happened in and, when its duration reaches back over a Monday, to the
/// week before. Only the event's own day is an active day; the duration fills slots.
pub fn of_event(
    at: DateTime<Utc>,
    duration: Option<TimeDelta>,
    sightings: &[Sighting],
    zone: Zone,
) -> Vec<(IsoWeek, UserWeek)> {
    let week = IsoWeek::at(at, zone);
    let day = zone.date(at).weekday().number_from_monday() as u8;
    let mut own = UserWeek::default();
    own.days.insert(day);
    own.uses.extend(sightings.iter().map(|sighting| Use { day, sighting: sighting.clone() }));

    let duration = duration.unwrap_or_default().clamp(TimeDelta::zero(), MAX_DURATION);
    let from = at - duration;
    let mut earlier = UserWeek::default();
    let start = week.start(zone);
    fill(&mut own.slots, from.max(start), at, start);
    if from < start {
        // Both ends are included, so the earlier week ends with the slot before this one's first.
        fill(&mut earlier.slots, from, start - TimeDelta::seconds(1), week.previous().start(zone));
    }
    if earlier.is_empty() { vec![(week, own)] } else { vec![(week.previous(), earlier), (week, own)] }
}

fn fill(slots: &mut BTreeSet<u16>, from: DateTime<Utc>, to: DateTime<Utc>, week_start: DateTime<Utc>) {
    let slot = |at: DateTime<Utc>| (at - week_start).num_seconds().max(0) / SLOT_SECONDS;
    slots.extend((slot(from)..=slot(to)).filter_map(|slot| u16::try_from(slot).ok()));
}
