//! What this node keeps of other logs for their owners, should one of them be restored from a backup.
//!
//! A restored log must go on with exactly the entries that it had, in their order, or two versions of it would be in
//! the world. The events themselves are in every log; only their order is nowhere else. So the ids of the newest entries
//! of every enrolled log are kept, 32 bytes for each, and the newest checkpoint that the log has signed.

use super::Witness;
use crate::view::node_of_log;
use provenance::checkpoint::{Checkpoint, CheckpointError};
use provenance::id::{EventId, PublicKey};
use provenance::note::Note;
use store::{Batch, Range, Store, StoreError, WitnessedIds, WitnessedLogRow, WitnessedLogs};

/// Entries in one row, as in a tile of hashes: 8 KiB.
const PAGE: u64 = 256;

/// Bytes of an id.
const ID: usize = 32;

/// What is kept of a log.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KeptLog {
    /// The newest checkpoint that it has signed, as a note.
    pub note: Option<String>,
    /// How many entries it has had at least: the index after the newest that is kept.
    pub next: u64,
    /// Ids of its entries from the index that was asked for; none if that one is not kept.
    pub ids: Vec<EventId>,
}

impl Witness {
    /// Keeps entries of an enrolled log, `from` being the index of the first. What is kept already stays; what does not
    /// go on from it, or shows another entry where both meet, is left out, and comes again when this node cosigns.
    pub fn keep(&self, log: &PublicKey, from: u64, ids: &[EventId]) -> Result<(), StoreError> {
        let _turn = self.0.lock_witnessed();
        if node_of_log(self.0.reader(), log)?.is_none() {
            return Ok(());
        }
        let store = self.0.reader().store();
        let next = store.get::<WitnessedLogs>(log)?.unwrap_or_default().next;
        if let Some(last) = next.checked_sub(1).filter(|last| *last >= from) {
            let at = usize::try_from(last - from).ok();
            if self.kept(log, last, 1)?.ids.first() != at.and_then(|at| ids.get(at)) {
                return Ok(());
            }
        }
        let mut batch = store.batch();
        keep(store, &mut batch, log, from, ids, self.0.witnessed_entries())?;
        if batch.is_empty() { Ok(()) } else { batch.commit() }
    }

    /// Keeps a checkpoint that an enrolled log has signed, unless a newer one is kept.
    pub fn keep_note(&self, log: &PublicKey, note: &str) -> Result<(), KeepNoteError> {
        let size = size_of(note, log)?;
        let _turn = self.0.lock_witnessed();
        if node_of_log(self.0.reader(), log)?.is_none() {
            return Ok(());
        }
        let store = self.0.reader().store();
        let mut row = store.get::<WitnessedLogs>(log)?.unwrap_or_default();
        if row.note.as_deref().is_some_and(|kept| size_of(kept, log).is_ok_and(|kept| kept >= size)) {
            return Ok(());
        }
        row.note = Some(note.to_owned());
        let mut batch = store.batch();
        batch.put::<WitnessedLogs>(log, &row);
        // It may be all that tells a restored log how far it had come.
        Ok(batch.commit_synced()?)
    }

    /// What is kept of a log, with at most `max` of its entries from index `from` on.
    pub fn kept(&self, log: &PublicKey, from: u64, max: usize) -> Result<KeptLog, StoreError> {
        let store = self.0.reader().store();
        let row = store.get::<WitnessedLogs>(log)?.unwrap_or_default();
        let mut ids = Vec::new();
        if from >= row.first && from < row.next {
            let count = usize::try_from(row.next - from).map_or(max, |left| left.min(max));
            let mut skipped = usize::try_from(from % PAGE).expect("a page has 256 ids");
            for page in store.scan::<WitnessedIds>(Range::prefix(log).from(&(*log, from / PAGE))) {
                let (_, page) = page?;
                ids.extend(page.as_chunks::<ID>().0.iter().skip(skipped).map(|id| EventId::from_bytes(*id)));
                skipped = 0;
                if ids.len() >= count {
                    break;
                }
            }
            ids.truncate(count);
        }
        Ok(KeptLog { note: row.note, next: row.next, ids })
    }
}

/// Why a note is not kept.
#[derive(Debug, thiserror::Error)]
pub enum KeepNoteError {
    /// Not a checkpoint that the log has signed.
    #[error(transparent)]
    Note(#[from] CheckpointError),
    /// The store cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn size_of(note: &str, log: &PublicKey) -> Result<u64, CheckpointError> {
    Ok(Checkpoint::of_note(&Note::parse(note)?, log)?.size)
}

/// Writes what goes on from the entries that are kept, and removes pages that are older than the newest `most` entries.
pub(super) fn keep(
    store: &Store,
    batch: &mut Batch,
    log: &PublicKey,
    from: u64,
    ids: &[EventId],
    most: u64,
) -> Result<(), StoreError> {
    if most == 0 {
        return Ok(());
    }
    let mut row = store.get::<WitnessedLogs>(log)?.unwrap_or_default();
    let known = row.next.checked_sub(from).and_then(|known| usize::try_from(known).ok());
    let Some(fresh) = known.and_then(|known| ids.get(known..)).filter(|fresh| !fresh.is_empty()) else {
        return Ok(());
    };
    let mut page = store.get::<WitnessedIds>(&(*log, row.next / PAGE))?.unwrap_or_default();
    page.truncate(usize::try_from(row.next % PAGE).expect("a page has 256 ids") * ID);
    for id in fresh {
        page.extend_from_slice(id.as_bytes());
        row.next += 1;
        if row.next % PAGE == 0 {
            batch.put::<WitnessedIds>(&(*log, row.next / PAGE - 1), &page);
            page.clear();
        }
    }
    if !page.is_empty() {
        batch.put::<WitnessedIds>(&(*log, row.next / PAGE), &page);
    }
    let oldest = row.next.saturating_sub(most) / PAGE;
    for number in row.first / PAGE..oldest {
        batch.delete::<WitnessedIds>(&(*log, number));
    }
    row.first = row.first.max(oldest * PAGE);
    batch.put::<WitnessedLogs>(log, &row);
    Ok(())
}

/// Forgets the entries of a log; the note stays.
pub(super) fn forget(store: &Store, batch: &mut Batch, log: &PublicKey) -> Result<(), StoreError> {
    let Some(WitnessedLogRow { note, .. }) = store.get::<WitnessedLogs>(log)? else { return Ok(()) };
    for row in store.scan::<WitnessedIds>(Range::prefix(log)) {
        batch.delete::<WitnessedIds>(&row?.0);
    }
    batch.put::<WitnessedLogs>(log, &WitnessedLogRow { note, ..WitnessedLogRow::default() });
    Ok(())
}
