//! The payload of an event: what is signed, before it is wrapped and after it is unwrapped.

use crate::base58;
use crate::body::{Body, Cut};
use crate::cbor::Any;
use crate::id::{EventId, NetworkId, PublicKey, SubjectId};
use crate::value::{Occurred, Text, TextMap, Timestamp};
use minicbor::{Decode, Decoder, Encode, Encoder};

/// The version of the event format that this program writes and judges.
pub const VERSION: u64 = 1;

/// A line of a subject's history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lane {
    /// Custody of lots and units; the whole life of all other subjects.
    Main,
    /// Ownership, where owner and holder differ.
    Title,
    /// What this actor attests about the subject.
    Attester(SubjectId),
}

impl Lane {
    /// Whether it tells who holds or owns something, or is the whole life of a subject: then nothing on it stands
    /// without what it extends.
    pub fn is_of_custody(self) -> bool {
        matches!(self, Self::Main | Self::Title)
    }
}

/// One subject that an event is about.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Touch {
    /// The subject, or nothing where this event creates it.
    #[n(0)]
    pub subject: Option<SubjectId>,
    /// Which line of its history.
    #[n(1)]
    pub lane: Lane,
    /// The tips of that line which the event extends; ascending, distinct.
    #[n(2)]
    pub prev: Vec<EventId>,
}

/// A business document that belongs to the event.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, serde::Serialize)]
#[cbor(array)]
pub struct Reference {
    /// What it is: purchase order, bill of lading, import row.
    #[n(0)]
    pub document_type: Text<64>,
    /// Its number.
    #[n(1)]
    pub number: Text<128>,
}

/// A final anchor that the signer had seen: the event was signed after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct After {
    /// EIP-155 chain id.
    #[n(0)]
    pub chain_id: u64,
    /// The commitment stored by the anchor contract.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub commitment: [u8; 32],
}

/// Everything that a signer says in one event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payload {
    /// The network.
    pub network: NetworkId,
    /// When it was signed, by the signer's clock.
    pub time: Timestamp,
    /// When that of which it tells took place, if at another time.
    pub occurred: Option<Occurred>,
    /// The previous event of this key; for its first, the event that gave the actor the key.
    pub journal: EventId,
    /// What it is about.
    pub touches: Vec<Touch>,
    /// The other events on which the signer's right rests; ascending, distinct.
    pub basis: Vec<EventId>,
    /// What it says.
    pub body: Body,
    /// For whom it is told.
    pub on_behalf_of: Option<SubjectId>,
    /// Who typed it.
    pub captured_by: Option<SubjectId>,
    /// Business documents.
    pub refs: Option<Vec<Reference>>,
    /// A final anchor that came before.
    pub after: Option<After>,
    /// URI → anything; kept and shown, read by no rule.
    pub extensions: Option<TextMap<Any>>,
}

/// What is wrong with the build of an event, whatever its kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StructureError {
    /// Too few or too many of something.
    #[error("{field} has {found} entries; allowed are {min} to {max}")]
    Count {
        /// Which field.
        field: &'static str,
        /// How many there are.
        found: usize,
        /// How many there must be.
        min: usize,
        /// How many there may be.
        max: usize,
    },
    /// A list that is not ascending or repeats an entry.
    #[error("{0} must be in ascending order without repetition")]
    Order(&'static str),
    /// One lane touched twice.
    #[error("touches name the same lane of a subject twice; name each lane once, with all tips")]
    RepeatedLane,
    /// A new subject with a past.
    #[error("a touch that creates a subject is on the main lane and extends nothing")]
    CreatedWithPast,
    /// A main or title lane that extends nothing.
    #[error("a touch of an existing main lane must name the tips that it extends")]
    NoPrev,
}

impl Payload {
    /// Most subjects of one event: an offer of 64 lots fills a lorry, and fits 16 KiB.
    pub const MAX_TOUCHES: usize = 64;
    /// Most tips joined in one touch; rivals of a handover beyond this need a decision anyway.
    pub const MAX_PREV: usize = 16;
    /// Most events of a basis: one for each place, party and enrolment that the touches can need.
    pub const MAX_BASIS: usize = 80;
    /// Most business documents.
    pub const MAX_REFS: usize = 16;

    /// The deterministic encoding.
    pub fn to_vec(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(512);
        self.encode(&mut Encoder::new(&mut bytes)).expect("writing to a vector cannot fail");
        bytes
    }

    /// Indexes of the touches that create a subject.
    pub fn created(&self) -> impl Iterator<Item = u32> {
        self.touches
            .iter()
            .enumerate()
            .filter(|(_, touch)| touch.subject.is_none())
            .map(|(index, _)| u32::try_from(index).expect("there are at most 64 touches"))
    }

    /// All ids of events that must be judged before this one: the journal's, those on which it rests, and the ends of
    /// the journals that it cuts. The latter and the journal's may be void.
    pub fn ancestors(&self) -> impl Iterator<Item = EventId> {
        let cuts = self.body.named_events().2;
        std::iter::once(self.journal).chain(self.rests_on()).chain(cuts.iter().flat_map(Cut::ends))
    }

    /// All ids of events on which what this one says rests: prev, basis and body. They must be admitted, and stand in
    /// every bundle in which this one does.
    pub fn rests_on(&self) -> impl Iterator<Item = EventId> {
        let (one, lists, cuts) = self.body.named_events();
        let named = one.into_iter().chain(lists.into_iter().flatten().copied());
        let touched = self.touches.iter().flat_map(|touch| touch.prev.iter().copied());
        touched.chain(self.basis.iter().copied()).chain(named).chain(cuts.iter().map(|cut| cut.key_event))
    }

    /// Bounds and order of the lists.
    pub fn check_structure(&self) -> Result<(), StructureError> {
        let count = |field, found, min, max| {
            if (min..=max).contains(&found) { Ok(()) } else { Err(StructureError::Count { field, found, min, max }) }
        };
        count("touches", self.touches.len(), 1, Self::MAX_TOUCHES)?;
        count("basis", self.basis.len(), 1, Self::MAX_BASIS)?;
        ascending("basis", &self.basis)?;
        if let Some(refs) = &self.refs {
            count("refs", refs.len(), 1, Self::MAX_REFS)?;
        }
        for (index, touch) in self.touches.iter().enumerate() {
            count("prev", touch.prev.len(), 0, Self::MAX_PREV)?;
            ascending("prev", &touch.prev)?;
            if touch.subject.is_none() {
                if touch.lane != Lane::Main || !touch.prev.is_empty() {
                    return Err(StructureError::CreatedWithPast);
                }
                continue;
            }
            if touch.lane == Lane::Main && touch.prev.is_empty() {
                return Err(StructureError::NoPrev);
            }
            if self.touches[..index].iter().any(|t| t.subject == touch.subject && t.lane == touch.lane) {
                return Err(StructureError::RepeatedLane);
            }
        }
        Ok(())
    }

    /// The CWT subject claim: the first subject touched, or that it is new.
    pub fn subject_claim(&self) -> String {
        match self.touches.first().and_then(|touch| touch.subject) {
            Some(subject) => format!("urn:furrow:{subject}"),
            None => "urn:furrow:new".to_owned(),
        }
    }

    fn encode<W: minicbor::encode::Write>(&self, e: &mut Encoder<W>) -> Result<(), minicbor::encode::Error<W::Error>> {
        let optional = [
            self.occurred.is_some(),
            self.on_behalf_of.is_some(),
            self.captured_by.is_some(),
            self.refs.is_some(),
            self.after.is_some(),
            self.extensions.is_some(),
        ];
        e.map(8 + optional.iter().filter(|present| **present).count() as u64)?;
        e.u8(1)?.u64(VERSION)?;
        e.u8(2)?.u16(self.body.kind_number())?;
        e.u8(3)?.encode(self.network)?;
        e.u8(4)?.encode(self.time)?;
        field(e, 5, self.occurred.as_ref())?;
        e.u8(6)?.encode(self.journal)?;
        e.u8(7)?.encode(&self.touches)?;
        e.u8(8)?.encode(&self.basis)?;
        e.u8(9)?;
        self.body.encode(e)?;
        field(e, 10, self.on_behalf_of.as_ref())?;
        field(e, 11, self.captured_by.as_ref())?;
        field(e, 12, self.refs.as_ref())?;
        field(e, 13, self.after.as_ref())?;
        field(e, 14, self.extensions.as_ref())
    }

    /// Decodes field by field; whether the bytes were the deterministic ones is seen by encoding again.
    pub(crate) fn decode(d: &mut Decoder<'_>) -> Result<Self, PayloadError> {
        let shape = |text: &'static str| PayloadError::Shape(minicbor::decode::Error::message(text));
        let len = d.map()?.ok_or_else(|| shape("the payload is a map of definite length"))?;
        if len < 8 || d.u8()? != 1 {
            return Err(shape("the payload starts with field 1, the version, and has at least 8 fields"));
        }
        let version = d.u64()?;
        if version != VERSION {
            return Err(PayloadError::Version(version));
        }
        let mut read = 1;
        let mut next = |d: &mut Decoder<'_>, key: u8, name: &'static str| -> Result<(), PayloadError> {
            read += 1;
            if d.u8()? == key { Ok(()) } else { Err(PayloadError::Missing { key, name }) }
        };
        next(d, 2, "kind")?;
        let kind = d.u16()?;
        next(d, 3, "network")?;
        let network = d.decode()?;
        next(d, 4, "time")?;
        let time = d.decode()?;
        let mut optional_read = 0;
        let occurred = optional(d, 5, len, 4, &mut optional_read)?;
        next(d, 6, "journal")?;
        let journal = d.decode()?;
        next(d, 7, "touches")?;
        let touches = d.decode()?;
        next(d, 8, "basis")?;
        let basis = d.decode()?;
        next(d, 9, "body")?;
        let body = Body::decode(kind, d)?;
        let on_behalf_of = optional(d, 10, len, 8, &mut optional_read)?;
        let captured_by = optional(d, 11, len, 8, &mut optional_read)?;
        let refs = optional(d, 12, len, 8, &mut optional_read)?;
        let after = optional(d, 13, len, 8, &mut optional_read)?;
        let extensions = optional(d, 14, len, 8, &mut optional_read)?;
        if read + optional_read != len {
            return Err(shape("the payload has fields that this version does not know, or not in ascending order"));
        }
        Ok(Self {
            network,
            time,
            occurred,
            journal,
            touches,
            basis,
            body,
            on_behalf_of,
            captured_by,
            refs,
            after,
            extensions,
        })
    }
}

/// Why a payload cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PayloadError {
    #[error("{0}")]
    Shape(#[from] minicbor::decode::Error),
    #[error("field {key} ({name}) is missing or out of order")]
    Missing { key: u8, name: &'static str },
    #[error("there is no format version {0}")]
    Version(u64),
}

fn field<W: minicbor::encode::Write, T: Encode<()>>(
    e: &mut Encoder<W>,
    key: u8,
    value: Option<&T>,
) -> Result<(), minicbor::encode::Error<W::Error>> {
    value.map_or(Ok(()), |value| e.u8(key)?.encode(value)?.ok())
}

/// Reads the field `key` if it comes next, while the map has entries beyond the `mandatory` ones.
fn optional<'b, T: Decode<'b, ()>>(
    d: &mut Decoder<'b>,
    key: u8,
    len: u64,
    mandatory: u64,
    optional_read: &mut u64,
) -> Result<Option<T>, minicbor::decode::Error> {
    if mandatory + *optional_read >= len || d.probe().u8()? != key {
        return Ok(None);
    }
    d.u8()?;
    *optional_read += 1;
    d.decode().map(Some)
}

fn ascending(field: &'static str, ids: &[EventId]) -> Result<(), StructureError> {
    if ids.windows(2).all(|pair| pair[0] < pair[1]) { Ok(()) } else { Err(StructureError::Order(field)) }
}

/// `did:key` of an Ed25519 key: multibase base58btc of the multicodec 0xed and the key.
pub fn did_key(key: &PublicKey) -> String {
    let mut bytes = vec![0xed, 0x01];
    bytes.extend_from_slice(key.as_bytes());
    format!("did:key:z{}", base58::encode(&bytes))
}

impl<C> Encode<C> for Lane {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        match self {
            Self::Main => e.u8(0)?.ok(),
            Self::Title => e.u8(1)?.ok(),
            Self::Attester(actor) => e.bytes(actor.as_bytes())?.ok(),
        }
    }
}

impl<'b, C> Decode<'b, C> for Lane {
    fn decode(d: &mut Decoder<'b>, ctx: &mut C) -> Result<Self, minicbor::decode::Error> {
        let position = d.position();
        if d.datatype()? == minicbor::data::Type::Bytes {
            return Ok(Self::Attester(d.decode_with(ctx)?));
        }
        match d.u8()? {
            0 => Ok(Self::Main),
            1 => Ok(Self::Title),
            _ => Err(minicbor::decode::Error::message("a lane is 0 (main), 1 (title) or an attester's actor id")
                .at(position)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::body::ActorRevoked;

    #[test]
    fn the_end_of_a_journal_is_waited_for_but_nothing_rests_on_it() {
        let id = |byte| EventId::from_bytes([byte; 32]);
        let cut = Cut { key_event: id(4), last: id(5), count: 1, root: [0; 32], stands: vec![id(6)] };
        let payload = Payload {
            network: NetworkId::from_bytes([0; 32]),
            time: Timestamp::new(0).unwrap(),
            occurred: None,
            journal: id(1),
            touches: vec![Touch { subject: None, lane: Lane::Main, prev: vec![id(2)] }],
            basis: vec![id(3)],
            body: Body::ActorRevoked(ActorRevoked { reason: Text::new("x").unwrap(), cuts: vec![cut] }),
            on_behalf_of: None,
            captured_by: None,
            refs: None,
            after: None,
            extensions: None,
        };
        assert!(payload.rests_on().eq([2, 3, 4].map(id)));
        assert!(payload.ancestors().eq([1, 2, 3, 4, 5, 6].map(id)));
    }
}
