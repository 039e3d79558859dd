//! What an event extends: the joined state of its tips, and the fork that a journal forbids.

use super::authority::Authority;
use super::{Ancestry, Judged, Rule, Stop};
use crate::custody::{Conflict, Effect, LotState};
use crate::event::VerifiedEvent;
use crate::id::{EventId, SubjectId};
use crate::payload::{Lane, Touch};
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

/// Height of the event in the lane of touch `index`, and the lot before it.
pub(super) fn before<A: Ancestry>(
    event: &VerifiedEvent,
    index: usize,
    ancestry: &A,
    authority: &Authority,
) -> Result<(u64, Option<LotState>), Stop<A::Error>> {
    let touch = &event.payload().touches[index];
    let Some(subject) = touch.subject else { return Ok((0, None)) };
    let mut height = 0;
    let mut tips = Vec::with_capacity(touch.prev.len());
    for prev in &touch.prev {
        // A founder has no event that created it: its own lane begins at the network id.
        if *prev == event.payload().network.as_event() {
            let own = subject == authority.actor && touch.lane == Lane::Main && touch.prev.len() == 1;
            return if own { Ok((0, None)) } else { Err(Rule::Prev.into()) };
        }
        let judged = ancestry.judged(prev).map_err(Stop::Read)?.ok_or(Rule::Prev)?;
        let at = lane_index(&judged, &subject, touch.lane).ok_or(Rule::Prev)?;
        height = height.max(judged.judgement.lines[at].height + 1);
        tips.push(judged);
    }
    let state = match tips.as_slice() {
        [] => None,
        [one] => lot_after(one, &subject, touch.lane),
        _ => join(&subject, touch.lane, &tips, ancestry).map_err(Stop::Read)?.map_err(|_| Rule::Conflict)?,
    };
    Ok((height, state))
}

/// What lies between the tips of a lane and the youngest event through which all its lines pass.
pub(crate) struct Spread {
    /// That event.
    pub root: Arc<Judged>,
    /// All events after it, tips included, parents first.
    pub between: Vec<Arc<Judged>>,
}

/// Walks back from `tips` until one event is left. Nothing where the lines have no common origin,
/// as on the lanes of attesters.
pub(crate) fn spread<A: Ancestry>(
    subject: &SubjectId,
    lane: Lane,
    tips: &[Arc<Judged>],
    ancestry: &A,
) -> Result<Option<Spread>, A::Error> {
    // Ordered by height, so the youngest is taken first and no event before all that extend it.
    let mut frontier: BTreeMap<(u64, EventId), Arc<Judged>> = BTreeMap::new();
    let enter = |frontier: &mut BTreeMap<_, _>, judged: Arc<Judged>| {
        if let Some(at) = lane_index(&judged, subject, lane) {
            frontier.insert((judged.judgement.lines[at].height, judged.event.id()), judged);
        }
    };
    for tip in tips {
        enter(&mut frontier, tip.clone());
    }
    let mut between = Vec::new();
    while frontier.len() > 1 {
        let Some((_, youngest)) = frontier.pop_last() else { break };
        let prev = prev_in_lane(&youngest, subject, lane);
        if prev.is_empty() {
            return Ok(None);
        }
        for prev in prev {
            if let Some(judged) = ancestry.judged(prev)? {
                enter(&mut frontier, judged);
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
    tips: &[Arc<Judged>],
    ancestry: &A,
) -> Result<Result<Option<LotState>, Conflict>, A::Error> {
    let Some(Spread { root, between }) = spread(subject, lane, tips, ancestry)? else { return Ok(Ok(None)) };
    let Some(mut state) = lot_after(&root, subject, lane) else { return Ok(Ok(None)) };
    for judged in &between {
        let applied = effect_on(judged, subject, lane).ok_or(Conflict);
        match applied.and_then(|effect| state.apply(effect, judged.judgement.acting)) {
            Ok(next) => state = next,
            Err(conflict) => return Ok(Err(conflict)),
        }
    }
    Ok(Ok(Some(state)))
}

/// A key cannot fork a lane without forking its journal: the event is void if its journal already
/// holds an event of the lane from which none of its tips descends.
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
    let included = ancestors_in_lane(touch, &subject, ancestry).map_err(Stop::Read)?;
    let mut beside = HashSet::new();
    for id in ancestry.lane_events(&subject, touch.lane).map_err(Stop::Read)? {
        let Some(judged) = ancestry.judged(&id).map_err(Stop::Read)? else { continue };
        let earlier = judged.judgement.journal_height < journal_height;
        if !included.contains(&id) && judged.event.key() == event.key() && earlier {
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

/// Which touch of a judged event is on this lane.
pub(crate) fn lane_index(judged: &Judged, subject: &SubjectId, lane: Lane) -> Option<usize> {
    let touches = &judged.event.payload().touches;
    (0..touches.len())
        .find(|index| touches[*index].lane == lane && judged.event.subject(*index) == Some(*subject))
        .filter(|index| *index < judged.judgement.lines.len())
}

/// The events of the lane that a judged event extends.
pub(crate) fn prev_in_lane<'a>(judged: &'a Judged, subject: &SubjectId, lane: Lane) -> &'a [EventId] {
    lane_index(judged, subject, lane).map_or(&[], |at| &judged.event.payload().touches[at].prev)
}

pub(crate) fn lot_after(judged: &Judged, subject: &SubjectId, lane: Lane) -> Option<LotState> {
    judged.judgement.lines[lane_index(judged, subject, lane)?].lot.clone()
}

pub(crate) fn effect_on<'a>(judged: &'a Judged, subject: &SubjectId, lane: Lane) -> Option<&'a Effect> {
    judged.judgement.lines[lane_index(judged, subject, lane)?].effect.as_ref()
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
        {
            open.extend_from_slice(prev_in_lane(&judged, subject, touch.lane));
        }
    }
    Ok(seen)
}
