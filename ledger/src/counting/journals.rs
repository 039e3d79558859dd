//! The journals that were cut: their Merkle trees up to the cut, by which an event is shown to lie before it.

use super::rows::CutJournals;
use crate::reader::Reader;
use provenance::admission::{Ancestry, Judged};
use provenance::body::Cut;
use provenance::counting::Journals;
use provenance::id::EventId;
use provenance::merkle::{self, Frontier, Hash, Nodes, complete_root, leaf_hash, tile_position};
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use store::{Batch, StoreError};

/// Leaves of trees that are kept in memory at most: some ten megabytes.
const LEAVES_AT_ONCE: u64 = 1 << 18;

/// By cutter, key event, level and number: tiles as in the log's own tree.
type TileKey = (EventId, EventId, u8, u64);

/// The trees of cut journals: those in the store, and those that are made now.
pub(crate) struct CutTrees<'a> {
    reader: &'a Reader,
    made: RefCell<BTreeMap<TileKey, Vec<u8>>>,
    /// Leaves of those that were made since the last were written.
    leaves: Cell<u64>,
}

impl<'a> CutTrees<'a> {
    pub fn new(reader: &'a Reader) -> Self {
        Self { reader, made: RefCell::default(), leaves: Cell::default() }
    }

    /// Adds what was made to a batch, which is to be committed before anything more is asked.
    pub fn write(&self, batch: &mut Batch) {
        for (key, tile) in self.made.take() {
            batch.put::<CutJournals>(&key, &tile);
        }
        self.leaves.set(0);
    }

    /// Whether so much was made that it is time to write it.
    pub fn is_full(&self) -> bool {
        self.leaves.get() >= LEAVES_AT_ONCE
    }

    fn tile(&self, key: &TileKey) -> Result<Option<Vec<u8>>, StoreError> {
        match self.made.borrow().get(key) {
            Some(tile) => Ok(Some(tile.clone())),
            None => self.reader.store().get::<CutJournals>(key),
        }
    }

    /// Makes the tree of a journal up to a cut: once for each cut, from its last event backwards.
    fn make(&self, cutter: &EventId, cut: &Cut) -> Result<(), StoreError> {
        if self.tile(&(*cutter, cut.key_event, 0, 0))?.is_some() {
            return Ok(());
        }
        let (mut ids, mut next) = (Vec::new(), cut.last);
        while (ids.len() as u64) < cut.count {
            let Some(judged) = self.reader.judged(&next)? else { break };
            ids.push(next);
            next = judged.event.payload().journal;
        }
        self.leaves.set(self.leaves.get() + ids.len() as u64);
        let mut frontier = Frontier::default();
        let mut made = self.made.borrow_mut();
        for id in ids.iter().rev() {
            frontier.append(leaf_hash(id.as_bytes()), |level, at, hash| {
                let position = tile_position(level, at);
                if position.count == 1 {
                    let key = (*cutter, cut.key_event, position.level, position.index);
                    made.entry(key).or_default().extend_from_slice(&hash);
                }
            });
        }
        Ok(())
    }
}

impl Journals for CutTrees<'_> {
    type Error = StoreError;

    const BY_LAST_EVENT: bool = true;

    fn is_within(&self, cutter: &EventId, cut: &Cut, event: &Judged) -> Result<bool, StoreError> {
        let height = event.judgement.journal_height;
        if height == 0 || height > cut.count {
            return Ok(false);
        }
        // All events of a journal that ends once stand in one line. Only of one that was forked a tree has to tell.
        if self.reader.journal_heads(&event.event.key())?.len() == 1 {
            return Ok(true);
        }
        self.make(cutter, cut)?;
        let position = tile_position(0, height - 1);
        let tile = self.tile(&(*cutter, cut.key_event, position.level, position.index))?.unwrap_or_default();
        let at = usize::try_from(position.first).expect("a tile has 256 hashes") * 32;
        Ok(tile.get(at..at + 32) == Some(leaf_hash(event.event.id().as_bytes()).as_slice()))
    }
}

/// The tree of one cut journal.
struct CutTree<'a> {
    trees: &'a CutTrees<'a>,
    cutter: EventId,
    key_event: EventId,
}

impl Nodes for CutTree<'_> {
    type Error = StoreError;

    fn node(&self, level: u32, index: u64) -> Result<Hash, StoreError> {
        let position = tile_position(level, index);
        let tile = self.trees.tile(&(self.cutter, self.key_event, position.level, position.index))?.unwrap_or_default();
        let hashes: Vec<Hash> = tile.as_chunks::<32>().0.to_vec();
        let first = usize::try_from(position.first).expect("a tile has 256 hashes");
        let count = usize::try_from(position.count).expect("a tile has 256 hashes");
        hashes.get(first..first + count).map(complete_root).ok_or_else(|| StoreError::Corrupt {
            column: "cut_journals",
            detail: format!("tile {} of level {} is too short", position.index, position.level),
        })
    }
}

/// The proof that an event, which lies before a cut, is the one at its place of the journal: index and path.
pub(crate) fn path_in_journal(
    trees: &CutTrees<'_>,
    cutter: EventId,
    cut: &Cut,
    event: &Judged,
) -> Result<Option<(u64, Vec<Hash>)>, StoreError> {
    if !trees.is_within(&cutter, cut, event)? {
        return Ok(None);
    }
    trees.make(&cutter, cut)?;
    let index = event.judgement.journal_height - 1;
    let tree = CutTree { trees, cutter, key_event: cut.key_event };
    Ok(merkle::inclusion_proof(index, cut.count, &tree)?.map(|path| (index, path)))
}
