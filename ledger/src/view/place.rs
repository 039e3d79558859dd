//! The view of a place.

use super::facet::Facet;
use super::history;
use crate::reader::Reader;
use minicbor::{Decode, Encode};
use provenance::body::{Body, Document, PlaceUpdated};
use provenance::id::{EventId, SubjectId};
use provenance::payload::Lane;
use provenance::seal::{Commitment, Sealable};
use provenance::value::{Coordinates, Gln, LangText, Text, Timestamp};
use store::{Cbor, Column, StoreError, Table};

/// A place as all events that count show it; corrections, and then updates, are applied.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize)]
#[cbor(array)]
pub struct PlaceRow {
    /// The place.
    #[n(0)]
    pub id: SubjectId,
    /// The event that registered it.
    #[n(1)]
    pub event: EventId,
    /// Who registered it, or on whose behalf it was registered.
    #[n(2)]
    pub registered_by: SubjectId,
    /// When.
    #[n(3)]
    pub registered: Timestamp,
    /// What sort of place.
    #[n(4)]
    pub place_type: Text<64>,
    /// What it is called.
    #[n(5)]
    pub name: LangText,
    /// Its Global Location Number.
    #[n(6)]
    pub gln: Option<Gln>,
    /// Where it is, to 0.01°.
    #[n(7)]
    pub point: Option<Coordinates>,
    /// The commitment to where it is exactly.
    #[n(8)]
    pub exact_point: Option<Sealable<Coordinates>>,
    /// Its outline, by hash.
    #[n(9)]
    pub outline: Option<Document>,
    /// Its area in square metres.
    #[n(10)]
    pub area_m2: Option<u64>,
    /// The place of which it is a part.
    #[n(11)]
    pub parent: Option<SubjectId>,
    /// ISO 3166-1 alpha-2 code of its country.
    #[n(12)]
    pub country: Option<Text<2>>,
    /// The events that corrected it, oldest first.
    #[n(13)]
    pub corrections: Vec<EventId>,
    /// The events that the next event on its main lane extends; ascending.
    #[n(14)]
    pub tips: Vec<EventId>,
    /// The latest time at which something was signed about it.
    #[n(15)]
    pub updated: Timestamp,
}

/// [`Column::Places`].
#[derive(Debug)]
pub(crate) struct Places;

impl Table for Places {
    const COLUMN: Column = Column::Places;
    type Key = SubjectId;
    type Value = PlaceRow;
    type Encoding = Cbor;
}

impl PlaceRow {
    /// The commitment to the exact point, if there is one.
    pub fn exact_point_commitment(&self) -> Option<Commitment> {
        match self.exact_point {
            Some(Sealable::Sealed(commitment)) => Some(commitment),
            _ => None,
        }
    }

    /// Every list in which the row stands.
    pub(crate) fn facets(&self) -> Vec<Facet> {
        let mut facets = vec![Facet::All(), Facet::RegisteredBy(self.registered_by)];
        facets.extend(self.gln.as_ref().map(|gln| Facet::Gln(gln.as_str().to_owned())));
        facets
    }

    /// The row of a place, from all admitted events; nothing if there is no such place.
    pub(crate) fn of(reader: &Reader, place: &SubjectId) -> Result<Option<Self>, StoreError> {
        let Some((event, _)) = reader.origin(place)? else { return Ok(None) };
        let Some(stored) = reader.stored(&event)? else { return Ok(None) };
        if !reader.creates(&event, place)? {
            return Ok(None);
        }
        let (Body::PlaceRegistered(body), corrections) = history::corrected_body(reader, &stored)? else {
            return Ok(None);
        };
        let signed = stored.judged.event.payload().time;
        let mut row = Self {
            id: *place,
            event,
            registered_by: stored.judged.judgement.acting,
            registered: signed,
            place_type: body.place_type,
            name: body.name,
            gln: body.gln,
            point: body.point,
            exact_point: body.exact_point,
            outline: body.outline,
            area_m2: body.area_m2,
            parent: body.parent,
            country: body.country,
            corrections,
            tips: reader.counted_tips(place, Lane::Main)?.into_iter().collect(),
            updated: signed,
        };
        if row.tips.is_empty() {
            return Ok(None);
        }
        for entry in history::of_subject(reader, place)? {
            row.updated = row.updated.max(entry.stored.judged.event.payload().time);
            if let Body::PlaceUpdated(body) = entry.body()
                && entry.counts
            {
                row.update(body);
            }
        }
        Ok(Some(row))
    }

    fn update(&mut self, body: &PlaceUpdated) {
        let body = body.clone();
        self.name = body.name.unwrap_or(self.name.clone());
        self.gln = body.gln.or(self.gln.take());
        self.point = body.point.or(self.point);
        self.exact_point = body.exact_point.or(self.exact_point.take());
        self.outline = body.outline.or(self.outline.take());
        self.area_m2 = body.area_m2.or(self.area_m2);
        self.parent = body.parent.or(self.parent);
        self.country = body.country.or(self.country.take());
    }
}
