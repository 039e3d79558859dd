//! Findings: facts about a history that a reader should know. They are computed from it, never signed.

use ledger::view::{HistoryEntry, ProduceRow};
use provenance::body::{Body, Recipient};
use provenance::id::EventId;
use provenance::payload::Lane;
use serde::Serialize;
use std::collections::HashMap;
use utoipa::ToSchema;

/// Signed so much later than it took place, an event was written from memory or from paper.
const LATE_SIGNING_MS: u64 = 14 * 24 * 60 * 60 * 1000;

/// Events cited in one finding; a flood of rivals is told as well by these.
const MAX_CITED: usize = 16;

/// One fact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Finding {
    /// Which sort of fact.
    pub(crate) kind: FindingKind,
    /// The fact in a sentence.
    pub(crate) detail: String,
    /// The events that show it, at most 16.
    #[schema(value_type = Vec<String>)]
    pub(crate) events: Vec<EventId>,
}

/// Sorts of facts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum FindingKind {
    /// Events exclude each other, and nothing has settled it.
    Conflict,
    /// Events excluded each other; an accepted handover was followed.
    SettledConflict,
    /// Something was told beside an accepted handover, and does not show.
    Beside,
    /// An event was corrected afterwards.
    Corrected,
    /// A handover bears one signature, because the other party is outside the network.
    OneSided,
    /// An event claims an earlier time than one that it extends.
    TimeRunsBackwards,
    /// An event was signed long after it took place.
    SignedLate,
    /// An answer came after the offer had expired.
    AfterExpiry,
}

/// All findings about a lot.
pub(crate) fn findings(row: &ProduceRow, entries: &[HistoryEntry]) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut add = |kind, detail: &str, events: Vec<EventId>| {
        if !events.is_empty() {
            found.push(Finding {
                kind,
                detail: detail.to_owned(),
                events: events.into_iter().take(MAX_CITED).collect(),
            });
        }
    };
    if row.is_disputed() {
        let detail =
            "Events of this lot exclude each other. Who holds how much is open until a signed decision settles it.";
        add(FindingKind::Conflict, detail, row.in_conflict.clone());
    } else {
        let detail = "Events of this lot excluded each other; the handover that its addressee accepted was followed.";
        add(FindingKind::SettledConflict, detail, row.in_conflict.clone());
        let detail = "Events were signed beside the accepted handover; their values do not show.";
        add(
            FindingKind::Beside,
            detail,
            row.beside.iter().filter(|id| !row.in_conflict.contains(id)).copied().collect(),
        );
    }
    let which = |test: &dyn Fn(&HistoryEntry) -> bool| {
        entries.iter().filter(|entry| test(entry)).map(HistoryEntry::id).collect()
    };
    add(
        FindingKind::Corrected,
        "Events were corrected afterwards; what is shown is the corrected form.",
        which(&|e| !e.corrections.is_empty()),
    );
    add(
        FindingKind::OneSided,
        "A handover went to a party outside the network and bears one signature only.",
        which(
            &|entry| matches!(entry.body(), Body::TransferOffered(offer) if !matches!(offer.to, Recipient::Actor(_))),
        ),
    );
    let late = |entry: &HistoryEntry| {
        let payload = entry.stored.judged.event.payload();
        payload.occurred.is_some_and(|occurred| {
            payload.time.ms() > occurred.end().unwrap_or(occurred.start()).ms() + LATE_SIGNING_MS
        })
    };
    add(FindingKind::SignedLate, "Events were signed more than two weeks after what they tell of.", which(&late));
    add(
        FindingKind::TimeRunsBackwards,
        "Events claim an earlier time than one that they extend; a signer's clock was wrong.",
        backwards(entries),
    );
    add(FindingKind::AfterExpiry, "An offer was answered after it had expired.", expired(entries));
    found
}

fn backwards(entries: &[HistoryEntry]) -> Vec<EventId> {
    let times: HashMap<EventId, u64> =
        entries.iter().map(|entry| (entry.id(), entry.stored.judged.event.payload().time.ms())).collect();
    let earlier = |entry: &&HistoryEntry| {
        let payload = entry.stored.judged.event.payload();
        let mut prev = payload.touches.iter().filter(|touch| touch.lane == Lane::Main).flat_map(|touch| &touch.prev);
        prev.any(|prev| times.get(prev).is_some_and(|time| *time > payload.time.ms()))
    };
    entries.iter().filter(earlier).map(HistoryEntry::id).collect()
}

fn expired(entries: &[HistoryEntry]) -> Vec<EventId> {
    let expiry: HashMap<EventId, u64> = entries
        .iter()
        .filter_map(|entry| match entry.body() {
            Body::TransferOffered(offer) => Some((entry.id(), offer.expires?.ms())),
            _ => None,
        })
        .collect();
    let late = |entry: &&HistoryEntry| match entry.body() {
        Body::TransferAccepted(answer) => {
            expiry.get(&answer.offer).is_some_and(|expires| entry.stored.judged.event.payload().time.ms() > *expires)
        }
        _ => false,
    };
    entries.iter().filter(late).map(HistoryEntry::id).collect()
}
