//! What a draft extends of lots: main lanes, title lanes, and the items of an offer.

use super::Draft;
use crate::author::error::AuthorError;
use crate::author::submission::Desk;
use crate::counting::CutTrees;
use provenance::admission::{Ancestry, OfferedItem, offered_items};
use provenance::body::{Body, TransferAccepted, TransferClosed};
use provenance::counting::{CountedLot, CutInForce, Journals};
use provenance::custody::LotState;
use provenance::id::{EventId, SubjectId};
use provenance::payload::{Lane, Touch};

impl Draft<'_> {
    /// The event goes on with a lot, whose present state is returned.
    pub fn extends_lot(&mut self, field: &'static str, lot: SubjectId) -> Result<LotState, AuthorError> {
        let counted = self.counted(field, lot, Lane::Main)?;
        self.expects(&counted.tips)?;
        self.extends_counted(lot, Lane::Main, counted)
    }

    /// The event goes on with the title to a lot, which has a lane of its own.
    pub fn extends_title(&mut self, field: &'static str, lot: SubjectId) -> Result<LotState, AuthorError> {
        // Whoever asks has seen the lot, so the precondition is about its main lane.
        let seen = self.counted(field, lot, Lane::Main)?;
        self.expects(&seen.tips)?;
        let counted = self.counted(field, lot, Lane::Title)?;
        self.extends_counted(lot, Lane::Title, counted)
    }

    /// The event goes on with possession of a lot and, where that is apart, with title to it.
    pub fn extends_whole(&mut self, field: &'static str, lot: SubjectId) -> Result<LotState, AuthorError> {
        let state = self.extends_lot(field, lot)?;
        if state.divided {
            self.extends_title(field, lot)?;
        }
        Ok(state)
    }

    /// The event gives title to a lot a lane of its own, behind the main lane that it goes on with.
    pub fn divides(&mut self, lot: SubjectId) {
        self.touches.push(Touch { subject: Some(lot), lane: Lane::Title, prev: Vec::new() });
    }

    /// Whether title to a lot has a lane of its own.
    pub fn is_divided(&self, field: &'static str, lot: SubjectId) -> Result<bool, AuthorError> {
        Ok(self.counted(field, lot, Lane::Main)?.state.divided)
    }

    /// The event answers an offer: it goes on with the lanes of each item that was offered, in order.
    pub fn answers(&mut self, offer: EventId) -> Result<Vec<OfferedItem>, AuthorError> {
        let stored = self.desk.stored(&offer)?.filter(|stored| stored.index.is_some());
        let items = stored.and_then(|stored| offered_items(&stored.judged));
        let items = items.ok_or(AuthorError::NoSuchOffer { offer })?;
        for item in &items {
            for lane in item.lanes {
                let counted = self.counted("offer", item.item, *lane)?;
                // An addressee's answer is what settles a lot that was offered twice, so it follows the
                // branch of its own offer, whatever stands beside it.
                let tips = if counted.disputed {
                    let branch = self.tips_of_offer(&counted, &item.item, *lane, offer)?;
                    if branch.is_empty() {
                        return Err(AuthorError::Disputed { lot: item.item });
                    }
                    branch
                } else {
                    self.tips_that_count(&counted)?
                };
                self.expects(&counted.tips)?;
                self.names_what_removed(&item.item, *lane, &tips)?;
                self.touches.push(Touch { subject: Some(item.item), lane: *lane, prev: tips });
            }
        }
        Ok(items)
    }

    fn extends_counted(&mut self, lot: SubjectId, lane: Lane, counted: CountedLot) -> Result<LotState, AuthorError> {
        if counted.disputed {
            return Err(AuthorError::Disputed { lot });
        }
        let prev = self.tips_that_count(&counted)?;
        self.names_what_removed(&lot, lane, &prev)?;
        self.touches.push(Touch { subject: Some(lot), lane, prev });
        Ok(counted.state)
    }

    /// Where the event leaves other ends of a lot's lane behind, the decisions that overruled them, and the cuts that
    /// removed an offer which was answered there, belong to its basis: a key may only leave behind what it signed itself
    /// because of those.
    fn names_what_removed(&mut self, lot: &SubjectId, lane: Lane, named: &[EventId]) -> Result<(), AuthorError> {
        let reader = self.desk.ledger.reader();
        if reader.lane_tips(lot, lane)?.iter().all(|tip| named.contains(tip)) {
            return Ok(());
        }
        for (_, stored) in reader.history(lot)? {
            match &stored.judged.event.payload().body {
                Body::DisputeResolved(_) => {
                    self.basis.insert(stored.judged.event.id());
                }
                Body::TransferAccepted(TransferAccepted { offer, .. })
                | Body::TransferDeclined(TransferClosed { offer, .. }) => {
                    let cutters = self.cutters_of(offer)?;
                    self.basis.extend(cutters);
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// The events that ended the journal of an offer before it; without amendments, which are in the basis of each event
    /// with the newest of them.
    fn cutters_of(&self, offer: &EventId) -> Result<Vec<EventId>, AuthorError> {
        let reader = self.desk.ledger.reader();
        let (Some(settlement), Some(offer)) = (reader.settlement(), reader.judged(offer)?) else {
            return Ok(Vec::new());
        };
        let journal = (offer.judgement.key_event, offer.event.key());
        let (trees, mut cutters) = (CutTrees::new(reader), Vec::new());
        for CutInForce { cutter, cut, .. } in settlement.keys().cuts().get(&journal).into_iter().flatten() {
            let stands = cut.stands.contains(&offer.event.id()) || settlement.in_force().amendments.contains(cutter);
            if !stands && !trees.is_within(cutter, cut, &offer)? {
                cutters.push(*cutter);
            }
        }
        Ok(cutters)
    }

    fn counted(&self, field: &'static str, lot: SubjectId, lane: Lane) -> Result<CountedLot, AuthorError> {
        let reader = self.desk.ledger.reader();
        let counted = if lane == Lane::Title { reader.title(&lot)? } else { reader.lot(&lot)? };
        counted.ok_or(AuthorError::UnknownLot { field, lot })
    }

    /// The tips to extend: without those that an accepted handover left beside it, which tell
    /// nothing of the lot any more. Where the signer itself told something there, all tips are
    /// named if they can be joined, because a key must not leave behind what it signed.
    fn tips_that_count(&self, counted: &CountedLot) -> Result<Vec<EventId>, AuthorError> {
        let mut own_beside = false;
        for id in &counted.beside {
            own_beside |= self.desk.stored(id)?.is_some_and(|stored| stored.judged.event.key() == self.signer.key);
        }
        let joinable = counted.in_conflict.is_empty();
        let named = |tip: &&EventId| (own_beside && joinable) || !counted.beside.contains(*tip);
        Ok(counted.tips.iter().filter(named).copied().collect())
    }

    /// The tips at which, as seen from their own ancestors, this offer is open.
    fn tips_of_offer(
        &self,
        counted: &CountedLot,
        lot: &SubjectId,
        lane: Lane,
        offer: EventId,
    ) -> Result<Vec<EventId>, AuthorError> {
        let mut tips = Vec::new();
        for tip in &counted.tips {
            let open = lot_at(self.desk, tip, lot, lane)?.and_then(|state| state.open);
            tips.extend(open.filter(|open| open.offer == offer).map(|_| *tip));
        }
        Ok(tips)
    }
}

/// The lot after an event of this lane.
fn lot_at(desk: &Desk, event: &EventId, lot: &SubjectId, lane: Lane) -> Result<Option<LotState>, AuthorError> {
    let Some(seen) = desk.ledger.reader().seen(event)? else { return Ok(None) };
    Ok(seen.lane_index(lot, lane).and_then(|at| seen.lot(at)).cloned())
}
