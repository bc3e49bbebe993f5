//! What a warm function remembers between requests, so that it needn't write again what is written. Bounded;
//! forgetting costs a read or a write and nothing else.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Mutex, PoisonError},
};

use barometer_cloud::{
    erasure::STRAGGLERS,
    table::{companies::Profile, members::Person},
};
use barometer_domain::{
    CompanyId, IsoWeek, UserId, WorkspaceId,
    activity::UserWeek,
    groups::Groups,
    loose::{Entry, Loose},
};
use chrono::{DateTime, TimeDelta, Utc};

/// Most entries of each kind. An entry of activity is a few hundred bytes: some 20 MB in all.
const MAX_ENTRIES: usize = 20_000;

/// How long traits are believed to stand as they were written. Another process may have written others since; the
/// product's next call after this puts right what then came out of order.
const TRAITS_LIFE: TimeDelta = TimeDelta::minutes(10);

/// How long people are remembered: no longer than events of somebody who was erased are taken for stragglers. Afterwards
/// whoever comes under that id is somebody new, and must be written as such.
const PEOPLE_LIFE: TimeDelta = STRAGGLERS;

/// A user's id in a workspace.
pub type Id = (WorkspaceId, UserId);

/// A user's id at a company.
pub type Seat = (WorkspaceId, CompanyId, UserId);

/// A user's id at a company in a week.
pub type Place = (WorkspaceId, CompanyId, UserId, IsoWeek);

/// Who an id was when somebody last looked: good for a guess that is checked afterwards.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Known {
    /// The person that the id turned out to be; nothing when it is a person itself.
    pub owner: Option<UserId>,
    /// The companies that the person named.
    pub groups: Groups,
    /// What is known of the person.
    pub person: Person,
    /// Companies at which the id has a seat, since when.
    pub seats: BTreeMap<CompanyId, DateTime<Utc>>,
}

#[derive(Debug, Default)]
struct Entries {
    /// Since when people are remembered.
    met: Option<DateTime<Utc>>,
    known: HashMap<Id, Known>,
    written: HashMap<Place, UserWeek>,
    loose: HashMap<(Id, IsoWeek), BTreeSet<Entry>>,
    seats: HashMap<Seat, DateTime<Utc>>,
    groups: HashMap<(Id, CompanyId, i64), ()>,
    claims: HashMap<(WorkspaceId, UserId, UserId), DateTime<Utc>>,
    companies: HashMap<(WorkspaceId, CompanyId), DateTime<Utc>>,
    profiles: HashMap<(WorkspaceId, CompanyId), (Profile, DateTime<Utc>)>,
    people: HashMap<Id, (Person, DateTime<Utc>)>,
    first_weeks: HashMap<WorkspaceId, IsoWeek>,
}

/// The memory of one process.
#[derive(Debug, Default)]
pub struct Memory(Mutex<Entries>);

fn keep<K: std::hash::Hash + Eq, V>(map: &mut HashMap<K, V>, key: K, value: V) {
    if map.len() >= MAX_ENTRIES && !map.contains_key(&key) {
        map.clear();
    }
    map.insert(key, value);
}

/// Whether the same was written a short while ago.
fn stands<K: std::hash::Hash + Eq, V: PartialEq>(
    map: &HashMap<K, (V, DateTime<Utc>)>,
    key: &K,
    value: &V,
    now: DateTime<Utc>,
) -> bool {
    map.get(key).is_some_and(|(written, at)| written == value && now >= *at && now < *at + TRAITS_LIFE)
}

impl Memory {
    fn with<T>(&self, access: impl FnOnce(&mut Entries) -> T) -> T {
        // A panic while the lock was held can't leave a map half changed.
        access(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Begins a request: people who were met long ago are forgotten.
    pub fn begin(&self, now: DateTime<Utc>) {
        self.with(|entries| {
            if entries.met.is_some_and(|met| now >= met && now < met + PEOPLE_LIFE) {
                return;
            }
            entries.met = Some(now);
            entries.known.clear();
            entries.seats.clear();
            entries.groups.clear();
            entries.claims.clear();
            entries.people.clear();
        });
    }

    /// Whether a workspace is known to have events in a week or an earlier one.
    pub fn knows_first_week(&self, workspace: &WorkspaceId, week: IsoWeek) -> bool {
        self.with(|entries| entries.first_weeks.get(workspace).is_some_and(|first| *first <= week))
    }

    /// Notes that a workspace has events in a week.
    pub fn note_first_week(&self, workspace: WorkspaceId, week: IsoWeek) {
        self.with(|entries| keep(&mut entries.first_weeks, workspace, week));
    }

    /// Who an id was when somebody last looked.
    pub fn known(&self, id: &Id) -> Option<Known> {
        self.with(|entries| entries.known.get(id).cloned())
    }

    /// Notes who an id is.
    pub fn note_known(&self, id: Id, known: Known) {
        self.with(|entries| keep(&mut entries.known, id, known));
    }

    /// Whether anything is known to be written in a place.
    pub fn knows_place(&self, place: &Place) -> bool {
        self.with(|entries| entries.written.contains_key(place))
    }

    /// What of `activity` isn't known to be written; nothing when all is.
    pub fn unwritten(&self, place: &Place, activity: &UserWeek) -> Option<UserWeek> {
        let mut new = activity.clone();
        self.with(|entries| {
            if let Some(written) = entries.written.get(place) {
                new.days.retain(|day| !written.days.contains(day));
                new.uses.retain(|used| !written.uses.contains(used));
                new.slots.retain(|slot| !written.slots.contains(slot));
            }
        });
        (!new.is_empty()).then_some(new)
    }

    /// Notes what was written.
    pub fn note_written(&self, place: Place, activity: &UserWeek) {
        self.with(|entries| match entries.written.get_mut(&place) {
            Some(written) => written.merge(activity),
            None => keep(&mut entries.written, place, activity.clone()),
        });
    }

    /// What of `loose` isn't known to be written at some company or waiting; nothing when all is.
    pub fn unwritten_loose(&self, id: &Id, week: IsoWeek, loose: &Loose) -> Option<Loose> {
        let mut new = loose.clone();
        self.with(|entries| {
            if let Some(written) = entries.loose.get(&(id.clone(), week)) {
                new.0.retain(|entry| !written.contains(entry));
            }
        });
        (!new.is_empty()).then_some(new)
    }

    /// Notes that loose activity was written.
    pub fn note_loose(&self, id: Id, week: IsoWeek, loose: Loose) {
        self.with(|entries| match entries.loose.get_mut(&(id.clone(), week)) {
            Some(written) => written.extend(loose.0),
            None => keep(&mut entries.loose, (id, week), loose.0),
        });
    }

    /// Whether an id is known to have a seat since `at`.
    pub fn knows_seat(&self, seat: &Seat, at: DateTime<Utc>) -> bool {
        self.with(|entries| entries.seats.get(seat).is_some_and(|seen| *seen <= at))
    }

    /// Notes that an id has a seat since `at`.
    pub fn note_seat(&self, seat: Seat, at: DateTime<Utc>) {
        self.with(|entries| keep(&mut entries.seats, seat, at));
    }

    /// What of `groups` isn't known to have been heard from an id.
    pub fn unheard(&self, id: &Id, groups: &Groups) -> Groups {
        let mut new = Groups::default();
        self.with(|entries| {
            for (slot, company) in groups.named() {
                if !entries.groups.contains_key(&(id.clone(), company.clone(), slot)) {
                    new.name(slot, company.clone());
                }
            }
        });
        // Removals are rare; they are taken each time.
        for (slot, company) in groups.left() {
            new.leave(slot, company.cloned());
        }
        new
    }

    /// Notes what was heard from an id about companies.
    pub fn note_heard(&self, id: &Id, groups: &Groups) {
        self.with(|entries| {
            for (slot, company) in groups.named() {
                keep(&mut entries.groups, (id.clone(), company.clone(), slot), ());
            }
        });
    }

    /// Whether a claim is known to have been made by `at`.
    pub fn knows_claim(&self, claim: &(WorkspaceId, UserId, UserId), at: DateTime<Utc>) -> bool {
        self.with(|entries| entries.claims.get(claim).is_some_and(|since| *since <= at))
    }

    /// Notes a claim.
    pub fn note_claim(&self, claim: (WorkspaceId, UserId, UserId), at: DateTime<Utc>) {
        self.with(|entries| keep(&mut entries.claims, claim, at));
    }

    /// Whether a company is known to have begun by `at`, with this profile.
    pub fn knows_company(
        &self,
        company: &(WorkspaceId, CompanyId),
        at: DateTime<Utc>,
        profile: &Profile,
        now: DateTime<Utc>,
    ) -> bool {
        self.with(|entries| {
            entries.companies.get(company).is_some_and(|began| *began <= at)
                && (*profile == Profile::default() || stands(&entries.profiles, company, profile, now))
        })
    }

    /// Notes that a company had begun by `at`, with this profile.
    pub fn note_company(
        &self,
        company: (WorkspaceId, CompanyId),
        at: DateTime<Utc>,
        profile: &Profile,
        now: DateTime<Utc>,
    ) {
        self.with(|entries| {
            if *profile != Profile::default() {
                keep(&mut entries.profiles, company.clone(), (profile.clone(), now));
            }
            let began = entries.companies.get(&company).map_or(at, |began| at.min(*began));
            keep(&mut entries.companies, company, began);
        });
    }

    /// Whether a person is known to be described like this.
    pub fn knows_person(&self, id: &Id, person: &Person, now: DateTime<Utc>) -> bool {
        self.with(|entries| stands(&entries.people, id, person, now))
    }

    /// Notes how a person is described.
    pub fn note_person(&self, id: Id, person: &Person, now: DateTime<Utc>) {
        self.with(|entries| keep(&mut entries.people, id, (person.clone(), now)));
    }
}
