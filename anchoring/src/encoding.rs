//! How a record is kept: CBOR behind a version, so that what was written once can always be read.

use crate::record::AnchorRecord;
use minicbor::data::Type;
use minicbor::{Decoder, Encoder};

/// Version of the encoding. A change of what is below is a new number and a second branch in [`decode`].
const VERSION: u8 = 1;

/// Why bytes are not a record.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// Not what [`AnchorRecord::encode`] writes.
    #[error("the anchor record is damaged ({0}): restore the node's data from a backup")]
    Damaged(minicbor::decode::Error),
    /// Written by a newer program.
    #[error("the anchor record has version {0} and this program knows version {VERSION}: install a newer furrow")]
    NewerVersion(u8),
}

impl AnchorRecord {
    /// The record as it is kept: an array of the version and the record's map.
    pub fn encode(&self) -> Vec<u8> {
        let mut encoder = Encoder::new(Vec::new());
        encoder
            .array(2)
            .and_then(|encoder| encoder.u8(VERSION))
            .and_then(|encoder| encoder.encode(self))
            .expect("writing to memory does not fail");
        encoder.into_writer()
    }

    /// Reads what [`AnchorRecord::encode`] wrote.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut decoder = Decoder::new(bytes);
        let version = version(&mut decoder).map_err(DecodeError::Damaged)?;
        if version != VERSION {
            return Err(DecodeError::NewerVersion(version));
        }
        let record = decoder.decode().map_err(DecodeError::Damaged)?;
        if decoder.position() != bytes.len() {
            return Err(DecodeError::Damaged(minicbor::decode::Error::message("bytes follow the record")));
        }
        Ok(record)
    }
}

fn version(decoder: &mut Decoder<'_>) -> Result<u8, minicbor::decode::Error> {
    match decoder.array()? {
        Some(2) => decoder.u8(),
        _ => Err(minicbor::decode::Error::type_mismatch(Type::Array)),
    }
}

/// An amount of wei: a byte string of 16 bytes, big-endian, because it can exceed 64 bits.
pub(crate) mod wei {
    use minicbor::bytes::ByteArray;
    use minicbor::encode::Write;
    use minicbor::{Decoder, Encoder};

    pub(crate) fn encode<C, W: Write>(
        amount: &u128,
        encoder: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        encoder.bytes(&amount.to_be_bytes())?.ok()
    }

    pub(crate) fn decode<C>(decoder: &mut Decoder<'_>, _: &mut C) -> Result<u128, minicbor::decode::Error> {
        let bytes: ByteArray<16> = decoder.decode()?;
        Ok(u128::from_be_bytes(*bytes))
    }
}
