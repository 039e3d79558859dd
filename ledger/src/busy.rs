//! Busy subjects in memory: who created them, what lies on their lanes, and how those end. The writer and the followers ask
//! for it with every event of theirs.

use crate::id_map::{IdMap, IdSet};
use provenance::id::{EventId, SubjectId};
use provenance::payload::Lane;
use quick_cache::sync::{Cache, DefaultLifecycle};
use quick_cache::{DefaultHashBuilder, OptionsBuilder, Weighter};
use std::sync::Arc;

/// Memory for the tips of lanes, and as much for histories and for origins: those of the lots that a region has in its
/// stores.
const TIPS_BYTES: u64 = 16 << 20;
const HISTORIES_BYTES: u64 = 32 << 20;

/// How many subjects are expected to fit; the caches size their tables by it.
const SUBJECTS: usize = 65_536;

/// Events of the longest history that is kept: that of a lot, not that of an actor who signs for years.
const LONGEST: usize = 64;

/// What a cache needs for an entry beside its contents, about.
const ENTRY_BYTES: u64 = 128;

/// The share of a cache for what was asked for since it was put there. What is written is put there anew each time, so the
/// rest is what keeps a subject until its next event comes.
const ASKED_AGAIN: f64 = 0.1;

/// An event of a lane, in the order of the lanes' column: lane, height, event.
pub(crate) type OnLane = (Lane, u64, EventId);

/// Subjects as they are on the disk. Only the writer changes what can change: it takes out the subjects to which it is about
/// to write, and puts them in again once that is done. So whoever has seen an entry of the log never finds anything older
/// than it here.
#[derive(Debug)]
pub(crate) struct BusySubjects {
    tips: Cache<(SubjectId, Lane), Arc<[EventId]>, TipBytes>,
    histories: Cache<SubjectId, Arc<[OnLane]>, HistoryBytes>,
    origins: Cache<SubjectId, (EventId, u32)>,
}

#[derive(Debug, Clone)]
struct TipBytes;

impl Weighter<(SubjectId, Lane), Arc<[EventId]>> for TipBytes {
    fn weight(&self, _: &(SubjectId, Lane), tips: &Arc<[EventId]>) -> u64 {
        size_of_val::<[EventId]>(tips) as u64 + ENTRY_BYTES
    }
}

#[derive(Debug, Clone)]
struct HistoryBytes;

impl Weighter<SubjectId, Arc<[OnLane]>> for HistoryBytes {
    fn weight(&self, _: &SubjectId, history: &Arc<[OnLane]>) -> u64 {
        size_of_val::<[OnLane]>(history) as u64 + ENTRY_BYTES
    }
}

/// What one commit changes of subjects.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    /// How the lanes end that it extends.
    pub tips: IdMap<(SubjectId, Lane), Vec<EventId>>,
    /// Events that it puts on lanes.
    pub on_lanes: Vec<(SubjectId, OnLane)>,
    /// Subjects that it creates.
    pub created: Vec<(SubjectId, (EventId, u32))>,
}

/// Histories that were taken out while they are written.
#[derive(Debug)]
pub(crate) struct Taken(IdMap<SubjectId, Vec<OnLane>>);

fn cache<K: Eq + std::hash::Hash, V: Clone, W: Weighter<K, V> + Clone>(bytes: u64, weighter: W) -> Cache<K, V, W> {
    let options = OptionsBuilder::new()
        .estimated_items_capacity(SUBJECTS)
        .weight_capacity(bytes)
        .hot_allocation(ASKED_AGAIN)
        .build()
        .expect("both capacities were given");
    Cache::with_options(options, weighter, DefaultHashBuilder::default(), DefaultLifecycle::default())
}

impl BusySubjects {
    pub fn new() -> Self {
        Self {
            tips: cache(TIPS_BYTES, TipBytes),
            histories: cache(HISTORIES_BYTES, HistoryBytes),
            origins: Cache::new(SUBJECTS),
        }
    }

    /// The events at which a lane ends.
    pub fn tips(&self, subject: &SubjectId, lane: Lane) -> Option<Vec<EventId>> {
        self.tips.get(&(*subject, lane)).map(|tips| tips.to_vec())
    }

    /// All events on the lanes of a subject, lane by lane and lowest first.
    pub fn history(&self, subject: &SubjectId) -> Option<Arc<[OnLane]>> {
        self.histories.get(subject)
    }

    /// Which event created a subject, and with which of its touches. That never changes.
    pub fn origin(&self, subject: &SubjectId) -> Option<(EventId, u32)> {
        self.origins.get(subject)
    }

    /// Remembers an origin that was read from the disk.
    pub fn remember_origin(&self, subject: &SubjectId, origin: (EventId, u32)) {
        self.origins.insert(*subject, origin);
    }

    /// Takes out what is about to be written.
    pub fn take(&self, changes: &Changes) -> Taken {
        for lane in changes.tips.keys() {
            self.tips.remove(lane);
        }
        let mut taken: IdMap<SubjectId, Vec<OnLane>> =
            changes.created.iter().map(|(subject, _)| (*subject, Vec::new())).collect();
        let touched: IdSet<&SubjectId> = changes.tips.keys().map(|(subject, _)| subject).collect();
        for subject in touched {
            if let Some((_, history)) = self.histories.remove(subject) {
                taken.insert(*subject, history.to_vec());
            }
        }
        Taken(taken)
    }

    /// Puts in again what was written.
    pub fn put(&self, changes: Changes, Taken(mut taken): Taken) {
        for (lane, tips) in changes.tips {
            self.tips.insert(lane, tips.into());
        }
        for (subject, event) in changes.on_lanes {
            if let Some(history) = taken.get_mut(&subject) {
                history.push(event);
            }
        }
        for (subject, mut history) in taken {
            if history.len() <= LONGEST {
                history.sort_unstable();
                self.histories.insert(subject, history.into());
            }
        }
        for (subject, origin) in changes.created {
            self.origins.insert(subject, origin);
        }
    }
}
