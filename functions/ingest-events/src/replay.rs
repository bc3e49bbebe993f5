//! Works out again what the packed log says: its events go through the same code as when they came, all but the
//! log itself.

use std::collections::HashSet;

use barometer_cloud::{StoreError, Table, table::log::Pack};
use barometer_domain::{Settings, UserId, WorkspaceId};

use crate::{event::Event, memory::Memory, store::Context};

/// A replay of one workspace's log into a table of its own.
#[derive(Debug, Default)]
pub struct Replay {
    memory: Memory,
    seen: HashSet<String>,
}

/// The events of a pack, as they were read when they came. Errors: [`StoreError::Corrupt`].
pub fn events(pack: &Pack) -> Result<Vec<Event>, StoreError> {
    let lines = pack.content.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    lines.map(|line| Ok(serde_json::from_slice(line)?)).collect()
}

/// Everybody whom an event names.
pub fn people(event: &Event) -> impl Iterator<Item = &UserId> {
    [&event.user, &event.anonymous, &event.previous].into_iter().flatten()
}

impl Replay {
    /// Stores the events of a pack in `table`; packs come in the order of their arrival. An event whose id came
    /// before is left out. Returns how many were stored. Errors: the table, or a pack that isn't ours.
    pub async fn pack(
        &mut self,
        table: &Table,
        workspace: &WorkspaceId,
        settings: &Settings,
        pack: &Pack,
    ) -> Result<usize, StoreError> {
        let mut events = events(pack)?;
        events.retain(|event| event.id.as_ref().is_none_or(|id| self.seen.insert(id.clone())));
        let context = Context { table, memory: &self.memory, workspace, settings, now: pack.received_at };
        context.aggregate(events.iter()).await?;
        Ok(events.len())
    }
}
