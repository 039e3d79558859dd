//! The view of a logistic unit: what it is called, who has it, and how much lies in it.

use super::facet::Facet;
use super::history;
use super::holding::{Holding, LotStanding};
use super::{lineage, whereabouts};
use crate::reader::Reader;
use minicbor::{Decode, Encode};
use provenance::body::Body;
use provenance::custody::{Closed, OpenOffer};
use provenance::id::{EventId, SubjectId};
use provenance::value::{Sscc, Timestamp};
use store::{Cbor, Column, StoreError, Table};

/// A unit as all events that count together show it. What lies in it is listed by its id.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize)]
#[cbor(array)]
pub struct UnitRow {
    /// The unit.
    #[n(0)]
    pub id: SubjectId,
    /// The event that packed it first.
    #[n(1)]
    pub created_by: EventId,
    /// When that was signed.
    #[n(2)]
    pub created: Timestamp,
    /// Who packed it first.
    #[n(3)]
    pub packed_by: SubjectId,
    /// Its serial shipping container code.
    #[n(4)]
    pub sscc: Option<Sscc>,
    /// How many lots and smaller units lie in it.
    #[n(5)]
    pub contents: u32,
    /// Who holds it, or the outermost unit in which it lies; the last holder where it is closed.
    #[n(6)]
    pub holder: SubjectId,
    /// Who owns it.
    #[n(7)]
    pub owner: SubjectId,
    /// The unit in which it lies.
    #[n(8)]
    pub inside: Option<SubjectId>,
    /// How it stands.
    #[n(9)]
    pub standing: LotStanding,
    /// The offer that waits for an answer.
    #[n(10)]
    pub open_offer: Option<OpenOffer>,
    /// The offer of title alone that waits for an answer.
    #[n(11)]
    pub title_offer: Option<OpenOffer>,
    /// Why it left the chain.
    #[n(12)]
    pub closed: Option<Closed>,
    /// Where it is, as far as was told.
    #[n(13)]
    pub place: Option<SubjectId>,
    /// The events that the next event on its main lane extends; ascending.
    #[n(14)]
    pub tips: Vec<EventId>,
    /// Events that cannot all stand; ascending.
    #[n(15)]
    pub in_conflict: Vec<EventId>,
    /// Events whose values do not show; ascending.
    #[n(16)]
    pub beside: Vec<EventId>,
    /// The events that corrected something of it, oldest first.
    #[n(17)]
    pub corrections: Vec<EventId>,
    /// The latest time at which something was signed about it.
    #[n(18)]
    pub updated: Timestamp,
    /// How many events lie on its own lanes.
    #[n(19)]
    pub events: u64,
}

/// [`Column::Units`].
#[derive(Debug)]
pub(crate) struct Units;

impl Table for Units {
    const COLUMN: Column = Column::Units;
    type Key = SubjectId;
    type Value = UnitRow;
    type Encoding = Cbor;
}

impl UnitRow {
    /// Every list in which the row stands.
    pub(crate) fn facets(&self) -> Vec<Facet> {
        let mut facets =
            vec![Facet::All(), Facet::Holder(self.holder), Facet::Owner(self.owner), Facet::standing(self.standing)];
        facets.extend(self.inside.map(Facet::Inside));
        facets.extend(self.sscc.as_ref().map(|sscc| Facet::Sscc(sscc.as_str().to_owned())));
        facets
    }

    /// Events whose handover may look different because of what this row shows.
    pub(crate) fn contested(&self) -> impl Iterator<Item = EventId> {
        let open = self.open_offer.iter().chain(&self.title_offer).map(|open| open.offer);
        self.in_conflict.iter().chain(&self.beside).copied().chain(open)
    }

    /// What the rows of its contents show of it.
    pub(crate) fn shared(&self) -> impl PartialEq + use<'_> {
        (self.holder, self.owner, self.place, &self.corrections)
    }

    /// The row of a unit, from all events that count; nothing if there is no such unit.
    pub(crate) fn of(reader: &Reader, unit: &SubjectId) -> Result<Option<Self>, StoreError> {
        let Some((event, 0)) = reader.origin(unit)? else { return Ok(None) };
        let Some(created) = reader.stored(&event)? else { return Ok(None) };
        let Body::UnitPacked(packed) = &created.judged.event.payload().body else { return Ok(None) };
        let Some(holding) = Holding::of(reader, unit, false)? else { return Ok(None) };
        let told = lineage::history_of_unit(reader, unit)?;
        let own = history::of_subject(reader, unit)?;
        let signed = created.judged.event.payload().time;
        Ok(Some(Self {
            id: *unit,
            created_by: event,
            created: signed,
            packed_by: created.judged.judgement.acting,
            sscc: packed.sscc.clone(),
            contents: holding.state.contents.unwrap_or(0),
            holder: holding.holder,
            owner: holding.owner,
            inside: holding.state.inside,
            standing: holding.standing,
            open_offer: holding.state.open,
            title_offer: holding.title_offer,
            closed: holding.state.closed,
            place: whereabouts::last_told(reader, &told)?,
            tips: holding.tips.into_iter().collect(),
            in_conflict: holding.in_conflict.into_iter().collect(),
            beside: holding.beside.into_iter().collect(),
            corrections: told.iter().flat_map(|entry| &entry.corrections).copied().collect(),
            updated: own.iter().map(|entry| entry.stored.judged.event.payload().time).max().unwrap_or(signed),
            events: own.len() as u64,
        }))
    }
}
