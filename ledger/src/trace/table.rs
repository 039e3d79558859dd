//! Rows of lineage.

use minicbor::{Decode, Encode};
use provenance::id::{EventId, SubjectId};
use store::{Cbor, Column, Empty, Table};

/// Links in one row: a row that grows is written again with each link, so it stays below a block of the disk.
pub(super) const PAGE_LINKS: usize = 64;

/// How one subject came out of another. The numbers stand on the disk.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, serde::Serialize, serde::Deserialize,
)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// A part of it was taken, as a lot of its own.
    #[n(0)]
    Part,
    /// A part of it was given back, as a lot of its own.
    #[n(1)]
    Returned,
    /// It went into the making.
    #[n(2)]
    Made,
    /// It was packed into a unit.
    #[n(3)]
    Packed,
    /// It was taken out of a unit.
    #[n(4)]
    Unpacked,
}

/// The other end of a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub(super) struct Link {
    #[n(0)]
    pub subject: SubjectId,
    #[n(1)]
    pub event: EventId,
    #[n(2)]
    pub how: How,
}

/// Some links of a subject in one direction.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub(super) struct LinkRow {
    /// How many pages there are behind page 0; told there alone.
    #[n(0)]
    pub behind: u32,
    #[n(1)]
    pub links: Vec<Link>,
}

/// [`Column::Lineage`].
#[derive(Debug)]
pub(super) struct Links;

impl Table for Links {
    const COLUMN: Column = Column::Lineage;
    type Key = (SubjectId, u8, u32);
    type Value = LinkRow;
    type Encoding = Cbor;
}

/// [`Column::Whereabouts`].
#[derive(Debug)]
pub(super) struct Whereabouts;

impl Table for Whereabouts {
    const COLUMN: Column = Column::Whereabouts;
    type Key = (SubjectId, u64, SubjectId, EventId);
    type Value = ();
    type Encoding = Empty;
}

/// [`Column::Claims`].
#[derive(Debug)]
pub(crate) struct Claims;

impl Claims {
    /// Rows of certificates.
    pub(crate) const CERTIFICATE: u8 = 0;
    /// Rows of lots.
    pub(crate) const LOT: u8 = 1;
}

impl Table for Claims {
    const COLUMN: Column = Column::Claims;
    type Key = (String, u8, SubjectId, EventId);
    type Value = ();
    type Encoding = Empty;
}
