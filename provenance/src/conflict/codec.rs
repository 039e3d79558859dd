//! A conflict proof's deterministic encoding.

use super::{
    Claim, ConflictError, ConflictProof, MAX_ANCESTORS, MAX_JOURNAL_EVENTS, MAX_PROOF_BYTES, MAX_TIPS, PREFIX, VERSION,
};
use crate::bundle::codec::list;
use crate::bundle::reading;
use crate::event::MAX_EVENT_BYTES;
use crate::id::EventId;
use crate::payload::Lane;
use minicbor::decode::Error;
use minicbor::encode::{self, Write};
use minicbor::{Decoder, Encoder};

const JOURNAL_FORK: u8 = 0;
const LANE_CONFLICT: u8 = 1;

impl ConflictProof {
    /// The deterministic encoding.
    pub fn to_vec(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(1024 * (self.events.len() + 4));
        self.write(&mut Encoder::new(&mut bytes)).expect("writing to a vector cannot fail");
        bytes
    }

    /// Whether a file means to be a conflict proof, of whatever version.
    pub fn is_one(bytes: &[u8]) -> bool {
        version(bytes).is_some()
    }

    /// Reads a conflict proof; refuses everything but its one encoding, and whatever is beyond a limit.
    pub fn decode(bytes: &[u8]) -> Result<Self, ConflictError> {
        let malformed = |error: Error| ConflictError::Malformed(error.to_string());
        if bytes.len() > MAX_PROOF_BYTES {
            return Err(ConflictError::Malformed(format!(
                "it has {} bytes, and at most 8 MiB are allowed",
                bytes.len()
            )));
        }
        match version(bytes).and_then(|version| version.parse::<u64>().ok()) {
            Some(VERSION) => {}
            Some(newer) if newer > VERSION => return Err(ConflictError::NewerVersion(newer)),
            _ => return Err(ConflictError::Malformed(format!("it does not begin with {PREFIX}{VERSION}"))),
        }
        let proof = read(&mut Decoder::new(bytes)).map_err(malformed)?;
        if proof.to_vec() == bytes {
            Ok(proof)
        } else {
            Err(ConflictError::Malformed("it is not in the deterministic encoding (RFC 8949 §4.2.1)".to_owned()))
        }
    }

    fn write<W: Write>(&self, e: &mut Encoder<W>) -> Result<(), encode::Error<W::Error>> {
        e.array(4)?.str(&format!("{PREFIX}{VERSION}"))?.encode(&self.network)?;
        match &self.claim {
            Claim::JournalFork { key_event, events } => {
                e.array(3)?.u8(JOURNAL_FORK)?.encode(key_event)?;
                signed(e, events)?;
            }
            Claim::LaneConflict { subject, lane, tips, journals } => {
                e.array(5)?.u8(LANE_CONFLICT)?.encode(subject)?.encode(lane)?.encode(tips)?;
                signed(e, journals)?;
            }
        }
        signed(e, &self.events)
    }
}

fn signed<W: Write>(e: &mut Encoder<W>, events: &[Vec<u8>]) -> Result<(), encode::Error<W::Error>> {
    list(e, events, |event, e| e.bytes(event)?.ok())
}

/// What follows the prefix in the text with which a short array begins: decimal digits without a leading zero.
fn version(bytes: &[u8]) -> Option<&str> {
    let [array @ 0x81..=0x97, text @ 0x60..=0x77, rest @ ..] = bytes else { return None };
    let _ = array;
    let text = std::str::from_utf8(rest.get(..usize::from(text - 0x60))?).ok()?;
    let digits = text.strip_prefix(PREFIX)?;
    let decimal = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) && !digits.starts_with('0');
    decimal.then_some(digits)
}

fn read(d: &mut Decoder<'_>) -> Result<ConflictProof, Error> {
    reading::array(d, 4)?;
    d.str()?;
    let network = reading::network(d)?;
    let claim = claim(d)?;
    let events = events(d, 0, MAX_ANCESTORS)?;
    if d.position() != d.input().len() {
        return Err(Error::message("something follows its end"));
    }
    Ok(ConflictProof { network, claim, events })
}

fn claim(d: &mut Decoder<'_>) -> Result<Claim, Error> {
    let parts = d.array()?;
    match (parts, d.u8()?) {
        (Some(3), JOURNAL_FORK) => {
            let key_event = d.decode()?;
            let rivals = events(d, 2, 2)?;
            reading::ascending("the two events", &rivals, |event| EventId::of(event))?;
            let events = rivals.try_into().map_err(|_| Error::message("a fork has two events"))?;
            Ok(Claim::JournalFork { key_event, events })
        }
        (Some(5), LANE_CONFLICT) => {
            let subject = d.decode()?;
            let lane: Lane = d.decode()?;
            if !lane.is_of_custody() {
                return Err(Error::message("the lane is 0 (main) or 1 (title)"));
            }
            let tips: Vec<EventId> = reading::list(d, 2, MAX_TIPS, Decoder::decode)?;
            reading::ascending("the events in conflict", &tips, |tip| *tip)?;
            let journals = events(d, 0, MAX_JOURNAL_EVENTS)?;
            reading::ascending("events of journals", &journals, |event| EventId::of(event))?;
            Ok(Claim::LaneConflict { subject, lane, tips, journals })
        }
        _ => Err(Error::message("a claim is 0 (journal fork) with 2 more parts, or 1 (lane conflict) with 4")),
    }
}

fn events(d: &mut Decoder<'_>, min: usize, max: usize) -> Result<Vec<Vec<u8>>, Error> {
    reading::list(d, min, max, |d| reading::bytes(d, MAX_EVENT_BYTES))
}
