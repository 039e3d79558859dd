//! Bodies of certificate.issued and certificate.status.

use super::{Commodity, Document};
use crate::id::SubjectId;
use crate::value::{DateRange, Quantity, Text, Timestamp};
use minicbor::{Decode, Encode};

/// Body of certificate.issued: who may sell what under a scheme.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize)]
#[cbor(map)]
pub struct CertificateIssued {
    /// The scheme, such as organic.
    #[n(1)]
    pub scheme: Text<64>,
    /// Its number, by which lots claim it.
    #[n(2)]
    pub number: Text<64>,
    /// For whom it holds; ascending, distinct.
    #[n(3)]
    pub operators: Vec<SubjectId>,
    /// For which places; ascending, distinct.
    #[n(4)]
    pub places: Option<Vec<SubjectId>>,
    /// For which commodities; ascending, distinct.
    #[n(5)]
    pub commodities: Option<Vec<Commodity>>,
    /// On which days it holds.
    #[n(6)]
    pub valid: DateRange,
    /// How much may be sold under it.
    #[n(7)]
    pub volume_cap: Option<Quantity>,
    /// The certificate itself.
    #[n(8)]
    pub document: Option<Document>,
}

/// How a certificate stands from a moment on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum CertificateState {
    /// For the time being it does not hold.
    #[n(1)]
    Suspended,
    /// It holds no more.
    #[n(2)]
    Withdrawn,
    /// It holds again.
    #[n(3)]
    Reinstated,
}

/// Body of certificate.status.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize)]
#[cbor(map)]
pub struct CertificateStatus {
    /// How it stands.
    #[n(1)]
    pub state: CertificateState,
    /// Since when.
    #[n(2)]
    pub from: Timestamp,
    /// Why.
    #[n(3)]
    pub reason: Option<Text<512>>,
}
