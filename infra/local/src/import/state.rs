//! What an interrupted import must know to go on: how far its batches were acknowledged.

use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::rows::Place;
use super::summary::Summary;

/// The state after an acknowledged batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// What the file, the target and the options are recognised by: for others this state says nothing.
    pub of: String,
    /// A name of this import, the same when it goes on: what is sent again under it is done once.
    #[serde(default)]
    pub run: String,
    /// Everything before this is acknowledged.
    pub place: Place,
    /// Bytes of the error file that tell of what is before it.
    pub errors: u64,
    /// The counts so far.
    pub summary: Summary,
}

impl State {
    /// The state in a file; nothing when there is none, or none that can be read.
    #[must_use]
    pub fn read(path: &Path) -> Option<Self> {
        serde_json::from_slice(&std::fs::read(path).ok()?).ok()
    }

    /// Writes the state in place of the one before, so that there is always a whole one.
    ///
    /// # Errors
    /// When the file can't be written.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        let beside = beside(path);
        std::fs::write(&beside, serde_json::to_vec(self)?)?;
        std::fs::rename(&beside, path)
    }

    /// Removes the state of an import that is done.
    ///
    /// # Errors
    /// When it can't be removed.
    pub fn remove(path: &Path) -> io::Result<()> {
        match std::fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    name.into()
}
