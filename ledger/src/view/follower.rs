//! The follower that writes the views: after some entries of the log, every row that they can have
//! changed is made again from all admitted events.

use super::actor::{self, ActorRow, Actors};
use super::facet::{ActorsBy, Facet, ListTable, PlacesBy, ProducesBy, TransfersBy};
use super::lineage;
use super::place::{PlaceRow, Places};
use super::produce::{ProduceRow, Produces};
use super::transfer::{TransferRow, Transfers, answered_offer};
use crate::counting::recounted;
use crate::follower::{Follower, LogEntry};
use crate::reader::Reader;
use provenance::admission::{Ancestry, Judged, offered_items};
use provenance::body::Body;
use provenance::id::{EventId, SubjectId};
use provenance::network::Network;
use provenance::payload::Lane;
use std::collections::BTreeSet;
use store::{Batch, Column, Key, Range, StoreError, Table};

/// Raised whenever a row changes its bytes or its meaning; the views are then made again.
const VERSION: u32 = 3;

/// Keeps the views of lots, handovers, actors and places.
#[derive(Debug)]
pub struct ViewFollower {
    network: Network,
}

impl ViewFollower {
    /// Under this name the views are rebuilt and their lag is measured.
    pub const NAME: &'static str = "views";

    /// The columns that hold the views.
    pub(crate) const COLUMNS: &'static [Column] = &[
        Column::Produces,
        Column::ProducesBy,
        Column::Transfers,
        Column::TransfersBy,
        Column::Actors,
        Column::ActorsBy,
        Column::Places,
        Column::PlacesBy,
    ];

    /// For the views of this network.
    pub fn new(network: Network) -> Self {
        Self { network }
    }
}

impl Follower for ViewFollower {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn version(&self) -> u32 {
        VERSION
    }

    fn columns(&self) -> &'static [Column] {
        Self::COLUMNS
    }

    fn follow(&self, reader: &Reader, entries: &[LogEntry], batch: &mut Batch) -> Result<(), StoreError> {
        let mut changed = Changed::default();
        // Founders have no event: their rows are written where the log begins.
        if entries.first().is_none_or(|entry| entry.index <= 1) {
            changed.actors.extend(actor::founders(&self.network));
        }
        for entry in entries {
            changed.by(&self.network, reader, &entry.stored.judged)?;
        }
        if let (Some(first), Some(last)) = (entries.first(), entries.last()) {
            for stored in recounted(reader, first.index, last.index + 1)? {
                changed.by(&self.network, reader, &stored.judged)?;
                changed.inherit_from(&stored.judged);
            }
        }
        changed.add_forked(reader)?;
        changed.add_parts(reader)?;
        self.write(reader, changed, batch)
    }
}

/// What must be made again.
#[derive(Debug, Default)]
struct Changed {
    lots: BTreeSet<SubjectId>,
    /// Lots of which something may have changed that their parts inherit: what is told of them, or a
    /// conflict.
    inherited: BTreeSet<SubjectId>,
    transfers: BTreeSet<EventId>,
    actors: BTreeSet<SubjectId>,
    places: BTreeSet<SubjectId>,
}

impl Changed {
    /// Notes what one event may have changed.
    fn by(&mut self, network: &Network, reader: &Reader, judged: &Judged) -> Result<(), StoreError> {
        let event = &judged.event;
        for index in 0..event.payload().touches.len() {
            let subject = event.subject(index).expect("the index is one of a touch");
            self.subject(network, reader, subject)?;
        }
        match &event.payload().body {
            Body::TransferOffered(_) => {
                self.transfers.insert(event.id());
            }
            Body::EventCorrected(correction) => {
                let target = reader.stored(&correction.target)?;
                self.correction(target.as_ref().map(|stored| &*stored.judged), event.subject(0));
            }
            body => self.transfers.extend(answered_offer(body)),
        }
        Ok(())
    }

    fn subject(&mut self, network: &Network, reader: &Reader, subject: SubjectId) -> Result<(), StoreError> {
        let created = match reader.origin(&subject)? {
            Some((event, _)) => reader.stored(&event)?,
            None => None,
        };
        match created.as_ref().map(|stored| &stored.judged.event.payload().body) {
            Some(Body::ProduceRegistered(_) | Body::TransferOffered(_) | Body::TransferAccepted(_)) => {
                self.lots.insert(subject);
            }
            Some(Body::PlaceRegistered(_)) => {
                self.places.insert(subject);
            }
            Some(Body::ActorEnrolled(_)) => {
                self.actors.insert(subject);
            }
            _ if actor::founders(network).any(|founder| founder == subject) => {
                self.actors.insert(subject);
            }
            _ => {}
        }
        Ok(())
    }

    /// What counts of an event has changed, so all may have that its lots hand on.
    fn inherit_from(&mut self, judged: &Judged) {
        let touched = (0..judged.event.payload().touches.len()).filter_map(|touch| judged.event.subject(touch));
        self.inherited.extend(touched.filter(|subject| self.lots.contains(subject)));
    }

    fn correction(&mut self, target: Option<&Judged>, subject: Option<SubjectId>) {
        self.inherited.extend(subject.filter(|subject| self.lots.contains(subject)));
        let Some((target, items)) = target.and_then(|target| Some((target, offered_items(target)?))) else { return };
        // Where goods arrive is told in the offer, for all that it offers.
        self.transfers.insert(target.event.id());
        self.inherited.extend(items.iter().flat_map(|item| [item.lot, item.item]));
    }

    /// Where a lane has forked, an answer on a part's lane can settle the conflict of the lot from
    /// which it was taken, and that conflict reaches all other parts.
    fn add_forked(&mut self, reader: &Reader) -> Result<(), StoreError> {
        for lot in &self.lots {
            for ancestor in lineage::of_lot(reader, lot)?.unwrap_or_default() {
                if reader.lane_tips(&ancestor.lot, Lane::Main)?.len() > 1 {
                    self.inherited.insert(ancestor.lot);
                }
            }
        }
        Ok(())
    }

    /// Parts inherit what changes in the lot from which they were taken.
    fn add_parts(&mut self, reader: &Reader) -> Result<(), StoreError> {
        let mut open: Vec<SubjectId> = self.inherited.iter().copied().collect();
        while let Some(lot) = open.pop() {
            self.lots.insert(lot);
            for row in reader.store().scan::<ProducesBy>(Range::prefix(&Facet::Parent(lot))) {
                let ((_, _, part), ()) = row?;
                if self.inherited.insert(part) {
                    open.push(part);
                }
            }
        }
        Ok(())
    }
}

impl ViewFollower {
    fn write(&self, reader: &Reader, mut changed: Changed, batch: &mut Batch) -> Result<(), StoreError> {
        for id in &changed.lots {
            let (old, new) = (reader.store().get::<Produces>(id)?, ProduceRow::of(reader, id)?);
            for row in old.iter().chain(&new) {
                // A handover looks different when a rival of it comes or goes.
                for event in row.contested() {
                    let Some(stored) = reader.stored(&event)? else { continue };
                    let body = &stored.judged.event.payload().body;
                    let offer =
                        if matches!(body, Body::TransferOffered(_)) { Some(event) } else { answered_offer(body) };
                    changed.transfers.extend(offer);
                }
            }
            let place = |row: &ProduceRow| (row.facets(), row.created.ms());
            replace::<Produces, ProducesBy>(batch, id, old.as_ref().map(place), new.as_ref().map(place), new.as_ref());
        }
        for id in &changed.transfers {
            let (old, new) = (reader.store().get::<Transfers>(id)?, TransferRow::of(reader, id)?);
            let place = |row: &TransferRow| (row.facets(), row.offered.ms());
            replace::<Transfers, TransfersBy>(
                batch,
                id,
                old.as_ref().map(place),
                new.as_ref().map(place),
                new.as_ref(),
            );
        }
        for id in &changed.actors {
            let (old, new) = (reader.store().get::<Actors>(id)?, ActorRow::of(reader, &self.network, id)?);
            let place = |row: &ActorRow| (row.facets(), row.list_time());
            replace::<Actors, ActorsBy>(batch, id, old.as_ref().map(place), new.as_ref().map(place), new.as_ref());
        }
        for id in &changed.places {
            let (old, new) = (reader.store().get::<Places>(id)?, PlaceRow::of(reader, id)?);
            let place = |row: &PlaceRow| (row.facets(), row.registered.ms());
            replace::<Places, PlacesBy>(batch, id, old.as_ref().map(place), new.as_ref().map(place), new.as_ref());
        }
        Ok(())
    }
}

/// Replaces a row and its places in lists.
fn replace<T, L>(
    batch: &mut Batch,
    id: &T::Key,
    old: Option<(Vec<Facet>, u64)>,
    new: Option<(Vec<Facet>, u64)>,
    row: Option<&T::Value>,
) where
    T: Table<Key = L::Id>,
    T::Key: Key,
    L: ListTable,
{
    if let Some((facets, time)) = old {
        for facet in facets {
            batch.delete::<L>(&(facet, time, *id));
        }
    }
    if let Some((facets, time)) = new {
        for facet in facets {
            batch.put::<L>(&(facet, time, *id), &());
        }
    }
    match row {
        Some(row) => batch.put::<T>(id, row),
        None => batch.delete::<T>(id),
    }
}
