//! Body of produce.inspected: what an inspector saw or a laboratory found.

use super::Document;
use crate::id::SubjectId;
use crate::value::{Measure, Text};
use minicbor::{Decode, Encode};

/// One thing that was looked for.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize)]
#[cbor(map)]
pub struct Analyte {
    /// Its name, such as that of a pesticide.
    #[n(1)]
    pub name: Text<64>,
    /// How much there was; absent where it was not detected.
    #[n(2)]
    pub value: Option<Measure>,
    /// How much there may be.
    #[n(3)]
    pub limit: Option<Measure>,
}

/// What came out of an inspection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum InspectionVerdict {
    /// All is as it should be.
    #[n(1)]
    Passed,
    /// Something is not.
    #[n(2)]
    Failed,
    /// It cannot be said.
    #[n(3)]
    Inconclusive,
}

/// Body of produce.inspected.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize)]
#[cbor(map)]
pub struct ProduceInspected {
    /// The sample.
    #[n(1)]
    pub sample: Text<64>,
    /// By which method.
    #[n(2)]
    pub method: Text<128>,
    /// What was looked for.
    #[n(3)]
    pub analytes: Vec<Analyte>,
    /// What came out.
    #[n(4)]
    pub verdict: InspectionVerdict,
    /// The report.
    #[n(5)]
    pub document: Option<Document>,
    /// Where.
    #[n(6)]
    pub place: Option<SubjectId>,
}
