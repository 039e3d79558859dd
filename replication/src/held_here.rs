//! What a ledger tells the machine of what it holds.

use crate::cursor::Cursor;
use crate::holdings::{Holdings, Known, StateRoot};
use ledger::Ledger;
use p2p::PeerId;
use provenance::id::{EventId, PublicKey};
use provenance::state_map::{Page, PageKey};
use store::StoreError;

impl Holdings for Ledger {
    fn network(&self) -> EventId {
        Ledger::network(self).id().as_event()
    }

    fn size(&self) -> u64 {
        Ledger::size(self)
    }

    fn known(&self, ids: &[EventId]) -> Result<Vec<Known>, StoreError> {
        let network = Holdings::network(self);
        let mut known: Vec<Known> = self
            .reader()
            .are_judged_alike(ids)?
            .into_iter()
            .zip(ids)
            .map(|(judged, id)| if judged || *id == network { Known::Judged } else { Known::No })
            .collect();
        for (known, id) in known.iter_mut().zip(ids) {
            if *known == Known::No && self.reader().awaits_upgrade(id)? {
                *known = Known::AwaitsUpgrade;
            }
        }
        Ok(known)
    }

    fn state_root(&self) -> Result<Option<StateRoot>, StoreError> {
        Ok(self.map_root()?.map(|(size, root)| StateRoot { size, root }))
    }

    fn map_page(&self, key: &PageKey) -> Result<Option<Page>, StoreError> {
        Ledger::map_page(self, key)
    }

    fn contradicts_itself(&self, log: &PublicKey) -> Result<bool, StoreError> {
        self.witness().contradicts_itself(log)
    }

    fn load_cursor(&self, peer: &PeerId, log: &PublicKey) -> Result<Cursor, StoreError> {
        Cursor::load(self, peer, log)
    }

    fn save_cursor(&self, peer: &PeerId, log: &PublicKey, cursor: &Cursor) -> Result<(), StoreError> {
        cursor.save(self, peer, log)
    }
}
