//! What an event extends: the joined state of its tips.

use super::authority::Authority;
use super::{Ancestry, Rule, Seen};
use crate::custody::{Conflict, LotState};
use crate::event::SignedEvent;
use crate::id::{EventId, NetworkId, SubjectId};
use crate::payload::{Lane, Touch};
use std::collections::BTreeMap;

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
