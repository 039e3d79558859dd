//! Findings: facts about a lot that a reader should know, each with the events that prove it.
//!
//! [`of`] is a function of events alone, with integers only: whoever holds the same events finds the same, in whatever
//! order they came. Nothing here is ever a reason to refuse an event. docs/findings.md defines every kind of finding and argues its
//! constants.

mod agreement;
mod certificates;
mod codes;
mod cold_chain;
mod facts;
mod forks;
mod mass;
mod times;
mod travel;

pub use certificates::claim_texts;
pub use facts::{Agreement, Facts, Told};
pub(crate) use forks::on_one_link;
pub(crate) use times::{accepted_after_expiry, earlier_than};
pub use travel::distance_m;

use crate::id::{EventId, SubjectId};
use facts::Events;
use serde::{Deserialize, Serialize};

/// What is to be known. In the order of their names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FindingKind {
    /// An offer was accepted after it had expired.
    AfterExpiry,
    /// Something was told beside an accepted handover, or is overruled, and does not show.
    Beside,
    /// A claimed certificate was issued to others than those who registered the lot.
    CertificateOfOthers,
    /// A claimed certificate had expired when the lot was registered, or did not hold yet.
    CertificateOutOfDate,
    /// A claimed certificate was suspended or withdrawn when the lot was registered.
    CertificateSuspended,
    /// It was measured colder or warmer than the limits that were set.
    ColdChainBroken,
    /// Events exclude each other, and nothing has settled it.
    Conflict,
    /// An event was corrected afterwards.
    Corrected,
    /// A trade item number begins with none of the company prefixes of those who use it.
    ForeignCodes,
    /// It was told to be at two places, with too little time to get from one to the other.
    ImpossibleTravel,
    /// One key signed two events on one link of its journal.
    JournalFork,
    /// An event was signed long after that of which it tells.
    LateEntry,
    /// More came out of a transformation than went in.
    MassBalance,
    /// A handover bears one signature, because the other party is outside the network.
    OneSided,
    /// It, or what it came from, is recalled, and the recall has not ended.
    Recalled,
    /// Events excluded each other; an accepted handover was followed.
    SettledConflict,
    /// An event claims an earlier time than one that it extends.
    TimeRunsBackwards,
    /// More was registered under a certificate than it allows.
    VolumeCapExceeded,
}

/// A finding.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Finding {
    /// What it is.
    pub finding: FindingKind,
    /// Whom it concerns: the lot; of a fork, who signed; of a certificate, the certificate.
    pub subject: SubjectId,
    /// What proves it; ascending, distinct.
    pub events: Vec<EventId>,
}

impl Finding {
    fn new(finding: FindingKind, subject: SubjectId, events: impl IntoIterator<Item = EventId>) -> Self {
        let mut events: Vec<EventId> = events.into_iter().collect();
        events.sort_unstable();
        events.dedup();
        Self { finding, subject, events }
    }
}

/// All findings about a lot, in their order.
pub fn of(facts: &Facts) -> Vec<Finding> {
    let events = Events::of(facts);
    let mut found = agreement::findings(facts, &events);
    found.extend(certificates::findings(&events));
    found.extend(codes::findings(&events));
    found.extend(cold_chain::findings(&events));
    found.extend(forks::findings(&events));
    found.extend(mass::findings(&events));
    found.extend(times::findings(&events));
    found.extend(travel::findings(&events));
    found.sort_unstable();
    found.dedup();
    found
}
