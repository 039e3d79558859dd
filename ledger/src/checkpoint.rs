//! The checkpoints that this node has signed, each of one cut of its state map.

use crate::ledger::Ledger;
use crate::log::LogError;
use crate::map::{Version, newest_cosigned};
use crate::view::node_of_log;
use provenance::cosignature::{CosignatureError, cosignatures};
use provenance::id::PublicKey;
use provenance::note::{Note, NoteError};
use std::sync::Arc;
use store::{CheckpointRow, Checkpoints, StoreError};

/// Cosignatures that are kept of one checkpoint: more than any policy asks for, and less than make a note large.
const MOST_COSIGNATURES: usize = 64;

/// Why a cosignature is not added.
#[derive(Debug, thiserror::Error)]
pub enum AddCosignatureError {
    /// A checkpoint that was never signed or is no longer kept.
    #[error("there is no checkpoint of {0} entries any more; cosign a newer one")]
    NoCheckpoint(u64),
    /// Not a signature line.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// A line that is no cosignature of a node of this network.
    #[error("the line is no cosignature by a node of this network")]
    NotANode,
    /// This node's own word adds nothing.
    #[error("a node cannot cosign its own log")]
    OwnLog,
    /// Nobody's log key.
    #[error("no enrolled node names {0} as the key of its log")]
    UnknownLog(PublicKey),
    /// It does not hold.
    #[error(transparent)]
    Cosignature(#[from] CosignatureError),
    /// Enough have cosigned.
    #[error("the checkpoint has {MOST_COSIGNATURES} cosignatures already, and takes no more")]
    TooMany,
    /// The store cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Ledger {
    /// The signed note of the newest cut, with the cosignatures that came in. The same until the next cut.
    pub fn checkpoint(&self) -> Result<Arc<str>, LogError> {
        // A restored log shows what it had signed before.
        if self.restored().is_none() {
            self.log_signer().ok_or(LogError::NoKey)?;
        }
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

    /// Adds another node's cosignature line to the checkpoint of `size` entries. A node counts once: a further
    /// line of one that has cosigned is not added, which is no error.
    pub fn add_cosignature(&self, size: u64, line: &str) -> Result<(), AddCosignatureError> {
        let _turn = self.lock_checkpoints();
        let store = self.reader().store();
        let kept = Version::at(store, size)?.is_some();
        let row = store.get::<Checkpoints>(&size)?.filter(|_| kept);
        let mut row = row.ok_or(AddCosignatureError::NoCheckpoint(size))?;
        let line = line.trim_end_matches('\n');
        if line.contains('\n') {
            return Err(AddCosignatureError::NotANode);
        }
        let note = Note::parse(&format!("{}{line}\n", row.note))?;
        let added = cosignatures(&note).last().ok_or(AddCosignatureError::NotANode)?;
        let cosigner = added.cosigner();
        if cosigner.network != self.network().id() {
            return Err(AddCosignatureError::NotANode);
        }
        if self.log_key() == Some(cosigner.key) {
            return Err(AddCosignatureError::OwnLog);
        }
        if node_of_log(self.reader(), &cosigner.key)?.is_none() {
            return Err(AddCosignatureError::UnknownLog(cosigner.key));
        }
        added.verify(note.text())?;
        if cosignatures(&Note::parse(&whole(&row))?).any(|known| known.cosigner() == cosigner) {
            return Ok(());
        }
        if row.cosignatures.len() >= MOST_COSIGNATURES {
            return Err(AddCosignatureError::TooMany);
        }
        row.cosignatures.push(line.to_owned());
        let mut batch = store.batch();
        batch.put::<Checkpoints>(&size, &row);
        batch.commit()?;
        // The version may have been removed meanwhile, its checkpoint with it. The newest checkpoint stays even without
        // a version, while the map is made again.
        let newest = store.last::<Checkpoints>()?.map(|(size, _)| size);
        if Version::at(store, size)?.is_none() && newest != Some(size) {
            let mut batch = store.batch();
            batch.delete::<Checkpoints>(&size);
            batch.commit()?;
            return Err(AddCosignatureError::NoCheckpoint(size));
        }
        Ok(())
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
