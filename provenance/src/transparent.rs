//! Transparent statements (SCITT): an event that carries receipts in its unprotected header.
//!
//! The id of an event is the hash of its bytes with an empty unprotected header, because what
//! stands there is not signed. So receipts are put on when an event is handed out, and taken off
//! before anything is hashed.

use minicbor::data::{Tag, Type};
use minicbor::{Decoder, Encoder};
use std::borrow::Cow;

/// Most bytes of a statement: an event of 16 KiB and a dozen receipts of the longest kind.
pub const MAX_STATEMENT_BYTES: usize = 64 * 1024;

/// `COSE_Sign1` (RFC 9052 §2).
const COSE_SIGN1: u64 = 18;

/// Header label of receipts (RFC 9942 §2).
const RECEIPTS: u16 = 394;

/// Why bytes cannot be made a statement, or an event without its unprotected header.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StatementError {
    /// More bytes than a statement may have.
    #[error("the statement has {0} bytes; at most 65536 are allowed, so send it with fewer receipts")]
    TooLarge(usize),
    /// Not a tagged `COSE_Sign1`.
    #[error("the bytes are not one COSE_Sign1, tag 18 and an array of four: {0}")]
    Shape(String),
    /// A receipts header must not be empty.
    #[error("a transparent statement carries at least one receipt")]
    NoReceipts,
}

/// The statement with an empty unprotected header, all other bytes untouched.
///
/// Nothing else is judged: whether the rest is an event is seen by decoding it.
pub fn strip_unprotected(statement: &[u8]) -> Result<Cow<'_, [u8]>, StatementError> {
    let unprotected = unprotected(statement)?;
    if statement[unprotected.clone()] == [0xa0] {
        return Ok(Cow::Borrowed(statement));
    }
    Ok(Cow::Owned([&statement[..unprotected.start], &[0xa0], &statement[unprotected.end..]].concat()))
}

/// The event with these receipts, and nothing else, in its unprotected header.
pub fn with_receipts(event: &[u8], receipts: &[Vec<u8>]) -> Result<Vec<u8>, StatementError> {
    if receipts.is_empty() {
        return Err(StatementError::NoReceipts);
    }
    let unprotected = unprotected(event)?;
    let length = event.len() + receipts.iter().map(|receipt| receipt.len() + 5).sum::<usize>() + 8;
    if length > MAX_STATEMENT_BYTES {
        return Err(StatementError::TooLarge(length));
    }
    let mut bytes = Vec::with_capacity(length);
    bytes.extend_from_slice(&event[..unprotected.start]);
    let mut e = Encoder::new(&mut bytes);
    (|| -> Result<(), minicbor::encode::Error<std::convert::Infallible>> {
        e.map(1)?.u16(RECEIPTS)?.array(receipts.len() as u64)?;
        receipts.iter().try_for_each(|receipt| e.bytes(receipt)?.ok())
    })()
    .expect("writing to a vector cannot fail");
    bytes.extend_from_slice(&event[unprotected.end..]);
    Ok(bytes)
}

/// Where in the bytes the unprotected header stands.
fn unprotected(statement: &[u8]) -> Result<std::ops::Range<usize>, StatementError> {
    if statement.len() > MAX_STATEMENT_BYTES {
        return Err(StatementError::TooLarge(statement.len()));
    }
    find_unprotected(statement).map_err(|e| StatementError::Shape(e.to_string()))
}

fn find_unprotected(statement: &[u8]) -> Result<std::ops::Range<usize>, minicbor::decode::Error> {
    let wrong = minicbor::decode::Error::message::<&'static str>;
    let mut d = Decoder::new(statement);
    if d.tag()? != Tag::new(COSE_SIGN1) || d.array()? != Some(4) {
        return Err(wrong("it begins otherwise"));
    }
    d.bytes()?;
    let start = d.position();
    if d.datatype()? != Type::Map {
        return Err(wrong("the unprotected header is not a map of definite length"));
    }
    // This does not recurse, so nesting costs no stack.
    d.skip()?;
    let end = d.position();
    d.bytes()?;
    d.bytes()?;
    if d.position() == statement.len() { Ok(start..end) } else { Err(wrong("something follows its end")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::SignedEvent;
    use proptest::prelude::*;

    /// Protected header 01, payload 02 03, signature 04.
    fn statement(unprotected: &[u8]) -> Vec<u8> {
        [&[0xd2, 0x84, 0x41, 0x01], unprotected, &[0x42, 0x02, 0x03, 0x41, 0x04]].concat()
    }

    #[test]
    fn receipts_come_on_and_off() {
        let event = statement(&[0xa0]);
        assert!(matches!(strip_unprotected(&event), Ok(Cow::Borrowed(bytes)) if bytes == event));
        let with = with_receipts(&event, &[vec![7, 7], vec![8]]).unwrap();
        assert_eq!(with, statement(&[0xa1, 0x19, 0x01, 0x8a, 0x82, 0x42, 7, 7, 0x41, 8]));
        assert_eq!(strip_unprotected(&with).unwrap(), event);
        assert_eq!(with_receipts(&with, &[vec![9]]).unwrap(), with_receipts(&event, &[vec![9]]).unwrap());
        assert_eq!(with_receipts(&event, &[]), Err(StatementError::NoReceipts));
    }

    #[test]
    fn an_event_is_the_same_after_it() {
        let hex = include_str!("../tests/provenance/golden/place_registered.hex").trim();
        let bytes = data_encoding::HEXLOWER.decode(hex.as_bytes()).unwrap();
        let event = SignedEvent::decode(bytes.clone()).unwrap();
        let with = with_receipts(event.bytes(), &[vec![7; 300]]).unwrap();
        assert!(SignedEvent::decode(with.clone()).is_err(), "as it stands, it has no id");
        let stripped = strip_unprotected(&with).unwrap().into_owned();
        assert_eq!(SignedEvent::decode(stripped).unwrap().id(), event.id());
    }

    #[test]
    fn any_header_is_taken_off() {
        for unprotected in [
            &[0xa1, 0x01, 0x26][..],
            &[0xa2, 0x61, b'a', 0x9f, 0x01, 0x02, 0xff, 0x04, 0x41, 0x05],
            &[0xa1, 0x00, 0xbf, 0x01, 0x9f, 0xa1, 0x01, 0x9f, 0xff, 0xff, 0xff],
            &[0xb8, 0x00],
        ] {
            let bytes = statement(unprotected);
            assert_eq!(strip_unprotected(&bytes).unwrap(), statement(&[0xa0]), "{unprotected:x?}");
        }
        let deep = [vec![0xa1, 0x00], vec![0x81; 60_000], vec![0x00]].concat();
        assert_eq!(strip_unprotected(&statement(&deep)).unwrap(), statement(&[0xa0]));
    }

    #[test]
    fn other_bytes_are_refused() {
        for wrong in [
            statement(&[]),
            statement(&[0x80]),
            statement(&[0xbf, 0xff]),
            statement(&[0xa1, 0x00]),
            [statement(&[0xa0]), vec![0]].concat(),
            statement(&[0xa0])[1..].to_vec(),
            [&[0xd1], &statement(&[0xa0])[1..]].concat(),
        ] {
            assert!(matches!(strip_unprotected(&wrong), Err(StatementError::Shape(_))), "{wrong:x?}");
        }
        let event = statement(&[0xa0]);
        for end in 0..event.len() {
            assert!(strip_unprotected(&event[..end]).is_err());
        }
        assert_eq!(strip_unprotected(&vec![0; 65_537]), Err(StatementError::TooLarge(65_537)));
        let receipts = vec![vec![0; 4096]; 16];
        assert!(matches!(with_receipts(&event, &receipts), Err(StatementError::TooLarge(_))));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
            let _ = strip_unprotected(&bytes);
            if let Ok(stripped) = strip_unprotected(&statement(&bytes)) {
                prop_assert!(strip_unprotected(&stripped).is_ok());
            }
        }
    }
}
