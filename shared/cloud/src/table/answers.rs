//! Answers: every rating that a user gave, every revision kept. The latest revision of each lies in the workspace's
//! inbox.

use aws_sdk_dynamodb::types::{TransactWriteItem, Update};
use barometer_domain::{CompanyId, UserId, WorkspaceId, answer, happiness::Happiness};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use futures_util::{StreamExt, TryStreamExt, stream};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Item, Range, StoreError, Table, companies::Readings, item, keys};
use crate::bus::{Event, hex};

/// Answers of the inbox that are read at the same time.
const AT_ONCE: usize = 16;

/// Where an answer came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[schemars(rename = "AnswerSource")]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The page behind a mail's link.
    Mail,
    /// An event of the product.
    Event,
    /// `POST /v1/feedback`.
    Api,
}

/// Why an answer doesn't count.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Void {
    /// Why, as the CSM says.
    pub reason: String,
    /// Who voided it.
    pub by: String,
    /// When.
    pub at: DateTime<Utc>,
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
    /// That a CSM voided it; a void answer doesn't count.
    #[serde(default)]
    pub void: Option<Void>,
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

    /// The sort key of the mark that it leaves when it came as an event.
    pub(super) fn mark(&self) -> String {
        format!("answered#{}", self.hash())
    }

    pub(super) fn sk(&self) -> String {
        format!("{PREFIX}{}", self.name())
    }

    /// Tells the answer apart from all others of its company; answers sort by it as they were given.
    pub(super) fn name(&self) -> String {
        format!("{}#{}", keys::instant(self.at), self.hash())
    }
}

/// What was read before an answer is written.
#[derive(Debug, Clone, Copy, Default)]
pub struct Before<'a> {
    /// The company's happiness.
    pub happiness: Option<&'a Happiness>,
    /// The answer that this one revises.
    pub revised: Option<&'a Answer>,
}

/// What the sort keys of answers begin with.
const PREFIX: &str = "answer#";

/// Where an answer lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The company.
    pub company: CompanyId,
    name: String,
}

impl Place {
    /// Where an answer of a company's user lies.
    pub fn of(company: &CompanyId, answer: &Answer) -> Self {
        Self { company: company.clone(), name: answer.name() }
    }

    /// A name for the outside: says nothing, and finds the answer.
    pub fn id(&self) -> String {
        URL_SAFE_NO_PAD.encode(format!("{}#{}", self.name, self.company))
    }

    /// The place that an id names; nothing for what is no id.
    pub fn parse(id: &str) -> Option<Self> {
        let text = String::from_utf8(URL_SAFE_NO_PAD.decode(id).ok()?).ok()?;
        let mut parts = text.splitn(3, '#');
        let (at, hash, company) = (parts.next()?, parts.next()?, parts.next()?);
        Some(Self { company: CompanyId::new(company).ok()?, name: format!("{at}#{hash}") })
    }

    pub(super) fn key(&self, workspace: &WorkspaceId) -> Item {
        item::key(keys::company(workspace, &self.company), format!("{PREFIX}{}", self.name))
    }
}

/// The partition of the inbox.
fn inbox(workspace: &WorkspaceId) -> String {
    format!("{workspace}#answers")
}

impl Table {
    fn answer_put(
        &self,
        workspace: &WorkspaceId,
        company: &CompanyId,
        answer: &Answer,
        new: bool,
    ) -> Result<TransactWriteItem, StoreError> {
        let mut put = item::write(keys::company(workspace, company), answer.sk(), answer)?;
        put.insert("work_pk".to_owned(), item::text(inbox(workspace)));
        put.insert("work_sk".to_owned(), item::text(answer.name()));
        self.transact_put(put, new)
    }

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
        if *readings != Readings::default() {
            self.touch(workspace, company).await?;
        }
        let mut writes = vec![self.answer_put(workspace, company, answer, false)?];
        writes.extend(self.told_readings(workspace, company, readings, events)?);
        self.transact(writes).await
    }

    /// Writes an answer that came as an event, and the events that tell of it, all or nothing, unless one of the same
    /// user and origin was written this way before: the first stays. A client that sends an event twice can date it
    /// differently each time, by what its clock is off, so the instant doesn't tell whether it is the same answer.
    /// Returns whether it was written now. Errors: [`StoreError::Conflict`] when another write holds an item; nothing is written then.
    pub async fn record_answer_once(
        &self,
        workspace: &WorkspaceId,
        company: &CompanyId,
        answer: &Answer,
        events: &[Event],
    ) -> Result<bool, StoreError> {
        let pk = keys::company(workspace, company);
        let seen = answer.mark();
        let mut writes = vec![
            self.transact_put(item::key(pk.clone(), seen.clone()), true)?,
            self.answer_put(workspace, company, answer, false)?,
        ];
        for event in events {
            writes.push(self.outbox_put(workspace, event)?);
        }
        match self.transact(writes).await {
            Err(StoreError::Conflict) if self.get::<serde_json::Value>(pk, seen).await?.is_some() => {
                Ok(false)
            }
            done => done.map(|()| true),
        }
    }

    /// Like [`Table::record_answer`], if the company's happiness is still the one that was seen. In the inbox the
    /// answer takes the place of the one that it revises. Errors: [`StoreError::Conflict`] when the happiness isn't the
    /// one seen, or when an answer of the same instant exists.
    pub async fn record_answer_upon(
        &self,
        workspace: &WorkspaceId,
        company: &CompanyId,
        answer: &Answer,
        before: Before<'_>,
        readings: &Readings,
        events: &[Event],
    ) -> Result<(), StoreError> {
        let mut writes = vec![self.answer_put(workspace, company, answer, true)?];
        if let Some(revised) = before.revised {
            let taken_out = Update::builder()
                .table_name(&self.name)
                .set_key(Some(Place::of(company, revised).key(workspace)))
                .update_expression("REMOVE work_pk, work_sk")
                .condition_expression("attribute_exists(pk)")
                .build()?;
            writes.push(TransactWriteItem::builder().update(taken_out).build());
        }
        if readings.happiness.is_some() {
            self.touch(workspace, company).await?;
            writes.push(self.happiness_update(workspace, company, readings, before.happiness)?);
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

    /// The first answer of a company's users that is kept.
    pub async fn first_answer(
        &self,
        workspace: &WorkspaceId,
        company: &CompanyId,
    ) -> Result<Option<Answer>, StoreError> {
        let found = self.first(keys::company(workspace, company), PREFIX.to_owned(), true, 1).await?;
        found.into_iter().next().map(item::read).transpose()
    }

    /// One answer.
    pub async fn answer(&self, workspace: &WorkspaceId, place: &Place) -> Result<Option<Answer>, StoreError> {
        self.get(keys::company(workspace, &place.company), format!("{PREFIX}{}", place.name)).await
    }

    /// The latest answers of a workspace, the newest first: up to `limit` that come behind `after`, each with its
    /// place in the list and its company.
    pub async fn inbox(
        &self,
        workspace: &WorkspaceId,
        after: Option<&str>,
        limit: i32,
    ) -> Result<Vec<(String, CompanyId, Answer)>, StoreError> {
        let behind = after.map(|after| ("<", after.to_owned()));
        let found = self.work_list(inbox(workspace), behind, false, limit).await?;
        let reads: Vec<_> = found.into_iter().map(|entry| self.listed_answer(workspace, entry)).collect();
        let answers: Vec<_> = stream::iter(reads).buffered(AT_ONCE).try_collect().await?;
        Ok(answers.into_iter().flatten().collect())
    }

    async fn listed_answer(
        &self,
        workspace: &WorkspaceId,
        entry: Item,
    ) -> Result<Option<(String, CompanyId, Answer)>, StoreError> {
        let listed = item::get_text(&entry, "work_sk")?.to_owned();
        let company = keys::company_of(workspace, item::get_text(&entry, "pk")?)
            .ok_or_else(|| StoreError::Corrupt("an answer lies with no company".into()))?;
        let place = Place { company, name: listed.clone() };
        let answer = self.answer(workspace, &place).await?;
        Ok(answer.map(|answer| (listed, place.company, answer)))
    }

    /// Voids an answer, its revisions before it, and lays the event that tells of it in the outbox: the answer itself
    /// last, with the event, all or nothing. Errors: [`StoreError::Conflict`] when it is void already.
    pub async fn void_answer(
        &self,
        workspace: &WorkspaceId,
        company: &CompanyId,
        (earlier, latest): (&[Answer], &Answer),
        void: &Void,
        event: &Event,
    ) -> Result<(), StoreError> {
        for revision in earlier {
            let key = Place::of(company, revision).key(workspace);
            self.client
                .update_item()
                .table_name(&self.name)
                .set_key(Some(key))
                .update_expression("SET #void = if_not_exists(#void, :void)")
                .expression_attribute_names("#void", "void")
                .condition_expression("attribute_exists(pk)")
                .expression_attribute_values(":void", item::value(void)?)
                .send()
                .await?;
        }
        let update = Update::builder()
            .table_name(&self.name)
            .set_key(Some(Place::of(company, latest).key(workspace)))
            .update_expression("SET #void = :void")
            .expression_attribute_names("#void", "void")
            .condition_expression("attribute_exists(pk) AND attribute_not_exists(#void)")
            .expression_attribute_values(":void", item::value(void)?)
            .build()?;
        let update = TransactWriteItem::builder().update(update).build();
        self.transact(vec![update, self.outbox_put(workspace, event)?]).await
    }
}
