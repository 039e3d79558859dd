//! Findings: facts about a history that a reader should know. They are computed from it, never signed.

use crate::links;
use crate::problem::Problem;
use crate::refusal::storage;
use crate::state::ApiState;
use ledger::view::{HistoryEntry, ProduceRow};
use provenance::findings::FindingKind;
use provenance::id::{EventId, SubjectId};
use serde::Serialize;
use utoipa::ToSchema;

/// Findings shown of one lot: a flood of rivals is told as well by these.
const MAX_SHOWN: usize = 256;

/// Events cited in one finding.
const MAX_CITED: usize = 64;

/// One fact. `docs/findings.md` defines the kinds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Finding {
    /// Which sort of fact.
    #[schema(value_type = String)]
    pub(crate) kind: FindingKind,
    /// The fact in a sentence.
    pub(crate) detail: &'static str,
    /// Whom it concerns: the lot, a signer, a certificate.
    #[schema(value_type = String)]
    pub(crate) subject: SubjectId,
    /// The events that prove it, at most 64.
    #[schema(value_type = Vec<String>)]
    pub(crate) events: Vec<EventId>,
    /// Where there is a file that proves it without any node, or the list of such files.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) proof: Option<String>,
}

/// All findings about a lot.
pub(crate) fn findings(state: &ApiState, row: &ProduceRow, entries: &[HistoryEntry]) -> Result<Vec<Finding>, Problem> {
    let mut found = ledger::findings::of_lot(state.ledger.reader(), row, entries).map_err(storage)?;
    // However many others there are, none of them hides a recall.
    found.sort_by_key(|finding| finding.finding != FindingKind::Recalled);
    let shown = found.into_iter().take(MAX_SHOWN).map(|finding| Finding {
        kind: finding.finding,
        detail: detail(finding.finding),
        subject: finding.subject,
        events: finding.events.into_iter().take(MAX_CITED).collect(),
        proof: proof(finding.finding, &finding.subject),
    });
    Ok(shown.collect())
}

/// Where what needs nobody's word can be had.
fn proof(kind: FindingKind, subject: &SubjectId) -> Option<String> {
    match kind {
        FindingKind::Conflict | FindingKind::SettledConflict => Some(links::conflict(subject)),
        FindingKind::JournalFork => Some(links::actor_forks(subject)),
        _ => None,
    }
}

/// Whether it changes what somebody who is about to eat it should think of it.
pub(crate) fn concerns_consumers(kind: FindingKind) -> bool {
    use FindingKind as Kind;
    match kind {
        Kind::Recalled
        | Kind::ColdChainBroken
        | Kind::SettledConflict
        | Kind::Beside
        | Kind::Corrected
        | Kind::OneSided
        | Kind::CertificateOfOthers
        | Kind::CertificateOutOfDate
        | Kind::CertificateSuspended
        | Kind::VolumeCapExceeded
        | Kind::ImpossibleTravel
        | Kind::MassBalance => true,
        // A dispute has its own notice on the page; the rest is for those who audit.
        Kind::Conflict
        | Kind::AfterExpiry
        | Kind::ForeignCodes
        | Kind::JournalFork
        | Kind::LateEntry
        | Kind::TimeRunsBackwards => false,
    }
}

fn detail(kind: FindingKind) -> &'static str {
    use FindingKind as Kind;
    match kind {
        Kind::AfterExpiry => "An offer was accepted after it had expired.",
        Kind::Beside => "Events were signed beside what was followed; their values do not show.",
        Kind::CertificateOfOthers => {
            "A certificate is claimed that was issued to others than those who registered the lot."
        }
        Kind::CertificateOutOfDate => "A certificate is claimed that did not hold on the day of registration.",
        Kind::CertificateSuspended => {
            "A certificate is claimed that was suspended or withdrawn when the lot was registered."
        }
        Kind::ColdChainBroken => "It was measured colder or warmer than the limits that were set for it.",
        Kind::Conflict => {
            "Events of this lot exclude each other. Who holds how much is open until a signed decision settles it."
        }
        Kind::Corrected => "Events were corrected afterwards; what is shown is the corrected form.",
        Kind::ForeignCodes => {
            "A trade item number begins with none of the company prefixes that its users are known by."
        }
        Kind::ImpossibleTravel => "It was told to be at two places, with too little time to get from one to the other.",
        Kind::JournalFork => {
            "Somebody who signed here has signed two events as the next one of the same journal: the key is copied, or tells different people different things."
        }
        Kind::LateEntry => "An event was signed more than a week after what it tells of.",
        Kind::MassBalance => "More came out of a transformation than went in.",
        Kind::OneSided => "A handover went to a party outside the network and bears one signature only.",
        Kind::Recalled => "This lot, or goods from which it came, are recalled, and the recall has not ended.",
        Kind::SettledConflict => {
            "Events of this lot excluded each other; the handover that its addressee accepted was followed."
        }
        Kind::TimeRunsBackwards => {
            "An event claims an earlier time than one that it extends; a signer's clock was wrong."
        }
        Kind::VolumeCapExceeded => "More was registered under a claimed certificate than it allows.",
    }
}
