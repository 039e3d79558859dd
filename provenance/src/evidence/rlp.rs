//! RLP (Yellow Paper, appendix B), as far as evidence needs it: one item that fills its bytes, in its one encoding.

use alloy_rlp::{Encodable, Header, PayloadView};

/// The items of a list, each with its own header.
pub(super) fn list(bytes: &[u8]) -> Option<Vec<&[u8]>> {
    match whole(bytes)? {
        PayloadView::List(items) => Some(items),
        PayloadView::String(_) => None,
    }
}

/// The bytes of a string.
pub(super) fn string(bytes: &[u8]) -> Option<&[u8]> {
    match whole(bytes)? {
        PayloadView::String(string) => Some(string),
        PayloadView::List(_) => None,
    }
}

/// A string of 32 bytes.
pub(super) fn hash(bytes: &[u8]) -> Option<[u8; 32]> {
    string(bytes)?.try_into().ok()
}

/// An integer of at most 32 bytes, big-endian without leading zeros, as a word of 32 bytes.
pub(super) fn word(bytes: &[u8]) -> Option<[u8; 32]> {
    let digits = string(bytes)?;
    if digits.first() == Some(&0) {
        return None;
    }
    let mut word = [0; 32];
    word[32_usize.checked_sub(digits.len())?..].copy_from_slice(digits);
    Some(word)
}

/// An integer of at most 64 bits.
pub(super) fn integer(bytes: &[u8]) -> Option<u64> {
    let word = word(bytes)?;
    let (high, low) = word.split_last_chunk::<8>()?;
    high.iter().all(|byte| *byte == 0).then(|| u64::from_be_bytes(*low))
}

/// The encoding of an integer.
pub(super) fn of_integer(value: u64) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(9);
    value.encode(&mut bytes);
    bytes
}

fn whole(mut bytes: &[u8]) -> Option<PayloadView<'_>> {
    let view = Header::decode_raw(&mut bytes).ok()?;
    bytes.is_empty().then_some(view)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn integers_have_one_encoding() {
        assert_eq!(integer(&[0x80]), Some(0));
        assert_eq!(integer(&[0x01]), Some(1));
        assert_eq!(integer(&[0x00]), None, "a leading zero");
        assert_eq!(integer(&[0x81, 0x7f]), None, "a byte below 0x80 is its own encoding");
        assert_eq!(integer(&[0x82, 0x00, 0xff]), None, "a leading zero");
        assert_eq!(integer(&[0x89, 1, 0, 0, 0, 0, 0, 0, 0, 0]), None, "more than 64 bits");
        assert_eq!(integer(&[0x01, 0x01]), None, "something follows");
        assert_eq!(integer(&[0xc0]), None, "a list");
        assert_eq!(integer(&[]), None);
    }

    #[test]
    fn a_list_has_its_items_and_nothing_after() {
        assert_eq!(list(&[0xc3, 0x01, 0x80, 0xc0]), Some(vec![&[0x01][..], &[0x80], &[0xc0]]));
        assert_eq!(list(&[0xc1, 0x01, 0x01]), None);
        assert_eq!(list(&[0xc2, 0x01]), None);
        assert_eq!(list(&[0xc1, 0x81]), None, "an item longer than the list");
        assert_eq!(list(&[0xff; 9]), None);
    }

    proptest! {
        #[test]
        fn integers_survive_their_encoding(value: u64) {
            prop_assert_eq!(integer(&of_integer(value)), Some(value));
        }

        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>) {
            let _ = (list(&bytes), string(&bytes), integer(&bytes));
        }
    }
}
