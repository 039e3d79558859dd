//! Verifying a backup: its files, its log, and its state map.

use super::manifest::Manifest;
use super::{BackupError, DIGEST, MANIFEST, STORE, copying};
use ledger::{Ledger, LedgerOptions, WholeLog, verify_store};
use provenance::merkle::Hash;
use provenance::network::Network;
use std::collections::BTreeMap;
use std::path::Path;
use store::{Store, StoreOptions};

/// Compares every file with the manifest. Nothing else may be there, and nothing may be missing.
pub(super) fn files(folder: &Path, manifest: &Manifest) -> Result<(), BackupError> {
    let mut told: BTreeMap<&str, _> = manifest.files.iter().map(|file| (file.path.as_str(), file)).collect();
    for name in copying::list(folder)? {
        if name == MANIFEST || name == DIGEST {
            continue;
        }
        let path = folder.join(&name);
        let Some(file) = told.remove(name.as_str()) else {
            return Err(BackupError::Changed { path, reason: "it does not belong to the backup" });
        };
        if path.metadata().map_err(BackupError::file("reading", &path))?.len() != file.bytes {
            return Err(BackupError::Changed { path, reason: "it has another length" });
        }
        if copying::hash(&path)?.1 != file.sha256 {
            return Err(BackupError::Changed { path, reason: "it has another hash" });
        }
    }
    match told.into_values().next() {
        Some(file) => Err(BackupError::Changed { path: folder.join(&file.path), reason: "it is missing" }),
        None => Ok(()),
    }
}

/// Hashes and verifies everything in a store that nobody writes to.
pub(super) fn whole(store: &Path, network: &Network, progress: impl FnMut(u64)) -> Result<WholeLog, BackupError> {
    let notes = tempfile::tempdir().map_err(BackupError::file("making a folder in", std::env::temp_dir()))?;
    let opened = Store::open_to_read(store, notes.path(), &StoreOptions::default())?;
    verify_store(&opened, network, progress).map_err(BackupError::NotWhole)
}

/// Cuts the state map for the whole log of a marked store; its root.
pub(super) async fn map(store: &Path, network: &Network) -> Result<Hash, BackupError> {
    // Without a key nothing is signed, and the mark keeps everybody from appending.
    let ledger = Ledger::open(store, network.clone(), LedgerOptions::default())?;
    let cut = loop {
        match ledger.cut().await {
            Ok(cut) => break Ok(cut.state_root),
            // It is being made again from the start, which takes as long as the log is long.
            Err(ledger::LogError::MapBehind { .. }) => {}
            Err(error) => break Err(BackupError::Map(error.to_string())),
        }
        let problem = ledger.health().followers.into_iter().find_map(|follower| follower.problem);
        if let Some(problem) = problem {
            break Err(BackupError::Map(problem));
        }
    };
    ledger.close().await;
    cut
}

/// Has the state map made again when the store is opened next, from the events alone.
pub(super) fn forget_map(store: &Path) -> Result<(), BackupError> {
    let opened = Store::open(store, &StoreOptions { create: false, ..StoreOptions::default() })?;
    Ok(ledger::forget_map(&opened)?)
}

/// The store's folder in a backup.
pub(super) fn store_in(folder: &Path) -> std::path::PathBuf {
    folder.join(STORE)
}
