//! Strict reading and writing of the small CBOR subset that nodes speak to each other.
//!
//! Every message has exactly one encoding (RFC 8949 §4.2.1). Readers bound each count and length
//! before they allocate for it, and refuse bytes that a writer of this program would not have made.

use minicbor::data::Type;
use minicbor::{Decoder, Encoder};
use std::convert::Infallible;

/// Why bytes from the network are not a message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// Nothing was sent.
    #[error("no bytes were sent")]
    Empty,
    /// The message is longer than its kind may be.
    #[error("the message is longer than {limit} bytes")]
    TooLarge {
        /// The most bytes allowed.
        limit: usize,
    },
    /// The bytes are no CBOR, or not of the shape that belongs here.
    #[error("not a message of this protocol: unexpected data at byte {at}")]
    Shape {
        /// Offset of the item that could not be read.
        at: usize,
    },
    /// The message's kind is not one of this protocol version.
    #[error("message kind {0} is unknown to this protocol version")]
    UnknownKind(u64),
    /// A list is longer than allowed.
    #[error("a list of {count} entries, where at most {limit} are allowed")]
    TooMany {
        /// The count that the sender claims.
        count: u64,
        /// The most entries allowed.
        limit: usize,
    },
    /// A byte or text string is longer than allowed.
    #[error("an entry of {length} bytes, where at most {limit} are allowed")]
    TooLong {
        /// The length that was sent.
        length: usize,
        /// The most bytes allowed.
        limit: usize,
    },
    /// A log is said to be longer than any can be.
    #[error("a log of {0} entries, where at most 2^48 are believed")]
    LogTooLong(u64),
    /// The message is complete, yet bytes follow.
    #[error("{0} bytes follow the end of the message")]
    Trailing(usize),
    /// The bytes say the right thing in another encoding than the deterministic one.
    #[error("not the deterministic encoding of its content")]
    NotDeterministic,
}

/// What writing to memory returns: it cannot fail.
pub(crate) type Written = Result<(), minicbor::encode::Error<Infallible>>;

/// The bytes that `write` writes.
pub(crate) fn encode(write: impl FnOnce(&mut Encoder<Vec<u8>>) -> Written) -> Vec<u8> {
    let mut encoder = Encoder::new(Vec::new());
    write(&mut encoder).expect("writing to memory cannot fail");
    encoder.into_writer()
}

/// Reads one whole message with `read`; `encode` is its inverse and proves that the bytes are the
/// deterministic ones.
pub(crate) fn decode<T>(
    bytes: &[u8],
    limit: usize,
    read: impl FnOnce(&mut Reader<'_>) -> Result<T, Malformed>,
    encode: impl FnOnce(&T) -> Vec<u8>,
) -> Result<T, Malformed> {
    if bytes.is_empty() {
        return Err(Malformed::Empty);
    }
    if bytes.len() > limit {
        return Err(Malformed::TooLarge { limit });
    }
    let mut reader = Reader(Decoder::new(bytes));
    let message = read(&mut reader)?;
    let end = reader.0.position();
    if end < bytes.len() {
        return Err(Malformed::Trailing(bytes.len() - end));
    }
    if encode(&message) != bytes {
        return Err(Malformed::NotDeterministic);
    }
    Ok(message)
}

/// A cursor over the bytes of one message.
pub(crate) struct Reader<'b>(Decoder<'b>);

impl<'b> Reader<'b> {
    /// The head of an array of at most `limit` entries; returns how many follow.
    pub(crate) fn list(&mut self, limit: usize) -> Result<usize, Malformed> {
        let at = self.0.position();
        let count = self.take(Decoder::array)?.ok_or(Malformed::Shape { at })?;
        usize::try_from(count).ok().filter(|count| *count <= limit).ok_or(Malformed::TooMany { count, limit })
    }

    /// The head of a message: an array of any length, which its kind is to fit.
    pub(crate) fn head(&mut self) -> Result<u64, Malformed> {
        let at = self.0.position();
        self.take(Decoder::array)?.ok_or(Malformed::Shape { at })
    }

    /// The head of an array of exactly `count` entries.
    pub(crate) fn tuple(&mut self, count: usize) -> Result<(), Malformed> {
        let at = self.0.position();
        if self.list(count)? == count { Ok(()) } else { Err(Malformed::Shape { at }) }
    }

    /// A list of at most `limit` entries that `entry` reads one by one.
    pub(crate) fn entries<T>(
        &mut self,
        limit: usize,
        mut entry: impl FnMut(&mut Self) -> Result<T, Malformed>,
    ) -> Result<Vec<T>, Malformed> {
        let count = self.list(limit)?;
        let mut entries = Vec::with_capacity(count);
        for _ in 0..count {
            entries.push(entry(self)?);
        }
        Ok(entries)
    }

    /// An unsigned integer of up to 64 bits.
    pub(crate) fn u64(&mut self) -> Result<u64, Malformed> {
        self.take(Decoder::u64)
    }

    /// An unsigned integer of up to 32 bits.
    pub(crate) fn u32(&mut self) -> Result<u32, Malformed> {
        self.take(Decoder::u32)
    }

    /// A byte string of at most `limit` bytes.
    pub(crate) fn bytes(&mut self, limit: usize) -> Result<&'b [u8], Malformed> {
        let bytes = self.take(Decoder::bytes)?;
        if bytes.len() > limit {
            return Err(Malformed::TooLong { length: bytes.len(), limit });
        }
        Ok(bytes)
    }

    /// A byte string of at least one and at most `limit` bytes.
    pub(crate) fn filled(&mut self, limit: usize) -> Result<&'b [u8], Malformed> {
        let at = self.0.position();
        let bytes = self.bytes(limit)?;
        if bytes.is_empty() { Err(Malformed::Shape { at }) } else { Ok(bytes) }
    }

    /// A byte string of exactly `N` bytes.
    pub(crate) fn fixed<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let at = self.0.position();
        self.bytes(N)?.try_into().map_err(|_| Malformed::Shape { at })
    }

    /// A byte string of exactly 32 bytes.
    pub(crate) fn hash(&mut self) -> Result<[u8; 32], Malformed> {
        self.fixed()
    }

    /// A text of at most `limit` bytes.
    pub(crate) fn text(&mut self, limit: usize) -> Result<&'b str, Malformed> {
        let text = self.take(Decoder::str)?;
        if text.len() > limit {
            return Err(Malformed::TooLong { length: text.len(), limit });
        }
        Ok(text)
    }

    /// `null`, or what `read` finds in its place.
    pub(crate) fn optional<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, Malformed>,
    ) -> Result<Option<T>, Malformed> {
        if self.0.datatype().is_ok_and(|found| found == Type::Null) {
            self.take(Decoder::null)?;
            return Ok(None);
        }
        read(self).map(Some)
    }

    fn take<T>(
        &mut self,
        read: impl FnOnce(&mut Decoder<'b>) -> Result<T, minicbor::decode::Error>,
    ) -> Result<T, Malformed> {
        let at = self.0.position();
        read(&mut self.0).map_err(|_| Malformed::Shape { at })
    }
}
