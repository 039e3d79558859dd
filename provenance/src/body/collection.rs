//! Body of produce.collected: a day's deliveries of members become one lot of their cooperative.

use super::{Codes, Commodity};
use crate::id::SubjectId;
use crate::value::{DateRange, Grade, LangText, Quantity, Text};
use minicbor::{Decode, Encode};

/// What one member brought.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize)]
#[cbor(map)]
pub struct Delivery {
    /// The member.
    #[n(1)]
    pub member: SubjectId,
    /// Where it was grown.
    #[n(2)]
    pub place: Option<SubjectId>,
    /// How much.
    #[n(3)]
    pub quantity: Quantity,
    /// How good it was.
    #[n(4)]
    pub grade: Option<Grade>,
    /// Number of the slip that the member got.
    #[n(5)]
    pub slip: Option<Text<128>>,
}

/// Body of produce.collected. Fields are numbered as in produce.registered, but for the deliveries.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize)]
#[cbor(map)]
pub struct ProduceCollected {
    /// What it is.
    #[n(1)]
    pub commodity: Commodity,
    /// What people call it.
    #[n(2)]
    pub name: LangText,
    /// The variety.
    #[n(3)]
    pub variety: Option<Text<128>>,
    /// Who brought how much.
    #[n(4)]
    pub deliveries: Vec<Delivery>,
    /// When it was harvested.
    #[n(5)]
    pub harvested: Option<DateRange>,
    /// How much there is: the sum of the deliveries.
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
