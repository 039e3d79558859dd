//! What a subject's history ends with: the tips of each of its lanes, among what counts.

use crate::counting::{CountedAt, lane_tips_at};
use crate::reader::{Reader, Stored};
use provenance::admission::{Ancestry, Judged, Seen};
use provenance::id::{EventId, SubjectId};
use provenance::payload::{Lane, Touch};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use store::{LaneEvents, Range, StoreError};

/// The tips of every lane that has events.
pub type LaneTips = BTreeMap<Lane, BTreeSet<EventId>>;

/// What a history ends with once this event is at its end too, which has no event after it yet. False where that
/// cannot be told from the tips alone: of events that exclude each other only two are tips, and there may be more.
pub(super) fn extend(
    at: &CountedAt<'_>,
    tips: &mut LaneTips,
    judged: &Arc<Judged>,
    touch: usize,
) -> Result<bool, StoreError> {
    let seen = Seen { counted: at.counted(&judged.event.id())?, judged: judged.clone() };
    if !seen.counts(touch) {
        return Ok(true);
    }
    let lane = tips.entry(seen.payload().touches[touch].lane).or_default();
    if seen.lot(touch).is_some() && lane.len() > 1 {
        return Ok(false);
    }
    for predecessor in seen.predecessors(touch) {
        lane.remove(predecessor);
    }
    lane.insert(seen.id());
    Ok(true)
}

/// What a subject's history ended with when the log had `size` entries.
pub(super) fn at_size(reader: &Reader, subject: &SubjectId, size: u64) -> Result<LaneTips, StoreError> {
    read_whole(reader, subject, &BTreeSet::new(), size)
}

/// What a subject's history ends with if the events in `removed` are left out, which nothing else extends, `tips`
/// being what it ends with among the log's first `size` entries.
///
/// Looks at the removed events and at what stands above those that they extend; where events exclude each other or
/// do not count, at the whole history.
pub(crate) fn without(
    reader: &Reader,
    subject: &SubjectId,
    mut tips: LaneTips,
    removed: &BTreeSet<EventId>,
    size: u64,
) -> Result<LaneTips, StoreError> {
    let forked = tips.iter().any(|(lane, tips)| lane.is_of_custody() && tips.len() > 1);
    if forked || reader.counting().any() {
        return read_whole(reader, subject, removed, size);
    }
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

/// The tips of all lanes, from all that is on them.
fn read_whole(
    reader: &Reader,
    subject: &SubjectId,
    removed: &BTreeSet<EventId>,
    size: u64,
) -> Result<LaneTips, StoreError> {
    let at = CountedAt { reader, size };
    let mut lanes = BTreeSet::new();
    let mut next = (*subject, Lane::Main, 0, EventId::from_bytes([0; 32]));
    // From lane to lane, without reading what lies on them.
    while let Some(row) = reader.store().scan::<LaneEvents>(Range::prefix(subject).from(&next)).next() {
        let ((_, lane, _, _), _) = row?;
        lanes.insert(lane);
        next = (*subject, lane, u64::MAX, EventId::from_bytes([0xff; 32]));
    }
    let mut tips = LaneTips::new();
    for lane in lanes {
        tips.insert(lane, lane_tips_at(&at, subject, lane, removed)?);
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
    let Some(height) = stored.judged.height_in(subject, lane) else { return Ok(false) };
    let first = (*subject, lane, height + 1, EventId::from_bytes([0; 32]));
    for row in reader.store().scan::<LaneEvents>(Range::prefix(&(*subject, lane)).from(&first)) {
        let ((_, _, _, id), index) = row?;
        if index >= size || removed.contains(&id) {
            continue;
        }
        let Some(above) = reader.stored(&id)? else { continue };
        if touch_of(&above, subject, lane).is_some_and(|touch| touch.prev.contains(event)) {
            return Ok(false);
        }
    }
    Ok(true)
}

fn touch_of<'a>(stored: &'a Stored, subject: &SubjectId, lane: Lane) -> Option<&'a Touch> {
    stored.judged.lane_index(subject, lane).map(|at| &stored.judged.event.payload().touches[at])
}
