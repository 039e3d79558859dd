//! Events that are wanted: in which order, who has them, and what became of each.

use super::RequestId;
use crate::limits::{BATCH_BYTES, BATCH_EVENTS, MAX_ANCESTORS, MAX_FOLLOWED};
use provenance::id::EventId;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// A followed peer's place, 0 to 63.
pub(super) type Place = u8;

/// Who delivered an event, once that peer is gone.
const NOBODY: Place = Place::MAX;

/// Ids looked at in the queue of one peer to find some that another one is likely to have too.
const LOOKED_AT: usize = 8_192;

/// The first pause after an event could not be had from anybody; it doubles with each attempt.
const FIRST_PAUSE_MS: u64 = 500;

/// The longest pause.
const LONGEST_PAUSE_MS: u64 = 60_000;

/// What is known of an event that is wanted.
#[derive(Debug)]
struct Want {
    /// Ancestors before what rests on them: ids are numbered as logs show them.
    order: i64,
    /// Peers that showed it, a bit for each place.
    listed: u64,
    /// Peers that were asked in vain.
    in_vain: u64,
    /// Its index in the log that showed it: peers with longer logs are likely to have it too.
    index: u64,
    /// How often nobody had it, or it waited for ancestors.
    pauses: u8,
    /// Who delivered it.
    from: Place,
    state: State,
}

#[derive(Debug)]
enum State {
    Queued,
    Asked(RequestId),
    Here(Vec<u8>),
    Writing,
    /// Nobody had it, or what it rests on was not here. Asked for again at that time.
    Paused(u64),
    /// It waits for an upgrade, and there was no room to keep it.
    TooNew,
    /// No event of this network.
    Refused,
}

/// A peer that may be asked for some events now, and for how many.
pub(super) type Taker = (Place, usize);

/// An event's id and bytes.
pub(super) type Body = (EventId, Vec<u8>);

/// The table of wanted events.
#[derive(Debug)]
pub(super) struct Wanted {
    wants: HashMap<EventId, Want>,
    /// Those that are to be asked for, for each peer that has shown them: one that shows much and brings nothing
    /// stands in nobody's way.
    queues: BTreeMap<Place, BTreeMap<i64, EventId>>,
    /// How many are to be asked for.
    queued: usize,
    /// Those that were asked for or are here: the first of them is written first.
    line: BTreeMap<i64, EventId>,
    /// Those that are paused, by the time at which that ends.
    paused: BTreeSet<(u64, i64)>,
    paused_ids: BTreeMap<i64, EventId>,
    next: i64,
    before_all: i64,
    /// Those in front of all others.
    ancestors: usize,
    /// Bytes of events that are here or being written.
    bytes: usize,
    /// Peers that are taken to have what stands below an index in other logs.
    guessed: BTreeMap<Place, u64>,
    /// How many of all these each peer has shown.
    listed: [usize; MAX_FOLLOWED],
}

impl Default for Wanted {
    fn default() -> Self {
        Self {
            wants: HashMap::new(),
            queues: BTreeMap::new(),
            queued: 0,
            line: BTreeMap::new(),
            paused: BTreeSet::new(),
            paused_ids: BTreeMap::new(),
            next: 0,
            before_all: 0,
            ancestors: 0,
            bytes: 0,
            guessed: BTreeMap::new(),
            listed: [0; MAX_FOLLOWED],
        }
    }
}

impl Wanted {
    /// How many events are wanted that this peer has shown.
    pub fn listed(&self, place: Place) -> usize {
        self.listed[usize::from(place)]
    }

    pub fn len(&self) -> usize {
        self.wants.len()
    }

    pub fn is_empty(&self) -> bool {
        self.wants.is_empty()
    }

    pub fn contains(&self, id: &EventId) -> bool {
        self.wants.contains_key(id)
    }

    /// Bytes of events that are here or being written.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// A peer is taken to have what stands below this index in other logs, as its own has so many entries; 0 if it
    /// was found not to.
    pub fn guess(&mut self, place: Place, below: u64) {
        self.guessed.insert(place, below);
    }

    /// Whether some are to be asked for.
    pub fn has_queued(&self) -> bool {
        self.queued > 0
    }

    /// A peer's log shows an event that is not here.
    pub fn note(&mut self, id: EventId, place: Place, index: u64) {
        let (order, before) = (self.next, self.wants.len());
        let want = self.wants.entry(id).or_insert_with(|| Want::new(order, index));
        want.index = want.index.min(index);
        want.in_vain &= !bit(place);
        if self.wants.len() > before {
            self.next += 1;
            self.queued += 1;
        }
        self.list(&id, bit(place));
    }

    /// Peers have shown an event that is wanted.
    fn list(&mut self, id: &EventId, places: u64) {
        let Some(want) = self.wants.get_mut(id) else { return };
        let new = places & !want.listed;
        want.listed |= places;
        places_of(new).for_each(|place| self.listed[usize::from(place)] += 1);
        if matches!(want.state, State::Queued) {
            for place in places_of(new) {
                self.queues.entry(place).or_default().insert(want.order, *id);
            }
        }
    }

    /// Something rests on an event that is not here; whoever showed that has it too. Where there is no room, it is
    /// noted when what rests on it is held once more.
    fn note_ancestor(&mut self, id: EventId, listed: u64) {
        if !self.wants.contains_key(&id) {
            if self.ancestors >= MAX_ANCESTORS {
                return;
            }
            self.ancestors += 1;
            self.before_all -= 1;
            self.queued += 1;
            self.wants.insert(id, Want::new(self.before_all, u64::MAX));
        }
        self.list(&id, listed);
    }

    /// Distributes what is queued among `takers`, in its order: to each what it has shown itself, and where there is
    /// room left, what it is likely to have too. Gives the ids for each of them.
    pub fn assign(&self, takers: &[Taker]) -> Vec<Vec<EventId>> {
        let mut taken = HashSet::new();
        let mut shares: Vec<Vec<EventId>> = takers.iter().map(|_| Vec::new()).collect();
        for ((place, room), share) in takers.iter().zip(&mut shares) {
            let own = self.queues.get(place).into_iter().flat_map(BTreeMap::values);
            let others = self.queues.iter().filter(|(other, _)| *other != place);
            let likely = others.flat_map(|(_, queue)| queue.values().take(LOOKED_AT));
            for id in own.chain(likely) {
                if share.len() == *room || taken.len() == self.queued {
                    break;
                }
                if self.sources(&self.wants[id]) & bit(*place) != 0 && taken.insert(*id) {
                    share.push(*id);
                }
            }
        }
        shares
    }

    /// These are asked for now.
    pub fn asked(&mut self, ids: &[EventId], request: RequestId) {
        for id in ids {
            self.leave(id, State::Asked(request));
            self.line.insert(self.wants[id].order, *id);
        }
    }

    /// An event has come. A copy of one that is here already is dropped.
    pub fn arrived(&mut self, id: &EventId, bytes: Vec<u8>, from: Place) {
        let Some(want) = self.wants.get_mut(id) else { return };
        if matches!(want.state, State::Here(_) | State::Writing | State::TooNew | State::Refused) {
            return;
        }
        want.from = from;
        let order = want.order;
        self.bytes += bytes.len();
        self.leave(id, State::Here(bytes));
        self.line.insert(order, *id);
    }

    /// Whether the peer itself has shown the event: then it has to have it.
    pub fn is_listed(&self, id: &EventId, place: Place) -> bool {
        self.wants.get(id).is_some_and(|want| want.listed & bit(place) != 0)
    }

    /// What was asked for with this request did not come: it is asked for again, of others if it was `in_vain`.
    pub fn back(&mut self, ids: &[EventId], request: RequestId, in_vain: Option<Place>, now_ms: u64) {
        for id in ids {
            let Some(want) = self.wants.get_mut(id) else { continue };
            if !matches!(want.state, State::Asked(at) if at == request) {
                continue;
            }
            want.in_vain |= in_vain.map_or(0, bit);
            if self.sources(&self.wants[id]) == 0 {
                self.pause(id, now_ms);
            } else {
                self.enqueue(id);
            }
        }
    }

    /// Those of `ids` that are still asked for with this request, and that others than the peer have too.
    pub fn had_elsewhere(&self, ids: &[EventId], request: RequestId, place: Place) -> Vec<EventId> {
        let elsewhere = |id: &&EventId| {
            let want = self.wants.get(*id).filter(|want| matches!(want.state, State::Asked(at) if at == request));
            want.is_some_and(|want| self.sources(want) & !bit(place) != 0)
        };
        ids.iter().filter(elsewhere).copied().collect()
    }

    /// The next events to be written, in their order, with who delivered most of them. Fewer than a batch only where
    /// `also_few`, or nothing more is on its way.
    pub fn next_batch(&mut self, also_few: bool) -> Option<(Place, Vec<Body>)> {
        let (mut count, mut bytes) = (0, 0);
        for id in self.line.values() {
            let State::Here(body) = &self.wants[id].state else { break };
            if count == BATCH_EVENTS || (count > 0 && bytes + body.len() > BATCH_BYTES) {
                break;
            }
            count += 1;
            bytes += body.len();
        }
        let is_full = count == BATCH_EVENTS || 2 * bytes > BATCH_BYTES;
        if count == 0 || !(is_full || also_few || count == self.line.len() && self.queued == 0) {
            return None;
        }
        let mut events = Vec::with_capacity(count);
        let mut delivered = BTreeMap::<Place, usize>::new();
        for _ in 0..count {
            let (_, id) = self.line.pop_first().expect("they were just counted");
            let want = self.wants.get_mut(&id).expect("what stands in line is wanted");
            if let State::Here(body) = std::mem::replace(&mut want.state, State::Writing) {
                events.push((id, body));
            }
            *delivered.entry(want.from).or_default() += 1;
        }
        let most = delivered.into_iter().max_by_key(|(place, count)| (*count, std::cmp::Reverse(*place)));
        Some((most.map_or(NOBODY, |(place, _)| place), events))
    }

    /// The bytes of a batch were written, or dropped.
    pub fn written(&mut self, bytes: usize) {
        self.bytes = self.bytes.saturating_sub(bytes);
    }

    /// It was judged, or found to be here.
    pub fn settle(&mut self, id: &EventId) {
        self.forget(id);
    }

    /// It waits for these, which are wanted before it.
    pub fn held(&mut self, id: &EventId, missing: &[EventId], now_ms: u64) {
        let Some(listed) = self.wants.get(id).map(|want| want.listed) else { return };
        if listed == 0 {
            return self.forget(id);
        }
        for ancestor in missing {
            self.note_ancestor(*ancestor, listed);
        }
        self.pause(id, now_ms);
    }

    /// It waits for an upgrade, and is not kept.
    pub fn too_new(&mut self, id: &EventId) {
        self.leave(id, State::TooNew);
    }

    /// It is no event of this network. Gives the places of those that are to blame.
    pub fn refused(&mut self, id: &EventId) -> Vec<Place> {
        let to_blame = self.wants.get(id).map_or(0, |want| want.listed | bit_of(want.from));
        self.leave(id, State::Refused);
        places_of(to_blame).collect()
    }

    /// It could not be written: its bytes are gone, and it is asked for again.
    pub fn unwritten(&mut self, id: &EventId) {
        let Some(want) = self.wants.get_mut(id) else { return };
        if want.listed == 0 {
            self.forget(id);
        } else if matches!(want.state, State::Writing) {
            self.enqueue(id);
        }
    }

    /// Whether it waits for an upgrade and is not kept.
    pub fn is_too_new(&self, id: &EventId) -> bool {
        self.wants.get(id).is_some_and(|want| matches!(want.state, State::TooNew))
    }

    /// The peer's log is not waiting for it any more: its cursor has passed an event that is too new, or a comparison
    /// was given up.
    pub fn unlist(&mut self, id: &EventId, place: Place) {
        let Some(want) = self.wants.get_mut(id) else { return };
        if want.listed & bit(place) == 0 {
            return;
        }
        want.listed &= !bit(place);
        self.listed[usize::from(place)] -= 1;
        if let Some(queue) = self.queues.get_mut(&place) {
            queue.remove(&want.order);
        }
        if want.is_needless() {
            self.forget(id);
        }
    }

    /// Asks again for what was paused until now.
    pub fn resume(&mut self, now_ms: u64) {
        while let Some((until, order)) = self.paused.first().copied().filter(|(until, _)| *until <= now_ms) {
            self.paused.remove(&(until, order));
            let Some(id) = self.paused_ids.remove(&order) else { continue };
            if let Some(want) = self.wants.get_mut(&id) {
                want.in_vain = 0;
                self.enqueue(&id);
            }
        }
    }

    /// Up to `most` of those that are paused: some may be here by now.
    pub fn some_paused(&self, most: usize) -> Vec<EventId> {
        self.paused_ids.values().take(most).copied().collect()
    }

    /// A peer is gone, and another one gets its place.
    pub fn gone(&mut self, place: Place) {
        self.guessed.remove(&place);
        for want in self.wants.values_mut().filter(|want| want.from == place) {
            want.from = NOBODY;
        }
        self.unlist_all(place);
    }

    /// What a peer has shown does not matter any more: it is gone, or has another log now. What nobody else has shown
    /// is not wanted any more, unless it is here already.
    pub fn unlist_all(&mut self, place: Place) {
        self.queues.remove(&place);
        self.listed[usize::from(place)] = 0;
        let mut alone = Vec::new();
        for (id, want) in &mut self.wants {
            want.listed &= !bit(place);
            want.in_vain &= !bit(place);
            if want.is_needless() {
                alone.push(*id);
            }
        }
        for id in alone {
            self.forget(&id);
        }
    }

    /// Who may be asked for it.
    fn sources(&self, want: &Want) -> u64 {
        let guessed = self.guessed.iter().filter(|(_, below)| want.index < **below).map(|(place, _)| bit(*place));
        (guessed.sum::<u64>() | want.listed) & !want.in_vain
    }

    /// Lets it be asked for.
    fn enqueue(&mut self, id: &EventId) {
        self.leave(id, State::Queued);
        let Some(want) = self.wants.get(id) else { return };
        self.queued += 1;
        for place in places_of(want.listed) {
            self.queues.entry(place).or_default().insert(want.order, *id);
        }
    }

    fn pause(&mut self, id: &EventId, now_ms: u64) {
        let Some(want) = self.wants.get_mut(id) else { return };
        let pause = FIRST_PAUSE_MS << want.pauses.min(7);
        want.pauses = want.pauses.saturating_add(1);
        let until = now_ms.saturating_add(pause.min(LONGEST_PAUSE_MS));
        let order = want.order;
        self.leave(id, State::Paused(until));
        self.paused.insert((until, order));
        self.paused_ids.insert(order, *id);
    }

    /// Takes a want out of the lists that its state is in, and gives it another.
    fn leave(&mut self, id: &EventId, to: State) {
        let Some(want) = self.wants.get_mut(id) else { return };
        match std::mem::replace(&mut want.state, to) {
            State::Queued => {
                self.queued -= 1;
                for place in places_of(want.listed) {
                    if let Some(queue) = self.queues.get_mut(&place) {
                        queue.remove(&want.order);
                    }
                }
            }
            State::Asked(_) => drop(self.line.remove(&want.order)),
            State::Here(body) => {
                self.bytes = self.bytes.saturating_sub(body.len());
                self.line.remove(&want.order);
            }
            State::Paused(until) => {
                self.paused.remove(&(until, want.order));
                self.paused_ids.remove(&want.order);
            }
            State::Writing | State::TooNew | State::Refused => {}
        }
    }

    fn forget(&mut self, id: &EventId) {
        self.leave(id, State::Refused);
        let Some(want) = self.wants.remove(id) else { return };
        places_of(want.listed).for_each(|place| self.listed[usize::from(place)] -= 1);
        if want.order < 0 {
            self.ancestors -= 1;
        }
    }
}

impl Want {
    fn new(order: i64, index: u64) -> Self {
        Self { order, listed: 0, in_vain: 0, index, pauses: 0, from: NOBODY, state: State::Queued }
    }

    /// Whether nobody's log shows it, and nothing of it is here.
    fn is_needless(&self) -> bool {
        self.listed == 0 && !matches!(self.state, State::Here(_) | State::Writing)
    }
}

fn places_of(bits: u64) -> impl Iterator<Item = Place> {
    (0..64).filter(move |place| bits & bit(*place) != 0)
}

/// The bit of a place.
fn bit(place: Place) -> u64 {
    1 << place
}

fn bit_of(from: Place) -> u64 {
    if from == NOBODY { 0 } else { bit(from) }
}
