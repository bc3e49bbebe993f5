//! Writes what a request adds. The answer is given only after the last write.

use barometer_cloud::{
    StoreError, Table,
    bus::{DetailType, Event as Change},
    lambda::Chain,
    table::{answers::Answer, companies::Readings, log::Pack},
};
use barometer_domain::{CompanyId, Settings, UserId, WorkspaceId};
use chrono::{DateTime, TimeDelta, Utc};
use futures_util::{StreamExt, TryStreamExt, stream};

use crate::{
    access::Known,
    attribute,
    batch::{Batch, CompanyNote, PersonNote, Visit},
    event::Event,
    memory::Memory,
    read::Reading,
    refusal::Refusal,
};

/// Writes under way at the same time.
const WRITES: usize = 8;

/// When a client is asked to come back after the store failed, in seconds.
const RETRY_AFTER: u32 = 2;

/// What a request is stored with.
pub(crate) struct Context<'a> {
    pub table: &'a Table,
    pub memory: &'a Memory,
    pub workspace: &'a WorkspaceId,
    pub settings: &'a Settings,
    pub now: DateTime<Utc>,
}

/// Stores the events of a request in a workspace; returns them with how many have no company yet.
/// Errors: the store didn't take everything.
pub async fn store(
    table: &Table,
    memory: &Memory,
    known: &Known,
    mut reading: Reading,
    now: DateTime<Utc>,
) -> Result<(Reading, usize), Refusal> {
    reading.reject_older(known.settings.retention_days.get(), now);
    let context = Context { table, memory, workspace: &known.workspace, settings: &known.settings, now };
    let unattributed = context.write(&reading.events).await.map_err(|error| unavailable(&error))?;
    Ok((reading, unattributed))
}

pub(crate) fn unavailable(error: &StoreError) -> Refusal {
    tracing::warn!(error = %Chain(error), "events not stored");
    Refusal::Unavailable { retry_after: RETRY_AFTER }
}

impl Context<'_> {
    async fn write(&self, events: &[(usize, Event)]) -> Result<usize, StoreError> {
        if events.is_empty() {
            return Ok(0);
        }
        let mut batch = Batch::of(events.iter().map(|(_, event)| event), self.settings);
        attribute::resolve(self, &mut batch).await?;

        // Companies and identities first: activity of a company that isn't there yet would be invisible.
        all(batch.companies.iter().map(|(company, note)| self.company(company, note)).collect()).await?;
        all(batch.people.iter().map(|(user, note)| self.person(user, note)).collect()).await?;
        let waiting = attribute::find_companies(self, &mut batch).await?;
        let visits = batch
            .visits
            .iter()
            .map(|((user, company), visit)| self.visit(user, company, visit, batch.anonymous.contains(user)));
        all(visits.collect()).await?;
        all(batch.people.iter().map(|(user, note)| attribute::follow_up(self, user, note)).collect()).await?;
        let unattributed = waiting.values().map(|visit| visit.events).sum();
        all(waiting.iter().map(|(user, visit)| attribute::wait(self, user, visit)).collect()).await?;
        self.log(events).await?;
        Ok(unattributed)
    }

    async fn company(&self, company: &CompanyId, note: &CompanyNote) -> Result<(), StoreError> {
        let entry = (self.workspace.clone(), company.clone());
        let told = note.profile != Default::default();
        if !told && self.memory.knows_company(&entry, note.at) {
            return Ok(());
        }
        self.table.note_company(self.workspace, company, &note.profile, note.at).await?;
        self.memory.note_company(entry, note.at);
        Ok(())
    }

    async fn person(&self, user: &UserId, note: &PersonNote) -> Result<(), StoreError> {
        self.table.describe_user(self.workspace, user, &note.person).await?;
        for (company, since) in &note.groups {
            let group = (self.workspace.clone(), company.clone(), user.clone());
            if !self.memory.knows_group(&group, *since) {
                self.table.note_group(self.workspace, user, company, *since).await?;
            }
        }
        for anonymous in &note.aliases {
            self.table.note_alias(self.workspace, anonymous, user).await?;
        }
        Ok(())
    }

    /// Writes a visit: the seat first, so that no activity is without one.
    pub(crate) async fn visit(
        &self,
        user: &UserId,
        company: &CompanyId,
        visit: &Visit,
        anonymous: bool,
    ) -> Result<(), StoreError> {
        if let Some(first) = visit.first {
            self.seat(user, company, first).await?;
        }
        for (week, activity) in &visit.activity {
            let place = (self.workspace.clone(), company.clone(), user.clone(), *week);
            let Some(new) = self.memory.unwritten(&place, activity) else { continue };
            if anonymous {
                self.table.note_touched(self.workspace, user, *week, company).await?;
            }
            self.table.add_activity(self.workspace, company, user, *week, &new).await?;
            self.memory.note_written(place, &new);
        }
        for answer in &visit.answers {
            self.answer(company, answer).await?;
        }
        if let Some(left) = visit.left {
            self.table.end_membership(self.workspace, company, user, Some(left)).await?;
        }
        Ok(())
    }

    /// Makes the user a member of the company, with what is known of the person.
    pub(crate) async fn seat(
        &self,
        user: &UserId,
        company: &CompanyId,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let member = (self.workspace.clone(), company.clone(), user.clone());
        if self.memory.knows_member(&member, at) {
            return Ok(());
        }
        let known = self.table.user(self.workspace, user).await?.unwrap_or_default();
        let first = known.first_seen_at.map_or(at, |seen| seen.min(at));
        let on = self.settings.time_zone.date(first);
        self.table.note_member(self.workspace, company, user, first, on).await?;
        self.describe(user, company, &known.person()).await?;
        self.memory.note_member(member, first);
        Ok(())
    }

    /// Adds what is known of a person to their membership, if there is one.
    pub(crate) async fn describe(
        &self,
        user: &UserId,
        company: &CompanyId,
        person: &barometer_cloud::table::members::Person,
    ) -> Result<(), StoreError> {
        match self.table.describe_member(self.workspace, company, user, person).await {
            Ok(()) | Err(StoreError::Conflict) => Ok(()),
            Err(error) => Err(error),
        }
    }

    async fn answer(&self, company: &CompanyId, answer: &Answer) -> Result<(), StoreError> {
        let change = serde_json::json!({
            "user_id": answer.user_id, "rating": answer.rating, "source": answer.source, "by": answer.user_id,
        });
        let key = format!("{} {}", answer.origin, answer.at.to_rfc3339());
        let event = Change::new(
            DetailType::FeedbackReceived,
            self.workspace,
            Some(company),
            answer.at,
            &key,
            &change,
        )?;
        // This function has no bus: the event lies in the outbox and goes out with the next sweep.
        self.table.record_answer(self.workspace, company, answer, &Readings::default(), &[event]).await
    }

    /// Appends the request to the packed log. It is recognised by its events' ids, which survive a retry; its
    /// bytes don't.
    async fn log(&self, events: &[(usize, Event)]) -> Result<(), StoreError> {
        let mut lines = Vec::new();
        let mut identity = Vec::new();
        for (_, event) in events {
            let line = serde_json::to_vec(event)?;
            identity.extend_from_slice(event.id.as_ref().map_or(line.as_slice(), |id| id.as_bytes()));
            identity.push(b'\n');
            lines.extend(line);
            lines.push(b'\n');
        }
        let pack = Pack { received_at: self.now, content: lines };
        let keep = TimeDelta::days(i64::from(self.settings.retention_days.get()));
        self.table.append_log(self.workspace, &identity, &pack, keep).await
    }
}

/// Does everything, a few at a time, until one fails.
async fn all<F: Future<Output = Result<(), StoreError>>>(work: Vec<F>) -> Result<(), StoreError> {
    stream::iter(work).buffer_unordered(WRITES).try_collect().await
}
