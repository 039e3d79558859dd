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
    /// Whether its values show: not so for what does not count, for rivals of an accepted handover and for what was
    /// told beside it.
    pub counts: bool,
}

impl HistoryEntry {
    /// An event of a main lane that counts and was not corrected.
    pub(crate) fn plain(subject: SubjectId, stored: &Stored) -> Self {
        let (stored, corrected, corrections) = (stored.clone(), None, Vec::new());
        Self { subject, lane: Lane::Main, stored, corrected, corrections, counts: true }
    }

    /// The event's id.
    pub fn id(&self) -> EventId {
        self.stored.judged.event.id()
    }

    /// What it says, corrections included.
    pub fn body(&self) -> &Body {
        self.corrected.as_ref().unwrap_or(&self.stored.judged.event.payload().body)
    }
}

/// All events on the lanes of a subject, oldest first; what touches both main and title lane stands on the main lane.
///
/// Their order follows the signed times, but an event never comes before one that it extends: each
/// counts as signed no earlier than those.
pub(crate) fn of_subject(reader: &Reader, subject: &SubjectId) -> Result<Vec<HistoryEntry>, StoreError> {
    of_lanes(reader, subject, reader.history(subject)?)
}

/// The same of some of the lanes, each whole and lowest first.
fn of_lanes(reader: &Reader, subject: &SubjectId, lanes: Vec<(Lane, Stored)>) -> Result<Vec<HistoryEntry>, StoreError> {
    let mut signed: HashMap<(Lane, EventId), u64> = HashMap::with_capacity(lanes.len());
    let mut ordered = Vec::with_capacity(lanes.len());
    // Each lane comes lowest first, so what an event extends was seen before it.
    for (lane, stored) in lanes {
        let judged = &stored.judged;
        let index = judged.lane_index(subject, lane).expect("an event is on the lanes that it touches");
        let prev = &judged.event.payload().touches[index].prev;
        let before = prev.iter().filter_map(|prev| signed.get(&(lane, *prev))).max().copied();
        let time = judged.event.payload().time.ms().max(before.unwrap_or(0));
        let id = judged.event.id();
        signed.insert((lane, id), time);
        if lane == Lane::Title && judged.lane_index(subject, Lane::Main).is_some() {
            continue;
        }
        let counts = match reader.counted(&id)? {
            Some(counted) => counted.touches.get(index).is_some_and(|touch| touch.counts),
            None => true,
        };
        ordered.push(((time, judged.judgement.lines[index].height, id, lane), counts, stored));
    }
    ordered.sort_unstable_by_key(|(position, ..)| *position);
    let entries = ordered.into_iter().map(|((_, _, _, lane), counts, stored)| HistoryEntry {
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
    // Corrections stand on the lanes of those who correct, of which most subjects have none.
    for entry in of_lanes(reader, &first, reader.attested(&first)?)? {
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
    if entry.counts
        && let Body::EventCorrected(correction) = &entry.stored.judged.event.payload().body
        && correction.target == target
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
    let mut passed = HashSet::new();
    let mut open = vec![event];
    while let Some(id) = open.pop() {
        if !passed.insert(id) {
            continue;
        }
        let Some(seen) = reader.seen(&id)? else { continue };
        if let Some(at) = seen.lane_index(subject, Lane::Main) {
            open.extend_from_slice(seen.predecessors(at));
        }
    }
    Ok(passed)
}
