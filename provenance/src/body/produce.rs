//! Bodies of the kinds that tell of a lot: registered, moved, handled, graded, priced, labelled, retired.

use super::TemperatureLimits;
use crate::id::SubjectId;
use crate::seal::Sealable;
use crate::value::{DateRange, Grade, Gtin, LangText, Price, Quantity, Text};
use minicbor::{Decode, Encode};

/// What is grown, as a code of a published scheme, such as (`HS`, `0808.10`) for apples.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, serde::Serialize)]
#[cbor(array)]
pub struct Commodity {
    /// The scheme: HS, CPC, GPC and so on.
    #[n(0)]
    pub scheme: Text<32>,
    /// The code within it.
    #[n(1)]
    pub code: Text<32>,
}

/// Codes printed on labels.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode, serde::Serialize)]
#[cbor(map)]
pub struct Codes {
    /// GS1 trade item number.
    #[n(1)]
    pub gtin: Option<Gtin>,
    /// GS1 batch or lot number, AI (10): at most 20 characters.
    #[n(2)]
    pub lot: Option<Text<20>>,
    /// Traceability lot code (21 CFR 1.1310).
    #[n(3)]
    pub traceability_lot_code: Option<Text<64>>,
}

/// Body of produce.registered: a lot comes into being.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize)]
#[cbor(map)]
pub struct ProduceRegistered {
    /// What it is.
    #[n(1)]
    pub commodity: Commodity,
    /// What people call it.
    #[n(2)]
    pub name: LangText,
    /// The variety.
    #[n(3)]
    pub variety: Option<Text<128>>,
    /// Where it was grown; ascending, distinct.
    #[n(4)]
    pub places: Vec<SubjectId>,
    /// When it was harvested.
    #[n(5)]
    pub harvested: Option<DateRange>,
    /// How much there is.
    #[n(6)]
    pub quantity: Quantity,
    /// How good it is.
    #[n(7)]
    pub grade: Option<Grade>,
    /// Codes on its labels.
    #[n(8)]
    pub codes: Option<Codes>,
    /// Certificates that it claims, by their number.
    #[n(9)]
    pub claims: Option<Vec<Text<128>>>,
    /// Who harvested it.
    #[n(10)]
    pub harvester: Option<Sealable<Text<128>>>,
    /// What it costs.
    #[n(11)]
    pub price: Option<Sealable<Price>>,
}

/// Body of produce.moved.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize)]
#[cbor(map)]
pub struct ProduceMoved {
    /// Where the lot is now.
    #[n(1)]
    pub place: SubjectId,
}

/// Body of produce.handled: cooled, washed, stored.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize)]
#[cbor(map)]
pub struct ProduceHandled {
    /// What was done.
    #[n(1)]
    pub step: Text<64>,
    /// Where.
    #[n(2)]
    pub place: Option<SubjectId>,
    /// How cold or warm.
    #[n(3)]
    pub temperature: Option<TemperatureLimits>,
    /// What else there is to say.
    #[n(4)]
    pub remark: Option<Text<512>>,
}

/// Body of `produce.quality_updated`.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize)]
#[cbor(map)]
pub struct QualityUpdated {
    /// The grade from now on.
    #[n(1)]
    pub grade: Grade,
    /// Why.
    #[n(2)]
    pub reason: Option<Text<512>>,
}

/// Body of `produce.price_updated`.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize)]
#[cbor(map)]
pub struct PriceUpdated {
    /// The price from now on.
    #[n(1)]
    pub price: Sealable<Price>,
    /// Why.
    #[n(2)]
    pub reason: Option<Text<512>>,
}

/// Body of `produce.codes_assigned`: labels that were printed before the harvest.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize)]
#[cbor(map)]
pub struct CodesAssigned {
    /// Codes from now on.
    #[n(1)]
    pub codes: Codes,
}

/// How a quantity left the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Sold to a consumer.
    #[n(1)]
    Sold,
    /// Eaten or used up.
    #[n(2)]
    Consumed,
    /// Lost or spoilt.
    #[n(3)]
    Lost,
    /// Destroyed on purpose.
    #[n(4)]
    Destroyed,
}

/// Body of produce.retired.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize)]
#[cbor(map)]
pub struct ProduceRetired {
    /// How much leaves; the balance closes the lot.
    #[n(1)]
    pub quantity: Quantity,
    /// How.
    #[n(2)]
    pub outcome: Outcome,
}
