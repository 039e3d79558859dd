//! Rows whose values are the ledger's own.

use minicbor::Encode;
use provenance::admission::{Judged, Judgement};
use provenance::event::SignedEvent;
use provenance::id::EventId;
use std::fmt::Display;
use store::{Column, EventRow, StoreError};

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

/// Whose row it is, for what is said of one that cannot be read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RowOf<'a> {
    pub id: &'a EventId,
    /// The entry of the log, where that is known and it is one.
    pub index: Option<u64>,
}

impl RowOf<'_> {
    /// The row, which has to be there.
    pub fn found(self, row: Option<EventRow>) -> Result<EventRow, StoreError> {
        row.ok_or_else(|| self.damaged("is missing"))
    }

    /// The event and its judgement.
    pub fn judged(self, row: EventRow) -> Result<Judged, StoreError> {
        Ok(Judged { judgement: self.judgement(&row)?, event: self.event(row.bytes)? })
    }

    /// What admission said.
    pub fn judgement(self, row: &EventRow) -> Result<Judgement, StoreError> {
        minicbor::decode(&row.judgement).map_err(|error| self.damaged(format!("has no judgement: {error}")))
    }

    /// The event.
    pub fn event(self, bytes: Vec<u8>) -> Result<SignedEvent, StoreError> {
        let event = SignedEvent::decode(bytes).map_err(|error| self.damaged(format!("is none: {error}")))?;
        if event.id() != *self.id {
            return Err(self.is_another(&event.id()));
        }
        Ok(event)
    }

    /// Its bytes, which whoever gets them decodes.
    pub fn bytes(self, bytes: Vec<u8>) -> Result<Vec<u8>, StoreError> {
        let id = EventId::of(&bytes);
        if id == *self.id { Ok(bytes) } else { Err(self.is_another(&id)) }
    }

    fn is_another(self, other: &EventId) -> StoreError {
        self.damaged(format!("has the bytes of {other}"))
    }

    fn damaged(self, what: impl Display) -> StoreError {
        let entry = self.index.map(|index| format!("entry {index}, ")).unwrap_or_default();
        StoreError::Corrupt { column: Column::Entries.name(), detail: format!("{entry}event {} {what}", self.id) }
    }
}
