//! How many events wait, of whom and from whom: nobody can fill the room of what is held for others.

use provenance::id::{EventId, PublicKey};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Held events of one signer: more than a device signs while it is offline for a season.
const PER_SIGNER: usize = 4_096;

/// Held events of one peer.
const PER_PEER: usize = 16_384;

/// Events that wait for an ancestor. With those below, at most 1 GiB if each were as large as an event may be.
const WAITING_IN_ALL: usize = 49_152;

/// Events that wait for an upgrade of this program. They have a room of their own: nothing but the upgrade empties it,
/// and whoever fills it must not keep others from catching up.
const UNSUPPORTED_IN_ALL: usize = 16_384;

/// Which events are held, for the quotas; rebuilt when the ledger opens.
#[derive(Debug, Default)]
pub(crate) struct HeldCounts {
    waiting: Pool,
    unsupported: Pool,
    by_source: HashMap<String, usize>,
}

/// Whether one more event can be held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Room {
    /// There is room.
    Free,
    /// All is full, and this event goes: the oldest of the signer that has the most. What it waits for may not exist.
    InPlaceOf(EventId),
    /// The signer or the peer has used up its share.
    None,
}

impl HeldCounts {
    /// How many events are held.
    pub fn all(&self) -> usize {
        self.waiting.places.len() + self.unsupported.places.len()
    }

    /// Notes an event that is held, for want of an ancestor or until an upgrade.
    pub fn add(&mut self, id: EventId, signer: PublicKey, source: &str, awaits_upgrade: bool) {
        self.pool_mut(awaits_upgrade).add(id, signer);
        *self.by_source.entry(source.to_owned()).or_default() += 1;
    }

    /// Notes that an event is no longer held.
    pub fn remove(&mut self, id: &EventId, signer: &PublicKey, source: &str) {
        if !self.waiting.remove(id, signer) {
            self.unsupported.remove(id, signer);
        }
        if let Some(count) = self.by_source.get_mut(source) {
            *count -= 1;
            if *count == 0 {
                self.by_source.remove(source);
            }
        }
    }

    /// Whether one more event of this signer, sent by this peer, can be held.
    pub fn room(&self, signer: &PublicKey, source: &str, awaits_upgrade: bool) -> Room {
        let (pool, most) =
            if awaits_upgrade { (&self.unsupported, UNSUPPORTED_IN_ALL) } else { (&self.waiting, WAITING_IN_ALL) };
        let own = pool.count(signer);
        if own >= PER_SIGNER || self.by_source.get(source).is_some_and(|count| *count >= PER_PEER) {
            return Room::None;
        }
        if pool.places.len() < most {
            return Room::Free;
        }
        match pool.oldest_of_most(own) {
            // What waits for an upgrade does so for good reason, and the newer would wait for the same.
            Some(oldest) if !awaits_upgrade => Room::InPlaceOf(oldest),
            _ => Room::None,
        }
    }

    fn pool_mut(&mut self, awaits_upgrade: bool) -> &mut Pool {
        if awaits_upgrade { &mut self.unsupported } else { &mut self.waiting }
    }
}

/// Held events, by signer and by the order in which they came.
#[derive(Debug, Default)]
struct Pool {
    /// The how manieth each event was.
    places: HashMap<EventId, u64>,
    by_signer: HashMap<PublicKey, BTreeMap<u64, EventId>>,
    /// Signers by how many of their events are held.
    shares: BTreeSet<(usize, PublicKey)>,
    next: u64,
}

impl Pool {
    fn count(&self, signer: &PublicKey) -> usize {
        self.by_signer.get(signer).map_or(0, BTreeMap::len)
    }

    fn add(&mut self, id: EventId, signer: PublicKey) {
        let before = self.count(&signer);
        self.places.insert(id, self.next);
        self.by_signer.entry(signer).or_default().insert(self.next, id);
        self.next += 1;
        self.shares.remove(&(before, signer));
        self.shares.insert((before + 1, signer));
    }

    /// False if it is not here.
    fn remove(&mut self, id: &EventId, signer: &PublicKey) -> bool {
        let Some(place) = self.places.remove(id) else { return false };
        let before = self.count(signer);
        self.shares.remove(&(before, *signer));
        if let Some(events) = self.by_signer.get_mut(signer) {
            events.remove(&place);
        }
        if before > 1 {
            self.shares.insert((before - 1, *signer));
        } else {
            self.by_signer.remove(signer);
        }
        true
    }

    /// The oldest event of the signer that has the most, if that is more than this.
    fn oldest_of_most(&self, than: usize) -> Option<EventId> {
        let (_, signer) = self.shares.last().filter(|(count, _)| *count > than)?;
        self.by_signer.get(signer)?.values().next().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: usize) -> EventId {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&(number as u64).to_be_bytes());
        EventId::from_bytes(bytes)
    }

    fn signer(number: u8) -> PublicKey {
        PublicKey::from_bytes([number; 32])
    }

    /// Many signers, each as far as it may, with events for whose ancestors one can wait for ever.
    fn full(most: usize, awaits_upgrade: bool) -> HeldCounts {
        let mut counts = HeldCounts::default();
        for number in 0..most {
            let who = u8::try_from(number / PER_SIGNER).unwrap_or(u8::MAX);
            let source = format!("peer {}", number / PER_PEER);
            assert_eq!(counts.room(&signer(who), &source, awaits_upgrade), Room::Free, "{number}");
            counts.add(id(number), signer(who), &source, awaits_upgrade);
        }
        counts
    }

    #[test]
    fn whoever_fills_all_makes_room_for_others() {
        let mut counts = full(WAITING_IN_ALL, false);
        let (honest, greedy) = (signer(99), signer(11));
        assert_eq!(counts.room(&signer(0), "p", false), Room::None);
        for number in WAITING_IN_ALL..WAITING_IN_ALL + 100 {
            let Room::InPlaceOf(oldest) = counts.room(&honest, "p", false) else { panic!("an honest signer has room") };
            // All have as many; the last of them by key goes first, and of it the oldest.
            let who = (0..12).map(signer).find(|who| counts.waiting.by_signer[who].values().any(|it| *it == oldest));
            let who = who.unwrap_or(greedy);
            assert_eq!(counts.waiting.by_signer[&who].values().next(), Some(&oldest));
            let source = format!("peer {}", usize::from(who.as_bytes()[0]) / 4);
            counts.remove(&oldest, &who, &source);
            counts.add(id(number), honest, "p", false);
            assert_eq!(counts.all(), WAITING_IN_ALL);
        }
        assert_eq!(counts.waiting.count(&honest), 100);
        // What waits for an upgrade is another matter.
        assert_eq!(counts.room(&signer(0), "p", true), Room::Free);
    }

    #[test]
    fn what_waits_for_an_upgrade_keeps_nobody_from_waiting() {
        let counts = full(UNSUPPORTED_IN_ALL, true);
        assert_eq!(counts.room(&signer(99), "p", true), Room::None);
        assert_eq!(counts.room(&signer(99), "p", false), Room::Free);
    }

    #[test]
    fn what_is_released_makes_room() {
        let mut counts = HeldCounts::default();
        for number in 0..PER_SIGNER {
            counts.add(id(number), signer(1), "p", false);
        }
        assert_eq!(counts.room(&signer(1), "q", false), Room::None);
        counts.remove(&id(7), &signer(1), "p");
        assert_eq!(counts.room(&signer(1), "q", false), Room::Free);
        for number in 0..PER_SIGNER {
            counts.remove(&id(number), &signer(1), "p");
        }
        assert_eq!((counts.all(), counts.waiting.shares.len(), counts.waiting.by_signer.len()), (0, 0, 0));
    }
}
