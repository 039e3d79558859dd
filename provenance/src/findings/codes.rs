//! Trade item numbers that belong to somebody else.

use super::facts::{Events, Told};
use super::{Finding, FindingKind};
use crate::body::{Body, Codes};
use crate::id::{EventId, SubjectId};
use crate::value::{Gs1Prefix, Gtin};
use std::collections::{BTreeMap, BTreeSet};

pub(super) fn findings(events: &Events<'_>) -> Vec<Finding> {
    let companies = Companies::of(events);
    let mut found = Vec::new();
    for (id, told) in events.counting() {
        let judgement = &told.judged.judgement;
        let (prefixes, proof) = companies.prefixes(&[judgement.actor, judgement.acting]);
        // Who names no prefix at all says nothing that a code could contradict.
        let foreign =
            |gtin: &Gtin| !prefixes.is_empty() && has_prefix(gtin) && !prefixes.iter().any(|p| begins(gtin, p));
        if codes(&told.body).any(|codes| codes.gtin.as_ref().is_some_and(foreign)) {
            found.push(Finding::new(FindingKind::ForeignCodes, events.lot, proof.into_iter().chain([id])));
        }
    }
    found
}

fn codes(body: &Body) -> impl Iterator<Item = &Codes> {
    let (one, outputs) = match body {
        Body::ProduceRegistered(body) => (body.codes.as_ref(), [].as_slice()),
        Body::ProduceCollected(body) => (body.codes.as_ref(), [].as_slice()),
        Body::ProduceCodesAssigned(body) => (Some(&body.codes), [].as_slice()),
        Body::ProduceTransformed(body) => (None, body.outputs.as_slice()),
        _ => (None, [].as_slice()),
    };
    one.into_iter().chain(outputs.iter().filter_map(|output| output.codes.as_ref()))
}

/// A GTIN-8 has no company prefix in it: of its 14 digits the first six are zero.
fn has_prefix(gtin: &Gtin) -> bool {
    !gtin.as_str().starts_with("000000")
}

/// The prefix stands behind the indicator digit (GS1 General Specifications, section 2.1). One that was given for
/// U.P.C. may be written without the zero with which it begins there.
fn begins(gtin: &Gtin, prefix: &Gs1Prefix) -> bool {
    let digits = gtin.as_str();
    let upc = digits.get(1..).and_then(|rest| rest.strip_prefix('0'));
    digits[1..].starts_with(prefix.as_str()) || upc.is_some_and(|rest| rest.starts_with(prefix.as_str()))
}

/// Who named which prefixes, and by whom each was enrolled: members use the numbers of their cooperative.
struct Companies<'a> {
    named: BTreeMap<SubjectId, Vec<(EventId, &'a Gs1Prefix)>>,
    enrollers: BTreeMap<SubjectId, SubjectId>,
}

impl<'a> Companies<'a> {
    fn of(events: &Events<'a>) -> Self {
        let mut companies = Self { named: BTreeMap::new(), enrollers: BTreeMap::new() };
        for (id, told) in events.all_counting() {
            companies.add(id, told);
        }
        companies
    }

    fn add(&mut self, id: EventId, told: &'a Told) {
        let Some(actor) = told.judged.event.subject(0) else { return };
        let prefixes = match &told.body {
            Body::ActorEnrolled(body) => {
                self.enrollers.insert(actor, told.judged.judgement.acting);
                &body.gs1_prefixes
            }
            Body::ActorUpdated(body) => &body.gs1_prefixes,
            _ => return,
        };
        self.named.entry(actor).or_default().extend(prefixes.iter().flatten().map(|prefix| (id, prefix)));
    }

    /// All prefixes that these actors, or those who enrolled them, ever named, and where.
    fn prefixes(&self, actors: &[SubjectId]) -> (Vec<&'a Gs1Prefix>, BTreeSet<EventId>) {
        let enrollers = actors.iter().filter_map(|actor| self.enrollers.get(actor));
        let whose: BTreeSet<&SubjectId> = actors.iter().chain(enrollers).collect();
        let named = whose.into_iter().filter_map(|actor| self.named.get(actor)).flatten();
        named.map(|(id, prefix)| (*prefix, *id)).unzip()
    }
}
