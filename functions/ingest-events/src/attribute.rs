//! Whose activity it is, when the event doesn't say it all: the company that its user named in another request, the
//! person that an id turned out to be.
//!
//! Everything written is a set or the minimum of instants, and the company of an event follows from what the user
//! ever said and not from what was known when the event came. Two requests may race, one with the activity and one
//! with the fact that places it: each writes first and looks for the other's afterwards, so whichever comes second
//! sees both and puts right what is in the wrong place. Taking away what stands elsewhere comes last, so that a crash
//! leaves activity in two places and never in none; the client's retry tidies up.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use barometer_cloud::{
    StoreError,
    table::{activity::Stored, members::Person, users::Claim, users::Who},
};
use barometer_domain::{
    CompanyId, IsoWeek, UserId,
    calendar::SLOT_SECONDS,
    groups::Groups,
    loose::{self, Entry, Loose},
};
use chrono::{DateTime, TimeDelta, Utc};

use crate::{
    batch::{PersonNote, Stray},
    memory::{Id, Known},
    store::Context,
};

/// How long activity waits for a company.
const WAITS: TimeDelta = TimeDelta::days(7);

/// Since when an id has a seat at a company where only activity of its was placed: the end of time, so that any
/// event that names the company comes before. It is the last second of 9999: later years don't sort as text.
const UNSEATED: DateTime<Utc> = match DateTime::from_timestamp(253_402_300_799, 0) {
    Some(end) => end,
    None => DateTime::<Utc>::MAX_UTC,
};

/// Most claims that are followed from an id to a person.
const MAX_CLAIMS: usize = 16;

/// Most ids of one person that are gone through.
const MAX_IDS: usize = 64;

/// Where what names no company goes, as far as is known.
pub(crate) struct Plan {
    guess: Known,
    /// What isn't known to be written.
    new: Vec<(IsoWeek, Loose)>,
    /// The same by company.
    pub parts: BTreeMap<Option<CompanyId>, BTreeMap<IsoWeek, Loose>>,
}

/// Who an id is now.
pub(crate) struct Found {
    /// The person: the id itself unless it was claimed.
    pub root: UserId,
    /// What lies with the id.
    own: Who,
    /// What lies with the person, when that is another id.
    person: Option<Who>,
}

impl Found {
    pub(crate) fn person(&self) -> &Who {
        self.person.as_ref().unwrap_or(&self.own)
    }

    fn known(&self, user: &UserId) -> Known {
        let person = self.person();
        Known {
            owner: (self.root != *user).then(|| self.root.clone()),
            groups: person.groups.clone(),
            person: person.user.person(),
            seats: self.own.seats.clone(),
        }
    }
}

impl Context<'_> {
    fn id(&self, user: &UserId) -> Id {
        (self.workspace.clone(), user.clone())
    }

    fn slot(&self, week: IsoWeek, entry: &Entry) -> i64 {
        loose::first_slot(week, self.settings.time_zone) + i64::from(entry.slot)
    }

    async fn who(&self, user: &UserId) -> Result<Who, StoreError> {
        self.table.who(self.workspace, user, self.now).await
    }

    /// Looks up who an id is: one query, and one more for each claim. Remembered as the guess for next time.
    pub(crate) async fn look(&self, user: &UserId) -> Result<Found, StoreError> {
        let own = self.who(user).await?;
        let mut path = vec![user.clone()];
        let mut person = None;
        let mut next = own.user.claim.clone();
        while let Some(Claim { user: claimant, .. }) = next {
            if let Some(start) = path.iter().position(|id| *id == claimant) {
                // Ids that claim each other in a circle are one person; its name is the first of them.
                let first = path.iter().skip(start).min().unwrap_or(user).clone();
                person = if first == *user { None } else { Some(self.who(&first).await?) };
                path.push(first);
                break;
            }
            if path.len() > MAX_CLAIMS {
                break;
            }
            let who = self.who(&claimant).await?;
            next = who.user.claim.clone();
            path.push(claimant);
            person = Some(who);
        }
        let found = Found { root: path.pop().unwrap_or_else(|| user.clone()), own, person };
        self.memory.note_known(self.id(user), found.known(user));
        Ok(found)
    }

    /// Who an id was when this process last looked; to be checked with [`Context::look`] after writing.
    pub(crate) async fn guess(&self, user: &UserId) -> Result<Known, StoreError> {
        match self.memory.known(&self.id(user)) {
            Some(known) => Ok(known),
            None => Ok(self.look(user).await?.known(user)),
        }
    }

    /// Whether it is still as guessed; if another claim has come since, what the id did goes to its person.
    pub(crate) async fn check_owner(&self, user: &UserId, guessed: &Known) -> Result<Found, StoreError> {
        let found = self.look(user).await?;
        if found.root != *user && guessed.owner.as_ref() != Some(&found.root) {
            self.adopt(user, &found.own, &found.root).await?;
            // Another request may have settled before this one brought what was to be settled.
            self.settle_all(&found.root).await?;
        }
        Ok(found)
    }

    /// What of loose activity belongs to which company, or to none yet.
    fn split(&self, groups: &Groups, week: IsoWeek, loose: &Loose) -> BTreeMap<Option<CompanyId>, Loose> {
        let mut parts = BTreeMap::<Option<CompanyId>, Loose>::new();
        for entry in &loose.0 {
            let companies = groups.companies_at(self.slot(week, entry));
            if companies.is_empty() {
                parts.entry(None).or_default().0.insert(entry.clone());
            }
            for company in companies {
                parts.entry(Some(company)).or_default().0.insert(entry.clone());
            }
        }
        parts
    }

    /// Works out where what names no company goes: to the companies that its user named, else to wait for one.
    pub(crate) async fn plan(&self, user: &UserId, stray: &Stray) -> Result<Plan, StoreError> {
        let id = self.id(user);
        let new: Vec<(IsoWeek, Loose)> = stray
            .activity
            .iter()
            .filter_map(|(week, loose)| Some((*week, self.memory.unwritten_loose(&id, *week, loose)?)))
            .collect();
        let guess = self.guess(user).await?;
        let mut parts = BTreeMap::<Option<CompanyId>, BTreeMap<IsoWeek, Loose>>::new();
        for (week, loose) in &new {
            for (company, part) in self.split(&guess.groups, *week, loose) {
                parts.entry(company).or_default().insert(*week, part);
            }
        }
        Ok(Plan { guess, new, parts })
    }

    /// Writes the rest of a plan, and puts right what was guessed wrong. Returns how many of its events have no
    /// company yet.
    pub(crate) async fn stray(&self, user: &UserId, stray: &Stray, plan: Plan) -> Result<usize, StoreError> {
        let Plan { guess, new, parts } = plan;
        let unplaced = |groups: &Groups| {
            stray.slots.iter().filter(|slot| groups.companies_at(**slot).is_empty()).count()
        };
        if new.is_empty() && stray.answers.is_empty() {
            return Ok(unplaced(&guess.groups));
        }
        let root = guess.owner.as_ref().unwrap_or(user);
        for (company, weeks) in parts {
            for (week, part) in weeks {
                match &company {
                    Some(company) => self.place(company, user, root, week, part).await?,
                    None => {
                        self.table.add_waiting(self.workspace, root, week, &part, self.now + WAITS).await?;
                    }
                }
            }
        }
        for answer in &stray.answers {
            self.table.add_waiting_answer(self.workspace, root, answer, self.now + WAITS).await?;
        }
        let found = self.check_owner(user, &guess).await?;
        let now = found.person();
        let moved = now.groups != guess.groups;
        if moved || found.root != *root || !stray.answers.is_empty() {
            // Something was said since the guess, or is to be settled: once more, with all that waits.
            let person = self.who(&found.root).await?;
            self.settle_waiting(&found.root, &person).await?;
            if moved {
                for (week, _) in &new {
                    self.sort_out(user, &found.root, &person.groups, *week).await?;
                }
            }
        }
        let id = self.id(user);
        for (week, loose) in new {
            self.memory.note_loose(id.clone(), week, loose);
        }
        Ok(unplaced(&now.groups))
    }

    /// Ends memberships, and takes them up again, of a person of whom something was said about companies.
    pub(crate) async fn memberships(&self, user: &UserId) -> Result<(), StoreError> {
        let guess = self.guess(user).await?;
        if guess.groups.left().next().is_none() {
            return Ok(());
        }
        let found = self.look(user).await?;
        self.settle_memberships(&found.root, &found.person().groups).await
    }

    /// What a request tells of a person, applied to what was written before.
    pub(crate) async fn follow_up(&self, user: &UserId, note: &PersonNote) -> Result<(), StoreError> {
        for (claimed, at) in &note.claims {
            let claim = (self.workspace.clone(), claimed.clone(), user.clone());
            if !self.memory.knows_claim(&claim, *at) {
                self.join(claimed).await?;
                self.memory.note_claim(claim, *at);
            }
        }
        let id = self.id(user);
        let new = self.memory.unheard(&id, &note.groups);
        let told = note.person != Person::default() && !self.memory.knows_person(&id, &note.person, self.now);
        if !told && new == Groups::default() {
            return Ok(());
        }
        let found = self.look(user).await?;
        if new != Groups::default() {
            self.settle(user, &found, &new).await?;
            self.memory.note_heard(&id, &new);
        }
        if told {
            self.tell(user, found, &note.person).await?;
            self.memory.note_person(id, &note.person, self.now);
        }
        Ok(())
    }

    /// Applies what was said about companies to what was written before.
    async fn settle(&self, user: &UserId, found: &Found, new: &Groups) -> Result<(), StoreError> {
        let mut person = found.person().clone();
        if found.root != *user {
            self.table.note_groups(self.workspace, &found.root, &found.own.groups).await?;
            // Looked up anew, since it is the next guess too.
            person = self.look(user).await?.person().clone();
        }
        self.settle_waiting(&found.root, &person).await?;
        let affected = new.named().filter_map(|(slot, company)| person.groups.affected(slot, company));
        let whole = new.left().next().map(|_| i64::MIN..i64::MAX);
        for range in affected.chain(whole) {
            self.sort_out_range(&found.root, &person, range).await?;
        }
        Ok(())
    }

    /// Writes what was said about a person, to their memberships first: whoever finds it with the person needn't do
    /// it again.
    async fn tell(&self, user: &UserId, found: Found, told: &Person) -> Result<(), StoreError> {
        if covers(&found.own.user.person(), told) {
            return Ok(());
        }
        let seats = |found: &Found| -> BTreeSet<CompanyId> {
            found.own.seats.keys().chain(found.person().seats.keys()).cloned().collect()
        };
        let before = seats(&found);
        self.tell_companies(&found.root, &before, told).await?;
        self.table.describe_user(self.workspace, user, told).await?;
        if found.root != *user {
            self.table.describe_user(self.workspace, &found.root, told).await?;
        }
        // A seat that came meanwhile was described as the person was known before.
        let found = self.look(user).await?;
        let since = seats(&found).difference(&before).cloned().collect();
        self.tell_companies(&found.root, &since, told).await
    }

    async fn tell_companies(
        &self,
        root: &UserId,
        companies: &BTreeSet<CompanyId>,
        told: &Person,
    ) -> Result<(), StoreError> {
        for company in companies {
            self.describe(root, company, told).await?;
            if told.email.is_some() {
                // The sweep takes people without an address off its list.
                self.table.wake_ask(self.workspace, company, root, self.now).await?;
            }
        }
        Ok(())
    }

    /// Gives everything of an id that was claimed, and of the ids that it claimed, to the person.
    async fn join(&self, claimed: &UserId) -> Result<(), StoreError> {
        let found = self.look(claimed).await?;
        let mut ids = self.descendants(claimed, &found.own).await?;
        ids.insert(claimed.clone(), found.own.clone());
        let mut new = false;
        for (id, who) in &ids {
            if *id != found.root {
                new |= self.adopt(id, who, &found.root).await?;
            }
        }
        if !new {
            return Ok(());
        }
        self.settle_all(&found.root).await
    }

    /// Puts everything of a person right, whatever was said of them.
    async fn settle_all(&self, root: &UserId) -> Result<(), StoreError> {
        let person = self.who(root).await?;
        self.settle_waiting(root, &person).await?;
        self.settle_memberships(root, &person.groups).await?;
        self.sort_out_range(root, &person, i64::MIN..i64::MAX).await
    }

    /// The ids that a person's id claimed, and theirs.
    async fn descendants(&self, of: &UserId, who: &Who) -> Result<BTreeMap<UserId, Who>, StoreError> {
        let mut found = BTreeMap::new();
        let mut open: Vec<(UserId, UserId)> =
            who.joined.iter().map(|joined| (of.clone(), joined.clone())).collect();
        while let Some((parent, id)) = open.pop() {
            if id == *of || found.contains_key(&id) || found.len() >= MAX_IDS {
                continue;
            }
            let who = self.who(&id).await?;
            if who.user.claim.as_ref().is_some_and(|claim| claim.user == parent) {
                open.extend(who.joined.iter().map(|joined| (id.clone(), joined.clone())));
                found.insert(id, who);
            }
        }
        Ok(found)
    }

    /// Says of everything of an id that it is `root`'s. Returns whether anything was new.
    async fn adopt(&self, id: &UserId, who: &Who, root: &UserId) -> Result<bool, StoreError> {
        let person = self.who(root).await?;
        self.table.describe_user(self.workspace, root, &missing(&person.user.person(), who)).await?;
        let mut groups = person.groups.clone();
        groups.merge(&who.groups);
        let mut new = groups != person.groups;
        if new {
            self.table.note_groups(self.workspace, root, &who.groups).await?;
        }
        let person = person.user.person();
        for (company, since) in &who.seats {
            if self.table.seat_owner(self.workspace, company, id).await?.as_ref() == Some(root) {
                continue;
            }
            new = true;
            for week in self.weeks(i64::MIN..i64::MAX) {
                let stored = self.table.stored(self.workspace, company, id, week).await?;
                if stored.is_some_and(|stored| stored.owner.as_ref() != Some(root)) {
                    self.table.own_week(self.workspace, company, id, week, root).await?;
                }
            }
            if *since < UNSEATED {
                self.make_member(root, company, *since, &person).await?;
            }
            // Last, since it says that all of this was done.
            self.table.retire_member(self.workspace, company, id, root).await?;
        }
        for (week, loose) in &who.waiting {
            self.table.add_waiting(self.workspace, root, *week, loose, self.now + WAITS).await?;
            self.table.remove_waiting(self.workspace, id, *week, loose).await?;
        }
        for answer in &who.answers {
            self.table.add_waiting_answer(self.workspace, root, answer, self.now + WAITS).await?;
            self.table.remove_waiting_answer(self.workspace, id, answer).await?;
        }
        Ok(new || !who.waiting.is_empty() || !who.answers.is_empty())
    }

    /// Gives what waits to the companies that the person named.
    async fn settle_waiting(&self, root: &UserId, person: &Who) -> Result<(), StoreError> {
        for (week, loose) in &person.waiting {
            let mut placed = Loose::default();
            for (company, part) in self.split(&person.groups, *week, loose) {
                let Some(company) = company else { continue };
                placed.0.extend(part.0.iter().cloned());
                self.place(&company, root, root, *week, part).await?;
            }
            self.table.remove_waiting(self.workspace, root, *week, &placed).await?;
        }
        for answer in &person.answers {
            if let Some(company) = person.groups.companies_at(loose::slot(answer.at)).first() {
                self.answer(company, root, answer).await?;
                self.table.remove_waiting_answer(self.workspace, root, answer).await?;
            }
        }
        Ok(())
    }

    /// Ends memberships and takes up again those whose company was named since. Only who was ever removed has any.
    /// When more was said while it was written, once more: whoever writes last has seen all.
    async fn settle_memberships(&self, root: &UserId, groups: &Groups) -> Result<(), StoreError> {
        let mut groups = groups.clone();
        while groups.left().next().is_some() {
            for company in groups.companies() {
                let left = groups.left_at(&company).and_then(instant);
                let left = left.map(|at| self.settings.time_zone.date(at));
                self.table.end_membership(self.workspace, &company, root, left).await?;
            }
            let now = self.who(root).await?.groups;
            if now == groups {
                break;
            }
            groups = now;
        }
        Ok(())
    }

    /// Weeks that hold any of the slots, as far back as events are taken.
    fn weeks(&self, slots: Range<i64>) -> Vec<IsoWeek> {
        let zone = self.settings.time_zone;
        let keep = TimeDelta::days(i64::from(self.settings.retention_days.get()) + 7);
        let bound = |at: DateTime<Utc>| at.clamp(self.now - keep, self.now + TimeDelta::days(7));
        let from = IsoWeek::at(instant(slots.start).map_or(self.now - keep, bound), zone);
        let to = IsoWeek::at(instant(slots.end).map_or(self.now + TimeDelta::days(7), bound), zone);
        // A duration may reach back over a Monday.
        let mut weeks = vec![from.previous()];
        let mut week = from;
        while week <= to {
            weeks.push(week);
            week = week.next();
        }
        weeks
    }

    /// Puts loose activity of some slots right, under every id of a person. Nothing to do for who named one company.
    async fn sort_out_range(&self, root: &UserId, person: &Who, slots: Range<i64>) -> Result<(), StoreError> {
        let only_one = person.groups.companies().len() < 2 && person.groups.left().next().is_none();
        if only_one {
            return Ok(());
        }
        let ids = self.descendants(root, person).await?;
        for week in self.weeks(slots) {
            for id in ids.keys().chain([root]) {
                self.sort_out(id, root, &person.groups, week).await?;
            }
        }
        Ok(())
    }

    /// Puts loose activity of an id and week where it belongs.
    async fn sort_out(
        &self,
        user: &UserId,
        root: &UserId,
        groups: &Groups,
        week: IsoWeek,
    ) -> Result<(), StoreError> {
        let mut stands = BTreeMap::<CompanyId, Loose>::new();
        for company in groups.companies() {
            if let Some(stored) = self.table.stored(self.workspace, &company, user, week).await? {
                stands.insert(company, stored.loose);
            }
        }
        let all = Loose(stands.values().flat_map(|loose| loose.0.iter().cloned()).collect());
        let mut belongs = self.split(groups, week, &all);
        let nowhere = belongs.remove(&None).unwrap_or_default();
        if !nowhere.is_empty() {
            self.table.add_waiting(self.workspace, root, week, &nowhere, self.now + WAITS).await?;
        }
        let nothing = Loose::default();
        for (company, part) in belongs.iter().filter_map(|(company, part)| Some((company.as_ref()?, part))) {
            let there = stands.get(company).unwrap_or(&nothing);
            let new = Loose(part.0.difference(&there.0).cloned().collect());
            if !new.is_empty() {
                self.place(company, user, root, week, new).await?;
            }
        }
        for (company, there) in &stands {
            let rest = belongs.get(&Some(company.clone())).unwrap_or(&nothing);
            let wrong = Loose(there.0.difference(&rest.0).cloned().collect());
            if !wrong.is_empty() {
                self.table.remove_from_week(self.workspace, company, user, week, &wrong.into()).await?;
            }
        }
        Ok(())
    }

    /// Writes loose activity of an id to a company of its person.
    async fn place(
        &self,
        company: &CompanyId,
        user: &UserId,
        root: &UserId,
        week: IsoWeek,
        loose: Loose,
    ) -> Result<(), StoreError> {
        let mut owner = None;
        if user != root {
            // A later claim finds it by its seat. Nobody sits there: the person's seat came with the naming.
            let seat = (self.workspace.clone(), company.clone(), user.clone());
            if !self.memory.knows_seat(&seat, UNSEATED) {
                self.table.note_seat(self.workspace, user, company, UNSEATED).await?;
                self.memory.note_seat(seat, UNSEATED);
            }
            owner = Some(root.clone());
        }
        self.add(company, user, week, &Stored { loose, owner, ..Stored::default() }).await
    }
}

/// The first instant of a slot.
fn instant(slot: i64) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp(slot.checked_mul(SLOT_SECONDS)?, 0)
}

/// Whether everything that is told is known.
fn covers(known: &Person, told: &Person) -> bool {
    told.email.as_ref().is_none_or(|email| known.email.as_ref() == Some(email))
        && told.name.as_ref().is_none_or(|name| known.name.as_ref() == Some(name))
        && told.time_zone.is_none_or(|zone| known.time_zone == Some(zone))
        && told.language.as_ref().is_none_or(|language| known.language.as_ref() == Some(language))
        && told.primary_contact.is_none_or(|is| known.primary_contact == Some(is))
}

/// What is known of an id and not of the person that it turned out to be.
fn missing(person: &Person, who: &Who) -> Person {
    let own = who.user.person();
    Person {
        email: own.email.filter(|_| person.email.is_none()),
        name: own.name.filter(|_| person.name.is_none()),
        time_zone: own.time_zone.filter(|_| person.time_zone.is_none()),
        language: own.language.filter(|_| person.language.is_none()),
        primary_contact: own.primary_contact.filter(|_| person.primary_contact.is_none()),
    }
}
