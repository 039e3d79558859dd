//! What can go wrong with the store, in words for the person who runs the node.

use crate::column::Column;
use rocksdb::ErrorKind;
use std::path::{Path, PathBuf};

/// Why a store cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has it open.
    #[error("the store {0} is in use by another process; stop that one first, or give this node a folder of its own")]
    Locked(PathBuf),
    /// There is none, and none was to be made.
    #[error("there is no store in {0}; the node makes it when it runs for the first time, or the path is not right")]
    Missing(PathBuf),
    /// Written by a newer program.
    #[error(
        "the store {path} was written by a newer program ({found}); this one reads schema version {}; \
         start the newer program again",
        crate::SCHEMA_VERSION
    )]
    Newer {
        /// The store's folder.
        path: PathBuf,
        /// What is not known here.
        found: String,
    },
    /// Written by a program older than the first release.
    #[error(
        "the store {path} was written by a program older than the first release ({found}), which keeps events in another \
         way; set up a node anew in another folder: its peers send it everything"
    )]
    Older {
        /// The store's folder.
        path: PathBuf,
        /// What is kept in another way now.
        found: String,
    },
    /// The disk has no room.
    #[error("the disk that holds {0} is full; free some space and start again, nothing is lost")]
    DiskFull(PathBuf),
    /// Bytes on the disk are not those that were written.
    #[error(
        "the store {path} is damaged: {detail}; restore a backup, or set up a node anew in another folder: its peers send it everything"
    )]
    Corrupt {
        /// The store's folder.
        path: PathBuf,
        /// What `RocksDB` found.
        detail: String,
    },
    /// Any other failure of the disk or the file system.
    #[error("the store {path} cannot be opened: {detail}; check that the folder can be written to")]
    Io {
        /// The store's folder.
        path: PathBuf,
        /// What the operating system said.
        detail: String,
    },
}

/// Why the store could not read or write.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// The disk has no room.
    #[error("the disk is full; free some space, then writing goes on by itself")]
    DiskFull,
    /// A row that cannot be what was written.
    #[error("the store is damaged in column {column}: {detail}; restore a backup")]
    Corrupt {
        /// Where.
        column: &'static str,
        /// What is wrong there.
        detail: String,
    },
    /// Any other failure of the disk or the file system.
    #[error("the disk failed: {0}; check the disk and the system's log")]
    Io(String),
}

impl StoreError {
    pub(crate) fn row(column: Column, what: &'static str) -> Self {
        Self::Corrupt { column: column.name(), detail: format!("a {what} cannot be read") }
    }
}

impl From<rocksdb::Error> for StoreError {
    fn from(error: rocksdb::Error) -> Self {
        if is_disk_full(&error) {
            return Self::DiskFull;
        }
        match error.kind() {
            ErrorKind::Corruption => Self::Corrupt { column: "unknown", detail: error.into_string() },
            _ => Self::Io(error.into_string()),
        }
    }
}

impl OpenError {
    pub(crate) fn from_rocksdb(path: &Path, error: rocksdb::Error) -> Self {
        let path = path.to_path_buf();
        if is_disk_full(&error) {
            return Self::DiskFull(path);
        }
        let kind = error.kind();
        let detail = error.into_string();
        match kind {
            ErrorKind::IOError if detail.contains("While lock file") || detail.contains("lock hold by") => {
                Self::Locked(path)
            }
            ErrorKind::Corruption => Self::Corrupt { path, detail },
            ErrorKind::InvalidArgument if detail.contains("does not exist") => Self::Missing(path),
            _ => Self::Io { path, detail },
        }
    }

    pub(crate) fn from_store(path: &Path, error: StoreError) -> Self {
        let path = path.to_path_buf();
        match error {
            StoreError::DiskFull => Self::DiskFull(path),
            StoreError::Corrupt { detail, .. } => Self::Corrupt { path, detail },
            StoreError::Io(detail) => Self::Io { path, detail },
        }
    }
}

/// `RocksDB`'s C interface hands on only the text of a status; these are its two ways of saying ENOSPC.
fn is_disk_full(error: &rocksdb::Error) -> bool {
    let text: &str = error.as_ref();
    text.contains("No space left on device") || text.contains("NoSpace")
}
