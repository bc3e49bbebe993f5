//! Activity: one item per company, week and user, with sets that only grow. `ADD` is atomic, commutative and
//! idempotent: an event delivered twice, late or out of order leaves the same item, and nothing is read first.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_dynamodb::types::AttributeValue;
use barometer_domain::{
    CompanyId, IsoWeek, UserId, WorkspaceId,
    activity::{Use, UserWeek},
};
use chrono::{DateTime, Utc};

use super::{Item, Range, StoreError, Table, item, keys};

/// Attributes of an activity item: the sets of [`UserWeek`].
const DAYS: &str = "days";
const USES: &str = "uses";
const SLOTS: &str = "slots";

fn sets(activity: &UserWeek) -> Vec<(&'static str, AttributeValue)> {
    let numbers = |numbers: Vec<String>| AttributeValue::Ns(numbers);
    let mut sets = Vec::new();
    if !activity.days.is_empty() {
        sets.push((DAYS, numbers(activity.days.iter().map(ToString::to_string).collect())));
    }
    if !activity.uses.is_empty() {
        sets.push((USES, AttributeValue::Ss(activity.uses.iter().map(ToString::to_string).collect())));
    }
    if !activity.slots.is_empty() {
        sets.push((SLOTS, numbers(activity.slots.iter().map(ToString::to_string).collect())));
    }
    sets
}

fn read(found: &Item) -> Result<UserWeek, StoreError> {
    fn numbers<N: std::str::FromStr + Ord>(found: &Item, name: &str) -> Result<BTreeSet<N>, StoreError> {
        match found.get(name) {
            Some(AttributeValue::Ns(numbers)) => numbers
                .iter()
                .map(|number| {
                    number.parse().map_err(|_| StoreError::Corrupt(format!("{name}: {number}").into()))
                })
                .collect(),
            _ => Ok(BTreeSet::new()),
        }
    }
    let uses = match found.get(USES) {
        Some(AttributeValue::Ss(uses)) => uses
            .iter()
            .map(|used| used.parse::<Use>().map_err(|error| StoreError::Corrupt(error.into())))
            .collect::<Result<_, _>>()?,
        _ => BTreeSet::new(),
    };
    Ok(UserWeek { days: numbers(found, DAYS)?, uses, slots: numbers(found, SLOTS)? })
}

fn week_of(sk: &str) -> Result<(IsoWeek, &str), StoreError> {
    let mut parts = sk.splitn(3, '#').skip(1);
    let week = parts.next().and_then(|week| week.parse().ok());
    let week = week.ok_or_else(|| StoreError::Corrupt(format!("{sk:?} names no week").into()))?;
    Ok((week, parts.next().unwrap_or_default()))
}

impl Table {
    async fn add_sets(
        &self,
        key: Item,
        activity: &UserWeek,
        expires_at: Option<DateTime<Utc>>,
    ) -> Result<(), StoreError> {
        let sets = sets(activity);
        if sets.is_empty() {
            return Ok(());
        }
        let adds: Vec<String> = sets.iter().map(|(name, _)| format!("#{name} :{name}")).collect();
        let mut expression = format!("ADD {}", adds.join(", "));
        let mut request = self.client.update_item().table_name(&self.name).set_key(Some(key));
        for (name, set) in sets {
            request = request
                .expression_attribute_names(format!("#{name}"), name)
                .expression_attribute_values(format!(":{name}"), set);
        }
        if let Some(at) = expires_at {
            expression.push_str(" SET expires_at = :expires_at");
            request = request.expression_attribute_values(":expires_at", item::expiry(at));
        }
        request.update_expression(expression).send().await?;
        Ok(())
    }

    /// Adds activity of a user at a company.
    pub async fn add_activity(
        &self,
        workspace: &WorkspaceId,
        company: &CompanyId,
        user: &UserId,
        week: IsoWeek,
        activity: &UserWeek,
    ) -> Result<(), StoreError> {
        let key = item::key(keys::company(workspace, company), keys::activity(week, user));
        self.add_sets(key, activity, None).await
    }

    /// Activity of all users of a company in a week.
    pub async fn activity_of_week(
        &self,
        workspace: &WorkspaceId,
        company: &CompanyId,
        week: IsoWeek,
    ) -> Result<BTreeMap<UserId, UserWeek>, StoreError> {
        let found =
            self.query(keys::company(workspace, company), Range::Prefix(format!("act#{week}#")), false);
        found
            .await?
            .iter()
            .map(|found| {
                let (_, user) = week_of(item::get_text(found, "sk")?)?;
                let user = UserId::new(user).map_err(|error| StoreError::Corrupt(error.into()))?;
                Ok((user, read(found)?))
            })
            .collect()
    }

    /// Activity of one user at a company in a week, read consistently.
    pub async fn activity_of_user(
        &self,
        workspace: &WorkspaceId,
        company: &CompanyId,
        user: &UserId,
        week: IsoWeek,
    ) -> Result<Option<UserWeek>, StoreError> {
        let answer = self
            .client
            .get_item()
            .table_name(&self.name)
            .set_key(Some(item::key(keys::company(workspace, company), keys::activity(week, user))))
            .consistent_read(true)
            .send()
            .await?;
        answer.item.as_ref().map(read).transpose()
    }

    /// Forgets a user's activity of a week at a company, if it is still what was read. Errors:
    /// [`StoreError::Conflict`] when something was added since.
    pub async fn delete_activity(
        &self,
        workspace: &WorkspaceId,
        company: &CompanyId,
        user: &UserId,
        week: IsoWeek,
        seen: &UserWeek,
    ) -> Result<(), StoreError> {
        let key = item::key(keys::company(workspace, company), keys::activity(week, user));
        self.delete_sets(key, seen).await
    }

    async fn delete_sets(&self, key: Item, seen: &UserWeek) -> Result<(), StoreError> {
        let sets = sets(seen);
        let mut request = self.client.delete_item().table_name(&self.name).set_key(Some(key));
        let mut conditions = Vec::new();
        for name in [DAYS, USES, SLOTS] {
            request = request.expression_attribute_names(format!("#{name}"), name);
            if sets.iter().any(|(present, _)| *present == name) {
                conditions.push(format!("#{name} = :{name}"));
            } else {
                conditions.push(format!("attribute_not_exists(#{name})"));
            }
        }
        for (name, set) in sets {
            request = request.expression_attribute_values(format!(":{name}"), set);
        }
        request.condition_expression(conditions.join(" AND ")).send().await?;
        Ok(())
    }

    /// Whether a company has sent any activity in a week: one item is read.
    pub async fn heard_in(
        &self,
        workspace: &WorkspaceId,
        company: &CompanyId,
        week: IsoWeek,
    ) -> Result<bool, StoreError> {
        let pk = keys::company(workspace, company);
        Ok(!self.first(pk, format!("act#{week}#"), true, 1).await?.is_empty())
    }

    /// The first week in which a company sent activity: one item is read.
    pub async fn first_heard(
        &self,
        workspace: &WorkspaceId,
        company: &CompanyId,
    ) -> Result<Option<IsoWeek>, StoreError> {
        let earliest = self.first(keys::company(workspace, company), "act#".to_owned(), true, 1).await?;
        earliest.first().map(|found| Ok(week_of(item::get_text(found, "sk")?)?.0)).transpose()
    }

    /// Whether a company has sent any activity up to and including a week: one item is read.
    pub async fn heard_until(
        &self,
        workspace: &WorkspaceId,
        company: &CompanyId,
        week: IsoWeek,
    ) -> Result<bool, StoreError> {
        Ok(self.first_heard(workspace, company).await?.is_some_and(|first| first <= week))
    }

    /// The latest week in which a company sent activity, with who was active: for "last seen".
    pub async fn latest_activity(
        &self,
        workspace: &WorkspaceId,
        company: &CompanyId,
    ) -> Result<Option<(IsoWeek, BTreeMap<UserId, UserWeek>)>, StoreError> {
        let latest = self.first(keys::company(workspace, company), "act#".to_owned(), false, 1).await?;
        let Some(found) = latest.first() else { return Ok(None) };
        let (week, _) = week_of(item::get_text(found, "sk")?)?;
        Ok(Some((week, self.activity_of_week(workspace, company, week).await?)))
    }

    /// Keeps activity of a user whose company isn't known yet, until `expires_at`.
    pub async fn add_pending(
        &self,
        workspace: &WorkspaceId,
        user: &UserId,
        week: IsoWeek,
        activity: &UserWeek,
        expires_at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let key = item::key(keys::user(workspace, user), format!("pending#{week}"));
        self.add_sets(key, activity, Some(expires_at)).await
    }

    /// Activity of a user that waits for a company, read consistently.
    pub async fn pending(
        &self,
        workspace: &WorkspaceId,
        user: &UserId,
    ) -> Result<Vec<(IsoWeek, UserWeek)>, StoreError> {
        let found =
            self.query(keys::user(workspace, user), Range::Prefix("pending#".to_owned()), true).await?;
        found.iter().map(|found| Ok((week_of(item::get_text(found, "sk")?)?.0, read(found)?))).collect()
    }

    /// Forgets pending activity that was attributed, if it is still what was read. Errors:
    /// [`StoreError::Conflict`] when something was added since.
    pub async fn delete_pending(
        &self,
        workspace: &WorkspaceId,
        user: &UserId,
        week: IsoWeek,
        seen: &UserWeek,
    ) -> Result<(), StoreError> {
        self.delete_sets(item::key(keys::user(workspace, user), format!("pending#{week}")), seen).await
    }

    /// Remembers where an anonymous user was active, so that a later identify can move it.
    pub async fn note_touched(
        &self,
        workspace: &WorkspaceId,
        user: &UserId,
        week: IsoWeek,
        company: &CompanyId,
    ) -> Result<(), StoreError> {
        let touched = item::key(keys::user(workspace, user), format!("touched#{week}#{company}"));
        self.put(touched, false).await
    }

    /// Where an anonymous user was active, read consistently.
    pub async fn touched(
        &self,
        workspace: &WorkspaceId,
        user: &UserId,
    ) -> Result<Vec<(IsoWeek, CompanyId)>, StoreError> {
        let found =
            self.query(keys::user(workspace, user), Range::Prefix("touched#".to_owned()), true).await?;
        found
            .iter()
            .map(|found| {
                let (week, company) = week_of(item::get_text(found, "sk")?)?;
                Ok((week, CompanyId::new(company).map_err(|error| StoreError::Corrupt(error.into()))?))
            })
            .collect()
    }

    /// Forgets where an anonymous user was active.
    pub async fn delete_touched(
        &self,
        workspace: &WorkspaceId,
        user: &UserId,
        week: IsoWeek,
        company: &CompanyId,
    ) -> Result<(), StoreError> {
        self.delete(keys::user(workspace, user), format!("touched#{week}#{company}")).await
    }
}
