//! Rows of lots that were written of late, in memory: the next event of such a lot finds its row here.

use super::produce::{ProduceRow, Produces};
use crate::reader::Reader;
use provenance::id::SubjectId;
use quick_cache::unsync::{Cache, DefaultLifecycle};
use quick_cache::{DefaultHashBuilder, OptionsBuilder, UnitWeighter};
use std::sync::Arc;
use store::StoreError;

/// Rows that are kept, at about a kilobyte each: those of lots that are on their way, to which events come every day.
const KEPT: usize = 16_384;

/// The share for rows that were asked for twice without being written between, which tells little here.
const ASKED_AGAIN: f64 = 0.1;

/// What the follower of the views has written, if all of it went well.
#[derive(Debug)]
pub(super) struct LotRows {
    kept: Cache<SubjectId, Arc<ProduceRow>>,
    /// The entry of the log that comes after those of which the rows were made.
    next: Option<u64>,
}

impl LotRows {
    pub fn new() -> Self {
        let options = OptionsBuilder::new()
            .estimated_items_capacity(KEPT)
            .weight_capacity(KEPT as u64)
            .hot_allocation(ASKED_AGAIN)
            .build()
            .expect("both capacities were given");
        let (hasher, lifecycle) = (DefaultHashBuilder::default(), DefaultLifecycle::default());
        Self { kept: Cache::with_options(options, UnitWeighter, hasher, lifecycle), next: None }
    }

    /// To be called before entries from this one on are followed. What is kept is right only where those before were
    /// written last, which is not so after a failure or where all is made again.
    pub fn begin(&mut self, first: u64) {
        if self.next.take() != Some(first) {
            self.kept.clear();
        }
    }

    /// To be called once all was put into a batch, with the entry that comes next.
    pub fn end(&mut self, next: u64) {
        self.next = Some(next);
    }

    /// The row as it was before the entries that are followed, or as they have changed it so far.
    pub fn get(&self, reader: &Reader, lot: &SubjectId) -> Result<Option<Arc<ProduceRow>>, StoreError> {
        match self.kept.get(lot) {
            Some(row) => Ok(Some(row.clone())),
            None => Ok(reader.store().get::<Produces>(lot)?.map(Arc::new)),
        }
    }

    /// Keeps what is written.
    pub fn put(&mut self, lot: &SubjectId, row: Option<Arc<ProduceRow>>) {
        match row {
            Some(row) => self.kept.insert(*lot, row),
            None => drop(self.kept.remove(lot)),
        }
    }
}
