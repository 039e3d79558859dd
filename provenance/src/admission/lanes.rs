//! What an event extends: the joined state of its tips, and the fork that a journal forbids.

use super::authority::Authority;
use super::{Ancestry, Judged, Rule, Seen, Stop};
use crate::body::Body;
use crate::custody::{Conflict, LotState};
use crate::event::{SignedEvent, VerifiedEvent};
use crate::id::{EventId, NetworkId, SubjectId};
use crate::payload::{Lane, Payload, Touch};
use std::collections::{BTreeMap, HashSet};

/// How far a journal is gone back for the event before this one on the same lane. Who touches a lane often did so a
/// little while ago; for who did not, the lane is read.
const NEAR: u64 = 256;

/// What a touch finds: its height in the lane, and the lot before it, or the rule by which there is none.
pub(super) struct Found {
    pub height: u64,
    pub before: Result<Option<LotState>, Rule>,
}

/// What touch `index` of an event finds after `prev`.
pub(super) fn before<A: Ancestry>(
    event: &SignedEvent,
    index: usize,
    prev: &[EventId],
    ancestry: &A,
    authority: &Authority,
) -> Result<Found, A::Error> {
    let touch = &event.payload().touches[index];
    let nothing = |height| Found { height, before: Ok(None) };
    let broken = |height, rule| Ok(Found { height, before: Err(rule) });
    let Some(subject) = touch.subject else { return Ok(nothing(0)) };
    let mut height = 0;
    let mut tips = Vec::with_capacity(prev.len());
    for prev in prev {
        // No event created a founder or the network: their lanes begin at the network id.
        if *prev == event.payload().network.as_event() {
            let begins = begins_at_network(&subject, touch, &event.payload().network, authority);
            return if begins { Ok(nothing(0)) } else { broken(0, Rule::Prev) };
        }
        let Some(seen) = ancestry.seen(prev)? else { return broken(height, Rule::Prev) };
        let Some(below) = seen.judged.height_in(&subject, touch.lane) else { return broken(height, Rule::Prev) };
        height = height.max(below + 1);
        tips.push(seen);
    }
    Ok(Found { height, before: lot_after_all(&subject, touch.lane, &tips, ancestry)? })
}

fn begins_at_network(subject: &SubjectId, touch: &Touch, network: &NetworkId, authority: &Authority) -> bool {
    let own = *subject == authority.actor || *subject == network.subject();
    own && touch.lane == Lane::Main && touch.prev.len() == 1
}

/// The lot after all of these events of a lane.
pub(crate) fn lot_after_all<A: Ancestry>(
    subject: &SubjectId,
    lane: Lane,
    tips: &[Seen],
    ancestry: &A,
) -> Result<Result<Option<LotState>, Rule>, A::Error> {
    Ok(match tips {
        [] => Ok(None),
        [one] => Ok(lot_after(one, subject, lane).cloned()),
        _ => join(subject, lane, tips, ancestry)?.map_err(|Conflict| Rule::Conflict),
    })
}

/// What lies between the tips of a lane and the youngest event through which all its lines pass.
pub(crate) struct Spread {
    /// That event.
    pub root: Seen,
    /// All events after it, tips included, parents first.
    pub between: Vec<Seen>,
}

/// Walks back from `tips` until one event is left. Nothing where the lines have no common origin,
/// as on the lanes of attesters.
pub(crate) fn spread<A: Ancestry>(
    subject: &SubjectId,
    lane: Lane,
    tips: &[Seen],
    ancestry: &A,
) -> Result<Option<Spread>, A::Error> {
    // Ordered by height, so the youngest is taken first and no event before all that extend it.
    let mut frontier: BTreeMap<(u64, EventId), Seen> = BTreeMap::new();
    let enter = |frontier: &mut BTreeMap<_, _>, seen: Seen| {
        if let Some(height) = seen.judged.height_in(subject, lane) {
            frontier.insert((height, seen.id()), seen);
        }
    };
    for tip in tips {
        enter(&mut frontier, tip.clone());
    }
    let mut between = Vec::new();
    while frontier.len() > 1 {
        let Some((_, youngest)) = frontier.pop_last() else { break };
        let prev = extended(&youngest, subject, lane);
        if prev.is_empty() {
            return Ok(None);
        }
        for prev in prev {
            if let Some(seen) = ancestry.seen(prev)? {
                enter(&mut frontier, seen);
            }
        }
        between.push(youngest);
    }
    between.reverse();
    Ok(frontier.pop_last().map(|(_, root)| Spread { root, between }))
}

/// The lot after all of `tips`: what lies between them is applied to the state at their root, each
/// event once. Nothing for what is no lot; an error where the tips exclude each other.
pub fn join<A: Ancestry>(
    subject: &SubjectId,
    lane: Lane,
    tips: &[Seen],
    ancestry: &A,
) -> Result<Result<Option<LotState>, Conflict>, A::Error> {
    let Some(Spread { root, between }) = spread(subject, lane, tips, ancestry)? else { return Ok(Ok(None)) };
    let Some(mut state) = lot_after(&root, subject, lane).cloned() else { return Ok(Ok(None)) };
    for seen in &between {
        let effect = seen.lane_index(subject, lane).and_then(|at| seen.effect(at)).ok_or(Conflict);
        match effect.and_then(|effect| state.apply(effect, seen.judged.judgement.acting)) {
            Ok(next) => state = next,
            Err(conflict) => return Ok(Err(conflict)),
        }
    }
    Ok(Ok(Some(state)))
}

/// The events that an event extends in this lane.
pub(crate) fn extended<'a>(seen: &'a Seen, subject: &SubjectId, lane: Lane) -> &'a [EventId] {
    seen.lane_index(subject, lane).map_or(&[], |at| seen.predecessors(at))
}

/// The lot after an event of this lane.
pub(crate) fn lot_after<'a>(seen: &'a Seen, subject: &SubjectId, lane: Lane) -> Option<&'a LotState> {
    seen.lot(seen.lane_index(subject, lane)?)
}

/// A key cannot fork a lane without forking its journal: the event is void if its journal already
/// holds an event of the lane from which none of its tips descends, unless a decision in its basis
/// overrules that one.
pub(super) fn check_journal<A: Ancestry>(
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
    let mut excused = ancestors_in_lane(touch, &subject, ancestry).map_err(Stop::Read)?;
    let lane = ancestry.lane_events(&subject, touch.lane).map_err(Stop::Read)?;
    excuse_overruled(event.payload(), &subject, touch.lane, &lane, ancestry, &mut excused).map_err(Stop::Read)?;
    let mut beside = HashSet::new();
    for id in lane {
        let Some(judged) = ancestry.judged(&id).map_err(Stop::Read)? else { continue };
        let earlier = judged.judgement.journal_height < journal_height;
        if !excused.contains(&id) && judged.event.key() == event.key() && earlier {
            beside.insert((judged.judgement.journal_height, id));
        }
    }
    let Some(lowest) = beside.iter().map(|(height, _)| *height).min() else { return Ok(()) };
    // With a forked journal there may be such events that are not in *this* event's line.
    let (mut height, mut link) = (journal_height - 1, event.payload().journal);
    while height >= lowest {
        if beside.contains(&(height, link)) {
            return Err(Rule::LaneFork.into());
        }
        // Every judged event has judged ancestors, so only the network id ends the walk.
        let Some(previous) = ancestry.judged(&link).map_err(Stop::Read)? else { break };
        (height, link) = (height - 1, previous.event.payload().journal);
    }
    Ok(())
}

/// Whether it is seen at once that nothing of this journal lies beside the event: because the journal has nothing on this
/// lane, or because the event names what it has last. That included all before it when it was admitted, and where there is
/// no lot, nothing is ever overruled, so nothing was excused.
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

/// Adds what decisions in the basis overrule on this subject, and what extends that.
fn excuse_overruled<A: Ancestry>(
    payload: &Payload,
    subject: &SubjectId,
    lane: Lane,
    events: &[EventId],
    ancestry: &A,
    excused: &mut HashSet<EventId>,
) -> Result<(), A::Error> {
    let mut overruled: HashSet<EventId> = HashSet::new();
    for id in &payload.basis {
        let Some(judged) = ancestry.judged(id)? else { continue };
        overruled.extend(overruled_by(&judged, subject));
    }
    if overruled.is_empty() {
        return Ok(());
    }
    let mut by_height = Vec::with_capacity(events.len());
    for id in events {
        by_height.extend(ancestry.judged(id)?);
    }
    by_height.sort_by_key(|judged| judged.height_in(subject, lane));
    for judged in by_height {
        let Some(at) = judged.lane_index(subject, lane) else { continue };
        let id = judged.event.id();
        if overruled.contains(&id) || judged.event.payload().touches[at].prev.iter().any(|it| overruled.contains(it)) {
            overruled.insert(id);
        }
    }
    excused.extend(overruled);
    Ok(())
}

/// The events that a decision, if the event is one, does not let stand on this lot.
pub(crate) fn overruled_by(judged: &Judged, lot: &SubjectId) -> Vec<EventId> {
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
