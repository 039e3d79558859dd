//! What a key leaves behind beside its own event: a lane that forks where its journal does not.

use super::{Ancestry, Judged, Rule, Stop};
use crate::body::{Body, Cut};
use crate::counting::cuts;
use crate::event::VerifiedEvent;
use crate::id::{EventId, PublicKey, SubjectId};
use crate::network::Network;
use crate::payload::Touch;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// How far a journal is gone back for the event before this one on the same lane. Who touches a lane often did so a
/// little while ago; for who did not, the lane is read.
const NEAR: u64 = 256;

/// Most links of journals that are followed for one touch, to find out whether offers stood before the cuts of journals
/// that were forked: some weeks of work between a theft and its discovery. Of further ones it is taken that the cut left
/// them.
const LOOKS: u64 = 4_096;

/// A key cannot fork a lane without forking its journal: the event is void if its journal already holds an event of the
/// lane from which none of its tips descends, unless a decision in its basis removed that one, or it answered an offer
/// that a cut in the basis removed, or rests on such an answer alone. (Whoever only answered a thief holds nothing by
/// that, so nothing is given away twice.)
pub(super) fn check<A: Ancestry>(
    network: &Network,
    event: &VerifiedEvent,
    index: usize,
    journal_height: u64,
    ancestry: &A,
) -> Result<(), Stop<A::Error>> {
    let touch = &event.payload().touches[index];
    let Some(subject) = touch.subject else { return Ok(()) };
    let tips = ancestry.lane_tips(&subject, touch.lane).map_err(Stop::Read)?;
    // Almost always the event extends all tips there are, and so every event of the lane.
    if tips.iter().all(|tip| touch.prev.contains(tip)) {
        return Ok(());
    }
    if extends_own(event, touch, &subject, ancestry).map_err(Stop::Read)? {
        return Ok(());
    }
    let beside = own_beside(event, touch, &subject, journal_height, ancestry).map_err(Stop::Read)?;
    if beside.is_empty() {
        return Ok(());
    }
    let removed = removed(network, event, touch, &subject, ancestry).map_err(Stop::Read)?;
    let Some(lowest) = beside.iter().find(|judged| !removed.contains(&judged.event.id())) else { return Ok(()) };
    let lowest = lowest.judgement.journal_height;
    let left: HashSet<EventId> =
        beside.iter().map(|judged| judged.event.id()).filter(|id| !removed.contains(id)).collect();
    // With a forked journal there may be such events that are not in *this* event's line.
    let (mut height, mut link) = (journal_height - 1, event.payload().journal);
    while height >= lowest {
        if left.contains(&link) {
            return Err(Rule::LaneFork.into());
        }
        // Every judged event has judged ancestors, so only the network id ends the walk.
        let Some(previous) = ancestry.judged(&link).map_err(Stop::Read)? else { break };
        (height, link) = (height - 1, previous.event.payload().journal);
    }
    Ok(())
}

/// Whether it is seen at once that nothing of this journal lies beside the event: because the journal has nothing on this
/// lane, or because the event names what it has last: that included all before it when it was admitted. Not so on the
/// lanes of lots, where a decision or a cut may have removed some of it.
fn extends_own<A: Ancestry>(
    event: &VerifiedEvent,
    touch: &Touch,
    subject: &SubjectId,
    ancestry: &A,
) -> Result<bool, A::Error> {
    let mut link = event.payload().journal;
    for _ in 0..NEAR {
        let Some(judged) = ancestry.judged(&link)?.filter(|judged| judged.event.key() == event.key()) else {
            return Ok(true);
        };
        if let Some(at) = judged.lane_index(subject, touch.lane) {
            return Ok(judged.judgement.lines[at].lot.is_none() && touch.prev.contains(&link));
        }
        link = judged.event.payload().journal;
    }
    Ok(false)
}

/// Earlier events of this key on the lane from which the event does not descend, those of lower journal height first.
fn own_beside<A: Ancestry>(
    event: &VerifiedEvent,
    touch: &Touch,
    subject: &SubjectId,
    journal_height: u64,
    ancestry: &A,
) -> Result<Vec<Arc<Judged>>, A::Error> {
    let extended = ancestors_in_lane(touch, subject, ancestry)?;
    let mut beside = Vec::new();
    for id in ancestry.lane_events(subject, touch.lane)?.iter().filter(|id| !extended.contains(id)) {
        let Some(judged) = ancestry.judged(id)? else { continue };
        if judged.event.key() == event.key() && (1..journal_height).contains(&judged.judgement.journal_height) {
            beside.push(judged);
        }
    }
    beside.sort_by_key(|judged| judged.judgement.journal_height);
    Ok(beside)
}

fn ancestors_in_lane<A: Ancestry>(
    touch: &Touch,
    subject: &SubjectId,
    ancestry: &A,
) -> Result<HashSet<EventId>, A::Error> {
    let mut seen = HashSet::new();
    let mut open = touch.prev.clone();
    while let Some(id) = open.pop() {
        if seen.insert(id)
            && let Some(judged) = ancestry.judged(&id)?
            && let Some(at) = judged.lane_index(subject, touch.lane)
        {
            open.extend_from_slice(&judged.event.payload().touches[at].prev);
        }
    }
    Ok(seen)
}

/// Which events of the lane a decision or a cut in the basis removed.
fn removed<A: Ancestry>(
    network: &Network,
    event: &VerifiedEvent,
    touch: &Touch,
    subject: &SubjectId,
    ancestry: &A,
) -> Result<HashSet<EventId>, A::Error> {
    let (mut overruled, mut cuts) = (HashSet::new(), Cuts::default());
    let (mut open, mut seen) = (event.payload().basis.clone(), HashSet::new());
    while let Some(id) = open.pop() {
        let Some(judged) = ancestry.judged(&id)?.filter(|_| seen.insert(id)) else { continue };
        if let Body::NetworkAmended(body) = &judged.event.payload().body {
            // With an amendment, all that it follows is in force.
            open.extend_from_slice(&body.follows);
        }
        overruled.extend(overruled_by(&judged, subject));
        cuts.add(network, &judged);
    }
    if overruled.is_empty() && cuts.is_empty() {
        return Ok(HashSet::new());
    }
    let mut by_height = Vec::new();
    for id in ancestry.lane_events(subject, touch.lane)? {
        by_height.extend(ancestry.judged(&id)?);
    }
    by_height.sort_by_key(|judged| judged.height_in(subject, touch.lane));
    let (mut by_cut, mut looks) = (HashSet::new(), LOOKS);
    for judged in by_height {
        let Some(at) = judged.lane_index(subject, touch.lane) else { continue };
        let (id, prev) = (judged.event.id(), &judged.event.payload().touches[at].prev);
        if prev.iter().any(|prev| overruled.contains(prev)) {
            overruled.insert(id);
        }
        // What extends something else as well can stand without the rest.
        let falls = !prev.is_empty() && prev.iter().all(|prev| by_cut.contains(prev));
        if falls || answers_cut_offer(&judged, &cuts, &mut looks, ancestry)? {
            by_cut.insert(id);
        }
    }
    overruled.extend(by_cut);
    Ok(overruled)
}

/// Cuts by the event that gave the key; and the key, which tells journals of founders apart.
#[derive(Default)]
struct Cuts(HashMap<EventId, Vec<(PublicKey, Cut)>>);

impl Cuts {
    /// Adds those that an event makes, if it makes any.
    fn add(&mut self, network: &Network, judged: &Judged) {
        // Whose key an event gave is asked of those alone that gave several, and these are the founders', which are known.
        for ((key_event, key), cut) in cuts(network, judged, |_| Some(judged.event.key())) {
            self.0.entry(key_event).or_default().push((key, cut));
        }
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Those of the journal in which an event stands.
    fn of<'a>(&'a self, judged: &'a Judged) -> impl Iterator<Item = &'a Cut> {
        let is_founders = judged.judgement.key_event == judged.event.payload().network.as_event();
        let of_key_event = self.0.get(&judged.judgement.key_event).into_iter().flatten();
        of_key_event.filter(move |(key, _)| !is_founders || *key == judged.event.key()).map(|(_, cut)| cut)
    }
}

/// Whether an event accepts or declines an offer that lies beyond one of these cuts.
fn answers_cut_offer<A: Ancestry>(
    judged: &Judged,
    cuts: &Cuts,
    looks: &mut u64,
    ancestry: &A,
) -> Result<bool, A::Error> {
    let offer = match &judged.event.payload().body {
        _ if cuts.is_empty() => return Ok(false),
        Body::TransferAccepted(body) => body.offer,
        Body::TransferDeclined(body) => body.offer,
        _ => return Ok(false),
    };
    let Some(offer) = ancestry.judged(&offer)? else { return Ok(false) };
    for cut in cuts.of(&offer) {
        if is_beyond(cut, &offer, looks, ancestry)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The events that a decision, if the event is one, does not let stand on this lot.
fn overruled_by(judged: &Judged, lot: &SubjectId) -> Vec<EventId> {
    let (branches, stands) = match &judged.event.payload().body {
        Body::DisputeResolved(body) if judged.event.subject(0) == Some(*lot) => (&body.branches, &body.stands),
        Body::NetworkAmended(body) => match &body.change.decision {
            Some(decision) if decision.lot == *lot => (&decision.branches, &decision.stands),
            _ => return Vec::new(),
        },
        _ => return Vec::new(),
    };
    branches.iter().filter(|branch| !stands.contains(branch)).copied().collect()
}

/// Whether an event of a journal lies beyond its cut.
fn is_beyond<A: Ancestry>(cut: &Cut, judged: &Judged, looks: &mut u64, ancestry: &A) -> Result<bool, A::Error> {
    let id = judged.event.id();
    if cut.stands.contains(&id) {
        return Ok(false);
    }
    let Some(back) = cut.count.checked_sub(judged.judgement.journal_height) else { return Ok(true) };
    // The journal may have been forked before its end.
    let Some(left) = looks.checked_sub(back) else { return Ok(false) };
    *looks = left;
    let mut link = cut.last;
    for _ in 0..back {
        let Some(judged) = ancestry.judged(&link)? else { return Ok(false) };
        link = judged.event.payload().journal;
    }
    Ok(link != id)
}
