//! The checkpoints that this node has signed, each of one cut of its state map.

use crate::ledger::Ledger;
use crate::log::LogError;
use crate::map::newest_cosigned;
use std::sync::Arc;
use store::{CheckpointRow, Checkpoints, StoreError};

impl Ledger {
    /// The signed note of the newest cut, with the cosignatures that came in. The same until the next cut.
    pub fn checkpoint(&self) -> Result<Arc<str>, LogError> {
        self.log_signer().ok_or(LogError::NoKey)?;
        let newest = self.reader().store().last::<Checkpoints>()?;
        let (_, row) = newest.ok_or_else(|| LogError::MapBehind { size: self.size(), covered: 0 })?;
        Ok(whole(&row).into())
    }

    /// The checkpoint of `size` entries, if the map was cut there and its version is kept.
    pub fn checkpoint_at(&self, size: u64) -> Result<Option<Arc<str>>, StoreError> {
        Ok(self.reader().store().get::<Checkpoints>(&size)?.map(|row| whole(&row).into()))
    }

    /// The newest checkpoint that others have cosigned, with its size.
    pub fn cosigned_checkpoint(&self) -> Result<Option<(u64, Arc<str>)>, StoreError> {
        Ok(newest_cosigned(self.reader().store())?.map(|(size, row)| (size, whole(&row).into())))
    }
}

/// The note with its cosignatures, each on a line of its own.
fn whole(row: &CheckpointRow) -> String {
    let mut note = row.note.clone();
    for line in &row.cosignatures {
        note.push_str(line);
        note.push('\n');
    }
    note
}
