//! Facts that a reader should know, and that do not make a bundle invalid.

use super::verdict::{EventLine, Finding};
use crate::admission::Judged;
use crate::body::Body;
use crate::bundle::conflict;
use crate::history::History;
use crate::id::{EventId, PublicKey, SubjectId};
use std::collections::{BTreeMap, BTreeSet};

/// How much later than the block that anchors it an event may seem, for clocks that differ.
const CLOCK_TOLERANCE_MS: u64 = 60_000;

/// What a history shows, beside the moments of its events: ascending, each once.
pub(super) fn findings(history: &History, whole: &BTreeSet<SubjectId>, lines: &[EventLine]) -> BTreeSet<Finding> {
    let mut found = BTreeSet::new();
    for (judged, line) in history.events().iter().zip(lines) {
        of_event(judged, history, &mut found);
        of_moments(line, &mut found);
    }
    journal_forks(history, &mut found);
    for subject in whole {
        let rivals: Vec<_> = conflict(subject, history).iter().map(|judged| judged.event.id()).collect();
        if !rivals.is_empty() {
            found.insert(finding("conflict", Some(*subject), rivals));
        }
    }
    found
}

pub(super) fn finding(
    finding: &'static str,
    subject: Option<SubjectId>,
    events: impl IntoIterator<Item = EventId>,
) -> Finding {
    let mut events: Vec<_> = events.into_iter().collect();
    events.sort_unstable();
    Finding { finding, subject, events }
}

fn of_event(judged: &Judged, history: &History, found: &mut BTreeSet<Finding>) {
    let (id, payload) = (judged.event.id(), judged.event.payload());
    match &payload.body {
        Body::EventCorrected(body) => {
            found.insert(finding("corrected", None, [id, body.target]));
        }
        Body::TransferAccepted(body) => {
            let offer = history.event(&body.offer).map(|offer| &offer.event.payload().body);
            let expires = if let Some(Body::TransferOffered(offer)) = offer { offer.expires } else { None };
            if expires.is_some_and(|expires| payload.time.ms() > expires.ms()) {
                found.insert(finding("accepted_after_expiry", None, [body.offer, id]));
            }
        }
        _ => {}
    }
    for prev in payload.touches.iter().flat_map(|touch| &touch.prev) {
        let earlier = history.event(prev).map(|earlier| earlier.event.payload().time.ms());
        if earlier.is_some_and(|earlier| payload.time.ms() < earlier) {
            found.insert(finding("time_backwards", None, [id, *prev]));
        }
    }
}

fn of_moments(line: &EventLine, found: &mut BTreeSet<Finding>) {
    // Block times are below 2^53 seconds, so these products stay below 2^63.
    if line.after.is_some_and(|block| line.time_ms < block.timestamp_s * 1000) {
        found.insert(finding("time_before_after", None, [line.id]));
    }
    if line.before.is_some_and(|block| line.time_ms > block.timestamp_s * 1000 + CLOCK_TOLERANCE_MS) {
        found.insert(finding("time_past_anchor", None, [line.id]));
    }
}

fn journal_forks(history: &History, found: &mut BTreeSet<Finding>) {
    let mut links: BTreeMap<(PublicKey, EventId), Vec<&Judged>> = BTreeMap::new();
    for judged in history.events() {
        links.entry((judged.event.key(), judged.event.payload().journal)).or_default().push(judged);
    }
    for events in links.into_values().filter(|events| events.len() > 1) {
        let signer = events[0].judgement.actor;
        found.insert(finding("journal_fork", Some(signer), events.iter().map(|judged| judged.event.id())));
    }
}
