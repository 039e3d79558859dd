//! Openings of sealed fields: where they stand in the event, and how they lie on the disk.

use super::submission::{Desk, Signed};
use provenance::cbor;
use provenance::id::EventId;
use provenance::seal::Opening;
use store::{Openings, StoreError};

/// Path of the personal name in actor.enrolled. Paths are field numbers from the body downwards,
/// and in an array the position, from 0.
pub const PERSONAL_NAME: &[u8] = &[6];
/// Path of the exact point in place.registered.
pub const EXACT_POINT: &[u8] = &[5];
/// Path of the harvester in produce.registered.
pub const HARVESTER: &[u8] = &[10];
/// Path of the price in produce.registered.
pub const REGISTERED_PRICE: &[u8] = &[11];
/// Path of the price in `produce.price_updated`.
pub const UPDATED_PRICE: &[u8] = &[1];
/// Path of an outside party's name in transfer.offered.
pub const OUTSIDE_NAME: &[u8] = &[2, 1];
/// Path of the price in transfer.offered.
pub const OFFERED_PRICE: &[u8] = &[8];
/// Path of the replacements in event.corrected; the number of the field follows.
pub(super) const REPLACEMENT: u8 = 3;

/// A sealed field of an event that has no id yet: its path and what opens it.
pub(super) type FieldOpening = (Vec<u8>, Opening);

/// Writes openings, before their events: a crash between the two leaves an opening that opens
/// nothing, never an event whose sealed fields are lost.
pub(super) fn keep<'a>(desk: &Desk, events: impl IntoIterator<Item = &'a Signed>) -> Result<(), StoreError> {
    let mut batch = desk.ledger.reader().store().batch();
    for Signed { event, openings } in events {
        for (path, opening) in openings {
            let sealed = desk.means.at_rest.seal(&context(&event.id(), path), &cbor::to_vec(opening));
            batch.put::<Openings>(&(event.id(), path.clone()), &sealed);
        }
    }
    if batch.is_empty() { Ok(()) } else { batch.commit_synced() }
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
