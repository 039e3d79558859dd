//! Making conflict proofs out of judged events: the smallest that proves, and the same on every node that holds the same.

use super::exclusion::Exclusion;
use super::verifying::{depths, prove};
use super::{Claim, ConflictProof, MAX_ANCESTORS, MAX_JOURNAL_EVENTS, MAX_TIPS};
use crate::admission::{Ancestry, Judged, Seen};
use crate::history::History;
use crate::id::{EventId, PublicKey, SubjectId};
use crate::network::Network;
use crate::payload::Lane;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

/// Events in conflict among which the fewest are looked for. More on one lane were made to cost.
const MAX_CANDIDATES: usize = 32;

/// Sets of events that are tried until a file of one of them proves.
const MAX_TRIALS: usize = 16;

/// A conflict proof and the events that it accuses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gathered {
    /// The proof, which was verified.
    pub proof: ConflictProof,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// The proof that two events of one key stand on one link of its journal; nothing where they do not, or what tells whose
/// the key is has no room in a file.
pub fn journal_fork<A: Ancestry>(
    network: &Network,
    rivals: [&Arc<Judged>; 2],
    ancestry: &A,
) -> Result<Option<Gathered>, A::Error> {
    let mut rivals = rivals;
    rivals.sort_by_key(|judged| judged.event.id());
    // What is no link of any journal has no key event; then the other tells.
    let linked = rivals.iter().find(|judged| judged.judgement.journal_height > 0).unwrap_or(&rivals[0]);
    let key_event = linked.judgement.key_event;
    let roots = if key_event == network.id().as_event() { Vec::new() } else { vec![key_event] };
    let Some(history) = closure(network, &roots, ancestry)? else { return Ok(None) };
    let events = rivals.map(|judged| judged.event.bytes().to_vec());
    Ok(checked(network, Claim::JournalFork { key_event, events }, &history))
}

/// The proof that events of a lane exclude each other, by the fewest and oldest of `in_conflict`, which are admitted; nothing where
/// they do not as they were admitted, or what proves it has no room in a file.
pub fn lane_conflict<A: Ancestry>(
    network: &Network,
    (subject, lane): (SubjectId, Lane),
    in_conflict: &[EventId],
    ancestry: &A,
) -> Result<Option<Gathered>, A::Error> {
    let mut candidates = Vec::with_capacity(in_conflict.len());
    for id in in_conflict {
        let judged = ancestry.judged(id)?.filter(|judged| judged.judgement.is_admitted());
        let placed = judged.and_then(|judged| Some((judged.height_in(&subject, lane)?, *id)));
        candidates.extend(placed);
    }
    candidates.sort_unstable();
    candidates.truncate(MAX_CANDIDATES);
    let candidates: Vec<EventId> = candidates.into_iter().map(|(_, id)| id).collect();
    let Some(all) = closure(network, &candidates, ancestry)? else { return Ok(None) };
    let exclusion = Exclusion { history: &all, subject: &subject, lane };
    for tips in exclusion.smallest_sets(&candidates) {
        let Some(history) = closure(network, &tips, ancestry)? else { continue };
        let journals = journals(&history, (&subject, lane), &tips, ancestry)?;
        let claim = Claim::LaneConflict { subject, lane, tips, journals };
        if let Some(gathered) = checked(network, claim, &history) {
            return Ok(Some(gathered));
        }
    }
    Ok(None)
}

/// The file, if it proves what it claims.
fn checked(network: &Network, claim: Claim, history: &History) -> Option<Gathered> {
    let mut places = depths(history);
    places.sort_unstable();
    let bytes_of = |id: &EventId| history.get(id).map(|judged| judged.event.bytes().to_vec());
    let events = places.iter().filter_map(|(_, id)| bytes_of(id)).collect();
    let proof = ConflictProof { network: network.clone(), claim, events };
    let bytes = proof.to_vec();
    prove(&bytes, None).is_ok().then_some(Gathered { proof, bytes })
}

/// These events and all on which they rest, ancestors first; nothing if they are too many for a file.
fn closure<A: Ancestry>(network: &Network, roots: &[EventId], ancestry: &A) -> Result<Option<History>, A::Error> {
    let mut found: HashMap<EventId, Arc<Judged>> = HashMap::new();
    let mut open = roots.to_vec();
    while let Some(id) = open.pop() {
        if id == network.id().as_event() || found.contains_key(&id) {
            continue;
        }
        let Some(judged) = ancestry.judged(&id)? else { return Ok(None) };
        open.extend(judged.event.payload().rests_on());
        found.insert(id, judged);
        if found.len() > MAX_ANCESTORS {
            return Ok(None);
        }
    }
    let mut history = History::default();
    let mut waiting: HashMap<EventId, usize> = HashMap::new();
    let mut rests: HashMap<EventId, Vec<EventId>> = HashMap::new();
    let mut ready = BTreeSet::new();
    for (id, judged) in &found {
        let below: HashSet<EventId> =
            judged.event.payload().rests_on().filter(|below| found.contains_key(below)).collect();
        if below.is_empty() {
            ready.insert(*id);
        }
        waiting.insert(*id, below.len());
        for lower in below {
            rests.entry(lower).or_default().push(*id);
        }
    }
    while let Some(id) = ready.pop_first() {
        history.add(found[&id].clone());
        for upper in rests.remove(&id).unwrap_or_default() {
            let left = waiting.entry(upper).or_default();
            *left -= 1;
            if *left == 0 {
                ready.insert(upper);
            }
        }
    }
    Ok(Some(history))
}

impl Exclusion<'_> {
    /// Sets of these events that exclude each other, of which none is there for nothing: pairs first, the oldest first.
    fn smallest_sets(&self, candidates: &[EventId]) -> Vec<Vec<EventId>> {
        let seen: Vec<Seen> = candidates.iter().filter_map(|id| self.history.look(id)).collect();
        let mut sets: Vec<Vec<EventId>> = Vec::new();
        let mut add = |tips: Vec<Seen>| {
            let mut ids: Vec<EventId> = self.reduced(tips).iter().map(Seen::id).collect();
            ids.sort_unstable();
            if (2..=MAX_TIPS).contains(&ids.len()) && !sets.contains(&ids) {
                sets.push(ids);
            }
            sets.len() >= MAX_TRIALS
        };
        for (at, second) in seen.iter().enumerate() {
            for first in &seen[..at] {
                let pair = vec![first.clone(), second.clone()];
                if self.exclude(&pair) && add(pair) {
                    return sets;
                }
            }
        }
        if self.exclude(&seen) {
            add(seen);
        }
        sets
    }

    /// Puts what an event extends in its place, as long as the events exclude each other still.
    fn reduced(&self, mut tips: Vec<Seen>) -> Vec<Seen> {
        let mut at = 0;
        while at < tips.len() {
            let lowered = self.lowered(&tips, at);
            if self.exclude(&lowered) {
                let distinct: BTreeMap<EventId, Seen> = lowered.into_iter().map(|seen| (seen.id(), seen)).collect();
                tips = distinct.into_values().collect();
                at = 0;
            } else {
                at += 1;
            }
        }
        tips
    }
}

/// The events of journals by which it is seen that events of one key beside each other are on branches that part.
fn journals<A: Ancestry>(
    history: &History,
    (subject, lane): (&SubjectId, Lane),
    tips: &[EventId],
    ancestry: &A,
) -> Result<Vec<Vec<u8>>, A::Error> {
    let exclusion = Exclusion { history, subject, lane };
    let mut by_key: BTreeMap<PublicKey, BTreeSet<(u64, EventId)>> = BTreeMap::new();
    for judged in exclusion.between(tips) {
        let place = (judged.judgement.journal_height, judged.event.id());
        by_key.entry(judged.event.key()).or_default().insert(place);
    }
    let mut shown: BTreeMap<EventId, Arc<Judged>> = BTreeMap::new();
    for mut open in by_key.into_values() {
        // The highest first, so where one event is left all branches have met. What is not needed of it goes below.
        while open.len() > 1 && shown.len() < MAX_JOURNAL_EVENTS {
            let Some((height, id)) = open.pop_last() else { break };
            let Some(judged) = ancestry.judged(&id)? else { continue };
            open.insert((height.saturating_sub(1), judged.event.payload().journal));
            if history.get(&id).is_none() {
                shown.insert(id, judged);
            }
        }
    }
    let signed = shown.iter().map(|(id, judged)| (*id, judged.event.clone())).collect();
    let needed = exclusion.check(tips, &signed).unwrap_or_default();
    Ok(shown
        .into_iter()
        .filter(|(id, _)| needed.contains(id))
        .map(|(_, judged)| judged.event.bytes().to_vec())
        .collect())
}
