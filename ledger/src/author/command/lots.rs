//! The commands with which lots are collected, worked on and packed.

use provenance::body::{Codes, Commodity, Delivery, Document, Output, TemperatureLimits};
use provenance::id::SubjectId;
use provenance::value::{Coordinates, DateRange, Gln, Grade, LangText, Quantity, Sscc, Text};

/// Some of a lot, or all of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Portion {
    /// The lot.
    pub lot: SubjectId,
    /// How much; the whole balance where it is not said.
    pub quantity: Option<Quantity>,
}

/// Makes the deliveries of members one lot: produce.collected.
#[derive(Debug, Clone)]
pub struct CollectProduce {
    /// What it is.
    pub commodity: Commodity,
    /// What people call it.
    pub name: LangText,
    /// The variety.
    pub variety: Option<Text<128>>,
    /// Who brought how much, all in one unit of measure. Their sum is what the lot holds.
    pub deliveries: Vec<Delivery>,
    /// When it was harvested.
    pub harvested: Option<DateRange>,
    /// How good it is.
    pub grade: Option<Grade>,
    /// Codes on its labels.
    pub codes: Option<Codes>,
    /// Certificates that it claims, in any order.
    pub claims: Vec<Text<128>>,
}

/// Tells what was done with a lot: produce.handled.
#[derive(Debug, Clone)]
pub struct HandleProduce {
    /// The lot.
    pub lot: SubjectId,
    /// What was done, such as cooled, washed or stored.
    pub step: Text<64>,
    /// Where.
    pub place: Option<SubjectId>,
    /// How cold or warm.
    pub temperature: Option<TemperatureLimits>,
    /// What else there is to say.
    pub remark: Option<Text<512>>,
}

/// Gives a lot codes on labels: `produce.codes_assigned`.
#[derive(Debug, Clone)]
pub struct AssignCodes {
    /// The lot.
    pub lot: SubjectId,
    /// Those that are given replace what stood before.
    pub codes: Codes,
}

/// Makes lots of others: produce.transformed.
#[derive(Debug, Clone)]
pub struct TransformProduce {
    /// Id of the process run, which several events may share; one of its own where it is not said.
    pub run: Option<Text<64>>,
    /// What was done, such as split, merge, pack or press.
    pub process: Text<64>,
    /// What goes in.
    pub inputs: Vec<Portion>,
    /// What comes out; claims in any order. Output number *i* is subject *i* among those that the event creates.
    pub outputs: Vec<Output>,
    /// What is lost on the way.
    pub loss: Option<Quantity>,
    /// Where.
    pub place: Option<SubjectId>,
}

/// Into what lots are packed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PackInto {
    /// A unit that begins now, with its serial shipping container code.
    New(Option<Sscc>),
    /// One that is there.
    Unit(SubjectId),
}

/// Puts lots, or smaller units, into a logistic unit: unit.packed.
#[derive(Debug, Clone)]
pub struct PackUnit {
    /// The unit.
    pub into: PackInto,
    /// What is put in.
    pub contents: Vec<Portion>,
    /// Where.
    pub place: Option<SubjectId>,
}

/// Takes lots, or smaller units, out of a logistic unit: unit.unpacked.
#[derive(Debug, Clone)]
pub struct UnpackUnit {
    /// The unit.
    pub unit: SubjectId,
    /// What is taken out.
    pub contents: Vec<SubjectId>,
    /// Where.
    pub place: Option<SubjectId>,
}

/// Changes what is told of a place: place.updated. What is given replaces what stood before.
#[derive(Debug, Clone)]
pub struct UpdatePlace {
    /// The place.
    pub place: SubjectId,
    /// A new name.
    pub name: Option<LangText>,
    /// A new Global Location Number.
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
