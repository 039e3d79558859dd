//! The commands: what somebody wants told, in values that were checked already.

mod lots;

pub use lots::{
    AssignCodes, CollectProduce, HandleProduce, PackInto, PackUnit, Portion, TransformProduce, UnpackUnit, UpdatePlace,
};

use provenance::body::{
    AcceptedLine, Codes, Commodity, Custody, Document, Moves, NodeDetails, Outcome, Role, TemperatureLimits,
};
use provenance::cbor::Any;
use provenance::event::SignedEvent;
use provenance::id::{EventId, PublicKey, SubjectId};
use provenance::payload::Reference;
use provenance::value::{
    Coordinates, DateRange, Gln, Grade, Gs1Prefix, LangText, Occurred, Price, Quantity, Text, TextMap, Timestamp,
};
use std::collections::{BTreeMap, BTreeSet};

/// What every command can have beside its own values.
#[derive(Debug, Clone, Default)]
pub struct Context {
    /// Who signs; the author's default actor where it is not said.
    pub actor: Option<SubjectId>,
    /// For whom it is told.
    pub on_behalf_of: Option<SubjectId>,
    /// Who typed it.
    pub captured_by: Option<SubjectId>,
    /// When that of which it tells took place, if at another time.
    pub occurred: Option<Occurred>,
    /// Business documents.
    pub refs: Vec<Reference>,
    /// URI → anything.
    pub extensions: Option<TextMap<Any>>,
    /// The tips that whoever asks has seen on the subject that is changed, the first of several. If
    /// they are others by now, the command is refused as stale.
    pub expected_tips: Option<BTreeSet<EventId>>,
}

/// An event that is on the disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done {
    /// Its id; what it creates is `id.subject(0)`.
    pub id: EventId,
    /// Its index in the log.
    pub index: u64,
    /// The event.
    pub event: SignedEvent,
}

/// Which key an actor is enrolled with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EnrolledKey {
    /// One that is made now and kept here. Where the event is not written it stays unused.
    New,
    /// One that is kept here already.
    Held(PublicKey),
    /// One that is kept elsewhere, with its signature over the enrolment.
    Foreign {
        /// The key.
        key: PublicKey,
        /// Its signature over [`provenance::body::ActorEnrolled::countersigned_bytes`].
        countersignature: [u8; 64],
    },
}

/// Brings somebody in: actor.enrolled.
#[derive(Debug, Clone)]
pub struct EnrolActor {
    /// The new actor's key.
    pub key: EnrolledKey,
    /// Who holds its secret half.
    pub custody: Custody,
    /// What the actor may do, in any order.
    pub roles: Vec<Role>,
    /// Which roles it may give, in any order.
    pub may_give: Vec<Role>,
    /// Under what name the public knows it.
    pub display_name: Text<128>,
    /// The name of a person; sealed, and so only with a key that is kept here.
    pub personal_name: Option<Text<128>>,
    /// Its Global Location Number.
    pub gln: Option<Gln>,
    /// Its GS1 company prefixes, in any order.
    pub gs1_prefixes: Vec<Gs1Prefix>,
    /// For a node.
    pub node: Option<NodeDetails>,
}

/// Changes what the signing actor tells of itself: actor.updated.
#[derive(Debug, Clone, Default)]
pub struct UpdateActor {
    /// A new display name.
    pub display_name: Option<Text<128>>,
    /// A new Global Location Number.
    pub gln: Option<Gln>,
    /// All GS1 company prefixes from now on, in any order.
    pub gs1_prefixes: Option<Vec<Gs1Prefix>>,
    /// New node details.
    pub node: Option<NodeDetails>,
}

/// Registers a place: place.registered.
#[derive(Debug, Clone)]
pub struct RegisterPlace {
    /// Farm, field, packing house, cold store, shop and so on.
    pub place_type: Text<64>,
    /// What it is called.
    pub name: LangText,
    /// Its Global Location Number.
    pub gln: Option<Gln>,
    /// Where it is, to 0.01°; made from the exact point where only that is given.
    pub point: Option<Coordinates>,
    /// Where it is exactly; sealed.
    pub exact_point: Option<Coordinates>,
    /// Its outline.
    pub outline: Option<Document>,
    /// Its area in square metres.
    pub area_m2: Option<u64>,
    /// The place of which it is a part.
    pub parent: Option<SubjectId>,
    /// ISO 3166-1 alpha-2 code of its country.
    pub country: Option<Text<2>>,
}

/// Registers a lot: produce.registered.
#[derive(Debug, Clone)]
pub struct RegisterProduce {
    /// What it is.
    pub commodity: Commodity,
    /// What people call it.
    pub name: LangText,
    /// The variety.
    pub variety: Option<Text<128>>,
    /// Where it was grown, in any order.
    pub places: Vec<SubjectId>,
    /// When it was harvested.
    pub harvested: Option<DateRange>,
    /// How much there is.
    pub quantity: Quantity,
    /// How good it is.
    pub grade: Option<Grade>,
    /// Codes on its labels.
    pub codes: Option<Codes>,
    /// Certificates that it claims, in any order.
    pub claims: Vec<Text<128>>,
    /// Who harvested it; sealed.
    pub harvester: Option<Text<128>>,
    /// What it costs.
    pub price: Option<Price>,
    /// Whether the price is sealed.
    pub seal_price: bool,
}

/// Tells where a lot is: produce.moved.
#[derive(Debug, Clone)]
pub struct MoveProduce {
    /// The lot.
    pub lot: SubjectId,
    /// Where it is now.
    pub place: SubjectId,
}

/// Grades a lot: `produce.quality_updated`.
#[derive(Debug, Clone)]
pub struct UpdateQuality {
    /// The lot.
    pub lot: SubjectId,
    /// The grade from now on.
    pub grade: Grade,
    /// Why.
    pub reason: Option<Text<512>>,
}

/// Prices a lot: `produce.price_updated`.
#[derive(Debug, Clone)]
pub struct UpdatePrice {
    /// The lot.
    pub lot: SubjectId,
    /// The price from now on.
    pub price: Price,
    /// Whether it is sealed.
    pub seal_price: bool,
    /// Why.
    pub reason: Option<Text<512>>,
}

/// Takes a quantity out of the chain: produce.retired.
#[derive(Debug, Clone)]
pub struct RetireProduce {
    /// The lot.
    pub lot: SubjectId,
    /// How much; the whole balance where it is not said.
    pub quantity: Option<Quantity>,
    /// How.
    pub outcome: Outcome,
}

/// One lot, or a part of one, that is offered.
#[derive(Debug, Clone, Copy)]
pub struct OfferLine {
    /// The lot.
    pub lot: SubjectId,
    /// How much; the whole balance where it is not said.
    pub quantity: Option<Quantity>,
}

/// To whom an offer goes.
#[derive(Debug, Clone)]
pub enum To {
    /// An actor of the network, who must accept.
    Actor(SubjectId),
    /// A party outside the network, by its GLN.
    OutsideGln(Gln),
    /// A party outside the network, by name; sealed.
    OutsideName(Text<128>),
}

/// Offers lots: transfer.offered.
#[derive(Debug, Clone)]
pub struct OfferTransfer {
    /// What is offered.
    pub lines: Vec<OfferLine>,
    /// To whom.
    pub to: To,
    /// What passes.
    pub moves: Moves,
    /// Who carries it.
    pub carrier: Option<SubjectId>,
    /// From where.
    pub from_place: Option<SubjectId>,
    /// To where.
    pub to_place: Option<SubjectId>,
    /// How cold or warm on the way.
    pub temperature: Option<TemperatureLimits>,
    /// For how much.
    pub price: Option<Price>,
    /// Whether the price is sealed.
    pub seal_price: bool,
    /// Until when an answer is wished.
    pub expires: Option<Timestamp>,
    /// The earlier offer that this one takes back.
    pub returns: Option<EventId>,
}

/// Takes over what was offered: transfer.accepted.
#[derive(Debug, Clone)]
pub struct AcceptTransfer {
    /// The offer.
    pub offer: EventId,
    /// One answer for each line of the offer; everything is received where they are not said.
    pub lines: Option<Vec<AcceptedLine>>,
}

/// Refuses what was offered: transfer.declined.
#[derive(Debug, Clone)]
pub struct DeclineTransfer {
    /// The offer.
    pub offer: EventId,
    /// Why.
    pub reason: Option<Text<512>>,
}

/// Takes an offer back: transfer.cancelled.
#[derive(Debug, Clone)]
pub struct CancelTransfer {
    /// The offer.
    pub offer: EventId,
    /// Why.
    pub reason: Option<Text<512>>,
}

/// Replaces values that an event told wrongly: event.corrected.
#[derive(Debug, Clone)]
pub struct CorrectEvent {
    /// The event.
    pub target: EventId,
    /// What was wrong with it.
    pub reason: Text<512>,
    /// Number of a field of the target's body → its right value, open. What stands sealed in the
    /// target, or always does, is sealed here too.
    pub replacement: BTreeMap<u8, Any>,
}
