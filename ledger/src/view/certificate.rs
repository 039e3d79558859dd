//! The view of a certificate: for whom and what it holds, and how it stands at a time.

use super::facet::Facet;
use super::history;
use crate::reader::Reader;
use minicbor::{Decode, Encode};
use provenance::body::{Body, CertificateState, Commodity, Document};
use provenance::id::{EventId, SubjectId};
use provenance::payload::Lane;
use provenance::value::{DateRange, Quantity, Text, Timestamp};
use store::{Cbor, Column, StoreError, Table};

/// A day in milliseconds.
const DAY_MS: i64 = 86_400_000;

/// How a certificate stands at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CertificateStanding {
    /// Its first day has not come.
    NotYetValid,
    /// It holds.
    Valid,
    /// For the time being it does not hold.
    Suspended,
    /// It holds no more.
    Withdrawn,
    /// Its last day is over.
    Expired,
}

/// A change of how a certificate stands.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize)]
#[cbor(array)]
pub struct CertificateStep {
    /// The event that tells so.
    #[n(0)]
    pub event: EventId,
    /// Who signed it.
    #[n(1)]
    pub signer: SubjectId,
    /// How it stands.
    #[n(2)]
    pub state: CertificateState,
    /// Since when.
    #[n(3)]
    pub from: Timestamp,
    /// Why.
    #[n(4)]
    pub reason: Option<Text<512>>,
}

/// A certificate as all events that count together show it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize)]
#[cbor(array)]
pub struct CertificateRow {
    /// The certificate.
    #[n(0)]
    pub id: SubjectId,
    /// The event that issued it.
    #[n(1)]
    pub event: EventId,
    /// Who issued it.
    #[n(2)]
    pub issuer: SubjectId,
    /// When that was signed.
    #[n(3)]
    pub issued: Timestamp,
    /// The scheme.
    #[n(4)]
    pub scheme: Text<64>,
    /// Its number.
    #[n(5)]
    pub number: Text<64>,
    /// For whom it holds.
    #[n(6)]
    pub operators: Vec<SubjectId>,
    /// For which places; for all where there are none.
    #[n(7)]
    pub places: Vec<SubjectId>,
    /// For which commodities; for all where there are none.
    #[n(8)]
    pub commodities: Vec<Commodity>,
    /// On which days it holds.
    #[n(9)]
    pub valid: DateRange,
    /// How much may be sold under it.
    #[n(10)]
    pub volume_cap: Option<Quantity>,
    /// The certificate itself, by hash.
    #[n(11)]
    pub document: Option<Document>,
    /// How it came to stand otherwise, in the order from which that holds.
    #[n(12)]
    pub steps: Vec<CertificateStep>,
}

/// [`Column::Certificates`].
#[derive(Debug)]
pub(crate) struct Certificates;

impl Table for Certificates {
    const COLUMN: Column = Column::Certificates;
    type Key = SubjectId;
    type Value = CertificateRow;
    type Encoding = Cbor;
}

impl CertificateRow {
    /// How it stands at a time. Days are those of UTC.
    pub fn standing(&self, at: Timestamp) -> CertificateStanding {
        let day = i64::try_from(at.ms()).unwrap_or(i64::MAX) / DAY_MS;
        // A withdrawal is for good, whatever its days were.
        let reached = self.steps.iter().rfind(|step| step.from <= at);
        match reached.map(|step| step.state) {
            Some(CertificateState::Withdrawn) => CertificateStanding::Withdrawn,
            _ if day < i64::from(self.valid.first().days()) => CertificateStanding::NotYetValid,
            _ if day > i64::from(self.valid.last().days()) => CertificateStanding::Expired,
            Some(CertificateState::Suspended) => CertificateStanding::Suspended,
            Some(CertificateState::Reinstated) | None => CertificateStanding::Valid,
        }
    }

    /// Every list in which the row stands.
    pub(crate) fn facets(&self) -> Vec<Facet> {
        let (scheme, number) = (self.scheme.to_string(), self.number.to_string());
        let mut facets = vec![Facet::All(), Facet::Certificate(scheme, number), Facet::Issuer(self.issuer)];
        facets.extend(self.operators.iter().map(|operator| Facet::Operator(*operator)));
        facets
    }

    /// The row of a certificate, from all events that count; nothing if there is no such certificate.
    pub(crate) fn of(reader: &Reader, certificate: &SubjectId) -> Result<Option<Self>, StoreError> {
        let Some((event, _)) = reader.origin(certificate)? else { return Ok(None) };
        let Some(stored) = reader.stored(&event)? else { return Ok(None) };
        if !reader.creates(&event, certificate)? {
            return Ok(None);
        }
        let Body::CertificateIssued(body) = stored.judged.event.payload().body.clone() else { return Ok(None) };
        let mut steps = Vec::new();
        for entry in history::of_subject(reader, certificate)?.iter().filter(|entry| entry.counts) {
            if entry.lane == Lane::Main
                && let Body::CertificateStatus(body) = entry.body()
            {
                let (event, signer) = (entry.id(), entry.stored.judged.judgement.actor);
                let (state, from, reason) = (body.state, body.from, body.reason.clone());
                steps.push(CertificateStep { event, signer, state, from, reason });
            }
        }
        // Of two that hold from the same moment the later in the history goes last.
        steps.sort_by_key(|step| step.from);
        Ok(Some(Self {
            id: *certificate,
            event,
            issuer: stored.judged.judgement.acting,
            issued: stored.judged.event.payload().time,
            scheme: body.scheme,
            number: body.number,
            operators: body.operators,
            places: body.places.unwrap_or_default(),
            commodities: body.commodities.unwrap_or_default(),
            valid: body.valid,
            volume_cap: body.volume_cap,
            document: body.document,
            steps,
        }))
    }
}
