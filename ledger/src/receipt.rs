//! Receipts (RFC 9942) of this node's log, signed with its key when somebody asks for them.

use crate::ledger::Ledger;
use crate::log::LogError;
use provenance::id::EventId;
use provenance::origin::LogOrigin;
use provenance::receipt::{self, ConsistencyReceipt, Included, InclusionReceipt};

/// Why a receipt cannot be issued.
#[derive(Debug, thiserror::Error)]
pub enum ReceiptError {
    /// The log has no such entry or size, or no key.
    #[error(transparent)]
    Log(#[from] LogError),
    /// Not in the log at all.
    #[error("event {0} is not in this node's log; a void event never gets there")]
    NoEntry(EventId),
    /// In the log, but beyond the size.
    #[error(
        "the event is entry {index}, and the log of {size} entries ends before it; ask for a later size, or again when the next checkpoint is signed"
    )]
    NotCovered {
        /// Where it stands.
        index: u64,
        /// The size asked for.
        size: u64,
    },
    /// A proof that RFC 9942 does not carry, as that between equal sizes.
    #[error(transparent)]
    Receipt(#[from] receipt::ReceiptError),
}

impl Ledger {
    /// The log's signed word that it holds this event among its first `size` entries.
    pub fn inclusion_receipt(&self, event: &EventId, size: u64) -> Result<InclusionReceipt, ReceiptError> {
        let signer = self.log_signer().ok_or(LogError::NoKey)?;
        let stored = self.reader().stored(event).map_err(LogError::from)?;
        let index = stored.and_then(|stored| stored.index).ok_or(ReceiptError::NoEntry(*event))?;
        if index >= size {
            return Err(ReceiptError::NotCovered { index, size });
        }
        self.published(size)?;
        let found = self.inclusion(index, size)?;
        let included = Included { size, index, root: found.root };
        let sign = |bytes: &[u8]| signer.sign(bytes);
        Ok(InclusionReceipt::issue(&signer.key(), *event, &included, found.proof, sign)?)
    }

    /// The log's signed word that its first `new` entries begin with its first `old`.
    pub fn consistency_receipt(&self, old: u64, new: u64) -> Result<ConsistencyReceipt, ReceiptError> {
        let signer = self.log_signer().ok_or(LogError::NoKey)?;
        self.published(new)?;
        let path = self.consistency(old, new)?;
        let (before, after) = (self.root_at(old)?, self.root_at(new)?);
        let origin = LogOrigin { network: self.network().id(), key: signer.key() };
        let sign = |bytes: &[u8]| signer.sign(bytes);
        Ok(ConsistencyReceipt::issue(&origin, [old, new], [&before, &after], path, sign)?)
    }

    /// A receipt binds the log as a checkpoint does, so none goes beyond the newest checkpoint: a node that is
    /// restored from a backup finds again what it has published, and nothing more.
    fn published(&self, size: u64) -> Result<(), LogError> {
        let newest = self.newest_cut()?.size;
        if size > newest { Err(LogError::Range { size: newest }) } else { Ok(()) }
    }
}
