//! Tables whose values are the ledger's own.

use minicbor::{Decode, Encode};
use provenance::admission::Judgement;
use provenance::id::EventId;
use store::{Cbor, Column, Table};

/// What admission said of an event, and where it stands in the log.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub(crate) struct JudgementRow {
    /// Index in the log; none for a void event, which is only a link of its journal.
    #[n(0)]
    pub index: Option<u64>,
    #[n(1)]
    pub judgement: Judgement,
}

/// The same row where the judgement is another's.
#[derive(Debug, Encode)]
#[cbor(array)]
pub(crate) struct JudgementOf<'a> {
    #[n(0)]
    pub index: Option<u64>,
    #[n(1)]
    pub judgement: &'a Judgement,
}

/// [`Column::Judgements`].
#[derive(Debug)]
pub(crate) struct Judgements;

impl Table for Judgements {
    const COLUMN: Column = Column::Judgements;
    type Key = EventId;
    type Value = JudgementRow;
    type Encoding = Cbor;
}
