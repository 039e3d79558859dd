//! The witness: follows the logs of other nodes, and cosigns their checkpoints.
//!
//! A state map is first of all its owner's claim. A witness cosigns a checkpoint only after it has
//! computed the same roots for exactly the entries that the log gave it, and only if the log holds every event
//! that it has itself admitted for a while. So a log cannot hide an event from its own map, nor from
//! itself.
//!
//! For each log that is followed the witness keeps the frontier of its Merkle tree, and which events only one of
//! the two logs has. What to know of a foreign log costs its difference from this node's, and no more. Beside that it
//! keeps the order of the log's newest entries (`kept`), for a node that is restored from a backup, and the proof where a log was
//! rewritten (`contradiction`).

mod contradiction;
mod cosign;
mod difference;
mod kept;

pub use contradiction::{Compared, Contradicted};
pub use cosign::CosignRefusal;
pub use kept::{KeepNoteError, KeptLog};

use crate::ledger::Ledger;
use crate::map::Version;
use crate::view::node_of_log;
use difference::ToggleError;
use minicbor::bytes::ByteArray;
use provenance::id::{EventId, PublicKey};
use provenance::merkle::{Frontier, Hash, leaf_hash};
use store::{Column, Differences, Range, StoreError, Witnessed, WitnessedRow};

/// Entries of a log that are taken at once, so that a call stays below a megabyte of memory.
pub const OBSERVED_AT_ONCE: usize = 8_192;

/// How many entries more than this node's own log another may have when it is read: those that are on their way here.
/// A longer one holds events that are not here, so it could not be cosigned; and ids alone cost whoever makes
/// them up nothing, so what is kept of them is bounded by what this node holds itself.
pub const MOST_AHEAD: u64 = 65_536;

/// Follows the logs of other nodes. Its calls block, where they are not async.
#[derive(Debug, Clone)]
pub struct Witness(Ledger);

/// Why entries of a log are not taken.
#[derive(Debug, thiserror::Error)]
pub enum ObserveError {
    /// Nobody's log.
    #[error("no enrolled node names {0} as the key of its log")]
    UnknownLog(PublicKey),
    /// Entries that do not go on where the last ended.
    #[error("the entries do not go on from what was read; send those from index {next} on")]
    Gap {
        /// The index that is read next.
        next: u64,
    },
    /// More than a call takes.
    #[error("{0} entries are more than are taken at once; send at most {OBSERVED_AT_ONCE}")]
    TooMany(usize),
    /// A log with many more entries than this node's own.
    #[error(
        "the log has too many entries that are not here yet; read on when this node's log, of {size} entries, has grown"
    )]
    Ahead {
        /// Entries of this node's log.
        size: u64,
    },
    /// A log that does not begin with the id of this network.
    #[error("entry 0 is not the id of this network")]
    OtherNetwork,
    /// A log holds an event once.
    #[error("the event {0} stands in the log twice")]
    Repeated(EventId),
    /// Not the entries that led to the checkpoint cosigned before.
    #[error("the first {size} entries are not those under the checkpoint that was cosigned; read again from the start")]
    OtherEntries {
        /// Size of that checkpoint.
        size: u64,
    },
    /// The store cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Ledger {
    /// The witness of other nodes' logs.
    pub fn witness(&self) -> Witness {
        Witness(self.clone())
    }
}

impl Witness {
    /// The index from which on entries of a log are to be read.
    pub fn next(&self, log: &PublicKey) -> Result<u64, StoreError> {
        Ok(self.0.reader().store().get::<Witnessed>(log)?.map_or(0, |row| row.next))
    }

    /// Takes entries of a log, in their order, `from` being the index of the first; gives the index of the next.
    pub fn observe(&self, log: &PublicKey, from: u64, ids: &[EventId]) -> Result<u64, ObserveError> {
        if ids.len() > OBSERVED_AT_ONCE {
            return Err(ObserveError::TooMany(ids.len()));
        }
        let _turn = self.0.lock_witnessed();
        if node_of_log(self.0.reader(), log)?.is_none() {
            return Err(ObserveError::UnknownLog(*log));
        }
        let store = self.0.reader().store();
        let mut row = store.get::<Witnessed>(log)?.unwrap_or_default();
        if from != row.next {
            return Err(ObserveError::Gap { next: row.next });
        }
        let size = self.0.size();
        if row.next + ids.len() as u64 > size + MOST_AHEAD {
            return Err(ObserveError::Ahead { size });
        }
        let mut theirs = ids;
        if from == 0 && !ids.is_empty() {
            // Leaf 0 is no event.
            if ids[0] != self.0.network().id().as_event() {
                return Err(ObserveError::OtherNetwork);
            }
            theirs = &ids[1..];
        }
        append(&mut row, ids)?;
        let mut batch = store.batch();
        // Both logs are read at about the same pace, so that what both have meets early.
        let ours = self.own_entries(&mut row, 2 * ids.len())?;
        difference::toggle(store, &mut batch, log, theirs, &ours).map_err(|error| match error {
            ToggleError::Repeated(id) => ObserveError::Repeated(id),
            ToggleError::Store(error) => ObserveError::Store(error),
        })?;
        kept::keep(store, &mut batch, log, from, ids, self.0.witnessed_entries())?;
        batch.put::<Witnessed>(log, &row);
        batch.commit()?;
        Ok(row.next)
    }

    /// The checkpoint of the log that was cosigned last.
    pub fn cosigned(&self, log: &PublicKey) -> Result<Option<String>, StoreError> {
        let row = self.0.reader().store().get::<Witnessed>(log)?.unwrap_or_default();
        Ok(row.cosigned.map(|cosigned| cosigned.note))
    }

    /// Forgets what was read of a log, for it to be read again from the start; for instance where somebody on the
    /// way gave other entries than the log has. What was cosigned is remembered, and still binds the log.
    pub fn read_again(&self, log: &PublicKey) -> Result<(), StoreError> {
        let _turn = self.0.lock_witnessed();
        self.forget_entries(log)
    }

    /// [`Self::read_again`] for those who hold the lock. What the log has signed stays.
    fn forget_entries(&self, log: &PublicKey) -> Result<(), StoreError> {
        let store = self.0.reader().store();
        let Some(row) = store.get::<Witnessed>(log)? else { return Ok(()) };
        let mut batch = store.batch();
        for difference in store.scan::<Differences>(Range::prefix(log)) {
            batch.delete::<Differences>(&difference?.0);
        }
        kept::forget(store, &mut batch, log)?;
        let WitnessedRow { cosigned, contradiction, .. } = row;
        batch.put::<Witnessed>(log, &WitnessedRow { cosigned, contradiction, ..WitnessedRow::default() });
        batch.commit()
    }

    /// The next entries of this node's log with which the other is compared, up to the newest version of the map.
    fn own_entries(&self, row: &mut WitnessedRow, max: usize) -> Result<Vec<(EventId, u64)>, StoreError> {
        let reader = self.0.reader();
        let size = Version::newest(reader.store())?.map_or(0, |version| version.size);
        // Leaf 0 is no event.
        let from = row.own.max(1);
        let count = usize::try_from(size.saturating_sub(from)).map_or(max, |left| left.min(max));
        let ids = reader.log_ids(from, count)?;
        if size > 0 {
            row.own = from + ids.len() as u64;
        }
        Ok(ids.into_iter().zip(from..).collect())
    }
}

/// Adds entries to the frontier, and sees that it passes the root that was cosigned.
fn append(row: &mut WitnessedRow, ids: &[EventId]) -> Result<(), ObserveError> {
    let mut frontier = frontier(row)?;
    for id in ids {
        frontier.append(leaf_hash(id.as_bytes()), |_, _, _| {});
        if let Some(cosigned) = &row.cosigned
            && cosigned.size == frontier.size()
            && *cosigned.root != frontier.root()
        {
            return Err(ObserveError::OtherEntries { size: cosigned.size });
        }
    }
    row.next = frontier.size();
    row.roots = frontier.roots().iter().copied().map(ByteArray::from).collect();
    Ok(())
}

/// The Merkle tree of what was read of a log.
fn frontier(row: &WitnessedRow) -> Result<Frontier, StoreError> {
    let roots: Vec<Hash> = row.roots.iter().map(|root| **root).collect();
    Frontier::from_roots(row.next, roots).ok_or_else(|| StoreError::Corrupt {
        column: Column::Witnessed.name(),
        detail: format!("{} roots do not make a tree of {} entries", row.roots.len(), row.next),
    })
}
