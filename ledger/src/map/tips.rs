//! What a subject's history ends with: the tips of each of its lanes.

use crate::reader::{Reader, Stored};
use provenance::id::{EventId, SubjectId};
use provenance::payload::{Lane, Touch};
use std::collections::{BTreeMap, BTreeSet};
use store::{Lanes, Range, StoreError};

/// The tips of every lane that has events.
pub type LaneTips = BTreeMap<Lane, BTreeSet<EventId>>;

/// What the history ends with once this event is at its end too.
pub(super) fn extend(tips: &mut LaneTips, touch: &Touch, id: EventId) {
    let lane = tips.entry(touch.lane).or_default();
    for prev in &touch.prev {
        lane.remove(prev);
    }
    lane.insert(id);
}

/// What a subject's history ended with when the log had `size` entries.
pub(super) fn at_size(reader: &Reader, subject: &SubjectId, size: u64) -> Result<LaneTips, StoreError> {
    let mut tips = LaneTips::new();
    // Lowest first, so that every event comes after those that it extends.
    for (lane, stored) in reader.history(subject)? {
        if !is_below(&stored, size) {
            continue;
        }
        if let Some(touch) = touch_of(&stored, subject, lane) {
            extend(&mut tips, touch, stored.judged.event.id());
        }
    }
    Ok(tips)
}

/// What a subject's history ends with if the events in `removed` are left out, `tips` being what it
/// ends with among the log's first `size` entries.
///
/// Looks at the removed events and at what stands above those that they extend.
pub(crate) fn without(
    reader: &Reader,
    subject: &SubjectId,
    mut tips: LaneTips,
    removed: &BTreeSet<EventId>,
    size: u64,
) -> Result<LaneTips, StoreError> {
    for lane in tips.values_mut() {
        lane.retain(|tip| !removed.contains(tip));
    }
    let mut bared: BTreeSet<(Lane, EventId)> = BTreeSet::new();
    for id in removed {
        let Some(stored) = reader.stored(id)? else { continue };
        let event = &stored.judged.event;
        for (at, touch) in event.payload().touches.iter().enumerate() {
            if event.subject(at) == Some(*subject) {
                bared.extend(touch.prev.iter().filter(|prev| !removed.contains(prev)).map(|prev| (touch.lane, *prev)));
            }
        }
    }
    for (lane, event) in bared {
        if ends(reader, subject, lane, &event, removed, size)? {
            tips.entry(lane).or_default().insert(event);
        }
    }
    tips.retain(|_, lane| !lane.is_empty());
    Ok(tips)
}

/// Whether an event is one of the lane that nothing extends but what is removed.
fn ends(
    reader: &Reader,
    subject: &SubjectId,
    lane: Lane,
    event: &EventId,
    removed: &BTreeSet<EventId>,
    size: u64,
) -> Result<bool, StoreError> {
    // The lane of a founder begins with the network id, which is no event.
    let Some(stored) = reader.stored(event)? else { return Ok(false) };
    let Some(height) = height_in(&stored, subject, lane) else { return Ok(false) };
    let first = (*subject, lane, height + 1, EventId::from_bytes([0; 32]));
    for row in reader.store().scan::<Lanes>(Range::prefix(&(*subject, lane)).from(&first)) {
        let ((_, _, _, id), ()) = row?;
        if removed.contains(&id) {
            continue;
        }
        let Some(above) = reader.stored(&id)? else { continue };
        let extends = touch_of(&above, subject, lane).is_some_and(|touch| touch.prev.contains(event));
        if extends && is_below(&above, size) {
            return Ok(false);
        }
    }
    Ok(true)
}

fn is_below(stored: &Stored, size: u64) -> bool {
    stored.index.is_some_and(|index| index < size)
}

fn position_of(stored: &Stored, subject: &SubjectId, lane: Lane) -> Option<usize> {
    let event = &stored.judged.event;
    let mut touches = event.payload().touches.iter().enumerate();
    touches.find(|(at, touch)| touch.lane == lane && event.subject(*at) == Some(*subject)).map(|(at, _)| at)
}

fn touch_of<'a>(stored: &'a Stored, subject: &SubjectId, lane: Lane) -> Option<&'a Touch> {
    position_of(stored, subject, lane).map(|at| &stored.judged.event.payload().touches[at])
}

fn height_in(stored: &Stored, subject: &SubjectId, lane: Lane) -> Option<u64> {
    let at = position_of(stored, subject, lane)?;
    stored.judged.judgement.lines.get(at).map(|line| line.height)
}
