//! The keystore's file: JSON whose header is authenticated and whose secrets are encrypted.
//!
//! ```text
//! { "format": "furrow keystore", "version": 1,
//!   "kdf": { "algorithm": "argon2id", "memory_kib", "passes", "lanes", "salt": hex },
//!   "cipher": "xchacha20poly1305",
//!   "keys": [ { "name", "kind", "public" } … ],
//!   "nonce": hex, "sealed": base64 }
//! ```
//!
//! `sealed` is the encryption of the JSON map name → 64 hex digits, under the Argon2id hash of the
//! passphrase. Its associated data is the compact JSON of all fields before `nonce`, so that neither
//! the parameters nor the public keys can be exchanged.

use super::secret::{PublicKeyEntry, Secret};
use crate::passphrase::Passphrase;
use argon2::{Algorithm, Argon2, Params, Version};
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use data_encoding::{BASE64, HEXLOWER};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

const FORMAT: &str = "furrow keystore";
const VERSION: u32 = 1;
const ALGORITHM: &str = "argon2id";
const CIPHER: &str = "xchacha20poly1305";

/// Room for the most secrets that a keystore may have, at some 300 bytes each.
const MAX_FILE_BYTES: u64 = 16 * 1024 * 1024;

/// A changed file must not be able to ask for all memory of the machine.
const MAX_MEMORY_KIB: u32 = 1024 * 1024;
/// Nor for hours of work.
const MAX_PASSES: u32 = 64;
const MAX_LANES: u32 = 16;

/// Why a keystore cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeystoreError {
    /// Not there.
    #[error("there is no keystore at {0}; make one with 'furrow key new', or name the right folder with --data")]
    Missing(PathBuf),
    /// Already there.
    #[error("there is a keystore at {0} already; it is never overwritten. Use it, or name another folder with --data")]
    Exists(PathBuf),
    /// Unreadable.
    #[error("cannot read the keystore {path}")]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Unwritable.
    #[error("cannot write the keystore {path}, and the old one is unchanged")]
    Write {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Somebody else writes.
    #[error("the keystore {0} is in use by a running node or another command; stop that first")]
    InUse(PathBuf),
    /// Not a keystore.
    #[error("{path} is not a keystore of this program, or is damaged: {reason}; restore it from your backup")]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The encryption does not open.
    #[error("the passphrase is wrong for {0}, or the file was changed; try again, or restore it from your backup")]
    WrongPassphrase(PathBuf),
    /// No such secret.
    #[error("the keystore has no key '{0}'; see 'furrow key list'")]
    Unknown(String),
    /// The name is used.
    #[error("the keystore has a key '{0}' already; choose another name")]
    Taken(String),
    /// The name is none.
    #[error("'{0}' cannot be the name of a key; use 1 to 64 lower-case letters, digits and hyphens")]
    Name(String),
    /// No room.
    #[error("the keystore is full with {0} keys; run a second node for further members")]
    Full(usize),
    /// The parameters of the hash cannot be met.
    #[error("the passphrase cannot be hashed: {0}")]
    Hash(argon2::Error),
    /// No random numbers.
    #[error("the system gives no random numbers")]
    Random(#[source] getrandom::Error),
}

/// How much work one guess of the passphrase costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Cost {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

impl Cost {
    /// The second recommendation of RFC 9106 §4 (64 MiB, three passes), on one lane: about a fifth of a second.
    pub(crate) const STANDARD: Self = Self { memory_kib: 64 * 1024, passes: 3, lanes: 1 };
    /// For tests only.
    #[cfg(test)]
    pub(crate) const CHEAP: Self = Self { memory_kib: 8, passes: 1, lanes: 1 };
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kdf {
    algorithm: String,
    memory_kib: u32,
    passes: u32,
    lanes: u32,
    salt: String,
}

/// The fields that stand before the nonce, in this order; their compact JSON is the associated data.
#[derive(Serialize)]
struct Header<'a> {
    format: &'a str,
    version: u32,
    kdf: &'a Kdf,
    cipher: &'a str,
    keys: &'a [PublicKeyEntry],
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    format: String,
    version: u32,
    kdf: Kdf,
    cipher: String,
    keys: Vec<PublicKeyEntry>,
    nonce: String,
    sealed: String,
}

/// The key that was derived from a passphrase, with how it was derived.
pub(super) struct Sealing {
    kdf: Kdf,
    key: Zeroizing<[u8; 32]>,
}

impl Sealing {
    /// A fresh salt for this passphrase.
    pub(super) fn fresh(passphrase: &Passphrase, cost: Cost) -> Result<Self, KeystoreError> {
        let mut salt = [0; 16];
        getrandom::fill(&mut salt).map_err(KeystoreError::Random)?;
        let kdf = Kdf {
            algorithm: ALGORITHM.to_owned(),
            memory_kib: cost.memory_kib,
            passes: cost.passes,
            lanes: cost.lanes,
            salt: HEXLOWER.encode(&salt),
        };
        let key = derive(passphrase, cost, &salt)?;
        Ok(Self { kdf, key })
    }

    /// The file's bytes for these secrets, under a fresh nonce.
    pub(super) fn seal(&self, secrets: &BTreeMap<String, Secret>) -> Result<Vec<u8>, KeystoreError> {
        let keys: Vec<_> = secrets.iter().map(|(name, secret)| PublicKeyEntry::of(name, secret)).collect();
        let plain: BTreeMap<&str, Zeroizing<String>> = secrets
            .iter()
            .map(|(name, secret)| (name.as_str(), Zeroizing::new(HEXLOWER.encode(secret.bytes()))))
            .collect();
        let readable: BTreeMap<_, _> = plain.iter().map(|(name, hex)| (*name, hex.as_str())).collect();
        let message = Zeroizing::new(serde_json::to_vec(&readable).expect("a map of texts is JSON"));
        let mut nonce = [0; 24];
        getrandom::fill(&mut nonce).map_err(KeystoreError::Random)?;
        let aad = associated_data(&self.kdf, &keys);
        let sealed = XChaCha20Poly1305::new((&*self.key).into())
            .encrypt(&XNonce::from(nonce), Payload { msg: &message, aad: &aad })
            .expect("a keystore is far shorter than the cipher's limit");
        let document = Document {
            format: FORMAT.to_owned(),
            version: VERSION,
            kdf: self.kdf.clone(),
            cipher: CIPHER.to_owned(),
            keys,
            nonce: HEXLOWER.encode(&nonce),
            sealed: BASE64.encode(&sealed),
        };
        let mut bytes = serde_json::to_vec_pretty(&document).expect("the document is JSON");
        bytes.push(b'\n');
        Ok(bytes)
    }

    /// The secrets in a file's bytes.
    pub(super) fn open(
        bytes: &[u8],
        path: &Path,
        passphrase: &Passphrase,
    ) -> Result<(Self, BTreeMap<String, Secret>), KeystoreError> {
        let damaged = |reason: &str| KeystoreError::Damaged { path: path.to_owned(), reason: reason.to_owned() };
        let document = parse(bytes, path)?;
        let kdf = document.kdf;
        let cost = Cost { memory_kib: kdf.memory_kib, passes: kdf.passes, lanes: kdf.lanes };
        if cost.memory_kib > MAX_MEMORY_KIB || cost.passes > MAX_PASSES || cost.lanes > MAX_LANES {
            return Err(damaged("it asks for more work than any keystore does"));
        }
        let salt = HEXLOWER.decode(kdf.salt.as_bytes()).map_err(|_| damaged("the salt is not hexadecimal"))?;
        let nonce: [u8; 24] = HEXLOWER
            .decode(document.nonce.as_bytes())
            .ok()
            .and_then(|nonce| nonce.try_into().ok())
            .ok_or_else(|| damaged("the nonce does not have 24 bytes"))?;
        let sealed = BASE64.decode(document.sealed.as_bytes()).map_err(|_| damaged("the secrets are not base64"))?;
        let key = derive(passphrase, cost, &salt)?;
        let aad = associated_data(&kdf, &document.keys);
        let message = XChaCha20Poly1305::new((&*key).into())
            .decrypt(&XNonce::from(nonce), Payload { msg: &sealed, aad: &aad })
            .map_err(|_| KeystoreError::WrongPassphrase(path.to_owned()))?;
        let message = Zeroizing::new(message);
        let secrets = read_secrets(&message, &document.keys).ok_or_else(|| damaged("the secrets are malformed"))?;
        Ok((Self { kdf, key }, secrets))
    }
}

impl fmt::Debug for Sealing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealing(secret)")
    }
}

/// Reads a file that is not larger than any keystore.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, KeystoreError> {
    let failed = |source: std::io::Error| match source.kind() {
        std::io::ErrorKind::NotFound => KeystoreError::Missing(path.to_owned()),
        _ => KeystoreError::Read { path: path.to_owned(), source },
    };
    if std::fs::metadata(path).map_err(failed)?.len() > MAX_FILE_BYTES {
        return Err(KeystoreError::Damaged { path: path.to_owned(), reason: "it is longer than 16 MiB".to_owned() });
    }
    std::fs::read(path).map_err(failed)
}

/// The public halves that stand open in a file.
pub(super) fn public_keys(bytes: &[u8], path: &Path) -> Result<Vec<PublicKeyEntry>, KeystoreError> {
    parse(bytes, path).map(|document| document.keys)
}

/// Keeps a second process from writing; released when dropped, and by the system when the process ends.
#[derive(Debug)]
pub(super) struct Lock(#[allow(dead_code)] File); // Held, never read.

impl Lock {
    /// Takes the lock of the keystore at `path`.
    pub(super) fn take(path: &Path) -> Result<Self, KeystoreError> {
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(".lock");
        let failed = |source| KeystoreError::Write { path: path.to_owned(), source };
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(path.with_file_name(name))
            .map_err(failed)?;
        match file.try_lock() {
            Ok(()) => Ok(Self(file)),
            Err(TryLockError::WouldBlock) => Err(KeystoreError::InUse(path.to_owned())),
            Err(TryLockError::Error(source)) => Err(failed(source)),
        }
    }
}

fn parse(bytes: &[u8], path: &Path) -> Result<Document, KeystoreError> {
    let damaged = |reason: String| KeystoreError::Damaged { path: path.to_owned(), reason };
    let document: Document = serde_json::from_slice(bytes).map_err(|error| damaged(error.to_string()))?;
    if document.format != FORMAT {
        return Err(damaged("it has another format".to_owned()));
    }
    if document.version != VERSION {
        return Err(damaged(format!(
            "its version {} is not {VERSION}; use the program that wrote it",
            document.version
        )));
    }
    if document.kdf.algorithm != ALGORITHM || document.cipher != CIPHER {
        return Err(damaged("it names other algorithms than this version has".to_owned()));
    }
    Ok(document)
}

fn derive(passphrase: &Passphrase, cost: Cost, salt: &[u8]) -> Result<Zeroizing<[u8; 32]>, KeystoreError> {
    let params = Params::new(cost.memory_kib, cost.passes, cost.lanes, Some(32)).map_err(KeystoreError::Hash)?;
    let mut key = Zeroizing::new([0; 32]);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(passphrase.as_bytes(), salt, key.as_mut())
        .map_err(KeystoreError::Hash)?;
    Ok(key)
}

fn associated_data(kdf: &Kdf, keys: &[PublicKeyEntry]) -> Vec<u8> {
    let header = Header { format: FORMAT, version: VERSION, kdf, cipher: CIPHER, keys };
    serde_json::to_vec(&header).expect("the header is JSON")
}

/// The secrets, each of which must have its public half in the header.
fn read_secrets(message: &[u8], keys: &[PublicKeyEntry]) -> Option<BTreeMap<String, Secret>> {
    let mut hex: BTreeMap<String, Zeroizing<String>> = serde_json::from_slice::<BTreeMap<String, String>>(message)
        .ok()?
        .into_iter()
        .map(|(n, h)| (n, Zeroizing::new(h)))
        .collect();
    if hex.len() != keys.len() {
        return None;
    }
    let read = |entry: &PublicKeyEntry| {
        let bytes = Zeroizing::new(HEXLOWER.decode(hex.remove(&entry.name)?.as_bytes()).ok()?);
        let bytes = Zeroizing::new(<[u8; 32]>::try_from(bytes.as_slice()).ok()?);
        let secret = Secret::new(entry.kind, bytes);
        (PublicKeyEntry::of(&entry.name, &secret) == *entry).then(|| (entry.name.clone(), secret))
    };
    keys.iter().map(read).collect()
}
