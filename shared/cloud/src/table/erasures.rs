//! Erasures that aren't through yet: who is to be forgotten, and how far the log has been gone through. Such an item is
//! the last place that knows the person's ids, and it goes when nothing else does.

use std::collections::BTreeSet;

use barometer_domain::{CompanyId, IsoWeek, UserId, WorkspaceId};
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use super::{
    Range, StoreError, Table,
    answers::{Answer, Place},
    asks::Ask,
    item, keys,
    members::Member,
    or_done,
};

/// An erasure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Erasure {
    /// The person.
    pub user_id: UserId,
    /// Their ids: their own, and those that turned out to be theirs.
    pub ids: BTreeSet<UserId>,
    /// Where they were seen.
    pub companies: BTreeSet<CompanyId>,
    /// The id under which what they did is kept: it says nothing.
    pub alias: UserId,
    /// When somebody asked for it.
    pub requested_at: DateTime<Utc>,
    /// The next day of the log that is to be gone through.
    pub log_day: NaiveDate,
}

fn partition(workspace: &WorkspaceId) -> String {
    format!("{workspace}#erasures")
}

impl Table {
    /// The erasure of a user that isn't through yet.
    pub async fn erasure(
        &self,
        workspace: &WorkspaceId,
        user: &UserId,
    ) -> Result<Option<Erasure>, StoreError> {
        self.get(partition(workspace), user.to_string()).await
    }

    /// All erasures of a workspace that aren't through yet.
    pub async fn erasures(&self, workspace: &WorkspaceId) -> Result<Vec<Erasure>, StoreError> {
        self.query_as(partition(workspace), Range::All).await
    }

    /// Begins an erasure, or says how far it is.
    pub async fn write_erasure(&self, workspace: &WorkspaceId, erasure: &Erasure) -> Result<(), StoreError> {
        let written = item::write(partition(workspace), erasure.user_id.to_string(), erasure)?;
        self.transact(vec![self.transact_put(written, false)?]).await
    }

    /// Forgets an erasure that is through.
    pub async fn end_erasure(&self, workspace: &WorkspaceId, erasure: &Erasure) -> Result<(), StoreError> {
        self.delete(partition(workspace), erasure.user_id.to_string()).await
    }

    /// Puts one answer in the place of another, in the inbox too if that one is there.
    pub async fn replace_answer(
        &self,
        workspace: &WorkspaceId,
        company: &CompanyId,
        old: &Answer,
        new: &Answer,
    ) -> Result<(), StoreError> {
        let pk = keys::company(workspace, company);
        let key = Place::of(company, old).key(workspace);
        let found = self.client.get_item().table_name(&self.name).set_key(Some(key)).consistent_read(true);
        let Some(found) = found.send().await?.item else { return Ok(()) };
        let mut put = item::write(pk.clone(), new.sk(), new)?;
        if let Some(list) = found.get("work_pk") {
            put.insert("work_pk".to_owned(), list.clone());
            put.insert("work_sk".to_owned(), item::text(new.name()));
        }
        let writes = vec![
            self.transact_put(put, false)?,
            self.transact_delete(pk.clone(), old.sk(), None)?,
            self.transact_delete(pk, old.mark(), None)?,
        ];
        self.transact(writes).await
    }

    /// Puts one ask in the place of another. No link leads to the new one.
    pub async fn replace_ask(&self, old: &Ask, new: &Ask) -> Result<(), StoreError> {
        let pk = keys::company(&old.workspace_id, &old.company_id);
        let put = item::write(pk.clone(), keys::ask(new.send_id), new)?;
        let writes = vec![
            self.transact_put(put, false)?,
            self.transact_delete(pk, keys::ask(old.send_id), None)?,
            self.transact_delete(format!("send#{}", old.send_id), "send".to_owned(), None)?,
        ];
        self.transact(writes).await
    }

    /// Forgets where a mail belongs: what its links and its events name is unknown then.
    pub async fn forget_mail(&self, send: barometer_domain::SendId) -> Result<(), StoreError> {
        self.delete(format!("send#{send}"), "send".to_owned()).await
    }

    /// Adds a member; one who is there already stays as they are.
    pub async fn keep_member_as(
        &self,
        workspace: &WorkspaceId,
        company: &CompanyId,
        member: &Member,
    ) -> Result<(), StoreError> {
        let put = item::write(keys::company(workspace, company), keys::member(&member.user_id), member)?;
        or_done(self.put(put, true).await)
    }

    /// Takes an id's seat at a company away, whoever's it is.
    pub async fn forget_member(
        &self,
        workspace: &WorkspaceId,
        company: &CompanyId,
        user: &UserId,
    ) -> Result<(), StoreError> {
        self.delete(keys::company(workspace, company), keys::member(user)).await
    }

    /// Moves a user's activity of a week at a company to another user.
    pub async fn move_activity(
        &self,
        workspace: &WorkspaceId,
        company: &CompanyId,
        week: IsoWeek,
        [from, to]: [&UserId; 2],
    ) -> Result<(), StoreError> {
        let Some(stored) = self.stored(workspace, company, from, week).await? else { return Ok(()) };
        let moved = super::activity::Stored { owner: None, ..stored };
        self.add_to_week(workspace, company, to, week, &moved).await?;
        for found in self.days_of(workspace, company, from, week).await? {
            self.delete(keys::company(workspace, company), item::get_text(&found, "sk")?.to_owned()).await?;
        }
        Ok(())
    }

    /// Forgets everything that lies with a user's id.
    pub async fn forget_user(&self, workspace: &WorkspaceId, user: &UserId) -> Result<(), StoreError> {
        let pk = keys::user(workspace, user);
        for found in self.query(pk.clone(), Range::All, true).await? {
            self.delete(pk.clone(), item::get_text(&found, "sk")?.to_owned()).await?;
        }
        Ok(())
    }
}
