//! The keystore: one encrypted file with every secret of a node, each under a name.
//!
//! Public halves stand open in the file, so that they can be shown without the passphrase; the
//! encryption authenticates them, and whoever opens the file sees if they were changed.

mod file;
mod secret;

pub(crate) use file::{Cost, KeystoreError};
pub(crate) use secret::{
    ANCHORING, COOPERATIVE, Kind, LOG, OPENINGS, PEER, PublicKeyEntry, STANDARD, Secret, kept_name,
};

use crate::durable::{self, Readable};
use crate::passphrase::Passphrase;
use file::{Lock, Sealing};
use secret::check_name;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Most secrets of one keystore: keys of a large cooperative's members. The file stays below 16 MiB.
const MAX_SECRETS: usize = 50_000;

/// An open keystore. Nobody else can change the file while it is open for writing.
#[derive(Debug)]
pub(crate) struct Keystore {
    path: PathBuf,
    sealing: Sealing,
    secrets: BTreeMap<String, Secret>,
    lock: Option<Lock>,
}

impl Keystore {
    /// Makes a keystore with the standard secrets of a node.
    pub(crate) fn create(path: &Path, passphrase: &Passphrase, cost: Cost) -> Result<Self, KeystoreError> {
        let lock = Some(Lock::take(path)?);
        if path.exists() {
            return Err(KeystoreError::Exists(path.to_owned()));
        }
        let sealing = Sealing::fresh(passphrase, cost)?;
        let mut keystore = Self { path: path.to_owned(), sealing, secrets: BTreeMap::new(), lock };
        for (name, kind) in STANDARD {
            keystore.secrets.insert(name.to_owned(), Secret::generate(kind)?);
        }
        keystore.save()?;
        Ok(keystore)
    }

    /// Opens a keystore for reading.
    pub(crate) fn open(path: &Path, passphrase: &Passphrase) -> Result<Self, KeystoreError> {
        let bytes = file::read(path)?;
        let (sealing, secrets) = Sealing::open(&bytes, path, passphrase)?;
        Ok(Self { path: path.to_owned(), sealing, secrets, lock: None })
    }

    /// Opens a keystore for changing; one process at a time may.
    pub(crate) fn open_to_write(path: &Path, passphrase: &Passphrase) -> Result<Self, KeystoreError> {
        if !path.exists() {
            return Err(KeystoreError::Missing(path.to_owned()));
        }
        let lock = Some(Lock::take(path)?);
        Ok(Self { lock, ..Self::open(path, passphrase)? })
    }

    /// The public halves, which need no passphrase. They are what the file says, unproven until it is opened.
    pub(crate) fn public_keys(path: &Path) -> Result<Vec<PublicKeyEntry>, KeystoreError> {
        file::public_keys(&file::read(path)?, path)
    }

    /// The secret of this name.
    pub(crate) fn get(&self, name: &str) -> Result<&Secret, KeystoreError> {
        self.secrets.get(name).ok_or_else(|| KeystoreError::Unknown(name.to_owned()))
    }

    /// All names with their secrets.
    pub(crate) fn secrets(&self) -> impl Iterator<Item = (&str, &Secret)> {
        self.secrets.iter().map(|(name, secret)| (name.as_str(), secret))
    }

    /// Adds a secret and writes the file; on an error nothing has changed.
    pub(crate) fn add(&mut self, name: &str, secret: Secret) -> Result<(), KeystoreError> {
        check_name(name)?;
        if self.secrets.contains_key(name) {
            return Err(KeystoreError::Taken(name.to_owned()));
        }
        if self.secrets.len() >= MAX_SECRETS {
            return Err(KeystoreError::Full(MAX_SECRETS));
        }
        self.secrets.insert(name.to_owned(), secret);
        self.save().inspect_err(|_| {
            self.secrets.remove(name);
        })
    }

    /// Puts another secret in the place of one, which is gone then; on an error nothing has changed.
    pub(crate) fn replace(&mut self, name: &str, secret: Secret) -> Result<(), KeystoreError> {
        let before = self.get(name)?.clone();
        self.secrets.insert(name.to_owned(), secret);
        self.save().inspect_err(|_| {
            self.secrets.insert(name.to_owned(), before);
        })
    }

    /// Encrypts everything under another passphrase, with a fresh salt.
    pub(crate) fn change_passphrase(&mut self, passphrase: &Passphrase, cost: Cost) -> Result<(), KeystoreError> {
        let before = std::mem::replace(&mut self.sealing, Sealing::fresh(passphrase, cost)?);
        self.save().inspect_err(|_| self.sealing = before)
    }

    /// Whether this is the same passphrase as that of the open file is not asked again: the derived key is kept.
    fn save(&self) -> Result<(), KeystoreError> {
        debug_assert!(self.lock.is_some(), "a keystore opened for reading is not written");
        let bytes = self.sealing.seal(&self.secrets)?;
        durable::replace(&self.path, &bytes, Readable::ByOwner)
            .map_err(|source| KeystoreError::Write { path: self.path.clone(), source })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passphrase() -> Passphrase {
        Passphrase::new("correct horse battery")
    }

    fn made() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keystore");
        Keystore::create(&path, &passphrase(), Cost::CHEAP).unwrap();
        (folder, path)
    }

    fn copies(keystore: &Keystore) -> Vec<(String, [u8; 32])> {
        keystore.secrets().map(|(name, secret)| (name.to_owned(), *secret.bytes())).collect()
    }

    #[test]
    fn secrets_come_back() {
        let (_folder, path) = made();
        let mut first = Keystore::open_to_write(&path, &passphrase()).unwrap();
        first.add("alice", Secret::generate(Kind::Ed25519).unwrap()).unwrap();
        let again = Keystore::open(&path, &passphrase()).unwrap();
        assert_eq!(copies(&again), copies(&first));
        assert_eq!(copies(&again).len(), STANDARD.len() + 1);
    }

    #[test]
    fn a_wrong_passphrase_opens_nothing() {
        let (_folder, path) = made();
        let error = Keystore::open(&path, &Passphrase::new("correct horse bakery")).unwrap_err();
        assert!(matches!(error, KeystoreError::WrongPassphrase(_)), "{error}");
    }

    #[test]
    fn one_changed_byte_anywhere_is_seen() {
        let (_folder, path) = made();
        let bytes = std::fs::read(&path).unwrap();
        for at in (0..bytes.len()).step_by(7) {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            std::fs::write(&path, &changed).unwrap();
            assert!(Keystore::open(&path, &passphrase()).is_err(), "byte {at} was changed unseen");
        }
        for end in [0, 1, bytes.len() / 2, bytes.len() - 2] {
            std::fs::write(&path, &bytes[..end]).unwrap();
            assert!(Keystore::open(&path, &passphrase()).is_err(), "cut at {end}");
        }
    }

    #[test]
    fn public_keys_need_no_passphrase() {
        let (_folder, path) = made();
        let keystore = Keystore::open(&path, &passphrase()).unwrap();
        let shown = Keystore::public_keys(&path).unwrap();
        assert_eq!(shown.len(), STANDARD.len());
        for entry in shown {
            assert_eq!(entry, PublicKeyEntry::of(&entry.name, keystore.get(&entry.name).unwrap()));
        }
    }

    #[test]
    fn a_changed_passphrase_replaces_the_old_one() {
        let (_folder, path) = made();
        let mut keystore = Keystore::open_to_write(&path, &passphrase()).unwrap();
        let fresh = Passphrase::new("another good one");
        keystore.change_passphrase(&fresh, Cost::CHEAP).unwrap();
        assert!(Keystore::open(&path, &passphrase()).is_err());
        assert_eq!(copies(&Keystore::open(&path, &fresh).unwrap()), copies(&keystore));
    }

    #[test]
    fn only_one_process_writes() {
        let (_folder, path) = made();
        let held = Keystore::open_to_write(&path, &passphrase()).unwrap();
        let second = Keystore::open_to_write(&path, &passphrase());
        assert!(matches!(second, Err(KeystoreError::InUse(_))));
        assert!(Keystore::open(&path, &passphrase()).is_ok(), "reading is always possible");
        drop(held);
        assert!(Keystore::open_to_write(&path, &passphrase()).is_ok());
    }

    #[test]
    fn an_existing_keystore_is_never_overwritten() {
        let (_folder, path) = made();
        let again = Keystore::create(&path, &passphrase(), Cost::CHEAP);
        assert!(matches!(again, Err(KeystoreError::Exists(_))));
    }

    #[test]
    fn names_are_plain_and_distinct() {
        let (_folder, path) = made();
        let mut keystore = Keystore::open_to_write(&path, &passphrase()).unwrap();
        for name in ["", "two words", "a/b", &"x".repeat(65), "log"] {
            assert!(keystore.add(name, Secret::generate(Kind::Ed25519).unwrap()).is_err(), "{name}");
        }
    }
}
