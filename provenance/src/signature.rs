//! Signatures by ZIP 215, so that every node accepts the same ones, single or in batches.
//!
//! The Zcash rule (ZIP 215, "Explicitly Defining and Modifying Ed25519 Validation Rules") makes
//! batch and single verification agree on every input. On top of it a public key must be
//! canonical, free of torsion and not the identity.

use crate::event::{SignedEvent, VerifiedEvent};
use crate::id::{PublicKey, sha256};
use curve25519_dalek::edwards::CompressedEdwardsY;
use curve25519_dalek::traits::IsIdentity;
use ed25519_zebra::{Signature, VerificationKey, batch};
use std::collections::HashMap;

/// Signatures verified together at most. The more there are, the less each costs, the more so where keys sign several of
/// them; beyond this little is gained.
pub const BATCH: usize = 4_096;

/// Where a batch does not hold, parts of this size are verified, and one by one only what is in a part that does not hold
/// either: so a bad signature costs its sender's batch about as much again, not many times as much.
const PART: usize = 128;

/// Keys remembered as well-formed; checking for torsion costs as much as a signature.
const REMEMBERED_KEYS: usize = 65_536;

/// Why a signature is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// A key that no honest signer has.
    #[error("the public key is not an Ed25519 key of prime order in its canonical form; make a new key")]
    Key,
    /// A signature that does not fit the bytes.
    #[error("the signature does not fit the event and key; the bytes were changed or another key signed")]
    Signature,
}

/// Verifies signatures and remembers keys that it found well-formed.
#[derive(Debug, Default)]
pub struct Verifier {
    keys: HashMap<PublicKey, bool>,
}

impl Verifier {
    /// A verifier that remembers nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Verifies one event.
    pub fn verify(&mut self, event: SignedEvent) -> Result<VerifiedEvent, SignatureError> {
        self.check_key(event.key())?;
        verify_bytes(&event.key(), &event.signed_bytes(), event.signature())?;
        Ok(VerifiedEvent::trusted(event))
    }

    /// Verifies many events; each result is the one that [`Verifier::verify`] would give.
    pub fn verify_all(&mut self, events: Vec<SignedEvent>) -> Vec<Result<VerifiedEvent, SignatureError>> {
        let mut results = Vec::with_capacity(events.len());
        let mut events = events.into_iter().peekable();
        while events.peek().is_some() {
            let chunk: Vec<_> = events.by_ref().take(BATCH).collect();
            if self.batch_holds(&chunk) {
                results.extend(chunk.into_iter().map(|event| Ok(VerifiedEvent::trusted(event))));
            } else {
                self.verify_parts(chunk, &mut results);
            }
        }
        results
    }

    /// Of events that do not hold all together.
    fn verify_parts(&mut self, events: Vec<SignedEvent>, results: &mut Vec<Result<VerifiedEvent, SignatureError>>) {
        let is_part = events.len() <= PART;
        let mut events = events.into_iter().peekable();
        while events.peek().is_some() {
            let part: Vec<_> = events.by_ref().take(PART).collect();
            if !is_part && self.batch_holds(&part) {
                results.extend(part.into_iter().map(|event| Ok(VerifiedEvent::trusted(event))));
            } else {
                results.extend(part.into_iter().map(|event| self.verify(event)));
            }
        }
    }

    fn batch_holds(&mut self, events: &[SignedEvent]) -> bool {
        let mut batch = batch::Verifier::new();
        let mut seed = Vec::with_capacity(events.len() * 32);
        for event in events {
            if self.check_key(event.key()).is_err() {
                return false;
            }
            seed.extend_from_slice(event.id().as_bytes());
            let signature = Signature::from_bytes(event.signature());
            batch.queue(((*event.key().as_bytes()).into(), signature, event.signed_bytes().as_slice()));
        }
        batch.verify(Coefficients::new(sha256(&[b"furrow/batch/1", &seed]))).is_ok()
    }

    fn check_key(&mut self, key: PublicKey) -> Result<(), SignatureError> {
        if self.keys.len() >= REMEMBERED_KEYS && !self.keys.contains_key(&key) {
            self.keys.clear();
        }
        let good = *self.keys.entry(key).or_insert_with(|| is_well_formed(&key));
        if good { Ok(()) } else { Err(SignatureError::Key) }
    }
}

/// Verifies a detached signature, such as a countersignature, by the same rule.
pub fn verify_detached(key: &PublicKey, message: &[u8], signature: &[u8; 64]) -> Result<(), SignatureError> {
    if !is_well_formed(key) {
        return Err(SignatureError::Key);
    }
    verify_bytes(key, message, signature)
}

fn verify_bytes(key: &PublicKey, message: &[u8], signature: &[u8; 64]) -> Result<(), SignatureError> {
    let key = VerificationKey::try_from(*key.as_bytes()).map_err(|_| SignatureError::Key)?;
    key.verify(&Signature::from_bytes(signature), message).map_err(|_| SignatureError::Signature)
}

/// Canonical, torsion-free and not the identity.
pub fn is_well_formed(key: &PublicKey) -> bool {
    let compressed = CompressedEdwardsY(*key.as_bytes());
    compressed
        .decompress()
        .is_some_and(|point| point.compress() == compressed && !point.is_identity() && point.is_torsion_free())
}

/// The random coefficients of a batch, drawn by SHA-256 from the ids of its events.
///
/// The ids commit to every key, message and signature of the batch, so nobody can choose
/// signatures that cancel out under coefficients known beforehand; and the core stays free of
/// randomness.
struct Coefficients {
    seed: [u8; 32],
    counter: u64,
}

impl Coefficients {
    fn new(seed: [u8; 32]) -> Self {
        Self { seed, counter: 0 }
    }
}

impl rand_core::TryRng for Coefficients {
    type Error = std::convert::Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Self::Error> {
        for chunk in out.chunks_mut(32) {
            let block = sha256(&[&self.seed, &self.counter.to_be_bytes()]);
            self.counter += 1;
            chunk.copy_from_slice(&block[..chunk.len()]);
        }
        Ok(())
    }
}

impl rand_core::TryCryptoRng for Coefficients {}
