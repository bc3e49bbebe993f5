//! Cases: what is open about a company until somebody closes it, or it closes by itself: alerts, disagreements and tasks.
//!
//! The cases of a company and kind are numbered, so that two workers who open the next one at the same time open one.
//! Every change names the version that it was made upon. The row of the company counts the live ones, in the same
//! transaction.

use aws_sdk_dynamodb::types::{AttributeValue, Delete, Put, TransactWriteItem, Update};
use barometer_domain::{
    CompanyId, WorkspaceId,
    alert::{Alert, Rule},
    disagreement::{self, Disagreement},
    task::{Subject, Task},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use futures_util::{StreamExt, TryStreamExt, stream};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};

use super::{Item, StoreError, Table, item, keys};
use crate::bus::{Event, hex};

/// Cases of a list that are read at the same time.
const AT_ONCE: usize = 16;

/// Where a case lies: a company's, or the workspace's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The company; nothing for a case of the whole workspace.
    pub company: Option<CompanyId>,
    /// What distinguishes its series, such as an alert's rule.
    pub series: String,
    /// Its number in the series: 1, 2, …
    pub number: u32,
}

impl Place {
    /// A name for the outside: says nothing, and finds the case.
    pub fn id(&self) -> String {
        let company = self.company.as_ref().map_or("", CompanyId::as_str);
        URL_SAFE_NO_PAD.encode(format!("{}#{}#{company}", self.series, self.number))
    }

    /// The place that an id names; nothing for what is no id.
    pub fn of(id: &str) -> Option<Self> {
        let text = String::from_utf8(URL_SAFE_NO_PAD.decode(id).ok()?).ok()?;
        let mut parts = text.splitn(3, '#');
        let (series, number, company) = (parts.next()?, parts.next()?.parse().ok()?, parts.next()?);
        let company = if company.is_empty() { None } else { Some(CompanyId::new(company).ok()?) };
        Some(Self { company, series: series.to_owned(), number })
    }
}

/// A case as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case<T> {
    /// Where it lies.
    pub place: Place,
    /// How often it was changed; a change names the version it was made upon.
    pub version: u32,
    /// What it says.
    pub content: T,
}

impl<T: Content> Case<T> {
    /// Its place in the lists of the workspace.
    pub fn listed_at(&self) -> String {
        format!("{}#{}", keys::instant(self.content.opened_at()), self.place.id())
    }
}

#[derive(Serialize, Deserialize)]
struct Stored<T> {
    series: String,
    number: u32,
    #[serde(default)]
    company_id: Option<CompanyId>,
    version: u32,
    content: T,
}

/// What is kept as cases.
pub trait Content: Serialize + DeserializeOwned + Clone + Send + Sync {
    /// What sort keys and lists of all of this kind begin with.
    const KIND: &'static str;
    /// The attribute of a company's row that counts the live ones.
    const COUNTER: &'static str;

    /// Not closed yet.
    fn is_live(&self) -> bool;
    /// From when it is.
    fn opened_at(&self) -> DateTime<Utc>;
}

impl Content for Alert {
    const KIND: &'static str = "alert";
    const COUNTER: &'static str = "open_alerts";

    fn is_live(&self) -> bool {
        Self::is_live(self)
    }

    fn opened_at(&self) -> DateTime<Utc> {
        self.opened_at
    }
}

impl Content for Disagreement {
    const KIND: &'static str = "disagreement";
    const COUNTER: &'static str = "open_disagreements";

    fn is_live(&self) -> bool {
        self.state == disagreement::State::Open
    }

    fn opened_at(&self) -> DateTime<Utc> {
        self.opened_at
    }
}

impl Content for Task {
    const KIND: &'static str = "task";
    const COUNTER: &'static str = "open_tasks";

    fn is_live(&self) -> bool {
        Self::is_live(self)
    }

    fn opened_at(&self) -> DateTime<Utc> {
        self.opened_at
    }
}

/// The series of the tasks about a subject. A user's id may hold any character, so its hash stands for it.
pub fn series_of_subject(subject: &Subject) -> String {
    match subject {
        Subject::Automation { rule } => format!("automation-{rule}"),
        Subject::FollowUp { user_id } => {
            format!("follow_up-{}", hex(Sha256::digest(user_id.as_str().as_bytes()).iter().take(12)))
        }
    }
}

/// The series of a rule's alerts.
pub fn series_of(rule: Rule) -> Result<String, StoreError> {
    match serde_json::to_value(rule)? {
        serde_json::Value::String(name) => Ok(name),
        other => Err(StoreError::Corrupt(format!("a rule is named {other}").into())),
    }
}

fn partition(workspace: &WorkspaceId, company: Option<&CompanyId>) -> String {
    company.map_or_else(|| format!("{workspace}#cases"), |company| keys::company(workspace, company))
}

fn sort_key<T: Content>(series: &str, number: u32) -> String {
    format!("{}#{series}#{number:06}", T::KIND)
}

fn list<T: Content>(workspace: &WorkspaceId, live: bool) -> String {
    format!("{workspace}#{}#{}", T::KIND, if live { "live" } else { "closed" })
}

impl<T> From<Stored<T>> for Case<T> {
    fn from(stored: Stored<T>) -> Self {
        let Stored { series, number, company_id: company, version, content } = stored;
        Self { place: Place { company, series, number }, version, content }
    }
}

fn read<T: Content>(found: Item) -> Result<Case<T>, StoreError> {
    Ok(item::read::<Stored<T>>(found)?.into())
}

impl Table {
    /// The latest case of a series.
    pub async fn latest_case<T: Content>(
        &self,
        workspace: &WorkspaceId,
        company: Option<&CompanyId>,
        series: &str,
    ) -> Result<Option<Case<T>>, StoreError> {
        let prefix = format!("{}#{series}#", T::KIND);
        let found = self.first(partition(workspace, company), prefix, false, 1).await?;
        found.into_iter().next().map(read).transpose()
    }

    /// All cases of a company, by series and number.
    pub async fn cases_of<T: Content>(
        &self,
        workspace: &WorkspaceId,
        company: &CompanyId,
    ) -> Result<Vec<Case<T>>, StoreError> {
        let range = super::Range::Prefix(format!("{}#", T::KIND));
        self.query(keys::company(workspace, company), range, false).await?.into_iter().map(read).collect()
    }

    /// All cases of the workspace itself, by series and number.
    pub async fn cases_of_workspace<T: Content>(
        &self,
        workspace: &WorkspaceId,
    ) -> Result<Vec<Case<T>>, StoreError> {
        let range = super::Range::Prefix(format!("{}#", T::KIND));
        self.query(partition(workspace, None), range, false).await?.into_iter().map(read).collect()
    }

    /// One case.
    pub async fn case<T: Content>(
        &self,
        workspace: &WorkspaceId,
        place: &Place,
    ) -> Result<Option<Case<T>>, StoreError> {
        let pk = partition(workspace, place.company.as_ref());
        let stored: Option<Stored<T>> = self.get(pk, sort_key::<T>(&place.series, place.number)).await?;
        Ok(stored.map(Case::from))
    }

    /// Live or closed cases of a workspace, the latest first: up to `limit` that come behind `after`, each with its
    /// place in the list.
    pub async fn cases<T: Content>(
        &self,
        workspace: &WorkspaceId,
        live: bool,
        after: Option<&str>,
        limit: i32,
    ) -> Result<Vec<(String, Case<T>)>, StoreError> {
        let behind = after.map(|after| ("<", after.to_owned()));
        let found = self.work_list(list::<T>(workspace, live), behind, false, limit).await?;
        let reads: Vec<_> = found.into_iter().map(|found| self.listed(found)).collect();
        let cases: Vec<Option<(String, Case<T>)>> =
            stream::iter(reads).buffered(AT_ONCE).try_collect().await?;
        // Between the two reads one may have been closed.
        let listed = |(_, case): &(String, Case<T>)| case.content.is_live() == live;
        Ok(cases.into_iter().flatten().filter(listed).collect())
    }

    /// The case that an entry of a list stands for, with its place in the list.
    async fn listed<T: Content>(&self, entry: Item) -> Result<Option<(String, Case<T>)>, StoreError> {
        let key = |name| item::get_text(&entry, name).map(str::to_owned);
        let stored: Option<Stored<T>> = self.get(key("pk")?, key("sk")?).await?;
        let Some(stored) = stored else { return Ok(None) };
        Ok(Some((key("work_sk")?, stored.into())))
    }

    /// Puts a case into another series of its company, with other content of the same liveness, all or nothing. Errors:
    /// [`StoreError::Conflict`] when somebody else was faster.
    pub async fn move_case<T: Content>(
        &self,
        workspace: &WorkspaceId,
        case: &Case<T>,
        series: &str,
        content: T,
    ) -> Result<(), StoreError> {
        let Place { company, series: old, number } = &case.place;
        let place = Place { company: company.clone(), series: series.to_owned(), number: *number };
        let moved = Case { place, version: case.version + 1, content };
        let stored = Stored {
            series: series.to_owned(),
            number: *number,
            company_id: company.clone(),
            version: moved.version,
            content: &moved.content,
        };
        let pk = partition(workspace, company.as_ref());
        let mut put = item::write(pk.clone(), sort_key::<T>(series, *number), &stored)?;
        put.insert("work_pk".to_owned(), item::text(list::<T>(workspace, moved.content.is_live())));
        put.insert("work_sk".to_owned(), item::text(moved.listed_at()));
        let gone = Delete::builder()
            .table_name(&self.name)
            .set_key(Some(item::key(pk, sort_key::<T>(old, *number))))
            .condition_expression("version = :version")
            .expression_attribute_values(":version", item::number(case.version))
            .build()?;
        let gone = TransactWriteItem::builder().delete(gone).build();
        self.transact(vec![self.transact_put(put, true)?, gone]).await
    }

    /// Writes a case, new with version 0 or upon the version that it was read with, the count of live ones on its
    /// company's row and the events that tell of it, all or nothing. Errors: [`StoreError::Conflict`] when somebody
    /// else was faster.
    pub async fn write_case<T: Content>(
        &self,
        workspace: &WorkspaceId,
        case: &Case<T>,
        was_live: bool,
        events: &[Event],
    ) -> Result<(), StoreError> {
        let Place { company, series, number } = &case.place;
        let live = case.content.is_live();
        let stored = Stored {
            series: series.clone(),
            number: *number,
            company_id: company.clone(),
            version: case.version + 1,
            content: case.content.clone(),
        };
        let mut written =
            item::write(partition(workspace, company.as_ref()), sort_key::<T>(series, *number), &stored)?;
        written.insert("work_pk".to_owned(), item::text(list::<T>(workspace, live)));
        written.insert("work_sk".to_owned(), item::text(case.listed_at()));
        let put = Put::builder().table_name(&self.name).set_item(Some(written));
        let put = if case.version == 0 {
            put.condition_expression("attribute_not_exists(pk)")
        } else {
            put.condition_expression("version = :version")
                .expression_attribute_values(":version", item::number(case.version))
        };
        let mut writes = vec![TransactWriteItem::builder().put(put.build()?).build()];
        if let Some(company) = company.as_ref().filter(|_| live != was_live) {
            self.touch(workspace, company).await?;
            let more = AttributeValue::N(if live { "1" } else { "-1" }.to_owned());
            let row = Update::builder()
                .table_name(&self.name)
                .set_key(Some(item::key(keys::companies(workspace), company.to_string())))
                .update_expression("ADD #counter :more")
                .condition_expression("attribute_exists(pk)")
                .expression_attribute_names("#counter", T::COUNTER)
                .expression_attribute_values(":more", more)
                .build()?;
            writes.push(TransactWriteItem::builder().update(row).build());
        }
        for event in events {
            writes.push(self.outbox_put(workspace, event)?);
        }
        self.transact(writes).await
    }
}
