//! What an author is given by the program around it: keys, time, chance, and a cipher.

use crate::clock::Clock;
use provenance::event::SignedEvent;
use provenance::id::PublicKey;
use provenance::payload::{After, Payload, StructureError};
use std::sync::Arc;

/// The keys that this node keeps. Called on threads that may block.
pub trait Keyring: Send + Sync {
    /// Whether the secret half of a key is kept here.
    fn holds(&self, key: &PublicKey) -> bool;

    /// Signs a payload with a key that is kept here.
    fn sign(&self, key: &PublicKey, payload: Payload) -> Result<SignedEvent, KeyringError>;

    /// Signs the bytes that [`provenance::body::ActorEnrolled::countersigned_bytes`] gives.
    fn countersign(&self, key: &PublicKey, message: &[u8]) -> Result<[u8; 64], KeyringError>;

    /// Makes a key for an actor of this name; it is safe on the disk when this returns.
    fn create_key(&self, label: &str) -> Result<PublicKey, KeyringError>;
}

/// Why a keyring does not sign.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyringError {
    /// A key whose secret half is elsewhere.
    #[error("key {0} is not kept on this node; sign where it is kept, and send the signed event")]
    NotHeld(PublicKey),
    /// A payload that cannot be an event.
    #[error(transparent)]
    Structure(#[from] StructureError),
    /// The keystore cannot be read or written; the text says why and what to do.
    #[error("{0}")]
    Keystore(String),
}

/// A source of salts for sealed fields.
pub trait Salts: Send + Sync {
    /// 16 bytes that nobody can guess, never the same twice.
    fn salt(&self) -> [u8; 16];
}

/// What this node has anchored. Asked for each event that is signed, so it must not wait.
pub trait FinalAnchors: Send + Sync {
    /// The newest anchor that the chain cannot undo: whatever is signed now was signed after it.
    fn newest(&self) -> Option<After>;
}

/// For a node that anchors nothing.
#[derive(Debug, Clone, Copy)]
pub struct NoAnchors;

impl FinalAnchors for NoAnchors {
    fn newest(&self) -> Option<After> {
        None
    }
}

/// The cipher under which openings of sealed fields lie on the disk.
pub trait AtRest: Send + Sync {
    /// Encrypts and authenticates `plain`, bound to `context`.
    fn seal(&self, context: &[u8], plain: &[u8]) -> Vec<u8>;

    /// The plain bytes; nothing if they were changed, moved, or sealed under another key.
    fn open(&self, context: &[u8], sealed: &[u8]) -> Option<Vec<u8>>;
}

/// All of them.
#[derive(Clone)]
pub struct Means {
    /// Signs.
    pub keyring: Arc<dyn Keyring>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Makes sealed values unguessable.
    pub salts: Arc<dyn Salts>,
    /// Dates events from below.
    pub anchors: Arc<dyn FinalAnchors>,
    /// Encrypts openings.
    pub at_rest: Arc<dyn AtRest>,
}
