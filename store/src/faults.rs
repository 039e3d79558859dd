//! Commits that fail on purpose, for tests of what happens then.

use crate::error::StoreError;
use crate::store::Store;
use std::collections::VecDeque;
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
pub(crate) struct Faults(Mutex<VecDeque<Fault>>);

impl Store {
    /// The next commits go as these say; those after them go well.
    pub fn inject(&self, faults: impl IntoIterator<Item = Fault>) {
        self.faults.0.lock().unwrap_or_else(PoisonError::into_inner).extend(faults);
    }

    /// All further commits go well.
    pub fn mend(&self) {
        self.faults.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

impl Faults {
    pub(crate) fn around(&self, write: impl FnOnce() -> Result<(), StoreError>) -> Result<(), StoreError> {
        let fault = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
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
