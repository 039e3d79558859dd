//! Whether the network was ever more than this node. A private network that is just being founded lets anyone in, and
//! must not do so again when its other nodes have left.

use crate::ledger::Ledger;
use store::{Meta, StoreError};

const FOUNDED: &str = "founded";

impl Ledger {
    /// Whether other nodes were ever enrolled, as far as [`Ledger::note_founded`] was told.
    pub fn is_founded(&self) -> Result<bool, StoreError> {
        self.reader().store().contains::<Meta>(&FOUNDED.to_owned())
    }

    /// Notes for good that another node was enrolled.
    pub fn note_founded(&self) -> Result<(), StoreError> {
        let mut batch = self.reader().store().batch();
        batch.put::<Meta>(&FOUNDED.to_owned(), &Vec::new());
        batch.commit_synced()
    }
}
