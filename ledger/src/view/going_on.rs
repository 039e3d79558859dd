//! Rows that only go on: each is made of the row before it and of new events, and no earlier event is looked at.
//!
//! Almost every event is the next one of its lot, and tells all that becomes of the row of that lot, and of the handover
//! that it offers or answers. What is not so simple is left to the follower, which makes rows anew from all events. Both
//! ways lead to the same row, and a row that is made anew for any reason is not written from here.

use super::facet::Facet;
use super::kept_rows::{KeptRows, WithSize};
use super::produce::ProduceRow;
use super::transfer::{TransferRow, answered_offer};
use super::whereabouts;
use crate::id_map::IdMap;
use crate::reader::{Reader, Stored};
use provenance::admission::{OfferedItem, offered_items};
use provenance::body::Body;
use provenance::id::{EventId, SubjectId};
use provenance::payload::Lane;
use std::collections::{BTreeMap, BTreeSet};
use store::StoreError;

/// New events that may let rows go on, in the order of the log.
#[derive(Debug, Default)]
pub(super) struct Extended {
    /// Lots and units that they register or take from others, or whose main lanes they extend, and the touches that do so.
    lots: Vec<(SubjectId, Stored, usize)>,
    /// Offers and answers.
    handovers: Vec<Stored>,
}

/// Rows that go on.
#[derive(Debug, Default)]
pub(super) struct GoneOn {
    pub lots: BTreeMap<SubjectId, LotGoneOn>,
    pub handovers: BTreeMap<EventId, HandoverGoneOn>,
    /// New lots by the one from which each was taken.
    pub parts: BTreeMap<SubjectId, Vec<SubjectId>>,
}

/// The row of a lot.
#[derive(Debug)]
pub(super) struct LotGoneOn {
    pub row: Box<ProduceRow>,
    pub before: Before,
}

/// In which lists a row stood before.
#[derive(Debug)]
pub(super) enum Before {
    /// In none: it is new.
    New,
    /// The row is still the same; it has so many bytes.
    Unchanged(usize),
    /// In those in which it stands now.
    SameLists,
    /// In these.
    Lists { facets: Vec<Facet>, holder: SubjectId },
}

/// The row of a handover.
#[derive(Debug)]
pub(super) struct HandoverGoneOn {
    pub row: Box<TransferRow>,
    /// The lists in which it stood before; none where it is new.
    pub before: Option<Vec<Facet>>,
}

/// What has to be made anew.
#[derive(Debug, Default)]
pub(super) struct Anew {
    pub subjects: BTreeSet<SubjectId>,
    pub transfers: BTreeSet<EventId>,
}

impl Extended {
    /// Adds a touch if it extends the main lane of a lot or a unit, or begins the one of a lot in a plain way.
    pub fn add(&mut self, stored: &Stored, touch: usize) -> bool {
        let (event, line) = (&stored.judged.event, &stored.judged.judgement.lines[touch]);
        let payload = event.payload();
        let creates = payload.touches[touch].subject.is_none();
        let is_of_lot = payload.touches[touch].lane == Lane::Main && line.lot.is_some();
        if !is_of_lot || creates && !matches!(payload.body, Body::ProduceRegistered(_) | Body::TransferOffered(_)) {
            return false;
        }
        let Some(subject) = event.subject(touch) else { return false };
        self.lots.push((subject, stored.clone(), touch));
        true
    }

    /// Adds an offer or an answer to one.
    pub fn add_handover(&mut self, stored: &Stored) {
        self.handovers.push(stored.clone());
    }

    /// Lets all rows go on that can.
    pub fn go_on(self, reader: &Reader, rows: &mut KeptRows) -> Result<(GoneOn, Anew), StoreError> {
        let (mut gone_on, mut anew) = (GoneOn::default(), Anew::default());
        // Of each handover, how many rows of lots it alone has changed.
        let mut told: IdMap<EventId, usize> = IdMap::default();
        // The touches of an event follow each other.
        for touches in self.lots.chunk_by(|(_, a, _), (_, b, _)| a.judged.event.id() == b.judged.event.id()) {
            let next = Next::of(reader, &touches[0].1)?;
            for (lot, _, touch) in touches {
                if anew.subjects.contains(lot) {
                    continue;
                }
                match gone_on.lot(reader, rows, lot, &next, *touch)? {
                    Step::Done => *told.entry(next.stored.judged.event.id()).or_default() += 1,
                    Step::DoneBefore => {}
                    Step::Unknown => {
                        if let Some(LotGoneOn { row, before: Before::Unchanged(bytes) }) = gone_on.lots.remove(lot) {
                            rows.lots.keep(lot, row, bytes);
                        }
                        anew.subjects.insert(*lot);
                    }
                }
            }
        }
        for stored in self.handovers {
            let event = &stored.judged.event;
            let count = event.payload().touches.len();
            let mut touched = (0..count).filter_map(|touch| event.subject(touch));
            let is_plain = told.get(&event.id()) == Some(&count) && touched.all(|lot| gone_on.lots.contains_key(&lot));
            gone_on.hand_over(reader, rows, &stored, is_plain, &mut anew)?;
        }
        Ok((gone_on, anew))
    }
}

/// The event by which rows go on next, and what it tells of all its lots.
struct Next<'a> {
    stored: &'a Stored,
    /// Where it tells them to be.
    place: Option<SubjectId>,
    /// What it offers.
    items: Vec<OfferedItem>,
}

impl<'a> Next<'a> {
    fn of(reader: &Reader, stored: &'a Stored) -> Result<Self, StoreError> {
        let place = whereabouts::told_by(reader, &stored.judged.event.payload().body)?;
        Ok(Self { stored, place, items: offered_items(&stored.judged).unwrap_or_default() })
    }
}

/// What became of a row by an event.
enum Step {
    /// It has taken the event in.
    Done,
    /// It had done so before.
    DoneBefore,
    /// More decides how it looks than what it shows and that event.
    Unknown,
}

impl GoneOn {
    /// Lets the row of a lot go on by one event.
    fn lot(
        &mut self,
        reader: &Reader,
        rows: &mut KeptRows,
        lot: &SubjectId,
        next: &Next<'_>,
        touch: usize,
    ) -> Result<Step, StoreError> {
        if !self.lots.contains_key(lot) {
            let Some(WithSize(row, bytes)) = rows.lots.take(reader, lot)? else {
                return self.begin(reader, lot, next, touch);
            };
            self.lots.insert(*lot, LotGoneOn { row, before: Before::Unchanged(bytes) });
        }
        let LotGoneOn { row, before } = self.lots.get_mut(lot).expect("it was just put there");
        if row.includes(reader, &next.stored.judged, touch)? {
            return Ok(Step::DoneBefore);
        }
        let changes_lists = ProduceRow::is_listed_by(&next.stored.judged.event.payload().body);
        let stood = match before {
            Before::Unchanged(_) | Before::SameLists if changes_lists => {
                Before::Lists { facets: row.facets(), holder: row.holder }
            }
            _ => Before::SameLists,
        };
        if !row.go_on(reader, next.stored, touch, next.place)? {
            return Ok(Step::Unknown);
        }
        if matches!(before, Before::Unchanged(_) | Before::SameLists) {
            *before = stood;
        }
        Ok(Step::Done)
    }

    /// Begins the row of a new lot.
    fn begin(&mut self, reader: &Reader, lot: &SubjectId, next: &Next<'_>, touch: usize) -> Result<Step, StoreError> {
        let row = if matches!(next.stored.judged.event.payload().body, Body::TransferOffered(_)) {
            let Some(item) = next.items.iter().find(|item| item.item == *lot && item.lot != *lot) else {
                return Ok(Step::Unknown);
            };
            self.parts.entry(item.lot).or_default().push(*lot);
            let Some(parent) = self.lots.get(&item.lot) else { return Ok(Step::Unknown) };
            parent.row.part(reader, item, next.stored, touch)?
        } else {
            ProduceRow::begun(reader, next.stored, touch)?
        };
        let Some(row) = row else { return Ok(Step::Unknown) };
        self.lots.insert(*lot, LotGoneOn { row: Box::new(row), before: Before::New });
        Ok(Step::Done)
    }

    /// Lets the row of a handover go on if the rows of all its lots have done so by this event.
    fn hand_over(
        &mut self,
        reader: &Reader,
        rows: &mut KeptRows,
        stored: &Stored,
        is_plain: bool,
        anew: &mut Anew,
    ) -> Result<(), StoreError> {
        let (id, body) = (stored.judged.event.id(), &stored.judged.event.payload().body);
        let is_offer = matches!(body, Body::TransferOffered(_));
        let answered = if is_offer { Some(id) } else { answered_offer(body) };
        let Some(offer) = answered else { return Ok(()) };
        let last = if let Some(last) = self.handovers.remove(&offer) {
            Some(last)
        } else {
            let row = rows.offers.take(reader, &offer)?;
            row.map(|WithSize(row, _)| HandoverGoneOn { before: Some(row.facets()), row })
        };
        let next = match last {
            _ if !is_plain || anew.transfers.contains(&offer) => None,
            None if is_offer => {
                TransferRow::offered(&stored.judged).map(|row| HandoverGoneOn { row: Box::new(row), before: None })
            }
            Some(mut last) if !is_offer => last.row.answer(stored).then_some(last),
            _ => None,
        };
        match next {
            Some(next) => drop(self.handovers.insert(offer, next)),
            None => drop(anew.transfers.insert(offer)),
        }
        Ok(())
    }
}
