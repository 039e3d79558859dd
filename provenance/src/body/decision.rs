//! Body of dispute.resolved: which of the events that exclude each other stand.

use crate::id::EventId;
use crate::value::Text;
use minicbor::{Decode, Encode};

/// Body of dispute.resolved. The lot is the subject that the event touches.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize)]
#[cbor(map)]
pub struct DisputeResolved {
    /// The events that cannot all stand; ascending, distinct.
    #[n(1)]
    pub branches: Vec<EventId>,
    /// Those of them that stand; ascending, distinct.
    #[n(2)]
    pub stands: Vec<EventId>,
    /// Why.
    #[n(3)]
    pub reason: Text<512>,
    /// The decision that this one replaces.
    #[n(4)]
    pub replaces: Option<EventId>,
}
