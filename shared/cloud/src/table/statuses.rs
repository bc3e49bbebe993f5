//! Status changes: every setting of a business status, with author and note, beside the current one on the
//! company.

use aws_sdk_dynamodb::types::{TransactWriteItem, Update};
use barometer_domain::{
    CompanyId, WorkspaceId,
    status::{BusinessStatus, ChangeKind, Status},
};
use serde::{Deserialize, Serialize};

use super::{Range, StoreError, Table, item, keys};
use crate::bus::Event;

/// One setting of a business status.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct StatusChange {
    /// Its id.
    pub id: String,
    /// Transition or confirmation.
    pub kind: ChangeKind,
    /// The status before.
    pub from: Option<Status>,
    /// The status set.
    #[serde(flatten)]
    pub status: BusinessStatus,
}

impl Table {
    /// Writes a change: history, current status and events, all or nothing. `expected` is the version that the
    /// author saw. Errors: [`StoreError::Conflict`] when it isn't the current one.
    pub async fn set_status(
        &self,
        workspace: &WorkspaceId,
        company: &CompanyId,
        expected: u32,
        change: &StatusChange,
        events: &[Event],
    ) -> Result<(), StoreError> {
        self.touch(workspace, company).await?;
        let sk = format!("status#{}#{}", keys::instant(change.status.set_at), change.id);
        let history = item::write(keys::company(workspace, company), sk, change)?;
        let condition = if expected == 0 {
            "attribute_exists(pk) AND (attribute_not_exists(status_version) OR status_version = :expected)"
        } else {
            "status_version = :expected"
        };
        let current = Update::builder()
            .table_name(&self.name)
            .set_key(Some(item::key(keys::companies(workspace), company.to_string())))
            .update_expression("SET #status = :status, status_version = :next")
            .condition_expression(condition)
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":status", item::value(&change.status)?)
            .expression_attribute_values(":expected", item::number(expected))
            .expression_attribute_values(":next", item::number(expected + 1))
            .build()?;
        let mut writes =
            vec![self.transact_put(history, true)?, TransactWriteItem::builder().update(current).build()];
        for event in events {
            writes.push(self.outbox_put(workspace, event)?);
        }
        self.transact(writes).await
    }

    /// The history of a company's status, newest first.
    pub async fn status_changes(
        &self,
        workspace: &WorkspaceId,
        company: &CompanyId,
    ) -> Result<Vec<StatusChange>, StoreError> {
        let mut changes: Vec<StatusChange> =
            self.query_as(keys::company(workspace, company), Range::Prefix("status#".to_owned())).await?;
        changes.reverse();
        Ok(changes)
    }
}
