//! The follower that writes the views: after some entries of the log, every row that they can have changed either goes on
//! (`going_on`) or is made anew from all admitted events.

use super::actor::{self, ActorRow, Actors};
use super::certificate::{CertificateRow, Certificates};
use super::facet::{ActorsBy, CertificatesBy, Facet, ListTable, PlacesBy, ProducesBy, RecallsBy, TransfersBy, UnitsBy};
use super::going_on::{Before, Extended, GoneOn, HandoverGoneOn, LotGoneOn};
use super::kept_rows::KeptRows;
use super::lineage;
use super::place::{PlaceRow, Places};
use super::produce::{ProduceRow, Produces};
use super::recall::{RecallRow, Recalls};
use super::transfer::{TransferRow, TransferState, Transfers, answered_offer};
use super::unit::{UnitRow, Units};
use crate::counting::recounted;
use crate::follower::{Follower, LogEntry};
use crate::reader::{Reader, Stored};
use provenance::admission::{Ancestry, Judged, offered_items};
use provenance::body::Body;
use provenance::id::{EventId, SubjectId};
use provenance::network::Network;
use provenance::payload::Lane;
use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};
use store::{Batch, Column, Key, Range, StoreError, Table};

/// Raised whenever a row changes its bytes or its meaning; the views are then made again.
const VERSION: u32 = 6;

/// Keeps the views of lots, units, handovers, actors, places, certificates and recalls.
#[derive(Debug)]
pub struct ViewFollower {
    network: Network,
    rows: Mutex<KeptRows>,
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
        Column::Certificates,
        Column::CertificatesBy,
        Column::Recalls,
        Column::RecallsBy,
        Column::Units,
        Column::UnitsBy,
    ];

    /// For the views of this network.
    pub fn new(network: Network) -> Self {
        Self { network, rows: Mutex::new(KeptRows::new()) }
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
        let rows = &mut *self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        rows.begin(entries.first().map_or(0, |entry| entry.index));
        let mut changed = Changed::default();
        // Founders have no event: their rows are written where the log begins.
        if entries.first().is_none_or(|entry| entry.index <= 1) {
            changed.actors.extend(actor::founders(&self.network));
        }
        for entry in entries {
            changed.by_new(&self.network, reader, &entry.stored)?;
        }
        if let (Some(first), Some(last)) = (entries.first(), entries.last()) {
            for stored in recounted(reader, first.index, last.index + 1)? {
                changed.by(&self.network, reader, &stored.judged)?;
                changed.inherit_from(&stored.judged);
            }
        }
        changed.go_on(&self.network, reader, rows)?;
        changed.add_forked(reader)?;
        changed.add_parts(reader, rows)?;
        self.write(reader, changed, rows, batch)?;
        if let Some(last) = entries.last() {
            rows.end(last.index + 1);
        }
        Ok(())
    }
}

/// What must be made again.
#[derive(Debug, Default)]
struct Changed {
    /// What new events may let go on,
    extended: Extended,
    /// and what has; all else is made anew, from all events.
    gone_on: GoneOn,
    lots: BTreeSet<SubjectId>,
    /// Lots of which something may have changed that their parts inherit: what is told of them.
    inherited: BTreeSet<SubjectId>,
    transfers: BTreeSet<EventId>,
    actors: BTreeSet<SubjectId>,
    places: BTreeSet<SubjectId>,
    certificates: BTreeSet<SubjectId>,
    recalls: BTreeSet<EventId>,
    units: BTreeSet<SubjectId>,
}

impl Changed {
    /// Notes what an entry of the log may have changed that is read for the first time.
    fn by_new(&mut self, network: &Network, reader: &Reader, stored: &Stored) -> Result<(), StoreError> {
        let event = &stored.judged.event;
        for index in 0..event.payload().touches.len() {
            if !self.extended.add(stored, index) {
                self.subject(network, reader, event.subject(index).expect("the index is one of a touch"))?;
            }
        }
        let body = &event.payload().body;
        if matches!(body, Body::TransferOffered(_)) || answered_offer(body).is_some() {
            self.extended.add_handover(stored);
            return Ok(());
        }
        self.by_kind(network, reader, &stored.judged)
    }

    /// Notes what an event may have changed of which something else counts than before.
    fn by(&mut self, network: &Network, reader: &Reader, judged: &Judged) -> Result<(), StoreError> {
        let event = &judged.event;
        for index in 0..event.payload().touches.len() {
            let subject = event.subject(index).expect("the index is one of a touch");
            self.subject(network, reader, subject)?;
        }
        self.by_kind(network, reader, judged)
    }

    /// Notes what an event may have changed beside the subjects that it touches.
    fn by_kind(&mut self, network: &Network, reader: &Reader, judged: &Judged) -> Result<(), StoreError> {
        let event = &judged.event;
        match &event.payload().body {
            Body::TransferOffered(_) => {
                self.transfers.insert(event.id());
            }
            Body::EventCorrected(correction) => {
                let target = reader.stored(&correction.target)?;
                self.correction(target.as_ref().map(|stored| &*stored.judged), event.subject(0));
            }
            Body::RecallIssued(_) => {
                self.recalls.insert(event.id());
            }
            Body::RecallUpdated(body) => {
                self.recalls.insert(body.recall);
            }
            Body::RecallEnded(body) => {
                self.recalls.insert(body.recall);
            }
            // A founder may leave. What its key gave to others after that is counted again, as with any key that ends.
            Body::NetworkAmended(_) | Body::NetworkApproved(_) => self.actors.extend(actor::founders(network)),
            body => self.transfers.extend(answered_offer(body)),
        }
        Ok(())
    }

    fn subject(&mut self, network: &Network, reader: &Reader, subject: SubjectId) -> Result<(), StoreError> {
        let (created, touch) = match reader.origin(&subject)? {
            Some((event, touch)) => (reader.stored(&event)?, touch),
            None => (None, 0),
        };
        match created.as_ref().map(|stored| &stored.judged.event.payload().body) {
            Some(Body::UnitPacked(_)) if touch == 0 => {
                self.units.insert(subject);
            }
            Some(
                Body::ProduceRegistered(_)
                | Body::ProduceCollected(_)
                | Body::ProduceTransformed(_)
                | Body::TransferOffered(_)
                | Body::TransferAccepted(_)
                | Body::UnitPacked(_),
            ) => {
                self.lots.insert(subject);
            }
            Some(Body::PlaceRegistered(_)) => {
                self.places.insert(subject);
            }
            Some(Body::ActorEnrolled(_)) => {
                self.actors.insert(subject);
            }
            Some(Body::CertificateIssued(_)) => {
                self.certificates.insert(subject);
            }
            _ if actor::founders(network).any(|founder| founder == subject) => {
                self.actors.insert(subject);
            }
            _ => {}
        }
        Ok(())
    }

    /// Lets rows go on where that can be.
    fn go_on(&mut self, network: &Network, reader: &Reader, rows: &mut KeptRows) -> Result<(), StoreError> {
        let (gone_on, anew) = std::mem::take(&mut self.extended).go_on(reader, rows)?;
        for subject in anew.subjects {
            self.subject(network, reader, subject)?;
        }
        self.transfers.extend(anew.transfers);
        self.gone_on = gone_on;
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
    /// which it was taken.
    fn add_forked(&mut self, reader: &Reader) -> Result<(), StoreError> {
        let mut parents: BTreeSet<SubjectId> = BTreeSet::new();
        for lot in &self.lots {
            let Some((event, _)) = reader.origin(lot)? else { continue };
            let Some(created) = reader.stored(&event)? else { continue };
            parents.extend(lineage::parents_of(&created.judged, lot));
        }
        parents.extend(self.gone_on.lots.values().flat_map(|lot| &lot.row.parents));
        for parent in parents {
            if reader.lane_tips(&parent, Lane::Main)?.len() > 1 {
                self.lots.insert(parent);
            }
        }
        Ok(())
    }

    /// A handover looks different when a rival of it comes or goes.
    fn handovers_of(&mut self, reader: &Reader, events: impl Iterator<Item = EventId>) -> Result<(), StoreError> {
        for event in events {
            let Some(stored) = reader.stored(&event)? else { continue };
            let body = &stored.judged.event.payload().body;
            let offer = if matches!(body, Body::TransferOffered(_)) { Some(event) } else { answered_offer(body) };
            self.transfers.extend(offer);
        }
        Ok(())
    }

    /// Who warns of a lot does so as its holder, or as one who held it once.
    fn holder_of_lot(&mut self, reader: &Reader, old: SubjectId, new: &ProduceRow) -> Result<(), StoreError> {
        if old != new.holder {
            self.recalls.extend(listed::<RecallsBy>(reader, &Facet::Lot(new.id))?);
        }
        Ok(())
    }

    /// Lots that were taken from this one, or made of it.
    fn children(&self, reader: &Reader, lot: &SubjectId) -> Result<Vec<SubjectId>, StoreError> {
        let mut children = listed::<ProducesBy>(reader, &Facet::Parent(*lot))?;
        // Those of new events stand in no list yet.
        children.extend(self.gone_on.parts.get(lot).into_iter().flatten());
        Ok(children)
    }

    /// Parts inherit what changes in the lot from which they were taken, and what lay in a unit at any time what is told of
    /// that; what was made of a lot is described anew.
    fn add_parts(&mut self, reader: &Reader, rows: &KeptRows) -> Result<(), StoreError> {
        for unit in &self.units {
            self.inherited.extend(packed_into(reader, unit)?);
        }
        let mut open: Vec<SubjectId> = self.inherited.iter().copied().collect();
        while let Some(lot) = open.pop() {
            if reader.store().contains::<Units>(&lot)? {
                self.units.insert(lot);
                open.extend(packed_into(reader, &lot)?.into_iter().filter(|lot| self.inherited.insert(*lot)));
            } else {
                self.lots.insert(lot);
            }
            for part in self.children(reader, &lot)? {
                let row = rows.lots.get(reader, &part)?;
                if row.is_none_or(|row| row.root != part) && self.inherited.insert(part) {
                    open.push(part);
                }
            }
        }
        Ok(())
    }
}

/// All lots and units that were put into a unit at any time.
fn packed_into(reader: &Reader, unit: &SubjectId) -> Result<BTreeSet<SubjectId>, StoreError> {
    let mut packed = BTreeSet::new();
    for (_, stored) in reader.history(unit)? {
        let event = &stored.judged.event;
        if matches!(event.payload().body, Body::UnitPacked(_)) && event.subject(0) == Some(*unit) {
            packed.extend((1..event.payload().touches.len()).filter_map(|touch| event.subject(touch)));
        }
    }
    Ok(packed)
}

fn listed<L: ListTable>(reader: &Reader, facet: &Facet) -> Result<Vec<L::Id>, StoreError> {
    let rows = reader.store().scan::<L>(Range::prefix(facet));
    rows.map(|row| row.map(|((_, _, id), ())| id)).collect()
}

impl ViewFollower {
    fn write(
        &self,
        reader: &Reader,
        mut changed: Changed,
        rows: &mut KeptRows,
        batch: &mut Batch,
    ) -> Result<(), StoreError> {
        write_units(reader, &mut changed, batch)?;
        write_lots(reader, &mut changed, rows, batch)?;
        write_transfers(reader, &mut changed, rows, batch)?;
        for id in &changed.actors {
            let (old, new) = (reader.store().get::<Actors>(id)?, ActorRow::read(reader, &self.network, id)?);
            let place = |row: &ActorRow| (row.facets(), row.list_time());
            replace::<Actors, ActorsBy>(batch, id, old.as_ref().map(place), new.as_ref().map(place), new.as_ref());
        }
        for id in &changed.places {
            let (old, new) = (reader.store().get::<Places>(id)?, PlaceRow::of(reader, id)?);
            let place = |row: &PlaceRow| (row.facets(), row.registered.ms());
            replace::<Places, PlacesBy>(batch, id, old.as_ref().map(place), new.as_ref().map(place), new.as_ref());
        }
        for id in &changed.certificates {
            let (old, new) = (reader.store().get::<Certificates>(id)?, CertificateRow::of(reader, id)?);
            let place = |row: &CertificateRow| (row.facets(), row.issued.ms());
            let (before, after) = (old.as_ref().map(place), new.as_ref().map(place));
            replace::<Certificates, CertificatesBy>(batch, id, before, after, new.as_ref());
        }
        for id in &changed.recalls {
            let (old, new) = (reader.store().get::<Recalls>(id)?, RecallRow::of(reader, id)?);
            let place = |row: &RecallRow| (row.facets(), row.issued.ms());
            let (before, after) = (old.as_ref().map(place), new.as_ref().map(place));
            replace::<Recalls, RecallsBy>(batch, id, before, after, new.as_ref());
        }
        Ok(())
    }
}

/// Writes the rows of units. What lies in one goes with it, so its row shows where and with whom that is. Whoever warns of
/// a unit or lot does so as its holder, or as one who held it once.
fn write_units(reader: &Reader, changed: &mut Changed, batch: &mut Batch) -> Result<(), StoreError> {
    let mut done = BTreeSet::new();
    while let Some(id) = changed.units.pop_first() {
        if !done.insert(id) {
            continue;
        }
        let (old, new) = (reader.store().get::<Units>(&id)?, UnitRow::of(reader, &id)?);
        for row in old.iter().chain(&new) {
            changed.handovers_of(reader, row.contested())?;
        }
        if let (Some(old), Some(new)) = (&old, &new)
            && old.holder != new.holder
        {
            changed.recalls.extend(listed::<RecallsBy>(reader, &Facet::Lot(id))?);
        }
        if old.as_ref().map(UnitRow::shared) != new.as_ref().map(UnitRow::shared) {
            changed.lots.extend(listed::<ProducesBy>(reader, &Facet::Inside(id))?);
            changed.units.extend(listed::<UnitsBy>(reader, &Facet::Inside(id))?);
        }
        let place = |row: &UnitRow| (row.facets(), row.created.ms());
        replace::<Units, UnitsBy>(batch, &id, old.as_ref().map(place), new.as_ref().map(place), new.as_ref());
    }
    Ok(())
}

/// Writes the rows of lots. A conflict of one reaches all that was taken from it or made of it.
fn write_lots(
    reader: &Reader,
    changed: &mut Changed,
    rows: &mut KeptRows,
    batch: &mut Batch,
) -> Result<(), StoreError> {
    let mut done = BTreeSet::new();
    while let Some(id) = changed.lots.pop_first() {
        if !done.insert(id) {
            continue;
        }
        let (old, new) = (rows.lots.get(reader, &id)?, ProduceRow::of(reader, &id)?);
        for row in old.as_deref().into_iter().chain(&new) {
            changed.handovers_of(reader, row.contested())?;
        }
        if let (Some(old), Some(new)) = (&old, &new) {
            changed.holder_of_lot(reader, old.holder, new)?;
        }
        // Also where its own row shows no change: a dispute of its own can hide one that reached it, and a part may have been
        // written when this lot's conflict was not known yet.
        if old.as_deref().into_iter().chain(&new).any(ProduceRow::is_in_conflict) {
            changed.lots.extend(changed.children(reader, &id)?);
        }
        let place = |row: &ProduceRow| (row.facets(), row.created.ms());
        let (before, after) = (old.as_deref().map(place), new.as_ref().map(place));
        let bytes = replace::<Produces, ProducesBy>(batch, &id, before, after, new.as_ref());
        match new {
            Some(row) => rows.lots.keep(&id, Box::new(row), bytes),
            None => rows.lots.forget(&id),
        }
    }
    for (id, LotGoneOn { row, before }) in std::mem::take(&mut changed.gone_on.lots) {
        if done.contains(&id) {
            continue;
        }
        let place = |facets: Vec<Facet>| (facets, row.created.ms());
        let bytes = match before {
            Before::Unchanged(bytes) => bytes,
            Before::SameLists => batch.put_as::<Produces, _>(&id, &*row),
            Before::New => replace::<Produces, ProducesBy>(batch, &id, None, Some(place(row.facets())), Some(&row)),
            Before::Lists { facets, holder } => {
                changed.holder_of_lot(reader, holder, &row)?;
                let (before, after) = (Some(place(facets)), Some(place(row.facets())));
                replace::<Produces, ProducesBy>(batch, &id, before, after, Some(&row))
            }
        };
        rows.lots.keep(&id, row, bytes);
    }
    Ok(())
}

/// Writes the rows of handovers.
fn write_transfers(
    reader: &Reader,
    changed: &mut Changed,
    rows: &mut KeptRows,
    batch: &mut Batch,
) -> Result<(), StoreError> {
    for id in &changed.transfers {
        let (old, new) = (reader.store().get::<Transfers>(id)?, TransferRow::of(reader, id)?);
        let place = |row: &TransferRow| (row.facets(), row.offered.ms());
        let (before, after) = (old.as_ref().map(place), new.as_ref().map(place));
        replace::<Transfers, TransfersBy>(batch, id, before, after, new.as_ref());
        rows.offers.forget(id);
    }
    for (id, HandoverGoneOn { row, before }) in std::mem::take(&mut changed.gone_on.handovers) {
        if changed.transfers.contains(&id) {
            continue;
        }
        let place = |facets: Vec<Facet>| (facets, row.offered.ms());
        let (before, after) = (before.map(place), Some(place(row.facets())));
        let bytes = replace::<Transfers, TransfersBy>(batch, &id, before, after, Some(&row));
        if row.state == TransferState::Open {
            rows.offers.keep(&id, row, bytes);
        }
    }
    Ok(())
}

/// Replaces a row and its places in lists; says how many bytes it has now.
fn replace<T, L>(
    batch: &mut Batch,
    id: &T::Key,
    old: Option<(Vec<Facet>, u64)>,
    new: Option<(Vec<Facet>, u64)>,
    row: Option<&T::Value>,
) -> usize
where
    T: Table<Key = L::Id>,
    T::Key: Key,
    L: ListTable,
{
    let places = |row: Option<(Vec<Facet>, u64)>| {
        let (facets, time) = row.unwrap_or_default();
        facets.into_iter().map(|facet| (facet, time, *id)).collect::<Vec<_>>()
    };
    let (old, new) = (places(old), places(new));
    // Most rows stay in most of their lists, and what is not written again costs nothing.
    for place in old.iter().filter(|place| !new.contains(place)) {
        batch.delete::<L>(place);
    }
    for place in new.iter().filter(|place| !old.contains(place)) {
        batch.put::<L>(place, &());
    }
    if let Some(row) = row {
        return batch.put_as::<T, _>(id, row);
    }
    batch.delete::<T>(id);
    0
}
