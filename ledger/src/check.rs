//! The check of the invariants when a ledger opens, and finding the heads again.
//!
//! All rows of an append are one batch, so a crash leaves either all or none of them. What is
//! checked here guards against damaged files and against mistakes of this program.

use crate::held::HeldCounts;
use crate::pending::{Heads, Pending, RecentVoids};
use crate::reader::Reader;
use crate::table::RowOf;
use provenance::admission::Judged;
use provenance::id::EventId;
use provenance::merkle::{Frontier, Hash, Nodes, TILE_WIDTH, complete_root, leaf_hash, tile_position};
use provenance::network::Network;
use std::collections::BTreeSet;
use store::{Entries, Held, Indexes, Journals, LaneHeads, Log, Range, StoreError, Tiles};

/// Entries at the end of the log that are compared with their bodies: the newest are those that a
/// crash could have touched.
const CHECKED_ENTRIES: usize = 256;

/// Held events judged in one batch when a ledger opens, as many as in one of the write path.
const HELD_AT_ONCE: usize = 4_096;

/// What is wrong with a ledger on the disk.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// Made for another network.
    #[error(
        "the store belongs to network {found}, the configuration names {expected}; use the right data folder or network file"
    )]
    Network {
        /// Leaf 0 of the log.
        found: EventId,
        /// What the configuration names.
        expected: EventId,
    },
    /// Entries, bodies or hashes that do not fit each other.
    #[error(
        "the log is damaged: {0}; restore a backup, or set up a node anew in another folder: its peers send it everything"
    )]
    Damaged(String),
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The tree's hashes in the store.
pub(crate) struct StoredNodes<'a>(pub &'a Reader);

impl Nodes for StoredNodes<'_> {
    type Error = StoreError;

    fn node(&self, level: u32, index: u64) -> Result<Hash, StoreError> {
        let position = tile_position(level, index);
        let tile = self.0.store().get::<Tiles>(&(position.level, position.index))?.unwrap_or_default();
        let hashes: Vec<Hash> = tile.as_chunks::<32>().0.to_vec();
        let first = usize::try_from(position.first).expect("a tile has 256 hashes");
        let count = usize::try_from(position.count).expect("a tile has 256 hashes");
        hashes.get(first..first + count).map(complete_root).ok_or_else(|| StoreError::Corrupt {
            column: "tiles",
            detail: format!("tile {} of level {} is too short", position.index, position.level),
        })
    }
}

/// The heads of the write path, from what is stored.
pub(crate) fn load_heads(reader: &Reader) -> Result<Heads, StoreError> {
    let size = reader.store().last::<Log>()?.map_or(0, |(index, _)| index + 1);
    let frontier = Frontier::load(size, &StoredNodes(reader))?;
    let (mut held, mut awaited) = (HeldCounts::default(), BTreeSet::new());
    for row in reader.store().scan::<Held>(Range::all()) {
        let (id, row) = row?;
        held.add(id, row.signer, &row.source, row.missing.is_empty());
        awaited.extend(row.missing);
    }
    // What came before a crash, and for which not all that waits was judged again.
    let awaited: Vec<EventId> = awaited.into_iter().collect();
    let judged = reader.are_judged(&awaited)?;
    let ready = awaited.into_iter().zip(judged).filter(|(_, judged)| *judged).map(|(id, _)| id).collect();
    Ok(Heads { frontier, held, voids: RecentVoids::default(), ready, looked_at: None })
}

/// Judges every held event again: this program may have rules that the one before it lacked.
pub(crate) fn judge_held(network: &Network, reader: &Reader, mut heads: Heads) -> Result<Heads, StoreError> {
    let rows = reader.store().scan::<Held>(Range::all());
    let held = rows.map(|row| row.map(|(id, _)| id)).collect::<Result<Vec<EventId>, _>>()?;
    for ids in held.chunks(HELD_AT_ONCE) {
        let mut pending = Pending::new(network, reader, heads);
        pending.take_held(ids)?;
        let (batch, after, written) = pending.finish()?;
        if !batch.is_empty() {
            reader.commit(batch, written)?;
        }
        heads = after;
    }
    Ok(heads)
}

/// Compares the newest part of the log with bodies, judgements and hashes.
pub(crate) fn check(network: &Network, reader: &Reader, heads: &Heads) -> Result<(), CheckError> {
    let size = heads.frontier.size();
    let expected = network.id().as_event();
    if let Some(found) = reader.log_ids(0, 1)?.first().filter(|found| **found != expected) {
        return Err(CheckError::Network { found: *found, expected });
    }
    let from = size.saturating_sub(CHECKED_ENTRIES as u64);
    let ids = reader.log_ids(from, CHECKED_ENTRIES)?;
    if ids.len() as u64 != size - from {
        return Err(CheckError::Damaged(format!("entries are missing between {from} and {size}")));
    }
    for (index, id) in (from..).zip(&ids) {
        let tile = reader.store().get::<Tiles>(&(0, index / TILE_WIDTH))?.unwrap_or_default();
        let at = usize::try_from(index % TILE_WIDTH).expect("a tile has 256 hashes") * 32;
        if tile.get(at..at + 32) != Some(leaf_hash(id.as_bytes()).as_slice()) {
            return Err(CheckError::Damaged(format!("the hash of entry {index} is not that of its event")));
        }
        if index > 0 {
            check_entry(reader, index, id)?;
        }
    }
    Ok(())
}

fn check_entry(reader: &Reader, index: u64, id: &EventId) -> Result<(), CheckError> {
    let damaged = |what: &str| Err(CheckError::Damaged(format!("entry {index}, event {id}: {what}")));
    let judged = match reader.store().get::<Entries>(&index) {
        Ok(None) => return damaged("its body is missing"),
        Ok(Some(row)) if EventId::of(&row.bytes) != *id => return damaged("its body has another hash"),
        Ok(Some(row)) => RowOf { id, index: Some(index) }.judged(row),
        Err(error) => Err(error),
    };
    let Judged { event, judgement } = match judged {
        Ok(judged) => judged,
        Err(StoreError::Corrupt { .. }) => return damaged("its body is no event, or its judgement none"),
        Err(error) => return Err(error.into()),
    };
    for (at, touch) in event.payload().touches.iter().enumerate() {
        let subject = event.subject(at).expect("the touch was just enumerated");
        if reader.store().get::<LaneHeads>(&(subject, touch.lane))?.is_none_or(|tips| tips.is_empty()) {
            return damaged("a lane that it touches has no tips");
        }
    }
    if reader.store().get::<Journals>(&event.key())?.is_none_or(|heads| heads.is_empty()) {
        return damaged("the journal of its key has no head");
    }
    if !judgement.is_admitted() {
        return damaged("it was not admitted");
    }
    match reader.store().get::<Indexes>(id)? {
        Some(Some(place)) if place == index => Ok(()),
        Some(_) => damaged("it is said to stand at another place in the log"),
        None => damaged("it is not said where it stands in the log"),
    }
}
