//! The history of a subject: its events in an order that is the same on every node, with what
//! later events corrected in them.

use crate::reader::{Reader, Stored};
use provenance::admission::Ancestry;
use provenance::body::Body;
use provenance::id::{EventId, SubjectId};
use provenance::payload::Lane;
use std::collections::{HashMap, HashSet};
use store::StoreError;

/// An event as a reader of a history sees it.
#[derive(Debug, Clone)]
pub struct HistoryEntry {
    /// The subject on whose lane it lies: the lot, or one of which the lot was a part.
    pub subject: SubjectId,
    /// The lane.
    pub lane: Lane,
    /// The event with its judgement and log index.
    pub stored: Stored,
    /// What it says after all corrections; none where it was not corrected.
    pub corrected: Option<Body>,
    /// The events that corrected it, oldest first.
    pub corrections: Vec<EventId>,
    /// Whether its values show: not so for what does not count on this lane, for rivals of an accepted handover, and
    /// for what was told beside it.
    pub counts: bool,
}

impl HistoryEntry {
    /// The event's id.
    pub fn id(&self) -> EventId {
        self.stored.judged.event.id()
    }

    /// What it says, corrections included.
    pub fn body(&self) -> &Body {
        self.corrected.as_ref().unwrap_or(&self.stored.judged.event.payload().body)
    }
}

/// All events on the lanes of a subject, oldest first.
///
/// Their order follows the signed times, but an event never comes before one that it extends: each
/// counts as signed no earlier than those.
pub(crate) fn of_subject(reader: &Reader, subject: &SubjectId) -> Result<Vec<HistoryEntry>, StoreError> {
    let lanes = reader.history(subject)?;
    let mut signed: HashMap<(Lane, EventId), u64> = HashMap::with_capacity(lanes.len());
    let mut ordered = Vec::with_capacity(lanes.len());
    // Each lane comes lowest first, so what an event extends was seen before it.
    for (lane, stored) in lanes {
        let judged = &stored.judged;
        let touches = judged.event.payload().touches.iter().enumerate();
        let mut at = touches
            .filter(|(index, touch)| touch.lane == lane && judged.event.subject(*index).as_ref() == Some(subject));
        let (index, touch) = at.next().expect("an event is on the lanes that it touches");
        let before = touch.prev.iter().filter_map(|prev| signed.get(&(lane, *prev))).max().copied();
        let time = judged.event.payload().time.ms().max(before.unwrap_or(0));
        let id = judged.event.id();
        signed.insert((lane, id), time);
        let counts = reader.counted(&id)?.is_none_or(|counted| counted.touches[index].counts);
        ordered.push(((time, judged.judgement.lines[index].height, id, lane), stored, counts));
    }
    ordered.sort_unstable_by_key(|(position, _, _)| *position);
    let entries = ordered.into_iter().map(|((_, _, _, lane), stored, counts)| HistoryEntry {
        subject: *subject,
        lane,
        stored,
        corrected: None,
        corrections: Vec::new(),
        counts,
    });
    let mut entries: Vec<_> = entries.collect();
    apply_corrections(&mut entries);
    Ok(entries)
}

/// What an event says after the corrections on the lanes of its first subject.
pub(crate) fn corrected_body(reader: &Reader, stored: &Stored) -> Result<(Body, Vec<EventId>), StoreError> {
    let event = &stored.judged.event;
    let first = event.subject(0).expect("an event touches something");
    let mut body = event.payload().body.clone();
    let mut corrections = Vec::new();
    for entry in of_subject(reader, &first)? {
        correct(&entry, event.id(), &mut body, &mut corrections);
    }
    Ok((body, corrections))
}

/// Applies the corrections in these entries to those that they name.
fn apply_corrections(entries: &mut [HistoryEntry]) {
    let targets = |entry: &HistoryEntry| match &entry.stored.judged.event.payload().body {
        Body::EventCorrected(body) => Some(body.target),
        _ => None,
    };
    let found: Vec<_> = entries.iter().filter(|entry| targets(entry).is_some()).cloned().collect();
    if found.is_empty() {
        return;
    }
    for entry in entries {
        let id = entry.id();
        let mut body = entry.stored.judged.event.payload().body.clone();
        for correction in &found {
            correct(correction, id, &mut body, &mut entry.corrections);
        }
        entry.corrected = (!entry.corrections.is_empty()).then_some(body);
    }
}

fn correct(entry: &HistoryEntry, target: EventId, body: &mut Body, corrections: &mut Vec<EventId>) {
    if let Body::EventCorrected(correction) = &entry.stored.judged.event.payload().body
        && correction.target == target
        && entry.counts
        // Each alone was valid when it was admitted; two together need not be, then the later yields.
        && let Ok(better) = correction.apply(body)
    {
        *body = better;
        corrections.push(entry.id());
    }
}

/// The event itself and all that it extends, directly or not, on the main lane of `subject`.
pub(crate) fn main_lane_ancestors(
    reader: &Reader,
    subject: &SubjectId,
    event: EventId,
) -> Result<HashSet<EventId>, StoreError> {
    let mut seen = HashSet::new();
    let mut open = vec![event];
    while let Some(id) = open.pop() {
        if !seen.insert(id) {
            continue;
        }
        let Some(judged) = reader.judged(&id)? else { continue };
        let touches = judged.event.payload().touches.iter().enumerate();
        for (index, touch) in touches.filter(|(_, touch)| touch.lane == Lane::Main) {
            if judged.event.subject(index).as_ref() == Some(subject) {
                open.extend_from_slice(&touch.prev);
            }
        }
    }
    Ok(seen)
}
