//! Verifying a backup: its files, its log, and its state map.

use super::manifest::Manifest;
use super::{BackupError, DIGEST, MANIFEST, STORE, copying};
use crate::service::followers;
use ledger::{Ledger, LedgerOptions, WholeLog, verify_store};
use provenance::merkle::Hash;
use provenance::network::Network;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;
use store::{Store, StoreOptions};

/// How often followers are asked whether something keeps them from going on.
const LOOK_EVERY: Duration = Duration::from_millis(500);

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
    let ledger = Ledger::open(store, network.clone(), LedgerOptions::default())?;
    let root = state_root(&ledger).await;
    ledger.close().await;
    root
}

/// Removes all that followers have made of a marked store, and makes it again from the events alone; the root of the
/// state map.
pub(super) async fn make_again(store: &Path, network: &Network) -> Result<Hash, BackupError> {
    let followers = followers(network);
    let opened = Store::open(store, &StoreOptions { create: false, ..StoreOptions::default() })?;
    ledger::forget_followed(&opened, &followers)?;
    drop(opened);
    let ledger = Ledger::open(store, network.clone(), LedgerOptions { followers, ..LedgerOptions::default() })?;
    let made = async {
        let last = ledger.size() - 1;
        while tokio::time::timeout(LOOK_EVERY, ledger.followed(last)).await.is_err() {
            no_problem(&ledger)?;
        }
        state_root(&ledger).await
    };
    let root = made.await;
    ledger.close().await;
    root
}

/// The state root of the whole log. Without a key nothing is signed, and the mark keeps everybody from appending.
async fn state_root(ledger: &Ledger) -> Result<Hash, BackupError> {
    loop {
        match ledger.cut().await {
            Ok(cut) => return Ok(cut.state_root),
            // It is being made again from the start, which takes as long as the log is long.
            Err(ledger::LogError::MapBehind { .. }) => no_problem(ledger)?,
            Err(error) => return Err(BackupError::Followers(error.to_string())),
        }
    }
}

/// A follower that fails goes on trying; nobody would wait for a full disk here.
fn no_problem(ledger: &Ledger) -> Result<(), BackupError> {
    let problem = ledger.health().followers.into_iter().find_map(|follower| follower.problem);
    problem.map_or(Ok(()), |problem| Err(BackupError::Followers(problem)))
}

/// The store's folder in a backup.
pub(super) fn store_in(folder: &Path) -> std::path::PathBuf {
    folder.join(STORE)
}
