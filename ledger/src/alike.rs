//! Which events of another node's log are here.
//!
//! Logs of nodes that follow each other hold the same events in nearly the same order: neighbours there are neighbours
//! here. So one look-up tells where some of them stand in this log, and a range of it, which is read many times as fast as
//! rows under random keys, tells of those around.

use crate::id_map::IdSet;
use crate::reader::Reader;
use provenance::id::EventId;
use store::StoreError;

/// How much of this log is read around an entry at first, and at most. It doubles while a good part of it was asked for.
const FIRST_STRETCH: usize = 64;
const LONGEST_STRETCH: usize = 4_096;

/// Fewer ids than this are looked up one by one.
const FEW: usize = FIRST_STRETCH;

/// How many more look-ups may lead nowhere than lead somewhere; then the rest is looked up one by one: the ids are new, or
/// stand in another order.
const MOST_MISSES: usize = 8;

impl Reader {
    /// Which of these events were judged, as [`are_judged`](Self::are_judged) tells it; quick where they stand in about the
    /// order of this log.
    pub fn are_judged_alike(&self, ids: &[EventId]) -> Result<Vec<bool>, StoreError> {
        if ids.len() < FEW {
            return self.are_judged(ids);
        }
        let mut open: IdSet<EventId> = ids.iter().copied().collect();
        let (mut stretch, mut misses) = (FIRST_STRETCH, 0);
        for id in ids {
            if misses == MOST_MISSES {
                break;
            }
            if !open.contains(id) {
                continue;
            }
            let found = match self.index(id)? {
                Some(index) => self.strike_out(&mut open, index, stretch)?,
                None => 0,
            };
            if found < stretch / 4 {
                misses += 1;
                stretch = FIRST_STRETCH;
            } else {
                misses = misses.saturating_sub(1);
                stretch = (2 * stretch).min(LONGEST_STRETCH);
            }
        }
        let rest: Vec<EventId> = open.iter().copied().collect();
        for (id, judged) in rest.iter().zip(self.are_judged(&rest)?) {
            if judged {
                open.remove(id);
            }
        }
        Ok(ids.iter().map(|id| !open.contains(id)).collect())
    }

    /// Takes out of `open` what stands in a stretch of the log around `index`, most of it after that; tells how many. Entry 0
    /// is no event.
    fn strike_out(&self, open: &mut IdSet<EventId>, index: u64, stretch: usize) -> Result<usize, StoreError> {
        let before = open.len();
        for own in self.log_ids(index.saturating_sub(stretch as u64 / 4).max(1), stretch)? {
            open.remove(&own);
        }
        Ok(before - open.len())
    }
}
