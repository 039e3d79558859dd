//! The secrets in a keystore: what they are for and how their public halves look.

use super::KeystoreError;
use ed25519_dalek::SigningKey;
use p2p::IdentitySeed;
use provenance::id::PublicKey;
use serde::{Deserialize, Serialize};
use std::fmt;
use zeroize::Zeroizing;

/// Signs the events of the cooperative, or founder, that runs the node.
pub(crate) const COOPERATIVE: &str = "cooperative";
/// Signs the checkpoints of the node's log.
pub(crate) const LOG: &str = "log";
/// The node's libp2p identity.
pub(crate) const PEER: &str = "peer";
/// Pays for anchors and signs them.
pub(crate) const ANCHORING: &str = "anchoring";
/// Encrypts the openings of sealed fields on the disk.
pub(crate) const OPENINGS: &str = "openings";

/// What every node needs.
pub(crate) const STANDARD: [(&str, Kind); 5] = [
    (COOPERATIVE, Kind::Ed25519),
    (LOG, Kind::Ed25519),
    (PEER, Kind::Peer),
    (ANCHORING, Kind::Secp256k1),
    (OPENINGS, Kind::Data),
];

/// Before the name of a key that the node keeps for an actor.
const KEPT: &str = "kept-";

/// Long enough for a key's 52 characters and a word.
const MAX_NAME_BYTES: usize = 64;

/// What a secret is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    /// A seed of an Ed25519 key that signs events or checkpoints.
    Ed25519,
    /// A seed of an Ed25519 key that is a libp2p identity.
    Peer,
    /// A private key of an Ethereum account.
    Secp256k1,
    /// A key for encryption, without a public half.
    Data,
}

/// 32 secret bytes; wiped from memory when dropped and never shown.
#[derive(Clone)]
pub(crate) struct Secret {
    kind: Kind,
    bytes: Zeroizing<[u8; 32]>,
}

/// The public half of a secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PublicKeyEntry {
    /// The secret's name.
    pub(crate) name: String,
    /// What it is.
    pub(crate) kind: Kind,
    /// Base32 of an Ed25519 key, a libp2p peer id, or an Ethereum address.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) public: Option<String>,
}

impl Secret {
    /// A fresh one from the system's random numbers.
    pub(crate) fn generate(kind: Kind) -> Result<Self, KeystoreError> {
        let mut bytes = Zeroizing::new([0; 32]);
        loop {
            getrandom::fill(bytes.as_mut()).map_err(KeystoreError::Random)?;
            // Of 2¹²⁸ random numbers one is no private key of secp256k1.
            if kind != Kind::Secp256k1 || anchoring::sender_address(&bytes).is_ok() {
                return Ok(Self { kind, bytes });
            }
        }
    }

    /// A secret of known bytes.
    pub(crate) fn new(kind: Kind, bytes: Zeroizing<[u8; 32]>) -> Self {
        Self { kind, bytes }
    }

    /// What it is.
    pub(crate) fn kind(&self) -> Kind {
        self.kind
    }

    /// The secret bytes.
    pub(crate) fn bytes(&self) -> &[u8; 32] {
        &self.bytes
    }

    /// The key for signing events or checkpoints.
    pub(crate) fn signing_key(&self) -> SigningKey {
        SigningKey::from_bytes(&self.bytes)
    }

    /// Its Ed25519 public key.
    pub(crate) fn public_key(&self) -> PublicKey {
        PublicKey::from_bytes(self.signing_key().verifying_key().to_bytes())
    }

    /// As a libp2p identity.
    pub(crate) fn identity_seed(&self) -> IdentitySeed {
        IdentitySeed::from(*self.bytes)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({:?})", self.kind)
    }
}

impl PublicKeyEntry {
    /// The public half of a secret.
    pub(crate) fn of(name: &str, secret: &Secret) -> Self {
        let public = match secret.kind {
            Kind::Ed25519 => Some(secret.public_key().to_string()),
            Kind::Peer => Some(secret.identity_seed().peer_id().to_string()),
            Kind::Secp256k1 => anchoring::sender_address(&secret.bytes).ok().map(|address| address.to_string()),
            Kind::Data => None,
        };
        Self { name: name.to_owned(), kind: secret.kind, public }
    }

    /// The Ed25519 key, where it is one that signs.
    pub(crate) fn public_key(&self) -> Option<PublicKey> {
        (self.kind == Kind::Ed25519).then(|| self.public.as_deref()?.parse().ok()).flatten()
    }
}

/// The name of a key that the node keeps for an actor.
pub(crate) fn kept_name(key: &PublicKey) -> String {
    format!("{KEPT}{key}")
}

/// Names are typed at a shell.
pub(super) fn check_name(name: &str) -> Result<(), KeystoreError> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let good = (1..=MAX_NAME_BYTES).contains(&name.len()) && name.chars().all(plain);
    if good { Ok(()) } else { Err(KeystoreError::Name(name.chars().take(MAX_NAME_BYTES).collect())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn public_halves_are_what_the_world_knows() {
        let of = |kind| PublicKeyEntry::of("x", &Secret::new(kind, Zeroizing::new([7; 32]))).public;
        assert_eq!(of(Kind::Ed25519).unwrap().len(), 52);
        assert!(of(Kind::Peer).unwrap().starts_with("12D3KooW"));
        assert!(of(Kind::Secp256k1).unwrap().starts_with("0x"));
        assert_eq!(of(Kind::Data), None);
    }

    #[test]
    fn a_kept_key_has_a_name_that_is_allowed() {
        let secret = Secret::generate(Kind::Ed25519).unwrap();
        check_name(&kept_name(&secret.public_key())).unwrap();
    }

    #[test]
    fn secrets_are_not_shown() {
        assert_eq!(format!("{:?}", Secret::new(Kind::Data, Zeroizing::new([7; 32]))), "Secret(Data)");
    }
}
