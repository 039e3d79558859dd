//! Copying files and hashing them on the way.

use super::BackupError;
use super::manifest::FileInBackup;
use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// Bytes in memory at a time.
const PIECE: usize = 1 << 20;

/// Makes a folder for its owner alone, which must not exist yet.
pub(super) fn make_folder(path: &Path) -> Result<(), BackupError> {
    DirBuilder::new().mode(0o700).create(path).map_err(BackupError::file("making the folder", path))
}

/// Copies a file for its owner alone; what was copied is safe on the disk when this returns. The digest is in hex.
pub(super) fn copy(from: &Path, to: &Path) -> Result<(u64, String), BackupError> {
    let mut source = File::open(from).map_err(BackupError::file("reading", from))?;
    let mut options = OpenOptions::new();
    let target = options.write(true).create_new(true).mode(0o600).open(to);
    let mut target = target.map_err(BackupError::file("writing", to))?;
    let hashed = pour(&mut source, |piece| target.write_all(piece).map_err(BackupError::file("writing", to)), from)?;
    target.sync_all().map_err(BackupError::file("writing", to))?;
    Ok(hashed)
}

/// Length and digest of a file.
pub(super) fn hash(path: &Path) -> Result<(u64, String), BackupError> {
    let mut file = File::open(path).map_err(BackupError::file("reading", path))?;
    pour(&mut file, |_| Ok(()), path)
}

fn pour(
    source: &mut File,
    mut into: impl FnMut(&[u8]) -> Result<(), BackupError>,
    path: &Path,
) -> Result<(u64, String), BackupError> {
    let (mut hasher, mut length, mut piece) = (Sha256::new(), 0, vec![0; PIECE]);
    loop {
        match source.read(&mut piece).map_err(BackupError::file("reading", path))? {
            0 => return Ok((length, HEXLOWER.encode(&hasher.finalize()))),
            read => {
                hasher.update(&piece[..read]);
                into(&piece[..read])?;
                length += read as u64;
            }
        }
    }
}

/// All files below a folder, by their paths from it, ascending. Only plain files and folders may be there.
pub(super) fn list(folder: &Path) -> Result<Vec<String>, BackupError> {
    let (mut found, mut open) = (Vec::new(), vec![PathBuf::new()]);
    while let Some(below) = open.pop() {
        let path = folder.join(&below);
        for entry in std::fs::read_dir(&path).map_err(BackupError::file("reading", &path))? {
            let entry = entry.map_err(BackupError::file("reading", &path))?;
            let sort = entry.file_type().map_err(BackupError::file("reading", entry.path()))?;
            let below = below.join(entry.file_name());
            match below.to_str() {
                Some(name) if sort.is_file() => found.push(name.to_owned()),
                Some(_) if sort.is_dir() => open.push(below),
                _ => return Err(BackupError::Changed { path: entry.path(), reason: "it is no plain file" }),
            }
        }
    }
    found.sort();
    Ok(found)
}

/// The files below a folder with their digests.
pub(super) fn hash_all(folder: &Path) -> Result<Vec<FileInBackup>, BackupError> {
    let hashed = list(folder)?.into_iter().map(|path| {
        let (bytes, sha256) = hash(&folder.join(&path))?;
        Ok(FileInBackup { path, bytes, sha256 })
    });
    hashed.collect()
}

/// Has the disk keep the names in these folders too.
pub(super) fn sync_folders(folder: &Path) -> Result<(), BackupError> {
    for path in [folder, &folder.join(super::STORE), folder.parent().unwrap_or(folder)] {
        let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
        File::open(path).and_then(|folder| folder.sync_all()).map_err(BackupError::file("syncing", path))?;
    }
    Ok(())
}

/// The name under which a folder is made before it is complete.
fn partial(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".partial");
    path.with_file_name(name)
}

/// Begins a folder that is to be complete under the name `path` later, where nothing is yet but perhaps an empty folder.
/// What an earlier attempt left is removed.
pub(super) fn begin(path: &Path) -> Result<PathBuf, BackupError> {
    let is_empty = || std::fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_none());
    if path.symlink_metadata().is_ok_and(|found| !found.is_dir() || !is_empty()) {
        return Err(BackupError::Exists(path.to_owned()));
    }
    let partial = partial(path);
    if partial.exists() {
        std::fs::remove_dir_all(&partial).map_err(BackupError::file("removing", &partial))?;
    }
    make_folder(&partial)?;
    Ok(partial)
}

/// Removes a folder that will not be completed; where that fails too, the next attempt does it.
pub(super) fn give_up(path: &Path) {
    let partial = partial(path);
    if let Err(error) = std::fs::remove_dir_all(&partial) {
        tracing::warn!(%error, path = %partial.display(), "an incomplete folder is left behind; remove it");
    }
}

/// Gives a complete folder its name.
pub(super) fn finish(partial: &Path, path: &Path) -> Result<(), BackupError> {
    sync_folders(partial)?;
    std::fs::rename(partial, path).map_err(BackupError::file("renaming", partial))?;
    sync_folders(path)
}
