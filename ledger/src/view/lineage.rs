//! Where a lot comes from: the lot that was registered, and the parts taken from it on the way.

use super::history::{self, HistoryEntry};
use crate::reader::{Reader, Stored};
use provenance::admission::{Judged, offered_items, returned_parts};
use provenance::body::Body;
use provenance::id::{EventId, SubjectId};
use provenance::payload::Lane;
use std::collections::HashSet;
use store::StoreError;

/// One lot on the way.
#[derive(Debug, Clone)]
pub(crate) struct Ancestor {
    pub lot: SubjectId,
    /// The event that created it.
    pub created: Stored,
}

/// The lot and those of which it is a part, the registered one first. Nothing for what is no lot.
pub(crate) fn of_lot(reader: &Reader, lot: &SubjectId) -> Result<Option<Vec<Ancestor>>, StoreError> {
    let mut lineage = Vec::new();
    let mut next = *lot;
    loop {
        let Some((event, _)) = reader.origin(&next)? else { return Ok(None) };
        let Some(created) = reader.stored(&event)? else { return Ok(None) };
        let parent = match &created.judged.event.payload().body {
            Body::ProduceRegistered(_) => None,
            _ => match parent_of(&created.judged, &next) {
                Some(parent) => Some(parent),
                None => return Ok(None),
            },
        };
        lineage.push(Ancestor { lot: next, created });
        match parent {
            // An event cannot name what it creates itself, so this ends at a registration.
            Some(parent) => next = parent,
            None => break,
        }
    }
    lineage.reverse();
    Ok(Some(lineage))
}

/// The lot from which the event `minted` took the part-lot `part`.
fn parent_of(minted: &Judged, part: &SubjectId) -> Option<SubjectId> {
    match &minted.event.payload().body {
        Body::TransferOffered(_) => {
            offered_items(minted)?.into_iter().find(|item| item.item == *part && item.lot != *part).map(|item| item.lot)
        }
        Body::TransferAccepted(_) => {
            returned_parts(minted).into_iter().find(|(_, returned)| returned == part).map(|(from, _)| from)
        }
        _ => None,
    }
}

/// Whether the lot, or one from which it was taken, came out of a draw that is in conflict with
/// others and was not the one that stands.
pub(crate) fn is_contested(reader: &Reader, lineage: &[Ancestor]) -> Result<bool, StoreError> {
    for pair in lineage.windows(2) {
        let [parent, part] = pair else { continue };
        let Some(counted) = reader.lot(&parent.lot)? else { continue };
        let draw = part.created.judged.event.id();
        if counted.in_conflict.contains(&draw) && (counted.disputed || counted.beside.contains(&draw)) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// All that is told of a lot: its own events, and those of the lots that it was a part of, up to
/// where it was taken from them. Oldest lot first, and within each oldest event first.
pub(crate) fn history_of(reader: &Reader, lineage: &[Ancestor]) -> Result<Vec<HistoryEntry>, StoreError> {
    let mut all: Vec<HistoryEntry> = Vec::new();
    let mut seen: HashSet<(EventId, bool)> = HashSet::new();
    for (position, ancestor) in lineage.iter().enumerate() {
        let mut entries = history::of_subject(reader, &ancestor.lot)?;
        if let Some(part) = lineage.get(position + 1) {
            let before = history::main_lane_ancestors(reader, &ancestor.lot, part.created.judged.event.id())?;
            entries.retain(|entry| entry.lane != Lane::Main || before.contains(&entry.id()));
        } else {
            if let Some(counted) = reader.lot(&ancestor.lot)? {
                for entry in &mut entries {
                    entry.counts &= !counted.beside.contains(&entry.id());
                }
            }
        }
        // The event that takes a part lies on the lanes of both lots; it is told once.
        all.extend(entries.into_iter().filter(|entry| seen.insert((entry.id(), entry.lane == Lane::Main))));
    }
    Ok(all)
}
