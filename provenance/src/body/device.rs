//! Bodies of device.attached and device.detached: what a device travels with.

use crate::id::SubjectId;
use crate::value::Timestamp;
use minicbor::{Decode, Encode};

/// Body of device.attached.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize)]
#[cbor(map)]
pub struct DeviceAttached {
    /// To what: a lot, a unit or a place.
    #[n(1)]
    pub to: SubjectId,
    /// Since when.
    #[n(2)]
    pub from: Timestamp,
    /// Until when, if that is known.
    #[n(3)]
    pub until: Option<Timestamp>,
}

/// Body of device.detached.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize)]
#[cbor(map)]
pub struct DeviceDetached {
    /// From what.
    #[n(1)]
    pub from: SubjectId,
    /// When.
    #[n(2)]
    pub at: Timestamp,
}
