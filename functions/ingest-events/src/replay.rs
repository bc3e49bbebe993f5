//! Works out again what the packed log says: its events go through the same code as when they came, all but the
//! log itself.

use barometer_cloud::{StoreError, Table, table::log::Pack};
use barometer_domain::{Settings, UserId, WorkspaceId};

use crate::{event::Event, memory::Memory, pack, store::Context};

/// A replay of one workspace's log into a table of its own.
#[derive(Debug, Default)]
pub struct Replay {
    memory: Memory,
}

/// The events of a pack, as they were read when they came. Errors: [`StoreError::Corrupt`].
pub fn events(pack: &Pack) -> Result<Vec<Event>, StoreError> {
    pack::decode(&pack.content).map_err(|error| StoreError::Corrupt(error.into()))
}

/// Everybody whom an event names.
pub fn people(event: &Event) -> impl Iterator<Item = &UserId> {
    [&event.user, &event.anonymous, &event.previous].into_iter().flatten()
}

impl Replay {
    /// Stores the events of a pack in `table`; packs come in the order of their arrival. An event that came
    /// twice adds nothing the second time. Returns how many were stored. Errors: the table, or a pack that isn't ours.
    pub async fn pack(
        &self,
        table: &Table,
        workspace: &WorkspaceId,
        settings: &Settings,
        pack: &Pack,
    ) -> Result<usize, StoreError> {
        let events = events(pack)?;
        let context =
            Context { table, memory: &self.memory, workspace, settings, now: pack.received_at, bus: None };
        context.aggregate(events.iter()).await?;
        Ok(events.len())
    }
}
