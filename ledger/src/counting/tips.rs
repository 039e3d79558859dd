//! At which events a lane ends, among those that count.

use super::rows::CountedAt;
use crate::reader::Stored;
use provenance::admission::{Ancestry, Seen};
use provenance::counting::representatives;
use provenance::id::{EventId, SubjectId};
use provenance::payload::Lane;
use std::collections::BTreeSet;
use store::{Range, StoreError};

/// The tips of a lane when the log had so many entries, without those in `removed`, which nothing else extends.
/// Reads the whole lane.
pub(crate) fn lane_tips_at(
    at: &CountedAt<'_>,
    subject: &SubjectId,
    lane: Lane,
    removed: &BTreeSet<EventId>,
) -> Result<BTreeSet<EventId>, StoreError> {
    let mut events = Vec::new();
    // Lowest first, so that every event comes after those that it extends.
    let is_wanted = |index, id: &EventId| index < at.size && !removed.contains(id);
    at.reader.look_along(Range::prefix(&(*subject, lane)), is_wanted, |_, Stored { judged, .. }| {
        events.push(Seen { counted: at.counted(&judged.event.id())?, judged });
        Ok(())
    })?;
    Ok(tips_of_lane(subject, lane, &events))
}

/// The tips of a lane that has these events, the lowest first.
fn tips_of_lane(subject: &SubjectId, lane: Lane, events: &[Seen]) -> BTreeSet<EventId> {
    let mut tips = BTreeSet::new();
    for seen in events {
        let Some(touch) = seen.lane_index(subject, lane).filter(|touch| seen.counts(*touch)) else { continue };
        for prev in seen.predecessors(touch) {
            tips.remove(prev);
        }
        tips.insert(seen.id());
    }
    let last: Vec<Seen> = events.iter().filter(|seen| tips.contains(&seen.id())).cloned().collect();
    representatives(subject, lane, &last)
}
