//! What the author of events is given: the keystore's keys, the clock, chance, and a cipher.

use crate::failure::with_sources;
use crate::keystore::{KeystoreError, Kind, LOG, Secret, kept_name};
use crate::recovery::SharedKeystore;
use chacha20poly1305::aead::{Aead, KeyInit, Payload as Message};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use ed25519_dalek::{Signer, SigningKey};
use ledger::SystemClock;
use ledger::author::{AtRest, FinalAnchors, Keyring, KeyringError, Means, Salts};
use provenance::event::SignedEvent;
use provenance::id::PublicKey;
use provenance::payload::Payload;
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

/// Bytes of a nonce of `XChaCha20`, in front of what it encrypts: long enough to be drawn at random.
const NONCE_BYTES: usize = 24;

/// All that an author needs of the program.
pub(super) fn means(keystore: SharedKeystore, openings: &Secret, anchors: impl FinalAnchors + 'static) -> Means {
    Means {
        keyring: Arc::new(Keys::new(keystore)),
        clock: Arc::new(SystemClock),
        salts: Arc::new(SystemSalts),
        anchors: Arc::new(anchors),
        at_rest: Arc::new(OpeningsCipher(XChaCha20Poly1305::new(openings.bytes().into()))),
    }
}

/// The keystore's signing keys: the cooperative's, named ones, and those kept for members. The log's
/// key is not among them: it signs checkpoints and nothing else.
struct Keys {
    signing: RwLock<HashMap<PublicKey, SigningKey>>,
    keystore: SharedKeystore,
}

impl Keys {
    fn new(keystore: SharedKeystore) -> Self {
        let open = keystore.lock().unwrap_or_else(PoisonError::into_inner);
        let keys = open.secrets().filter(|(name, secret)| secret.kind() == Kind::Ed25519 && *name != LOG);
        let signing = keys.map(|(_, secret)| (secret.public_key(), secret.signing_key())).collect();
        drop(open);
        Self { signing: RwLock::new(signing), keystore }
    }

    fn with<T>(&self, key: &PublicKey, sign: impl FnOnce(&SigningKey) -> T) -> Result<T, KeyringError> {
        let keys = self.signing.read().unwrap_or_else(PoisonError::into_inner);
        keys.get(key).map(sign).ok_or(KeyringError::NotHeld(*key))
    }
}

impl Keyring for Keys {
    fn holds(&self, key: &PublicKey) -> bool {
        self.signing.read().unwrap_or_else(PoisonError::into_inner).contains_key(key)
    }

    fn sign(&self, key: &PublicKey, payload: Payload) -> Result<SignedEvent, KeyringError> {
        Ok(self.with(key, |secret| SignedEvent::sign(payload, secret))??)
    }

    fn countersign(&self, key: &PublicKey, message: &[u8]) -> Result<[u8; 64], KeyringError> {
        self.with(key, |secret| secret.sign(message).to_bytes())
    }

    /// The label is the actor's name, which stands in the enrolment; the key is found by its public half.
    fn create_key(&self, _label: &str) -> Result<PublicKey, KeyringError> {
        let failed = |error: KeystoreError| KeyringError::Keystore(with_sources(&error));
        let secret = Secret::generate(Kind::Ed25519).map_err(failed)?;
        let key = secret.public_key();
        let mut keystore = self.keystore.lock().unwrap_or_else(PoisonError::into_inner);
        keystore.add(&kept_name(&key), secret.clone()).map_err(failed)?;
        self.signing.write().unwrap_or_else(PoisonError::into_inner).insert(key, secret.signing_key());
        Ok(key)
    }
}

/// The system's random numbers.
struct SystemSalts;

impl Salts for SystemSalts {
    fn salt(&self) -> [u8; 16] {
        random()
    }
}

/// Encrypts openings under the keystore's key for them.
struct OpeningsCipher(XChaCha20Poly1305);

impl AtRest for OpeningsCipher {
    fn seal(&self, context: &[u8], plain: &[u8]) -> Vec<u8> {
        let nonce: [u8; NONCE_BYTES] = random();
        let sealed = self.0.encrypt(&XNonce::from(nonce), Message { msg: plain, aad: context });
        let mut bytes = nonce.to_vec();
        bytes.extend(sealed.expect("an opening is far shorter than the cipher's limit"));
        bytes
    }

    fn open(&self, context: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE_BYTES>()?;
        self.0.decrypt(&XNonce::from(*nonce), Message { msg: sealed, aad: context }).ok()
    }
}

fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("a system that has given random numbers before goes on giving them");
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keystore::{COOPERATIVE, Cost, Keystore};
    use crate::passphrase::Passphrase;
    use provenance::signature::verify_detached;
    use std::sync::Mutex;

    fn shared(keystore: Keystore) -> Keys {
        Keys::new(Arc::new(Mutex::new(keystore)))
    }

    #[test]
    fn a_created_key_signs_and_is_there_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keystore");
        let passphrase = Passphrase::new("correct horse battery");
        let keystore = Keystore::create(&path, &passphrase, Cost::CHEAP).unwrap();
        let (log, cooperative) = [LOG, COOPERATIVE].map(|name| keystore.get(name).unwrap().public_key()).into();
        let keys = shared(keystore);
        assert!(keys.holds(&cooperative));
        assert!(!keys.holds(&log), "the log's key signs no events");

        let key = keys.create_key("Hof Quast").unwrap();
        let signature = keys.countersign(&key, b"agreed").unwrap();
        assert!(verify_detached(&key, b"agreed", &signature).is_ok());
        drop(keys);
        assert!(shared(Keystore::open(&path, &passphrase).unwrap()).holds(&key));
    }

    #[test]
    fn a_foreign_key_does_not_sign() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keystore");
        let keystore = Keystore::create(&path, &Passphrase::new("correct horse battery"), Cost::CHEAP).unwrap();
        let foreign = PublicKey::from_bytes([7; 32]);
        assert!(matches!(shared(keystore).countersign(&foreign, b""), Err(KeyringError::NotHeld(_))));
    }

    #[test]
    fn an_opening_opens_only_where_it_was_sealed() {
        let cipher = OpeningsCipher(XChaCha20Poly1305::new(&[1; 32].into()));
        let sealed = cipher.seal(b"here", b"Erika Quast");
        assert_eq!(cipher.open(b"here", &sealed).unwrap(), b"Erika Quast");
        assert_eq!(cipher.open(b"there", &sealed), None);
        let mut changed = sealed.clone();
        *changed.last_mut().unwrap() ^= 1;
        assert_eq!(cipher.open(b"here", &changed), None);
        assert_eq!(cipher.open(b"here", &sealed[..10]), None);
    }
}
