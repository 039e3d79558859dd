//! Ranges of rows, forwards and backwards.

use crate::error::StoreError;
use crate::key::{Key, Prefix};
use crate::store::{Store, decode_value};
use crate::table::Table;
use rocksdb::{DB, DBRawIteratorWithThreadMode, ReadOptions};
use std::marker::PhantomData;

/// Which rows, and in which direction.
#[derive(Debug, Clone)]
pub struct Range<K> {
    /// First key of the range, included.
    lower: Vec<u8>,
    /// End of the range, excluded; none where it is open.
    upper: Option<Vec<u8>>,
    backwards: bool,
    key: PhantomData<fn(K)>,
}

impl<K: Key> Range<K> {
    /// All rows of the table.
    pub fn all() -> Self {
        Self { lower: Vec::new(), upper: None, backwards: false, key: PhantomData }
    }

    /// All rows whose key begins with these components.
    pub fn prefix(prefix: &impl Prefix<K>) -> Self {
        let lower = prefix.to_bytes();
        let upper = successor(&lower);
        Self { lower, upper, backwards: false, key: PhantomData }
    }

    /// Only keys from `key` on, itself included.
    #[must_use]
    pub fn from(mut self, key: &K) -> Self {
        self.lower = self.lower.max(key.to_bytes());
        self
    }

    /// Only keys beyond `key`.
    #[must_use]
    pub fn after(mut self, key: &K) -> Self {
        let mut bytes = key.to_bytes();
        bytes.push(0);
        self.lower = self.lower.max(bytes);
        self
    }

    /// Only keys below `key`.
    #[must_use]
    pub fn before(mut self, key: &K) -> Self {
        let bytes = key.to_bytes();
        self.upper = Some(self.upper.map_or_else(|| bytes.clone(), |upper| upper.min(bytes.clone())));
        self
    }

    /// From the last row to the first.
    #[must_use]
    pub fn backwards(mut self) -> Self {
        self.backwards = true;
        self
    }

    /// Whether all keys of the range begin with the same so many bytes.
    fn has_one_prefix(&self, len: usize) -> bool {
        let beyond = self.lower.get(..len).and_then(successor);
        self.upper.as_ref().zip(beyond).is_some_and(|(upper, beyond)| *upper <= beyond)
    }
}

/// For going through all rows of a column.
pub(crate) fn in_order() -> ReadOptions {
    let mut options = ReadOptions::default();
    options.set_total_order_seek(true);
    options
}

/// The first byte string beyond all that begin with `prefix`.
fn successor(prefix: &[u8]) -> Option<Vec<u8>> {
    let last = prefix.iter().rposition(|byte| *byte != 0xff)?;
    let mut end = prefix[..=last].to_vec();
    end[last] += 1;
    Some(end)
}

/// Key and value of a row.
pub type Row<T> = (<T as Table>::Key, <T as Table>::Value);

/// The rows of a range.
pub struct Rows<'a, T> {
    iterator: DBRawIteratorWithThreadMode<'a, DB>,
    backwards: bool,
    started: bool,
    ended: bool,
    table: PhantomData<fn(T)>,
    #[cfg(feature = "faults")]
    faults: &'a crate::faults::Faults,
}

impl<T> std::fmt::Debug for Rows<'_, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rows").field("backwards", &self.backwards).finish_non_exhaustive()
    }
}

impl<'a, T: Table> Rows<'a, T> {
    pub(crate) fn new(store: &'a Store, range: Range<T::Key>) -> Self {
        let mut options = ReadOptions::default();
        let ended = range.upper.as_ref().is_some_and(|upper| *upper <= range.lower);
        // Filters are only asked where nothing but rows of one prefix is wanted, from the first to the last.
        let has_one_prefix = T::COLUMN.range_prefix().is_some_and(|len| range.has_one_prefix(len)) && !range.backwards;
        options.set_total_order_seek(!has_one_prefix);
        options.set_prefix_same_as_start(has_one_prefix);
        options.set_iterate_lower_bound(range.lower);
        if let Some(upper) = range.upper {
            options.set_iterate_upper_bound(upper);
        }
        let iterator = store.db.raw_iterator_cf_opt(store.column(T::COLUMN), options);
        Self {
            iterator,
            backwards: range.backwards,
            started: false,
            ended,
            table: PhantomData,
            #[cfg(feature = "faults")]
            faults: &store.faults,
        }
    }

    fn step(&mut self) {
        match (self.started, self.backwards) {
            (false, false) => self.iterator.seek_to_first(),
            (false, true) => self.iterator.seek_to_last(),
            (true, false) => self.iterator.next(),
            (true, true) => self.iterator.prev(),
        }
        self.started = true;
    }

    fn current(&self) -> Result<Option<Row<T>>, StoreError> {
        let Some((key, value)) = self.iterator.item() else {
            self.iterator.status()?;
            return Ok(None);
        };
        let key = T::Key::from_bytes(key).ok_or(StoreError::row(T::COLUMN, "key"))?;
        Ok(Some((key, decode_value::<T>(value)?)))
    }
}

impl<T: Table> Iterator for Rows<'_, T> {
    type Item = Result<Row<T>, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        #[cfg(feature = "faults")]
        self.faults.count_read(1);
        self.step();
        let row = self.current().transpose();
        self.ended = !matches!(row, Some(Ok(_)));
        row
    }
}
