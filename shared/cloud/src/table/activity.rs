//! Activity of a user at a company in a week: sets that only grow. `ADD` is atomic, commutative and idempotent: an
//! event delivered twice, late or out of order leaves the same, and nothing is read first.
//!
//! An item that passes a KB costs twice, so there is one a day, and it is small. What was used stands once, as the
//! name of an attribute, and numbers as the bytes that they need: `=fexport` holds the days on which an event that
//! names its company used it, 1 to 7, and for [`Loose`] events each slot and its day, as eight times the next slot plus
//! the day. Those can be moved to another company when the user turns out to have been there. `owner` is the person
//! that the item's user turned out to be; where one day's item says so, it is so for the week. Readers see only persons.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_dynamodb::{primitives::Blob, types::AttributeValue};
use barometer_domain::{
    CompanyId, IsoWeek, UserId, WorkspaceId,
    activity::{Sighting, StoredUseError, Use, UserWeek},
    loose::{Entry, Loose, Seen},
};

use super::{Item, Range, StoreError, Table, item, keys};

/// Attributes of an activity item: the sets of [`UserWeek`].
const DAYS: &str = "days";
const SLOTS: &str = "slots";
/// What durations of loose events filled: slot, first and last, in [`FILL_BITS`] each.
const FILLS: &str = "fills";
const OWNER: &str = "owner";

/// Most sets that one update carries: an expression has at most 4 KB.
const SETS: usize = 100;

/// Slots of an item. Days of 23 or 25 hours don't matter: any part will do that follows from the slot alone.
const SLOTS_A_DAY: u16 = 288;

/// The day, 1 to 7, in whose item a slot lies; what reaches beyond the week lies in its last.
fn day_of(slot: u16) -> u8 {
    u8::try_from(slot / SLOTS_A_DAY + 1).unwrap_or(u8::MAX).min(7)
}

/// What is stored of a user at a company in a week.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Stored {
    /// Of events that named the company.
    pub named: UserWeek,
    /// Of events that didn't.
    pub loose: Loose,
    /// The person that the user turned out to be.
    pub owner: Option<UserId>,
}

impl Stored {
    /// All of it.
    pub fn activity(&self) -> UserWeek {
        let mut all = self.loose.activity();
        all.merge(&self.named);
        all
    }

    /// What this has and `other` doesn't, apart from whose it is.
    pub fn minus(&self, other: &Self) -> Self {
        let (own, not) = (&self.named, &other.named);
        Self {
            named: UserWeek {
                days: own.days.difference(&not.days).copied().collect(),
                uses: own.uses.difference(&not.uses).cloned().collect(),
                slots: own.slots.difference(&not.slots).copied().collect(),
            },
            loose: Loose(self.loose.0.difference(&other.loose.0).cloned().collect()),
            owner: None,
        }
    }

    /// Whether nothing happened. Items that lost everything to another company stay, empty.
    pub fn is_empty(&self) -> bool {
        self.named.is_empty() && self.loose.is_empty()
    }

    /// What lies in which day's item.
    fn by_day(&self) -> BTreeMap<u8, Self> {
        let mut days = BTreeMap::<u8, Self>::new();
        for day in &self.named.days {
            days.entry(*day).or_default().named.days.insert(*day);
        }
        for used in &self.named.uses {
            days.entry(used.day).or_default().named.uses.insert(used.clone());
        }
        for slot in &self.named.slots {
            days.entry(day_of(*slot)).or_default().named.slots.insert(*slot);
        }
        for entry in &self.loose.0 {
            days.entry(day_of(entry.slot)).or_default().loose.0.insert(entry.clone());
        }
        days
    }

    /// Adds what another day's item says.
    fn merge(&mut self, other: Self) {
        self.named.merge(&other.named);
        self.loose.0.extend(other.loose.0);
        self.owner = self.owner.take().or(other.owner);
    }
}

impl From<UserWeek> for Stored {
    fn from(named: UserWeek) -> Self {
        Self { named, ..Self::default() }
    }
}

impl From<Loose> for Stored {
    fn from(loose: Loose) -> Self {
        Self { loose, ..Self::default() }
    }
}

/// Numbers below this one are days, the others slots with their day.
const FIRST_SLOT: u64 = 8;
const FILL_BITS: u32 = 16;

/// A number as the bytes that it needs, the highest first; at least one.
fn bytes(number: u64) -> Blob {
    let all = number.to_be_bytes();
    let needed = all.iter().skip(all.len() - 1 - number.checked_ilog2().unwrap_or_default() as usize / 8);
    Blob::new(needed.copied().collect::<Vec<_>>())
}

fn number(slot: u16, day: u8) -> u64 {
    (u64::from(slot) + 1) * FIRST_SLOT + u64::from(day)
}

/// Activity as sets, by attribute.
fn sets(stored: &Stored) -> Vec<(String, AttributeValue)> {
    let mut sets = BTreeMap::<String, BTreeSet<u64>>::new();
    let Stored { named, loose, .. } = stored;
    for day in &named.days {
        sets.entry(DAYS.to_owned()).or_default().insert(u64::from(*day));
    }
    for slot in &named.slots {
        sets.entry(SLOTS.to_owned()).or_default().insert(u64::from(*slot));
    }
    for used in &named.uses {
        sets.entry(format!("={}", used.sighting)).or_default().insert(u64::from(used.day));
    }
    for Entry { slot, seen } in &loose.0 {
        let (name, number) = match seen {
            Seen::Day(day) => ("=".to_owned(), number(*slot, *day)),
            Seen::Use(used) => (format!("={}", used.sighting), number(*slot, used.day)),
            Seen::Fill(from, to) => {
                let fill = (u64::from(*slot) << FILL_BITS | u64::from(*from)) << FILL_BITS | u64::from(*to);
                (FILLS.to_owned(), fill)
            }
        };
        sets.entry(name).or_default().insert(number);
    }
    sets.into_iter()
        .map(|(name, numbers)| (name, AttributeValue::Bs(numbers.into_iter().map(bytes).collect())))
        .collect()
}

/// Loose activity as sets, by attribute.
pub(super) fn loose_sets(loose: &Loose) -> Vec<(String, AttributeValue)> {
    sets(&loose.clone().into())
}

/// Loose activity of an item that holds no other.
pub(super) fn read_loose(found: &Item) -> Result<Loose, StoreError> {
    Ok(read(found)?.loose)
}

fn numbers(found: &Item, name: &str) -> Result<Vec<u64>, StoreError> {
    match found.get(name) {
        Some(AttributeValue::Bs(numbers)) => numbers
            .iter()
            .map(|bytes| match bytes.as_ref() {
                bytes if bytes.len() <= size_of::<u64>() => {
                    Ok(bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
                }
                bytes => Err(StoreError::Corrupt(format!("{name}: {bytes:?}").into())),
            })
            .collect(),
        _ => Ok(Vec::new()),
    }
}

fn short<N: TryFrom<u64>>(number: u64) -> Result<N, StoreError> {
    N::try_from(number).map_err(|_| StoreError::Corrupt(format!("{number} is too large").into()))
}

fn read(found: &Item) -> Result<Stored, StoreError> {
    let mut stored = Stored::default();
    for day in numbers(found, DAYS)? {
        stored.named.days.insert(short(day)?);
    }
    for slot in numbers(found, SLOTS)? {
        stored.named.slots.insert(short(slot)?);
    }
    for fill in numbers(found, FILLS)? {
        let last = fill & u64::from(u16::MAX);
        let first = fill >> FILL_BITS & u64::from(u16::MAX);
        let seen = Seen::Fill(short(first)?, short(last)?);
        stored.loose.0.insert(Entry { slot: short(fill >> (2 * FILL_BITS))?, seen });
    }
    for name in found.keys() {
        let Some(what) = name.strip_prefix('=') else { continue };
        let sighting: Option<Sighting> = match what {
            "" => None,
            what => Some(what.parse().map_err(|error: StoredUseError| StoreError::Corrupt(error.into()))?),
        };
        for number in numbers(found, name)? {
            let day = short(number % FIRST_SLOT)?;
            let used = sighting.clone().map(|sighting| Use { day, sighting });
            match (number / FIRST_SLOT).checked_sub(1) {
                None => stored.named.uses.extend(used),
                Some(slot) => {
                    let seen = used.map_or(Seen::Day(day), Seen::Use);
                    stored.loose.0.insert(Entry { slot: short(slot)?, seen });
                }
            }
        }
    }
    if let Some(AttributeValue::S(owner)) = found.get(OWNER) {
        stored.owner = Some(UserId::new(owner).map_err(|error| StoreError::Corrupt(error.into()))?);
    }
    Ok(stored)
}

/// Week and user of a sort key.
fn place_of(sk: &str) -> Result<(IsoWeek, UserId), StoreError> {
    let corrupt = || StoreError::Corrupt(format!("{sk:?} is no activity").into());
    let mut parts = sk.splitn(3, '#').skip(1);
    let week = parts.next().and_then(|week| week.parse().ok()).ok_or_else(corrupt)?;
    let (user, _) = parts.next().and_then(|rest| rest.rsplit_once('#')).ok_or_else(corrupt)?;
    Ok((week, UserId::new(user).map_err(|error| StoreError::Corrupt(error.into()))?))
}

/// The items of a week, together by the user whose they are.
fn by_user(items: &[Item]) -> Result<BTreeMap<UserId, Stored>, StoreError> {
    let mut users = BTreeMap::<UserId, Stored>::new();
    for found in items {
        let (_, user) = place_of(item::get_text(found, "sk")?)?;
        users.entry(user).or_default().merge(read(found)?);
    }
    Ok(users)
}

impl Table {
    /// Adds to sets of an item or takes from them, as many as fit into an update; `set` goes with every one.
    pub(super) async fn change_sets(
        &self,
        key: &Item,
        action: &str,
        sets: Vec<(String, AttributeValue)>,
        set: Option<(&str, AttributeValue)>,
    ) -> Result<(), StoreError> {
        for some in sets.chunks(SETS) {
            let changes: Vec<String> = (0..some.len()).map(|index| format!("#n{index} :v{index}")).collect();
            let mut expression = format!("{action} {}", changes.join(", "));
            let mut request = self.client.update_item().table_name(&self.name).set_key(Some(key.clone()));
            for (index, (name, value)) in some.iter().enumerate() {
                request = request
                    .expression_attribute_names(format!("#n{index}"), name)
                    .expression_attribute_values(format!(":v{index}"), value.clone());
            }
            if let Some((name, value)) = &set {
                expression.push_str(" SET #set = :set");
                request = request
                    .expression_attribute_names("#set", *name)
                    .expression_attribute_values(":set", value.clone());
            }
            request.update_expression(expression).send().await?;
        }
        Ok(())
    }

    /// Adds activity of a user at a company, of events that named it.
    pub async fn add_activity(
        &self,
        workspace: &WorkspaceId,
        company: &CompanyId,
        user: &UserId,
        week: IsoWeek,
        activity: &UserWeek,
    ) -> Result<(), StoreError> {
        self.add_to_week(workspace, company, user, week, &activity.clone().into()).await
    }

    /// Adds activity of a user at a company; the owner is set where there is one.
    pub async fn add_to_week(
        &self,
        workspace: &WorkspaceId,
        company: &CompanyId,
        user: &UserId,
        week: IsoWeek,
        added: &Stored,
    ) -> Result<(), StoreError> {
        let owner = added.owner.as_ref().map(|owner| (OWNER, item::text(owner.as_str())));
        for (day, added) in added.by_day() {
            let key = item::key(keys::company(workspace, company), keys::activity(week, user, day));
            self.change_sets(&key, "ADD", sets(&added), owner.clone()).await?;
        }
        Ok(())
    }

    /// Takes activity of a user from a company. What is added meanwhile stays.
    pub async fn remove_from_week(
        &self,
        workspace: &WorkspaceId,
        company: &CompanyId,
        user: &UserId,
        week: IsoWeek,
        removed: &Stored,
    ) -> Result<(), StoreError> {
        for (day, removed) in removed.by_day() {
            let key = item::key(keys::company(workspace, company), keys::activity(week, user, day));
            self.change_sets(&key, "DELETE", sets(&removed), None).await?;
        }
        Ok(())
    }

    /// Says whose a user's activity of a week is, if there is any.
    pub async fn own_week(
        &self,
        workspace: &WorkspaceId,
        company: &CompanyId,
        user: &UserId,
        week: IsoWeek,
        owner: &UserId,
    ) -> Result<(), StoreError> {
        for found in self.days_of(workspace, company, user, week).await? {
            self.update(keys::company(workspace, company), item::get_text(&found, "sk")?.to_owned())
                .update_expression("SET #owner = :owner")
                .expression_attribute_names("#owner", OWNER)
                .expression_attribute_values(":owner", item::text(owner.as_str()))
                .send()
                .await?;
        }
        Ok(())
    }

    /// A user's items of a week at a company, read consistently.
    pub(super) async fn days_of(
        &self,
        workspace: &WorkspaceId,
        company: &CompanyId,
        user: &UserId,
        week: IsoWeek,
    ) -> Result<Vec<Item>, StoreError> {
        let range = Range::Between(keys::activity(week, user, 1), keys::activity(week, user, 7));
        let mut items = self.query(keys::company(workspace, company), range, true).await?;
        // The id of another user may begin with this one and a day.
        items.retain(|found| {
            let place = item::get_text(found, "sk").and_then(place_of);
            place.is_ok_and(|(_, of)| of == *user)
        });
        Ok(items)
    }

    /// Activity of all users of a company in a week, by person.
    pub async fn activity_of_week(
        &self,
        workspace: &WorkspaceId,
        company: &CompanyId,
        week: IsoWeek,
    ) -> Result<BTreeMap<UserId, UserWeek>, StoreError> {
        let mut persons = BTreeMap::<UserId, UserWeek>::new();
        for (user, stored) in self.stored_week(workspace, company, week, false).await? {
            if !stored.is_empty() {
                let activity = stored.activity();
                persons.entry(stored.owner.unwrap_or(user)).or_default().merge(&activity);
            }
        }
        Ok(persons)
    }

    /// What is stored of all users of a company in a week, by the id that their events carried.
    pub async fn stored_week(
        &self,
        workspace: &WorkspaceId,
        company: &CompanyId,
        week: IsoWeek,
        consistent: bool,
    ) -> Result<BTreeMap<UserId, Stored>, StoreError> {
        self.query(keys::company(workspace, company), Range::Prefix(format!("act#{week}#")), consistent)
            .await
            .and_then(|items| by_user(&items))
    }

    /// What is stored of one user at a company in a week, read consistently.
    pub async fn stored(
        &self,
        workspace: &WorkspaceId,
        company: &CompanyId,
        user: &UserId,
        week: IsoWeek,
    ) -> Result<Option<Stored>, StoreError> {
        let items = self.days_of(workspace, company, user, week).await?;
        Ok(by_user(&items)?.remove(user))
    }

    /// The week of the first item with activity, from one end; one item is read unless it is empty.
    async fn first_active(
        &self,
        pk: String,
        prefix: String,
        forward: bool,
    ) -> Result<Option<IsoWeek>, StoreError> {
        let active = |found: &Item| {
            let empty = read(found)?.is_empty();
            Ok::<_, StoreError>(if empty { None } else { Some(place_of(item::get_text(found, "sk")?)?.0) })
        };
        match self.first(pk.clone(), prefix.clone(), forward, 1).await?.first().map(active).transpose()? {
            None => return Ok(None),
            Some(Some(week)) => return Ok(Some(week)),
            Some(None) => {}
        }
        let mut all = self.query(pk, Range::Prefix(prefix), false).await?;
        if !forward {
            all.reverse();
        }
        for found in &all {
            if let Some(week) = active(found)? {
                return Ok(Some(week));
            }
        }
        Ok(None)
    }

    /// Whether a company has sent any activity in a week.
    pub async fn heard_in(
        &self,
        workspace: &WorkspaceId,
        company: &CompanyId,
        week: IsoWeek,
    ) -> Result<bool, StoreError> {
        let pk = keys::company(workspace, company);
        Ok(self.first_active(pk, format!("act#{week}#"), true).await?.is_some())
    }

    /// The first week in which a company sent activity.
    pub async fn first_heard(
        &self,
        workspace: &WorkspaceId,
        company: &CompanyId,
    ) -> Result<Option<IsoWeek>, StoreError> {
        self.first_active(keys::company(workspace, company), "act#".to_owned(), true).await
    }

    /// Whether a company has sent any activity up to and including a week.
    pub async fn heard_until(
        &self,
        workspace: &WorkspaceId,
        company: &CompanyId,
        week: IsoWeek,
    ) -> Result<bool, StoreError> {
        Ok(self.first_heard(workspace, company).await?.is_some_and(|first| first <= week))
    }

    /// The latest week in which a company sent activity, with who was active: for "last seen".
    pub async fn latest_activity(
        &self,
        workspace: &WorkspaceId,
        company: &CompanyId,
    ) -> Result<Option<(IsoWeek, BTreeMap<UserId, UserWeek>)>, StoreError> {
        let pk = keys::company(workspace, company);
        let Some(week) = self.first_active(pk, "act#".to_owned(), false).await? else { return Ok(None) };
        Ok(Some((week, self.activity_of_week(workspace, company, week).await?)))
    }
}
