//! Busy subjects and keys in memory: who created a subject, how its lanes end, and how the journal of a key ends. The writer
//! and the followers ask for it with every event of theirs.

use crate::id_map::{IdMap, IdSet};
use provenance::id::{EventId, PublicKey, SubjectId};
use provenance::payload::Lane;
use quick_cache::sync::{Cache, DefaultLifecycle};
use quick_cache::{DefaultHashBuilder, OptionsBuilder, Weighter};
use std::hash::Hash;
use std::sync::Arc;
use store::JournalHead;

/// Memory for the ends of lanes, and as much for origins: those of the lots that a region has in its stores.
const LANES_BYTES: u64 = 16 << 20;

/// How many subjects are expected to fit; the caches size their tables by it.
const SUBJECTS: usize = 65_536;

/// Memory for the ends of journals, and how many keys are expected to fit: those that sign now and then.
const JOURNALS_BYTES: u64 = 4 << 20;
const KEYS: usize = 16_384;

/// What a cache needs for an entry beside its contents, about.
const ENTRY_BYTES: u64 = 128;

/// The share of a cache for what was asked for since it was put there. What is written is put there anew each time, so the
/// rest is what keeps a lane until its next event comes.
const ASKED_AGAIN: f64 = 0.1;

/// Subjects and keys as they are on the disk. Only the writer changes what can change: it takes out the lanes and journals
/// to which it is about to write, and puts them in again once that is done. So whoever has seen an entry of the log never
/// finds anything older than it here.
#[derive(Debug)]
pub(crate) struct Busy {
    lanes: Cache<(SubjectId, Lane), Ends, Bytes>,
    journals: Cache<PublicKey, Few<JournalHead>, Bytes>,
    origins: Cache<SubjectId, (EventId, u32)>,
}

/// How a lane ends.
#[derive(Debug, Clone)]
struct Ends {
    tips: Few<EventId>,
    /// Of a main lane, whether the subject is known to have no other.
    is_only_lane: bool,
}

/// Some values, of which there is almost always one.
#[derive(Debug, Clone)]
enum Few<T> {
    One(T),
    More(Arc<[T]>),
}

impl<T: Copy> Few<T> {
    fn to_vec(&self) -> Vec<T> {
        match self {
            Self::One(value) => vec![*value],
            Self::More(values) => values.to_vec(),
        }
    }
}

impl<T: Copy> From<Vec<T>> for Few<T> {
    fn from(values: Vec<T>) -> Self {
        match values.as_slice() {
            [value] => Self::One(*value),
            _ => Self::More(values.into()),
        }
    }
}

impl<T> Few<T> {
    fn bytes(&self) -> u64 {
        let more = match self {
            Self::One(_) => 0,
            Self::More(values) => size_of_val::<[T]>(values),
        };
        more as u64 + ENTRY_BYTES
    }
}

/// Weighs entries by the memory that they take, about.
#[derive(Debug, Clone)]
struct Bytes;

impl Weighter<(SubjectId, Lane), Ends> for Bytes {
    fn weight(&self, _: &(SubjectId, Lane), ends: &Ends) -> u64 {
        ends.tips.bytes()
    }
}

impl Weighter<PublicKey, Few<JournalHead>> for Bytes {
    fn weight(&self, _: &PublicKey, heads: &Few<JournalHead>) -> u64 {
        heads.bytes()
    }
}

fn cache<K: Eq + Hash, V: Clone>(bytes: u64, entries: usize) -> Cache<K, V, Bytes>
where
    Bytes: Weighter<K, V>,
{
    let options = OptionsBuilder::new()
        .estimated_items_capacity(entries)
        .weight_capacity(bytes)
        .hot_allocation(ASKED_AGAIN)
        .build()
        .expect("both capacities were given");
    Cache::with_options(options, Bytes, DefaultHashBuilder::default(), DefaultLifecycle::default())
}

/// What one commit changes of subjects and keys.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    /// How the lanes end that it extends.
    pub tips: IdMap<(SubjectId, Lane), Vec<EventId>>,
    /// How the journals end that it extends.
    pub journals: IdMap<PublicKey, Vec<JournalHead>>,
    /// Subjects that it creates.
    pub created: Vec<(SubjectId, (EventId, u32))>,
}

/// Subjects of which the main lane is the only one, as far as the commit knows that took them out.
#[derive(Debug)]
pub(crate) struct Taken(IdSet<SubjectId>);

impl Busy {
    pub fn new() -> Self {
        Self {
            lanes: cache(LANES_BYTES, SUBJECTS),
            journals: cache(JOURNALS_BYTES, KEYS),
            origins: Cache::new(SUBJECTS),
        }
    }

    /// The events at which a lane ends.
    pub fn tips(&self, subject: &SubjectId, lane: Lane) -> Option<Vec<EventId>> {
        self.lanes.get(&(*subject, lane)).map(|ends| ends.tips.to_vec())
    }

    /// Whether a subject is known to have no lane but its main lane.
    pub fn has_only_main_lane(&self, subject: &SubjectId) -> bool {
        self.lanes.get(&(*subject, Lane::Main)).is_some_and(|ends| ends.is_only_lane)
    }

    /// The newest links of a key's journal.
    pub fn journal(&self, key: &PublicKey) -> Option<Vec<JournalHead>> {
        self.journals.get(key).map(|heads| heads.to_vec())
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
        for key in changes.journals.keys() {
            self.journals.remove(key);
        }
        let mut only: IdSet<SubjectId> = changes.created.iter().map(|(subject, _)| *subject).collect();
        for lane in changes.tips.keys() {
            if let Some((_, ends)) = self.lanes.remove(lane)
                && ends.is_only_lane
            {
                only.insert(lane.0);
            }
        }
        for (subject, lane) in changes.tips.keys() {
            if *lane != Lane::Main {
                only.remove(subject);
                self.lanes.remove(&(*subject, Lane::Main));
            }
        }
        Taken(only)
    }

    /// Puts in again what was written.
    pub fn put(&self, changes: Changes, Taken(only): &Taken) {
        for ((subject, lane), tips) in changes.tips {
            let is_only_lane = lane == Lane::Main && only.contains(&subject);
            self.lanes.insert((subject, lane), Ends { tips: tips.into(), is_only_lane });
        }
        for (key, heads) in changes.journals {
            self.journals.insert(key, heads.into());
        }
        for (subject, origin) in changes.created {
            self.origins.insert(subject, origin);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOT: SubjectId = SubjectId::from_bytes([1; 32]);
    const ATTESTER: Lane = Lane::Attester(SubjectId::from_bytes([2; 32]));
    const KEY: PublicKey = PublicKey::from_bytes([3; 32]);

    fn event(number: u8) -> EventId {
        EventId::from_bytes([number; 32])
    }

    /// Commits that these lanes of the lot end with this event.
    fn commit(busy: &Busy, creates: bool, lanes: &[Lane], end: u8) {
        let mut changes = Changes::default();
        for lane in lanes {
            changes.tips.insert((LOT, *lane), vec![event(end)]);
        }
        if creates {
            changes.created.push((LOT, (event(end), 0)));
        }
        let taken = busy.take(&changes);
        for lane in lanes {
            assert_eq!(busy.tips(&LOT, *lane), None, "nobody sees the old end of a lane that is written");
        }
        assert!(!busy.has_only_main_lane(&LOT), "nor that there is no other");
        busy.put(changes, &taken);
    }

    #[test]
    fn a_subject_has_only_its_main_lane_until_another_is_written() {
        let busy = Busy::new();
        commit(&busy, true, &[Lane::Main], 1);
        assert!(busy.has_only_main_lane(&LOT));
        assert_eq!(busy.origin(&LOT), Some((event(1), 0)));
        commit(&busy, false, &[Lane::Main], 2);
        assert!(busy.has_only_main_lane(&LOT));
        assert_eq!(busy.tips(&LOT, Lane::Main), Some(vec![event(2)]));
        commit(&busy, false, &[ATTESTER], 3);
        assert!(!busy.has_only_main_lane(&LOT));
        assert_eq!(busy.tips(&LOT, ATTESTER), Some(vec![event(3)]));
        commit(&busy, false, &[Lane::Main], 4);
        assert!(!busy.has_only_main_lane(&LOT));
    }

    #[test]
    fn nothing_is_said_of_lanes_that_may_be_on_the_disk_alone() {
        let busy = Busy::new();
        commit(&busy, false, &[Lane::Main], 1);
        assert!(!busy.has_only_main_lane(&LOT), "it was created before");
        let busy = Busy::new();
        commit(&busy, true, &[Lane::Main, ATTESTER], 1);
        assert!(!busy.has_only_main_lane(&LOT), "it was attested at once");
    }

    #[test]
    fn ends_of_journals_are_taken_out_while_they_are_written() {
        let (busy, head) = (Busy::new(), |height| JournalHead { event: event(1), height });
        for heads in [vec![head(1)], vec![head(2), head(3)]] {
            let changes = Changes { journals: [(KEY, heads.clone())].into_iter().collect(), ..Changes::default() };
            let taken = busy.take(&changes);
            assert_eq!(busy.journal(&KEY), None);
            busy.put(changes, &taken);
            assert_eq!(busy.journal(&KEY), Some(heads));
        }
    }
}
