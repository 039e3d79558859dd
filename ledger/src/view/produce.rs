//! The view of a lot: what it is, where it is, who holds how much of it, and whether that is agreed.

use super::facet::Facet;
use super::history::{self, HistoryEntry};
use super::lineage::{self, Ancestor};
use crate::reader::Reader;
use minicbor::{Decode, Encode};
use provenance::body::{Body, Codes, Commodity, ProduceRegistered};
use provenance::counting::CountedLot;
use provenance::custody::{Closed, OpenOffer};
use provenance::id::{EventId, SubjectId};
use provenance::payload::Lane;
use provenance::seal::Sealable;
use provenance::value::{DateRange, Grade, LangText, Price, Quantity, Text, Timestamp};
use store::{Cbor, Column, StoreError, Table};

/// How a lot stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum LotStanding {
    /// Somebody holds it, and may do with it what he likes.
    #[n(0)]
    Held,
    /// All of it is offered to somebody.
    #[n(1)]
    Offered,
    /// Events exclude each other, and nobody's acceptance has settled it.
    #[n(2)]
    Disputed,
    /// It has left the chain.
    #[n(3)]
    Closed,
}

impl LotStanding {
    pub(crate) fn number(self) -> u8 {
        match self {
            Self::Held => 0,
            Self::Offered => 1,
            Self::Disputed => 2,
            Self::Closed => 3,
        }
    }
}

/// A lot as all admitted events together show it; corrections are applied.
///
/// A part-lot has the commodity, name, variety, places, harvest, codes and claims of the lot that
/// was registered, and the grade, price and place that the lot had from which it was taken.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize)]
#[cbor(array)]
pub struct ProduceRow {
    /// The lot.
    #[n(0)]
    pub id: SubjectId,
    /// The lot of which it was a part.
    #[n(1)]
    pub parent: Option<SubjectId>,
    /// The lot that was registered: itself, or the first of those of which it was a part.
    #[n(2)]
    pub root: SubjectId,
    /// The event that created it: the registration, or the one that took it from its parent.
    #[n(3)]
    pub created_by: EventId,
    /// When that was signed.
    #[n(4)]
    pub created: Timestamp,
    /// The registration of the root lot.
    #[n(5)]
    pub registered_by: EventId,
    /// When that was signed.
    #[n(6)]
    pub registered: Timestamp,
    /// Who registered the root lot, or on whose behalf it was registered.
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
    /// Where it was grown.
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
    /// How much there was when it came into being.
    #[n(15)]
    pub quantity: Quantity,
    /// How much there is.
    #[n(16)]
    pub balance: Quantity,
    /// Who holds it; the last holder where it is closed.
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
        ];
        facets.extend(self.grade.as_ref().map(|g| Facet::Grade(g.scheme().to_owned(), g.value().to_owned())));
        facets.extend(self.parent.map(Facet::Parent));
        if let Some(gtin) = self.codes.as_ref().and_then(|codes| codes.gtin.as_ref()) {
            facets.push(Facet::Gtin(gtin.as_str().to_owned()));
            let lot = self.codes.as_ref().and_then(|codes| codes.lot.as_ref());
            facets.extend(lot.map(|lot| Facet::GtinLot(gtin.as_str().to_owned(), lot.to_string())));
        }
        facets
    }

    /// Events whose handover may look different because of what this row shows.
    pub(crate) fn contested(&self) -> impl Iterator<Item = EventId> {
        let open = self.open_offer.map(|open| open.offer);
        self.in_conflict.iter().chain(&self.beside).copied().chain(open)
    }

    /// The row of a lot, from all admitted events; nothing if there is no such lot.
    pub(crate) fn of(reader: &Reader, lot: &SubjectId) -> Result<Option<Self>, StoreError> {
        let Some(lineage) = lineage::of_lot(reader, lot)? else { return Ok(None) };
        let Some(mut counted) = reader.lot(lot)? else { return Ok(None) };
        counted.disputed |= lineage::is_contested(reader, &lineage)?;
        let told = lineage::history_of(reader, &lineage)?;
        let Some(description) = Description::of(reader, &told)? else { return Ok(None) };
        let own = history::of_subject(reader, lot)?;
        Ok(Some(Self::build(lot, &lineage, counted, description, &told, &own)))
    }

    fn build(
        lot: &SubjectId,
        lineage: &[Ancestor],
        counted: CountedLot,
        description: Description,
        told: &[HistoryEntry],
        own: &[HistoryEntry],
    ) -> Self {
        let [root, ..] = lineage else { unreachable!("a lineage ends with the lot itself") };
        let created = &lineage[lineage.len() - 1].created.judged;
        let time = |entry: &HistoryEntry| entry.stored.judged.event.payload().time;
        let (registration, body) = (&root.created.judged, description.registered);
        let quantity_at_birth = created_quantity(&lineage[lineage.len() - 1]).unwrap_or(counted.state.balance);
        let standing = match &counted.state {
            _ if counted.disputed => LotStanding::Disputed,
            state if state.closed.is_some() => LotStanding::Closed,
            state if state.open.is_some() => LotStanding::Offered,
            _ => LotStanding::Held,
        };
        Self {
            id: *lot,
            parent: lineage.len().checked_sub(2).map(|parent| lineage[parent].lot),
            root: root.lot,
            created_by: created.event.id(),
            created: created.event.payload().time,
            registered_by: registration.event.id(),
            registered: registration.event.payload().time,
            originator: registration.judgement.acting,
            commodity: body.commodity,
            name: body.name,
            variety: body.variety,
            places: body.places,
            harvested: body.harvested,
            codes: body.codes,
            claims: body.claims.unwrap_or_default(),
            quantity: quantity_at_birth,
            balance: counted.state.balance,
            holder: counted.state.holder,
            standing,
            open_offer: counted.state.open,
            closed: counted.state.closed,
            grade: description.grade,
            price: description.price,
            place: description.place,
            tips: counted.tips.into_iter().collect(),
            in_conflict: counted.in_conflict.into_iter().collect(),
            beside: counted.beside.into_iter().collect(),
            corrections: told.iter().flat_map(|entry| &entry.corrections).copied().collect(),
            updated: own.iter().map(time).max().unwrap_or(created.event.payload().time),
            events: own.len() as u64,
        }
    }
}

/// What is told of a lot, beside who holds it.
struct Description {
    registered: ProduceRegistered,
    grade: Option<Grade>,
    price: Option<Sealable<Price>>,
    place: Option<SubjectId>,
}

impl Description {
    /// The last value that was told of each, among the events that count.
    fn of(reader: &Reader, told: &[HistoryEntry]) -> Result<Option<Self>, StoreError> {
        let mut description: Option<Self> = None;
        for entry in told.iter().filter(|entry| entry.lane == Lane::Main && entry.counts) {
            match (entry.body(), &mut description) {
                (Body::ProduceRegistered(body), None) => {
                    // A lot is where it was grown until something else is told, where that is one place.
                    let place = if let [place] = body.places.as_slice() { Some(*place) } else { None };
                    let registered = (**body).clone();
                    let (grade, price) = (registered.grade.clone(), registered.price.clone());
                    description = Some(Self { registered, grade, price, place });
                }
                (Body::ProduceMoved(body), Some(description)) => description.place = Some(body.place),
                (Body::ProduceQualityUpdated(body), Some(description)) => description.grade = Some(body.grade.clone()),
                (Body::ProducePriceUpdated(body), Some(description)) => description.price = Some(body.price.clone()),
                (Body::TransferAccepted(body), Some(description)) => {
                    // It arrived where the offer said that it would go.
                    let offer = reader.stored(&body.offer)?;
                    let offer = offer.map(|offer| history::corrected_body(reader, &offer)).transpose()?;
                    if let Some((Body::TransferOffered(offer), _)) = offer {
                        description.place = offer.to_place.or(description.place);
                    }
                }
                _ => {}
            }
        }
        Ok(description)
    }
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
