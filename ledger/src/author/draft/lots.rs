//! What a draft extends of lots: main lanes, title lanes, and the items of an offer.

use super::Draft;
use crate::author::error::AuthorError;
use crate::author::submission::Desk;
use crate::reader::Reader;
use provenance::admission::{Ancestry, Judged, OfferedItem, cutters_below, offered_items};
use provenance::body::{Body, Cut};
use provenance::counting::CountedLot;
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
    /// removed what they rest on, belong to its basis: a key may only leave behind what it signed itself because of those.
    fn names_what_removed(&mut self, lot: &SubjectId, lane: Lane, named: &[EventId]) -> Result<(), AuthorError> {
        let reader = self.desk.ledger.reader();
        if reader.lane_tips(lot, lane)?.iter().all(|tip| named.contains(tip)) {
            return Ok(());
        }
        let Some(settlement) = reader.settlement() else { return Ok(()) };
        // Amendments that end keys are in the basis of each event with the newest of them.
        let amendments = &settlement.in_force().amendments;
        let cuts_of = |judged: &Judged| -> Vec<(EventId, Cut)> {
            let cuts = settlement.keys().cuts().get(&(judged.judgement.key_event, judged.event.key()));
            let cuts = cuts.into_iter().flatten().filter(|cut| !amendments.contains(&cut.cutter));
            cuts.map(|cut| (cut.cutter, cut.cut.clone())).collect()
        };
        for (_, stored) in reader.history(lot)? {
            let (id, payload) = (stored.judged.event.id(), stored.judged.event.payload());
            if matches!(payload.body, Body::DisputeResolved(_)) {
                self.basis.insert(id);
            }
            if stored.judged.event.key() == self.signer.key && !counts_in(reader, &id, lot, lane)? {
                self.basis.extend(cutters_below(id, cuts_of, reader)?);
            }
        }
        Ok(())
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

/// Whether what an event does on this lane counts.
fn counts_in(reader: &Reader, event: &EventId, lot: &SubjectId, lane: Lane) -> Result<bool, AuthorError> {
    let seen = reader.seen(event)?;
    Ok(seen.is_some_and(|seen| seen.lane_index(lot, lane).is_none_or(|at| seen.counts(at))))
}
