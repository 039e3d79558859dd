//! Stores that hold the first part of the corpus, for whole nodes to be started with.

use std::io;
use std::path::{Path, PathBuf};

/// Copies of one store, taken while it grew. They share their files, so that a copy costs little room.
#[derive(Debug)]
pub struct Stock {
    /// Holds all of them, and goes with them.
    pub folder: tempfile::TempDir,
    /// How many events each holds, ascending, and where it lies.
    pub stores: Vec<(u64, PathBuf)>,
}

impl Stock {
    /// The largest store of at most so many events; the smallest where all are larger.
    pub fn at_most(&self, events: u64) -> anyhow::Result<(u64, &Path)> {
        let fits = self.stores.iter().rev().find(|(size, _)| *size <= events);
        let (size, path) = fits.or(self.stores.first()).ok_or_else(|| anyhow::anyhow!("no store was filled"))?;
        Ok((*size, path))
    }
}

/// Puts a copy of a store in the place of whatever is at `to`. Sorted files never change, and are shared.
pub fn put(store: &Path, to: &Path) -> io::Result<()> {
    match std::fs::remove_dir_all(to) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => std::fs::create_dir_all(to)?,
    }
    for entry in std::fs::read_dir(store)? {
        let entry = entry?;
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        let shared = from.extension().is_some_and(|extension| extension == "sst");
        if !shared || std::fs::hard_link(&from, &to).is_err() {
            std::fs::copy(&from, &to)?;
        }
    }
    Ok(())
}
