//! What a key leaves behind beside its own event: a lane that forks where its journal does not.

use super::{Ancestry, Judged, Rule, Stop};
use crate::body::{Body, Cut};
use crate::counting::cuts;
use crate::event::VerifiedEvent;
use crate::id::{EventId, SubjectId};
use crate::network::Network;
use crate::payload::{Lane, Touch};
use std::collections::{BTreeSet, HashSet, VecDeque};
use std::sync::Arc;

/// How far a journal is gone back for the event before this one on the same lane. Who touches a lane often did so a
/// little while ago; for who did not, the lane is read.
const NEAR: u64 = 256;

/// Most events that are looked at to find out whether one rests on what a cut removed: some weeks of work between a
/// theft and its discovery. Of what lies further back it is taken that the cut left it.
const LOOKS: usize = 4_096;

/// A key cannot fork a lane without forking its journal: the event is void if its journal already holds an event of the
/// lane from which none of its tips descends, unless a decision or a cut in its basis removed that one.
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
    let removed = removed(network, event, touch, &subject, &beside, ancestry).map_err(Stop::Read)?;
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
/// lane, or because the event names what it has last. That included all before it when it was admitted, but what a
/// decision or a cut removed; on the lanes of lots, that may stand again.
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

/// Which events of the lane a decision or a cut in the basis removed, of those in `beside` all.
fn removed<A: Ancestry>(
    network: &Network,
    event: &VerifiedEvent,
    touch: &Touch,
    subject: &SubjectId,
    beside: &[Arc<Judged>],
    ancestry: &A,
) -> Result<HashSet<EventId>, A::Error> {
    let (mut overruled, mut cutters) = (HashSet::new(), Vec::new());
    let (mut open, mut seen) = (event.payload().basis.clone(), HashSet::new());
    while let Some(id) = open.pop() {
        let Some(judged) = ancestry.judged(&id)?.filter(|_| seen.insert(id)) else { continue };
        if let Body::NetworkAmended(body) = &judged.event.payload().body {
            // With an amendment, all that it follows is in force.
            open.extend_from_slice(&body.follows);
        }
        overruled.extend(overruled_by(&judged, subject));
        if can_cut(&judged) {
            cutters.push(judged);
        }
    }
    let mut removed = extended_by(overruled, subject, touch.lane, ancestry)?;
    if cutters.is_empty() {
        return Ok(removed);
    }
    let cuts_of = |judged: &Judged| -> Vec<(EventId, Cut)> {
        // An event that gave a key gave no other, so it alone tells which journal is cut.
        let journal = (judged.judgement.key_event, judged.event.key());
        let cuts = cutters.iter().flat_map(|cutter| {
            cuts(network, cutter, |_| Some(journal.1)).into_iter().map(|(of, cut)| (of, (cutter.event.id(), cut)))
        });
        cuts.filter(|(of, _)| *of == journal).map(|(_, cut)| cut).collect()
    };
    for judged in beside {
        let id = judged.event.id();
        if !removed.contains(&id) && !cutters_below(id, cuts_of, ancestry)?.is_empty() {
            removed.insert(id);
        }
    }
    Ok(removed)
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

/// These events of a lane, and what extends them there.
fn extended_by<A: Ancestry>(
    mut events: HashSet<EventId>,
    subject: &SubjectId,
    lane: Lane,
    ancestry: &A,
) -> Result<HashSet<EventId>, A::Error> {
    if events.is_empty() {
        return Ok(events);
    }
    let mut by_height = Vec::new();
    for id in ancestry.lane_events(subject, lane)? {
        by_height.extend(ancestry.judged(&id)?);
    }
    by_height.sort_by_key(|judged| judged.height_in(subject, lane));
    for judged in by_height {
        let Some(at) = judged.lane_index(subject, lane) else { continue };
        if judged.event.payload().touches[at].prev.iter().any(|prev| events.contains(prev)) {
            events.insert(judged.event.id());
        }
    }
    Ok(events)
}

/// Whether an event can end journals.
fn can_cut(judged: &Judged) -> bool {
    match &judged.event.payload().body {
        Body::ActorKeyRotated(_) | Body::ActorKeyReplaced(_) | Body::ActorRevoked(_) => true,
        Body::NetworkAmended(body) => body.change.leaves.is_some(),
        _ => false,
    }
}

/// The cutting events that ended a journal before `event` or before something on which it rests by touches and basis.
/// `cuts_of` gives the cuts of the journal of an event, with what cuts.
pub fn cutters_below<A: Ancestry>(
    event: EventId,
    cuts_of: impl Fn(&Judged) -> Vec<(EventId, Cut)>,
    ancestry: &A,
) -> Result<BTreeSet<EventId>, A::Error> {
    let (mut open, mut seen, mut looks) = (VecDeque::from([event]), HashSet::from([event]), LOOKS);
    let mut found = BTreeSet::new();
    while let Some(id) = open.pop_front() {
        let Some(judged) = ancestry.judged(&id)? else { continue };
        let Some(left) = looks.checked_sub(1) else { break };
        looks = left;
        for (cutter, cut) in cuts_of(&judged) {
            if cutter != id && is_beyond(&cut, &judged, ancestry, &mut looks)? {
                found.insert(cutter);
            }
        }
        let payload = judged.event.payload();
        let named = payload.touches.iter().flat_map(|touch| &touch.prev).chain(&payload.basis);
        open.extend(named.filter(|id| seen.insert(**id)));
    }
    Ok(found)
}

/// Whether an event of a journal lies beyond its cut.
fn is_beyond<A: Ancestry>(cut: &Cut, judged: &Judged, ancestry: &A, looks: &mut usize) -> Result<bool, A::Error> {
    let (id, height) = (judged.event.id(), judged.judgement.journal_height);
    if cut.stands.contains(&id) {
        return Ok(false);
    }
    let Some(back) = cut.count.checked_sub(height) else { return Ok(true) };
    // The journal may have been forked before its end.
    let Some(left) = usize::try_from(back).ok().and_then(|back| looks.checked_sub(back)) else { return Ok(false) };
    *looks = left;
    let mut link = cut.last;
    for _ in 0..back {
        let Some(judged) = ancestry.judged(&link)? else { return Ok(false) };
        link = judged.event.payload().journal;
    }
    Ok(link != id)
}
