//! Where a lot comes from: the lot that began it, the parts taken from it on the way, and the units in which it lay.

use super::history::{self, HistoryEntry};
use crate::reader::{Reader, Stored};
use provenance::admission::{Ancestry, Judged, offered_items, packed_parts, returned_parts};
use provenance::body::Body;
use provenance::custody::Effect;
use provenance::id::{EventId, SubjectId};
use provenance::payload::Lane;
use std::collections::{BTreeSet, HashSet, VecDeque};
use store::StoreError;

/// Lots of which it is asked whether a draw from them is in conflict: the nearest. Goods that were mixed more often
/// than this are not worth the reading with every event.
const MAX_ANCESTORS: usize = 1_000;

/// Units within units whose events are told of what lies in them; no ship holds more.
const MAX_NESTED: usize = 8;

/// One lot on the way.
#[derive(Debug, Clone)]
pub(crate) struct Ancestor {
    pub lot: SubjectId,
    /// The event that created it.
    pub created: Stored,
}

/// The lot and those of which it is a part, first the one that was registered, collected or made of others. Nothing
/// for what is no lot, or is a unit.
pub(crate) fn of_lot(reader: &Reader, lot: &SubjectId) -> Result<Option<Vec<Ancestor>>, StoreError> {
    let mut lineage = Vec::new();
    let mut next = *lot;
    loop {
        let Some((event, _)) = reader.origin(&next)? else { return Ok(None) };
        let Some(created) = reader.stored(&event)? else { return Ok(None) };
        let parent = match &created.judged.event.payload().body {
            Body::ProduceRegistered(_) | Body::ProduceCollected(_) | Body::ProduceTransformed(_) => None,
            _ => match parent_of(&created.judged, &next) {
                Some(parent) => Some(parent),
                None => return Ok(None),
            },
        };
        lineage.push(Ancestor { lot: next, created });
        match parent {
            // An event cannot name what it creates itself, so this ends at a beginning.
            Some(parent) => next = parent,
            None => break,
        }
    }
    lineage.reverse();
    Ok(Some(lineage))
}

/// The lots from which a lot was taken or made, given what created it: one for a part, ascending.
pub(crate) fn parents_of(created: &Judged, lot: &SubjectId) -> Vec<SubjectId> {
    let parents: BTreeSet<SubjectId> = match &created.event.payload().body {
        Body::ProduceTransformed(body) => body.inputs.iter().map(|input| input.lot).collect(),
        _ => parent_of(created, lot).into_iter().collect(),
    };
    parents.into_iter().collect()
}

/// The lot from which the event `minted` took the part-lot `part`.
fn parent_of(minted: &Judged, part: &SubjectId) -> Option<SubjectId> {
    let of_part = |pairs: Vec<(SubjectId, SubjectId)>| {
        pairs.into_iter().find(|(from, taken)| taken == part && from != part).map(|(from, _)| from)
    };
    match &minted.event.payload().body {
        Body::TransferOffered(_) => {
            of_part(offered_items(minted)?.into_iter().map(|item| (item.lot, item.item)).collect())
        }
        Body::TransferAccepted(_) => of_part(returned_parts(minted)),
        Body::UnitPacked(_) => of_part(packed_parts(minted)),
        _ => None,
    }
}

/// Whether the lot, or one from which it was taken or made, came out of a draw that is in conflict with
/// others and was not the one that stands.
pub(crate) fn is_contested(reader: &Reader, lot: &Ancestor) -> Result<bool, StoreError> {
    let mut seen = HashSet::from([lot.lot]);
    let mut open = VecDeque::from([lot.clone()]);
    while let Some(Ancestor { lot, created }) = open.pop_front() {
        let draw = created.judged.event.id();
        for parent in parents_of(&created.judged, &lot) {
            if let Some(counted) = reader.lot(&parent)?
                && counted.in_conflict.contains(&draw)
                && (counted.disputed || counted.beside.contains(&draw))
            {
                return Ok(true);
            }
            if seen.len() < MAX_ANCESTORS
                && seen.insert(parent)
                && let Some((event, _)) = reader.origin(&parent)?
                && let Some(created) = reader.stored(&event)?
            {
                open.push_back(Ancestor { lot: parent, created });
            }
        }
    }
    Ok(false)
}

/// All that is told of a lot: its own events, and those of the lots that it was a part of, up to
/// where it was taken from them; and of the units in which it lay, what happened to them meanwhile. Oldest lot first,
/// and within each oldest event first.
pub(crate) fn history_of(reader: &Reader, lineage: &[Ancestor]) -> Result<Vec<HistoryEntry>, StoreError> {
    let Some(last) = lineage.last() else { return Ok(Vec::new()) };
    history_with(reader, lineage, history::of_subject(reader, &last.lot)?)
}

/// The same where the last lot's own events were read already.
pub(crate) fn history_with(
    reader: &Reader,
    lineage: &[Ancestor],
    own: Vec<HistoryEntry>,
) -> Result<Vec<HistoryEntry>, StoreError> {
    let mut all: Vec<HistoryEntry> = Vec::new();
    let mut seen: HashSet<EventId> = HashSet::new();
    let mut own = Some(own);
    for (position, ancestor) in lineage.iter().enumerate() {
        let is_last = position + 1 == lineage.len();
        let mut entries = match own.take_if(|_| is_last) {
            Some(own) => own,
            None => history::of_subject(reader, &ancestor.lot)?,
        };
        if let Some(part) = lineage.get(position + 1) {
            let before = history::main_lane_ancestors(reader, &ancestor.lot, part.created.judged.event.id())?;
            entries.retain(|entry| match entry.lane {
                Lane::Main => before.contains(&entry.id()),
                // No part is taken from a lot whose title is apart.
                Lane::Title => false,
                Lane::Attester(_) => true,
            });
        } else {
            leave_beside(reader, &ancestor.lot, &mut entries)?;
        }
        // The event that takes a part lies on the lanes of both lots; it is told once.
        let entries = with_units(reader, &ancestor.lot, entries, MAX_NESTED)?;
        all.extend(entries.into_iter().filter(|entry| seen.insert(entry.id())));
    }
    Ok(all)
}

/// All that is told of a unit, and of the units in which it lay.
pub(crate) fn history_of_unit(reader: &Reader, unit: &SubjectId) -> Result<Vec<HistoryEntry>, StoreError> {
    let mut entries = history::of_subject(reader, unit)?;
    leave_beside(reader, unit, &mut entries)?;
    with_units(reader, unit, entries, MAX_NESTED)
}

/// What an accepted handover left beside it does not show.
fn leave_beside(reader: &Reader, lot: &SubjectId, entries: &mut [HistoryEntry]) -> Result<(), StoreError> {
    let Some(counted) = reader.lot(lot)? else { return Ok(()) };
    let title = if counted.state.divided { reader.title(lot)? } else { None };
    for entry in entries {
        let beside = match entry.lane {
            Lane::Main => Some(&counted.beside),
            Lane::Title => title.as_ref().map(|title| &title.beside),
            Lane::Attester(_) => None,
        };
        entry.counts &= !beside.is_some_and(|beside| beside.contains(&entry.id()));
    }
    Ok(())
}

/// Puts what happened to a unit behind the event by which the lot came into it.
fn with_units(
    reader: &Reader,
    lot: &SubjectId,
    entries: Vec<HistoryEntry>,
    nested: usize,
) -> Result<Vec<HistoryEntry>, StoreError> {
    let mut told = Vec::with_capacity(entries.len());
    let mut stays: Vec<(usize, SubjectId, EventId, Option<EventId>)> = Vec::new();
    for entry in entries {
        let id = entry.id();
        if entry.counts && entry.lane == Lane::Main && nested > 0 {
            match passes(reader, lot, &id)? {
                Some(Passes::Into(unit)) => stays.push((told.len() + 1, unit, id, None)),
                Some(Passes::OutOf(unit)) => {
                    let open = stays.iter_mut().rev().find(|(_, other, _, until)| *other == unit && until.is_none());
                    if let Some((_, _, _, until)) = open {
                        *until = Some(id);
                    }
                }
                None => {}
            }
        }
        told.push(entry);
    }
    for (at, unit, from, until) in stays.into_iter().rev() {
        let meanwhile = of_stay(reader, &unit, from, until, nested - 1)?;
        told.splice(at..at, meanwhile);
    }
    Ok(told)
}

/// The border of a unit that a lot passes.
enum Passes {
    Into(SubjectId),
    OutOf(SubjectId),
}

fn passes(reader: &Reader, lot: &SubjectId, event: &EventId) -> Result<Option<Passes>, StoreError> {
    let Some(seen) = reader.seen(event)? else { return Ok(None) };
    let Some(at) = seen.lane_index(lot, Lane::Main) else { return Ok(None) };
    Ok(match seen.effect(at) {
        Some(Effect::Pack(unit)) => Some(Passes::Into(*unit)),
        Some(Effect::Unpack(unit)) => Some(Passes::OutOf(*unit)),
        Some(Effect::Create) => seen.lot(at).and_then(|state| state.inside).map(Passes::Into),
        _ => None,
    })
}

/// What happened to a unit between the event by which something came into it, and the one by which it was taken out.
fn of_stay(
    reader: &Reader,
    unit: &SubjectId,
    from: EventId,
    until: Option<EventId>,
    nested: usize,
) -> Result<Vec<HistoryEntry>, StoreError> {
    let before = history::main_lane_ancestors(reader, unit, from)?;
    let up_to = until.map(|until| history::main_lane_ancestors(reader, unit, until)).transpose()?;
    let mut entries = history::of_subject(reader, unit)?;
    leave_beside(reader, unit, &mut entries)?;
    entries.retain(|entry| {
        let id = entry.id();
        let meanwhile = !before.contains(&id) && up_to.as_ref().is_none_or(|up_to| up_to.contains(&id));
        meanwhile && entry.lane == Lane::Main
    });
    let mut told = with_units(reader, unit, entries, nested)?;
    // What else was put in or taken out is another lot's history; but where the unit was then is this one's too.
    told.retain(|entry| match entry.body() {
        Body::UnitPacked(body) => body.place.is_some(),
        Body::UnitUnpacked(body) => body.place.is_some(),
        _ => true,
    });
    Ok(told)
}
