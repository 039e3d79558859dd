//! The view of a lot: what it is, where it is, who holds how much of it, and whether that is agreed.

mod next;

use super::facet::Facet;
use super::history::{self, HistoryEntry};
use super::holding::{Holding, LotStanding};
use super::lineage::{self, Ancestor};
use super::whereabouts;
use crate::reader::Reader;
use minicbor::{Decode, Encode};
use provenance::admission::Ancestry;
use provenance::body::{Body, Codes, Commodity};
use provenance::custody::{Closed, Effect, OpenOffer};
use provenance::id::{EventId, SubjectId};
use provenance::payload::Lane;
use provenance::seal::Sealable;
use provenance::value::{DateRange, Grade, LangText, Price, Quantity, Text, Timestamp};
use std::collections::BTreeSet;
use store::{Cbor, Column, StoreError, Table};

/// How a lot, or the one of which it was a part, came into being.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum LotOrigin {
    /// It was registered by whoever grew it.
    #[n(0)]
    Registered,
    /// It was collected from members.
    #[n(1)]
    Collected,
    /// It was made of other lots.
    #[n(2)]
    Transformed,
}

/// Something that was done with a lot.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize)]
#[cbor(array)]
pub struct HandledStep {
    /// The produce.handled event.
    #[n(0)]
    pub event: EventId,
    /// When it was signed.
    #[n(1)]
    pub time: Timestamp,
    /// What was done.
    #[n(2)]
    pub step: Text<64>,
    /// Where.
    #[n(3)]
    pub place: Option<SubjectId>,
}

/// Steps that a row holds; all of them stand in the history.
const MAX_STEPS: usize = 16;

/// A lot as all events that count show it; corrections are applied.
///
/// A part-lot has the commodity, name, variety, places, harvest and claims of the lot with which its lineage begins, and the
/// grade, codes, price and place that the lot had from which it was taken.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize)]
#[cbor(array)]
pub struct ProduceRow {
    /// The lot.
    #[n(0)]
    pub id: SubjectId,
    /// The lots from which it was taken, or of which it was made; ascending.
    #[n(1)]
    pub parents: Vec<SubjectId>,
    /// The lot that was registered, collected or made of others: itself, or the first of those of which it was a part.
    #[n(2)]
    pub root: SubjectId,
    /// The event that created it: that of its origin, or the one that took it from its parent.
    #[n(3)]
    pub created_by: EventId,
    /// When that was signed.
    #[n(4)]
    pub created: Timestamp,
    /// The event that created the root lot.
    #[n(5)]
    pub registered_by: EventId,
    /// When that was signed.
    #[n(6)]
    pub registered: Timestamp,
    /// Who registered, collected or made the root lot, or on whose behalf it was registered.
    #[n(7)]
    pub originator: SubjectId,
    /// What it is.
    #[n(8)]
    pub commodity: Commodity,
    /// What people call it.
    #[n(9)]
    pub name: LangText,
    /// The variety.
    #[n(10)]
    pub variety: Option<Text<128>>,
    /// Where it was grown; of a collected lot, where its deliveries were. Ascending.
    #[n(11)]
    pub places: Vec<SubjectId>,
    /// When it was harvested.
    #[n(12)]
    pub harvested: Option<DateRange>,
    /// Codes on its labels.
    #[n(13)]
    pub codes: Option<Codes>,
    /// Certificates that it claims.
    #[n(14)]
    pub claims: Vec<Text<128>>,
    /// How much there was when it came into being, corrections included; the balance is what custody makes of it.
    #[n(15)]
    pub quantity: Quantity,
    /// How much there is.
    #[n(16)]
    pub balance: Quantity,
    /// Who holds it, or the outermost unit in which it lies; the last holder where it is closed.
    #[n(17)]
    pub holder: SubjectId,
    /// How it stands.
    #[n(18)]
    pub standing: LotStanding,
    /// The offer that waits for an answer.
    #[n(19)]
    pub open_offer: Option<OpenOffer>,
    /// Why it left the chain.
    #[n(20)]
    pub closed: Option<Closed>,
    /// Its grade.
    #[n(21)]
    pub grade: Option<Grade>,
    /// Its price, or the commitment to a sealed one.
    #[n(22)]
    pub price: Option<Sealable<Price>>,
    /// Where it is, as far as was told.
    #[n(23)]
    pub place: Option<SubjectId>,
    /// The events that the next event on its main lane extends; ascending.
    #[n(24)]
    pub tips: Vec<EventId>,
    /// Events that cannot all stand; ascending.
    #[n(25)]
    pub in_conflict: Vec<EventId>,
    /// Events whose values do not show; ascending.
    #[n(26)]
    pub beside: Vec<EventId>,
    /// The events that corrected something of it, or of what it comes from; oldest first.
    #[n(27)]
    pub corrections: Vec<EventId>,
    /// The latest time at which something was signed about it.
    #[n(28)]
    pub updated: Timestamp,
    /// How many events lie on its own lanes.
    #[n(29)]
    pub events: u64,
    /// Who owns it.
    #[n(30)]
    pub owner: SubjectId,
    /// The offer of title alone that waits for an answer.
    #[n(31)]
    pub title_offer: Option<OpenOffer>,
    /// The unit in which it lies.
    #[n(32)]
    pub inside: Option<SubjectId>,
    /// How the root lot came into being.
    #[n(33)]
    pub origin: LotOrigin,
    /// What was done with it last, oldest first; at most sixteen.
    #[n(34)]
    pub steps: Vec<HandledStep>,
    /// What the quantity was corrected to, as long as somebody who took the lot over as it was told at first has not
    /// confirmed it: with an event.confirmed that names the correction, as its target or in its basis.
    #[n(35)]
    pub unconfirmed_quantity: Option<Quantity>,
}

/// [`Column::Produces`].
#[derive(Debug)]
pub(crate) struct Produces;

impl Table for Produces {
    const COLUMN: Column = Column::Produces;
    type Key = SubjectId;
    type Value = ProduceRow;
    type Encoding = Cbor;
}

impl ProduceRow {
    /// The lot from which it was taken; none of a lot that was made of others.
    pub fn part_of(&self) -> Option<SubjectId> {
        self.parents.first().copied().filter(|_| self.root != self.id)
    }

    /// Whether events exclude each other, and nobody's acceptance has settled it.
    pub fn is_disputed(&self) -> bool {
        self.standing == LotStanding::Disputed
    }

    /// Every list in which the row stands.
    pub(crate) fn facets(&self) -> Vec<Facet> {
        let mut facets = vec![
            Facet::All(),
            Facet::Holder(self.holder),
            Facet::Originator(self.originator),
            Facet::Commodity(self.commodity.scheme.to_string(), self.commodity.code.to_string()),
            Facet::standing(self.standing),
            Facet::Owner(self.owner),
        ];
        facets.extend(self.inside.map(Facet::Inside));
        facets.extend(self.grade.as_ref().map(|g| Facet::Grade(g.scheme().to_owned(), g.value().to_owned())));
        facets.extend(self.parents.iter().copied().map(Facet::Parent));
        if let Some(gtin) = self.codes.as_ref().and_then(|codes| codes.gtin.as_ref()) {
            facets.push(Facet::Gtin(gtin.as_str().to_owned()));
            let lot = self.codes.as_ref().and_then(|codes| codes.lot.as_ref());
            facets.extend(lot.map(|lot| Facet::GtinLot(gtin.as_str().to_owned(), lot.to_string())));
        }
        facets
    }

    /// Events whose handover may look different because of what this row shows.
    pub(crate) fn contested(&self) -> impl Iterator<Item = EventId> {
        let open = self.open_offer.iter().chain(&self.title_offer).map(|open| open.offer);
        self.in_conflict.iter().chain(&self.beside).copied().chain(open)
    }

    /// Whether lots that were taken from it, or made of it, may be disputed for what happened to it.
    pub(crate) fn is_in_conflict(&self) -> bool {
        self.is_disputed() || !self.in_conflict.is_empty() || !self.beside.is_empty()
    }

    /// The row of a lot, from all events that count; nothing if there is no such lot.
    pub(crate) fn of(reader: &Reader, lot: &SubjectId) -> Result<Option<Self>, StoreError> {
        let Some(lineage) = lineage::of_lot(reader, lot)? else { return Ok(None) };
        let [root, ..] = lineage.as_slice() else { return Ok(None) };
        let last = &lineage[lineage.len() - 1];
        let contested = lineage::is_contested(reader, last)?;
        let Some(holding) = Holding::of(reader, lot, contested)? else { return Ok(None) };
        let own = history::of_subject(reader, lot)?;
        let told = lineage::history_with(reader, &lineage, own.clone())?;
        let Some(description) = Description::of(&lineage, &told) else { return Ok(None) };
        let place = whereabouts::last_told(reader, &told)?;
        let time = |entry: &HistoryEntry| entry.stored.judged.event.payload().time;
        let (created, registration) = (&last.created.judged, &root.created.judged);
        let born = created_quantity(last).unwrap_or(holding.state.balance);
        let (quantity, unconfirmed_quantity) = match description.origin.quantity {
            Some(corrected) if root.lot == *lot && corrected != born => {
                if is_confirmed(reader, &own)? {
                    (corrected, None)
                } else {
                    (born, Some(corrected))
                }
            }
            _ => (born, None),
        };
        let Description { origin, told: description } = description;
        Ok(Some(Self {
            id: *lot,
            parents: lineage::parents_of(created, lot),
            root: root.lot,
            created_by: created.event.id(),
            created: created.event.payload().time,
            registered_by: registration.event.id(),
            registered: registration.event.payload().time,
            originator: registration.judgement.acting,
            commodity: origin.commodity,
            name: origin.name,
            variety: origin.variety,
            places: origin.places,
            harvested: origin.harvested,
            codes: description.codes,
            claims: origin.claims,
            quantity,
            balance: holding.state.balance,
            holder: holding.holder,
            standing: holding.standing,
            open_offer: holding.state.open,
            closed: holding.state.closed,
            grade: description.grade,
            price: description.title_price.or(description.price),
            place,
            tips: holding.tips.into_iter().collect(),
            in_conflict: holding.in_conflict.into_iter().collect(),
            beside: holding.beside.into_iter().collect(),
            corrections: told.iter().flat_map(|entry| &entry.corrections).copied().collect(),
            updated: own.iter().map(time).max().unwrap_or(created.event.payload().time),
            events: own.len() as u64,
            owner: holding.owner,
            title_offer: holding.title_offer,
            inside: holding.state.inside,
            origin: origin.kind,
            steps: description.steps,
            unconfirmed_quantity,
        }))
    }
}

/// What the event with which a lineage begins tells of its lot.
struct Origin {
    kind: LotOrigin,
    commodity: Commodity,
    name: LangText,
    variety: Option<Text<128>>,
    places: Vec<SubjectId>,
    harvested: Option<DateRange>,
    claims: Vec<Text<128>>,
    /// Where it can be corrected.
    quantity: Option<Quantity>,
}

/// What is told of a lot, beside who holds it and where.
struct Description {
    origin: Origin,
    told: Told,
}

/// What any event on a lot's lanes can tell anew.
#[derive(Default)]
struct Told {
    grade: Option<Grade>,
    codes: Option<Codes>,
    price: Option<Sealable<Price>>,
    /// What its owner asks, where that is not its holder.
    title_price: Option<Sealable<Price>>,
    steps: Vec<HandledStep>,
}

impl Description {
    /// The last value that was told of each, among the events that count.
    fn of(lineage: &[Ancestor], told: &[HistoryEntry]) -> Option<Self> {
        let [root, ..] = lineage else { return None };
        let mut description: Option<Self> = None;
        for entry in told.iter().filter(|entry| entry.counts) {
            match &mut description {
                None => description = Self::begin(&root.lot, entry),
                Some(description) if lineage.iter().any(|lot| lot.lot == entry.subject) => {
                    description.told.go_on(entry);
                }
                // What is told of a unit as such is not told of what lies in it, but for what was done with all of it.
                Some(description) => description.told.step(entry),
            }
        }
        description
    }

    fn begin(root: &SubjectId, entry: &HistoryEntry) -> Option<Self> {
        let (origin, grade, codes, price) = match entry.body() {
            Body::ProduceRegistered(body) => {
                let body = (**body).clone();
                let origin = Origin {
                    kind: LotOrigin::Registered,
                    commodity: body.commodity,
                    name: body.name,
                    variety: body.variety,
                    places: body.places,
                    harvested: body.harvested,
                    claims: body.claims.unwrap_or_default(),
                    quantity: Some(body.quantity),
                };
                (origin, body.grade, body.codes, body.price)
            }
            Body::ProduceCollected(body) => {
                let body = (**body).clone();
                let places: BTreeSet<_> = body.deliveries.iter().filter_map(|delivery| delivery.place).collect();
                let origin = Origin {
                    kind: LotOrigin::Collected,
                    commodity: body.commodity,
                    name: body.name,
                    variety: body.variety,
                    places: places.into_iter().collect(),
                    harvested: body.harvested,
                    claims: body.claims.unwrap_or_default(),
                    quantity: None,
                };
                (origin, body.grade, body.codes, None)
            }
            Body::ProduceTransformed(body) => {
                let event = &entry.stored.judged.event;
                let mut created = event.payload().created();
                let position = created.position(|touch| event.id().subject(touch) == *root)?;
                let output = body.outputs.get(position)?.clone();
                let origin = Origin {
                    kind: LotOrigin::Transformed,
                    commodity: output.commodity,
                    name: output.name,
                    variety: output.variety,
                    places: Vec::new(),
                    harvested: None,
                    claims: output.claims.unwrap_or_default(),
                    quantity: None,
                };
                (origin, output.grade, output.codes, None)
            }
            _ => return None,
        };
        Some(Self { origin, told: Told { grade, codes, price, ..Told::default() } })
    }
}

impl Told {
    fn go_on(&mut self, entry: &HistoryEntry) {
        match entry.body() {
            Body::ProduceQualityUpdated(body) => self.grade = Some(body.grade.clone()),
            Body::ProduceCodesAssigned(body) => {
                let (new, old) = (body.codes.clone(), self.codes.take().unwrap_or_default());
                self.codes = Some(Codes {
                    gtin: new.gtin.or(old.gtin),
                    lot: new.lot.or(old.lot),
                    traceability_lot_code: new.traceability_lot_code.or(old.traceability_lot_code),
                });
            }
            Body::ProducePriceUpdated(body) if entry.lane == Lane::Title => {
                self.title_price = Some(body.price.clone());
            }
            Body::ProducePriceUpdated(body) => self.price = Some(body.price.clone()),
            _ => self.step(entry),
        }
    }

    fn step(&mut self, entry: &HistoryEntry) {
        let Body::ProduceHandled(body) = entry.body() else { return };
        if self.steps.len() == MAX_STEPS {
            self.steps.remove(0);
        }
        let time = entry.stored.judged.event.payload().time;
        self.steps.push(HandledStep { event: entry.id(), time, step: body.step.clone(), place: body.place });
    }
}

/// Whether all who took the lot over as it was told at first have confirmed the corrections of it, if there are any.
fn is_confirmed(reader: &Reader, own: &[HistoryEntry]) -> Result<bool, StoreError> {
    let counting = || own.iter().filter(|entry| entry.counts);
    let Some(registration) = own.iter().find(|entry| !entry.corrections.is_empty()) else { return Ok(true) };
    let told_by = registration.stored.judged.judgement.acting;
    for taken in counting().filter(|entry| matches!(entry.body(), Body::TransferAccepted(_))) {
        let party = taken.stored.judged.judgement.acting;
        let Some(seen) = reader.seen(&taken.id())? else { continue };
        let at = seen.lane_index(&taken.subject, Lane::Main);
        let received = at.is_some_and(|at| matches!(seen.effect(at), Some(Effect::Receive(..))));
        let confirms = |correction: &EventId| {
            counting().any(|entry| {
                let payload = entry.stored.judged.event.payload();
                matches!(&payload.body, Body::EventConfirmed(body)
                    if body.target == *correction || payload.basis.contains(correction))
                    && entry.stored.judged.judgement.acting == party
            })
        };
        if received && party != told_by && !registration.corrections.iter().all(confirms) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// How much the event that created a lot put into it.
fn created_quantity(ancestor: &Ancestor) -> Option<Quantity> {
    let judged = &ancestor.created.judged;
    let at = (0..judged.judgement.lines.len()).find(|at| judged.event.subject(*at) == Some(ancestor.lot))?;
    match &judged.event.payload().body {
        // A part for a party outside the network is empty from the start: what was in it is in the offer.
        Body::TransferOffered(offer) => {
            let items = provenance::admission::offered_items(judged)?;
            let line = items.iter().position(|item| item.item == ancestor.lot)?;
            offer.lines.get(line).map(|line| line.quantity)
        }
        _ => judged.judgement.lines[at].lot.as_ref().map(|lot| lot.balance),
    }
}
