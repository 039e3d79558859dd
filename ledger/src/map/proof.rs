//! What the ledger tells of its state map: cuts, versions, and proofs of what they hold.

use super::tips::{LaneTips, at_size};
use super::{StoredPages, Version, unreadable};
use crate::ledger::Ledger;
use crate::log::LogError;
use provenance::id::SubjectId;
use provenance::merkle::Hash;
use provenance::state_map::{MapError, Proof, digest, prove};
use std::collections::BTreeSet;
use std::time::Duration;
use store::{Column, MapKept, Range, StoreError};

/// How long somebody who needs a cut now waits for it: many times what it takes, but for a map that is just
/// being made again.
const CUT_WAIT: Duration = Duration::from_secs(10);

/// A log and the state of its subjects at one size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cut {
    /// Entries of the log.
    pub size: u64,
    /// Root of the Merkle tree over them.
    pub log_root: Hash,
    /// Root of the state map for exactly them.
    pub state_root: Hash,
    /// When it was cut, in milliseconds since 1970.
    pub cut_ms: u64,
}

/// What a subject's history ends with at a version of the map, and the proof of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateProof {
    /// The root of the map at this version.
    pub root: Hash,
    /// The tips of the subject's lanes; none where the subject is not in the map.
    pub tips: LaneTips,
    /// Leads from them to the root: present, or absent where there are no tips.
    pub proof: Proof,
}

/// Why the state of a subject cannot be proved.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// Never cut, or no longer kept.
    #[error("the state map has no version of {size} entries; ask for one of those that are kept")]
    NotKept {
        /// The size asked for.
        size: u64,
    },
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Ledger {
    /// Cuts the map for all durable entries and returns when the cut is safe on the disk. What it
    /// says may be signed and anchored: after a crash the version is still there.
    pub async fn cut(&self) -> Result<Cut, LogError> {
        let size = self.size();
        self.map_follower().demand(size);
        let is_cut = tokio::time::timeout(CUT_WAIT, self.map_follower().has_read(size - 1)).await;
        if is_cut != Ok(true) {
            return Err(LogError::MapBehind { size, covered: self.map_follower().status().next });
        }
        let cut = self.newest_cut()?;
        self.reader().store().sync()?;
        Ok(cut)
    }

    /// The newest cut.
    pub fn newest_cut(&self) -> Result<Cut, LogError> {
        let newest = Version::newest(self.reader().store())?;
        let version = newest.ok_or_else(|| LogError::MapBehind { size: self.size(), covered: 0 })?;
        let log_root = self.root_at(version.size)?;
        Ok(Cut { size: version.size, log_root, state_root: version.state_root(), cut_ms: version.cut_ms })
    }

    /// The sizes at which the state of subjects can be proved, ascending.
    pub fn kept_versions(&self) -> Result<Vec<u64>, StoreError> {
        Ok(Version::all(self.reader().store())?.into_iter().map(|version| version.size).collect())
    }

    /// Says which versions are to be kept beside the newest, those of the last minutes and the newest that
    /// was cosigned: those of anchors, and of checkpoints that others are asked to cosign. It
    /// replaces what was said before, and holds through restarts.
    pub fn keep(&self, sizes: &BTreeSet<u64>) -> Result<(), StoreError> {
        let store = self.reader().store();
        let mut batch = store.batch();
        for row in store.scan::<MapKept>(Range::all()) {
            let (size, ()) = row?;
            if !sizes.contains(&size) {
                batch.delete::<MapKept>(&size);
            }
        }
        for size in sizes {
            batch.put::<MapKept>(size, &());
        }
        batch.commit_synced()
    }

    /// What a subject's history ended with when the log had `size` entries, with its proof.
    /// Reads the whole history of the subject.
    pub fn state_proof(&self, subject: &SubjectId, size: u64) -> Result<StateProof, StateError> {
        let store = self.reader().store();
        let version = Version::at(store, size)?.ok_or(StateError::NotKept { size })?;
        let proof = match prove(version.root, subject, &StoredPages(store)) {
            Ok(proof) => proof,
            // It may have been removed meanwhile.
            Err(MapError::Missing(_)) if Version::at(store, size)?.is_none() => {
                return Err(StateError::NotKept { size });
            }
            Err(error) => return Err(unreadable(error).into()),
        };
        let (root, tips) = (version.state_root(), at_size(self.reader(), subject, size)?);
        proof.verify(&root, subject, digest(&tips).as_ref()).map_err(|error| StoreError::Corrupt {
            column: Column::MapPages.name(),
            detail: format!("the state of {subject} at {size} entries: {error}; rebuild the state map"),
        })?;
        Ok(StateProof { root, tips, proof })
    }
}
