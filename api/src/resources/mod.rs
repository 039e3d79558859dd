//! The resources, each with its representation, its handlers and its actions.

pub(crate) mod actors;
pub(crate) mod amendments;
pub(crate) mod anchors;
pub(crate) mod certificates;
pub(crate) mod conditions;
pub(crate) mod entry;
pub(crate) mod events;
pub(crate) mod log;
pub(crate) mod network;
pub(crate) mod peers;
pub(crate) mod places;
pub(crate) mod produces;
pub(crate) mod recall_reports;
pub(crate) mod recalls;
pub(crate) mod snapshots;
pub(crate) mod status;
pub(crate) mod transfers;
pub(crate) mod transformations;
pub(crate) mod units;
pub(crate) mod verifications;
