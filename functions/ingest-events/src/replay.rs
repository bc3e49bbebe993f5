//! Works out again what the packed log says: its events go through the same code as when they came, all but the
//! log itself.

use std::collections::BTreeSet;

use barometer_cloud::{StoreError, Table, table::log::Pack};
use barometer_domain::{Settings, UserId, WorkspaceId};

use crate::{
    event::{Event, Kind},
    memory::Memory,
    pack,
    store::Context,
};

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

/// What a pack holds without some people: what they did stands under another id, what they are and said is gone. Nothing
/// when the pack names none of them.
pub fn without(pack: &Pack, ids: &BTreeSet<UserId>, alias: &UserId) -> Result<Option<Vec<u8>>, StoreError> {
    let mut events = events(pack)?;
    let names = |event: &Event| people(event).any(|id| ids.contains(id));
    if !events.iter().any(names) {
        return Ok(None);
    }
    // Who is who says nothing any more.
    events.retain(|event| event.kind != Kind::Alias || !names(event));
    for event in events.iter_mut().filter(|event| names(event)) {
        for id in [&mut event.user, &mut event.anonymous, &mut event.previous].into_iter().flatten() {
            if ids.contains(id) {
                *id = alias.clone();
            }
        }
        (event.id, event.session, event.comment, event.user_traits) = (None, None, None, None);
    }
    pack::encode(&events).map(Some).map_err(|error| StoreError::Corrupt(error.into()))
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
