//! The follower that counts.

use super::journals::CutTrees;
use super::reach::Recounting;
use super::rows::{CountedRows, DecidingRows, Recounted};
use crate::follower::{Follower, LogEntry};
use crate::reader::Reader;
use provenance::admission::Judged;
use provenance::body::Body;
use provenance::counting::{Deciding, Reach, Rotated, Settlement, reach};
use provenance::id::EventId;
use provenance::network::Network;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use store::{Batch, Column, CursorRow, Cursors, Range, StoreError};

/// Raised when what counts, or its rows, change their meaning; it is then counted again from the first entry.
const VERSION: u32 = 1;

/// Events of which something else counts after one entry, from which on that is written down at once: so that nothing
/// that took long is done again after a stop, however many such entries follow each other.
const WRITTEN_AT_ONCE: usize = 1_024;

/// Counts each entry of the log.
pub(crate) struct CountFollower {
    network: Network,
    /// What the entries that were read decide; made again from the store where a step failed.
    state: Mutex<Option<State>>,
}

#[derive(Clone)]
struct State {
    /// The log index that is read next.
    next: u64,
    deciding: Deciding,
    settlement: Arc<Settlement>,
}

impl CountFollower {
    /// Under which its cursor is kept.
    pub const NAME: &'static str = "counting";

    /// The columns that hold nothing but its rows.
    pub const COLUMNS: &'static [Column] =
        &[Column::Counted, Column::Recounted, Column::Deciding, Column::CutJournals, Column::NamedIn];

    pub fn new(network: Network) -> Self {
        Self { network, state: Mutex::new(None) }
    }

    /// Tells all readers what was counted so far, before anything runs.
    pub fn prepare(&self, reader: &Reader, next: u64) -> Result<(), StoreError> {
        if reader.store().last::<CountedRows>()?.is_some() {
            reader.counting().set_any();
        }
        let state = self.load(reader, next)?;
        reader.counting().publish(state.settlement.clone());
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = Some(state);
        Ok(())
    }

    /// What the entries below `next` decide.
    fn load(&self, reader: &Reader, next: u64) -> Result<State, StoreError> {
        let mut deciding = Deciding::default();
        for row in reader.store().scan::<DecidingRows>(Range::all().before(&next)) {
            let (index, id) = row?;
            let stored = reader.stored(&id)?.ok_or_else(|| StoreError::Corrupt {
                column: Column::Deciding.name(),
                detail: format!("event {id} of entry {index} is missing"),
            })?;
            deciding.add(&stored.judged);
        }
        let settlement = Arc::new(Settlement::of(&self.network, &deciding, &CutTrees::new(reader))?);
        Ok(State { next, deciding, settlement })
    }

    /// What a rotation changes for others, without looking at all that was decided so far; nothing if the event is none,
    /// or has to be looked at with all others.
    fn rotated(
        &self,
        state: &mut State,
        judged: &Arc<Judged>,
        trees: &CutTrees<'_>,
    ) -> Result<Option<Rotated>, StoreError> {
        if !matches!(judged.event.payload().body, Body::ActorKeyRotated(_)) {
            return Ok(None);
        }
        Arc::make_mut(&mut state.settlement).add_rotation(&self.network, judged, &state.deciding, trees)
    }
}

impl Follower for CountFollower {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn version(&self) -> u32 {
        VERSION
    }

    fn columns(&self) -> &'static [Column] {
        Self::COLUMNS
    }

    fn reads_what_counts(&self) -> bool {
        false
    }

    fn follow(&self, reader: &Reader, entries: &[LogEntry], batch: &mut Batch) -> Result<(), StoreError> {
        let mut kept = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let first = entries.first().map_or(1, |entry| entry.index);
        let mut state = match kept.take() {
            Some(state) if state.next == first => state,
            _ => self.load(reader, first)?,
        };
        let trees = CutTrees::new(reader);
        let mut recounting = Recounting::new(&self.network, reader, &trees);
        for entry in entries {
            let (judged, size) = (&entry.stored.judged, entry.index + 1);
            let mut changed = BTreeSet::new();
            match reach(judged) {
                Reach::Nothing => {}
                Reach::NewKey => {
                    batch.put::<DecidingRows>(&entry.index, &entry.id);
                    state.deciding.add(judged);
                    Arc::make_mut(&mut state.settlement).add_key(judged, &trees)?;
                }
                Reach::Others => {
                    batch.put::<DecidingRows>(&entry.index, &entry.id);
                    state.deciding.add(judged);
                    changed = match self.rotated(&mut state, judged, &trees)? {
                        Some(Rotated::Nothing) => BTreeSet::new(),
                        Some(Rotated::Ends(end)) => recounting.spread_end(&end, &state.settlement, entry.index)?,
                        None => {
                            let after = Arc::new(Settlement::of(&self.network, &state.deciding, &trees)?);
                            let before = std::mem::replace(&mut state.settlement, after);
                            recounting.spread(&before, &state.settlement, entry.index)?
                        }
                    };
                }
            }
            if recounting.is_needed(&state.settlement) && recounting.count_new(&state.settlement, judged)? {
                changed.insert(entry.id);
            }
            note(reader, &recounting, &changed, size, batch);
            state.next = size;
            if changed.len() >= WRITTEN_AT_ONCE || trees.is_full() {
                trees.write(batch);
                let mut so_far = std::mem::replace(batch, reader.store().batch());
                so_far.put::<Cursors>(&Self::NAME.to_owned(), &CursorRow { version: VERSION, next: size });
                reader.counting().publish(state.settlement.clone());
                so_far.commit()?;
            }
        }
        trees.write(batch);
        reader.counting().publish(state.settlement.clone());
        *kept = Some(state);
        Ok(())
    }
}

/// Writes down what counts of these events since the log had `size` entries.
fn note(reader: &Reader, recounting: &Recounting<'_>, changed: &BTreeSet<EventId>, size: u64, batch: &mut Batch) {
    for id in changed {
        let Some(found) = recounting.found(id) else { continue };
        reader.counting().set_any();
        batch.put::<CountedRows>(&(*id, size), &found.as_deref().cloned());
        batch.put::<Recounted>(&(size, *id), &());
    }
}
