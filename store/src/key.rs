//! Keys as bytes whose order is the order of the keys.

use provenance::id::{EventId, PublicKey, SubjectId};
use provenance::payload::Lane;
use provenance::state_map::PageKey;

/// A key, or a component of one.
///
/// The encoding must be self-delimiting, and compare as bytes exactly as the values compare.
pub trait Key: Sized {
    /// Appends the encoding.
    fn write(&self, out: &mut Vec<u8>);

    /// Reads one from the front of `input` and moves past it.
    fn read(input: &mut &[u8]) -> Option<Self>;

    /// The encoding alone.
    fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(80);
        self.write(&mut out);
        out
    }

    /// Reads a key that fills `bytes`.
    fn from_bytes(mut bytes: &[u8]) -> Option<Self> {
        let key = Self::read(&mut bytes)?;
        bytes.is_empty().then_some(key)
    }
}

/// The first components of keys of type `K`: what rows can be found by.
pub trait Prefix<K>: Key {}

fn take<'a>(input: &mut &'a [u8], len: usize) -> Option<&'a [u8]> {
    let (front, rest) = input.split_at_checked(len)?;
    *input = rest;
    Some(front)
}

macro_rules! integers {
    ($($integer:ty)*) => {$(
        /// Big-endian, so that the order of the bytes is that of the numbers.
        impl Key for $integer {
            fn write(&self, out: &mut Vec<u8>) {
                out.extend_from_slice(&self.to_be_bytes());
            }

            fn read(input: &mut &[u8]) -> Option<Self> {
                let bytes = take(input, size_of::<Self>())?;
                Some(Self::from_be_bytes(bytes.try_into().expect("as many bytes as were asked for")))
            }
        }
    )*};
}

integers!(u8 u32 u64);

macro_rules! ids {
    ($($id:ty)*) => {$(
        /// The 32 bytes.
        impl Key for $id {
            fn write(&self, out: &mut Vec<u8>) {
                out.extend_from_slice(self.as_bytes());
            }

            fn read(input: &mut &[u8]) -> Option<Self> {
                Self::try_from(take(input, 32)?).ok()
            }
        }
    )*};
}

ids!(EventId SubjectId PublicKey);

/// 0 for main, 1 for title, 2 and the actor id for an attester's lane.
impl Key for Lane {
    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Main => out.push(0),
            Self::Title => out.push(1),
            Self::Attester(actor) => {
                out.push(2);
                actor.write(out);
            }
        }
    }

    fn read(input: &mut &[u8]) -> Option<Self> {
        match u8::read(input)? {
            0 => Some(Self::Main),
            1 => Some(Self::Title),
            2 => SubjectId::read(input).map(Self::Attester),
            _ => None,
        }
    }
}

/// The bytes, each 00 written as 00 ff, then 00 00: a shorter one sorts before what it begins.
impl Key for Vec<u8> {
    fn write(&self, out: &mut Vec<u8>) {
        for byte in self {
            out.push(*byte);
            if *byte == 0 {
                out.push(0xff);
            }
        }
        out.extend_from_slice(&[0, 0]);
    }

    fn read(input: &mut &[u8]) -> Option<Self> {
        let mut bytes = Vec::new();
        loop {
            match (u8::read(input)?, input.first()) {
                (0, Some(0)) => {
                    *input = &input[1..];
                    return Some(bytes);
                }
                (0, Some(0xff)) => {
                    *input = &input[1..];
                    bytes.push(0);
                }
                (0, _) => return None,
                (byte, _) => bytes.push(byte),
            }
        }
    }
}

/// The UTF-8 bytes, as a `Vec<u8>` is written.
impl Key for String {
    fn write(&self, out: &mut Vec<u8>) {
        // Text of signed values holds no 00, so this seldom copies more than once.
        self.as_bytes().to_vec().write(out);
    }

    fn read(input: &mut &[u8]) -> Option<Self> {
        Self::from_utf8(Vec::read(input)?).ok()
    }
}

/// As it writes itself: the first byte tells how long it is.
impl Key for PageKey {
    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.to_bytes());
    }

    fn read(input: &mut &[u8]) -> Option<Self> {
        let nibbles = *input.first()?;
        Self::from_bytes(take(input, 1 + usize::from(nibbles.div_ceil(2)) + 8)?).ok()
    }
}

macro_rules! tuples {
    ($(($($name:ident $index:tt),+))*) => {$(
        impl<$($name: Key),+> Key for ($($name,)+) {
            fn write(&self, out: &mut Vec<u8>) {
                $(self.$index.write(out);)+
            }

            fn read(input: &mut &[u8]) -> Option<Self> {
                Some(($($name::read(input)?,)+))
            }
        }
    )*};
}

tuples!((A 0, B 1) (A 0, B 1, C 2) (A 0, B 1, C 2, D 3));

impl<A: Key, B: Key> Prefix<(A, B)> for A {}
impl<A: Key, B: Key, C: Key> Prefix<(A, B, C)> for A {}
impl<A: Key, B: Key, C: Key> Prefix<(A, B, C)> for (A, B) {}
impl<A: Key, B: Key, C: Key, D: Key> Prefix<(A, B, C, D)> for A {}
impl<A: Key, B: Key, C: Key, D: Key> Prefix<(A, B, C, D)> for (A, B) {}
impl<A: Key, B: Key, C: Key, D: Key> Prefix<(A, B, C, D)> for (A, B, C) {}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use provenance::state_map::NibblePath;
    use std::fmt::Debug;

    fn holds<K: Key + Ord + Debug>(a: &K, b: &K) -> Result<(), TestCaseError> {
        let (left, right) = (a.to_bytes(), b.to_bytes());
        prop_assert_eq!(&K::from_bytes(&left).unwrap(), a);
        prop_assert_eq!(left.cmp(&right), a.cmp(b));
        prop_assert!(K::from_bytes(&left[..left.len() - 1]).is_none());
        prop_assert!(K::from_bytes(&[left.as_slice(), &[0]].concat()).is_none());
        Ok(())
    }

    /// Few distinct values, so that components are often equal and the next one decides.
    fn bytes32() -> impl Strategy<Value = [u8; 32]> {
        prop_oneof![any::<[u8; 32]>(), any::<bool>().prop_map(|b| [u8::from(b) * 0xff; 32])]
    }

    fn event() -> impl Strategy<Value = EventId> {
        bytes32().prop_map(EventId::from_bytes)
    }

    fn subject() -> impl Strategy<Value = SubjectId> {
        bytes32().prop_map(SubjectId::from_bytes)
    }

    fn lane() -> impl Strategy<Value = Lane> {
        prop_oneof![Just(Lane::Main), Just(Lane::Title), subject().prop_map(Lane::Attester)]
    }

    fn blob() -> impl Strategy<Value = Vec<u8>> {
        proptest::collection::vec(prop_oneof![Just(0), Just(1), Just(0xff), any::<u8>()], 0..6)
    }

    fn text() -> impl Strategy<Value = String> {
        prop_oneof!["[ab\u{0}]{0,4}", ".{0,8}"]
    }

    fn page() -> impl Strategy<Value = PageKey> {
        let version = prop_oneof![0_u64..3, any::<u64>()];
        (subject(), 0_u8..64, version)
            .prop_map(|(subject, len, version)| PageKey { path: NibblePath::of(&subject, len), version })
    }

    proptest! {
        #[test]
        fn pages(a in page(), b in page()) { holds(&a, &b)?; }

        #[test]
        fn integers(a: (u8, u64), b: (u8, u64)) { holds(&a, &b)?; }

        #[test]
        fn lanes(a in (subject(), lane(), 0_u64..3, event()), b in (subject(), lane(), 0_u64..3, event())) { holds(&a, &b)?; }

        #[test]
        fn openings(a in (event(), blob()), b in (event(), blob())) { holds(&a, &b)?; }

        #[test]
        fn references(a in (subject(), text(), text(), event()), b in (subject(), text(), text(), event())) { holds(&a, &b)?; }
    }
}
