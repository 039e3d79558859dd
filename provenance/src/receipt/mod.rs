//! Receipts (RFC 9942, COSE Receipts): a log's signed proof that it holds an event, or that it only grew.
//!
//! The signature covers the root alone, detached, and the protected header; the verifier computes
//! the root from the proof. The sizes and the index stand in the unprotected header, as the RFC has
//! it: others that lead to the same root verify too. Only a checkpoint says of which size a root is.

use crate::id::{EventId, PublicKey};
use crate::merkle::{Hash, ProofError, consistency_root, inclusion_root, leaf_hash};
use crate::origin::LogOrigin;
use crate::payload::did_key;
use crate::signature::{SignatureError, verify_detached};
use minicbor::data::Tag;
use minicbor::{Decoder, Encoder};

/// Most bytes of a receipt: the longest path takes 2,176 and the headers less than 400.
pub const MAX_RECEIPT_BYTES: usize = 4 * 1024;

/// `COSE_Sign1` (RFC 9052 §2).
const COSE_SIGN1: u64 = 18;
/// Header label of the kind of tree, in which 1 is `RFC9162_SHA256` (RFC 9942 §2).
const VDS: u16 = 395;
/// Header label of the proofs.
const VDP: u16 = 396;
/// Label of proofs of inclusion in `VDP` (RFC 9942 §5.2).
const INCLUSION: i8 = -1;
/// Label of proofs of consistency (RFC 9942 §5.3).
const CONSISTENCY: i8 = -2;
/// Before the event's id in the subject of a receipt.
const EVENT_URN: &str = "urn:furrow:event:";
/// A longer path would belong to a tree that no disk holds.
const MAX_PATH: u64 = 64;

/// A log's word that it holds an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InclusionReceipt {
    log: PublicKey,
    event: EventId,
    proof: Proof,
    signature: [u8; 64],
}

/// A log's word that it continues an earlier state of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsistencyReceipt {
    log: LogOrigin,
    proof: Proof,
    signature: [u8; 64],
}

/// What a receipt proves about an event. Only the root is signed; the rest fits it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Included {
    /// Entries of the log at that time.
    pub size: u64,
    /// Where among them the event stands.
    pub index: u64,
    /// The root of the log.
    pub root: Hash,
}

/// Why bytes are not a receipt.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReceiptFormatError {
    /// More bytes than a receipt can have.
    #[error("the receipt has {0} bytes; at most 4096 are allowed")]
    TooLarge(usize),
    /// Not the wanted kind of receipt.
    #[error("the bytes are not a COSE receipt of the wanted kind: {0}")]
    Shape(String),
    /// Right in content, wrong in form.
    #[error("the receipt is not in its one deterministic form (RFC 8949 §4.2.1)")]
    NotDeterministic,
}

/// Why a receipt cannot be issued, or is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReceiptError {
    /// A path that the RFC does not allow, as that of the only entry of a log.
    #[error("a receipt needs a proof of 1 to 64 hashes, not {0}")]
    Path(usize),
    /// Another event or log than the one that the verifier has in hand.
    #[error("the receipt is of another event or log than the expected one")]
    Other,
    /// A proof that does not fit.
    #[error(transparent)]
    Proof(#[from] ProofError),
    /// A signature that does not fit.
    #[error("the log's signature on the receipt does not fit the root to which its proof leads")]
    Signature(#[source] SignatureError),
}

impl InclusionReceipt {
    /// Issues the receipt of `event`, entry `index` of the log of `size` entries with this `root`.
    /// `path` is that of [`crate::merkle::inclusion_proof`]; `sign` signs with the log's key.
    pub fn issue(
        log: &PublicKey,
        event: EventId,
        included: &Included,
        path: Vec<Hash>,
        sign: impl FnOnce(&[u8]) -> [u8; 64],
    ) -> Result<Self, ReceiptError> {
        let proof = Proof { label: INCLUSION, numbers: [included.size, included.index], path };
        proof.check_path()?;
        let receipt = Self { log: *log, event, proof, signature: [0; 64] };
        if receipt.root()? != included.root {
            return Err(ProofError::Root.into());
        }
        let signature = sign(&signature_structure(&receipt.protected(), &included.root));
        Ok(Self { signature, ..receipt })
    }

    /// Reads a receipt; refuses everything but its one deterministic form.
    pub fn decode(bytes: &[u8]) -> Result<Self, ReceiptFormatError> {
        let parts = Parts::decode(bytes, INCLUSION)?;
        let event = parts.subject.strip_prefix(EVENT_URN).and_then(|id| id.parse().ok());
        let event = event.ok_or_else(|| ReceiptFormatError::Shape("the subject is not an event".into()))?;
        let receipt = Self { log: parts.log, event, proof: parts.proof, signature: parts.signature };
        if receipt.to_vec() == bytes { Ok(receipt) } else { Err(ReceiptFormatError::NotDeterministic) }
    }

    /// The bytes, a tagged `COSE_Sign1`.
    pub fn to_vec(&self) -> Vec<u8> {
        envelope(&self.protected(), &self.proof, &self.signature)
    }

    /// The event that the log says it holds.
    pub fn event(&self) -> EventId {
        self.event
    }

    /// The key of the log that claims to have signed.
    pub fn log(&self) -> PublicKey {
        self.log
    }

    /// Checks that the log with this key has signed that it holds this event.
    pub fn verify(&self, event: &EventId, log: &PublicKey) -> Result<Included, ReceiptError> {
        if self.event != *event || self.log != *log {
            return Err(ReceiptError::Other);
        }
        let root = self.root()?;
        verify_detached(log, &signature_structure(&self.protected(), &root), &self.signature)
            .map_err(ReceiptError::Signature)?;
        let [size, index] = self.proof.numbers;
        Ok(Included { size, index, root })
    }

    fn root(&self) -> Result<Hash, ProofError> {
        let [size, index] = self.proof.numbers;
        inclusion_root(&leaf_hash(self.event.as_bytes()), index, size, &self.proof.path)
    }

    fn protected(&self) -> Vec<u8> {
        protected_header(&self.log, &format!("{EVENT_URN}{}", self.event))
    }
}

impl ConsistencyReceipt {
    /// Issues the receipt that the log of `sizes[1]` entries and root `roots[1]` begins with that of
    /// `sizes[0]` and `roots[0]`. `path` is that of [`crate::merkle::consistency_proof`].
    pub fn issue(
        log: &LogOrigin,
        sizes: [u64; 2],
        roots: [&Hash; 2],
        path: Vec<Hash>,
        sign: impl FnOnce(&[u8]) -> [u8; 64],
    ) -> Result<Self, ReceiptError> {
        let proof = Proof { label: CONSISTENCY, numbers: sizes, path };
        proof.check_path()?;
        let receipt = Self { log: *log, proof, signature: [0; 64] };
        if receipt.new_root(roots[0])? != *roots[1] {
            return Err(ProofError::Root.into());
        }
        let signature = sign(&signature_structure(&receipt.protected(), roots[1]));
        Ok(Self { signature, ..receipt })
    }

    /// Reads a receipt; refuses everything but its one deterministic form.
    pub fn decode(bytes: &[u8]) -> Result<Self, ReceiptFormatError> {
        let parts = Parts::decode(bytes, CONSISTENCY)?;
        let log = parts.subject.parse().map_err(|_| ReceiptFormatError::Shape("the subject is not a log".into()))?;
        let receipt = Self { log, proof: parts.proof, signature: parts.signature };
        if receipt.to_vec() == bytes { Ok(receipt) } else { Err(ReceiptFormatError::NotDeterministic) }
    }

    /// The bytes, a tagged `COSE_Sign1`.
    pub fn to_vec(&self) -> Vec<u8> {
        envelope(&self.protected(), &self.proof, &self.signature)
    }

    /// The log of which it speaks, and that claims to have signed.
    pub fn log(&self) -> LogOrigin {
        self.log
    }

    /// Old and new size.
    pub fn sizes(&self) -> [u64; 2] {
        self.proof.numbers
    }

    /// Checks that this log has signed that it continues the one with the old root; gives the new root.
    pub fn verify(&self, log: &LogOrigin, old_root: &Hash) -> Result<Hash, ReceiptError> {
        if self.log != *log {
            return Err(ReceiptError::Other);
        }
        let root = self.new_root(old_root)?;
        verify_detached(&log.key, &signature_structure(&self.protected(), &root), &self.signature)
            .map_err(ReceiptError::Signature)?;
        Ok(root)
    }

    fn new_root(&self, old_root: &Hash) -> Result<Hash, ProofError> {
        let [old, new] = self.proof.numbers;
        consistency_root(old, new, old_root, &self.proof.path)
    }

    fn protected(&self) -> Vec<u8> {
        protected_header(&self.log.key, &self.log.to_string())
    }
}

/// What both kinds have in their unprotected header.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Proof {
    label: i8,
    /// Size and index, or old and new size.
    numbers: [u64; 2],
    path: Vec<Hash>,
}

impl Proof {
    fn check_path(&self) -> Result<(), ReceiptError> {
        let len = self.path.len();
        if (1..=MAX_PATH).contains(&(len as u64)) { Ok(()) } else { Err(ReceiptError::Path(len)) }
    }

    fn to_vec(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.path.len() * 34 + 24);
        let mut e = Encoder::new(&mut bytes);
        (|| -> Result<(), minicbor::encode::Error<std::convert::Infallible>> {
            e.array(3)?.u64(self.numbers[0])?.u64(self.numbers[1])?.array(self.path.len() as u64)?;
            self.path.iter().try_for_each(|hash| e.bytes(hash)?.ok())
        })()
        .expect("writing to a vector cannot fail");
        bytes
    }

    fn decode(bytes: &[u8], label: i8) -> Result<Self, minicbor::decode::Error> {
        let wrong = minicbor::decode::Error::message::<&'static str>;
        let mut d = Decoder::new(bytes);
        if d.array()? != Some(3) {
            return Err(wrong("the proof is not an array of three"));
        }
        let numbers = [d.u64()?, d.u64()?];
        let len =
            d.array()?.filter(|len| (1..=MAX_PATH).contains(len)).ok_or(wrong("the path has not 1 to 64 hashes"))?;
        let hash = |_| d.bytes()?.try_into().map_err(|_| wrong("a hash has not 32 bytes"));
        let path = (0..len).map(hash).collect::<Result<_, _>>()?;
        Ok(Self { label, numbers, path })
    }
}

/// What is read from a receipt before it is known to be deterministic.
struct Parts<'b> {
    log: PublicKey,
    subject: &'b str,
    proof: Proof,
    signature: [u8; 64],
}

impl<'b> Parts<'b> {
    fn decode(bytes: &'b [u8], label: i8) -> Result<Self, ReceiptFormatError> {
        if bytes.len() > MAX_RECEIPT_BYTES {
            return Err(ReceiptFormatError::TooLarge(bytes.len()));
        }
        Self::read(bytes, label).map_err(|e| ReceiptFormatError::Shape(e.to_string()))
    }

    /// Reads as far as the content needs; issuer, ends and form are checked by writing it again.
    fn read(bytes: &'b [u8], label: i8) -> Result<Self, minicbor::decode::Error> {
        let wrong = minicbor::decode::Error::message::<&'static str>;
        let mut d = Decoder::new(bytes);
        if d.tag()?.as_u64() != COSE_SIGN1 || d.array()? != Some(4) {
            return Err(wrong("not a COSE_Sign1, tag 18 and an array of four"));
        }
        let mut header = Decoder::new(d.bytes()?);
        if header.map()? != Some(4) || header.u8()? != 1 || header.i8()? != -8 || header.u8()? != 4 {
            return Err(wrong("the protected header must have alg -8, kid, CWT claims and vds 1"));
        }
        let log = header.decode()?;
        if header.u8()? != 15 || header.map()? != Some(2) || header.u8()? != 1 {
            return Err(wrong("the CWT claims must be issuer and subject"));
        }
        header.str()?;
        if header.u8()? != 2 {
            return Err(wrong("the CWT claims must be issuer and subject"));
        }
        let subject = header.str()?;
        if d.map()? != Some(1) || d.u16()? != VDP || d.map()? != Some(1) || d.i8()? != label || d.array()? != Some(1) {
            return Err(wrong("the unprotected header must have one proof of the wanted kind"));
        }
        let proof = Proof::decode(d.bytes()?, label)?;
        d.null()?;
        let signature = d.bytes()?.try_into().map_err(|_| wrong("the signature must have 64 bytes"))?;
        Ok(Self { log, subject, proof, signature })
    }
}

/// `{1: −8, 4: kid, 15: {1: iss, 2: sub}, 395: 1}`.
fn protected_header(log: &PublicKey, subject: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(256);
    let mut e = Encoder::new(&mut bytes);
    (|| -> Result<(), minicbor::encode::Error<std::convert::Infallible>> {
        e.map(4)?.u8(1)?.i8(-8)?.u8(4)?.bytes(log.as_bytes())?;
        e.u8(15)?.map(2)?.u8(1)?.str(&did_key(log))?.u8(2)?.str(subject)?.u16(VDS)?.u8(1)?.ok()
    })()
    .expect("writing to a vector cannot fail");
    bytes
}

/// The bytes over which the signature is made (RFC 9052 §4.4), the root being the payload.
fn signature_structure(protected: &[u8], root: &Hash) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(protected.len() + 64);
    let mut e = Encoder::new(&mut bytes);
    (|| -> Result<(), minicbor::encode::Error<std::convert::Infallible>> {
        e.array(4)?.str("Signature1")?.bytes(protected)?.bytes(&[])?.bytes(root)?.ok()
    })()
    .expect("writing to a vector cannot fail");
    bytes
}

fn envelope(protected: &[u8], proof: &Proof, signature: &[u8; 64]) -> Vec<u8> {
    let proof_bytes = proof.to_vec();
    let mut bytes = Vec::with_capacity(protected.len() + proof_bytes.len() + 96);
    let mut e = Encoder::new(&mut bytes);
    (|| -> Result<(), minicbor::encode::Error<std::convert::Infallible>> {
        e.tag(Tag::new(COSE_SIGN1))?.array(4)?.bytes(protected)?;
        e.map(1)?.u16(VDP)?.map(1)?.i8(proof.label)?.array(1)?.bytes(&proof_bytes)?;
        e.null()?.bytes(signature)?.ok()
    })()
    .expect("writing to a vector cannot fail");
    bytes
}

#[cfg(test)]
mod tests;
