//! A disk in memory, for simulations: it outlives the stores on it, crashes when it is told to, and then loses
//! what was not synced, as a power cut does.

use crate::batch::Batch;
use crate::column::Column;
use crate::error::{OpenError, StoreError};
use crate::scan::in_order;
use crate::store::{Store, StoreOptions, database_options};
use rocksdb::{Env, IteratorMode, WriteBatch, WriteOptions};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The folder of the one store on the disk.
const FOLDER: &str = "/store";

/// When the machine is to stop: at a commit, synced or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Crash {
    /// Commits that go well before.
    pub after_commits: u64,
    /// Whether the commit at which it stops is written. Its caller does not hear of that.
    pub written: bool,
    /// How many of the commits that are not synced by then survive, the oldest first.
    pub surviving: usize,
}

/// A disk in memory that holds one store. Clones are the same disk.
#[derive(Clone)]
pub struct MemoryDisk {
    env: Env,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    crash: Option<Crash>,
    /// Whether what is said to be synced may be lost.
    is_lying: bool,
    /// Whether the machine has stopped; then nothing is written until the store is opened again.
    down: bool,
    commits: u64,
    /// For each commit that a power cut may undo, oldest first, the rows as they were before it.
    unsynced: Vec<Vec<Before>>,
}

/// A row before a commit: its value, if it was there.
struct Before {
    column: Column,
    key: Vec<u8>,
    value: Option<Vec<u8>>,
}

impl std::fmt::Debug for MemoryDisk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let state = self.state();
        f.debug_struct("MemoryDisk").field("commits", &state.commits).field("down", &state.down).finish_non_exhaustive()
    }
}

impl MemoryDisk {
    /// An empty disk. A lying one says that it has synced what a power cut can still undo.
    pub fn new(is_lying: bool) -> Self {
        let env = Env::mem_env().expect("making an empty memory takes nothing but memory");
        Self { env, state: Arc::new(Mutex::new(State { is_lying, ..State::default() })) }
    }

    /// Has the machine stop at a later commit; none takes back what was said before.
    pub fn crash(&self, crash: Option<Crash>) {
        self.state().crash = crash;
    }

    /// Stops the machine between two commits.
    pub fn stop(&self, surviving: usize) {
        let mut state = self.state();
        state.down = true;
        state.crash = Some(Crash { after_commits: 0, written: false, surviving });
    }

    /// Whether the machine has stopped: whatever was said since was said to nobody.
    pub fn is_down(&self) -> bool {
        self.state().down
    }

    /// Commits that went well so far.
    pub fn commits(&self) -> u64 {
        self.state().commits
    }

    /// Commits that a power cut would undo if it came now.
    pub fn unsynced(&self) -> usize {
        self.state().unsynced.len()
    }

    /// Everything is on the disk, unless the machine has stopped.
    pub(crate) fn sync(&self) -> Result<(), StoreError> {
        let mut state = self.state();
        if state.down {
            return Err(stopped());
        }
        if !state.is_lying {
            state.unsynced.clear();
        }
        Ok(())
    }

    /// Writes a batch, which `RocksDB` is to get as `writes`.
    pub(crate) fn write(&self, batch: &Batch, writes: WriteBatch, sync: bool) -> Result<(), StoreError> {
        let mut state = self.state();
        if state.down {
            return Err(stopped());
        }
        let is_last = match &mut state.crash {
            Some(crash) if crash.after_commits == 0 => Some(crash.written),
            Some(crash) => {
                crash.after_commits -= 1;
                None
            }
            None => None,
        };
        if is_last == Some(false) {
            state.down = true;
            return Err(stopped());
        }
        let sync = sync && !state.is_lying;
        let before = if sync { Vec::new() } else { rows_before(batch)? };
        // A synced write would only wait for this memory.
        batch.store().db.write_opt(writes, &WriteOptions::default())?;
        state.commits += 1;
        if sync {
            state.unsynced.clear();
        } else {
            state.unsynced.push(before);
        }
        if is_last == Some(true) {
            state.down = true;
            return Err(stopped());
        }
        Ok(())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store {
    /// Opens the store on a disk in memory; the one that was open before must be dropped. Starts the machine
    /// again if it had stopped: what was lost then is gone now.
    pub fn open_on(disk: &MemoryDisk, options: &StoreOptions) -> Result<Self, OpenError> {
        let path = Path::new(FOLDER);
        let mut database = database_options(options);
        database.set_env(&disk.env);
        // A simulation opens stores thousands of times: no threads, and nothing that is kept for statistics.
        database.set_max_file_opening_threads(1);
        database.set_stats_dump_period_sec(0);
        database.set_stats_persist_period_sec(0);
        database.set_skip_stats_update_on_db_open(true);
        let mut store = Self::open_files(path, &database, options)?;
        disk.start_again(&store).map_err(|error| OpenError::from_store(path, error))?;
        store.disk = Some(disk.clone());
        store.check_schema(path)?;
        Ok(store)
    }
}

impl MemoryDisk {
    /// Undoes the newest commits, if a crash says so.
    fn start_again(&self, store: &Store) -> Result<(), StoreError> {
        let mut state = self.state();
        let unsynced = std::mem::take(&mut state.unsynced);
        if !std::mem::take(&mut state.down) {
            return Ok(());
        }
        let surviving = state.crash.take().map_or(0, |crash| crash.surviving);
        let mut undone = WriteBatch::default();
        // Newest first, so that a row ends as the oldest of them found it.
        for row in unsynced.into_iter().skip(surviving).rev().flat_map(|commit| commit.into_iter().rev()) {
            let column = store.column(row.column);
            match row.value {
                Some(value) => undone.put_cf(column, row.key, value),
                None => undone.delete_cf(column, row.key),
            }
        }
        Ok(store.db.write(undone)?)
    }
}

/// All rows that a batch changes.
fn rows_before(batch: &Batch) -> Result<Vec<Before>, StoreError> {
    let (store, mut rows) = (batch.store(), Vec::new());
    for column in batch.cleared() {
        for row in store.db.iterator_cf_opt(store.column(*column), in_order(), IteratorMode::Start) {
            let (key, value) = row?;
            rows.push(Before { column: *column, key: key.into(), value: Some(value.into()) });
        }
    }
    for (column, key) in batch.rows() {
        let value = store.db.get_cf(store.column(column), key)?;
        rows.push(Before { column, key: key.to_vec(), value });
    }
    Ok(rows)
}

fn stopped() -> StoreError {
    StoreError::Io("the simulated machine has stopped".to_owned())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // A test stops where something is not as it should be.
mod tests {
    use super::*;
    use crate::table::{Log, PeerCursors};
    use provenance::id::EventId;

    fn event(n: u8) -> EventId {
        EventId::from_bytes([n; 32])
    }

    fn open(disk: &MemoryDisk) -> Store {
        Store::open_on(disk, &StoreOptions { cache_bytes: 1 << 20, write_buffer_bytes: 1 << 20, create: true }).unwrap()
    }

    /// Writes a row and says whether that was acknowledged.
    fn put(store: &Store, at: u64, value: u8, sync: bool) -> bool {
        let mut batch = store.batch();
        batch.put::<Log>(&at, &event(value));
        if sync { batch.commit_synced().is_ok() } else { batch.commit().is_ok() }
    }

    fn rows(store: &Store) -> Vec<(u64, EventId)> {
        store.scan::<Log>(crate::Range::all()).map(Result::unwrap).collect()
    }

    #[test]
    fn what_is_synced_survives_and_the_newest_of_the_rest_is_lost() {
        for surviving in 0..=3 {
            let disk = MemoryDisk::new(false);
            let store = open(&disk);
            assert!(put(&store, 0, 1, false) && put(&store, 1, 1, true));
            assert!(put(&store, 0, 2, false) && put(&store, 2, 2, false));
            let mut batch = store.batch();
            batch.clear(Column::Log);
            batch.put::<Log>(&0, &event(3));
            batch.commit().unwrap();
            assert_eq!(disk.unsynced(), 3);
            disk.stop(surviving);
            assert!(!put(&store, 9, 9, true) && store.sync().is_err() && disk.is_down());
            drop(store);
            let expected = [
                vec![(0, event(1)), (1, event(1))],
                vec![(0, event(2)), (1, event(1))],
                vec![(0, event(2)), (1, event(1)), (2, event(2))],
                vec![(0, event(3))],
            ];
            assert_eq!(rows(&open(&disk)), expected[surviving]);
            assert_eq!(rows(&open(&disk)), expected[surviving], "an orderly end loses nothing");
        }
    }

    #[test]
    fn a_crash_comes_before_or_after_its_commit_and_nobody_hears_which() {
        for written in [false, true] {
            let disk = MemoryDisk::new(false);
            let store = open(&disk);
            disk.crash(Some(Crash { after_commits: 1, written, surviving: 0 }));
            assert!(put(&store, 0, 1, true) && !put(&store, 1, 1, true) && !put(&store, 2, 1, true));
            drop(store);
            assert_eq!(rows(&open(&disk)).len(), 1 + usize::from(written));
        }
    }

    #[test]
    fn what_was_synced_later_saves_what_came_before() {
        let disk = MemoryDisk::new(false);
        let store = open(&disk);
        let mut batch = store.batch();
        batch.put::<PeerCursors>(&"peer".to_owned(), &vec![7]);
        batch.commit().unwrap();
        store.sync().unwrap();
        disk.stop(0);
        drop(store);
        assert_eq!(open(&disk).get::<PeerCursors>(&"peer".to_owned()).unwrap(), Some(vec![7]));
    }
}
