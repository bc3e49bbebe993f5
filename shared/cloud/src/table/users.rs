//! Users across companies: what is known of a person, which groups they named, who they turned out to be.

use aws_sdk_dynamodb::types::AttributeValue;
use barometer_domain::{CompanyId, UserId, WorkspaceId, Zone};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{Range, StoreError, Table, item, keys, members::Person, or_done};

/// A person, apart from any company.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct User {
    /// E-mail address.
    #[serde(default)]
    pub email: Option<String>,
    /// Name.
    #[serde(default)]
    pub name: Option<String>,
    /// Zone.
    #[serde(default)]
    pub time_zone: Option<Zone>,
    /// Language, as a BCP 47 tag.
    #[serde(default)]
    pub language: Option<String>,
    /// The user that this anonymous one turned out to be.
    #[serde(default)]
    pub alias_of: Option<UserId>,
    /// When they unsubscribed from everything automated.
    #[serde(default)]
    pub unsubscribed_at: Option<DateTime<Utc>>,
    /// When they were last asked, for any company.
    #[serde(default)]
    pub last_ask_at: Option<DateTime<Utc>>,
    /// The earliest event that named them without a company.
    #[serde(default)]
    pub first_seen_at: Option<DateTime<Utc>>,
}

impl User {
    /// What is known of the person.
    pub fn person(&self) -> Person {
        Person {
            email: self.email.clone(),
            name: self.name.clone(),
            time_zone: self.time_zone,
            language: self.language.clone(),
        }
    }
}

/// A group that a user named, since when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// The company.
    pub company: CompanyId,
    /// The earliest `group()` that named it.
    pub since: DateTime<Utc>,
}

/// A person with the groups they named.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Identity {
    /// The person.
    pub user: User,
    /// The groups, the earliest first.
    pub groups: Vec<Group>,
}

impl Identity {
    /// The company that an event at `at` without one belongs to: the group named last before it, else the first
    /// named after it. Depends on what was said, not on the order of arrival.
    pub fn company_at(&self, at: DateTime<Utc>) -> Option<&CompanyId> {
        let before = self.groups.iter().rev().find(|group| group.since <= at);
        before.or(self.groups.first()).map(|group| &group.company)
    }
}

impl Table {
    /// What is known of a user, read consistently: one query.
    pub async fn identity(&self, workspace: &WorkspaceId, user: &UserId) -> Result<Identity, StoreError> {
        let pk = keys::user(workspace, user);
        // `group#…` and `user` lie side by side; `pending#…` and `touched#…` lie between them and are left out.
        let groups = self.query(pk.clone(), Range::Prefix("group#".to_owned()), true).await?;
        let mut groups = groups
            .iter()
            .map(|found| {
                let company = item::get_text(found, "sk")?.strip_prefix("group#").unwrap_or_default();
                let since = item::get_text(found, "since")?;
                Ok(Group {
                    company: CompanyId::new(company).map_err(|error| StoreError::Corrupt(error.into()))?,
                    since: since
                        .parse()
                        .map_err(|error: chrono::ParseError| StoreError::Corrupt(error.into()))?,
                })
            })
            .collect::<Result<Vec<_>, StoreError>>()?;
        groups.sort_by(|a, b| (a.since, &a.company).cmp(&(b.since, &b.company)));
        Ok(Identity { user: self.get(pk, "user".to_owned()).await?.unwrap_or_default(), groups })
    }

    /// One user.
    pub async fn user(&self, workspace: &WorkspaceId, user: &UserId) -> Result<Option<User>, StoreError> {
        self.get(keys::user(workspace, user), "user".to_owned()).await
    }

    /// Adds what is known of a person.
    pub async fn describe_user(
        &self,
        workspace: &WorkspaceId,
        user: &UserId,
        person: &Person,
    ) -> Result<(), StoreError> {
        self.describe(item::key(keys::user(workspace, user), "user".to_owned()), person, false).await
    }

    /// Remembers that a user named a company; the earliest instant wins.
    pub async fn note_group(
        &self,
        workspace: &WorkspaceId,
        user: &UserId,
        company: &CompanyId,
        since: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let noted = self
            .update(keys::user(workspace, user), format!("group#{company}"))
            .update_expression("SET since = :since")
            .condition_expression("attribute_not_exists(since) OR since > :since")
            .expression_attribute_values(":since", item::text(keys::instant(since)))
            .send()
            .await;
        or_done(noted)
    }

    /// Remembers the earliest event of a user whose company isn't known yet.
    pub async fn note_seen(
        &self,
        workspace: &WorkspaceId,
        user: &UserId,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let noted = self
            .update(keys::user(workspace, user), "user".to_owned())
            .update_expression("SET first_seen_at = :at")
            .condition_expression("attribute_not_exists(first_seen_at) OR first_seen_at > :at")
            .expression_attribute_values(":at", item::text(keys::instant(at)))
            .send()
            .await;
        or_done(noted)
    }

    /// Remembers that an anonymous user is `user`.
    pub async fn note_alias(
        &self,
        workspace: &WorkspaceId,
        anonymous: &UserId,
        user: &UserId,
    ) -> Result<(), StoreError> {
        self.set_user(workspace, anonymous, "alias_of", item::text(user.as_str())).await
    }

    /// Unsubscribes a user from everything automated. Saying it again changes nothing.
    pub async fn unsubscribe(
        &self,
        workspace: &WorkspaceId,
        user: &UserId,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        self.update(keys::user(workspace, user), "user".to_owned())
            .update_expression("SET unsubscribed_at = if_not_exists(unsubscribed_at, :at)")
            .expression_attribute_values(":at", item::text(keys::instant(at)))
            .send()
            .await?;
        Ok(())
    }

    /// Records when a user was last asked, for any company.
    pub async fn note_asked(
        &self,
        workspace: &WorkspaceId,
        user: &UserId,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        self.set_user(workspace, user, "last_ask_at", item::text(keys::instant(at))).await
    }

    async fn set_user(
        &self,
        workspace: &WorkspaceId,
        user: &UserId,
        name: &str,
        value: AttributeValue,
    ) -> Result<(), StoreError> {
        self.update(keys::user(workspace, user), "user".to_owned())
            .update_expression(format!("SET {name} = :value"))
            .expression_attribute_values(":value", value)
            .send()
            .await?;
        Ok(())
    }
}
