//! Backups: a copy of a node's store with its network, its configuration and, by choice, its keys, that proves itself.
//!
//! ```text
//! DIR/backup.json          what the backup is of, and the SHA-256 of every other file (`manifest`)
//! DIR/backup.json.sha256   the SHA-256 of that, as sha256sum writes and reads it
//! DIR/store/               a consistent copy of the store, marked as restored
//! DIR/network.toml         the network's definition
//! DIR/furrow.toml          the node's configuration
//! DIR/keystore             with --keys: encrypted as it was
//! ```
//!
//! **Invariant:** a folder under its final name is complete and verified: it is made under another name, and renamed last.
//!
//! **Invariant:** the store in a backup is marked, so that a node which goes on with it first recovers its log.

mod copying;
mod make;
mod manifest;
mod restore;
mod verify;

pub(crate) use make::{Made, Taken, make};
pub(crate) use restore::{Source, restore};

use std::path::PathBuf;

/// The manifest's name.
const MANIFEST: &str = "backup.json";
/// The name of its digest.
const DIGEST: &str = "backup.json.sha256";
/// The folder with the store.
const STORE: &str = "store";
/// The network's definition.
const NETWORK: &str = "network.toml";
/// The configuration.
const CONFIGURATION: &str = "furrow.toml";
/// The keys.
const KEYSTORE: &str = "keystore";

/// Why there is no backup, or nothing was restored from it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BackupError {
    /// A file that cannot be read or written.
    #[error("{what} {path} failed")]
    File {
        /// What was tried.
        what: &'static str,
        /// With which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Something is there already.
    #[error("{0} is there already; name a folder that is empty or does not exist")]
    Exists(PathBuf),
    /// Not a backup.
    #[error(
        "{0} is no backup: it has no {MANIFEST}. A folder whose name ends in .partial was not finished; make a new one"
    )]
    NoBackup(PathBuf),
    /// The manifest was changed.
    #[error("{path} was changed or is damaged: {reason}; take another backup")]
    Manifest {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// A file was changed.
    #[error("{path} was changed or is damaged: {reason}; take another backup")]
    Changed {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        reason: &'static str,
    },
    /// The store cannot be opened.
    #[error(transparent)]
    Open(#[from] store::OpenError),
    /// The ledger cannot be opened.
    #[error(transparent)]
    Ledger(#[from] ledger::OpenError),
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] store::StoreError),
    /// The store is not whole.
    #[error("the store does not hold: {0}")]
    NotWhole(#[source] ledger::CheckError),
    /// Not what the manifest tells.
    #[error("{0} of the store is not what the backup says; take another backup")]
    Other(&'static str),
    /// What is made of the events.
    #[error("what the events say cannot be made of them again: {0}")]
    Followers(String),
    /// The network file.
    #[error(transparent)]
    Network(#[from] crate::network_file::NetworkFileError),
    /// The keystore.
    #[error(transparent)]
    Keystore(#[from] crate::keystore::KeystoreError),
}

impl BackupError {
    fn file(what: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { what, path, source }
    }
}
