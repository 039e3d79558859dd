//! Deterministic CBOR (RFC 8949 §4.2.1): one encoding per value, anything else is refused.

use crate::id::{EventId, NetworkId, PublicKey, SubjectId};
use minicbor::data::Type;
use minicbor::{Decode, Decoder, Encode, Encoder};

/// Nesting deeper than this is refused: no body needs more, and the decoder recurses.
const MAX_DEPTH: u8 = 12;

/// Items of one [`Any`]: decoded, an item takes thirty times the memory of its byte.
const MAX_ITEMS: usize = 1_024;

/// Why bytes are not the deterministic encoding of the wanted type.
#[derive(Debug, thiserror::Error)]
pub enum CborError {
    /// The bytes are no CBOR of the wanted shape.
    #[error("the CBOR does not have the expected shape: {0}")]
    Shape(String),
    /// Something follows the value.
    #[error("{0} bytes follow the end of the CBOR value; send exactly one value")]
    Trailing(usize),
    /// The value decodes, but another encoding of it is the deterministic one.
    #[error(
        "the CBOR is not in its deterministic encoding (RFC 8949 §4.2.1): use shortest integers, \
         definite lengths, map keys sorted and no unknown keys"
    )]
    NotDeterministic,
}

impl From<minicbor::decode::Error> for CborError {
    fn from(error: minicbor::decode::Error) -> Self {
        Self::Shape(error.to_string())
    }
}

/// The deterministic encoding of `value`.
pub fn to_vec<T: Encode<()>>(value: &T) -> Vec<u8> {
    minicbor::to_vec(value).expect("writing to a vector cannot fail")
}

/// Decodes one value that fills `bytes` and is encoded deterministically.
pub fn from_slice<'b, T: Decode<'b, ()> + Encode<()>>(bytes: &'b [u8]) -> Result<T, CborError> {
    let mut decoder = Decoder::new(bytes);
    let value: T = decoder.decode()?;
    if decoder.position() != bytes.len() {
        return Err(CborError::Trailing(bytes.len() - decoder.position()));
    }
    // Re-encoding catches in one stroke: long integers, indefinite lengths, unsorted, repeated
    // and unknown map keys, and text or numbers written in another form.
    if to_vec(&value) != bytes {
        return Err(CborError::NotDeterministic);
    }
    Ok(value)
}

macro_rules! bytes32 {
    ($($name:ident)*) => {$(
        impl<C> Encode<C> for $name {
            fn encode<W: minicbor::encode::Write>(
                &self,
                e: &mut Encoder<W>,
                _: &mut C,
            ) -> Result<(), minicbor::encode::Error<W::Error>> {
                e.bytes(self.as_bytes())?.ok()
            }
        }

        impl<'b, C> Decode<'b, C> for $name {
            fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
                let position = d.position();
                <$name>::try_from(d.bytes()?).map_err(|_| {
                    minicbor::decode::Error::message(concat!(stringify!($name), " must have 32 bytes")).at(position)
                })
            }
        }
    )*};
}

bytes32!(EventId SubjectId NetworkId PublicKey);

/// Any CBOR value that may stand in signed bytes: everything but floats and `undefined`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Any {
    /// An unsigned or negative integer, as in CBOR from −2⁶⁴ to 2⁶⁴−1.
    Integer(i128),
    /// A byte string.
    Bytes(Vec<u8>),
    /// A UTF-8 text.
    Text(String),
    /// An array.
    Array(Vec<Any>),
    /// A map; its entries are encoded in the order of their encoded keys.
    Map(Vec<(Any, Any)>),
    /// A tagged value.
    Tagged(u64, Box<Any>),
    /// True or false.
    Bool(bool),
    /// Null.
    Null,
}

impl<C> Encode<C> for Any {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut Encoder<W>,
        ctx: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        match self {
            Self::Integer(n) => {
                let n = minicbor::data::Int::try_from(*n)
                    .map_err(|_| minicbor::encode::Error::message("an integer is beyond 64 bits"))?;
                e.int(n)?.ok()
            }
            Self::Bytes(bytes) => e.bytes(bytes)?.ok(),
            Self::Text(text) => e.str(text)?.ok(),
            Self::Array(items) => {
                e.array(items.len() as u64)?;
                items.iter().try_for_each(|item| item.encode(e, ctx))
            }
            Self::Map(entries) => {
                let mut sorted: Vec<_> = entries.iter().map(|(key, value)| (to_vec(key), value)).collect();
                sorted.sort_by(|a, b| a.0.cmp(&b.0));
                e.map(sorted.len() as u64)?;
                for (key, value) in sorted {
                    e.writer_mut().write_all(&key).map_err(minicbor::encode::Error::write)?;
                    value.encode(e, ctx)?;
                }
                Ok(())
            }
            Self::Tagged(tag, value) => {
                e.tag(minicbor::data::Tag::new(*tag))?;
                value.encode(e, ctx)
            }
            Self::Bool(value) => e.bool(*value)?.ok(),
            Self::Null => e.null()?.ok(),
        }
    }
}

impl<'b, C> Decode<'b, C> for Any {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        decode_any(d, MAX_DEPTH, &mut 0)
    }
}

fn decode_any(d: &mut Decoder<'_>, depth: u8, items: &mut usize) -> Result<Any, minicbor::decode::Error> {
    let refuse = |text: &'static str, at| Err(minicbor::decode::Error::message(text).at(at));
    let position = d.position();
    if depth == 0 {
        return refuse("values are nested deeper than 12 levels", position);
    }
    *items += 1;
    if *items > MAX_ITEMS {
        return refuse("a value has more than 1024 items", position);
    }
    match d.datatype()? {
        Type::U8 | Type::U16 | Type::U32 | Type::U64 | Type::I8 | Type::I16 | Type::I32 | Type::I64 | Type::Int => {
            Ok(Any::Integer(d.int()?.into()))
        }
        Type::Bytes => Ok(Any::Bytes(d.bytes()?.to_vec())),
        Type::String => Ok(Any::Text(d.str()?.to_owned())),
        Type::Bool => Ok(Any::Bool(d.bool()?)),
        Type::Null => d.null().map(|()| Any::Null),
        Type::Array => {
            let len = d.array()?.unwrap_or(0);
            (0..len).map(|_| decode_any(d, depth - 1, items)).collect::<Result<_, _>>().map(Any::Array)
        }
        Type::Map => {
            let len = d.map()?.unwrap_or(0);
            let mut entries: Vec<(Any, Any)> = Vec::new();
            let mut last_key: &[u8] = &[];
            for index in 0..len {
                let start = d.position();
                let key = decode_any(d, depth - 1, items)?;
                let encoded = &d.input()[start..d.position()];
                // Sorted and distinct: a repeated key would otherwise survive the comparison.
                if index > 0 && encoded <= last_key {
                    return refuse("map keys must be sorted and distinct", start);
                }
                last_key = encoded;
                entries.push((key, decode_any(d, depth - 1, items)?));
            }
            Ok(Any::Map(entries))
        }
        Type::Tag => {
            let tag = d.tag()?;
            // A bignum has many encodings (RFC 8949 §3.4.3), and whoever reads one may write another.
            if matches!(tag.as_u64(), 2 | 3) {
                return refuse("bignums may not stand here; write the number as a text", position);
            }
            Ok(Any::Tagged(tag.as_u64(), Box::new(decode_any(d, depth - 1, items)?)))
        }
        Type::F16 | Type::F32 | Type::F64 => refuse("floating-point numbers have no place in signed bytes", position),
        _ => refuse("only definite-length values may stand in signed bytes", position),
    }
}

impl serde::Serialize for Any {
    /// JSON for readers: byte strings as `{"hex": …}`, tags as `{"tag": …, "value": …}`.
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeMap;
        match self {
            Self::Integer(n) => match (u64::try_from(*n), i64::try_from(*n)) {
                (Ok(n), _) => serializer.serialize_u64(n),
                (_, Ok(n)) => serializer.serialize_i64(n),
                _ => serializer.collect_str(n),
            },
            Self::Bytes(bytes) => {
                let mut map = serializer.serialize_map(Some(1))?;
                map.serialize_entry("hex", &data_encoding::HEXLOWER.encode(bytes))?;
                map.end()
            }
            Self::Text(text) => serializer.serialize_str(text),
            Self::Array(items) => serializer.collect_seq(items),
            Self::Map(entries) => {
                let mut map = serializer.serialize_map(Some(entries.len()))?;
                for (key, value) in entries {
                    match key {
                        Self::Text(text) => map.serialize_entry(text, value)?,
                        Self::Integer(n) => map.serialize_entry(&n.to_string(), value)?,
                        other => map.serialize_entry(&data_encoding::HEXLOWER.encode(&to_vec(other)), value)?,
                    }
                }
                map.end()
            }
            Self::Tagged(tag, value) => {
                let mut map = serializer.serialize_map(Some(2))?;
                map.serialize_entry("tag", tag)?;
                map.serialize_entry("value", value)?;
                map.end()
            }
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Null => serializer.serialize_unit(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(text: &str) -> Vec<u8> {
        data_encoding::HEXLOWER.decode(text.as_bytes()).unwrap()
    }

    #[test]
    fn refuses_every_second_way_of_writing_a_value() {
        for other in ["1801", "9f01ff", "a2020201 01", "a201010102", "f90000", "5f4101ff", "8101ff", "a2020101 01"] {
            let bytes = hex(&other.replace(' ', ""));
            assert!(from_slice::<Any>(&bytes).is_err(), "{other} was taken");
        }
        assert_eq!(
            from_slice::<Any>(&hex("a2010a0203")).unwrap(),
            Any::Map(vec![(Any::Integer(1), Any::Integer(10)), (Any::Integer(2), Any::Integer(3))])
        );
    }

    #[test]
    fn refuses_nesting_that_would_exhaust_the_stack() {
        assert!(from_slice::<Any>(&vec![0x81; 16_000]).is_err());
        assert!(from_slice::<Any>(&vec![0xc1; 16_000]).is_err());
    }

    #[test]
    fn a_claimed_length_allocates_nothing() {
        assert!(from_slice::<Any>(&hex("9b7fffffffffffffff")).is_err());
        assert!(from_slice::<Any>(&hex("bb7fffffffffffffff")).is_err());
    }
}
