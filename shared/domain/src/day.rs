//! What the users of a company did on a day, in a few numbers: for a timeline, never for a score.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use serde::Serialize;

use crate::{
    UserId,
    activity::{MAX_SLOTS_A_DAY, UserWeek},
    calendar::{IsoWeek, SLOT_SECONDS, Zone},
};

/// A session ends when nothing happened for half an hour: six slots of five minutes, as web analytics have it.
const PAUSE: i64 = 6;

/// Most features that a day names.
const MOST_FEATURES: usize = 10;

/// One local day of a company.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Day {
    /// The day in the workspace's zone.
    pub day: NaiveDate,
    /// Users who were active.
    pub users: u32,
    /// Their sessions: a pause of half an hour begins a new one, and so does midnight.
    pub sessions: u32,
    /// Their engaged minutes, five a slot and at most eight hours each.
    pub minutes: u32,
    /// The names that most of them used, at most ten, as they were sent.
    pub features: Vec<Used>,
    /// The last slot of the week in which anything happened; nothing when only days are known.
    #[serde(skip)]
    pub last_slot: Option<u16>,
}

/// A name and how many used it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Used {
    /// The feature, event or view.
    pub name: String,
    /// Users who used it.
    pub users: u32,
}

/// The days of a week on which anybody was active, the first one first.
pub fn days(week: IsoWeek, zone: Zone, activity: &BTreeMap<UserId, UserWeek>) -> Vec<Day> {
    let starts = week.day_starts(zone);
    (1_u8..)
        .zip(starts.windows(2))
        .filter_map(|(number, bounds)| {
            let [from, to] = *bounds else { return None };
            summary(week.date_of(number)?, number, from..to, activity)
        })
        .collect()
}

fn summary(
    date: NaiveDate,
    number: u8,
    slots: std::ops::Range<i64>,
    activity: &BTreeMap<UserId, UserWeek>,
) -> Option<Day> {
    let mut day = Day { day: date, users: 0, sessions: 0, minutes: 0, features: Vec::new(), last_slot: None };
    let mut used = BTreeMap::<&str, u32>::new();
    for of in activity.values() {
        let own: Vec<u16> =
            of.slots.iter().copied().filter(|slot| slots.contains(&i64::from(*slot))).collect();
        if own.is_empty() && !of.days.contains(&number) {
            continue;
        }
        day.users += 1;
        let pauses =
            own.windows(2).filter(|pair| matches!(pair, [a, b] if i64::from(*b) - i64::from(*a) > PAUSE));
        day.sessions += 1 + u32::try_from(pauses.count()).unwrap_or(u32::MAX);
        let counted = u32::try_from(own.len()).unwrap_or(u32::MAX).min(MAX_SLOTS_A_DAY);
        day.minutes += counted * (SLOT_SECONDS / 60) as u32;
        day.last_slot = day.last_slot.max(own.last().copied());
        let names: BTreeSet<&str> = of
            .uses
            .iter()
            .filter(|used| used.day == number)
            .map(|used| used.sighting.name.as_str())
            .collect();
        for name in names {
            *used.entry(name).or_default() += 1;
        }
    }
    let mut used: Vec<(&str, u32)> = used.into_iter().collect();
    used.sort_by_key(|(name, users)| (std::cmp::Reverse(*users), *name));
    day.features = used
        .into_iter()
        .take(MOST_FEATURES)
        .map(|(name, users)| Used { name: name.to_owned(), users })
        .collect();
    (day.users > 0).then_some(day)
}
