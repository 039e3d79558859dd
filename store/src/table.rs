//! Tables: a column together with the types of its keys and values.

use crate::column::Column;
use crate::key::Key;
use minicbor::{Decode, Encode};
use provenance::id::{EventId, PublicKey, SubjectId};
use provenance::payload::Lane;

/// A column whose rows have these types. Other crates add tables for the columns whose values are theirs.
pub trait Table {
    /// Where the rows are.
    const COLUMN: Column;
    /// What they are found by.
    type Key: Key;
    /// What they hold.
    type Value;
    /// How the value becomes bytes.
    type Encoding: Encoding<Self::Value>;
}

/// A way of writing values of type `V`.
pub trait Encoding<V> {
    /// The bytes of a value.
    fn encode(value: &V) -> Vec<u8>;
    /// The value of these bytes, if they are one.
    fn decode(bytes: &[u8]) -> Option<V>;
}

/// Bytes as they are.
#[derive(Debug)]
pub struct Raw;

/// Exactly the 32 bytes of an id.
#[derive(Debug)]
pub struct Id;

/// No bytes at all: the key says everything.
#[derive(Debug)]
pub struct Empty;

/// A u64 in 8 bytes.
#[derive(Debug)]
pub struct BigEndian;

/// CBOR, as its type writes it.
#[derive(Debug)]
pub struct Cbor;

impl Encoding<Vec<u8>> for Raw {
    fn encode(value: &Vec<u8>) -> Vec<u8> {
        value.clone()
    }

    fn decode(bytes: &[u8]) -> Option<Vec<u8>> {
        Some(bytes.to_vec())
    }
}

impl Encoding<EventId> for Id {
    fn encode(value: &EventId) -> Vec<u8> {
        value.as_bytes().to_vec()
    }

    fn decode(bytes: &[u8]) -> Option<EventId> {
        EventId::try_from(bytes).ok()
    }
}

impl Encoding<()> for Empty {
    fn encode((): &()) -> Vec<u8> {
        Vec::new()
    }

    fn decode(bytes: &[u8]) -> Option<()> {
        bytes.is_empty().then_some(())
    }
}

impl Encoding<u64> for BigEndian {
    fn encode(value: &u64) -> Vec<u8> {
        value.to_be_bytes().to_vec()
    }

    fn decode(bytes: &[u8]) -> Option<u64> {
        bytes.try_into().ok().map(u64::from_be_bytes)
    }
}

impl<V: Encode<()> + for<'b> Decode<'b, ()>> Encoding<V> for Cbor {
    fn encode(value: &V) -> Vec<u8> {
        minicbor::to_vec(value).expect("writing to a vector cannot fail")
    }

    fn decode(bytes: &[u8]) -> Option<V> {
        let mut decoder = minicbor::Decoder::new(bytes);
        let value = decoder.decode().ok()?;
        (decoder.position() == bytes.len()).then_some(value)
    }
}

/// An event that waits.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct HeldRow {
    /// Its signed bytes.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub bytes: Vec<u8>,
    /// The ancestors that it waits for; none where it waits for an upgrade of this program.
    #[n(1)]
    pub missing: Vec<EventId>,
    /// Who sent it.
    #[n(2)]
    pub source: String,
    /// Who signed it.
    #[n(3)]
    pub signer: PublicKey,
}

/// The newest link of a journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(array)]
pub struct JournalHead {
    /// The event.
    #[n(0)]
    pub event: EventId,
    /// How many events of this key lie on the way to it, itself included.
    #[n(1)]
    pub height: u64,
}

/// How far a follower came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct CursorRow {
    /// The version of the follower that wrote its rows.
    #[n(0)]
    pub version: u32,
    /// The log index that it reads next.
    #[n(1)]
    pub next: u64,
}

macro_rules! tables {
    ($($(#[$doc:meta])* $name:ident: $key:ty => $value:ty, $encoding:ty;)*) => {$(
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $name;

        impl Table for $name {
            const COLUMN: Column = Column::$name;
            type Key = $key;
            type Value = $value;
            type Encoding = $encoding;
        }
    )*};
}

tables! {
    /// [`Column::Meta`].
    Meta: String => Vec<u8>, Raw;
    /// [`Column::Events`].
    Events: EventId => Vec<u8>, Raw;
    /// [`Column::Log`].
    Log: u64 => EventId, Id;
    /// [`Column::Tiles`].
    Tiles: (u8, u64) => Vec<u8>, Raw;
    /// [`Column::Subjects`].
    Subjects: SubjectId => (EventId, u32), Cbor;
    /// [`Column::Lanes`].
    Lanes: (SubjectId, Lane, u64, EventId) => (), Empty;
    /// [`Column::LaneHeads`].
    LaneHeads: (SubjectId, Lane) => Vec<EventId>, Cbor;
    /// [`Column::Journals`].
    Journals: PublicKey => Vec<JournalHead>, Cbor;
    /// [`Column::Held`].
    Held: EventId => HeldRow, Cbor;
    /// [`Column::HeldByMissing`].
    HeldByMissing: (EventId, EventId) => (), Empty;
    /// [`Column::Cursors`].
    Cursors: String => CursorRow, Cbor;
    /// [`Column::PeerCursors`].
    PeerCursors: String => u64, BigEndian;
    /// [`Column::Anchors`].
    Anchors: u64 => Vec<u8>, Raw;
    /// [`Column::Openings`].
    Openings: (EventId, Vec<u8>) => Vec<u8>, Raw;
    /// [`Column::OpeningNotes`].
    OpeningNotes: (EventId, Vec<u8>, String) => u64, BigEndian;
    /// [`Column::References`].
    References: (SubjectId, String, String, EventId) => (), Empty;
}

#[cfg(test)]
mod tests {
    use super::*;
    use data_encoding::HEXLOWER;

    /// The bytes of a row, key and value.
    fn row<T: Table>(key: &T::Key, value: &T::Value) -> String {
        let (key, value) = (key.to_bytes(), T::Encoding::encode(value));
        assert!(T::Key::from_bytes(&key).is_some() && T::Encoding::decode(&value).is_some());
        format!("{} {}", HEXLOWER.encode(&key), HEXLOWER.encode(&value))
            .replace(&"ee".repeat(32), "E")
            .replace(&"cc".repeat(32), "S")
    }

    #[test]
    fn rows_on_the_disk_never_change() {
        let event = EventId::from_bytes([0xee; 32]);
        let subject = SubjectId::from_bytes([0xcc; 32]);
        let signer = PublicKey::from_bytes([0xee; 32]);
        let text = |text: &str| text.to_owned();
        assert_eq!(row::<Meta>(&text("schema"), &vec![0, 0, 0, 1]), "736368656d610000 00000001");
        assert_eq!(row::<Events>(&event, &vec![0xd2]), "E d2");
        assert_eq!(row::<Log>(&258, &event), "0000000000000102 E");
        assert_eq!(row::<Tiles>(&(1, 2), &vec![7]), "010000000000000002 07");
        assert_eq!(row::<Subjects>(&subject, &(event, 3)), "S 825820E03");
        assert_eq!(row::<Lanes>(&(subject, Lane::Main, 5, event), &()), "S000000000000000005E ");
        assert_eq!(row::<Lanes>(&(subject, Lane::Attester(subject), 5, event), &()), "S02S0000000000000005E ");
        assert_eq!(row::<LaneHeads>(&(subject, Lane::Title), &vec![event]), "S01 815820E");
        assert_eq!(row::<Journals>(&signer, &vec![JournalHead { event, height: 9 }]), "E 81825820E09");
        let held = HeldRow { bytes: vec![0xd2], missing: vec![event], source: text("api"), signer };
        assert_eq!(row::<Held>(&event, &held), "E 8441d2815820E636170695820E");
        assert_eq!(row::<HeldByMissing>(&(event, event), &()), "EE ");
        assert_eq!(row::<Cursors>(&text("views"), &CursorRow { version: 1, next: 4 }), "76696577730000 820104");
        assert_eq!(row::<PeerCursors>(&text("p"), &4), "700000 0000000000000004");
        assert_eq!(row::<Anchors>(&1, &vec![1]), "0000000000000001 01");
        assert_eq!(row::<Openings>(&(event, vec![11, 0]), &vec![1]), "E0b00ff0000 01");
        assert_eq!(row::<OpeningNotes>(&(event, vec![11], text("p")), &4), "E0b0000700000 0000000000000004");
        assert_eq!(row::<References>(&(subject, text("po"), text("7"), event), &()), "S706f0000370000E ");
    }
}
