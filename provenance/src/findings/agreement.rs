//! Conflicts, corrections, handovers with one signature, recalls.

use super::facts::{Agreement, Events, Facts, Told};
use super::{Finding, FindingKind};
use crate::body::{Body, Recipient};
use crate::id::EventId;
use std::collections::BTreeSet;

pub(super) fn findings(facts: &Facts, events: &Events<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    let Agreement { disputed, in_conflict, beside } = &facts.agreement;
    let conflict = if *disputed { FindingKind::Conflict } else { FindingKind::SettledConflict };
    if !in_conflict.is_empty() {
        found.push(Finding::new(conflict, events.lot, in_conflict.iter().copied()));
    }
    if !disputed {
        let beside: Vec<EventId> = beside.difference(in_conflict).copied().collect();
        if !beside.is_empty() {
            found.push(Finding::new(FindingKind::Beside, events.lot, beside));
        }
    }
    for (id, told) in events.counting() {
        if !told.corrections.is_empty() {
            let proof = told.corrections.iter().copied().chain([id]);
            found.push(Finding::new(FindingKind::Corrected, events.lot, proof));
        }
        match &told.body {
            Body::TransferOffered(offer) if !matches!(offer.to, Recipient::Actor(_)) => {
                found.push(Finding::new(FindingKind::OneSided, events.lot, [id]));
            }
            _ => {}
        }
    }
    found.extend(recalls(events));
    found
}

/// The recalls that nobody has ended, of the lot and of what it came from.
fn recalls(events: &Events<'_>) -> Vec<Finding> {
    let ended = |told: &Told| match &told.body {
        Body::RecallEnded(body) => Some(body.recall),
        _ => None,
    };
    let ended: BTreeSet<EventId> = events.all_counting().filter_map(|(_, told)| ended(told)).collect();
    let mut found = Vec::new();
    for (id, told) in events.all_counting() {
        if matches!(told.body, Body::RecallIssued(_)) && !ended.contains(&id) {
            let warned = told.subjects().filter(|subject| *subject == events.lot || events.sources.contains(subject));
            found.extend(warned.map(|subject| Finding::new(FindingKind::Recalled, subject, [id])));
        }
    }
    found
}
