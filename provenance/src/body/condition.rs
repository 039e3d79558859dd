//! Body of condition.measured: what a device measured over a period.

use super::Document;
use crate::id::SubjectId;
use crate::value::{Measure, Text, Timestamp};
use minicbor::{Decode, Encode};

/// From one moment to another. Whether the end comes after the start is a rule of the kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize)]
#[cbor(array)]
pub struct Period {
    /// The first moment.
    #[n(0)]
    pub start: Timestamp,
    /// The last moment.
    #[n(1)]
    pub end: Timestamp,
}

/// Body of condition.measured: a summary of many readings.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize)]
#[cbor(map)]
pub struct ConditionMeasured {
    /// What was measured, such as temperature.
    #[n(1)]
    pub property: Text<64>,
    /// When.
    #[n(2)]
    pub period: Period,
    /// The lowest reading.
    #[n(3)]
    pub lowest: Measure,
    /// The highest reading.
    #[n(4)]
    pub highest: Measure,
    /// The mean of the readings.
    #[n(5)]
    pub mean: Option<Measure>,
    /// How many readings there were.
    #[n(6)]
    pub readings: u64,
    /// The raw series.
    #[n(7)]
    pub series: Option<Document>,
    /// Where.
    #[n(8)]
    pub place: Option<SubjectId>,
}
