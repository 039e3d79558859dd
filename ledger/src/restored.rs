//! What a ledger that was restored from a backup does not know of itself.
//!
//! Since the backup was made, the node may have appended entries and signed checkpoints and events. Until it has found
//! them again, it must sign neither: a log that goes on in two ways, or a journal that does, can never be mended.
//!
//! A backup bears the mark already, so that nobody goes on with a copy of it by mistake.
//!
//! There are two marks on the disk. `restored` stands until the log is complete again or has a new key; while it
//! stands, the ledger signs no checkpoint and appends nothing but its own old entries. `unconfirmed` names the keys whose
//! journals may have gone on elsewhere; no event is signed with one of them.

use crate::ledger::Ledger;
use minicbor::{Decode, Encode};
use provenance::id::PublicKey;
use std::collections::BTreeSet;
use store::{Column, Held, HeldByMissing, Meta, Store, StoreError, Table};

const RESTORED: &str = "restored";
const UNCONFIRMED: &str = "unconfirmed";
const RENAMED: &str = "new_log_key";

/// Where a store came from that was restored from a backup.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Restored {
    /// The key of the log at the time of the backup.
    #[n(0)]
    pub log: PublicKey,
    /// Entries of the log in the backup.
    #[n(1)]
    pub size: u64,
    /// The newest checkpoint in the backup, as a note.
    #[n(2)]
    pub note: Option<String>,
    /// When the backup was made, in milliseconds since 1970.
    #[n(3)]
    pub backup_ms: u64,
}

impl Restored {
    /// The mark of a store, if it has one.
    pub fn of(store: &Store) -> Result<Option<Self>, StoreError> {
        read(store, RESTORED)
    }

    /// Marks a store. What it held for later is forgotten, since it could slip in between the entries that are to come.
    pub fn mark(&self, store: &Store) -> Result<(), StoreError> {
        let mut batch = store.batch();
        batch.clear(Held::COLUMN);
        batch.clear(HeldByMissing::COLUMN);
        batch.put::<Meta>(&RESTORED.to_owned(), &minicbor::to_vec(self).expect("writing to a vector cannot fail"));
        batch.commit_synced()
    }
}

/// The keys with which nothing is signed yet.
pub fn unconfirmed_journals(store: &Store) -> Result<BTreeSet<PublicKey>, StoreError> {
    Ok(read::<Vec<PublicKey>>(store, UNCONFIRMED)?.unwrap_or_default().into_iter().collect())
}

/// Trusts that nothing was signed with these keys that the store does not hold; on a store that no ledger has open.
/// Returns how many of them were not confirmed before.
pub fn trust_journals(store: &Store, keys: &[PublicKey]) -> Result<usize, StoreError> {
    let mut open = unconfirmed_journals(store)?;
    let before = open.len();
    for key in keys {
        open.remove(key);
    }
    let mut batch = store.batch();
    write_unconfirmed(&mut batch, &open);
    batch.commit_synced()?;
    Ok(before - open.len())
}

impl Ledger {
    /// Where the store came from, while its log is not complete.
    pub fn restored(&self) -> Option<&Restored> {
        self.restored_mark()
    }

    /// Ends the recovery of the log for the next time that the ledger is opened: its log is complete, or `renamed` to a
    /// new key. From then on these keys sign only after [`Ledger::confirm_journals`].
    pub fn settle_log(&self, keys: &[PublicKey], renamed: bool) -> Result<(), StoreError> {
        let store = self.reader().store();
        let mut batch = store.batch();
        let mut open = unconfirmed_journals(store)?;
        open.extend(keys);
        write_unconfirmed(&mut batch, &open);
        if let Some(mark) = self.restored().filter(|_| renamed) {
            batch.put::<Meta>(&RENAMED.to_owned(), &mark.log.as_bytes().to_vec());
        }
        batch.delete::<Meta>(&RESTORED.to_owned());
        batch.commit_synced()
    }

    /// Whether the log has a new key since it was restored, which the network has still to be told.
    pub fn has_new_log_key(&self) -> Result<bool, StoreError> {
        self.reader().store().contains::<Meta>(&RENAMED.to_owned())
    }

    /// The key that the log had before it got the new one; none where that is not known, or no new key is to be told.
    pub fn former_log_key(&self) -> Result<Option<PublicKey>, StoreError> {
        let bytes = self.reader().store().get::<Meta>(&RENAMED.to_owned())?;
        Ok(bytes.and_then(|bytes| bytes.try_into().ok()).map(PublicKey::from_bytes))
    }

    /// The network knows the new key.
    pub fn log_key_is_known(&self) -> Result<(), StoreError> {
        let mut batch = self.reader().store().batch();
        batch.delete::<Meta>(&RENAMED.to_owned());
        batch.commit_synced()
    }

    /// The keys whose journals may have gone on where this node does not see it.
    pub fn unconfirmed_journals(&self) -> BTreeSet<PublicKey> {
        self.lock_unconfirmed().clone()
    }

    /// Whether the journal of this key may have gone on where this node does not see it.
    pub(crate) fn is_unconfirmed(&self, key: &PublicKey) -> bool {
        self.lock_unconfirmed().contains(key)
    }

    /// Others have confirmed where the journals of these keys end.
    pub fn confirm_journals(&self, keys: &[PublicKey]) -> Result<(), StoreError> {
        let mut unconfirmed = self.lock_unconfirmed();
        trust_journals(self.reader().store(), keys)?;
        for key in keys {
            unconfirmed.remove(key);
        }
        Ok(())
    }
}

fn read<T: for<'b> Decode<'b, ()>>(store: &Store, key: &str) -> Result<Option<T>, StoreError> {
    let corrupt = |_| StoreError::Corrupt { column: Column::Meta.name(), detail: format!("'{key}' cannot be read") };
    store.get::<Meta>(&key.to_owned())?.map(|bytes| minicbor::decode(&bytes).map_err(corrupt)).transpose()
}

fn write_unconfirmed(batch: &mut store::Batch, keys: &BTreeSet<PublicKey>) {
    if keys.is_empty() {
        batch.delete::<Meta>(&UNCONFIRMED.to_owned());
        return;
    }
    let keys: Vec<PublicKey> = keys.iter().copied().collect();
    batch.put::<Meta>(&UNCONFIRMED.to_owned(), &minicbor::to_vec(keys).expect("writing to a vector cannot fail"));
}
