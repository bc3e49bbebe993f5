//! Writes what a request adds. The answer is given only after the last write.

use std::collections::{BTreeMap, BTreeSet};

use barometer_cloud::{
    Bus, StoreError, Table, happiness,
    lambda::Chain,
    table::{
        activity::Stored, answers::Answer, companies::Profile, log::Pack, members::Person, users::Claim,
    },
};
use barometer_domain::{CompanyId, IsoWeek, Settings, UserId, WorkspaceId, activity::UserWeek, loose::Loose};
use chrono::{DateTime, TimeDelta, Utc};
use futures_util::{StreamExt, TryStreamExt, stream};

use crate::{
    access,
    batch::{Batch, CompanyNote, PersonNote, Visit},
    event::Event,
    memory::{Known, Memory},
    pack,
    read::Reading,
    refusal::Refusal,
};

/// Writes under way at the same time.
const WRITES: usize = 16;

/// When a client is asked to come back after the store failed, in seconds.
const RETRY_AFTER: u32 = 2;

/// What a request is stored with.
pub(crate) struct Context<'a> {
    pub table: &'a Table,
    pub memory: &'a Memory,
    pub workspace: &'a WorkspaceId,
    pub settings: &'a Settings,
    pub now: DateTime<Utc>,
    /// Where answers are told of; nothing where none goes out.
    pub bus: Option<&'a Bus>,
}

/// Stores the events of a request of a source in a workspace; returns them with how many have no company yet. Answers
/// among them go out on the bus at once, or without one with the outbox's next sweep.
/// Errors: the store didn't take everything.
pub async fn store(
    table: &Table,
    bus: Option<&Bus>,
    memory: &Memory,
    known: &access::Known,
    source: &str,
    mut reading: Reading,
    now: DateTime<Utc>,
) -> Result<(Reading, usize), Refusal> {
    memory.begin(now);
    reading.reject_older(known.settings.retention_days.get(), now);
    let context = Context { table, memory, workspace: &known.workspace, settings: &known.settings, now, bus };
    let unattributed = context.write(&reading.events, source).await.map_err(|error| unavailable(&error))?;
    Ok((reading, unattributed))
}

pub(crate) fn unavailable(error: &StoreError) -> Refusal {
    tracing::warn!(error = %Chain(error), "events not stored");
    Refusal::Unavailable { retry_after: RETRY_AFTER }
}

impl Context<'_> {
    async fn write(&self, events: &[(usize, Event)], source: &str) -> Result<usize, StoreError> {
        if events.is_empty() {
            return Ok(0);
        }
        let unattributed = self.aggregate(events.iter().map(|(_, event)| event)).await?;
        self.log(events, source).await?;
        Ok(unattributed)
    }

    /// Writes everything that follows from events, but for the log; returns how many have no company yet.
    pub(crate) async fn aggregate(
        &self,
        events: impl IntoIterator<Item = &Event>,
    ) -> Result<usize, StoreError> {
        let batch = Batch::of(events, self.settings);
        self.first_week(&batch).await?;
        // Companies and identities first: activity of a company that isn't there yet would be invisible.
        all(batch.companies.iter().map(|(company, note)| self.company(company, note)).collect()).await?;
        all(batch.people.iter().map(|(user, note)| self.person(user, note)).collect()).await?;
        all(batch.people.iter().map(|(user, note)| self.follow_up(user, note)).collect()).await?;
        let plans = batch.strays.iter().map(async |(user, stray)| Ok((user, self.plan(user, stray).await?)));
        let mut plans: BTreeMap<_, _> = all(plans.collect()).await?.into_iter().collect();
        // What names its company and what was found to be there go into one write.
        let visits = batch.visits.iter().map(|((user, company), visit)| {
            let plan = plans.get_mut(user);
            let loose = plan.and_then(|plan| plan.parts.remove(&Some(company.clone())));
            self.visit(user, company, visit, loose.unwrap_or_default())
        });
        all(visits.collect()).await?;
        all(batch.people.keys().map(|user| self.memberships(user)).collect()).await?;
        let strays = plans.into_iter().filter_map(|(user, plan)| Some((user, batch.strays.get(user)?, plan)));
        let strays = strays.map(|(user, stray, plan)| self.stray(user, stray, plan)).collect();
        Ok(all(strays).await?.into_iter().sum())
    }

    /// Tells the workspace of the earliest week: scoring begins there.
    async fn first_week(&self, batch: &Batch) -> Result<(), StoreError> {
        let Some(week) = batch.first_week() else { return Ok(()) };
        if !self.memory.knows_first_week(self.workspace, week) {
            self.table.note_first_week(self.workspace, week).await?;
            self.memory.note_first_week(self.workspace.clone(), week);
        }
        Ok(())
    }

    async fn company(&self, company: &CompanyId, note: &CompanyNote) -> Result<(), StoreError> {
        let entry = (self.workspace.clone(), company.clone());
        if self.memory.knows_company(&entry, note.at, &note.profile, self.now) {
            return Ok(());
        }
        self.table.tell_company(self.workspace, company, &note.profile, note.at).await?;
        self.memory.note_company(entry, note.at, &note.profile, self.now);
        Ok(())
    }

    async fn person(&self, user: &UserId, note: &PersonNote) -> Result<(), StoreError> {
        let id = (self.workspace.clone(), user.clone());
        self.table.note_groups(self.workspace, user, &self.memory.unheard(&id, &note.groups)).await?;
        for (claimed, at) in &note.claims {
            if !self.memory.knows_claim(&(self.workspace.clone(), claimed.clone(), user.clone()), *at) {
                let claim = Claim { at: *at, user: user.clone() };
                self.table.claim(self.workspace, claimed, &claim).await?;
            }
        }
        Ok(())
    }

    /// Writes a visit, and what of the same user names no company and belongs there: the seat first, so that no
    /// activity is without one.
    async fn visit(
        &self,
        user: &UserId,
        company: &CompanyId,
        visit: &Visit,
        loose: BTreeMap<IsoWeek, Loose>,
    ) -> Result<(), StoreError> {
        let place = |week| (self.workspace.clone(), company.clone(), user.clone(), week);
        let mut new: BTreeMap<IsoWeek, Stored> =
            loose.into_iter().map(|(week, loose)| (week, loose.into())).collect();
        for (week, activity) in &visit.activity {
            if let Some(unwritten) = self.memory.unwritten(&place(*week), activity) {
                new.entry(*week).or_default().named = unwritten;
            }
        }
        let first = visit.first.unwrap_or(self.now);
        let member = (self.workspace.clone(), company.clone(), user.clone());
        let seated = self.memory.knows_seat(&member, first);
        let warm = seated && new.keys().all(|week| self.memory.knows_place(&place(*week)));
        if warm && visit.answers.is_empty() {
            // The items are there and say whose they are.
            for (week, stored) in new {
                self.add(company, user, week, &stored).await?;
                self.memory.note_written(place(week), &stored.named);
            }
            return Ok(());
        }
        let guess = self.guess(user).await?;
        let root = guess.owner.as_ref().unwrap_or(user);
        if !seated {
            self.seat(user, root, company, first, &guess).await?;
        }
        for (week, stored) in &mut new {
            stored.owner.clone_from(&guess.owner);
            self.add(company, user, *week, stored).await?;
        }
        let found = self.check_owner(user, &guess).await?;
        let person = found.person().user.person();
        if !seated && found.root == *root && person != guess.person {
            // More became known while the seat was made.
            self.describe(root, company, &person).await?;
        }
        self.memory.note_seat(member, first);
        for (week, stored) in new {
            self.memory.note_written(place(week), &stored.named);
        }
        for answer in &visit.answers {
            self.answer(company, &found.root, answer).await?;
        }
        Ok(())
    }

    /// Adds activity of an id. An item can't grow beyond DynamoDB's limit; a user whose events have thousands of
    /// different names loses the names, never days and time, and never blocks anybody's request.
    pub(crate) async fn add(
        &self,
        company: &CompanyId,
        user: &UserId,
        week: IsoWeek,
        stored: &Stored,
    ) -> Result<(), StoreError> {
        let add =
            async |stored: &Stored| self.table.add_to_week(self.workspace, company, user, week, stored).await;
        match add(stored).await {
            Err(StoreError::TooLarge(_)) => {}
            done => return done,
        }
        tracing::warn!(%week, "an activity item is full; names of features are left out");
        let named = UserWeek { uses: BTreeSet::new(), ..stored.activity() };
        match add(&Stored { named, owner: stored.owner.clone(), ..Stored::default() }).await {
            Err(StoreError::TooLarge(_)) => Ok(()),
            done => done,
        }
    }

    /// Seats the person of an id at a company, and remembers that it was done for this id: a later claim finds it, and
    /// nobody needs to do it again.
    pub(crate) async fn seat(
        &self,
        user: &UserId,
        root: &UserId,
        company: &CompanyId,
        first: DateTime<Utc>,
        guess: &Known,
    ) -> Result<(), StoreError> {
        if guess.seats.get(company).is_some_and(|since| *since <= first) {
            return Ok(());
        }
        self.make_member(root, company, first, &guess.person).await?;
        self.table.note_seat(self.workspace, user, company, first).await
    }

    /// Makes a person a member of a company, with what is known of them.
    pub(crate) async fn make_member(
        &self,
        root: &UserId,
        company: &CompanyId,
        first: DateTime<Utc>,
        person: &Person,
    ) -> Result<(), StoreError> {
        let on = self.settings.time_zone.date(first);
        self.table.note_member(self.workspace, company, root, first, on).await?;
        self.describe(root, company, person).await
    }

    /// Adds what is known of a person to their membership, if there is one.
    pub(crate) async fn describe(
        &self,
        user: &UserId,
        company: &CompanyId,
        person: &Person,
    ) -> Result<(), StoreError> {
        match self.table.describe_member(self.workspace, company, user, person).await {
            Ok(()) | Err(StoreError::Conflict) => Ok(()),
            Err(error) => Err(error),
        }
    }

    pub(crate) async fn answer(
        &self,
        company: &CompanyId,
        root: &UserId,
        answer: &Answer,
    ) -> Result<(), StoreError> {
        let answer = Answer { user_id: root.clone(), ..answer.clone() };
        let key = format!("{} {}", answer.origin, answer.at.to_rfc3339());
        let event = happiness::received(self.workspace, company, &answer, &key)?;
        let events = [event];
        let new = self.table.record_answer_once(self.workspace, company, &answer, &events).await?;
        if let Some(bus) = self.bus.filter(|_| new) {
            self.table.publish_or_leave(bus, self.workspace, &events).await;
        }
        Ok(())
    }

    /// Stores an answer that names its user and company and came outside of any event.
    pub(crate) async fn give(
        &self,
        user: &UserId,
        company: &CompanyId,
        answer: Answer,
    ) -> Result<(), StoreError> {
        let note = CompanyNote { profile: Profile::default(), at: answer.at };
        self.company(company, &note).await?;
        let visit = Visit { first: Some(answer.at), answers: vec![answer], ..Visit::default() };
        self.visit(user, company, &visit, BTreeMap::new()).await
    }

    /// Appends the request to the packed log. It is recognised by its source and its events' ids, which survive a
    /// retry; its bytes don't.
    async fn log(&self, events: &[(usize, Event)], source: &str) -> Result<(), StoreError> {
        let events = || events.iter().map(|(_, event)| event);
        let corrupt = |error: pack::PackError| StoreError::Corrupt(error.into());
        let identity = pack::identity(source, events()).map_err(corrupt)?;
        let pack = Pack { received_at: self.now, content: pack::encode(events()).map_err(corrupt)? };
        let keep = TimeDelta::days(i64::from(self.settings.retention_days.get()));
        self.table.append_log(self.workspace, &identity, &pack, keep).await
    }
}

/// Does everything, a few at a time, until one fails.
async fn all<T, F: Future<Output = Result<T, StoreError>>>(work: Vec<F>) -> Result<Vec<T>, StoreError> {
    stream::iter(work).buffer_unordered(WRITES).try_collect().await
}
