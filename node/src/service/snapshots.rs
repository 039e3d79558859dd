//! Copies of the running node's store, for `furrow backup` to take away.

use crate::data_dir::DataDir;
use api::{Snapshot, SnapshotError};
use ledger::Ledger;
use std::io;
use std::path::{Path, PathBuf};
use store::Store;

/// Makes copies in the node's folder, one at a time.
pub(super) struct Snapshots {
    folder: DataDir,
    ledger: Ledger,
}

impl Snapshots {
    /// Copies of this ledger's store in this folder.
    pub(super) fn new(folder: &DataDir, ledger: Ledger) -> Self {
        Self { folder: folder.clone(), ledger }
    }
}

impl api::Snapshots for Snapshots {
    fn take(&self) -> Result<Snapshot, SnapshotError> {
        let taken = take(&self.folder, self.ledger.reader().store());
        let folder = taken.map_err(|error| SnapshotError(format!("the store cannot be copied: {error}; make room")))?;
        Ok(Snapshot { folder: folder.display().to_string() })
    }
}

/// Copies a store that is open, sharing files where the disk allows it, and removes what an earlier backup left.
pub(crate) fn take(folder: &DataDir, store: &Store) -> io::Result<PathBuf> {
    use std::os::unix::fs::DirBuilderExt;
    remove_all(folder);
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder.snapshots())?;
    let snapshot = std::path::absolute(folder.snapshots())?.join("store");
    store.backup(&snapshot).map_err(io::Error::other)?;
    Ok(snapshot)
}

/// Removes copies that nobody took away.
pub(crate) fn remove_all(folder: &DataDir) {
    remove(&folder.snapshots());
}

fn remove(path: &Path) {
    match std::fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            tracing::warn!(folder = %path.display(), %error, "an old copy of the store cannot be removed");
        }
        _ => {}
    }
}
