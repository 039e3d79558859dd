//! The node's folder: where each of its files lies.

use crate::failure::{Exit, Failure};
use std::path::{Path, PathBuf};

/// A node's folder, `~/.furrow` unless another is named.
#[derive(Debug, Clone)]
pub(crate) struct DataDir(PathBuf);

impl DataDir {
    /// The folder that was named, or the default.
    pub(crate) fn new(named: Option<&Path>) -> Result<Self, Failure> {
        if let Some(named) = named {
            return Ok(Self(named.to_owned()));
        }
        let home = std::env::home_dir().filter(|home| !home.as_os_str().is_empty());
        home.map(|home| Self(home.join(".furrow")))
            .ok_or_else(|| Failure::new(Exit::BadInput, "there is no home folder; name the node's folder with --data"))
    }

    /// The folder itself.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// The node's configuration.
    pub(crate) fn configuration(&self) -> PathBuf {
        self.0.join("furrow.toml")
    }

    /// The definition of the network.
    pub(crate) fn network(&self) -> PathBuf {
        self.0.join("network.toml")
    }

    /// The encrypted secrets.
    pub(crate) fn keystore(&self) -> PathBuf {
        self.0.join("keystore")
    }

    /// What a client must show to write through the node.
    pub(crate) fn token(&self) -> PathBuf {
        self.0.join("token")
    }

    /// The events and all that is computed from them.
    pub(crate) fn store(&self) -> PathBuf {
        self.0.join("store")
    }

    /// Copies of the store that a backup takes away.
    pub(crate) fn snapshots(&self) -> PathBuf {
        self.0.join("snapshots")
    }

    /// Held by a backup, so that two at a time do not take each other's snapshot.
    pub(crate) fn backup_lock(&self) -> PathBuf {
        self.0.join("backup.lock")
    }

    /// Held by an import, so that two at a time do not register the same rows.
    pub(crate) fn import_lock(&self) -> PathBuf {
        self.0.join("import.lock")
    }

    /// Makes the folder, for its owner alone.
    pub(crate) fn make(&self) -> std::io::Result<()> {
        use std::os::unix::fs::DirBuilderExt;
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.0)
    }
}
