//! The members of a workspace: the people who work with it, found by id within it and by e-mail address across all.
//!
//! Two items each, written together: the member under its workspace, and under the address's hash a pointer for each
//! workspace, because somebody who signs in says an address and no workspace. The pointer also keeps an address from
//! being two members of one workspace. An admin is taken away only in a transaction that checks another one's item, so
//! the last can't go, and of two who remove each other one is refused.

use aws_sdk_dynamodb::types::{ConditionCheck, TransactWriteItem, Update};
use barometer_domain::{WorkspaceId, email::EmailAddress};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{
    Range, StoreError, Table,
    credentials::{Scope, hash},
    item,
};

/// What a member may do.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Looks at everything.
    Viewer,
    /// Changes companies, statuses and tasks too.
    Csm,
    /// Changes settings, tokens and members too.
    Admin,
}

impl Role {
    /// The scope of a member's sessions.
    pub fn scope(self) -> Scope {
        match self {
            Self::Viewer => Scope::Read,
            Self::Csm => Scope::Write,
            Self::Admin => Scope::Admin,
        }
    }
}

/// A member of a workspace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// Its id.
    pub id: String,
    /// The workspace.
    pub workspace_id: WorkspaceId,
    /// The address that links are mailed to. Who stands in histories, and owns companies.
    pub email: EmailAddress,
    /// A name for people.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// Who added them.
    pub added_by: String,
    /// When.
    pub added_at: DateTime<Utc>,
    /// When they signed in last; nothing before the first time.
    #[serde(default)]
    pub last_sign_in: Option<DateTime<Utc>>,
}

/// Where an address is a member's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Pointer {
    workspace_id: WorkspaceId,
    member_id: String,
}

pub(super) fn pk(workspace: &WorkspaceId) -> String {
    format!("{workspace}#team")
}

fn address(email: &EmailAddress) -> String {
    format!("address#{}", hash(email.as_str()))
}

impl Table {
    /// Adds a member. Errors: [`StoreError::Conflict`] when the address is one's already.
    pub async fn add_member(&self, member: &Member) -> Result<(), StoreError> {
        self.transact(self.member_writes(member)?).await
    }

    pub(super) fn member_writes(&self, member: &Member) -> Result<Vec<TransactWriteItem>, StoreError> {
        let stored = item::write(pk(&member.workspace_id), member.id.clone(), member)?;
        let pointer = Pointer { workspace_id: member.workspace_id.clone(), member_id: member.id.clone() };
        let pointer = item::write(address(&member.email), member.workspace_id.to_string(), &pointer)?;
        Ok(vec![self.transact_put(stored, true)?, self.transact_put(pointer, true)?])
    }

    /// The members of a workspace, by id.
    pub async fn team(&self, workspace: &WorkspaceId) -> Result<Vec<Member>, StoreError> {
        self.query_as(pk(workspace), Range::All).await
    }

    /// A member by id, as it is at this moment.
    pub async fn team_member(&self, workspace: &WorkspaceId, id: &str) -> Result<Option<Member>, StoreError> {
        if id.is_empty() {
            return Ok(None);
        }
        self.get(pk(workspace), id.to_owned()).await
    }

    /// Whoever has an address, in every workspace where it is a member's.
    pub async fn memberships(&self, email: &EmailAddress) -> Result<Vec<Member>, StoreError> {
        let pointers: Vec<Pointer> = self.query_as(address(email), Range::All).await?;
        let mut members = Vec::new();
        for Pointer { workspace_id, member_id } in pointers {
            members.extend(self.team_member(&workspace_id, &member_id).await?);
        }
        Ok(members)
    }

    /// Gives a member another name and role. `other_admin` is the id of an admin who stays, needed where an admin ceases
    /// to be one. Errors: [`StoreError::Conflict`] when the member isn't as it was seen, or the other one is no admin any
    /// more.
    pub async fn change_member(
        &self,
        seen: &Member,
        name: &str,
        role: Role,
        other_admin: Option<&str>,
    ) -> Result<(), StoreError> {
        let update = Update::builder()
            .table_name(&self.name)
            .set_key(Some(item::key(pk(&seen.workspace_id), seen.id.clone())))
            .update_expression("SET #name = :name, #role = :role")
            .condition_expression("#name = :was_name AND #role = :was_role")
            .expression_attribute_names("#name", "name")
            .expression_attribute_names("#role", "role")
            .expression_attribute_values(":name", item::text(name))
            .expression_attribute_values(":role", item::value(&role)?)
            .expression_attribute_values(":was_name", item::text(&seen.name))
            .expression_attribute_values(":was_role", item::value(&seen.role)?)
            .build()?;
        let mut writes = vec![TransactWriteItem::builder().update(update).build()];
        writes.extend(self.stays_admin(&seen.workspace_id, other_admin)?);
        self.transact(writes).await
    }

    /// Removes a member. `other_admin` as in [`Table::change_member`]. Errors: [`StoreError::Conflict`] when the member
    /// isn't there or has become an admin, or the other one is none any more.
    pub async fn remove_member(&self, seen: &Member, other_admin: Option<&str>) -> Result<(), StoreError> {
        let delete = aws_sdk_dynamodb::types::Delete::builder()
            .table_name(&self.name)
            .set_key(Some(item::key(pk(&seen.workspace_id), seen.id.clone())))
            .condition_expression("#role = :was")
            .expression_attribute_names("#role", "role")
            .expression_attribute_values(":was", item::value(&seen.role)?)
            .build()?;
        let mut writes = vec![
            TransactWriteItem::builder().delete(delete).build(),
            self.transact_delete(address(&seen.email), seen.workspace_id.to_string(), None)?,
        ];
        writes.extend(self.stays_admin(&seen.workspace_id, other_admin)?);
        self.transact(writes).await
    }

    fn stays_admin(
        &self,
        workspace: &WorkspaceId,
        other: Option<&str>,
    ) -> Result<Option<TransactWriteItem>, StoreError> {
        let Some(other) = other else { return Ok(None) };
        let check = ConditionCheck::builder()
            .table_name(&self.name)
            .set_key(Some(item::key(pk(workspace), other.to_owned())))
            .condition_expression("#role = :admin")
            .expression_attribute_names("#role", "role")
            .expression_attribute_values(":admin", item::value(&Role::Admin)?)
            .build()?;
        Ok(Some(TransactWriteItem::builder().condition_check(check).build()))
    }
}
