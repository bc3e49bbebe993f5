//! Sources: where events come from, each with a write key of its own, and what has come from each.
//!
//! A source is the entry of its write key in the workspace's list of credentials; the items under the hashes of
//! its keys, of which a rotation leaves several, only lead to it. So a change is one write to one item.
//!
//! The key's text is kept readable, unlike every other credential's: it sits in the pages and apps of the product
//! for everybody to see, can do nothing but post, and people need it again for the next client.

use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem, Update};
use barometer_domain::WorkspaceId;
use chrono::{DateTime, NaiveDate, NaiveTime, SubsecRound, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::{
    Item, Range, StoreError, Table,
    credentials::{self, Credential, Kind},
    item,
};

/// Events a second that a source may send in the long run, unless it says otherwise.
pub const RATE: u32 = 1_000;

/// Events that a source may send at once after a pause, unless it says otherwise.
pub const BURST: u32 = 10_000;

/// Days for which it is kept what came from a source.
pub const DAYS_KEPT: u16 = 30;

/// Most keys of a source that work at the same time, the current one among them.
pub const MAX_KEYS: usize = 5;

fn rate() -> u32 {
    RATE
}

fn burst() -> u32 {
    BURST
}

/// Where events come from: a write key with a name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// Its id, which isn't secret and outlives its keys.
    pub id: String,
    /// Its workspace.
    pub workspace_id: WorkspaceId,
    /// Its name for people.
    #[serde(rename = "label")]
    pub name: String,
    /// Who made it.
    pub author: String,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// The current key; unknown for one that was made before keys were kept readable.
    #[serde(default)]
    pub key: Option<String>,
    /// The current key's hash.
    pub hash: String,
    /// Older keys, some of which still work.
    #[serde(default)]
    pub previous: Vec<Previous>,
    /// Since when it is disabled.
    #[serde(default)]
    pub disabled_at: Option<DateTime<Utc>>,
    /// Origins whose pages may post; empty means any. Requests without an `Origin` are servers and pass.
    #[serde(default)]
    pub allowed_origins: Vec<String>,
    /// Events a second in the long run.
    #[serde(default = "rate")]
    pub rate: u32,
    /// Events at once after a pause.
    #[serde(default = "burst")]
    pub burst: u32,
}

/// A key that a rotation replaced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Previous {
    /// The key; unknown for one that was made before keys were kept readable.
    #[serde(default)]
    pub key: Option<String>,
    /// Its hash.
    pub hash: String,
    /// When it stops working.
    pub expires_at: DateTime<Utc>,
}

impl Source {
    /// A source with the default limits, open to every origin.
    pub fn new(
        workspace: &WorkspaceId,
        id: String,
        key: String,
        name: String,
        author: String,
        created_at: DateTime<Utc>,
    ) -> Self {
        Self {
            id,
            workspace_id: workspace.clone(),
            name,
            author,
            created_at,
            hash: credentials::hash(&key),
            key: Some(key),
            previous: Vec::new(),
            disabled_at: None,
            allowed_origins: Vec::new(),
            rate: RATE,
            burst: BURST,
        }
    }

    /// Older keys that still work at `now`.
    pub fn working_previous(&self, now: DateTime<Utc>) -> impl Iterator<Item = &Previous> {
        self.previous.iter().filter(move |previous| now < previous.expires_at)
    }

    /// What people set about it, for the audit: its keys aren't part of it.
    pub fn settings(&self) -> impl Serialize {
        serde_json::json!({
            "name": self.name, "disabled_at": self.disabled_at, "allowed_origins": self.allowed_origins,
            "rate": self.rate, "burst": self.burst,
        })
    }

    /// What the items under its keys' hashes say.
    fn credential(&self, expires_at: Option<DateTime<Utc>>) -> Credential {
        Credential {
            id: self.id.clone(),
            workspace_id: self.workspace_id.clone(),
            kind: Kind::WriteKey,
            scope: None,
            label: self.name.clone(),
            author: self.author.clone(),
            created_at: self.created_at,
            expires_at,
        }
    }
}

/// What is to change about a source; what is absent stays.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Change {
    /// Another name.
    pub name: Option<String>,
    /// Disabled since then, or enabled again.
    pub disabled_at: Option<Option<DateTime<Utc>>>,
    /// Other origins.
    pub allowed_origins: Option<Vec<String>>,
    /// Another rate.
    pub rate: Option<u32>,
    /// Another burst.
    pub burst: Option<u32>,
}

impl Change {
    /// A source with the changes made.
    pub fn upon(&self, source: &Source) -> Source {
        let mut changed = source.clone();
        let Self { name, disabled_at, allowed_origins, rate, burst } = self.clone();
        changed.name = name.unwrap_or(changed.name);
        changed.disabled_at = disabled_at.unwrap_or(changed.disabled_at);
        changed.allowed_origins = allowed_origins.unwrap_or(changed.allowed_origins);
        changed.rate = rate.unwrap_or(changed.rate);
        changed.burst = burst.unwrap_or(changed.burst);
        changed
    }
}

/// What became of a rotation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rotation {
    /// The source with its new key.
    Done(Box<Source>),
    /// There is no such source.
    Unknown,
    /// [`MAX_KEYS`] keys work already.
    TooMany,
}

/// What came from a source on a day.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Counts {
    /// Events that were stored; one that was stored before counts again.
    #[serde(default)]
    pub accepted: u64,
    /// Events that were not, by their index in a request.
    #[serde(default)]
    pub rejected: u64,
    /// Requests that were refused as a whole; nobody knows how many events they held.
    #[serde(default)]
    pub refused: u64,
    /// When the latest accepted event arrived. Two processes may write at the same time, so it can be a few
    /// seconds behind.
    #[serde(default)]
    pub last_event_at: Option<DateTime<Utc>>,
}

impl Counts {
    /// Whether there is nothing to tell.
    pub fn is_empty(&self) -> bool {
        (self.accepted, self.rejected, self.refused) == (0, 0, 0)
    }

    /// Adds what came at another time or elsewhere.
    pub fn add(&mut self, other: &Self) {
        self.accepted += other.accepted;
        self.rejected += other.rejected;
        self.refused += other.refused;
        self.last_event_at = self.last_event_at.max(other.last_event_at);
    }
}

/// What a reason is counted in.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[schemars(rename = "RejectedUnit")]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// One event of a request.
    Event,
    /// A whole request.
    Request,
}

impl Unit {
    fn as_str(self) -> &'static str {
        match self {
            Self::Event => "event",
            Self::Request => "request",
        }
    }
}

/// Why events or requests of a day were not taken, with the latest of them as the example.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// Whether events or requests are counted.
    pub unit: Unit,
    /// The word a program can compare, as it stood in the answer.
    pub code: String,
    /// The sentence, as it stood in the answer.
    pub message: String,
    /// The example's own id.
    #[serde(default)]
    pub message_id: Option<String>,
    /// The example's place in its request, from 0.
    #[serde(default)]
    pub index: Option<u64>,
    /// When the example came.
    pub last_at: DateTime<Utc>,
    /// How many there were on the day.
    pub count: u64,
}

fn sk(id: &str) -> String {
    format!("write_key#{id}")
}

fn counted(workspace: &WorkspaceId, id: &str) -> String {
    format!("{workspace}#source#{id}")
}

fn expiry(day: NaiveDate) -> AttributeValue {
    item::expiry(day.and_time(NaiveTime::MIN).and_utc() + TimeDelta::days(i64::from(DAYS_KEPT) + 1))
}

impl Table {
    /// The sources of a workspace.
    pub async fn sources(&self, workspace: &WorkspaceId) -> Result<Vec<Source>, StoreError> {
        self.query_as(credentials::list(workspace), Range::Prefix(sk(""))).await
    }

    /// What leads from a write key to its source, also when the key has ended.
    pub async fn write_key(&self, key: &str) -> Result<Option<Credential>, StoreError> {
        let found: Option<Credential> =
            self.get(credentials::pk(&credentials::hash(key)), credentials::SK.to_owned()).await?;
        Ok(found.filter(|found| found.kind == Kind::WriteKey))
    }

    /// A source by its id.
    pub async fn source(&self, workspace: &WorkspaceId, id: &str) -> Result<Option<Source>, StoreError> {
        self.get(credentials::list(workspace), sk(id)).await
    }

    /// Stores a source with its key. Errors: [`StoreError::Conflict`] when the key is taken.
    pub async fn add_source(&self, source: &Source) -> Result<(), StoreError> {
        let stored =
            item::write(credentials::pk(&source.hash), credentials::SK.to_owned(), &source.credential(None))?;
        let mut listed = item::write(credentials::list(&source.workspace_id), sk(&source.id), source)?;
        listed.insert("kind".to_owned(), item::value(&Kind::WriteKey)?);
        self.transact(vec![self.transact_put(stored, true)?, self.transact_put(listed, true)?]).await
    }

    /// Changes a source. Returns it as it is then; nothing when there is none.
    pub async fn change_source(
        &self,
        workspace: &WorkspaceId,
        id: &str,
        change: &Change,
    ) -> Result<Option<Source>, StoreError> {
        let mut sets = Vec::new();
        let mut removes = Vec::new();
        let mut update = Update::builder()
            .table_name(&self.name)
            .set_key(Some(item::key(credentials::list(workspace), sk(id))))
            .condition_expression("attribute_exists(pk)");
        let mut set = |name: &str, value: AttributeValue| {
            sets.push(format!("#{name} = :{name}"));
            (format!("#{name}"), name.to_owned(), format!(":{name}"), value)
        };
        let mut values = Vec::new();
        if let Some(name) = &change.name {
            values.push(set("label", item::text(name)));
        }
        if let Some(Some(at)) = &change.disabled_at {
            values.push(set("disabled_at", item::value(at)?));
        }
        if let Some(origins) = &change.allowed_origins {
            values.push(set("allowed_origins", item::value(origins)?));
        }
        if let Some(rate) = change.rate {
            values.push(set("rate", item::number(rate)));
        }
        if let Some(burst) = change.burst {
            values.push(set("burst", item::number(burst)));
        }
        if change.disabled_at == Some(None) {
            removes.push("disabled_at");
        }
        for (alias, name, placeholder, value) in values {
            update = update
                .expression_attribute_names(alias, name)
                .expression_attribute_values(placeholder, value);
        }
        let mut expression = String::new();
        if !sets.is_empty() {
            expression.push_str(&format!("SET {} ", sets.join(", ")));
        }
        if !removes.is_empty() {
            expression.push_str(&format!("REMOVE {}", removes.join(", ")));
        }
        if expression.is_empty() {
            return self.source(workspace, id).await;
        }
        match self.apply(update.update_expression(expression).build()?).await {
            Ok(()) => self.source(workspace, id).await,
            Err(StoreError::Conflict) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Gives a source a new key. Older keys work until `now + overlap` and no longer, so that with no overlap only
    /// the new one does. Errors: [`StoreError::Conflict`] when the key is taken or somebody else rotates.
    pub async fn rotate_source(
        &self,
        workspace: &WorkspaceId,
        id: &str,
        key: &str,
        overlap: TimeDelta,
        now: DateTime<Utc>,
    ) -> Result<Rotation, StoreError> {
        let Some(mut source) = self.source(workspace, id).await? else { return Ok(Rotation::Unknown) };
        // Whole seconds, as the table's TTL has them.
        let end = (now + overlap).trunc_subsecs(0);
        let replaced = Previous { key: source.key.take(), hash: source.hash.clone(), expires_at: end };
        let working: Vec<Previous> = source.working_previous(now).cloned().collect();
        let kept = if end > now { working.len() + 1 } else { 0 };
        if kept >= MAX_KEYS {
            return Ok(Rotation::TooMany);
        }
        let seen = source.hash.clone();
        source.previous.clear();
        source.key = Some(key.to_owned());
        source.hash = credentials::hash(key);
        let stored =
            item::write(credentials::pk(&source.hash), credentials::SK.to_owned(), &source.credential(None))?;
        let mut writes = vec![self.transact_put(stored, true)?];
        for old in std::iter::once(replaced).chain(working) {
            let expires_at = old.expires_at.min(end);
            if expires_at <= now {
                let pk = credentials::pk(&old.hash);
                writes.push(self.transact_delete(pk, credentials::SK.to_owned(), None)?);
                continue;
            }
            writes.push(self.transact_end(&old.hash, expires_at)?);
            source.previous.push(Previous { expires_at, ..old });
        }
        writes.push(self.transact_rekey(&source, &seen)?);
        self.transact(writes).await?;
        Ok(Rotation::Done(Box::new(source)))
    }

    /// Deletes a source with all its keys. What came from it is forgotten with time. Returns whether there was one.
    pub async fn delete_source(&self, workspace: &WorkspaceId, id: &str) -> Result<bool, StoreError> {
        let Some(source) = self.source(workspace, id).await? else { return Ok(false) };
        let hashes = source.previous.iter().map(|previous| &previous.hash).chain([&source.hash]);
        let mut writes = hashes
            .map(|hash| self.transact_delete(credentials::pk(hash), credentials::SK.to_owned(), None))
            .collect::<Result<Vec<_>, _>>()?;
        writes.push(self.transact_delete(credentials::list(workspace), sk(id), None)?);
        self.transact(writes).await?;
        Ok(true)
    }

    /// Lets a key end.
    fn transact_end(&self, hash: &str, at: DateTime<Utc>) -> Result<TransactWriteItem, StoreError> {
        let update = Update::builder()
            .table_name(&self.name)
            .set_key(Some(item::key(credentials::pk(hash), credentials::SK.to_owned())))
            .update_expression("SET expires_at = :end")
            .condition_expression("attribute_exists(pk)")
            .expression_attribute_values(":end", item::expiry(at))
            .build()?;
        Ok(TransactWriteItem::builder().update(update).build())
    }

    /// Writes a source's keys, if its current one is still the one that was read.
    fn transact_rekey(&self, source: &Source, seen: &str) -> Result<TransactWriteItem, StoreError> {
        let update = Update::builder()
            .table_name(&self.name)
            .set_key(Some(item::key(credentials::list(&source.workspace_id), sk(&source.id))))
            .update_expression("SET #key = :key, #hash = :hash, previous = :previous")
            .condition_expression("#hash = :seen")
            .expression_attribute_names("#key", "key")
            .expression_attribute_names("#hash", "hash")
            .expression_attribute_values(":key", item::value(&source.key)?)
            .expression_attribute_values(":hash", item::text(&source.hash))
            .expression_attribute_values(":previous", item::value(&source.previous)?)
            .expression_attribute_values(":seen", item::text(seen))
            .build()?;
        Ok(TransactWriteItem::builder().update(update).build())
    }

    /// Adds to what came from a source on a UTC day: one write unit. Not idempotent: an attempt that is repeated
    /// because its answer was lost counts twice. These numbers are for people; scores come from elsewhere.
    pub async fn add_source_counts(
        &self,
        workspace: &WorkspaceId,
        id: &str,
        day: NaiveDate,
        counts: &Counts,
    ) -> Result<(), StoreError> {
        let mut request = self
            .update(counted(workspace, id), format!("day#{day}"))
            .expression_attribute_values(":accepted", item::number(counts.accepted))
            .expression_attribute_values(":rejected", item::number(counts.rejected))
            .expression_attribute_values(":refused", item::number(counts.refused))
            .expression_attribute_values(":expires_at", expiry(day));
        let mut expression = "ADD accepted :accepted, rejected :rejected, refused :refused \
                              SET expires_at = :expires_at"
            .to_owned();
        if let Some(at) = counts.last_event_at {
            expression.push_str(", last_event_at = :last_event_at");
            request = request.expression_attribute_values(":last_event_at", item::value(&at)?);
        }
        request.update_expression(expression).send().await?;
        Ok(())
    }

    /// Adds to why events or requests of a UTC day were not taken. An item for each reason, so that nothing is
    /// read first and the counts stay in an item of one write unit.
    pub async fn add_source_reason(
        &self,
        workspace: &WorkspaceId,
        id: &str,
        day: NaiveDate,
        reason: &Reason,
    ) -> Result<(), StoreError> {
        let key = item::key(
            counted(workspace, id),
            format!("reason#{day}#{}#{}", reason.unit.as_str(), reason.code),
        );
        let mut item: Item = item::write(String::new(), String::new(), reason)?;
        for name in ["pk", "sk", "count"] {
            item.remove(name);
        }
        item.insert("expires_at".to_owned(), expiry(day));
        let mut sets = Vec::new();
        let mut removes = Vec::new();
        let mut request = self.client.update_item().table_name(&self.name).set_key(Some(key));
        // The example is replaced as a whole: an id of an older one must not stay beside it.
        for (name, absent) in [("message_id", reason.message_id.is_none()), ("index", reason.index.is_none())]
        {
            if absent {
                removes.push(format!("#{name}"));
                request = request.expression_attribute_names(format!("#{name}"), name);
            }
        }
        for (name, value) in item {
            sets.push(format!("#{name} = :{name}"));
            request = request
                .expression_attribute_names(format!("#{name}"), name.clone())
                .expression_attribute_values(format!(":{name}"), value);
        }
        let mut expression = format!("ADD #count :count SET {}", sets.join(", "));
        if !removes.is_empty() {
            expression.push_str(&format!(" REMOVE {}", removes.join(", ")));
        }
        request
            .update_expression(expression)
            .expression_attribute_names("#count", "count")
            .expression_attribute_values(":count", item::number(reason.count))
            .send()
            .await?;
        Ok(())
    }

    /// What came from a source, by UTC day, from `from` to `to`. Days on which nothing came are absent.
    pub async fn source_days(
        &self,
        workspace: &WorkspaceId,
        id: &str,
        from: NaiveDate,
        to: NaiveDate,
    ) -> Result<Vec<(NaiveDate, Counts)>, StoreError> {
        let range = Range::Between(format!("day#{from}"), format!("day#{to}"));
        let found = self.query(counted(workspace, id), range, false).await?;
        found.into_iter().map(|found| Ok((day_of(&found)?, item::read(found)?))).collect()
    }

    /// Why events and requests of a source were not taken from `from` to `to`, the latest first.
    pub async fn source_reasons(
        &self,
        workspace: &WorkspaceId,
        id: &str,
        from: NaiveDate,
        to: NaiveDate,
    ) -> Result<Vec<Reason>, StoreError> {
        // `~` comes after everything that a unit begins with.
        let range = Range::Between(format!("reason#{from}"), format!("reason#{to}#~"));
        let mut found: Vec<Reason> = self.query_as(counted(workspace, id), range).await?;
        found.sort_by(|a, b| b.last_at.cmp(&a.last_at).then_with(|| a.code.cmp(&b.code)));
        Ok(found)
    }
}

fn day_of(found: &Item) -> Result<NaiveDate, StoreError> {
    let sk = item::get_text(found, "sk")?;
    let day = sk.split('#').nth(1).and_then(|day| day.parse().ok());
    day.ok_or_else(|| StoreError::Corrupt(format!("{sk:?} names no day").into()))
}
