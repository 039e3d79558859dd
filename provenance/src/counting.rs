//! Counting: what the set of admitted events makes of a lot, whatever order they came in.
//!
//! Admission asks whether an event may be stored; counting asks what is true now. Concurrent
//! events that can all stand are joined; where they exclude each other, all stay as evidence, and
//! the lot follows the one handover that its addressee accepted, or is disputed.

use crate::admission::lanes::{Spread, effect_on, join, lane_index, lot_after, prev_in_lane, spread};
use crate::admission::{Ancestry, Judged, offered_items};
use crate::custody::{Effect, LotState};
use crate::id::{EventId, SubjectId};
use crate::payload::Lane;
use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

/// A lot as all admitted events together show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CountedLot {
    /// Who holds how much; where it is disputed, as it was before the conflict.
    pub state: LotState,
    /// Whether the tips exclude each other and nobody's acceptance has settled it.
    pub disputed: bool,
    /// Events that no other extends; the next event names them all, where they can be joined.
    pub tips: BTreeSet<EventId>,
    /// Draws and handovers that cannot all stand: evidence, and a finding.
    pub in_conflict: BTreeSet<EventId>,
    /// Events whose values do not show: rivals of an accepted handover, or what a former holder
    /// told beside it.
    pub beside: BTreeSet<EventId>,
}

/// Counts a lot from the tips of its main lane. Nothing if there are none, or it is no lot.
pub fn lot<A: Ancestry>(subject: &SubjectId, tips: &[EventId], ancestry: &A) -> Result<Option<CountedLot>, A::Error> {
    let mut judged = Vec::with_capacity(tips.len());
    for tip in tips {
        judged.extend(ancestry.judged(tip)?);
    }
    let settled = |state, beside| CountedLot {
        state,
        disputed: false,
        tips: tips.iter().copied().collect(),
        in_conflict: BTreeSet::new(),
        beside,
    };
    if let [one] = judged.as_slice() {
        return Ok(lot_after(one, subject, Lane::Main).map(|state| settled(state, BTreeSet::new())));
    }
    let Some(fan) = spread(subject, Lane::Main, &judged, ancestry)? else { return Ok(None) };
    let Some(at_root) = lot_after(&fan.root, subject, Lane::Main) else { return Ok(None) };
    if let Ok(Some(state)) = join(subject, Lane::Main, &judged, ancestry)? {
        // What a former holder tells beside an acceptance changes no value.
        let received = |judged: &Judged| Ok(receives(judged, subject));
        let accepted = tips_after(&fan, subject, &judged, received)?;
        let beside = if accepted.is_empty() { BTreeSet::new() } else { outside(&fan, subject, &accepted) };
        return Ok(Some(settled(state, beside)));
    }
    let accepted = tips_after(&fan, subject, &judged, |judged| is_accepted(judged, subject, ancestry))?;
    let beside = if accepted.is_empty() { BTreeSet::new() } else { outside(&fan, subject, &accepted) };
    let custody = |judged: &&Arc<Judged>| !matches!(effect_on(judged, subject, Lane::Main), Some(Effect::Tell));
    let in_conflict = fan.between.iter().filter(custody).map(|judged| judged.event.id()).collect();
    let mut counted = CountedLot { disputed: true, in_conflict, ..settled(at_root, BTreeSet::new()) };
    if !accepted.is_empty()
        && let Ok(Some(state)) = join(subject, Lane::Main, &accepted, ancestry)?
    {
        (counted.disputed, counted.state, counted.beside) = (false, state, beside);
    }
    Ok(Some(counted))
}

/// The tips that extend, or are, an event after the common root for which `accepts` holds.
fn tips_after<E>(
    fan: &Spread,
    subject: &SubjectId,
    tips: &[Arc<Judged>],
    accepts: impl Fn(&Judged) -> Result<bool, E>,
) -> Result<Vec<Arc<Judged>>, E> {
    let mut after: HashSet<EventId> = HashSet::new();
    for judged in &fan.between {
        // Parents come first, so their membership is known.
        let extends = prev_in_lane(judged, subject, Lane::Main).iter().any(|prev| after.contains(prev));
        if extends || accepts(judged)? {
            after.insert(judged.event.id());
        }
    }
    Ok(tips.iter().filter(|tip| after.contains(&tip.event.id())).cloned().collect())
}

fn receives(judged: &Judged, subject: &SubjectId) -> bool {
    matches!(effect_on(judged, subject, Lane::Main), Some(Effect::Receive(..)))
}

/// Whether an addressee took something over: the lot itself, or the part-lot that the event minted.
fn is_accepted<A: Ancestry>(judged: &Judged, subject: &SubjectId, ancestry: &A) -> Result<bool, A::Error> {
    if receives(judged, subject) {
        return Ok(true);
    }
    if !matches!(effect_on(judged, subject, Lane::Main), Some(Effect::Draw(_))) {
        return Ok(false);
    }
    let parts = offered_items(judged).unwrap_or_default().into_iter().filter(|item| item.lot == *subject);
    for part in parts {
        for id in ancestry.lane_events(&part.item, Lane::Main)? {
            if ancestry.judged(&id)?.is_some_and(|answer| receives(&answer, &part.item)) {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// Events after the root that are no ancestors of `tips`.
fn outside(fan: &Spread, subject: &SubjectId, tips: &[Arc<Judged>]) -> BTreeSet<EventId> {
    let mut followed: HashSet<EventId> = tips.iter().map(|tip| tip.event.id()).collect();
    for judged in fan.between.iter().rev() {
        if followed.contains(&judged.event.id()) {
            followed.extend(prev_in_lane(judged, subject, Lane::Main));
        }
    }
    fan.between.iter().map(|judged| judged.event.id()).filter(|id| !followed.contains(id)).collect()
}

/// The order in which the events of a lane are read: parents before children, and otherwise by id,
/// so that it is the same on every node.
pub fn reading_order(events: &mut [Arc<Judged>], subject: &SubjectId, lane: Lane) {
    let height = |judged: &Judged| lane_index(judged, subject, lane).map(|at| judged.judgement.lines[at].height);
    events.sort_by_key(|judged| (height(judged), judged.event.id()));
}
