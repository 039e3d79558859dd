//! Reading a bundle: every bound is checked before what it bounds is allocated.

use super::{
    Anchor, AnchorLine, Bundle, BundleError, Entry, INTEGER_LIMIT, MAX_ANCHORS, MAX_BUNDLE_BYTES, MAX_ITEMS, MAX_LINES,
    MAX_OPENING_PATH, MAX_PATH, MAX_VALUE_BYTES, NetworkDefinition, Opening, SubjectProof, VERSION,
};
use crate::body::AnchoringDetails;
use crate::cbor::CborError;
use crate::event::MAX_EVENT_BYTES;
use crate::evidence::AnchorWords;
use crate::network::Network;
use crate::note::Note;
use crate::seal;
use crate::state_map::{MAX_SIBLINGS, Place, Proof};
use minicbor::Decoder;
use minicbor::data::Type;
use minicbor::decode::Error;
use std::ops::RangeInclusive;

impl Bundle {
    /// Reads a bundle; refuses everything but the one encoding of what it holds.
    pub fn decode(bytes: &[u8]) -> Result<Self, BundleError> {
        if bytes.len() > MAX_BUNDLE_BYTES {
            return Err(BundleError::TooLarge(bytes.len()));
        }
        if let Some(version) = newer_version(bytes) {
            return Err(BundleError::NewerVersion(version));
        }
        let mut d = Decoder::new(bytes);
        let bundle = bundle(&mut d).map_err(CborError::from)?;
        if d.position() != bytes.len() {
            return Err(CborError::Trailing(bytes.len() - d.position()).into());
        }
        if bundle.to_vec() != bytes {
            return Err(CborError::NotDeterministic.into());
        }
        Ok(bundle)
    }
}

/// The version, if the bytes begin as a bundle of a later one does; what follows may have any form.
fn newer_version(bytes: &[u8]) -> Option<u64> {
    let mut d = Decoder::new(bytes);
    let fields = d.map().ok()??;
    if d.u64().ok()? != 1 {
        return None;
    }
    let version = d.u64().ok().filter(|version| *version > VERSION)?;
    let mut beginning = Vec::with_capacity(d.position());
    let mut e = minicbor::Encoder::new(&mut beginning);
    e.map(fields).and_then(|e| e.u8(1)).and_then(|e| e.u64(version)).expect("writing to a vector cannot fail");
    bytes.starts_with(&beginning).then_some(version)
}

fn bundle(d: &mut Decoder<'_>) -> Result<Bundle, Error> {
    let mut fields = Fields::begin(d, 8..=9)?;
    fields.mandatory(d, 1)?;
    if integer(d)? != VERSION {
        return Err(wrong(d, "the version of a bundle is 1"));
    }
    fields.mandatory(d, 2)?;
    let network = network(d)?;
    fields.mandatory(d, 3)?;
    let lot = d.decode()?;
    fields.mandatory(d, 4)?;
    let entries = list(d, 1..=MAX_ITEMS, entry)?;
    ascending(d, &entries, |one, next| one.index < next.index)?;
    fields.mandatory(d, 5)?;
    let subjects = list(d, 1..=MAX_ITEMS, subject)?;
    ascending(d, &subjects, |one, next| one.subject < next.subject)?;
    fields.mandatory(d, 6)?;
    let checkpoint = d.str()?;
    if checkpoint.is_empty() || checkpoint.len() > Note::MAX_BYTES {
        return Err(wrong(d, "a checkpoint has 1 to 65536 bytes"));
    }
    let checkpoint = checkpoint.to_owned();
    fields.mandatory(d, 7)?;
    let anchors = list(d, 0..=MAX_LINES, line)?;
    fields.mandatory(d, 8)?;
    let openings = list(d, 0..=MAX_ITEMS, opening)?;
    ascending(d, &openings, |one, next| (one.event, &one.path) < (next.event, &next.path))?;
    let left_out = fields.optional(d, 9)?.then(|| list(d, 1..=MAX_ITEMS, |d| d.decode())).transpose()?;
    ascending(d, left_out.as_deref().unwrap_or_default(), |one, next| one < next)?;
    fields.end(d)?;
    Ok(Bundle { network, lot, entries, subjects, checkpoint, anchors, openings, left_out })
}

fn network(d: &mut Decoder<'_>) -> Result<NetworkDefinition, Error> {
    array(d, 3..=3)?;
    let name = d.str()?.to_owned();
    let nonce = exactly(d)?;
    let founders = list(d, 1..=Network::MAX_FOUNDERS, |d| d.decode())?;
    Ok(NetworkDefinition { name, nonce, founders })
}

fn entry(d: &mut Decoder<'_>) -> Result<Entry, Error> {
    array(d, 3..=3)?;
    let index = integer(d)?;
    if index == 0 {
        return Err(wrong(d, "entry 0 of the log is the network id, which is no event"));
    }
    Ok(Entry { index, event: bytes(d, MAX_EVENT_BYTES)?, path: list(d, 0..=MAX_PATH, exactly)? })
}

fn subject(d: &mut Decoder<'_>) -> Result<SubjectProof, Error> {
    let items = array(d, 2..=3)?;
    let subject = d.decode()?;
    let siblings = list(d, 0..=MAX_SIBLINGS, exactly)?;
    let place = if items == 2 {
        Place::Leaf
    } else if d.datatype()? == Type::Null {
        d.null()?;
        Place::Empty
    } else {
        array(d, 2..=2)?;
        Place::Other { key: d.decode()?, value: exactly(d)? }
    };
    Ok(SubjectProof { subject, proof: Proof { siblings, place } })
}

fn line(d: &mut Decoder<'_>) -> Result<AnchorLine, Error> {
    array(d, 3..=3)?;
    let node = d.decode()?;
    array(d, 3..=3)?;
    let place = AnchoringDetails { chain_id: integer(d)?, contract: exactly(d)?, sender: exactly(d)? };
    Ok(AnchorLine { node, place, anchors: list(d, 1..=MAX_ANCHORS, anchor)? })
}

fn anchor(d: &mut Decoder<'_>) -> Result<Anchor, Error> {
    let mut fields = Fields::begin(d, 6..=8)?;
    fields.mandatory(d, 1)?;
    let previous = exactly(d)?;
    fields.mandatory(d, 2)?;
    let number = integer(d)?;
    fields.mandatory(d, 3)?;
    let timestamp_s = integer(d)?;
    fields.mandatory(d, 4)?;
    let size = integer(d)?;
    fields.mandatory(d, 5)?;
    let log_root = exactly(d)?;
    fields.mandatory(d, 6)?;
    let state_root = exactly(d)?;
    let consistency = fields.optional(d, 7)?.then(|| list(d, 0..=MAX_PATH, exactly)).transpose()?;
    let evidence = fields.optional(d, 8)?.then(|| d.decode()).transpose()?;
    fields.end(d)?;
    Ok(Anchor {
        words: AnchorWords { previous, number, timestamp_s, size, log_root, state_root },
        consistency,
        evidence,
    })
}

fn opening(d: &mut Decoder<'_>) -> Result<Opening, Error> {
    array(d, 4..=4)?;
    let event = d.decode()?;
    let path = list(d, 1..=MAX_OPENING_PATH, integer)?;
    let opening = seal::Opening { salt: exactly(d)?, value: bytes(d, MAX_VALUE_BYTES)? };
    Ok(Opening { event, path, opening })
}

/// The fields of a map, read in the order of their numbers.
struct Fields {
    left: usize,
}

impl Fields {
    fn begin(d: &mut Decoder<'_>, counts: RangeInclusive<usize>) -> Result<Self, Error> {
        let count = d.map()?.and_then(|count| usize::try_from(count).ok()).filter(|count| counts.contains(count));
        count.map(|left| Self { left }).ok_or_else(|| wrong(d, "the map has another number of fields"))
    }

    fn mandatory(&mut self, d: &mut Decoder<'_>, key: u8) -> Result<(), Error> {
        if self.optional(d, key)? { Ok(()) } else { Err(wrong(d, "a field is missing, or out of order")) }
    }

    fn optional(&mut self, d: &mut Decoder<'_>, key: u8) -> Result<bool, Error> {
        if self.left == 0 || d.probe().u8()? != key {
            return Ok(false);
        }
        d.u8()?;
        self.left -= 1;
        Ok(true)
    }

    fn end(self, d: &Decoder<'_>) -> Result<(), Error> {
        if self.left == 0 { Ok(()) } else { Err(wrong(d, "the map has unknown fields, or out of order")) }
    }
}

/// Reads the head of an array with one of `lengths` items.
fn array(d: &mut Decoder<'_>, lengths: RangeInclusive<usize>) -> Result<usize, Error> {
    let length = d.array()?.and_then(|length| usize::try_from(length).ok()).filter(|length| lengths.contains(length));
    length.ok_or_else(|| wrong(d, "an array has too few or too many items"))
}

/// Reads an array. It grows as items are read, so a claimed length costs nothing.
fn list<'b, T>(
    d: &mut Decoder<'b>,
    lengths: RangeInclusive<usize>,
    item: impl Fn(&mut Decoder<'b>) -> Result<T, Error>,
) -> Result<Vec<T>, Error> {
    let length = array(d, lengths)?;
    let mut items = Vec::new();
    for _ in 0..length {
        items.push(item(d)?);
    }
    Ok(items)
}

fn ascending<T>(d: &Decoder<'_>, items: &[T], before: impl Fn(&T, &T) -> bool) -> Result<(), Error> {
    let ascends = items.windows(2).all(|pair| before(&pair[0], &pair[1]));
    if ascends { Ok(()) } else { Err(wrong(d, "a list is not ascending, or repeats an item")) }
}

fn integer(d: &mut Decoder<'_>) -> Result<u64, Error> {
    let value = d.u64()?;
    if value < INTEGER_LIMIT { Ok(value) } else { Err(wrong(d, "an integer is 2^53 or more")) }
}

fn bytes(d: &mut Decoder<'_>, max: usize) -> Result<Vec<u8>, Error> {
    let bytes = d.bytes()?;
    if (1..=max).contains(&bytes.len()) { Ok(bytes.to_vec()) } else { Err(wrong(d, "bytes are missing or too many")) }
}

fn exactly<const N: usize>(d: &mut Decoder<'_>) -> Result<[u8; N], Error> {
    let bytes = d.bytes()?;
    <[u8; N]>::try_from(bytes).map_err(|_| wrong(d, "a byte string has another length"))
}

fn wrong(d: &Decoder<'_>, text: &'static str) -> Error {
    Error::message(text).at(d.position())
}
