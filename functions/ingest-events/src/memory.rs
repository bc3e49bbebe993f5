//! What a warm function remembers between requests, so that it needn't write again what is written. Bounded;
//! forgetting costs a write and nothing else.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use barometer_domain::{CompanyId, IsoWeek, UserId, WorkspaceId, activity::UserWeek};
use chrono::{DateTime, Utc};

/// Most entries of each kind. An entry of activity is a few hundred bytes: some 10 MB in all.
const MAX_ENTRIES: usize = 20_000;

/// A user at a company in a week.
pub type Place = (WorkspaceId, CompanyId, UserId, IsoWeek);

#[derive(Debug, Default)]
struct Entries {
    written: HashMap<Place, UserWeek>,
    members: HashMap<(WorkspaceId, CompanyId, UserId), DateTime<Utc>>,
    groups: HashMap<(WorkspaceId, CompanyId, UserId), DateTime<Utc>>,
    companies: HashMap<(WorkspaceId, CompanyId), DateTime<Utc>>,
    reachable: HashMap<(WorkspaceId, CompanyId, UserId), ()>,
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

impl Memory {
    fn with<T>(&self, access: impl FnOnce(&mut Entries) -> T) -> T {
        // A panic while the lock was held can't leave a map half changed.
        access(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
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

    /// Whether a member is known to have been seen by `at`.
    pub fn knows_member(&self, member: &(WorkspaceId, CompanyId, UserId), at: DateTime<Utc>) -> bool {
        self.with(|entries| entries.members.get(member).is_some_and(|seen| *seen <= at))
    }

    /// Notes that a member was seen at `at`.
    pub fn note_member(&self, member: (WorkspaceId, CompanyId, UserId), at: DateTime<Utc>) {
        self.with(|entries| keep(&mut entries.members, member, at));
    }

    /// Whether a user is known to have named a company by `at`.
    pub fn knows_group(&self, group: &(WorkspaceId, CompanyId, UserId), at: DateTime<Utc>) -> bool {
        self.with(|entries| entries.groups.get(group).is_some_and(|since| *since <= at))
    }

    /// Notes that a user named a company at `at`.
    pub fn note_group(&self, group: (WorkspaceId, CompanyId, UserId), at: DateTime<Utc>) {
        self.with(|entries| keep(&mut entries.groups, group, at));
    }

    /// Whether a member was told to be reachable before; notes that it is.
    pub fn was_reachable(&self, member: (WorkspaceId, CompanyId, UserId)) -> bool {
        self.with(|entries| {
            let known = entries.reachable.contains_key(&member);
            keep(&mut entries.reachable, member, ());
            known
        })
    }

    /// Whether a company is known to have begun by `at`.
    pub fn knows_company(&self, company: &(WorkspaceId, CompanyId), at: DateTime<Utc>) -> bool {
        self.with(|entries| entries.companies.get(company).is_some_and(|began| *began <= at))
    }

    /// Notes that a company had begun by `at`.
    pub fn note_company(&self, company: (WorkspaceId, CompanyId), at: DateTime<Utc>) {
        self.with(|entries| keep(&mut entries.companies, company, at));
    }
}
