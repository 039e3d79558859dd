//! Signed events: a payload in a `COSE_Sign1` (RFC 9052), and the proof that it was verified.

use crate::cbor::CborError;
use crate::id::{EventId, PublicKey, SubjectId};
use crate::payload::{Payload, PayloadError, StructureError, Touch, VERSION, did_key};
use ed25519_dalek::{Signer, SigningKey};
use minicbor::data::Tag;
use minicbor::{Decoder, Encoder};

/// Media type of the payload, in the protected header.
pub const CONTENT_TYPE: &str = "application/vnd.furrow.event+cbor";

/// Most bytes of an event.
pub const MAX_EVENT_BYTES: usize = 16 * 1024;

/// `COSE_Sign1` (RFC 9052 §2).
const COSE_SIGN1: u64 = 18;

/// Why bytes are not an event.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// More bytes than an event may have.
    #[error("the event has {0} bytes; at most 16384 are allowed, so name large documents by their hash")]
    TooLarge(usize),
    /// Not a `COSE_Sign1` of the right shape.
    #[error(
        "the bytes are not an event, which is a COSE_Sign1 with protected header, empty unprotected header, payload and 64-byte signature: {0}"
    )]
    Envelope(String),
    /// A payload that is not one.
    #[error("the event's payload is malformed: {0}")]
    Payload(String),
    /// Right in content, wrong in form.
    #[error(transparent)]
    Form(#[from] CborError),
    /// Lists that are too long or out of order.
    #[error(transparent)]
    Structure(#[from] StructureError),
    /// Written by a newer program. Such an event is held, not refused.
    #[error("the event has format version {version}, which is newer than this program; upgrade to judge it")]
    NewerVersion {
        /// SHA-256 of the bytes, by which an event goes in every version.
        id: EventId,
        /// The version.
        version: u64,
    },
}

/// A well-formed event whose signature has not been checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedEvent {
    bytes: Vec<u8>,
    id: EventId,
    key: PublicKey,
    signature: [u8; 64],
    payload: Payload,
    /// By touch: the one it names, or the one that it creates. Asked for so often that it is not hashed each time.
    subjects: Vec<SubjectId>,
}

impl SignedEvent {
    /// Signs a payload.
    pub fn sign(payload: Payload, key: &SigningKey) -> Result<Self, StructureError> {
        payload.check_structure()?;
        let public = PublicKey::from_bytes(key.verifying_key().to_bytes());
        let protected = protected_header(&public, &payload);
        let encoded = payload.to_vec();
        let signature = key.sign(&signature_structure(&protected, &encoded)).to_bytes();
        let bytes = envelope(&protected, &encoded, &signature);
        Ok(Self::put_together(bytes, public, signature, payload))
    }

    /// Reads an event; refuses everything but its one deterministic form.
    pub fn decode(bytes: Vec<u8>) -> Result<Self, DecodeError> {
        if bytes.len() > MAX_EVENT_BYTES {
            return Err(DecodeError::TooLarge(bytes.len()));
        }
        let (key, payload_bytes, signature) =
            open_envelope(&bytes).map_err(|e| DecodeError::Envelope(e.to_string()))?;
        let mut d = Decoder::new(payload_bytes);
        let payload = Payload::decode(&mut d).map_err(|error| match error {
            PayloadError::Version(version) if version > VERSION => {
                DecodeError::NewerVersion { id: EventId::of(&bytes), version }
            }
            other => DecodeError::Payload(other.to_string()),
        })?;
        // The whole event is rebuilt from what was understood and compared, headers included.
        let protected = protected_header(&key, &payload);
        if envelope(&protected, &payload.to_vec(), &signature) != bytes {
            return Err(CborError::NotDeterministic.into());
        }
        payload.check_structure()?;
        Ok(Self::put_together(bytes, key, signature, payload))
    }

    fn put_together(bytes: Vec<u8>, key: PublicKey, signature: [u8; 64], payload: Payload) -> Self {
        let id = EventId::of(&bytes);
        let subject = |(index, touch): (u32, &Touch)| touch.subject.unwrap_or_else(|| id.subject(index));
        let subjects = (0..).zip(&payload.touches).map(subject).collect();
        Self { bytes, id, key, signature, payload, subjects }
    }

    /// The complete signed bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// SHA-256 of the bytes.
    pub fn id(&self) -> EventId {
        self.id
    }

    /// The key that claims to have signed.
    pub fn key(&self) -> PublicKey {
        self.key
    }

    /// The Ed25519 signature, R ‖ S.
    pub fn signature(&self) -> &[u8; 64] {
        &self.signature
    }

    /// What is said.
    pub fn payload(&self) -> &Payload {
        &self.payload
    }

    /// The subject of touch number `index`: the one it names, or the one that it creates.
    pub fn subject(&self, index: usize) -> Option<SubjectId> {
        self.subjects.get(index).copied()
    }

    /// The bytes over which the signature is made (RFC 9052 §4.4).
    pub fn signed_bytes(&self) -> Vec<u8> {
        // What was decoded or signed is in its one form, so these are the bytes that would be made again.
        let parts = split_envelope(&self.bytes).expect("an event is in an envelope");
        signature_structure(parts.protected, parts.payload)
    }
}

/// An event whose signature holds. Only [`crate::signature`] makes one, and only this type can be
/// judged and appended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedEvent(SignedEvent);

impl VerifiedEvent {
    /// To be called where the signature has just been checked, or was before the event was stored.
    pub(crate) fn trusted(event: SignedEvent) -> Self {
        Self(event)
    }

    /// The event as it came.
    pub fn into_signed(self) -> SignedEvent {
        self.0
    }
}

impl std::ops::Deref for VerifiedEvent {
    type Target = SignedEvent;

    fn deref(&self) -> &SignedEvent {
        &self.0
    }
}

/// `{1: −8, 3: content type, 4: kid, 15: {1: iss, 2: sub}}`, all of it fixed by key and payload.
fn protected_header(key: &PublicKey, payload: &Payload) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(256);
    let mut e = Encoder::new(&mut bytes);
    (|| -> Result<(), minicbor::encode::Error<std::convert::Infallible>> {
        e.map(4)?.u8(1)?.i8(-8)?.u8(3)?.str(CONTENT_TYPE)?.u8(4)?.bytes(key.as_bytes())?;
        e.u8(15)?.map(2)?.u8(1)?.str(&did_key(key))?.u8(2)?.str(&payload.subject_claim())?.ok()
    })()
    .expect("writing to a vector cannot fail");
    bytes
}

fn signature_structure(protected: &[u8], payload: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(protected.len() + payload.len() + 24);
    let mut e = Encoder::new(&mut bytes);
    (|| -> Result<(), minicbor::encode::Error<std::convert::Infallible>> {
        e.array(4)?.str("Signature1")?.bytes(protected)?.bytes(&[])?.bytes(payload)?.ok()
    })()
    .expect("writing to a vector cannot fail");
    bytes
}

fn envelope(protected: &[u8], payload: &[u8], signature: &[u8; 64]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(protected.len() + payload.len() + 80);
    let mut e = Encoder::new(&mut bytes);
    (|| -> Result<(), minicbor::encode::Error<std::convert::Infallible>> {
        e.tag(Tag::new(COSE_SIGN1))?.array(4)?.bytes(protected)?.map(0)?.bytes(payload)?.bytes(signature)?.ok()
    })()
    .expect("writing to a vector cannot fail");
    bytes
}

/// The byte strings of an envelope.
struct Parts<'a> {
    protected: &'a [u8],
    payload: &'a [u8],
    signature: &'a [u8],
}

fn split_envelope(bytes: &[u8]) -> Result<Parts<'_>, minicbor::decode::Error> {
    let wrong = minicbor::decode::Error::message::<&'static str>;
    let mut d = Decoder::new(bytes);
    if d.tag()?.as_u64() != COSE_SIGN1 {
        return Err(wrong("the outer tag is not 18"));
    }
    if d.array()? != Some(4) {
        return Err(wrong("not an array of four"));
    }
    let protected = d.bytes()?;
    if d.map()? != Some(0) {
        return Err(wrong("the unprotected header must be empty"));
    }
    Ok(Parts { protected, payload: d.bytes()?, signature: d.bytes()? })
}

/// Key, payload and signature; the rest is checked by rebuilding.
fn open_envelope(bytes: &[u8]) -> Result<(PublicKey, &[u8], [u8; 64]), minicbor::decode::Error> {
    let wrong = minicbor::decode::Error::message::<&'static str>;
    let Parts { protected, payload, signature } = split_envelope(bytes)?;
    let mut header = Decoder::new(protected);
    if header.map()? != Some(4) || header.u8()? != 1 || header.i8()? != -8 {
        return Err(wrong("the protected header must have alg -8, content type, kid and CWT claims"));
    }
    if header.u8()? != 3 || header.str()? != CONTENT_TYPE || header.u8()? != 4 {
        return Err(wrong("the content type is not application/vnd.furrow.event+cbor, or the kid is missing"));
    }
    let key = header.decode()?;
    let signature = signature.try_into().map_err(|_| wrong("the signature must have 64 bytes"))?;
    Ok((key, payload, signature))
}
