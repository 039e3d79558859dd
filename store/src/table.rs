//! Tables: a column together with the types of its keys and values.

use crate::column::Column;
use crate::key::Key;
use minicbor::bytes::ByteArray;
use minicbor::{Decode, Encode};
use provenance::id::{EventId, PublicKey, SubjectId};
use provenance::payload::Lane;
use provenance::state_map::{Page, PageKey};
use std::collections::{BTreeMap, BTreeSet};
use std::marker::PhantomData;

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

/// The rows of another table with their values as bytes: to be compared byte for byte, or to be damaged by a test.
#[derive(Debug)]
pub struct RawRows<T>(PhantomData<T>);

impl<T: Table> Table for RawRows<T> {
    const COLUMN: Column = T::COLUMN;
    type Key = T::Key;
    type Value = Vec<u8>;
    type Encoding = Raw;
}

/// A way of writing values of type `V`.
pub trait Encoding<V>: EncodingOf<V> {
    /// The value of these bytes, if they are one.
    fn decode(bytes: &[u8]) -> Option<V>;
}

/// The half of an encoding that also takes other forms of a value, such as a borrowed one.
pub trait EncodingOf<V: ?Sized> {
    /// Appends the bytes of a value.
    fn encode(value: &V, out: &mut Vec<u8>);
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

/// A page of the state map, as it writes itself.
#[derive(Debug)]
pub struct PageBytes;

/// Keys, one after the other.
#[derive(Debug)]
pub struct Keys;

impl EncodingOf<[u8]> for Raw {
    fn encode(value: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(value);
    }
}

impl EncodingOf<Vec<u8>> for Raw {
    fn encode(value: &Vec<u8>, out: &mut Vec<u8>) {
        out.extend_from_slice(value);
    }
}

impl Encoding<Vec<u8>> for Raw {
    fn decode(bytes: &[u8]) -> Option<Vec<u8>> {
        Some(bytes.to_vec())
    }
}

impl EncodingOf<EventId> for Id {
    fn encode(value: &EventId, out: &mut Vec<u8>) {
        out.extend_from_slice(value.as_bytes());
    }
}

impl Encoding<EventId> for Id {
    fn decode(bytes: &[u8]) -> Option<EventId> {
        EventId::try_from(bytes).ok()
    }
}

impl EncodingOf<()> for Empty {
    fn encode((): &(), _: &mut Vec<u8>) {}
}

impl Encoding<()> for Empty {
    fn decode(bytes: &[u8]) -> Option<()> {
        bytes.is_empty().then_some(())
    }
}

impl EncodingOf<u64> for BigEndian {
    fn encode(value: &u64, out: &mut Vec<u8>) {
        out.extend_from_slice(&value.to_be_bytes());
    }
}

impl Encoding<u64> for BigEndian {
    fn decode(bytes: &[u8]) -> Option<u64> {
        bytes.try_into().ok().map(u64::from_be_bytes)
    }
}

impl EncodingOf<Page> for PageBytes {
    fn encode(value: &Page, out: &mut Vec<u8>) {
        out.extend_from_slice(&value.to_bytes());
    }
}

impl Encoding<Page> for PageBytes {
    fn decode(bytes: &[u8]) -> Option<Page> {
        Page::from_bytes(bytes).ok()
    }
}

impl<K: Key> EncodingOf<Vec<K>> for Keys {
    fn encode(value: &Vec<K>, out: &mut Vec<u8>) {
        for key in value {
            key.write(out);
        }
    }
}

impl<K: Key> Encoding<Vec<K>> for Keys {
    fn decode(mut bytes: &[u8]) -> Option<Vec<K>> {
        let mut keys = Vec::new();
        while !bytes.is_empty() {
            keys.push(K::read(&mut bytes)?);
        }
        Some(keys)
    }
}

impl<V: Encode<()> + ?Sized> EncodingOf<V> for Cbor {
    fn encode(value: &V, out: &mut Vec<u8>) {
        minicbor::encode(value, out).expect("writing to a vector cannot fail");
    }
}

impl<V: Encode<()> + for<'b> Decode<'b, ()>> Encoding<V> for Cbor {
    fn decode(bytes: &[u8]) -> Option<V> {
        let mut decoder = minicbor::Decoder::new(bytes);
        let value = decoder.decode().ok()?;
        (decoder.position() == bytes.len()).then_some(value)
    }
}

/// An event that was judged.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct EventRow {
    /// Its signed bytes.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub bytes: Vec<u8>,
    /// What admission said of it, as a CBOR item that belongs to the ledger.
    #[cbor(n(1), with = "item")]
    pub judgement: Vec<u8>,
}

/// A CBOR item that is nobody's business here.
mod item {
    use minicbor::decode::{Decoder, Error};
    use minicbor::encode::{self, Encoder, Write};

    pub fn encode<C, W: Write>(item: &[u8], e: &mut Encoder<W>, _: &mut C) -> Result<(), encode::Error<W::Error>> {
        e.writer_mut().write_all(item).map_err(encode::Error::write)
    }

    pub fn decode<C>(d: &mut Decoder<'_>, _: &mut C) -> Result<Vec<u8>, Error> {
        let start = d.position();
        d.skip()?;
        Ok(d.input()[start..d.position()].to_vec())
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

/// A version of the state map.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct VersionRow {
    /// Which version wrote the root page, and its hash; none for an empty map.
    #[n(0)]
    pub root: Option<(u64, ByteArray<32>)>,
    /// When it was cut, in milliseconds since 1970.
    #[n(1)]
    pub cut_ms: u64,
    /// How many pages it replaced.
    #[n(2)]
    pub replaced: u64,
    /// Where in [`MapReplaced`] its removal goes on; none while it can be read.
    #[n(3)]
    pub removal: Option<(u64, u32)>,
}

/// A checkpoint that this node has signed.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct CheckpointRow {
    /// The signed note.
    #[n(0)]
    pub note: String,
    /// Lines of those who cosigned it, without line ends.
    #[n(1)]
    pub cosignatures: Vec<String>,
}

/// A log that this node witnesses.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct WitnessedRow {
    /// Roots of the complete subtrees of its first `next` entries, largest first.
    #[n(0)]
    pub roots: Vec<ByteArray<32>>,
    /// The index that is read next.
    #[n(1)]
    pub next: u64,
    /// Entries of this node's own log with which those were compared.
    #[n(2)]
    pub own: u64,
    /// What was cosigned last.
    #[n(3)]
    pub cosigned: Option<CosignedRow>,
    /// Another note of the cosigned one's size that the log has signed, as earlier programs kept it.
    #[n(4)]
    pub contradiction: Option<String>,
}

/// A checkpoint of another node that this one has cosigned.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct CosignedRow {
    /// Entries of the log.
    #[n(0)]
    pub size: u64,
    /// The root over them.
    #[n(1)]
    pub root: ByteArray<32>,
    /// The note.
    #[n(2)]
    pub note: String,
    /// The line that this node gave.
    #[n(3)]
    pub line: String,
}

/// What is kept of another node's log.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct WitnessedLogRow {
    /// The oldest entry that is kept.
    #[n(0)]
    pub first: u64,
    /// The index after the newest one.
    #[n(1)]
    pub next: u64,
    /// The newest checkpoint that the log has signed, as a note.
    #[n(2)]
    pub note: Option<String>,
}

/// Proof that another node's log was rewritten.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct ContradictionRow {
    /// The smaller checkpoint that the log has signed, as a note.
    #[n(0)]
    pub first: String,
    /// The larger one.
    #[n(1)]
    pub second: String,
    /// Roots of the complete subtrees of the larger one up to the size of the smaller, largest first.
    #[n(2)]
    pub before: Vec<ByteArray<32>>,
    /// Roots of the largest complete subtrees between the sizes, from left to right.
    #[n(3)]
    pub between: Vec<ByteArray<32>>,
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
    /// [`Column::Log`].
    Log: u64 => EventId, Id;
    /// [`Column::Entries`].
    Entries: u64 => EventRow, Cbor;
    /// [`Column::Indexes`].
    Indexes: EventId => Option<u64>, Cbor;
    /// [`Column::Voids`].
    Voids: EventId => EventRow, Cbor;
    /// [`Column::Tiles`].
    Tiles: (u8, u64) => Vec<u8>, Raw;
    /// [`Column::Subjects`].
    Subjects: SubjectId => (EventId, u32), Cbor;
    /// [`Column::LaneEvents`].
    LaneEvents: (SubjectId, Lane, u64, EventId) => u64, Cbor;
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
    PeerCursors: String => Vec<u8>, Raw;
    /// [`Column::Anchors`].
    Anchors: u64 => Vec<u8>, Raw;
    /// [`Column::Openings`].
    Openings: (EventId, Vec<u8>) => Vec<u8>, Raw;
    /// [`Column::OpeningNotes`].
    OpeningNotes: (EventId, Vec<u8>, String) => u64, BigEndian;
    /// [`Column::References`].
    References: (SubjectId, String, String, EventId) => (), Empty;
    /// [`Column::MapTips`].
    MapTips: SubjectId => BTreeMap<Lane, BTreeSet<EventId>>, Cbor;
    /// [`Column::MapPages`].
    MapPages: PageKey => Page, PageBytes;
    /// [`Column::MapVersions`].
    MapVersions: u64 => VersionRow, Cbor;
    /// [`Column::MapReplaced`].
    MapReplaced: (u64, u32) => Vec<PageKey>, Keys;
    /// [`Column::Checkpoints`].
    Checkpoints: u64 => CheckpointRow, Cbor;
    /// [`Column::Witnessed`].
    Witnessed: PublicKey => WitnessedRow, Cbor;
    /// [`Column::Differences`].
    Differences: (PublicKey, EventId) => Option<u64>, Cbor;
    /// [`Column::MapKept`].
    MapKept: u64 => (), Empty;
    /// [`Column::Cuts`].
    Cuts: u64 => u64, BigEndian;
    /// [`Column::WitnessedIds`].
    WitnessedIds: (PublicKey, u64) => Vec<u8>, Raw;
    /// [`Column::WitnessedLogs`].
    WitnessedLogs: PublicKey => WitnessedLogRow, Cbor;
    /// [`Column::Contradictions`].
    Contradictions: PublicKey => ContradictionRow, Cbor;
}

#[cfg(test)]
mod tests {
    use super::*;
    use data_encoding::HEXLOWER;
    use provenance::state_map::NibblePath;

    /// The bytes of a row, key and value.
    fn row<T: Table>(key: &T::Key, value: &T::Value) -> String {
        let (key, encoded) = (key.to_bytes(), &mut Vec::new());
        T::Encoding::encode(value, encoded);
        let value = &*encoded;
        assert!(T::Key::from_bytes(&key).is_some() && T::Encoding::decode(value).is_some());
        format!("{} {}", HEXLOWER.encode(&key), HEXLOWER.encode(value))
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
        assert_eq!(row::<Log>(&258, &event), "0000000000000102 E");
        let judged = EventRow { bytes: vec![0xd2], judgement: vec![0x81, 0x07] };
        assert_eq!(row::<Entries>(&258, &judged), "0000000000000102 8241d28107");
        assert_eq!(row::<Voids>(&event, &judged), "E 8241d28107");
        assert_eq!(row::<Indexes>(&event, &Some(258)), "E 190102");
        assert_eq!(row::<Indexes>(&event, &None), "E f6");
        assert_eq!(row::<Tiles>(&(1, 2), &vec![7]), "010000000000000002 07");
        assert_eq!(row::<Subjects>(&subject, &(event, 3)), "S 825820E03");
        assert_eq!(row::<LaneEvents>(&(subject, Lane::Main, 5, event), &9), "S000000000000000005E 09");
        assert_eq!(row::<LaneEvents>(&(subject, Lane::Attester(subject), 5, event), &9), "S02S0000000000000005E 09");
        assert_eq!(row::<LaneHeads>(&(subject, Lane::Title), &vec![event]), "S01 815820E");
        assert_eq!(row::<Journals>(&signer, &vec![JournalHead { event, height: 9 }]), "E 81825820E09");
        let held = HeldRow { bytes: vec![0xd2], missing: vec![event], source: text("api"), signer };
        assert_eq!(row::<Held>(&event, &held), "E 8441d2815820E636170695820E");
        assert_eq!(row::<HeldByMissing>(&(event, event), &()), "EE ");
        assert_eq!(row::<Cursors>(&text("views"), &CursorRow { version: 1, next: 4 }), "76696577730000 820104");
        assert_eq!(row::<PeerCursors>(&text("p"), &vec![0x86]), "700000 86");
        assert_eq!(row::<Anchors>(&1, &vec![1]), "0000000000000001 01");
        assert_eq!(row::<Openings>(&(event, vec![11, 0]), &vec![1]), "E0b00ff0000 01");
        assert_eq!(row::<OpeningNotes>(&(event, vec![11], text("p")), &4), "E0b0000700000 0000000000000004");
        assert_eq!(row::<References>(&(subject, text("po"), text("7"), event), &()), "S706f0000370000E ");
        let tips = BTreeMap::from([(Lane::Main, [event].into()), (Lane::Attester(subject), [event].into())]);
        assert_eq!(row::<MapTips>(&subject, &tips), "S a200815820E5820S815820E");
        let page = PageKey { path: NibblePath::of(&subject, 3), version: 258 };
        assert_eq!(row::<MapPages>(&page, &Page::default()), "03ccc00000000000000102 00000000");
        assert_eq!(
            row::<MapReplaced>(&(7, 1), &vec![page, page]),
            format!("000000000000000700000001 {}", "03ccc00000000000000102".repeat(2))
        );
        let version = VersionRow { root: Some((6, [0xee; 32].into())), cut_ms: 9, replaced: 2, removal: Some((8, 1)) };
        assert_eq!(row::<MapVersions>(&7, &version), "0000000000000007 8482065820E0902820801");
        let checkpoint = CheckpointRow { note: text("n"), cosignatures: vec![text("c")] };
        assert_eq!(row::<Checkpoints>(&7, &checkpoint), "0000000000000007 82616e816163");
        let cosigned = CosignedRow { size: 3, root: [0xee; 32].into(), note: text("n"), line: text("l") };
        let witnessed = WitnessedRow {
            roots: vec![[0xee; 32].into()],
            next: 4,
            own: 5,
            cosigned: Some(cosigned),
            contradiction: Some(text("x")),
        };
        assert_eq!(row::<Witnessed>(&signer, &witnessed), "E 85815820E040584035820E616e616c6178");
        assert_eq!(row::<Differences>(&(signer, event), &Some(7)), "EE 07");
        assert_eq!(row::<Differences>(&(signer, event), &None), "EE f6");
        assert_eq!(row::<MapKept>(&7, &()), "0000000000000007 ");
        assert_eq!(row::<Cuts>(&7, &8), "0000000000000007 0000000000000008");
        assert_eq!(row::<WitnessedIds>(&(signer, 258), &vec![7]), "E0000000000000102 07");
        let kept = WitnessedLogRow { first: 256, next: 258, note: Some(text("n")) };
        assert_eq!(row::<WitnessedLogs>(&signer, &kept), "E 83190100190102616e");
        let (before, between) = (vec![[0xee; 32].into()], vec![[0xee; 32].into(); 2]);
        let proof = ContradictionRow { first: text("n"), second: text("x"), before, between };
        assert_eq!(row::<Contradictions>(&signer, &proof), "E 84616e6178815820E825820E5820E");
    }
}
