//! Rows whose values are the ledger's own.

use minicbor::Encode;
use provenance::admission::{Judged, Judgement};
use provenance::event::SignedEvent;
use provenance::id::EventId;
use store::{EventRow, StoreError};

/// What an [`EventRow`] is made of, to be written without copying it first.
#[derive(Debug, Encode)]
#[cbor(array)]
pub(crate) struct JudgedEvent<'a> {
    #[cbor(n(0), with = "minicbor::bytes")]
    pub bytes: &'a [u8],
    #[n(1)]
    pub judgement: &'a Judgement,
}

impl<'a> JudgedEvent<'a> {
    pub fn of(judged: &'a Judged) -> Self {
        Self { bytes: judged.event.bytes(), judgement: &judged.judgement }
    }
}

/// The event of this id, with its judgement, from what the disk has of it.
pub(crate) fn read_judged(id: &EventId, row: EventRow) -> Result<Judged, StoreError> {
    Ok(Judged { judgement: read_judgement(id, &row)?, event: read_event(id, row.bytes)? })
}

/// What admission said of the event of this id.
pub(crate) fn read_judgement(id: &EventId, row: &EventRow) -> Result<Judgement, StoreError> {
    minicbor::decode(&row.judgement).map_err(|error| damaged(format!("judgement of {id}: {error}")))
}

/// The event of this id from its bytes on the disk.
pub(crate) fn read_event(id: &EventId, bytes: Vec<u8>) -> Result<SignedEvent, StoreError> {
    let event = SignedEvent::decode(bytes).map_err(|error| damaged(format!("event {id}: {error}")))?;
    if event.id() != *id {
        return Err(damaged(format!("the bytes of {id} are those of {}", event.id())));
    }
    Ok(event)
}

/// What is said of an event that cannot be read.
pub(crate) fn damaged(detail: String) -> StoreError {
    StoreError::Corrupt { column: "entries", detail }
}
