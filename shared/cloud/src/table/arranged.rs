//! The portfolio as it was arranged: the rows of all companies in every order, packed into sheets, so that a page of a list
//! reads a sheet or two, whatever the number of companies.
//!
//! An arrangement is never changed. Whoever changes a company's row first leaves a mark that names the company; readers take
//! the rows of marked companies from where they are written, and keep what they read beside the arrangement. So what they
//! keep is only ever a copy: without it the marks say what to read again. The next arrangement takes the marks away.

use aws_sdk_dynamodb::{primitives::Blob, types::AttributeValue};
use barometer_domain::{CompanyId, WorkspaceId};
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{Item, Range, StoreError, Table, companies::Company, item, keys, or_done, packing};
use crate::listing::{Counted, Position, Sort, Summary};

/// Rows of a sheet: a page of 50 lies on two at most.
pub const SHEET: usize = 64;
/// How long a sheet is kept.
const KEPT: TimeDelta = TimeDelta::days(10);
/// How long an arrangement is read: whoever began to read it can end.
pub const READ: TimeDelta = TimeDelta::days(9);
/// By then a write whose mark was left before it has been done or given up: longer than any operation may take.
pub const SETTLES: TimeDelta = TimeDelta::seconds(60);
/// Bytes of a copy that is kept, below DynamoDB's item limit of 400 KB.
const MAX_COPY: usize = 380_000;
const HEAD: &str = "head";
const COPIES: &str = "copies";
const MARK: &str = "touched#";
const CONTENTS: &str = "contents";

/// A company's row as lists need it: without the traits and memories that none of them shows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Row(Company);

impl Row {
    /// The row of a company.
    pub fn of(mut company: Company) -> Self {
        company.traits.clear();
        company.status_version = 0;
        company.settled_band = None;
        company.settled_level = None;
        if let Some(engagement) = &mut company.engagement {
            engagement.heard.clear();
            engagement.previous = None;
        }
        if let Some(month) = &mut company.month {
            month.previous = None;
        }
        Self(company)
    }

    /// The company, without what a row lacks.
    pub fn company(&self) -> &Company {
        &self.0
    }

    /// Its id.
    pub fn id(&self) -> &CompanyId {
        &self.0.company_id
    }
}

/// What an arrangement is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Head {
    /// Its id.
    pub id: String,
    /// The instant that everything in it was sorted and counted for.
    pub arranged_at: DateTime<Utc>,
    /// Companies in it.
    pub companies: usize,
    /// By the name of each order, the companies whose value in it is known: they come first.
    pub known: std::collections::BTreeMap<String, usize>,
    /// How many companies stand where.
    pub summary: Summary,
}

/// A row that was read because its company was marked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Copied {
    /// The row; nothing when there is none.
    pub row: Option<Row>,
    /// What the arrangement counts of the company; nothing when the company isn't in it.
    pub was: Option<Counted>,
    /// When it was read, by the clock of the machine.
    pub read_at: DateTime<Utc>,
}

/// A mark: the company's row may have been changed since it was arranged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// The company.
    pub company: CompanyId,
    /// When it was left, by the clock of the machine.
    pub at: DateTime<Utc>,
}

/// What there is of a workspace's arrangement without its sheets.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Arranged {
    /// The arrangement; nothing before the first one.
    pub head: Option<Head>,
    /// Copies of rows that belong to it.
    pub copies: Vec<Copied>,
    /// The marks.
    pub marks: Vec<Mark>,
}

/// The instant stands beside the rest, in a form that is compared as text.
#[derive(Serialize, Deserialize)]
struct StoredHead {
    arranged_at: String,
    body: String,
}

#[derive(Serialize, Deserialize)]
struct StoredMark {
    at: DateTime<Utc>,
}

fn partition(workspace: &WorkspaceId) -> String {
    format!("{workspace}#arranged")
}

/// A partition for each order: what is written at once goes to many.
fn order(workspace: &WorkspaceId, head: &str, sort: Sort) -> String {
    format!("{workspace}#arranged#{head}#{}", sort.as_kept().name())
}

fn pack(content: &impl Serialize) -> Result<Vec<u8>, StoreError> {
    packing::pack(&serde_json::to_vec(content)?)
}

fn unpack<T: DeserializeOwned>(item: &Item) -> Result<T, StoreError> {
    let Some(AttributeValue::B(packed)) = item.get("body") else {
        return Err(StoreError::Corrupt("a sheet without a body".into()));
    };
    Ok(serde_json::from_slice(&packing::unpack(packed.as_ref())?)?)
}

impl Table {
    /// Leaves a mark before a company's row is changed.
    pub(super) async fn touch(&self, workspace: &WorkspaceId, company: &CompanyId) -> Result<(), StoreError> {
        self.mark_touched(workspace, company, Utc::now()).await
    }

    /// Marks a company's row as changed at an instant of the machine's clock.
    pub async fn mark_touched(
        &self,
        workspace: &WorkspaceId,
        company: &CompanyId,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let mark = item::write(partition(workspace), format!("{MARK}{company}"), &StoredMark { at })?;
        self.client.put_item().table_name(&self.name).set_item(Some(mark)).send().await?;
        Ok(())
    }

    /// The arrangement that is read at `now`, with the marks and what was read because of them: one query.
    pub async fn arranged(
        &self,
        workspace: &WorkspaceId,
        now: DateTime<Utc>,
    ) -> Result<Arranged, StoreError> {
        let mut arranged = Arranged::default();
        let mut copies = None;
        for found in self.query(partition(workspace), Range::All, false).await? {
            match item::get_text(&found, "sk")? {
                HEAD => {
                    let head: Head = serde_json::from_str(&item::read::<StoredHead>(found)?.body)?;
                    arranged.head = Some(head).filter(|head| now <= head.arranged_at + READ);
                }
                COPIES => copies = Some(found),
                other => {
                    let company = other.strip_prefix(MARK).map(CompanyId::new).and_then(Result::ok);
                    let company =
                        company.ok_or_else(|| StoreError::Corrupt(format!("a mark of {other}").into()))?;
                    let StoredMark { at } = item::read(found)?;
                    arranged.marks.push(Mark { company, at });
                }
            }
        }
        if let (Some(head), Some(copies)) = (&arranged.head, copies)
            && item::get_text(&copies, "head")? == head.id
        {
            arranged.copies = unpack(&copies)?;
        }
        Ok(arranged)
    }

    /// Keeps copies of rows beside the arrangement that they were read for, unless they are too many for an item.
    pub async fn keep_copies(
        &self,
        workspace: &WorkspaceId,
        head: &Head,
        copies: &[Copied],
    ) -> Result<(), StoreError> {
        let packed = pack(&copies)?;
        if packed.len() > MAX_COPY {
            return Ok(());
        }
        let mut kept = item::key(partition(workspace), COPIES.to_owned());
        kept.insert("head".to_owned(), item::text(&head.id));
        kept.insert("body".to_owned(), AttributeValue::B(Blob::new(packed)));
        self.put(kept, false).await
    }

    /// The first position of every sheet of an order.
    pub async fn contents(
        &self,
        workspace: &WorkspaceId,
        head: &Head,
        sort: Sort,
    ) -> Result<Vec<Position>, StoreError> {
        self.packed(order(workspace, &head.id, sort), CONTENTS.to_owned()).await
    }

    /// A sheet of an order, in the way round in which it is kept.
    pub async fn sheet(
        &self,
        workspace: &WorkspaceId,
        head: &Head,
        sort: Sort,
        number: usize,
    ) -> Result<Vec<Row>, StoreError> {
        self.packed(order(workspace, &head.id, sort), sheet(number)).await
    }

    async fn packed<T: DeserializeOwned>(&self, pk: String, sk: String) -> Result<T, StoreError> {
        // What was written a moment ago may be there for consistent reads only.
        for consistent in [false, true] {
            let answer = self
                .client
                .get_item()
                .table_name(&self.name)
                .set_key(Some(item::key(pk.clone(), sk.clone())))
                .consistent_read(consistent)
                .send()
                .await?;
            if let Some(found) = answer.item {
                return unpack(&found);
            }
        }
        Err(StoreError::Corrupt(format!("no {sk} of {pk}").into()))
    }

    /// Writes the first positions of an order's sheets.
    pub async fn put_contents(
        &self,
        workspace: &WorkspaceId,
        head: &Head,
        sort: Sort,
        first: &[Position],
    ) -> Result<(), StoreError> {
        self.put_packed(workspace, head, sort, CONTENTS.to_owned(), pack(&first)?).await
    }

    /// Writes a sheet of an order.
    pub async fn put_sheet(
        &self,
        workspace: &WorkspaceId,
        head: &Head,
        sort: Sort,
        number: usize,
        rows: &[&Row],
    ) -> Result<(), StoreError> {
        self.put_packed(workspace, head, sort, sheet(number), pack(&rows)?).await
    }

    async fn put_packed(
        &self,
        workspace: &WorkspaceId,
        head: &Head,
        sort: Sort,
        sk: String,
        packed: Vec<u8>,
    ) -> Result<(), StoreError> {
        let mut put = item::key(order(workspace, &head.id, sort), sk);
        put.insert("body".to_owned(), AttributeValue::B(Blob::new(packed)));
        put.insert("expires_at".to_owned(), item::expiry(head.arranged_at + KEPT));
        self.put(put, false).await
    }

    /// Makes an arrangement whose sheets are all written the one that is read, unless a later one is read already. Returns
    /// whether it is.
    pub async fn read_from(&self, workspace: &WorkspaceId, head: &Head) -> Result<bool, StoreError> {
        let at = keys::instant(head.arranged_at);
        let stored = StoredHead { arranged_at: at.clone(), body: serde_json::to_string(head)? };
        let put = self
            .client
            .put_item()
            .table_name(&self.name)
            .set_item(Some(item::write(partition(workspace), HEAD.to_owned(), &stored)?))
            .condition_expression("attribute_not_exists(pk) OR arranged_at <= :at")
            .expression_attribute_values(":at", item::text(at))
            .send()
            .await;
        match put.map_err(StoreError::from) {
            Ok(_) => Ok(true),
            Err(StoreError::Conflict) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Takes a mark away, unless it was left again meanwhile.
    pub async fn unmark(&self, workspace: &WorkspaceId, mark: &Mark) -> Result<(), StoreError> {
        let gone = self
            .client
            .delete_item()
            .table_name(&self.name)
            .set_key(Some(item::key(partition(workspace), format!("{MARK}{}", mark.company))))
            .condition_expression("#at = :at")
            .expression_attribute_names("#at", "at")
            .expression_attribute_values(":at", item::value(&mark.at)?)
            .send()
            .await;
        or_done(gone)
    }
}

fn sheet(number: usize) -> String {
    format!("sheet#{number:06}")
}
