//! Snapshots: what was published of a week or a month, revision by revision, never changed.

use barometer_domain::{CompanyId, IsoWeek, Month, WorkspaceId, month::MonthSnapshot, week::WeekSnapshot};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{Range, StoreError, Table, companies::Readings, item, keys};
use crate::bus::Event;

/// A published snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Published<T> {
    /// 1, then one more for every correction.
    pub revision: u32,
    /// When it was published.
    pub published_at: DateTime<Utc>,
    /// What was published.
    pub snapshot: T,
}

/// Weeks that scoring looks back on.
const LOOK_BACK_WEEKS: i64 = 4;

impl Table {
    async fn revisions<T: DeserializeOwned>(
        &self,
        workspace: &WorkspaceId,
        company: &CompanyId,
        from: String,
        to: String,
    ) -> Result<Vec<Published<T>>, StoreError> {
        self.query_as(keys::company(workspace, company), Range::Between(from, to)).await
    }

    /// The latest revision of every week from `from` to `to`, oldest first.
    pub async fn weeks(
        &self,
        workspace: &WorkspaceId,
        company: &CompanyId,
        from: IsoWeek,
        to: IsoWeek,
    ) -> Result<Vec<Published<WeekSnapshot>>, StoreError> {
        let all = self.weeks_with_revisions(workspace, company, from, to).await?;
        Ok(latest(all, |snapshot: &WeekSnapshot| snapshot.period))
    }

    /// Every revision of every week from `from` to `to`, oldest first.
    pub async fn weeks_with_revisions(
        &self,
        workspace: &WorkspaceId,
        company: &CompanyId,
        from: IsoWeek,
        to: IsoWeek,
    ) -> Result<Vec<Published<WeekSnapshot>>, StoreError> {
        let (first, last) = (keys::week_snapshot(from, 0), keys::week_snapshot(to, 9_999));
        self.revisions(workspace, company, first, last).await
    }

    /// Every revision of one week, oldest first.
    pub async fn week_revisions(
        &self,
        workspace: &WorkspaceId,
        company: &CompanyId,
        week: IsoWeek,
    ) -> Result<Vec<Published<WeekSnapshot>>, StoreError> {
        self.weeks_with_revisions(workspace, company, week, week).await
    }

    /// What scoring `week` looks back on: the latest revisions of the four weeks before it, oldest first, and,
    /// where none of them was scored, the last week that was.
    pub async fn weeks_before(
        &self,
        workspace: &WorkspaceId,
        company: &CompanyId,
        week: IsoWeek,
    ) -> Result<Vec<Published<WeekSnapshot>>, StoreError> {
        let recent = self.weeks(workspace, company, week.plus(-LOOK_BACK_WEEKS), week.previous()).await?;
        if !recent.is_empty() {
            return Ok(recent);
        }
        let answer = self
            .client
            .query()
            .table_name(&self.name)
            .key_condition_expression("pk = :pk AND sk BETWEEN :a AND :b")
            .expression_attribute_values(":pk", item::text(keys::company(workspace, company)))
            .expression_attribute_values(":a", item::text("week#"))
            .expression_attribute_values(":b", item::text(keys::week_snapshot(week, 0)))
            .scan_index_forward(false)
            .limit(1)
            .send()
            .await?;
        answer.items.unwrap_or_default().into_iter().map(item::read).collect()
    }

    /// The latest revision of every month from `from` to `to`, oldest first.
    pub async fn months(
        &self,
        workspace: &WorkspaceId,
        company: &CompanyId,
        from: Month,
        to: Month,
    ) -> Result<Vec<Published<MonthSnapshot>>, StoreError> {
        let (first, last) = (keys::month_snapshot(from, 0), keys::month_snapshot(to, 9_999));
        let all = self.revisions(workspace, company, first, last).await?;
        Ok(latest(all, |snapshot: &MonthSnapshot| snapshot.period))
    }

    /// Publishes a revision of a week, the row of the company and the events that tell of it: with events in one
    /// transaction, else one after the other (a crash between the two is mended by the next run, which always
    /// writes the row). Errors: [`StoreError::Conflict`] when the revision exists.
    pub async fn publish_week(
        &self,
        workspace: &WorkspaceId,
        company: &CompanyId,
        published: &Published<WeekSnapshot>,
        readings: &Readings,
        events: &[Event],
    ) -> Result<(), StoreError> {
        let sk = keys::week_snapshot(published.snapshot.period, published.revision);
        self.publish_snapshot(workspace, company, sk, published, readings, events).await
    }

    /// Publishes a revision of a month; see [`Table::publish_week`].
    pub async fn publish_month(
        &self,
        workspace: &WorkspaceId,
        company: &CompanyId,
        published: &Published<MonthSnapshot>,
        readings: &Readings,
        events: &[Event],
    ) -> Result<(), StoreError> {
        let sk = keys::month_snapshot(published.snapshot.period, published.revision);
        self.publish_snapshot(workspace, company, sk, published, readings, events).await
    }

    async fn publish_snapshot<T: Serialize>(
        &self,
        workspace: &WorkspaceId,
        company: &CompanyId,
        sk: String,
        published: &Published<T>,
        readings: &Readings,
        events: &[Event],
    ) -> Result<(), StoreError> {
        let snapshot = item::write(keys::company(workspace, company), sk, published)?;
        if events.is_empty() {
            self.put(snapshot, true).await?;
            return self.write_readings(workspace, company, readings).await;
        }
        let mut writes = vec![self.transact_put(snapshot, true)?];
        writes.extend(self.told_readings(workspace, company, readings, events)?);
        self.transact(writes).await
    }
}

/// The last of each period's revisions; items come ordered by period and revision.
fn latest<T, P: PartialEq>(all: Vec<Published<T>>, period: impl Fn(&T) -> P) -> Vec<Published<T>> {
    let mut kept: Vec<Published<T>> = Vec::new();
    for published in all {
        if kept.last().is_some_and(|last| period(&last.snapshot) == period(&published.snapshot)) {
            kept.pop();
        }
        kept.push(published);
    }
    kept
}
