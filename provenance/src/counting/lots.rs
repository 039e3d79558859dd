//! A lot as all events that count together show it.

use crate::admission::lanes::{Spread, extended, join, lot_after, spread};
use crate::admission::{Ancestry, Judged, Seen, offered_items};
use crate::custody::{Effect, LotState};
use crate::id::{EventId, SubjectId};
use crate::payload::Lane;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

/// A lot as all counting events together show it.
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

/// Counts a lot from the tips of its main lane, or its owner from those of its title lane. Nothing if
/// there are none, or it is no lot.
pub fn lot<A: Ancestry>(
    subject: &SubjectId,
    lane: Lane,
    tips: &BTreeSet<EventId>,
    ancestry: &A,
) -> Result<Option<CountedLot>, A::Error> {
    let mut seen = Vec::with_capacity(tips.len());
    for tip in tips {
        seen.extend(ancestry.seen(tip)?);
    }
    let at = LaneOf { subject, lane };
    let settled =
        |state, beside| CountedLot { state, disputed: false, tips: tips.clone(), in_conflict: BTreeSet::new(), beside };
    if let [one] = seen.as_slice() {
        return Ok(lot_after(one, subject, lane).cloned().map(|state| settled(state, BTreeSet::new())));
    }
    let Some(fan) = spread(subject, lane, &seen, ancestry)? else { return Ok(None) };
    let Some(at_root) = lot_after(&fan.root, subject, lane).cloned() else { return Ok(None) };
    if let Ok(Some(state)) = join(subject, lane, &seen, ancestry)? {
        // What a former holder tells beside an acceptance changes no value.
        let accepted = at.tips_after(&fan, &seen, |seen| Ok::<_, A::Error>(at.receives(seen)))?;
        let beside = if accepted.is_empty() { BTreeSet::new() } else { at.outside(&fan, &accepted) };
        return Ok(Some(settled(state, beside)));
    }
    let accepted = at.tips_after(&fan, &seen, |seen| at.is_accepted(seen, ancestry))?;
    let beside = if accepted.is_empty() { BTreeSet::new() } else { at.outside(&fan, &accepted) };
    let custody = |seen: &&Seen| !matches!(at.effect(seen), Some(Effect::Tell));
    let in_conflict = fan.between.iter().filter(custody).map(Seen::id).collect();
    let mut counted = CountedLot { disputed: true, in_conflict, ..settled(at_root, BTreeSet::new()) };
    if !accepted.is_empty()
        && let Ok(Some(state)) = join(subject, lane, &accepted, ancestry)?
    {
        (counted.disputed, counted.state, counted.beside) = (false, state, beside);
    }
    Ok(Some(counted))
}

/// The tips that stand for all of these: of those on the same predecessors of which only one can stand, two
/// are evidence enough, so that a flood of them costs nothing. The two with the lowest ids, so that every node
/// has the same.
pub fn representatives(subject: &SubjectId, lane: Lane, tips: &[Seen]) -> BTreeSet<EventId> {
    let at = LaneOf { subject, lane };
    let mut rivals: BTreeMap<&[EventId], BTreeSet<EventId>> = BTreeMap::new();
    let mut kept = BTreeSet::new();
    for tip in tips {
        if at.effect(tip).is_some_and(Effect::is_exclusive) {
            rivals.entry(extended(tip, subject, lane)).or_default().insert(tip.id());
        } else {
            kept.insert(tip.id());
        }
    }
    kept.extend(rivals.into_values().flat_map(|rivals| rivals.into_iter().take(2)));
    kept
}

/// The order in which the events of a lane are read: parents before children, and otherwise by id,
/// so that it is the same on every node.
pub fn reading_order(events: &mut [Arc<Judged>], subject: &SubjectId, lane: Lane) {
    events.sort_by_key(|judged| (judged.height_in(subject, lane), judged.event.id()));
}

/// One lane of a lot.
#[derive(Clone, Copy)]
struct LaneOf<'a> {
    subject: &'a SubjectId,
    lane: Lane,
}

impl LaneOf<'_> {
    fn effect<'s>(&self, seen: &'s Seen) -> Option<&'s Effect> {
        seen.effect(seen.lane_index(self.subject, self.lane)?)
    }

    fn receives(&self, seen: &Seen) -> bool {
        matches!(self.effect(seen), Some(Effect::Receive(..)))
    }

    /// The tips that extend, or are, an event after the common root for which `accepts` holds.
    fn tips_after<E>(
        &self,
        fan: &Spread,
        tips: &[Seen],
        accepts: impl Fn(&Seen) -> Result<bool, E>,
    ) -> Result<Vec<Seen>, E> {
        let mut after: HashSet<EventId> = HashSet::new();
        for seen in &fan.between {
            // Parents come first, so their membership is known.
            let extends = extended(seen, self.subject, self.lane).iter().any(|prev| after.contains(prev));
            if extends || accepts(seen)? {
                after.insert(seen.id());
            }
        }
        Ok(tips.iter().filter(|tip| after.contains(&tip.id())).cloned().collect())
    }

    /// Whether an addressee took something over: the lot itself, or the part-lot that the event created.
    fn is_accepted<A: Ancestry>(&self, seen: &Seen, ancestry: &A) -> Result<bool, A::Error> {
        if self.receives(seen) {
            return Ok(true);
        }
        if !matches!(self.effect(seen), Some(Effect::Draw(_))) {
            return Ok(false);
        }
        let items = offered_items(&seen.judged).unwrap_or_default();
        for item in items.into_iter().filter(|item| item.lot == *self.subject) {
            let part = LaneOf { subject: &item.item, lane: Lane::Main };
            for id in ancestry.lane_events(part.subject, part.lane)? {
                if ancestry.seen(&id)?.is_some_and(|answer| part.receives(&answer)) {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    /// Events after the root that are no ancestors of `tips`.
    fn outside(&self, fan: &Spread, tips: &[Seen]) -> BTreeSet<EventId> {
        let mut followed: HashSet<EventId> = tips.iter().map(Seen::id).collect();
        for seen in fan.between.iter().rev() {
            if followed.contains(&seen.id()) {
                followed.extend(extended(seen, self.subject, self.lane));
            }
        }
        fan.between.iter().map(Seen::id).filter(|id| !followed.contains(id)).collect()
    }
}
