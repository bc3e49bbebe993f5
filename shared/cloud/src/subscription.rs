//! Unsubscribing from automated mails, and taking it back.

use std::collections::BTreeSet;

use barometer_domain::CompanyId;
use chrono::{DateTime, TimeDelta, Utc};

use crate::{StoreError, Table, table::asks::Ask};

/// Least time between two times that a user subscribes again.
const PAUSE: TimeDelta = TimeDelta::minutes(1);

/// What came of subscribing again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resubscribed {
    /// The user is subscribed, now or since before.
    Done,
    /// They did so less than a minute ago and unsubscribed since.
    TooSoon,
}

/// Unsubscribes who got an ask from everything automated. Doing it again writes nothing.
pub async fn unsubscribe(table: &Table, ask: &Ask, now: DateTime<Utc>) -> Result<(), StoreError> {
    let user = table.user(&ask.workspace_id, &ask.user_id).await?;
    if user.is_some_and(|user| user.unsubscribed_at.is_some()) {
        return Ok(());
    }
    table.unsubscribe(&ask.workspace_id, &ask.user_id, now).await
}

/// Subscribes who got an ask again, and puts them back on the list of those to be asked at every company where the
/// unsubscribe took them off it; the sweep's gates decide whether they are. Doing it again changes nothing.
pub async fn resubscribe(table: &Table, ask: &Ask, now: DateTime<Utc>) -> Result<Resubscribed, StoreError> {
    let (workspace, id) = (&ask.workspace_id, &ask.user_id);
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
    companies.insert(ask.company_id.clone());
    for company in companies {
        table.wake_ask(workspace, &company, id, now).await?;
    }
    Ok(Resubscribed::Done)
}
