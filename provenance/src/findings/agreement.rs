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
    let ended = |told: &Told| match &told.body {
        Body::RecallEnded(body) => Some(body.recall),
        _ => None,
    };
    let ended: BTreeSet<EventId> = events.all_counting().filter_map(|(_, told)| ended(told)).collect();
    for (id, told) in events.counting() {
        if !told.corrections.is_empty() {
            let proof = told.corrections.iter().copied().chain([id]);
            found.push(Finding::new(FindingKind::Corrected, events.lot, proof));
        }
        match &told.body {
            Body::TransferOffered(offer) if !matches!(offer.to, Recipient::Actor(_)) => {
                found.push(Finding::new(FindingKind::OneSided, events.lot, [id]));
            }
            Body::RecallIssued(_) if !ended.contains(&id) => {
                found.push(Finding::new(FindingKind::Recalled, events.lot, [id]));
            }
            _ => {}
        }
    }
    found
}
