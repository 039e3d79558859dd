//! Commits that fail on purpose, and how much was read, for tests of what happens then and of what it costs.

use crate::error::StoreError;
use crate::store::Store;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// How the next commit goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It goes well.
    None,
    /// It fails as on a full disk; nothing is written.
    NotWritten,
    /// Everything is written, but the caller hears of a failed disk.
    Written,
}

#[derive(Debug, Default)]
pub(crate) struct Faults {
    commits: Mutex<VecDeque<Fault>>,
    rows_read: AtomicU64,
}

impl Store {
    /// The next commits go as these say; those after them go well.
    pub fn inject(&self, faults: impl IntoIterator<Item = Fault>) {
        self.faults.commits.lock().unwrap_or_else(PoisonError::into_inner).extend(faults);
    }

    /// All further commits go well.
    pub fn mend(&self) {
        self.faults.commits.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// How many rows were asked for so far, one by one or in a range: what an algorithm costs, whatever the machine.
    pub fn rows_read(&self) -> u64 {
        self.faults.rows_read.load(Ordering::Relaxed)
    }
}

impl Faults {
    pub(crate) fn count_read(&self, rows: usize) {
        self.rows_read.fetch_add(rows as u64, Ordering::Relaxed);
    }

    pub(crate) fn around(&self, write: impl FnOnce() -> Result<(), StoreError>) -> Result<(), StoreError> {
        let fault = self.commits.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        match fault.unwrap_or(Fault::None) {
            Fault::None => write(),
            Fault::NotWritten => Err(StoreError::DiskFull),
            Fault::Written => {
                write()?;
                Err(StoreError::Io("injected after the write".into()))
            }
        }
    }
}
