//! Questions to the views: single rows, lists by facet, histories.

use super::actor::{ActorRow, Actors};
use super::certificate::{CertificateRow, Certificates};
use super::facet::{ActorsBy, CertificatesBy, Facet, ListTable, PlacesBy, ProducesBy, RecallsBy, TransfersBy, UnitsBy};
use super::follower::ViewFollower;
use super::history::{self, HistoryEntry};
use super::holding::LotStanding;
use super::lineage;
use super::network::NetworkRow;
use super::page::{Cursor, Page, PageSize};
use super::place::{PlaceRow, Places};
use super::produce::{ProduceRow, Produces};
use super::recall::{RecallRow, Recalls};
use super::transfer::{TransferRow, TransferState, Transfers};
use super::unit::{UnitRow, Units};
use crate::reader::{Reader, Stored};
use provenance::body::{Commodity, Role};
use provenance::id::{EventId, PublicKey, SubjectId, sha256};
use provenance::network::Network;
use provenance::value::{Gln, Grade, Gtin, Sscc};
use std::collections::BTreeSet;
use std::fmt::Debug;
use store::{Range, StoreError, Table};

/// Rows looked at for one page, so that a filter that fits nothing costs no more than this; the
/// cursor then goes on from there.
const MAX_SCANNED: usize = 5_000;

/// Journal links followed for one page of a signer's events.
const MAX_LINKS: usize = 5_000;

/// Which lots; all conditions must hold.
#[derive(Debug, Clone, Default)]
pub struct ProduceFilter {
    /// Held by this actor.
    pub holder: Option<SubjectId>,
    /// Owned by this actor.
    pub owner: Option<SubjectId>,
    /// Lying directly in this unit.
    pub inside: Option<SubjectId>,
    /// Coming from this actor.
    pub originator: Option<SubjectId>,
    /// Of this commodity.
    pub commodity: Option<Commodity>,
    /// Of this grade.
    pub grade: Option<Grade>,
    /// Standing so.
    pub standing: Option<LotStanding>,
    /// Taken directly from this lot, or made of it and perhaps of others.
    pub parent: Option<SubjectId>,
    /// Labelled with this trade item number.
    pub gtin: Option<Gtin>,
    /// Labelled with this batch number; asks for a trade item number too.
    pub batch: Option<String>,
}

/// Which units; all conditions must hold.
#[derive(Debug, Clone, Default)]
pub struct UnitFilter {
    /// With this serial shipping container code.
    pub sscc: Option<Sscc>,
    /// Lying directly in this unit.
    pub inside: Option<SubjectId>,
    /// Held by this actor.
    pub holder: Option<SubjectId>,
    /// Owned by this actor.
    pub owner: Option<SubjectId>,
    /// Standing so.
    pub standing: Option<LotStanding>,
}

/// Which handovers; all conditions must hold.
#[derive(Debug, Clone, Default)]
pub struct TransferFilter {
    /// In this state.
    pub state: Option<TransferState>,
    /// With this actor on either side.
    pub party: Option<SubjectId>,
    /// Offered by this actor.
    pub offerer: Option<SubjectId>,
    /// Addressed to this actor.
    pub recipient: Option<SubjectId>,
    /// Of this lot, of a part taken from it, or of a part given back.
    pub lot: Option<SubjectId>,
}

/// Which actors; all conditions must hold.
#[derive(Debug, Clone, Default)]
pub struct ActorFilter {
    /// With this role.
    pub role: Option<Role>,
    /// Enrolled by this actor.
    pub enroller: Option<SubjectId>,
}

/// Which places; all conditions must hold.
#[derive(Debug, Clone, Default)]
pub struct PlaceFilter {
    /// Registered by this actor.
    pub registered_by: Option<SubjectId>,
    /// With this Global Location Number.
    pub gln: Option<Gln>,
}

/// Which certificates; all conditions must hold.
#[derive(Debug, Clone, Default)]
pub struct CertificateFilter {
    /// Of this scheme and number.
    pub number: Option<(String, String)>,
    /// Holding for this actor.
    pub operator: Option<SubjectId>,
    /// Issued by this actor.
    pub issuer: Option<SubjectId>,
}

/// Which recalls; all conditions must hold.
#[derive(Debug, Clone, Default)]
pub struct RecallFilter {
    /// Of this lot.
    pub lot: Option<SubjectId>,
    /// Issued by this actor.
    pub issuer: Option<SubjectId>,
    /// Standing, or ended.
    pub active: Option<bool>,
}

/// Reads the views. They follow the log within milliseconds; `Ledger::followed` waits for them.
#[derive(Debug, Clone)]
pub struct Views {
    reader: Reader,
}

impl Views {
    /// The views of the ledger with this reader.
    pub fn new(reader: Reader) -> Self {
        Self { reader }
    }

    /// A lot.
    pub fn produce(&self, id: &SubjectId) -> Result<Option<ProduceRow>, StoreError> {
        self.reader.store().get::<Produces>(id)
    }

    /// Lots, newest first.
    pub fn produces(
        &self,
        filter: &ProduceFilter,
        cursor: Option<Cursor>,
        size: PageSize,
    ) -> Result<Page<ProduceRow>, StoreError> {
        self.list::<Produces, ProducesBy>(&filter.facets(), cursor, size, ProduceRow::facets)
    }

    /// Lots whose id begins with these characters, at most two: enough to see that it is ambiguous.
    pub fn produces_by_prefix(&self, prefix: &str) -> Result<Vec<ProduceRow>, StoreError> {
        let padded = format!("{prefix:a<52}");
        let Ok(lowest) = padded.parse::<SubjectId>() else { return Ok(Vec::new()) };
        let mut found = Vec::new();
        for row in self.reader.store().scan::<Produces>(Range::all().from(&lowest)) {
            let (id, row) = row?;
            if !id.to_string().starts_with(prefix) || found.len() == 2 {
                break;
            }
            found.push(row);
        }
        Ok(found)
    }

    /// A logistic unit.
    pub fn unit(&self, id: &SubjectId) -> Result<Option<UnitRow>, StoreError> {
        self.reader.store().get::<Units>(id)
    }

    /// Logistic units, newest first.
    pub fn units(
        &self,
        filter: &UnitFilter,
        cursor: Option<Cursor>,
        size: PageSize,
    ) -> Result<Page<UnitRow>, StoreError> {
        self.list::<Units, UnitsBy>(&filter.facets(), cursor, size, UnitRow::facets)
    }

    /// The history of a lot: its events, those of the lots that it was a part of up to where it
    /// was taken from them, and those of the units in which it lay, meanwhile. The oldest lot comes first, within it
    /// the oldest event. Nothing for what is no lot.
    pub fn history(&self, lot: &SubjectId) -> Result<Option<Vec<HistoryEntry>>, StoreError> {
        match lineage::of_lot(&self.reader, lot)? {
            Some(lineage) => lineage::history_of(&self.reader, &lineage).map(Some),
            None => Ok(None),
        }
    }

    /// All events on the lanes of any subject, oldest first.
    pub fn events_about(&self, subject: &SubjectId) -> Result<Vec<HistoryEntry>, StoreError> {
        history::of_subject(&self.reader, subject)
    }

    /// A handover, by the id of its offer.
    pub fn transfer(&self, offer: &EventId) -> Result<Option<TransferRow>, StoreError> {
        self.reader.store().get::<Transfers>(offer)
    }

    /// Handovers, newest first.
    pub fn transfers(
        &self,
        filter: &TransferFilter,
        cursor: Option<Cursor>,
        size: PageSize,
    ) -> Result<Page<TransferRow>, StoreError> {
        self.list::<Transfers, TransfersBy>(&filter.facets(), cursor, size, TransferRow::facets)
    }

    /// An actor.
    pub fn actor(&self, id: &SubjectId) -> Result<Option<ActorRow>, StoreError> {
        self.reader.store().get::<Actors>(id)
    }

    /// The actors with this key: none, one, or several where a key was enrolled more than once.
    pub fn actors_by_key(&self, key: &PublicKey) -> Result<Vec<ActorRow>, StoreError> {
        let page = self.list::<Actors, ActorsBy>(&[Facet::Key(*key)], None, PageSize::default(), ActorRow::facets)?;
        Ok(page.rows)
    }

    /// Actors, the newest first, founders last.
    pub fn actors(
        &self,
        filter: &ActorFilter,
        cursor: Option<Cursor>,
        size: PageSize,
    ) -> Result<Page<ActorRow>, StoreError> {
        self.list::<Actors, ActorsBy>(&filter.facets(), cursor, size, ActorRow::facets)
    }

    /// A place.
    pub fn place(&self, id: &SubjectId) -> Result<Option<PlaceRow>, StoreError> {
        self.reader.store().get::<Places>(id)
    }

    /// Places, newest first.
    pub fn places(
        &self,
        filter: &PlaceFilter,
        cursor: Option<Cursor>,
        size: PageSize,
    ) -> Result<Page<PlaceRow>, StoreError> {
        self.list::<Places, PlacesBy>(&filter.facets(), cursor, size, PlaceRow::facets)
    }

    /// A certificate.
    pub fn certificate(&self, id: &SubjectId) -> Result<Option<CertificateRow>, StoreError> {
        self.reader.store().get::<Certificates>(id)
    }

    /// Certificates, newest first.
    pub fn certificates(
        &self,
        filter: &CertificateFilter,
        cursor: Option<Cursor>,
        size: PageSize,
    ) -> Result<Page<CertificateRow>, StoreError> {
        self.list::<Certificates, CertificatesBy>(&filter.facets(), cursor, size, CertificateRow::facets)
    }

    /// A recall, by the event that issued it.
    pub fn recall(&self, id: &EventId) -> Result<Option<RecallRow>, StoreError> {
        self.reader.store().get::<Recalls>(id)
    }

    /// Recalls, newest first.
    pub fn recalls(
        &self,
        filter: &RecallFilter,
        cursor: Option<Cursor>,
        size: PageSize,
    ) -> Result<Page<RecallRow>, StoreError> {
        self.list::<Recalls, RecallsBy>(&filter.facets(), cursor, size, RecallRow::facets)
    }

    /// The network as its amendments leave it.
    pub fn network(&self, network: &Network) -> Result<NetworkRow, StoreError> {
        NetworkRow::of(&self.reader, network)
    }

    /// Events signed with a key, newest first, beginning after the event `before`; void ones that
    /// its journal passes through are among them, without log index.
    pub fn signed_by(
        &self,
        key: &PublicKey,
        before: Option<EventId>,
        size: PageSize,
    ) -> Result<Vec<Stored>, StoreError> {
        let mut open: BTreeSet<(u64, EventId)> =
            self.reader.journal_heads(key)?.into_iter().map(|head| (head.height, head.event)).collect();
        let mut reached = before.is_none();
        // A journal with one head is a single line, which can be entered anywhere.
        if let (Some(before), 1) = (before, open.len()) {
            open = BTreeSet::from([(u64::MAX, before)]);
        }
        let mut found = Vec::new();
        for _ in 0..MAX_LINKS {
            let Some((_, id)) = open.pop_last().filter(|_| found.len() < size.rows()) else { break };
            let Some(stored) = self.reader.stored(&id)?.filter(|s| s.judged.event.key() == *key) else { continue };
            let link = stored.judged.event.payload().journal;
            open.insert((stored.judged.judgement.journal_height.saturating_sub(1), link));
            if reached {
                found.push(stored);
            }
            reached |= before == Some(id);
        }
        Ok(found)
    }

    /// A digest of every row of every view: the same on all nodes that hold the same events, whatever
    /// path these took. Reads all rows, so it is for comparing nodes, not for every request.
    pub fn digest(&self) -> Result<[u8; 32], StoreError> {
        let columns = ViewFollower::COLUMNS.iter();
        let digests = columns.map(|column| self.reader.store().digest(*column)).collect::<Result<Vec<_>, _>>()?;
        Ok(sha256(&digests.iter().map(<[u8; 32]>::as_slice).collect::<Vec<_>>()))
    }

    /// A lot or handover whose row, or places in lists, are not those that all events make, though everything was followed;
    /// nothing where all are. Makes each of them anew, so it is for tests.
    pub fn stray_row(&self) -> Result<Option<String>, StoreError> {
        let lot = |lot: &SubjectId| ProduceRow::of(&self.reader, lot);
        let handover = |offer: &EventId| TransferRow::of(&self.reader, offer);
        let stray = self.stray::<Produces, ProducesBy>(lot, |row| (row.facets(), row.created.ms()))?;
        match stray {
            Some(stray) => Ok(Some(stray)),
            None => self.stray::<Transfers, TransfersBy>(handover, |row| (row.facets(), row.offered.ms())),
        }
    }

    fn stray<T, L>(
        &self,
        of: impl Fn(&T::Key) -> Result<Option<T::Value>, StoreError>,
        place: impl Fn(&T::Value) -> (Vec<Facet>, u64),
    ) -> Result<Option<String>, StoreError>
    where
        T: Table<Key = L::Id, Value: PartialEq + Debug>,
        L: ListTable<Id: Debug>,
    {
        let mut places = BTreeSet::new();
        for row in self.reader.store().scan::<T>(Range::all()) {
            let (id, row) = row?;
            let made = of(&id)?;
            if made.as_ref() != Some(&row) {
                return Ok(Some(format!("{row:?} instead of {made:?}")));
            }
            let (facets, time) = place(&row);
            places.extend(facets.into_iter().map(|facet| (facet, time, id)));
        }
        let listed = self.reader.store().scan::<L>(Range::all()).map(|row| row.map(|(place, ())| place));
        let listed: BTreeSet<_> = listed.collect::<Result<_, _>>()?;
        let stray = listed.symmetric_difference(&places).next();
        Ok(stray.map(|place| format!("a place in a list: {place:?}")))
    }

    /// Rows that stand in all `facets`, of which the first is the list that is read.
    fn list<T, L>(
        &self,
        facets: &[Facet],
        cursor: Option<Cursor>,
        size: PageSize,
        of_row: impl Fn(&T::Value) -> Vec<Facet>,
    ) -> Result<Page<T::Value>, StoreError>
    where
        T: Table<Key = L::Id>,
        L: ListTable,
    {
        let (first, others) = facets.split_first().expect("a filter always names a list");
        let mut range = Range::prefix(first).backwards();
        if let Some(cursor) = cursor {
            range = range.before(&(first.clone(), cursor.time, cursor.id::<L::Id>()));
        }
        let mut page = Page { rows: Vec::new(), next: None };
        let mut last = None;
        for (scanned, row) in self.reader.store().scan::<L>(range).enumerate() {
            let ((_, time, id), ()) = row?;
            if page.rows.len() == size.rows() || scanned == MAX_SCANNED {
                page.next = last;
                break;
            }
            last = Some(Cursor::after(time, &id));
            // A row that goes while the list is read is left out.
            let Some(row) = self.reader.store().get::<T>(&id)? else { continue };
            let has = of_row(&row);
            if others.iter().all(|facet| has.contains(facet)) {
                page.rows.push(row);
            }
        }
        Ok(page)
    }
}

impl ProduceFilter {
    /// The facets that a row must have, the rarest first.
    fn facets(&self) -> Vec<Facet> {
        let mut facets = Vec::new();
        if let Some(gtin) = &self.gtin {
            let gtin = gtin.as_str().to_owned();
            facets.push(match &self.batch {
                Some(batch) => Facet::GtinLot(gtin, batch.clone()),
                None => Facet::Gtin(gtin),
            });
        }
        facets.extend(self.parent.map(Facet::Parent));
        facets.extend(self.inside.map(Facet::Inside));
        facets.extend(self.holder.map(Facet::Holder));
        facets.extend(self.owner.map(Facet::Owner));
        facets.extend(self.originator.map(Facet::Originator));
        facets.extend(self.commodity.as_ref().map(|c| Facet::Commodity(c.scheme.to_string(), c.code.to_string())));
        facets.extend(self.grade.as_ref().map(|g| Facet::Grade(g.scheme().to_owned(), g.value().to_owned())));
        facets.extend(self.standing.map(Facet::standing));
        facets.push(Facet::All());
        facets
    }
}

impl UnitFilter {
    fn facets(&self) -> Vec<Facet> {
        let mut facets = Vec::new();
        facets.extend(self.sscc.as_ref().map(|sscc| Facet::Sscc(sscc.as_str().to_owned())));
        facets.extend(self.inside.map(Facet::Inside));
        facets.extend(self.holder.map(Facet::Holder));
        facets.extend(self.owner.map(Facet::Owner));
        facets.extend(self.standing.map(Facet::standing));
        facets.push(Facet::All());
        facets
    }
}

impl TransferFilter {
    fn facets(&self) -> Vec<Facet> {
        let mut facets = Vec::new();
        facets.extend(self.lot.map(Facet::Lot));
        facets.extend(self.recipient.map(Facet::Recipient));
        facets.extend(self.offerer.map(Facet::Offerer));
        facets.extend(self.party.map(Facet::Party));
        facets.extend(self.state.map(Facet::state));
        facets.push(Facet::All());
        facets
    }
}

impl ActorFilter {
    fn facets(&self) -> Vec<Facet> {
        let mut facets = Vec::new();
        facets.extend(self.enroller.map(Facet::Enroller));
        facets.extend(self.role.map(Facet::role));
        facets.push(Facet::All());
        facets
    }
}

impl PlaceFilter {
    fn facets(&self) -> Vec<Facet> {
        let mut facets = Vec::new();
        facets.extend(self.gln.as_ref().map(|gln| Facet::Gln(gln.as_str().to_owned())));
        facets.extend(self.registered_by.map(Facet::RegisteredBy));
        facets.push(Facet::All());
        facets
    }
}

impl CertificateFilter {
    fn facets(&self) -> Vec<Facet> {
        let mut facets = Vec::new();
        facets.extend(self.number.clone().map(|(scheme, number)| Facet::Certificate(scheme, number)));
        facets.extend(self.operator.map(Facet::Operator));
        facets.extend(self.issuer.map(Facet::Issuer));
        facets.push(Facet::All());
        facets
    }
}

impl RecallFilter {
    fn facets(&self) -> Vec<Facet> {
        let mut facets = Vec::new();
        facets.extend(self.lot.map(Facet::Lot));
        facets.extend(self.issuer.map(Facet::Issuer));
        facets.extend(self.active.map(|active| Facet::Active(u8::from(active))));
        facets.push(Facet::All());
        facets
    }
}
