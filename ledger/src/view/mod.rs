//! The views of the API: lots, units, handovers, actors, places, certificates and recalls as all events that count show
//! them.
//!
//! A row is a function of the set of admitted events and of nothing else: no log index, no time of
//! arrival, no clock. So nodes that hold the same events hold the same bytes, and a view can be
//! made again from zero at any time. [`ViewFollower`] writes the rows, [`Views`] reads them.

mod actor;
mod certificate;
mod facet;
mod follower;
mod going_on;
mod history;
mod holding;
mod kept_rows;
mod lineage;
mod network;
mod page;
mod place;
mod produce;
mod query;
mod recall;
mod transfer;
mod unit;
mod whereabouts;

pub(crate) use actor::node_of_log;
pub use actor::{ActorRow, Attachment};
pub use certificate::{CertificateRow, CertificateStanding, CertificateStep};
pub use follower::ViewFollower;
pub use history::HistoryEntry;
pub(crate) use history::of_subject;
pub use holding::LotStanding;
pub use network::{AmendmentRow, AmendmentState, NetworkRow};
pub use page::{Cursor, CursorError, Page, PageSize};
pub use place::PlaceRow;
pub(crate) use produce::Produces;
pub use produce::{HandledStep, LotOrigin, ProduceRow};
pub use query::{
    ActorFilter, CertificateFilter, PlaceFilter, ProduceFilter, RecallFilter, TransferFilter, UnitFilter, Views,
};
pub use recall::{Capacity, RecallRow, RecalledLot};
pub use transfer::{TransferLine, TransferRow, TransferState};
pub use unit::UnitRow;
