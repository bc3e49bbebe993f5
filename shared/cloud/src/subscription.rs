//! Unsubscribing from automated mails, and taking it back.

use std::collections::BTreeSet;

use barometer_domain::{CompanyId, SendId, UserId, WorkspaceId};
use chrono::{DateTime, TimeDelta, Utc};

use crate::{StoreError, Table, table::asks::Ask};

/// Least time between two times that a user subscribes again.
const PAUSE: TimeDelta = TimeDelta::minutes(1);

/// Whom an automated mail went to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Addressee {
    /// The workspace.
    pub workspace_id: WorkspaceId,
    /// The company that it is about.
    pub company_id: CompanyId,
    /// The user.
    pub user_id: UserId,
}

impl From<&Ask> for Addressee {
    fn from(ask: &Ask) -> Self {
        Self {
            workspace_id: ask.workspace_id.clone(),
            company_id: ask.company_id.clone(),
            user_id: ask.user_id.clone(),
        }
    }
}

/// Whom a mail went to, an ask's or a rule's; nobody when there is no such mail.
pub async fn addressee(table: &Table, send: SendId) -> Result<Option<Addressee>, StoreError> {
    match table.ask(send).await? {
        Some(ask) => Ok(Some(Addressee::from(&ask))),
        None => table.addressee_of_action(send).await,
    }
}

/// What came of subscribing again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resubscribed {
    /// The user is subscribed, now or since before.
    Done,
    /// They did so less than a minute ago and unsubscribed since.
    TooSoon,
}

/// Unsubscribes who got a mail from everything automated. Doing it again writes nothing.
pub async fn unsubscribe(table: &Table, to: &Addressee, now: DateTime<Utc>) -> Result<(), StoreError> {
    let user = table.user(&to.workspace_id, &to.user_id).await?;
    if user.is_some_and(|user| user.unsubscribed_at.is_some()) {
        return Ok(());
    }
    table.unsubscribe(&to.workspace_id, &to.user_id, now).await
}

/// Subscribes who got a mail again, and puts them back on the list of those to be asked at every company where the
/// unsubscribe took them off it; the sweep's gates decide whether they are. Doing it again changes nothing.
pub async fn resubscribe(
    table: &Table,
    to: &Addressee,
    now: DateTime<Utc>,
) -> Result<Resubscribed, StoreError> {
    let (workspace, id) = (&to.workspace_id, &to.user_id);
    match table.resubscribe(workspace, id, now, PAUSE).await {
        Ok(()) => {}
        Err(StoreError::Conflict) => {
            let user = table.user(workspace, id).await?;
            if user.is_some_and(|user| user.unsubscribed_at.is_some()) {
                return Ok(Resubscribed::TooSoon);
            }
        }
        Err(error) => return Err(error),
    }
    let who = table.who(workspace, id, now).await?;
    let mut companies: BTreeSet<CompanyId> = who.seats.into_keys().collect();
    companies.insert(to.company_id.clone());
    for company in companies {
        table.wake_ask(workspace, &company, id, now).await?;
    }
    Ok(Resubscribed::Done)
}
