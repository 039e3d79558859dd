//! How well an event is proven: accepted by this node, anchored, or anchored for good.

use crate::state::{AnchorView, AnchoringStatus};
use serde::Serialize;
use utoipa::ToSchema;

/// How far the proof of an event has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Proven {
    /// Durable in this node's log.
    Accepted,
    /// Covered by an anchor that is deep enough in the chain and was read back.
    Anchored,
    /// Covered by an anchor in a final block.
    Final,
}

/// The proof state of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct ProofState {
    /// How far it has come.
    pub(crate) state: Proven,
    /// The oldest anchor that covers it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) anchor: Option<u64>,
}

/// Tells the proof states of many events at one moment.
pub(crate) struct Proofs<'a> {
    view: &'a dyn AnchorView,
    status: AnchoringStatus,
    /// Of the anchor found last: neighbours in a history mostly share it.
    last: std::cell::Cell<Option<(u64, u64, u64)>>,
}

impl<'a> Proofs<'a> {
    /// As of now.
    pub(crate) fn of(view: &'a dyn AnchorView) -> Self {
        Self { status: view.status(), view, last: std::cell::Cell::new(None) }
    }

    /// Of the event at this index of the log.
    pub(crate) fn at(&self, log_index: u64) -> ProofState {
        let state = if log_index < self.status.final_size {
            Proven::Final
        } else if log_index < self.status.anchored_size {
            Proven::Anchored
        } else {
            return ProofState { state: Proven::Accepted, anchor: None };
        };
        ProofState { state, anchor: self.covering(log_index) }
    }

    /// An index below one that an anchor covers may have an older one, so the last is reused for its own range only:
    /// from the lowest index seen to be its up to its size.
    fn covering(&self, log_index: u64) -> Option<u64> {
        if let Some((sequence, lowest, size)) = self.last.get()
            && (lowest..size).contains(&log_index)
        {
            return Some(sequence);
        }
        let anchor = self.view.covering(log_index)?;
        let lowest = match self.last.get() {
            Some((sequence, lowest, _)) if sequence == anchor.sequence => lowest.min(log_index),
            _ => log_index,
        };
        self.last.set(Some((anchor.sequence, lowest, anchor.size)));
        Some(anchor.sequence)
    }
}
