//! Rows that were written of late, in memory: the next event of such a lot, or the answer to such an offer, finds its row
//! here.

use super::produce::Produces;
use super::transfer::Transfers;
use crate::reader::Reader;
use quick_cache::unsync::{Cache, DefaultLifecycle};
use quick_cache::{DefaultHashBuilder, OptionsBuilder, Weighter};
use std::hash::Hash;
use store::{StoreError, Table};

/// Memory for rows of lots that are on their way, to which events come every day.
const LOT_BYTES: usize = 16 << 20;

/// Memory for offers that wait for an answer.
const OFFER_BYTES: usize = 4 << 20;

/// What a row takes in memory beside its bytes on the disk, about.
const ROW_BYTES: usize = 512;

/// What a row takes on the disk, about; the caches size their tables by it.
const USUAL_BYTES: usize = 512;

/// The share for rows that were asked for twice without being written between, which tells little here.
const ASKED_AGAIN: f64 = 0.1;

/// Rows of one table.
#[derive(Debug)]
pub(super) struct Kept<T: Table<Key: Eq + Hash>>(Cache<T::Key, WithSize<T::Value>, Weight>);

/// A row, and how many bytes it has on the disk, about.
#[derive(Debug, Clone)]
pub(super) struct WithSize<R>(pub Box<R>, pub usize);

#[derive(Debug, Clone)]
struct Weight;

impl<K, R> Weighter<K, WithSize<R>> for Weight {
    fn weight(&self, _: &K, WithSize(_, bytes): &WithSize<R>) -> u64 {
        (bytes + ROW_BYTES) as u64
    }
}

impl<T> Kept<T>
where
    T: Table<Key: Eq + Hash + Copy, Value: Clone>,
{
    fn new(bytes: usize) -> Self {
        let options = OptionsBuilder::new()
            .estimated_items_capacity(bytes / (USUAL_BYTES + ROW_BYTES))
            .weight_capacity(bytes as u64)
            .hot_allocation(ASKED_AGAIN)
            .build()
            .expect("both capacities were given");
        Self(Cache::with_options(options, Weight, DefaultHashBuilder::default(), DefaultLifecycle::default()))
    }

    /// The row as the entries before those that are followed have left it, or as it was kept since.
    pub fn get(&self, reader: &Reader, key: &T::Key) -> Result<Option<Box<T::Value>>, StoreError> {
        match self.0.get(key) {
            Some(WithSize(row, _)) => Ok(Some(row.clone())),
            None => Ok(reader.store().get::<T>(key)?.map(Box::new)),
        }
    }

    /// The same with its size; it is kept no more, so that it can become another without being copied.
    pub fn take(&mut self, reader: &Reader, key: &T::Key) -> Result<Option<WithSize<T::Value>>, StoreError> {
        match self.0.remove(key) {
            Some((_, kept)) => Ok(Some(kept)),
            None => Ok(reader.store().get::<T>(key)?.map(|row| WithSize(Box::new(row), USUAL_BYTES))),
        }
    }

    /// Keeps a row that is on the disk or was put into a batch, where it has so many bytes.
    pub fn keep(&mut self, key: &T::Key, row: Box<T::Value>, bytes: usize) {
        self.0.insert(*key, WithSize(row, bytes));
    }

    /// Keeps a row no more.
    pub fn forget(&mut self, key: &T::Key) {
        self.0.remove(key);
    }
}

/// What the follower of the views has written, if all of it went well.
#[derive(Debug)]
pub(super) struct KeptRows {
    pub lots: Kept<Produces>,
    pub offers: Kept<Transfers>,
    /// The entry of the log that comes after those of which the rows were made.
    next: Option<u64>,
}

impl KeptRows {
    pub fn new() -> Self {
        Self { lots: Kept::new(LOT_BYTES), offers: Kept::new(OFFER_BYTES), next: None }
    }

    /// To be called before entries from this one on are followed. What is kept is right only where those before were
    /// written last, which is not so after a failure or where all is made again.
    pub fn begin(&mut self, first: u64) {
        if self.next.take() != Some(first) {
            self.lots.0.clear();
            self.offers.0.clear();
        }
    }

    /// To be called once all was put into a batch, with the entry that comes next.
    pub fn end(&mut self, next: u64) {
        self.next = Some(next);
    }
}
