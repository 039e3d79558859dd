//! Openings of sealed fields: how they lie on the disk.

use super::submission::{Desk, Signed};
use provenance::cbor;
use provenance::id::EventId;
use provenance::seal::Opening;
use store::{Batch, Openings, StoreError};

/// A sealed field of an event: its path and what opens it.
pub(super) type FieldOpening = (Vec<u8>, Opening);

/// Writes openings, before their events: a crash between the two leaves an opening that opens
/// nothing, never an event whose sealed fields are lost.
pub(super) fn keep<'a>(desk: &Desk, events: impl IntoIterator<Item = &'a Signed>) -> Result<(), StoreError> {
    let mut batch = desk.ledger.reader().store().batch();
    for Signed { event, openings, .. } in events {
        for (path, opening) in openings {
            put(desk, &mut batch, &event.id(), path, opening);
        }
    }
    if batch.is_empty() { Ok(()) } else { batch.commit_synced() }
}

/// Encrypts an opening and adds it to a batch.
pub(super) fn put(desk: &Desk, batch: &mut Batch, event: &EventId, path: &[u8], opening: &Opening) {
    let sealed = desk.means.at_rest.seal(&context(event, path), &cbor::to_vec(opening));
    batch.put::<Openings>(&(*event, path.to_vec()), &sealed);
}

/// Removes the openings of an event that was refused. Where that fails they open nothing.
pub(super) fn discard(desk: &Desk, refused: &Signed) {
    if refused.openings.is_empty() {
        return;
    }
    let mut batch = desk.ledger.reader().store().batch();
    for (path, _) in &refused.openings {
        batch.delete::<Openings>(&(refused.event.id(), path.clone()));
    }
    if let Err(error) = batch.commit() {
        tracing::warn!(%error, event = %refused.event.id(), "openings of a refused event could not be removed");
    }
}

/// What opens a field.
pub(super) fn read(desk: &Desk, event: &EventId, path: &[u8]) -> Result<Option<Opening>, StoreError> {
    let Some(sealed) = desk.ledger.reader().store().get::<Openings>(&(*event, path.to_vec()))? else { return Ok(None) };
    let damaged = |what: &str| StoreError::Corrupt { column: "openings", detail: format!("event {event}: {what}") };
    let plain = desk.means.at_rest.open(&context(event, path), &sealed);
    let plain = plain.ok_or_else(|| damaged("it was changed, or encrypted under another key"))?;
    cbor::from_slice(&plain).map(Some).map_err(|error| damaged(&error.to_string()))
}

/// Binds an encrypted opening to its row.
fn context(event: &EventId, path: &[u8]) -> Vec<u8> {
    [event.as_bytes().as_slice(), path].concat()
}
