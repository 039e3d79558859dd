//! What a backup says of itself: one JSON file, and the digest of that.

use super::{BackupError, DIGEST, MANIFEST};
use crate::durable::{self, Readable};
use data_encoding::HEXLOWER;
use provenance::id::{NetworkId, PublicKey, sha256};
use serde::{Deserialize, Serialize};
use std::path::{Component, Path};

/// Before the version, so that no other JSON file is taken for a manifest.
const FORMAT: &str = "furrow backup";

/// The version of the format that this program writes, and the only one that it reads.
const VERSION: u32 = 1;

/// What a backup is of. Its bytes are these fields in this order, as `serde_json` writes them with indentation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Manifest {
    format: String,
    version: u32,
    /// Name and version of the program that made it.
    pub(crate) program: String,
    /// When, RFC 3339 UTC.
    pub(crate) made: String,
    pub(crate) node: String,
    pub(crate) network: NetworkId,
    pub(crate) log: LogInBackup,
    /// Root of the state map over the whole log, lower-case hex.
    pub(crate) state_root: String,
    /// The newest checkpoint that the log has signed, as a note.
    pub(crate) checkpoint: Option<String>,
    /// Whether the keystore is among the files.
    pub(crate) keys: bool,
    /// Every other file, by name.
    pub(crate) files: Vec<FileInBackup>,
}

/// The log at the time of the backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LogInBackup {
    /// The key that signs it.
    pub(crate) key: PublicKey,
    /// Its entries, the network id included.
    pub(crate) size: u64,
    /// Root of its Merkle tree, lower-case hex.
    pub(crate) root: String,
}

/// One file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FileInBackup {
    /// Where it is below the backup's folder, with `/` between the parts.
    pub(crate) path: String,
    pub(crate) bytes: u64,
    /// Lower-case hex.
    pub(crate) sha256: String,
}

impl Manifest {
    /// What a backup of this version says.
    #[allow(clippy::too_many_arguments)] // They are the fields.
    pub(super) fn new(
        made: String,
        node: String,
        network: NetworkId,
        log: LogInBackup,
        state_root: String,
        checkpoint: Option<String>,
        keys: bool,
        files: Vec<FileInBackup>,
    ) -> Self {
        let program = concat!("furrow/", env!("CARGO_PKG_VERSION")).to_owned();
        Self {
            format: FORMAT.to_owned(),
            version: VERSION,
            program,
            made,
            node,
            network,
            log,
            state_root,
            checkpoint,
            keys,
            files,
        }
    }

    fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = serde_json::to_vec_pretty(self).expect("a manifest has only text keys");
        bytes.push(b'\n');
        bytes
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self, String> {
        #[derive(Deserialize)]
        struct Head {
            format: String,
            version: u32,
        }
        let head: Head = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        if head.format != FORMAT {
            return Err("it is no manifest of a backup".to_owned());
        }
        if head.version != VERSION {
            return Err(format!(
                "it is of version {}, and this program reads {VERSION}; use a newer program",
                head.version
            ));
        }
        let manifest: Self = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        if manifest.to_bytes() != bytes {
            return Err("it is not as the program writes it".to_owned());
        }
        let plain = |path: &str| Path::new(path).components().all(|part| matches!(part, Component::Normal(_)));
        match manifest.files.iter().find(|file| file.path.is_empty() || !plain(&file.path)) {
            Some(file) => Err(format!("'{}' is no path below the backup", file.path)),
            None => Ok(manifest),
        }
    }

    /// Writes it and its digest into the folder of the backup.
    pub(super) fn write(&self, folder: &Path) -> Result<(), BackupError> {
        let bytes = self.to_bytes();
        let digest = format!("{}  {MANIFEST}\n", HEXLOWER.encode(&sha256(&[&bytes])));
        for (name, bytes) in [(MANIFEST, bytes.as_slice()), (DIGEST, digest.as_bytes())] {
            let path = folder.join(name);
            durable::create(&path, bytes, Readable::ByOwner).map_err(BackupError::file("writing", path))?;
        }
        Ok(())
    }

    /// Reads it, and refuses one that is not exactly what was written.
    pub(crate) fn read(folder: &Path) -> Result<Self, BackupError> {
        let (path, digest_path) = (folder.join(MANIFEST), folder.join(DIGEST));
        if !path.exists() {
            return Err(BackupError::NoBackup(folder.to_owned()));
        }
        let bytes = std::fs::read(&path).map_err(BackupError::file("reading", &path))?;
        let digest = std::fs::read(&digest_path).map_err(BackupError::file("reading", &digest_path))?;
        if digest != format!("{}  {MANIFEST}\n", HEXLOWER.encode(&sha256(&[&bytes]))).as_bytes() {
            let reason = format!("it and {DIGEST} do not fit each other");
            return Err(BackupError::Manifest { path, reason });
        }
        Self::from_bytes(&bytes).map_err(|reason| BackupError::Manifest { path, reason })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest() -> Manifest {
        let log = LogInBackup { key: PublicKey::from_bytes([1; 32]), size: 2, root: "00".repeat(32) };
        let file = FileInBackup { path: "store/CURRENT".to_owned(), bytes: 16, sha256: "11".repeat(32) };
        Manifest {
            program: "furrow/0.1.0".to_owned(),
            ..Manifest::new(
                "2026-11-21T08:00:00Z".to_owned(),
                "north".to_owned(),
                NetworkId::from_bytes([2; 32]),
                log,
                "22".repeat(32),
                Some("note\n".to_owned()),
                true,
                vec![file],
            )
        }
    }

    #[test]
    fn the_format_never_changes() {
        let expected = format!(
            r#"{{
  "format": "furrow backup",
  "version": 1,
  "program": "furrow/0.1.0",
  "made": "2026-11-21T08:00:00Z",
  "node": "north",
  "network": "{}",
  "log": {{
    "key": "{}",
    "size": 2,
    "root": "{}"
  }},
  "state_root": "{}",
  "checkpoint": "note\n",
  "keys": true,
  "files": [
    {{
      "path": "store/CURRENT",
      "bytes": 16,
      "sha256": "{}"
    }}
  ]
}}
"#,
            NetworkId::from_bytes([2; 32]),
            PublicKey::from_bytes([1; 32]),
            "00".repeat(32),
            "22".repeat(32),
            "11".repeat(32),
        );
        assert_eq!(String::from_utf8(manifest().to_bytes()).unwrap(), expected);
        assert_eq!(Manifest::from_bytes(expected.as_bytes()).unwrap(), manifest());
    }

    #[test]
    fn every_changed_byte_is_seen() {
        let folder = tempfile::tempdir().unwrap();
        manifest().write(folder.path()).unwrap();
        assert_eq!(Manifest::read(folder.path()).unwrap(), manifest());
        for name in [MANIFEST, DIGEST] {
            let path = folder.path().join(name);
            let bytes = std::fs::read(&path).unwrap();
            for at in 0..bytes.len() {
                let mut changed = bytes.clone();
                changed[at] ^= 1;
                std::fs::write(&path, &changed).unwrap();
                assert!(Manifest::read(folder.path()).is_err(), "byte {at} of {name}");
            }
            std::fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
            assert!(Manifest::read(folder.path()).is_err());
            std::fs::write(&path, bytes).unwrap();
        }
    }

    #[test]
    fn paths_stay_below_the_backup_and_newer_versions_are_refused() {
        for path in ["../keystore", "/etc/passwd", "", "store/../../x"] {
            let mut manifest = manifest();
            manifest.files[0].path = path.to_owned();
            assert!(Manifest::from_bytes(&manifest.to_bytes()).is_err(), "{path}");
        }
        let newer = Manifest { version: 2, ..manifest() };
        assert!(Manifest::from_bytes(&newer.to_bytes()).unwrap_err().contains("newer program"));
    }
}
