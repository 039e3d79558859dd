//! What a node makes of its events, in a form in which two nodes can be compared.

use crate::violation::Broken;
use ledger::SteppedLedger;
use ledger::trace::Lineage;
use ledger::view::Views;
use provenance::merkle::Hash;

/// Everything that a node shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Shown {
    views: [u8; 32],
    lineage: [u8; 32],
    state_root: Hash,
}

impl Shown {
    /// Of a ledger whose followers have read all of its log.
    pub fn of(ledger: &SteppedLedger) -> Result<Self, Broken> {
        let ledger = ledger.ledger();
        let views = Views::new(ledger.reader().clone()).digest().map_err(Broken::failed)?;
        let lineage = Lineage::new(ledger.reader().clone()).digest().map_err(Broken::failed)?;
        let cut = ledger.newest_cut().map_err(Broken::failed)?;
        if cut.size != ledger.size() {
            return Err(Broken::Failed(format!("the state map is cut at {} of {} entries", cut.size, ledger.size())));
        }
        Ok(Self { views, lineage, state_root: cut.state_root })
    }
}
