//! Claims of certificates: beyond their days, while suspended, of others, beyond their volume.

use super::facts::{Events, Told};
use super::mass::total;
use super::{Finding, FindingKind};
use crate::body::{Body, CertificateIssued, CertificateState};
use crate::id::{EventId, SubjectId};
use crate::value::{Quantity, Text};
use std::cmp::Ordering;
use std::collections::BTreeSet;

const DAY_MS: i64 = 24 * 60 * 60 * 1000;
/// A day begins first where clocks are 14 hours ahead of UTC …
const EARLIEST_MS: i64 = 14 * 60 * 60 * 1000;
/// … and ends last where they are 12 hours behind.
const LATEST_MS: i64 = 12 * 60 * 60 * 1000;

/// A certificate, as the events that count show it.
struct Certificate<'a> {
    id: SubjectId,
    event: EventId,
    body: &'a CertificateIssued,
    /// Since when it stands how, by which event; in the order of time.
    states: Vec<(u64, u64, EventId, CertificateState)>,
}

/// A lot that came into being.
struct Registration<'a> {
    event: EventId,
    time_ms: u64,
    by: [SubjectId; 2],
    quantity: &'a Quantity,
    claims: &'a [Text<128>],
}

/// What a claim can say to name a certificate: its id, its scheme and number with a blank between, or its number.
pub fn claim_texts(certificate: &SubjectId, body: &CertificateIssued) -> [String; 3] {
    [certificate.to_string(), format!("{} {}", body.scheme, body.number), body.number.to_string()]
}

pub(super) fn findings(events: &Events<'_>) -> Vec<Finding> {
    let certificates = certificates(events);
    let registrations: Vec<Registration<'_>> =
        events.all_counting().filter_map(|(id, told)| registration(id, told)).collect();
    let own: BTreeSet<EventId> = events.counting().map(|(id, _)| id).collect();
    let mut found = Vec::new();
    let mut claimed = BTreeSet::new();
    for registration in registrations.iter().filter(|one| own.contains(&one.event)) {
        for certificate in registration.claims.iter().flat_map(|claim| meant(&certificates, claim, registration)) {
            claimed.insert(certificate.id);
            found.extend(certificate.against(registration));
        }
    }
    for certificate in certificates.iter().filter(|certificate| claimed.contains(&certificate.id)) {
        let claiming = registrations.iter().filter(|one| one.claims.iter().any(|claim| certificate.is_named(claim)));
        found.extend(
            certificate
                .exceeded(claiming)
                .map(|proof| Finding::new(FindingKind::VolumeCapExceeded, certificate.id, proof)),
        );
    }
    found
}

/// The certificates that a claim can mean. Anybody may issue one under a number that is taken: where one of several
/// covers who registered the lot, that one is meant.
fn meant<'a>(
    certificates: &'a [Certificate<'a>],
    claim: &'a Text<128>,
    registration: &'a Registration<'a>,
) -> impl Iterator<Item = &'a Certificate<'a>> {
    let named = move || certificates.iter().filter(move |certificate| certificate.is_named(claim));
    let is_covered = named().any(|certificate| certificate.covers(registration));
    named().filter(move |certificate| !is_covered || certificate.covers(registration))
}

fn certificates<'a>(events: &Events<'a>) -> Vec<Certificate<'a>> {
    let issued = events.all_counting().filter_map(|(event, told)| match &told.body {
        Body::CertificateIssued(body) => Some((told.judged.event.subject(0)?, event, body)),
        _ => None,
    });
    let states = |certificate: SubjectId| {
        let mut states: Vec<_> = events
            .all_counting()
            .filter_map(|(event, told)| match &told.body {
                Body::CertificateStatus(body) if told.judged.event.subject(0) == Some(certificate) => {
                    Some((body.from.ms(), told.signed().ms(), event, body.state))
                }
                _ => None,
            })
            .collect();
        states.sort_unstable_by_key(|(from, signed, event, _)| (*from, *signed, *event));
        states
    };
    issued.map(|(id, event, body)| Certificate { id, event, body, states: states(id) }).collect()
}

fn registration(event: EventId, told: &Told) -> Option<Registration<'_>> {
    // What is made of certified goods was counted when those were registered.
    let (quantity, claims) = match &told.body {
        Body::ProduceRegistered(body) => (&body.quantity, &body.claims),
        Body::ProduceCollected(body) => (&body.quantity, &body.claims),
        _ => return None,
    };
    let claims = claims.as_deref().unwrap_or_default();
    let judgement = &told.judged.judgement;
    Some(Registration { event, time_ms: told.signed().ms(), by: [judgement.actor, judgement.acting], quantity, claims })
}

impl Certificate<'_> {
    fn is_named(&self, claim: &Text<128>) -> bool {
        claim_texts(&self.id, self.body).iter().any(|text| text == claim.as_str())
    }

    /// Whether it was issued to who registered this.
    fn covers(&self, registration: &Registration<'_>) -> bool {
        registration.by.iter().any(|actor| self.body.operators.contains(actor))
    }

    /// What is wrong with one claim.
    fn against(&self, registration: &Registration<'_>) -> Vec<Finding> {
        let mut found = Vec::new();
        let mut add = |kind, event| {
            found.push(Finding::new(kind, self.id, [self.event, registration.event].into_iter().chain(event)));
        };
        if !self.holds_at(registration.time_ms) {
            add(FindingKind::CertificateOutOfDate, None);
        }
        let last = self.states.iter().rfind(|(from, ..)| *from <= registration.time_ms);
        if let Some((_, _, event, CertificateState::Suspended | CertificateState::Withdrawn)) = last {
            add(FindingKind::CertificateSuspended, Some(*event));
        }
        if !self.covers(registration) {
            add(FindingKind::CertificateOfOthers, None);
        }
        found
    }

    /// Whether it is one of its days anywhere on Earth.
    fn holds_at(&self, time_ms: u64) -> bool {
        let valid = self.body.valid;
        let begins = i64::from(valid.first().days()) * DAY_MS - EARLIEST_MS;
        let ends = (i64::from(valid.last().days()) + 1) * DAY_MS + LATEST_MS;
        i64::try_from(time_ms).is_ok_and(|time| (begins..ends).contains(&time))
    }

    /// The registrations that together are more than it allows, and the certificate. Only its operators can use it up.
    fn exceeded<'r>(&self, claiming: impl Iterator<Item = &'r Registration<'r>>) -> Option<Vec<EventId>> {
        let cap = self.body.volume_cap.as_ref()?;
        let within: Vec<(EventId, &Quantity)> = claiming
            .filter(|registration| self.covers(registration) && self.holds_at(registration.time_ms))
            .map(|registration| (registration.event, registration.quantity))
            .filter(|(_, quantity)| quantity.unit() == cap.unit())
            .collect();
        let sum = total(within.iter().map(|(_, quantity)| *quantity))?;
        let exceeds = sum.compare(cap) == Ok(Ordering::Greater);
        exceeds.then(|| within.into_iter().map(|(event, _)| event).chain([self.event]).collect())
    }
}
