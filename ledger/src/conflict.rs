//! Makes conflict proofs of what a node holds ([`provenance::conflict`]).

use crate::findings;
use crate::reader::{Reader, Stored};
use provenance::conflict::{Gathered, journal_fork, lane_conflict};
use provenance::id::{EventId, PublicKey, SubjectId};
use provenance::network::Network;
use provenance::payload::Lane;
use std::collections::{BTreeMap, BTreeSet};
use store::StoreError;

/// A link of a key's journal on which several events stand.
#[derive(Debug, Clone)]
pub struct ForkedLink {
    /// The key.
    pub key: PublicKey,
    /// The event that all of them name as the one before.
    pub link: EventId,
    /// The events, some of which may be void; ascending by id.
    pub events: Vec<Stored>,
}

/// The proof that of these events of a lot, which are in conflict, some exclude each other; where no file can show that,
/// the proof that a key that signed one of them forked its journal. Nothing where neither can be shown.
pub fn of_lot(
    reader: &Reader,
    network: &Network,
    lot: &SubjectId,
    in_conflict: &[EventId],
) -> Result<Option<Gathered>, StoreError> {
    for lane in [Lane::Main, Lane::Title] {
        if let Some(gathered) = lane_conflict(network, (*lot, lane), in_conflict, reader)? {
            return Ok(Some(gathered));
        }
    }
    let mut keys = BTreeSet::new();
    for id in in_conflict {
        keys.extend(reader.stored(id)?.map(|stored| stored.judged.event.key()));
    }
    for key in keys {
        for forked in forked_links(reader, &key)? {
            if let Some(gathered) = of_link(reader, network, &forked)? {
                return Ok(Some(gathered));
            }
        }
    }
    Ok(None)
}

/// The links on which a key's journal forked, the oldest first.
pub fn forked_links(reader: &Reader, key: &PublicKey) -> Result<Vec<ForkedLink>, StoreError> {
    let mut links: BTreeMap<(u64, EventId), Vec<Stored>> = BTreeMap::new();
    for stored in findings::forks(reader, key)? {
        let (height, link) = (stored.judged.judgement.journal_height, stored.judged.event.payload().journal);
        links.entry((height, link)).or_default().push(stored);
    }
    let forked = links.into_iter().map(|((_, link), mut events)| {
        events.sort_by_key(|stored| stored.judged.event.id());
        ForkedLink { key: *key, link, events }
    });
    Ok(forked.collect())
}

/// The proof of a fork, by the two events with the lowest ids.
pub fn of_link(reader: &Reader, network: &Network, forked: &ForkedLink) -> Result<Option<Gathered>, StoreError> {
    match forked.events.as_slice() {
        [one, other, ..] => journal_fork(network, [&one.judged, &other.judged], reader),
        _ => Ok(None),
    }
}
