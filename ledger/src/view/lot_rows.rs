//! Rows of lots that were written of late, in memory: the next event of such a lot finds its row here.

use super::produce::{ProduceRow, Produces};
use crate::reader::Reader;
use provenance::id::SubjectId;
use quick_cache::unsync::{Cache, DefaultLifecycle};
use quick_cache::{DefaultHashBuilder, OptionsBuilder, Weighter};
use std::convert::Infallible;
use std::sync::Arc;
use store::StoreError;

/// Rows that are expected to fit: those of lots that are on their way, to which events come every day.
const KEPT: usize = 16_384;

/// Bytes of them, as they are on the disk and with what surrounds them in memory.
const KEPT_BYTES: u64 = 16 << 20;
const ROW_BYTES: u64 = 512;

/// The share for rows that were asked for twice without being written between, which tells little here.
const ASKED_AGAIN: f64 = 0.1;

/// A row, and how many bytes it has.
type Kept = (Arc<ProduceRow>, u64);

#[derive(Debug, Clone)]
struct Size;

impl Weighter<SubjectId, Kept> for Size {
    fn weight(&self, _: &SubjectId, (_, bytes): &Kept) -> u64 {
        *bytes
    }
}

/// Counts what is written.
struct Counter(u64);

impl minicbor::encode::Write for Counter {
    type Error = Infallible;

    fn write_all(&mut self, bytes: &[u8]) -> Result<(), Infallible> {
        self.0 += bytes.len() as u64;
        Ok(())
    }
}

/// What the follower of the views has written, if all of it went well.
#[derive(Debug)]
pub(super) struct LotRows {
    kept: Cache<SubjectId, Kept, Size>,
    /// The entry of the log that comes after those of which the rows were made.
    next: Option<u64>,
}

impl LotRows {
    pub fn new() -> Self {
        let options = OptionsBuilder::new()
            .estimated_items_capacity(KEPT)
            .weight_capacity(KEPT_BYTES)
            .hot_allocation(ASKED_AGAIN)
            .build()
            .expect("both capacities were given");
        let (hasher, lifecycle) = (DefaultHashBuilder::default(), DefaultLifecycle::default());
        Self { kept: Cache::with_options(options, Size, hasher, lifecycle), next: None }
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
            Some((row, _)) => Ok(Some(row.clone())),
            None => Ok(reader.store().get::<Produces>(lot)?.map(Arc::new)),
        }
    }

    /// Keeps what is written.
    pub fn put(&mut self, lot: &SubjectId, row: Option<Arc<ProduceRow>>) {
        let Some(row) = row else {
            self.kept.remove(lot);
            return;
        };
        let mut counter = Counter(ROW_BYTES);
        minicbor::encode(&*row, &mut counter).expect("counting cannot fail");
        self.kept.insert(*lot, (row, counter.0));
    }
}
