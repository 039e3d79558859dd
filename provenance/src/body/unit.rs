//! Bodies of unit.packed and unit.unpacked: what lies in a logistic unit, such as a pallet.

use crate::id::SubjectId;
use crate::value::{Quantity, Sscc};
use minicbor::{Decode, Encode};

/// What is packed of one lot, or a smaller unit.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize)]
#[cbor(array)]
pub struct Content {
    /// The lot or unit.
    #[n(0)]
    pub lot: SubjectId,
    /// How much of it; less than the balance mints a part-lot.
    #[n(1)]
    pub quantity: Quantity,
}

/// Body of unit.packed.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize)]
#[cbor(map)]
pub struct UnitPacked {
    /// The unit's serial shipping container code, given where the unit is created.
    #[n(1)]
    pub sscc: Option<Sscc>,
    /// What is put in. The event touches the unit, then these lots in this order, and then, in this order
    /// too, creates one part-lot for each that is packed in part.
    #[n(2)]
    pub contents: Vec<Content>,
    /// Where.
    #[n(3)]
    pub place: Option<SubjectId>,
}

/// Body of unit.unpacked.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize)]
#[cbor(map)]
pub struct UnitUnpacked {
    /// What is taken out. The event touches the unit, then these lots in this order.
    #[n(1)]
    pub contents: Vec<SubjectId>,
    /// Where.
    #[n(2)]
    pub place: Option<SubjectId>,
}
