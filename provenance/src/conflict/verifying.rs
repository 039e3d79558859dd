//! Verifying a conflict proof: a pure function of its bytes.

use super::exclusion::Exclusion;
use super::verdict::Accused;
use super::{Claim, ConflictError, ConflictKind, ConflictProof, Verdict};
use crate::admission::given_key;
use crate::event::{SignedEvent, VerifiedEvent};
use crate::history::History;
use crate::id::{EventId, NetworkId, SubjectId};
use crate::payload::Lane;
use crate::verification::Network;
use crate::verification::events::{replayed, verified};
use std::collections::{BTreeMap, HashMap, HashSet};

/// What a conflict proof shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// What cannot be.
    pub conflict: ConflictKind,
    /// The network.
    pub network: Network,
    /// The lot and its lane, where events of it exclude each other.
    pub lane: Option<(SubjectId, Lane)>,
    /// The link of the journal, where that forked.
    pub link: Option<EventId>,
    /// Whose key forked its journal, or the one actor for whom all the events in conflict were signed; nothing where
    /// several did what excludes each other.
    pub actor: Option<SubjectId>,
    /// The events that cannot all stand; ascending by id.
    pub events: Vec<Accused>,
}

/// Verifies a conflict proof, and says so in a verdict.
///
/// Time and memory are bounded by the limits of the format, whatever the bytes are.
pub fn verify(bytes: &[u8], network: Option<NetworkId>) -> Verdict {
    Verdict::of(prove(bytes, network))
}

/// What a conflict proof shows, or why it shows nothing. `network` is the one that is expected; any if not said.
pub fn prove(bytes: &[u8], network: Option<NetworkId>) -> Result<Shown, ConflictError> {
    let proof = ConflictProof::decode(bytes)?;
    proof.network.check()?;
    let found = proof.network.id();
    if let Some(expected) = network.filter(|expected| *expected != found) {
        return Err(ConflictError::OtherNetwork { found, expected });
    }
    let network = Network { id: found, name: proof.network.name().to_owned() };
    let signed = proof.events.iter().map(Vec::as_slice);
    match &proof.claim {
        Claim::JournalFork { key_event, events } => {
            let ancestors = verified(signed, found)?;
            let rivals = verified(events.iter().map(Vec::as_slice), found)?;
            let history = ordered(&proof, ancestors)?;
            let [first, second] = rivals.as_slice() else { unreachable!("a fork has two events") };
            fork(&proof, &history, *key_event, first, second, network)
        }
        Claim::LaneConflict { subject, lane, tips, journals } => {
            let mut ancestors = verified(signed.chain(journals.iter().map(Vec::as_slice)), found)?;
            let journals = ancestors.split_off(proof.events.len());
            let journals: BTreeMap<EventId, SignedEvent> =
                journals.into_iter().map(|event| (event.id(), event.into_signed())).collect();
            let history = ordered(&proof, ancestors)?;
            let needed = Exclusion { history: &history, subject, lane: *lane }.check(tips, &journals)?;
            nothing_besides(&history, tips)?;
            if let Some(extra) = journals.keys().find(|id| !needed.contains(id)) {
                return Err(ConflictError::ExtraEvent(*extra));
            }
            let accused = |tip: &EventId| {
                let judged = history.get(tip)?;
                Some(Accused::of(&judged.event, judged.judgement.actor))
            };
            Ok(Shown {
                conflict: ConflictKind::LaneConflict,
                network,
                lane: Some((*subject, *lane)),
                link: None,
                actor: Shown::one_actor(&history, tips),
                events: tips.iter().filter_map(accused).collect(),
            })
        }
    }
}

/// Replays the events, which must stand in the order of depth and id.
fn ordered(proof: &ConflictProof, events: Vec<VerifiedEvent>) -> Result<History, ConflictError> {
    let history = replayed(&proof.network, events)?;
    let mut last = None;
    for place in depths(&history) {
        if last.is_some_and(|last| place <= last) {
            return Err(ConflictError::EventOrder(place.1));
        }
        last = Some(place);
    }
    Ok(history)
}

/// The depth and id of each event, in the order of the history, which has ancestors first.
pub(super) fn depths(history: &History) -> Vec<(usize, EventId)> {
    let mut depths: HashMap<EventId, usize> = HashMap::new();
    let places = history.events().iter().map(|judged| {
        let below = judged.event.payload().rests_on().filter_map(|id| depths.get(&id)).max();
        let (depth, id) = (below.map_or(0, |below| below + 1), judged.event.id());
        depths.insert(id, depth);
        (depth, id)
    });
    places.collect()
}

fn fork(
    proof: &ConflictProof,
    history: &History,
    key_event: EventId,
    first: &SignedEvent,
    second: &SignedEvent,
    network: Network,
) -> Result<Shown, ConflictError> {
    let (key, link) = (first.key(), first.payload().journal);
    if second.key() != key {
        return Err(ConflictError::OtherKey(second.id()));
    }
    if second.payload().journal != link {
        return Err(ConflictError::OtherLink(second.id()));
    }
    let actor = if key_event == network.id.as_event() {
        proof.network.founder(&key)
    } else {
        let judged = history.get(&key_event).ok_or(ConflictError::UnknownEvent(key_event))?;
        given_key(&judged.event).filter(|(given, _)| *given == key).map(|(_, actor)| actor)
    };
    let actor = actor.ok_or(ConflictError::KeyOfNobody(key_event))?;
    nothing_besides(history, &[key_event])?;
    Ok(Shown {
        conflict: ConflictKind::JournalFork,
        network,
        lane: None,
        link: Some(link),
        actor: Some(actor),
        events: [first, second].map(|event| Accused::of(event, actor)).to_vec(),
    })
}

/// Demands that each event is one of `wanted`, or another rests on it.
fn nothing_besides(history: &History, wanted: &[EventId]) -> Result<(), ConflictError> {
    let events = || history.events().iter();
    let named: HashSet<EventId> = events().flat_map(|judged| judged.event.payload().rests_on()).collect();
    let extra = events().map(|judged| judged.event.id()).find(|id| !wanted.contains(id) && !named.contains(id));
    extra.map_or(Ok(()), |extra| Err(ConflictError::ExtraEvent(extra)))
}
