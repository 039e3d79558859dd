//! Sealed fields: a commitment stands in the signed bytes, the opening is kept beside them.

mod fields;

pub use fields::{
    EXACT_POINT, HARVESTER, OFFERED_PRICE, OUTSIDE_NAME, PERSONAL_NAME, REGISTERED_PRICE, REPLACEMENT, SealedValue,
    UPDATED_PRICE, read_sealed, sealable_name, sealed_fields,
};

use crate::cbor;
use crate::id::{EventId, PublicKey, sha256};
use minicbor::data::Type;
use minicbor::{Decode, Decoder, Encode, Encoder};

/// A value that stands open, or only as a commitment to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sealable<T> {
    /// For everybody to read.
    Open(T),
    /// For those who hold the opening.
    Sealed(Commitment),
}

impl<T> Sealable<T> {
    /// The value, where it stands open.
    pub fn open(&self) -> Option<&T> {
        match self {
            Self::Open(value) => Some(value),
            Self::Sealed(_) => None,
        }
    }
}

/// SHA-256 over the deterministic CBOR of `[tag, signer, journal link, field path, salt, value]`.
///
/// The salt keeps the value from being guessed; signer and journal link, which belong to one
/// event, keep the commitment from being copied into another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Commitment([u8; 32]);

/// What opens a commitment.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Opening {
    /// Fresh and random for each sealed field.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub salt: [u8; 16],
    /// Deterministic CBOR of the value.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub value: Vec<u8>,
}

/// Which field of which event is sealed: signer and journal link name the event before it has an id.
#[derive(Debug, Clone, Copy)]
pub struct SealedField<'a> {
    /// The signer of the event.
    pub signer: &'a PublicKey,
    /// The event's journal link.
    pub journal: &'a EventId,
    /// Field numbers from the body downwards.
    pub path: &'a [u8],
}

impl Opening {
    /// The commitment that this opening opens in this field.
    pub fn commitment(&self, field: SealedField<'_>) -> Commitment {
        let path: Vec<u8> = field.path.to_vec();
        let salt: &minicbor::bytes::ByteSlice = self.salt.as_slice().into();
        let value: &minicbor::bytes::ByteSlice = self.value.as_slice().into();
        let bytes = cbor::to_vec(&("furrow/seal/1", field.signer, field.journal, path, salt, value));
        Commitment(sha256(&[&bytes]))
    }
}

impl Commitment {
    /// Wraps the 32 bytes of a commitment.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl<T: serde::Serialize> serde::Serialize for Sealable<T> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Open(value) => value.serialize(serializer),
            Self::Sealed(commitment) => {
                serializer.collect_map([("sealed", data_encoding::HEXLOWER.encode(&commitment.0))])
            }
        }
    }
}

impl<C, T: Encode<C>> Encode<C> for Sealable<T> {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut Encoder<W>,
        ctx: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        match self {
            Self::Open(value) => value.encode(e, ctx),
            Self::Sealed(commitment) => e.bytes(&commitment.0)?.ok(),
        }
    }
}

impl<'b, C, T: Decode<'b, C>> Decode<'b, C> for Sealable<T> {
    /// No value that may be sealed is itself a byte string, so the CBOR type tells the two apart.
    fn decode(d: &mut Decoder<'b>, ctx: &mut C) -> Result<Self, minicbor::decode::Error> {
        if d.datatype()? != Type::Bytes {
            return Ok(Self::Open(T::decode(d, ctx)?));
        }
        let position = d.position();
        let bytes = d.bytes()?.try_into();
        bytes.map(|bytes| Self::Sealed(Commitment(bytes))).map_err(|_| {
            minicbor::decode::Error::message("the commitment to a sealed value must have 32 bytes").at(position)
        })
    }
}
