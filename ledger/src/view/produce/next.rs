//! A lot's row from event to event: how it begins, whether it knows an event, and how it goes on by the next.
//!
//! What is made here is the row that [`ProduceRow::of`] makes of all events, or nothing.

use super::super::history::HistoryEntry;
use super::super::holding::LotStanding;
use super::super::whereabouts;
use super::{Description, ProduceRow, Told};
use crate::reader::{Reader, Stored};
use provenance::admission::{Ancestry, Judged, OfferedItem};
use provenance::body::Body;
use provenance::id::SubjectId;
use provenance::payload::Lane;
use store::StoreError;

/// How far below the newest event of a lot another is looked for.
const LOOKED_DOWN: u64 = 16;

impl ProduceRow {
    /// Whether it was made of this event of its main lane already: [`of`](Self::of) reads all that is there, which may be
    /// more than the followers have come to. Told only where all the lot's events lie one behind the other, and not of those
    /// far down.
    pub(crate) fn includes(&self, reader: &Reader, judged: &Judged, touch: usize) -> Result<bool, StoreError> {
        let [tip] = self.tips.as_slice() else { return Ok(false) };
        let height = judged.judgement.lines[touch].height;
        let Some(down) = self.events.checked_sub(height + 1).filter(|down| *down <= LOOKED_DOWN) else {
            return Ok(false);
        };
        let mut next = *tip;
        for expected in (height + 1..=height + down).rev() {
            let Some(stored) = reader.stored(&next)? else { return Ok(false) };
            let Some(at) = stored.judged.lane_index(&self.id, Lane::Main) else { return Ok(false) };
            let prev = &stored.judged.event.payload().touches[at].prev;
            if stored.judged.judgement.lines[at].height != expected || prev.len() != 1 {
                return Ok(false);
            }
            next = prev[0];
        }
        Ok(next == judged.event.id())
    }

    /// The row of a lot that was just registered, where nothing else can tell of it yet: the one that [`of`](Self::of)
    /// makes of this event alone.
    pub(crate) fn begun(reader: &Reader, first: &Stored, touch: usize) -> Result<Option<Self>, StoreError> {
        let (event, judgement) = (&first.judged.event, &first.judged.judgement);
        let (Body::ProduceRegistered(body), Some(lot)) = (&event.payload().body, event.subject(touch)) else {
            return Ok(None);
        };
        let state = judgement.lines[touch].lot.as_ref().filter(|state| !state.divided && state.inside.is_none());
        let entry = HistoryEntry::plain(lot, first);
        let (Some(state), Some(description)) = (state, Description::begin(&lot, &entry)) else { return Ok(None) };
        if reader.counted(&event.id())?.is_some() {
            return Ok(None);
        }
        let (id, time) = (event.id(), event.payload().time);
        let Description { origin, told } = description;
        Ok(Some(Self {
            id: lot,
            parents: Vec::new(),
            root: lot,
            created_by: id,
            created: time,
            registered_by: id,
            registered: time,
            originator: judgement.acting,
            commodity: origin.commodity,
            name: origin.name,
            variety: origin.variety,
            places: origin.places,
            harvested: origin.harvested,
            codes: told.codes,
            claims: origin.claims,
            quantity: state.balance,
            balance: state.balance,
            holder: state.holder,
            standing: LotStanding::of(state),
            open_offer: state.open,
            closed: state.closed,
            grade: told.grade,
            price: told.price,
            place: whereabouts::told_by(reader, &event.payload().body)?,
            tips: vec![id],
            in_conflict: Vec::new(),
            beside: Vec::new(),
            corrections: Vec::new(),
            updated: time,
            events: 1,
            owner: state.holder,
            title_offer: None,
            inside: None,
            origin: origin.kind,
            steps: told.steps,
            unconfirmed_quantity: None,
        })
        .filter(|row| body.quantity == row.quantity))
    }

    /// The row of a part that was just taken from this lot by an offer, which this row has taken in as its last event: the
    /// one that [`of`](Self::of) makes of the offer and of what the part inherits. Nothing where more decides how it looks.
    pub(crate) fn part(
        &self,
        reader: &Reader,
        item: &OfferedItem,
        offer: &Stored,
        touch: usize,
    ) -> Result<Option<Self>, StoreError> {
        let (event, judgement) = (&offer.judged.event, &offer.judged.judgement);
        let (id, time) = (event.id(), event.payload().time);
        let Some(state) = judgement.lines[touch].lot.as_ref().filter(|state| !state.divided && state.inside.is_none())
        else {
            return Ok(None);
        };
        if !self.is_plain() || self.tips != [id] || reader.counted(&id)?.is_some() {
            return Ok(None);
        }
        Ok(Some(Self {
            id: item.item,
            parents: vec![self.id],
            root: self.root,
            created_by: id,
            created: time,
            registered_by: self.registered_by,
            registered: self.registered,
            originator: self.originator,
            commodity: self.commodity.clone(),
            name: self.name.clone(),
            variety: self.variety.clone(),
            places: self.places.clone(),
            harvested: self.harvested,
            codes: self.codes.clone(),
            claims: self.claims.clone(),
            quantity: item.quantity,
            balance: state.balance,
            holder: state.holder,
            standing: LotStanding::of(state),
            open_offer: state.open,
            closed: state.closed,
            grade: self.grade.clone(),
            price: self.price.clone(),
            place: self.place,
            tips: vec![id],
            in_conflict: Vec::new(),
            beside: Vec::new(),
            corrections: Vec::new(),
            updated: time,
            events: 1,
            owner: state.holder,
            title_offer: None,
            inside: None,
            origin: self.origin,
            steps: self.steps.clone(),
            unconfirmed_quantity: None,
        }))
    }

    /// Whether an event of this sort can change the lists in which a row stands, or who holds the lot.
    pub(crate) fn is_listed_by(body: &Body) -> bool {
        !matches!(body, Body::ProduceMoved(_) | Body::ProduceHandled(_) | Body::ProducePriceUpdated(_))
    }

    /// Takes in one more event of the main lane; false, and nothing is changed, if more decides how the row looks then than
    /// what it shows and that event. It is enough where all the lot's events lie on its main lane, one behind the other, and
    /// nothing of it is corrected, in conflict, apart from its title or inside a unit. Then the row becomes the one that
    /// [`of`](Self::of) makes. `place` is where that event tells the lot to be.
    pub(crate) fn go_on(
        &mut self,
        reader: &Reader,
        next: &Stored,
        touch: usize,
        place: Option<SubjectId>,
    ) -> Result<bool, StoreError> {
        let (event, judgement) = (&next.judged.event, &next.judged.judgement);
        let (touched, line) = (&event.payload().touches[touch], &judgement.lines[touch]);
        let tells_all = matches!(
            event.payload().body,
            Body::ProduceMoved(_)
                | Body::ProduceHandled(_)
                | Body::ProduceQualityUpdated(_)
                | Body::ProducePriceUpdated(_)
                | Body::ProduceCodesAssigned(_)
                | Body::ProduceTransformed(_)
                | Body::ProduceRetired(_)
                | Body::TransferOffered(_)
                | Body::TransferAccepted(_)
                | Body::TransferDeclined(_)
                | Body::TransferCancelled(_)
        );
        let is_next = touched.lane == Lane::Main
            && touched.prev.len() == 1
            && touched.prev == self.tips
            && line.height == self.events
            && reader.counted(&event.id())?.is_none();
        let Some(state) = line.lot.as_ref().filter(|state| !state.divided && state.inside.is_none()) else {
            return Ok(false);
        };
        if !tells_all || !is_next || !self.is_plain() {
            return Ok(false);
        }
        let mut told = Told {
            grade: self.grade.take(),
            codes: self.codes.take(),
            price: self.price.take(),
            title_price: None,
            steps: std::mem::take(&mut self.steps),
        };
        told.go_on(&HistoryEntry::plain(self.id, next));
        (self.grade, self.codes, self.price, self.steps) = (told.grade, told.codes, told.price, told.steps);
        (self.holder, self.owner) = (state.holder, state.holder);
        (self.balance, self.open_offer, self.closed) = (state.balance, state.open, state.closed);
        self.standing = LotStanding::of(state);
        self.place = place.or(self.place);
        self.tips = vec![event.id()];
        self.updated = self.updated.max(event.payload().time);
        self.events += 1;
        Ok(true)
    }

    /// Whether nothing of it is corrected, in conflict, apart from its title or inside a unit.
    fn is_plain(&self) -> bool {
        !self.is_in_conflict()
            && self.corrections.is_empty()
            && self.unconfirmed_quantity.is_none()
            && self.owner == self.holder
            && self.title_offer.is_none()
            && self.inside.is_none()
    }
}
