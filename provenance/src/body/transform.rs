//! Body of produce.transformed: lots go in, new ones come out.

use super::{Codes, Commodity};
use crate::id::SubjectId;
use crate::value::{Grade, LangText, Quantity, Text};
use minicbor::{Decode, Encode};

/// What goes in of one lot.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize)]
#[cbor(array)]
pub struct Input {
    /// The lot.
    #[n(0)]
    pub lot: SubjectId,
    /// How much of it.
    #[n(1)]
    pub quantity: Quantity,
}

/// One new lot. Fields are numbered as in produce.registered.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize)]
#[cbor(map)]
pub struct Output {
    /// What it is.
    #[n(1)]
    pub commodity: Commodity,
    /// What people call it.
    #[n(2)]
    pub name: LangText,
    /// The variety.
    #[n(3)]
    pub variety: Option<Text<128>>,
    /// How much there is.
    #[n(6)]
    pub quantity: Quantity,
    /// How good it is.
    #[n(7)]
    pub grade: Option<Grade>,
    /// Codes on its labels.
    #[n(8)]
    pub codes: Option<Codes>,
    /// Certificates that it claims, by their number; ascending, distinct.
    #[n(9)]
    pub claims: Option<Vec<Text<128>>>,
}

/// Body of produce.transformed: split, merged, packed, pressed.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize)]
#[cbor(map)]
pub struct ProduceTransformed {
    /// Id of the process run, which several events may share.
    #[n(1)]
    pub run: Text<64>,
    /// What was done.
    #[n(2)]
    pub process: Text<64>,
    /// What went in. The event touches these lots in this order, each with its title lane behind it where
    /// title and possession are apart.
    #[n(3)]
    pub inputs: Vec<Input>,
    /// What came out. The event creates these lots, in this order, behind the inputs.
    #[n(4)]
    pub outputs: Vec<Output>,
    /// What was lost on the way.
    #[n(5)]
    pub loss: Option<Quantity>,
    /// Where.
    #[n(6)]
    pub place: Option<SubjectId>,
}
