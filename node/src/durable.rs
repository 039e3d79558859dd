//! Writing a whole file so that a crash leaves either the old content or the new one.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Who may read a written file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Readable {
    /// The owner alone: for secrets.
    ByOwner,
    /// Whoever may read files of this user.
    ByAll,
}

/// Writes a file beside the old one, syncs it, and renames it into place.
pub(crate) fn replace(path: &Path, bytes: &[u8], readable: Readable) -> io::Result<()> {
    let fresh = beside(path);
    let written = write_new(&fresh, bytes, readable).and_then(|()| std::fs::rename(&fresh, path));
    if written.is_err() {
        // The half-written file is of no use; that it cannot be removed either changes nothing.
        let _ = std::fs::remove_file(&fresh);
    }
    written.and_then(|()| sync_folder(path))
}

/// Writes a file that must not exist yet.
pub(crate) fn create(path: &Path, bytes: &[u8], readable: Readable) -> io::Result<()> {
    write_new(path, bytes, readable).and_then(|()| sync_folder(path))
}

fn write_new(path: &Path, bytes: &[u8], readable: Readable) -> io::Result<()> {
    let mode = match readable {
        Readable::ByOwner => 0o600,
        Readable::ByAll => 0o644,
    };
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// A name in the same folder, and so on the same disk, that no other process uses.
fn beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    path.with_file_name(name)
}

/// The rename itself is durable only once the folder is.
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_file_is_replaced_whole_and_kept_from_others() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        create(&path, b"one", Readable::ByOwner).unwrap();
        assert_eq!(create(&path, b"two", Readable::ByOwner).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        replace(&path, b"two", Readable::ByOwner).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"two");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing else is left");
    }

    #[test]
    fn a_failed_write_leaves_the_old_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("missing").join("file");
        assert!(replace(&path, b"x", Readable::ByAll).is_err());
        assert!(!path.exists());
    }
}
