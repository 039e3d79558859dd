//! Bodies of event.confirmed and event.disputed: what parties say of what others told.

use super::Document;
use crate::id::EventId;
use crate::value::Text;
use minicbor::{Decode, Encode};

/// Body of event.confirmed.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize)]
#[cbor(map)]
pub struct EventConfirmed {
    /// The event.
    #[n(1)]
    pub target: EventId,
    /// How it was confirmed, such as by signature on paper.
    #[n(2)]
    pub method: Text<128>,
    /// What shows it.
    #[n(3)]
    pub evidence: Option<Document>,
}

/// Body of event.disputed.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize)]
#[cbor(map)]
pub struct EventDisputed {
    /// The event.
    #[n(1)]
    pub target: EventId,
    /// What is not so.
    #[n(2)]
    pub reason: Text<512>,
    /// What shows it.
    #[n(3)]
    pub evidence: Option<Document>,
}
