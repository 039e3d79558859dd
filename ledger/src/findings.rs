//! Gathers what findings about a lot are made from ([`provenance::findings`]).

use crate::forks::rivals;
use crate::reader::Reader;
use crate::trace::{Bounds, Claims, Direction, Lineage};
use crate::view::{Capacity, HistoryEntry, PageSize, ProduceRow, RecallFilter, RecallRow, Views, of_subject};
use provenance::admission::Ancestry;
use provenance::body::Body;
use provenance::findings::{Agreement, Facts, Finding, Told, claim_texts, of};
use provenance::id::{EventId, PublicKey, SubjectId};
use provenance::value::Text;
use std::collections::{BTreeMap, BTreeSet};
use store::{Range, StoreError};

/// Subjects around a lot that are looked at: places, units, signers. A lot that names more was made to cost.
const MAX_AROUND: usize = 256;

/// Events that are read of one of them, oldest first.
const MAX_EVENTS: usize = 1_024;

/// Recalls of one lot that are told, those of the highest capacity first; and how many are looked through for them.
const MAX_RECALLS: usize = 16;
const MAX_RECALLS_READ: usize = 10_000;

/// Certificates that one claim can mean: more under one number were issued to confuse.
const MAX_MEANT: usize = 8;

/// Registrations that are added up under a certificate. Beyond, the sum is a lower bound, and the finding still true.
const MAX_CLAIMING: usize = 1_024;

/// How far back a lot is traced to what it came from: whoever looks further asks for its trace.
const SOURCES: Bounds = Bounds { depth: 64, lots: 1_024 };

/// All findings about a lot.
pub fn of_lot(reader: &Reader, row: &ProduceRow, history: &[HistoryEntry]) -> Result<Vec<Finding>, StoreError> {
    facts(reader, row, history).map(|facts| of(&facts))
}

/// What findings about a lot rest on.
pub fn facts(reader: &Reader, row: &ProduceRow, history: &[HistoryEntry]) -> Result<Facts, StoreError> {
    let agreement = Agreement {
        disputed: row.is_disputed(),
        in_conflict: row.in_conflict.iter().copied().collect(),
        beside: row.beside.iter().copied().collect(),
    };
    let mut around = Vec::new();
    let mut wanted = Wanted::default();
    for entry in history {
        wanted.by(entry);
    }
    for place in wanted.places.iter().take(MAX_AROUND) {
        about(reader, place, &mut around, |body| matches!(body, Body::PlaceRegistered(_) | Body::PlaceUpdated(_)))?;
    }
    for unit in wanted.units.iter().take(MAX_AROUND) {
        about(reader, unit, &mut around, |body| matches!(body, Body::ConditionMeasured(_)))?;
    }
    signers(reader, &wanted.actors, &mut around)?;
    for claim in &wanted.claims {
        certificates(reader, claim, &mut around)?;
    }
    let sources = sources(reader, row)?;
    for subject in sources.iter().chain([&row.id]) {
        recalls(reader, subject, &mut around)?;
    }
    for (key, links) in wanted.links.iter().take(MAX_AROUND) {
        // They show the fork and nothing else.
        let rivals = rivals(reader, key, links.iter())?.into_iter();
        around.extend(rivals.map(|stored| Told { counts: false, ..Told::plain(stored.judged) }));
    }
    Ok(Facts { lot: row.id, sources, agreement, history: history.iter().map(told).collect(), around })
}

fn told(entry: &HistoryEntry) -> Told {
    Told {
        judged: entry.stored.judged.clone(),
        body: entry.body().clone(),
        corrections: entry.corrections.clone(),
        counts: entry.counts,
    }
}

/// What a history names.
#[derive(Default)]
struct Wanted {
    places: BTreeSet<SubjectId>,
    units: BTreeSet<SubjectId>,
    actors: BTreeSet<SubjectId>,
    /// By key, the links of its journal on which the history stands.
    links: BTreeMap<PublicKey, BTreeSet<EventId>>,
    claims: BTreeSet<String>,
}

impl Wanted {
    fn by(&mut self, entry: &HistoryEntry) {
        let judged = &entry.stored.judged;
        self.links.entry(judged.event.key()).or_default().insert(judged.event.payload().journal);
        self.actors.extend([judged.judgement.actor, judged.judgement.acting]);
        let texts =
            |claims: &Option<Vec<Text<128>>>| claims.iter().flatten().map(ToString::to_string).collect::<Vec<_>>();
        match entry.body() {
            Body::ProduceRegistered(body) => {
                self.places.extend(&body.places);
                self.claims.extend(texts(&body.claims));
            }
            Body::ProduceCollected(body) => self.claims.extend(texts(&body.claims)),
            Body::ProduceMoved(body) => drop(self.places.insert(body.place)),
            Body::ProduceHandled(body) => self.places.extend(body.place),
            Body::ProduceTransformed(body) => self.places.extend(body.place),
            Body::UnitUnpacked(body) => self.places.extend(body.place),
            Body::ConditionMeasured(body) => self.places.extend(body.place),
            Body::TransferOffered(body) => self.places.extend(body.from_place.iter().chain(&body.to_place)),
            Body::UnitPacked(body) => {
                self.places.extend(body.place);
                self.units.extend(judged.event.subject(0));
            }
            _ => {}
        }
    }
}

/// The lots and units from which a lot came, and the unit in which it lies, with those in which that one lies.
fn sources(reader: &Reader, row: &ProduceRow) -> Result<BTreeSet<SubjectId>, StoreError> {
    let trace = Lineage::new(reader.clone()).trace(&[row.id], Direction::Upstream, SOURCES)?;
    let mut sources: BTreeSet<SubjectId> = trace.reached.into_iter().map(|reached| reached.subject).collect();
    let views = Views::new(reader.clone());
    let mut around = row.inside;
    while let Some(unit) = around.filter(|_| sources.len() < SOURCES.lots) {
        around = if sources.insert(unit) { views.unit(&unit)?.and_then(|row| row.inside) } else { None };
    }
    sources.remove(&row.id);
    Ok(sources)
}

/// Adds the recalls of a lot or unit that stand: those of authorities first, those of former holders last, however many
/// somebody issues and ends.
fn recalls(reader: &Reader, subject: &SubjectId, around: &mut Vec<Told>) -> Result<(), StoreError> {
    let views = Views::new(reader.clone());
    let filter = RecallFilter { lot: Some(*subject), active: Some(true), ..RecallFilter::default() };
    let (mut standing, mut read, mut cursor) = (Vec::new(), 0, None);
    loop {
        let page = views.recalls(&filter, cursor, PageSize::new(PageSize::MAX))?;
        read += page.rows.len();
        let capacity = |row: &RecallRow| {
            let lot = row.lots.iter().find(|recalled| recalled.lot == *subject);
            lot.map_or(Capacity::PastHolder, |lot| lot.capacity)
        };
        standing.extend(page.rows.iter().map(|row| (capacity(row), row.issued, row.id)));
        standing.sort_unstable();
        standing.truncate(MAX_RECALLS);
        cursor = page.next;
        if cursor.is_none() || read >= MAX_RECALLS_READ {
            break;
        }
    }
    for (_, _, id) in standing {
        around.extend(reader.stored(&id)?.map(|stored| Told::plain(stored.judged)));
    }
    Ok(())
}

/// Adds what counts of a subject's events, where it is of the kinds that are asked for.
fn about(
    reader: &Reader,
    subject: &SubjectId,
    around: &mut Vec<Told>,
    is_wanted: impl Fn(&Body) -> bool,
) -> Result<(), StoreError> {
    for entry in of_subject(reader, subject)?.iter().filter(|entry| is_wanted(entry.body())).take(MAX_EVENTS) {
        let counts = reader.seen(&entry.id())?.is_some_and(|seen| seen.counts_at_all());
        around.push(Told { counts, ..told(entry) });
    }
    Ok(())
}

/// Those who signed, and those who enrolled them.
fn signers(reader: &Reader, actors: &BTreeSet<SubjectId>, around: &mut Vec<Told>) -> Result<(), StoreError> {
    let mut all: BTreeSet<SubjectId> = actors.iter().copied().take(MAX_AROUND).collect();
    for actor in actors.iter().take(MAX_AROUND) {
        let Some((enrolment, _)) = reader.origin(actor)? else { continue };
        all.extend(reader.stored(&enrolment)?.map(|stored| stored.judged.judgement.acting));
    }
    for actor in &all {
        about(reader, actor, around, |body| matches!(body, Body::ActorEnrolled(_) | Body::ActorUpdated(_)))?;
    }
    Ok(())
}

/// The certificates that a claim can mean, and where they have a cap, what else was registered under them.
fn certificates(reader: &Reader, claim: &str, around: &mut Vec<Told>) -> Result<(), StoreError> {
    let meant = reader.store().scan::<Claims>(Range::prefix(&(claim.to_owned(), Claims::CERTIFICATE)));
    for row in meant.take(MAX_MEANT) {
        let ((_, _, certificate, issued), ()) = row?;
        about(reader, &certificate, around, |body| {
            matches!(body, Body::CertificateIssued(_) | Body::CertificateStatus(_))
        })?;
        let Some(issued) = reader.stored(&issued)? else { continue };
        let Body::CertificateIssued(body) = &issued.judged.event.payload().body else { continue };
        if body.volume_cap.is_none() {
            continue;
        }
        for text in claim_texts(&certificate, body) {
            let lots = reader.store().scan::<Claims>(Range::prefix(&(text, Claims::LOT)));
            for row in lots.take(MAX_CLAIMING) {
                let ((_, _, lot, registration), ()) = row?;
                let entries = of_subject(reader, &lot)?;
                let Some(entry) = entries.iter().find(|entry| entry.id() == registration) else { continue };
                let counts = reader.seen(&registration)?.is_some_and(|seen| seen.counts_at_all());
                around.push(Told { counts, ..told(entry) });
            }
        }
    }
    Ok(())
}
