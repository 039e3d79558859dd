//! The view of a recall: what is wrong with which lots, who warns of them, and whether it still stands.

use super::facet::Facet;
use super::history;
use super::produce::ProduceRow;
use super::unit::UnitRow;
use crate::keys;
use crate::reader::Reader;
use minicbor::{Decode, Encode};
use provenance::admission::Ancestry;
use provenance::body::{Body, RecallAction, RecallLevel, Role};
use provenance::id::{EventId, SubjectId};
use provenance::value::{Text, Timestamp};
use store::{Cbor, Column, StoreError, Table};

/// By what right somebody warns of a lot, the highest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, serde::Serialize)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum Capacity {
    /// It is an authority, or a founder.
    #[n(0)]
    Authority,
    /// The lot comes from it, or it packed the unit.
    #[n(1)]
    Originator,
    /// It holds the lot.
    #[n(2)]
    Holder,
    /// It held the lot once.
    #[n(3)]
    PastHolder,
}

/// A lot of a recall.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize)]
#[cbor(array)]
pub struct RecalledLot {
    /// The lot.
    #[n(0)]
    pub lot: SubjectId,
    /// What the issuer is to it.
    #[n(1)]
    pub capacity: Capacity,
}

/// A recall as all events that count together show it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize)]
#[cbor(array)]
pub struct RecallRow {
    /// The event that issued it.
    #[n(0)]
    pub id: EventId,
    /// Who warns.
    #[n(1)]
    pub issuer: SubjectId,
    /// When that was signed.
    #[n(2)]
    pub issued: Timestamp,
    /// Of which lots.
    #[n(3)]
    pub lots: Vec<RecalledLot>,
    /// How far it reaches.
    #[n(4)]
    pub level: RecallLevel,
    /// What is wrong with the goods.
    #[n(5)]
    pub hazard: Text<512>,
    /// Which goods, in words.
    #[n(6)]
    pub scope: Option<Text<512>>,
    /// What is to be done.
    #[n(7)]
    pub action: RecallAction,
    /// Whom to ask.
    #[n(8)]
    pub contact: Text<512>,
    /// The events that changed it, oldest first.
    #[n(9)]
    pub updates: Vec<EventId>,
    /// The event that ended it.
    #[n(10)]
    pub ended_by: Option<EventId>,
    /// When that was signed.
    #[n(11)]
    pub ended: Option<Timestamp>,
    /// Why it ended.
    #[n(12)]
    pub end_reason: Option<Text<512>>,
}

/// [`Column::Recalls`].
#[derive(Debug)]
pub(crate) struct Recalls;

impl Table for Recalls {
    const COLUMN: Column = Column::Recalls;
    type Key = EventId;
    type Value = RecallRow;
    type Encoding = Cbor;
}

impl RecallRow {
    /// Whether it stands.
    pub fn is_active(&self) -> bool {
        self.ended_by.is_none()
    }

    /// Every list in which the row stands.
    pub(crate) fn facets(&self) -> Vec<Facet> {
        let mut facets = vec![Facet::All(), Facet::Active(u8::from(self.is_active())), Facet::Issuer(self.issuer)];
        facets.extend(self.lots.iter().map(|recalled| Facet::Lot(recalled.lot)));
        facets
    }

    /// The row of a recall, from all events that count; nothing if there is no such recall.
    pub(crate) fn of(reader: &Reader, recall: &EventId) -> Result<Option<Self>, StoreError> {
        let Some(seen) = reader.seen(recall)? else { return Ok(None) };
        let event = &seen.judged.event;
        let Body::RecallIssued(body) = event.payload().body.clone() else { return Ok(None) };
        let issuer = seen.judged.judgement.actor;
        let touches = event.payload().touches.iter().enumerate();
        let touched = touches.filter(|(at, _)| seen.counts(*at)).filter_map(|(_, touch)| touch.subject);
        let touched: Vec<SubjectId> = touched.collect();
        let Some(first) = touched.first() else { return Ok(None) };
        let is_authority = is_authority(reader, &issuer)?;
        let mut lots = Vec::with_capacity(touched.len());
        for lot in &touched {
            let capacity = if is_authority { Capacity::Authority } else { capacity(reader, &issuer, lot)? };
            lots.push(RecalledLot { lot: *lot, capacity });
        }
        let mut row = Self {
            id: *recall,
            issuer,
            issued: event.payload().time,
            lots,
            level: body.level,
            hazard: body.hazard,
            scope: body.scope,
            action: body.action,
            contact: body.contact,
            updates: Vec::new(),
            ended_by: None,
            ended: None,
            end_reason: None,
        };
        // Every event about a recall touches all its lots, so the first shows all of them.
        for entry in history::of_subject(reader, first)?.iter().filter(|entry| entry.counts) {
            row.tell(entry.id(), entry.body(), entry.stored.judged.event.payload().time);
        }
        Ok(Some(row))
    }

    fn tell(&mut self, event: EventId, body: &Body, time: Timestamp) {
        match body {
            Body::RecallUpdated(body) if body.recall == self.id => {
                let body = body.clone();
                self.updates.push(event);
                self.level = body.level.unwrap_or(self.level);
                self.hazard = body.hazard.unwrap_or_else(|| self.hazard.clone());
                self.scope = body.scope.or_else(|| self.scope.clone());
                self.action = body.action.unwrap_or(self.action);
                self.contact = body.contact.unwrap_or_else(|| self.contact.clone());
            }
            Body::RecallEnded(body) if body.recall == self.id && self.ended_by.is_none() => {
                (self.ended_by, self.ended) = (Some(event), Some(time));
                self.end_reason = Some(body.reason.clone());
            }
            _ => {}
        }
    }
}

/// Founders have all roles.
fn is_authority(reader: &Reader, actor: &SubjectId) -> Result<bool, StoreError> {
    let enrolment = keys::enrolment(reader, actor)?;
    Ok(enrolment.is_none_or(|judged| match &judged.event.payload().body {
        Body::ActorEnrolled(body) => body.roles.contains(&Role::Authority),
        _ => false,
    }))
}

/// What an actor is to a lot of which it may warn though it is no authority.
fn capacity(reader: &Reader, actor: &SubjectId, lot: &SubjectId) -> Result<Capacity, StoreError> {
    let (originator, holder) = match ProduceRow::of(reader, lot)? {
        Some(row) => (Some(row.originator), Some(row.holder)),
        None => UnitRow::of(reader, lot)?.map(|row| (row.packed_by, row.holder)).unzip(),
    };
    Ok(if originator == Some(*actor) {
        Capacity::Originator
    } else if holder == Some(*actor) {
        Capacity::Holder
    } else {
        Capacity::PastHolder
    })
}
