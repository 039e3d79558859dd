//! The folder of the demonstration: it is made, filled and, where it is a temporary one, removed.

use std::path::{Path, PathBuf};

/// By this file the demonstration knows a folder as its own, which it may empty.
const MARKER: &str = ".furrow-demo";

/// The demonstration's folder.
#[derive(Debug)]
pub(crate) struct Scene {
    path: PathBuf,
    temporary: bool,
}

/// Why there is no folder to play in.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SceneError {
    /// Not ours.
    #[error("{0} holds files that are not the demonstration's; name an empty folder with --dir")]
    Foreign(PathBuf),
    /// The disk.
    #[error("cannot make the folder {path}")]
    Disk {
        /// Which folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

impl Scene {
    /// The folder that was named, emptied; or a new temporary one.
    pub(crate) fn open(named: Option<&Path>) -> Result<Self, SceneError> {
        let temporary = named.is_none();
        let path = named
            .map_or_else(|| std::env::temp_dir().join(format!("furrow-demo-{}", std::process::id())), Path::to_owned);
        let disk = |source| SceneError::Disk { path: path.clone(), source };
        if path.exists() {
            let is_empty = std::fs::read_dir(&path).map_err(disk)?.next().is_none();
            if !is_empty && !path.join(MARKER).exists() {
                return Err(SceneError::Foreign(path));
            }
            std::fs::remove_dir_all(&path).map_err(disk)?;
        }
        std::fs::create_dir_all(&path).map_err(disk)?;
        std::fs::write(path.join(MARKER), "The furrow demonstration empties this folder when it starts.\n")
            .map_err(disk)?;
        let path = path.canonicalize().map_err(disk)?;
        Ok(Self { path, temporary })
    }

    /// A path in the folder.
    pub(crate) fn join(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// The folder.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        if self.temporary {
            // A temporary folder that cannot be removed is the system's to clean.
            let _ = std::fs::remove_dir_all(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_its_own_folder_is_emptied() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("thesis.txt"), "years of work").unwrap();
        assert!(matches!(Scene::open(Some(folder.path())), Err(SceneError::Foreign(_))));
        assert!(folder.path().join("thesis.txt").exists());

        let own = folder.path().join("run");
        std::fs::write(Scene::open(Some(&own)).unwrap().join("old"), "").unwrap();
        assert!(!Scene::open(Some(&own)).unwrap().join("old").exists());
        assert!(own.exists(), "a named folder stays");
    }

    #[test]
    fn a_temporary_folder_is_removed() {
        let path = Scene::open(None).unwrap().path().to_owned();
        assert!(!path.exists());
    }
}
