//! An authentic event, changed in each of its parts.
//!
//! The encodings are written here by hand, because the program's own encoder cannot write them wrongly.

use crate::signer::{kg, text};
use minicbor::data::Tag;
use minicbor::{Decoder, Encoder};
use provenance::body::{Body, Recipient};
use provenance::cbor::Any;
use provenance::event::{CONTENT_TYPE, SignedEvent};
use provenance::id::{EventId, NetworkId, PublicKey, SubjectId};
use provenance::payload::{After, Lane, Payload, Reference, did_key};
use provenance::value::{Occurred, TextMap, Timestamp};
use std::convert::Infallible;

/// The order of the Ed25519 group, little-endian: S + L signs the same by sloppy rules (RFC 8032 §5.1.7).
const GROUP_ORDER: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

/// The forgery that claims another version of the format.
const NEWER: &str = "payload: version";

/// What was done to an authentic event, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forgery {
    /// Which part is another.
    pub what: &'static str,
    /// The bytes.
    pub bytes: Vec<u8>,
}

impl Forgery {
    /// The id that these bytes would have as an event.
    pub fn id(&self) -> EventId {
        EventId::of(&self.bytes)
    }

    /// Whether it looks as if a newer program had signed it. Such an event is nobody's fault, and is not taken either.
    pub fn looks_newer(&self) -> bool {
        self.what == NEWER
    }

    /// Whether the bytes are one CBOR item, so that they can stand in a sequence.
    pub fn is_one_item(&self) -> bool {
        let mut decoder = Decoder::new(&self.bytes);
        decoder.skip().is_ok() && decoder.position() == self.bytes.len()
    }
}

/// All parts of an offer to an actor that has captured-by, occurred, references, after and extensions.
/// `other` is a key that did not sign it.
pub fn of_every_part(event: &SignedEvent, other: &PublicKey) -> Vec<Forgery> {
    let parts = Parts::of(event);
    let mut forgeries = Vec::new();
    let mut add = |what, bytes| forgeries.push(Forgery { what, bytes });
    for (what, bytes) in of_the_envelope(&parts) {
        add(what, bytes);
    }
    for (what, header) in of_the_header(&parts.header, other) {
        add(what, parts.with(|parts| parts.header = header));
    }
    for (what, payload) in of_the_payload(event.payload()) {
        // The subject claim follows the payload, so that nothing else is wrong with the event.
        let subject = payload.subject_claim();
        add(what, parts.with(|parts| (parts.payload, parts.header.subject) = (payload.to_vec(), subject)));
    }
    let version = |bytes: &mut Vec<u8>| bytes[2] = 2;
    add(NEWER, parts.with(|parts| version(&mut parts.payload)));
    let kind = |bytes: &mut Vec<u8>| bytes[5] ^= 1;
    add("payload: kind", parts.with(|parts| kind(&mut parts.payload)));
    for (what, signature) in of_the_signature(&parts.signature) {
        add(what, parts.with(|parts| parts.signature = signature));
    }
    forgeries
}

/// A `COSE_Sign1` taken apart.
#[derive(Debug, Clone)]
struct Parts {
    tag: u64,
    header: Header,
    unprotected: Vec<u8>,
    payload: Vec<u8>,
    signature: Vec<u8>,
}

#[derive(Debug, Clone)]
struct Header {
    algorithm: i8,
    content_type: &'static str,
    key: PublicKey,
    issuer: String,
    subject: String,
    /// Encoded entries behind the four that belong there.
    more: Vec<u8>,
    entries: u64,
}

impl Parts {
    fn of(event: &SignedEvent) -> Self {
        let header = Header {
            algorithm: -8,
            content_type: CONTENT_TYPE,
            key: event.key(),
            issuer: did_key(&event.key()),
            subject: event.payload().subject_claim(),
            more: Vec::new(),
            entries: 4,
        };
        let parts = Self {
            tag: 18,
            header,
            unprotected: vec![0xa0],
            payload: event.payload().to_vec(),
            signature: event.signature().to_vec(),
        };
        assert_eq!(parts.to_vec(), event.bytes(), "this encoder writes what the program writes");
        parts
    }

    fn with(&self, change: impl FnOnce(&mut Self)) -> Vec<u8> {
        let mut parts = self.clone();
        change(&mut parts);
        parts.to_vec()
    }

    fn to_vec(&self) -> Vec<u8> {
        let mut bytes = cbor(|e| e.tag(Tag::new(self.tag))?.array(4)?.bytes(&self.header.to_vec())?.ok());
        bytes.extend_from_slice(&self.unprotected);
        bytes.extend(cbor(|e| e.bytes(&self.payload)?.bytes(&self.signature)?.ok()));
        bytes
    }
}

impl Header {
    fn to_vec(&self) -> Vec<u8> {
        let mut bytes = cbor(|e| {
            e.map(self.entries)?.u8(1)?.i8(self.algorithm)?.u8(3)?.str(self.content_type)?;
            e.u8(4)?.bytes(self.key.as_bytes())?.u8(15)?;
            e.map(2)?.u8(1)?.str(&self.issuer)?.u8(2)?.str(&self.subject)?.ok()
        });
        bytes.extend_from_slice(&self.more);
        bytes
    }
}

fn of_the_envelope(parts: &Parts) -> Vec<(&'static str, Vec<u8>)> {
    let authentic = parts.to_vec();
    let mut trailing = authentic.clone();
    trailing.push(0);
    // The array's head follows the tag: an array of any length ends with a break.
    let mut indefinite = authentic.clone();
    indefinite[1] = 0x9f;
    indefinite.push(0xff);
    // The signature's head, one byte for its length, becomes two.
    let mut long_head = authentic.clone();
    let at = long_head.len() - 66;
    assert_eq!(long_head[at..at + 2], [0x58, 64], "the head of 64 bytes");
    long_head.splice(at..at + 2, [0x59, 0, 64]);
    vec![
        ("tag", parts.with(|parts| parts.tag = 17)),
        ("no tag", authentic[1..].to_vec()),
        ("unprotected header added", parts.with(|parts| parts.unprotected = vec![0xa1, 0x01, 0x27])),
        ("truncated by a byte", authentic[..authentic.len() - 1].to_vec()),
        ("truncated in the middle", authentic[..authentic.len() / 2].to_vec()),
        ("nothing at all", Vec::new()),
        ("trailing byte", trailing),
        ("indefinite length", indefinite),
        ("longer form of a length", long_head),
    ]
}

fn of_the_header(header: &Header, other: &PublicKey) -> Vec<(&'static str, Header)> {
    let with = |change: &dyn Fn(&mut Header)| {
        let mut header = header.clone();
        change(&mut header);
        header
    };
    let claim_of_other = |header: &mut Header| (header.key, header.issuer) = (*other, did_key(other));
    vec![
        ("header: algorithm", with(&|header| header.algorithm = -7)),
        ("header: content type", with(&|header| header.content_type = "application/vnd.furrow.event+json")),
        ("header: key", with(&|header| header.key = *other)),
        ("header: issuer", with(&|header| header.issuer = did_key(other))),
        ("header: key and issuer", with(&claim_of_other)),
        ("header: subject", with(&|header| "urn:furrow:new".clone_into(&mut header.subject))),
        ("header: one entry more", with(&|header| (header.more, header.entries) = (vec![0x18, 0x63, 0x01], 5))),
    ]
}

/// What a change does to a payload, and its name.
type Change = (&'static str, fn(&mut Payload));

fn of_the_payload(payload: &Payload) -> Vec<(&'static str, Payload)> {
    let with = |what, change: &dyn Fn(&mut Payload)| {
        let mut changed = payload.clone();
        change(&mut changed);
        assert_ne!(changed, *payload, "{what} is changed");
        (what, changed)
    };
    let later = Timestamp::new(payload.time.ms() + 1).expect("a time of this century");
    let (id, subject) = (EventId::from_bytes([9; 32]), SubjectId::from_bytes([9; 32]));
    let reference = Reference { document_type: text("purchase order"), number: text("4711-b") };
    let extension = TextMap::new([("urn:example:other".to_owned(), Any::Null)]).expect("one entry");
    let mut forgeries = vec![
        with("payload: network", &|p| p.network = NetworkId::from_bytes([9; 32])),
        with("payload: time", &|p| p.time = later),
        with("payload: occurred", &|p| p.occurred = Some(Occurred::new(later, None, 60).expect("a span"))),
        with("payload: journal", &|p| p.journal = id),
        with("payload: touched subject", &|p| p.touches[0].subject = Some(subject)),
        with("payload: touched lane", &|p| p.touches[0].lane = Lane::Title),
        with("payload: extended tip", &|p| p.touches[0].prev = vec![id]),
        with("payload: a touch less", &|p| p.touches.truncate(1)),
        with("payload: basis", &|p| p.basis[0] = EventId::from_bytes([0; 32])),
        with("payload: on behalf of", &|p| p.on_behalf_of = Some(subject)),
        with("payload: captured by", &|p| p.captured_by = Some(subject)),
        with("payload: references", &|p| p.refs = Some(vec![reference.clone()])),
        with("payload: after", &|p| p.after = Some(After { chain_id: 1, commitment: [9; 32] })),
        with("payload: extensions", &|p| p.extensions = Some(extension.clone())),
    ];
    let left_out: [Change; 5] = [
        ("payload: occurred left out", |p| p.occurred = None),
        ("payload: captured by left out", |p| p.captured_by = None),
        ("payload: references left out", |p| p.refs = None),
        ("payload: after left out", |p| p.after = None),
        ("payload: extensions left out", |p| p.extensions = None),
    ];
    forgeries.extend(left_out.map(|(what, change)| with(what, &change)));
    let Body::TransferOffered(offer) = &payload.body else { panic!("the event is an offer") };
    let quantity = |p: &mut Payload| {
        let mut offer = offer.clone();
        offer.lines[0].quantity = kg("1");
        p.body = Body::TransferOffered(offer);
    };
    let recipient = |p: &mut Payload| {
        let mut offer = offer.clone();
        offer.to = Recipient::Actor(subject);
        p.body = Body::TransferOffered(offer);
    };
    forgeries.push(with("payload: quantity in the body", &quantity));
    forgeries.push(with("payload: recipient in the body", &recipient));
    forgeries
}

fn of_the_signature(signature: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let flipped = |at: usize| {
        let mut signature = signature.to_vec();
        signature[at] ^= 1;
        signature
    };
    let mut beyond_order = signature.to_vec();
    let mut carry = 0;
    for (byte, order) in beyond_order[32..].iter_mut().zip(GROUP_ORDER) {
        let sum = u16::from(*byte) + u16::from(order) + carry;
        (*byte, carry) = (sum.to_le_bytes()[0], sum >> 8);
    }
    assert_eq!(carry, 0, "S is below the group's order, and twice that fits");
    vec![
        ("signature: R", flipped(0)),
        ("signature: S", flipped(32)),
        ("signature: S beyond the group's order", beyond_order),
        ("signature: zeros", vec![0; 64]),
        ("signature: a byte less", signature[..63].to_vec()),
    ]
}

fn cbor(write: impl FnOnce(&mut Encoder<&mut Vec<u8>>) -> Result<(), minicbor::encode::Error<Infallible>>) -> Vec<u8> {
    let mut bytes = Vec::new();
    write(&mut Encoder::new(&mut bytes)).expect("writing to a vector cannot fail");
    bytes
}
