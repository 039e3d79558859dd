//! Opening a store, and reading from it.

use crate::batch::{Batch, Spare};
use crate::column::Column;
use crate::error::{OpenError, StoreError};
use crate::key::Key;
use crate::scan::{Range, Row, Rows, in_order};
use crate::table::{Encoding, Meta, Table};
use provenance::id::sha256;
use rocksdb::{Cache, ColumnFamily, ColumnFamilyDescriptor, DB, DBRecoveryMode, FlushOptions, Options};
use std::path::Path;
use std::sync::Arc;

/// The version of the layout on the disk that this program reads and writes.
pub const SCHEMA_VERSION: u32 = 1;

/// Where [`Column::Meta`] keeps the version.
const SCHEMA_KEY: &str = "schema";

/// Files that a store keeps open, within these bounds.
const FEWEST_OPEN_FILES: u64 = 64;
const MOST_OPEN_FILES: u64 = 4_096;

/// How much memory a store may use.
#[derive(Debug, Clone)]
pub struct StoreOptions {
    /// Makes a new store where there is none.
    pub create: bool,
    /// Bytes of the block cache, which also holds indexes and filters.
    pub cache_bytes: usize,
    /// Bytes of unsorted writes over all columns; beyond them `RocksDB` writes files.
    pub write_buffer_bytes: usize,
}

impl Default for StoreOptions {
    /// 128 MiB each: with ten million events the filters fill most of the cache, and the whole
    /// node stays below 1 GiB.
    fn default() -> Self {
        Self { create: true, cache_bytes: 128 << 20, write_buffer_bytes: 128 << 20 }
    }
}

/// An open store. Clones share it; the last one to be dropped closes it.
#[derive(Clone)]
pub struct Store {
    pub(crate) db: Arc<DB>,
    pub(crate) spare: Arc<Spare>,
    #[cfg(feature = "faults")]
    pub(crate) faults: Arc<crate::faults::Faults>,
    /// Where its files are, if they are not on a real disk.
    #[cfg(feature = "faults")]
    pub(crate) disk: Option<crate::memory_disk::MemoryDisk>,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Store").field(&self.db.path()).finish()
    }
}

impl Store {
    /// Opens the store in the folder `path`, which one process at a time may do.
    pub fn open(path: &Path, options: &StoreOptions) -> Result<Self, OpenError> {
        let exists = path.join("CURRENT").exists();
        if !exists && !options.create {
            return Err(OpenError::Missing(path.to_path_buf()));
        }
        if exists {
            refuse_unknown_columns(path)?;
        }
        let store = Self::open_files(path, &database_options(options), options)?;
        store.check_schema(path)?;
        Ok(store)
    }

    pub(crate) fn open_files(path: &Path, database: &Options, options: &StoreOptions) -> Result<Self, OpenError> {
        let cache = Cache::new_lru_cache(options.cache_bytes);
        let columns =
            Column::ALL.iter().map(|column| ColumnFamilyDescriptor::new(column.name(), column.options(&cache)));
        let db =
            DB::open_cf_descriptors(database, path, columns).map_err(|error| OpenError::from_rocksdb(path, error))?;
        Ok(Self {
            db: Arc::new(db),
            spare: Arc::default(),
            #[cfg(feature = "faults")]
            faults: Arc::default(),
            #[cfg(feature = "faults")]
            disk: None,
        })
    }

    /// Opens the store in the folder `path` for reading alone, and writes nothing there: what is not sorted into files
    /// yet is read into memory. Whatever else `RocksDB` has to say goes to the folder `notes`.
    pub fn open_to_read(path: &Path, notes: &Path, options: &StoreOptions) -> Result<Self, OpenError> {
        if !path.join("CURRENT").exists() {
            return Err(OpenError::Missing(path.to_path_buf()));
        }
        refuse_unknown_columns(path)?;
        let cache = Cache::new_lru_cache(options.cache_bytes);
        // An older program's store lacks the columns that came since, and nothing can be added to it now.
        let there = DB::list_cf(&Options::default(), path).map_err(|error| OpenError::from_rocksdb(path, error))?;
        let columns = Column::ALL.iter().filter(|column| there.iter().any(|name| name == column.name()));
        let columns = columns.map(|column| ColumnFamilyDescriptor::new(column.name(), column.options(&cache)));
        let mut database = database_options(options);
        database.set_db_log_dir(notes);
        let db = DB::open_cf_descriptors_read_only(&database, path, columns, false)
            .map_err(|error| OpenError::from_rocksdb(path, error))?;
        let store = Self {
            db: Arc::new(db),
            spare: Arc::default(),
            #[cfg(feature = "faults")]
            faults: Arc::default(),
            #[cfg(feature = "faults")]
            disk: None,
        };
        match store.get::<Meta>(&SCHEMA_KEY.to_owned()).map_err(|error| OpenError::from_store(path, error))? {
            Some(_) => store.check_schema(path).map(|()| store),
            None => Err(OpenError::from_store(path, StoreError::row(Column::Meta, "schema version"))),
        }
    }

    /// The value under `key`.
    pub fn get<T: Table>(&self, key: &T::Key) -> Result<Option<T::Value>, StoreError> {
        self.count_read(1);
        let value = self.db.get_pinned_cf(self.column(T::COLUMN), key.to_bytes())?;
        value.map(|bytes| decode_value::<T>(&bytes)).transpose()
    }

    /// Whether there is a row under `key`.
    pub fn contains<T: Table>(&self, key: &T::Key) -> Result<bool, StoreError> {
        self.count_read(1);
        Ok(self.db.get_pinned_cf(self.column(T::COLUMN), key.to_bytes())?.is_some())
    }

    /// Whether there is a row under each of these keys; nothing of a row is copied or read into its type.
    pub fn multi_contains<T: Table>(&self, keys: &[T::Key]) -> Result<Vec<bool>, StoreError> {
        self.count_read(keys.len());
        let keys: Vec<_> = keys.iter().map(Key::to_bytes).collect();
        let values = self.db.batched_multi_get_cf(self.column(T::COLUMN), &keys, false);
        values.into_iter().map(|value| Ok(value?.is_some())).collect()
    }

    /// The values under all `keys`, in their order; quicker than one by one.
    pub fn multi_get<T: Table>(&self, keys: &[T::Key]) -> Result<Vec<Option<T::Value>>, StoreError> {
        self.count_read(keys.len());
        let keys: Vec<_> = keys.iter().map(Key::to_bytes).collect();
        let values = self.db.batched_multi_get_cf(self.column(T::COLUMN), &keys, false);
        values.into_iter().map(|value| value?.map(|bytes| decode_value::<T>(&bytes)).transpose()).collect()
    }

    /// The rows of a range, in the order of their keys or backwards.
    ///
    /// An iterator keeps old versions of the rows alive; it is meant to be read soon.
    pub fn scan<T: Table>(&self, range: Range<T::Key>) -> Rows<'_, T> {
        Rows::new(self, range)
    }

    /// The last row of the table.
    pub fn last<T: Table>(&self) -> Result<Option<Row<T>>, StoreError> {
        self.scan::<T>(Range::all().backwards()).next().transpose()
    }

    /// An empty batch of writes to this store.
    pub fn batch(&self) -> Batch {
        Batch::new(self.clone())
    }

    /// Returns when everything committed before is safe on the disk.
    pub fn sync(&self) -> Result<(), StoreError> {
        #[cfg(feature = "faults")]
        if let Some(disk) = &self.disk {
            return disk.sync();
        }
        Ok(self.db.flush_wal(true)?)
    }

    /// Writes all that is only in memory to files, so that [`statistics`](Self::statistics) sees it.
    pub fn flush(&self) -> Result<(), StoreError> {
        Ok(self.db.flush_cfs_opt(&self.families(), &FlushOptions::default())?)
    }

    fn families(&self) -> Vec<&ColumnFamily> {
        Column::ALL.iter().map(|column| self.column(*column)).collect()
    }

    /// The folder of the store.
    pub fn path(&self) -> &Path {
        self.db.path()
    }

    /// Writes a consistent copy of the store into the new folder `path`, sharing files by hard
    /// links where the file system allows; writing goes on meanwhile.
    pub fn backup(&self, path: &Path) -> Result<(), StoreError> {
        Ok(rocksdb::checkpoint::Checkpoint::new(&*self.db)?.create_checkpoint(path)?)
    }

    /// SHA-256 over all rows of a column: stores with the same rows have the same digest.
    ///
    /// Reads everything, so it is for tests and for comparing nodes by hand.
    pub fn digest(&self, column: Column) -> Result<[u8; 32], StoreError> {
        let mut digest = [0; 32];
        let mut rows = self.db.raw_iterator_cf_opt(self.column(column), in_order());
        rows.seek_to_first();
        while let Some((key, value)) = rows.item() {
            let lengths = [key.len() as u64, value.len() as u64].map(u64::to_be_bytes).concat();
            digest = sha256(&[&digest, &lengths, key, value]);
            rows.next();
        }
        rows.status()?;
        Ok(digest)
    }

    #[cfg(feature = "faults")]
    fn count_read(&self, rows: usize) {
        self.faults.count_read(rows);
    }

    #[cfg(not(feature = "faults"))]
    #[allow(clippy::unused_self)] // As where it counts.
    fn count_read(&self, _: usize) {}

    pub(crate) fn column(&self, column: Column) -> &ColumnFamily {
        self.db.cf_handle(column.name()).expect("all columns were opened")
    }

    pub(crate) fn check_schema(&self, path: &Path) -> Result<(), OpenError> {
        let io = |error| OpenError::from_store(path, error);
        match self.get::<Meta>(&SCHEMA_KEY.to_owned()).map_err(io)? {
            None => {
                let mut batch = self.batch();
                batch.put::<Meta>(&SCHEMA_KEY.to_owned(), &SCHEMA_VERSION.to_be_bytes().to_vec());
                batch.commit_synced().map_err(io)
            }
            Some(bytes) => match bytes.try_into().map(u32::from_be_bytes) {
                Ok(SCHEMA_VERSION) => Ok(()),
                // The layout began with version 1, so any other is a later one.
                Ok(found) => {
                    Err(OpenError::Newer { path: path.to_path_buf(), found: format!("schema version {found}") })
                }
                Err(_) => Err(io(StoreError::row(Column::Meta, "schema version"))),
            },
        }
    }
}

/// How many files may be kept open: half of what the process may have, so that there is room for sockets. Ten million
/// events have some hundreds of files; a file that is not open costs several reads more.
fn open_files() -> i32 {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    let half = limit.map_or(MOST_OPEN_FILES, |limit| limit / 2).clamp(FEWEST_OPEN_FILES, MOST_OPEN_FILES);
    i32::try_from(half).expect("there are at most some thousands")
}

pub(crate) fn decode_value<T: Table>(bytes: &[u8]) -> Result<T::Value, StoreError> {
    T::Encoding::decode(bytes).ok_or(StoreError::row(T::COLUMN, "value"))
}

/// Columns of programs before the first release; others have what they held.
const FORMER_COLUMNS: [&str; 3] = ["events", "judgements", "lanes"];

/// A column that this program does not know was made by a newer one, but for the former ones.
fn refuse_unknown_columns(path: &Path) -> Result<(), OpenError> {
    let names = DB::list_cf(&Options::default(), path).map_err(|error| OpenError::from_rocksdb(path, error))?;
    if let Some(former) = names.iter().find(|name| FORMER_COLUMNS.contains(&name.as_str())) {
        return Err(OpenError::Older { path: path.to_path_buf(), found: format!("it has the column {former}") });
    }
    let known =
        |name: &str| name == rocksdb::DEFAULT_COLUMN_FAMILY_NAME || Column::ALL.iter().any(|c| c.name() == name);
    match names.into_iter().find(|name| !known(name)) {
        Some(name) => Err(OpenError::Newer { path: path.to_path_buf(), found: format!("it has the column {name}") }),
        None => Ok(()),
    }
}

pub(crate) fn database_options(options: &StoreOptions) -> Options {
    let mut database = Options::default();
    database.create_if_missing(options.create);
    // Columns that a later version of this program added to the list.
    database.create_missing_column_families(true);
    database.set_db_write_buffer_size(options.write_buffer_bytes);
    // Columns that are written seldom would otherwise keep every log file of RocksDB alive.
    database.set_max_total_wal_size(4 * options.write_buffer_bytes as u64);
    // After a power cut the log of RocksDB ends in a torn record: all up to it is taken, in
    // order. What was synced is before it.
    database.set_wal_recovery_mode(DBRecoveryMode::PointInTime);
    database.set_max_open_files(open_files());
    // One for flushing and one for compaction; signatures need the processor more.
    database.set_max_background_jobs(2);
    // Spreads the writing of files, which would otherwise make a sync of the log wait.
    database.set_bytes_per_sync(1 << 20);
    database.set_keep_log_file_num(4);
    database.set_max_log_file_size(4 << 20);
    database
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // A test stops where something is not as it should be.
mod tests {
    use super::*;

    #[test]
    fn a_store_from_before_the_first_release_is_left_alone() {
        for former in ["events", "judgements", "lanes"] {
            let folder = tempfile::tempdir().unwrap();
            let mut options = Options::default();
            options.create_if_missing(true);
            options.create_missing_column_families(true);
            drop(DB::open_cf(&options, folder.path(), ["meta", former]).unwrap());
            let notes = tempfile::tempdir().unwrap();
            let read = Store::open_to_read(folder.path(), notes.path(), &StoreOptions::default());
            for opened in [Store::open(folder.path(), &StoreOptions::default()), read] {
                let error = opened.unwrap_err();
                assert!(matches!(&error, OpenError::Older { .. }) && error.to_string().contains(former), "{error}");
            }
            assert_eq!(DB::list_cf(&options, folder.path()).unwrap(), ["default", "meta", former]);
        }
    }
}
