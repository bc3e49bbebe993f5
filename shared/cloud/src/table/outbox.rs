//! The outbox: events written in the transaction of their change, published afterwards, and again by a sweep when
//! a crash came between. An event leaves the outbox when the bus has taken it.

use aws_sdk_dynamodb::types::TransactWriteItem;
use barometer_domain::WorkspaceId;

use super::{Range, StoreError, Table, item, keys};
use crate::{
    Bus,
    bus::{BusError, Event},
    lambda::Chain,
};

impl Table {
    pub(super) fn outbox_put(
        &self,
        workspace: &WorkspaceId,
        event: &Event,
    ) -> Result<TransactWriteItem, StoreError> {
        // Kept as one JSON text: it is only ever passed on.
        let value = serde_json::json!({ "event": serde_json::to_string(event)? });
        let put = item::write(keys::outbox(workspace), event.detail.event_id.clone(), &value)?;
        self.transact_put(put, false)
    }

    /// Events of a workspace that the bus hasn't taken yet, as far as is known, the oldest first.
    pub async fn unpublished(&self, workspace: &WorkspaceId) -> Result<Vec<Event>, StoreError> {
        let found = self.query(keys::outbox(workspace), Range::All, true).await?;
        let mut events = found
            .iter()
            .map(|found| Ok(serde_json::from_str::<Event>(item::get_text(found, "event")?)?))
            .collect::<Result<Vec<_>, StoreError>>()?;
        events.sort_by(|a, b| {
            (a.detail.occurred_at, &a.detail.event_id).cmp(&(b.detail.occurred_at, &b.detail.event_id))
        });
        Ok(events)
    }

    /// Publishes events that lie in the outbox and takes from it what the bus took. Returns how many.
    pub async fn publish(
        &self,
        bus: &Bus,
        workspace: &WorkspaceId,
        events: &[Event],
    ) -> Result<usize, PublishError> {
        let taken = bus.publish(events).await?;
        for event_id in &taken {
            self.delete(keys::outbox(workspace), event_id.clone()).await?;
        }
        Ok(taken.len())
    }

    /// Like [`Table::publish`], after a change that is already written: a failure is logged and left to the sweep.
    pub async fn publish_or_leave(&self, bus: &Bus, workspace: &WorkspaceId, events: &[Event]) {
        if events.is_empty() {
            return;
        }
        if let Err(error) = self.publish(bus, workspace, events).await {
            tracing::warn!(error = %Chain(&error), events = events.len(), "left in the outbox");
        }
    }
}

/// Publishing from the outbox failed; what was not taken stays there.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// The bus.
    #[error(transparent)]
    Bus(#[from] BusError),
    /// The table.
    #[error(transparent)]
    Store(#[from] StoreError),
}
