//! Reading a bundle: every count and length is compared with its limit before anything is taken in.

use super::{
    Anchor, AnchorLine, Bundle, BundleError, Entry, MAX_ANCHORS, MAX_ENTRIES, MAX_LINES, OpenedField, SubjectProof,
    Survival, VERSION,
};
use crate::cbor;
use crate::event::MAX_EVENT_BYTES;
use crate::evidence::{AnchorWords, Evidence, Line, MAX_HEADER_BYTES, MAX_NODE_BYTES, MAX_PROOF_NODES};
use crate::id::{PublicKey, SubjectId};
use crate::merkle::Hash;
use crate::network::Network;
use crate::note::Note;
use crate::state_map::{MAX_SIBLINGS, Place, Proof};
use crate::value::Text;
use minicbor::Decoder;
use minicbor::data::Type;
use minicbor::decode::Error;

/// A log of 2^64 entries has paths of 64 hashes.
const MAX_PATH: usize = 64;

/// Integers stay exact in every JSON parser.
const INTEGER_LIMIT: u64 = 1 << 53;

/// Steps from an event's body to a sealed field.
const MAX_FIELD_PATH: usize = 4;

/// The whole file.
pub(super) fn bundle(bytes: &[u8]) -> Result<Bundle, BundleError> {
    let malformed = |error: Error| BundleError::Malformed(error.to_string());
    if let Some(version) = version(bytes).filter(|version| *version > VERSION) {
        return Err(BundleError::NewerVersion(version));
    }
    let mut d = Decoder::new(bytes);
    let bundle = read(&mut d).map_err(malformed)?;
    if d.position() != bytes.len() {
        return Err(BundleError::Malformed(format!("{} bytes follow its end", bytes.len() - d.position())));
    }
    Ok(bundle)
}

/// What stands under key 1, whatever follows.
fn version(bytes: &[u8]) -> Option<u64> {
    let mut d = Decoder::new(bytes);
    d.map().ok()??;
    let start = d.position();
    let (key, version) = (d.u64().ok()?, d.u64().ok()?);
    let shortest = [cbor::to_vec(&key), cbor::to_vec(&version)].concat();
    (key == 1 && bytes[start..d.position()] == shortest).then_some(version)
}

fn read(d: &mut Decoder<'_>) -> Result<Bundle, Error> {
    let mut optional = map(d, 8, 10)? - 8;
    key(d, 1)?;
    if d.u64()? != VERSION {
        return Err(Error::message("the version must be 1"));
    }
    key(d, 2)?;
    let network = network(d)?;
    key(d, 3)?;
    let lot = d.decode()?;
    key(d, 4)?;
    let entries = list(d, 1, MAX_ENTRIES, entry)?;
    ascending("entries", &entries, |entry| entry.index)?;
    key(d, 5)?;
    let subjects = list(d, 1, MAX_ENTRIES, subject)?;
    ascending("subjects", &subjects, |proof| proof.subject)?;
    key(d, 6)?;
    let checkpoint = d.str()?;
    if checkpoint.is_empty() || checkpoint.len() > Note::MAX_BYTES {
        return Err(Error::message("the checkpoint must have 1 to 65536 bytes"));
    }
    key(d, 7)?;
    let lines = list(d, 0, MAX_LINES, line)?;
    key(d, 8)?;
    let openings = list(d, 0, MAX_ENTRIES, opening)?;
    ascending("openings", &openings, |opening| (opening.event, opening.path.clone()))?;
    let left_out = if optional > 0 && d.probe().u8()? == 9 {
        key(d, 9)?;
        optional -= 1;
        let lots: Vec<SubjectId> = list(d, 1, MAX_ENTRIES, minicbor::Decoder::decode)?;
        ascending("lots left out", &lots, |lot| *lot)?;
        Some(lots)
    } else {
        None
    };
    let survivals = if optional > 0 {
        key(d, 10)?;
        optional -= 1;
        list(d, 1, MAX_ENTRIES, survival)?
    } else {
        Vec::new()
    };
    ascending("survivals", &survivals, |it| (it.cutter, it.key_event, it.event))?;
    if optional > 0 {
        return Err(Error::message("a bundle has an unknown field"));
    }
    let checkpoint = checkpoint.to_owned();
    Ok(Bundle { network, lot, entries, subjects, checkpoint, lines, openings, left_out, survivals })
}

/// Whether the name is one, and keys are well-formed and distinct, is looked at when the network is.
pub(crate) fn network(d: &mut Decoder<'_>) -> Result<Network, Error> {
    array(d, 3)?;
    let name = Text::unchecked(d.str()?);
    let nonce = exactly(d)?;
    let founders: Vec<PublicKey> = list(d, 1, Network::MAX_FOUNDERS, minicbor::Decoder::decode)?;
    Ok(Network::unchecked(name, nonce, founders))
}

fn entry(d: &mut Decoder<'_>) -> Result<Entry, Error> {
    array(d, 3)?;
    let index = integer(d)?;
    if index == 0 {
        return Err(Error::message("entry 0 of a log is no event"));
    }
    Ok(Entry { index, event: bytes(d, MAX_EVENT_BYTES)?, path: hashes(d, MAX_PATH)? })
}

fn subject(d: &mut Decoder<'_>) -> Result<SubjectProof, Error> {
    let parts = d.array()?;
    let subject = d.decode()?;
    let siblings = hashes(d, MAX_SIBLINGS)?;
    let place = match parts {
        Some(2) => Place::Leaf,
        Some(3) if d.datatype()? == Type::Null => {
            d.null()?;
            Place::Empty
        }
        Some(3) => {
            array(d, 2)?;
            Place::Other { key: d.decode()?, value: exactly(d)? }
        }
        _ => return Err(Error::message("a subject's proof has 2 or 3 parts")),
    };
    Ok(SubjectProof { subject, proof: Proof { siblings, place } })
}

fn line(d: &mut Decoder<'_>) -> Result<AnchorLine, Error> {
    array(d, 3)?;
    let node = d.decode()?;
    array(d, 3)?;
    let chain_id = integer(d)?;
    let line = Line { contract: exactly(d)?, sender: exactly(d)? };
    Ok(AnchorLine { node, chain_id, line, anchors: list(d, 1, MAX_ANCHORS, anchor)? })
}

fn anchor(d: &mut Decoder<'_>) -> Result<Anchor, Error> {
    let mut optional = map(d, 6, 8)? - 6;
    key(d, 1)?;
    let previous = exactly(d)?;
    key(d, 2)?;
    let number = integer(d)?;
    key(d, 3)?;
    let timestamp_s = integer(d)?;
    key(d, 4)?;
    let size = integer(d)?;
    key(d, 5)?;
    let log_root = exactly(d)?;
    key(d, 6)?;
    let state_root = exactly(d)?;
    let words = AnchorWords { previous, number, timestamp_s, size, log_root, state_root };
    let (mut consistency, mut evidence) = (None, None);
    if optional > 0 && d.probe().u8()? == 7 {
        key(d, 7)?;
        consistency = Some(hashes(d, MAX_PATH)?);
        optional -= 1;
    }
    if optional > 0 {
        key(d, 8)?;
        evidence = Some(self::evidence(d)?);
        optional -= 1;
    }
    if optional > 0 {
        return Err(Error::message("an anchor has an unknown field"));
    }
    Ok(Anchor { words, consistency, evidence })
}

fn evidence(d: &mut Decoder<'_>) -> Result<Evidence, Error> {
    let parts = d.array()?;
    let header = bytes(d, MAX_HEADER_BYTES)?;
    match parts {
        Some(3) => Ok(Evidence::Storage { header, account: nodes(d)?, slot: nodes(d)? }),
        Some(4) => Ok(Evidence::Receipt { header, receipt: nodes(d)?, transaction: integer(d)?, log: integer(d)? }),
        _ => Err(Error::message("evidence has 3 or 4 parts")),
    }
}

fn opening(d: &mut Decoder<'_>) -> Result<OpenedField, Error> {
    array(d, 4)?;
    let event = d.decode()?;
    let path = list(d, 1, MAX_FIELD_PATH, minicbor::Decoder::u8)?;
    Ok(OpenedField { event, path, salt: exactly(d)?, value: bytes(d, MAX_EVENT_BYTES)? })
}

fn survival(d: &mut Decoder<'_>) -> Result<Survival, Error> {
    array(d, 5)?;
    let (cutter, key_event, event) = (d.decode()?, d.decode()?, d.decode()?);
    Ok(Survival { cutter, key_event, event, index: integer(d)?, path: hashes(d, MAX_PATH)? })
}

fn nodes(d: &mut Decoder<'_>) -> Result<Vec<Vec<u8>>, Error> {
    list(d, 1, MAX_PROOF_NODES, |d| bytes(d, MAX_NODE_BYTES))
}

fn hashes(d: &mut Decoder<'_>, max: usize) -> Result<Vec<Hash>, Error> {
    list(d, 0, max, exactly)
}

/// A list of `min` to `max` items. Nothing is reserved for what is only claimed.
pub(crate) fn list<'b, T>(
    d: &mut Decoder<'b>,
    min: usize,
    max: usize,
    item: impl Fn(&mut Decoder<'b>) -> Result<T, Error>,
) -> Result<Vec<T>, Error> {
    let position = d.position();
    let count = d.array()?.and_then(|count| usize::try_from(count).ok()).filter(|count| (min..=max).contains(count));
    let count = count.ok_or_else(|| {
        Error::message(format!("a list must have {min} to {max} items, their number in front")).at(position)
    })?;
    let mut items = Vec::new();
    for _ in 0..count {
        items.push(item(d)?);
    }
    Ok(items)
}

pub(crate) fn array(d: &mut Decoder<'_>, parts: u64) -> Result<(), Error> {
    let position = d.position();
    if d.array()? == Some(parts) {
        Ok(())
    } else {
        Err(Error::message(format!("an array of {parts} items is expected")).at(position))
    }
}

fn map(d: &mut Decoder<'_>, min: u64, max: u64) -> Result<u64, Error> {
    let position = d.position();
    let fields = d.map()?.filter(|fields| (min..=max).contains(fields));
    fields.ok_or_else(|| Error::message(format!("a map of {min} to {max} fields is expected")).at(position))
}

fn key(d: &mut Decoder<'_>, expected: u8) -> Result<(), Error> {
    let position = d.position();
    if d.u8()? == expected { Ok(()) } else { Err(Error::message(format!("field {expected} is expected")).at(position)) }
}

fn integer(d: &mut Decoder<'_>) -> Result<u64, Error> {
    let position = d.position();
    let value = d.u64()?;
    if value < INTEGER_LIMIT { Ok(value) } else { Err(Error::message("an integer is not below 2^53").at(position)) }
}

pub(crate) fn bytes(d: &mut Decoder<'_>, max: usize) -> Result<Vec<u8>, Error> {
    let position = d.position();
    let bytes = d.bytes()?;
    if bytes.is_empty() || bytes.len() > max {
        return Err(Error::message(format!("a byte string must have 1 to {max} bytes")).at(position));
    }
    Ok(bytes.to_vec())
}

fn exactly<const N: usize>(d: &mut Decoder<'_>) -> Result<[u8; N], Error> {
    let position = d.position();
    d.bytes()?.try_into().map_err(|_| Error::message(format!("{N} bytes are expected")).at(position))
}

pub(crate) fn ascending<T, K: Ord>(what: &str, items: &[T], key: impl Fn(&T) -> K) -> Result<(), Error> {
    if items.windows(2).all(|pair| key(&pair[0]) < key(&pair[1])) {
        Ok(())
    } else {
        Err(Error::message(format!("{what} must ascend without repetition")))
    }
}
