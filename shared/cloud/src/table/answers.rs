//! Answers: every rating that a user gave, every revision kept.

use barometer_domain::{CompanyId, UserId, WorkspaceId, answer, happiness::Happiness};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Range, StoreError, Table, companies::Readings, item, keys};
use crate::bus::{Event, hex};

/// Where an answer came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The page behind a mail's link.
    Mail,
    /// An event of the product.
    Event,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// Who answered.
    pub user_id: UserId,
    /// What they gave.
    pub rating: answer::Rating,
    /// What they wrote.
    #[serde(default)]
    pub comment: Option<String>,
    /// When.
    pub at: DateTime<Utc>,
    /// Where it came from.
    pub source: Source,
    /// The ask or event it answers: revisions of one answer share it.
    pub origin: String,
    /// Why a CSM voided it; a void answer doesn't count.
    #[serde(default)]
    pub void: Option<String>,
}

impl Answer {
    /// The answer as the rules see it; nothing when it is void.
    pub fn counted(&self) -> Option<answer::Answer> {
        self.void.is_none().then(|| self.given())
    }

    /// The answer as the rules saw it before it was void.
    pub fn given(&self) -> answer::Answer {
        answer::Answer { user: self.user_id.clone(), rating: self.rating, at: self.at }
    }

    /// Tells the answer's user and origin apart from all others.
    fn hash(&self) -> String {
        let mut hash = Sha256::new();
        hash.update((self.user_id.as_str().len() as u64).to_be_bytes());
        hash.update(self.user_id.as_str().as_bytes());
        hash.update(self.origin.as_bytes());
        hex(hash.finalize().iter().take(12))
    }

    fn sk(&self) -> String {
        format!("answer#{}#{}", keys::instant(self.at), self.hash())
    }
}

impl Table {
    /// Writes an answer, the company's happiness and the events that tell of it, all or nothing. The same answer
    /// again writes the same item.
    pub async fn record_answer(
        &self,
        workspace: &WorkspaceId,
        company: &CompanyId,
        answer: &Answer,
        readings: &Readings,
        events: &[Event],
    ) -> Result<(), StoreError> {
        let put = item::write(keys::company(workspace, company), answer.sk(), answer)?;
        let mut writes = vec![self.transact_put(put, false)?];
        writes.extend(self.told_readings(workspace, company, readings, events)?);
        self.transact(writes).await
    }

    /// Writes an answer that came as an event, and the events that tell of it, all or nothing, unless one of the same
    /// user and origin was written this way before: the first stays. A client that sends an event twice can date it
    /// differently each time, by what its clock is off, so the instant doesn't tell whether it is the same answer.
    /// Errors: [`StoreError::Conflict`] when another write holds an item; nothing is written then.
    pub async fn record_answer_once(
        &self,
        workspace: &WorkspaceId,
        company: &CompanyId,
        answer: &Answer,
        events: &[Event],
    ) -> Result<(), StoreError> {
        let pk = keys::company(workspace, company);
        let seen = format!("answered#{}", answer.hash());
        let mut writes = vec![
            self.transact_put(item::key(pk.clone(), seen.clone()), true)?,
            self.transact_put(item::write(pk.clone(), answer.sk(), answer)?, false)?,
        ];
        for event in events {
            writes.push(self.outbox_put(workspace, event)?);
        }
        match self.transact(writes).await {
            Err(StoreError::Conflict) if self.get::<serde_json::Value>(pk, seen).await?.is_some() => Ok(()),
            done => done,
        }
    }

    /// Like [`Table::record_answer`], if the company's happiness is still the one that was `seen`. Errors:
    /// [`StoreError::Conflict`] when it isn't, or when an answer of the same instant exists.
    pub async fn record_answer_upon(
        &self,
        workspace: &WorkspaceId,
        company: &CompanyId,
        answer: &Answer,
        readings: &Readings,
        seen: Option<&Happiness>,
        events: &[Event],
    ) -> Result<(), StoreError> {
        let put = item::write(keys::company(workspace, company), answer.sk(), answer)?;
        let mut writes = vec![self.transact_put(put, true)?];
        if readings.happiness.is_some() {
            writes.push(self.happiness_update(workspace, company, readings, seen)?);
        }
        for event in events {
            writes.push(self.outbox_put(workspace, event)?);
        }
        self.transact(writes).await
    }

    /// Answers of a company's users from one instant to another, oldest first, read consistently.
    pub async fn answers(
        &self,
        workspace: &WorkspaceId,
        company: &CompanyId,
        from: DateTime<Utc>,
        to: DateTime<Utc>,
    ) -> Result<Vec<Answer>, StoreError> {
        let from = format!("answer#{}", keys::instant(from));
        let to = format!("answer#{}~", keys::instant(to));
        let found = self.query(keys::company(workspace, company), Range::Between(from, to), true).await?;
        found.into_iter().map(item::read).collect()
    }
}
