//! Activity of events that name no company: kept so that its company can be decided, and decided again, when what
//! their user says about companies arrives in any order. Rule: ingestion, company.
//!
//! Everything is a set, as in [`UserWeek`]; each entry also knows the five-minute slot whose companies it belongs to,
//! so that a set can be split when a company turns out to have been named in between.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};

use crate::{
    activity::{Sighting, Use, UserWeek, of_event},
    calendar::{IsoWeek, SLOT_SECONDS, Zone},
};

/// The slot that holds an instant: five minutes each, counted from 1970.
pub fn slot(at: DateTime<Utc>) -> i64 {
    at.timestamp().div_euclid(SLOT_SECONDS)
}

/// The first slot of a week. Weeks begin with a slot: offsets of time zones are whole quarters of an hour.
pub fn first_slot(week: IsoWeek, zone: Zone) -> i64 {
    slot(week.start(zone))
}

/// What was seen of a user in a slot.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Seen {
    /// Something happened that has no name, on this day: 1 = Monday … 7 = Sunday.
    Day(u8),
    /// Something was used.
    Use(Use),
    /// An event's duration reached back over these slots of the week, both included.
    Fill(u16, u16),
}

/// One thing that was seen, with the slot that decides its company.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Entry {
    /// Slots since the week's start; beyond the week's end for a duration that reached back over a Monday.
    pub slot: u16,
    /// What was seen.
    pub seen: Seen,
}

/// One user's activity of one week that named no company.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Loose(pub BTreeSet<Entry>);

impl Loose {
    /// Whether nothing happened.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The activity that it stands for: the same as if its events had named the company.
    pub fn activity(&self) -> UserWeek {
        let mut week = UserWeek::default();
        for entry in &self.0 {
            match &entry.seen {
                Seen::Day(day) => {
                    week.days.insert(*day);
                    week.slots.insert(entry.slot);
                }
                Seen::Use(used) => {
                    week.days.insert(used.day);
                    week.uses.insert(used.clone());
                    week.slots.insert(entry.slot);
                }
                Seen::Fill(from, to) => week.slots.extend(*from..=*to),
            }
        }
        week
    }
}

/// What one event that names no company adds, by week. As [`of_event`], whose sets it expands to.
pub fn of_loose_event(
    at: DateTime<Utc>,
    duration: Option<TimeDelta>,
    sightings: &[Sighting],
    zone: Zone,
) -> Vec<(IsoWeek, Loose)> {
    of_event(at, duration, sightings, zone)
        .into_iter()
        .map(|(week, done)| {
            let decides = u16::try_from(slot(at) - first_slot(week, zone)).unwrap_or_default();
            let entry = |seen| Entry { slot: decides, seen };
            let mut loose = BTreeSet::new();
            if done.uses.is_empty() {
                loose.extend(done.days.iter().map(|day| entry(Seen::Day(*day))));
            }
            loose.extend(done.uses.into_iter().map(|used| entry(Seen::Use(used))));
            let mut back = done.slots.range(..decides);
            if let Some(first) = back.next() {
                loose.insert(entry(Seen::Fill(*first, *back.next_back().unwrap_or(first))));
            }
            (week, Loose(loose))
        })
        .collect()
}
