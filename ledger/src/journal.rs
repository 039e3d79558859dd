//! The Merkle root over a journal up to one of its events, by which cuts are judged.
//!
//! Who cuts a journal makes every node walk it. So a node keeps the frontier at every so manieth event of a journal that
//! was walked once, and goes back no further than to the last one from then on, however often that journal is cut.

use provenance::admission::Ancestry;
use provenance::id::EventId;
use provenance::merkle::{Frontier, Hash, leaf_hash};
use store::{Column, Raw, Store, StoreError, Table};

/// Events between two frontiers that are kept: some hundred bytes for what is read again in a millisecond.
const APART: u64 = 1_024;

/// [`Column::JournalRoots`].
#[derive(Debug)]
pub(crate) struct JournalRoots;

impl Table for JournalRoots {
    const COLUMN: Column = Column::JournalRoots;
    type Key = EventId;
    type Value = Vec<u8>;
    type Encoding = Raw;
}

/// What a walk over a journal has found.
pub(crate) struct Walked {
    /// The root over it.
    pub root: Hash,
    /// Frontiers at events that had none yet, as rows.
    pub rows: Vec<(EventId, Vec<u8>)>,
}

/// The root over a journal up to `last`, and rows for the events on the way that have none yet. `found` are rows that
/// are not in the store yet.
pub(crate) fn walk<A: Ancestry<Error = StoreError>>(
    store: &Store,
    ancestry: &A,
    last: &EventId,
    found: impl Fn(&EventId) -> Option<Vec<u8>>,
) -> Result<Walked, StoreError> {
    let (mut ids, mut next, mut frontier) = (Vec::new(), *last, Frontier::default());
    while let Some(judged) = ancestry.judged(&next)? {
        let height = judged.judgement.journal_height;
        if height.is_multiple_of(APART) {
            let row = match found(&next) {
                Some(row) => Some(row),
                None => store.get::<JournalRoots>(&next)?,
            };
            if let Some(kept) = row.map(|row| Frontier::from_roots(height, row.as_chunks::<32>().0.to_vec())) {
                frontier = kept.ok_or_else(|| StoreError::Corrupt {
                    column: Column::JournalRoots.name(),
                    detail: format!("the frontier at {next} has another number of roots"),
                })?;
                break;
            }
        }
        ids.push(next);
        if height <= 1 {
            break;
        }
        next = judged.event.payload().journal;
    }
    let mut rows = Vec::new();
    for id in ids.iter().rev() {
        frontier.append(leaf_hash(id.as_bytes()), |_, _, _| {});
        if frontier.size().is_multiple_of(APART) {
            rows.push((*id, frontier.roots().concat()));
        }
    }
    Ok(Walked { root: frontier.root(), rows })
}
