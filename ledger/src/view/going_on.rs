//! Rows that only go on: each is made of the row before it and of new events, and no earlier event is looked at.
//!
//! Almost every event is the next one of its lot, and tells all that becomes of the row of that lot, and of the handover
//! that it offers or answers. What is not so simple is left to the follower, which makes rows anew from all events. Both
//! ways lead to the same row, and a row that is made anew for any reason is not written from here.

use super::lot_rows::LotRows;
use super::produce::ProduceRow;
use super::transfer::{TransferRow, Transfers, answered_offer};
use crate::reader::{Reader, Stored};
use provenance::body::Body;
use provenance::id::{EventId, SubjectId};
use provenance::payload::Lane;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;
use store::StoreError;

/// New events that may let rows go on.
#[derive(Debug, Default)]
pub(super) struct Extended {
    /// Lots and units that they register, or whose main lanes they extend, each with the touches that do so, in the order
    /// of the log.
    lots: BTreeMap<SubjectId, Vec<(Stored, usize)>>,
    /// Offers and answers, in the order of the log.
    handovers: Vec<Stored>,
}

/// Rows that have gone on.
#[derive(Debug, Default)]
pub(super) struct GoneOn {
    /// Before, if there was one, and after.
    pub lots: BTreeMap<SubjectId, (Option<Arc<ProduceRow>>, Arc<ProduceRow>)>,
    /// Before, if there was one, and after.
    pub transfers: BTreeMap<EventId, (Option<TransferRow>, TransferRow)>,
}

/// What has to be made anew.
#[derive(Debug, Default)]
pub(super) struct Anew {
    pub subjects: BTreeSet<SubjectId>,
    pub transfers: BTreeSet<EventId>,
}

impl Extended {
    /// Adds a touch if it extends the main lane of a lot or a unit, or registers a lot.
    pub fn add(&mut self, stored: &Stored, touch: usize) -> bool {
        let (event, line) = (&stored.judged.event, &stored.judged.judgement.lines[touch]);
        let payload = event.payload();
        let creates = payload.touches[touch].subject.is_none();
        let is_of_lot = payload.touches[touch].lane == Lane::Main && line.lot.is_some();
        if !is_of_lot || creates && !matches!(payload.body, Body::ProduceRegistered(_)) {
            return false;
        }
        let Some(subject) = event.subject(touch) else { return false };
        self.lots.entry(subject).or_default().push((stored.clone(), touch));
        true
    }

    /// Adds an offer or an answer to one.
    pub fn add_handover(&mut self, stored: &Stored) {
        self.handovers.push(stored.clone());
    }

    /// Lets all rows go on that can.
    pub fn go_on(self, reader: &Reader, rows: &LotRows) -> Result<(GoneOn, Anew), StoreError> {
        let (mut gone_on, mut anew) = (GoneOn::default(), Anew::default());
        // Of each event the lots whose rows it alone has changed.
        let mut told: HashSet<(EventId, SubjectId)> = HashSet::new();
        for (lot, touches) in self.lots {
            let old = rows.get(reader, &lot)?;
            let mut row = old.clone();
            for (stored, touch) in touches {
                row = match row {
                    None => ProduceRow::begun(reader, &stored, touch)?.map(Arc::new),
                    Some(row) if row.includes(reader, &stored.judged, touch)? => Some(row),
                    Some(mut row) => {
                        told.insert((stored.judged.event.id(), lot));
                        Arc::make_mut(&mut row).go_on(reader, &stored, touch)?.then_some(row)
                    }
                };
                if row.is_none() {
                    break;
                }
            }
            match row {
                Some(row) => drop(gone_on.lots.insert(lot, (old, row))),
                None => drop(anew.subjects.insert(lot)),
            }
        }
        for stored in self.handovers {
            let event = &stored.judged.event;
            let mut touched = (0..event.payload().touches.len()).filter_map(|touch| event.subject(touch));
            let is_plain = touched.all(|lot| gone_on.lots.contains_key(&lot) && told.contains(&(event.id(), lot)));
            gone_on.hand_over(reader, &stored, is_plain, &mut anew)?;
        }
        Ok((gone_on, anew))
    }
}

impl GoneOn {
    /// Lets the row of a handover go on if the rows of all its lots have done so by this event.
    fn hand_over(
        &mut self,
        reader: &Reader,
        stored: &Stored,
        is_plain: bool,
        anew: &mut Anew,
    ) -> Result<(), StoreError> {
        let (id, body) = (stored.judged.event.id(), &stored.judged.event.payload().body);
        let is_offer = matches!(body, Body::TransferOffered(_));
        let answered = if is_offer { Some(id) } else { answered_offer(body) };
        let Some(offer) = answered else { return Ok(()) };
        let (old, last) = if let Some((old, last)) = self.transfers.remove(&offer) {
            (old, Some(last))
        } else {
            let old = reader.store().get::<Transfers>(&offer)?;
            (old.clone(), old)
        };
        let row = match last {
            _ if !is_plain || anew.transfers.contains(&offer) => None,
            None if is_offer => TransferRow::offered(&stored.judged),
            Some(last) if !is_offer => last.answered(stored),
            _ => None,
        };
        match row {
            Some(row) => drop(self.transfers.insert(offer, (old, row))),
            None => drop(anew.transfers.insert(offer)),
        }
        Ok(())
    }
}
