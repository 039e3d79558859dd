//! Findings: facts about a history that a reader should know, each with the events that show it.

use super::moments::Moments;
use super::{Scope, openings};
use crate::admission::Judged;
use crate::body::Body;
use crate::bundle::Bundle;
use crate::findings::{accepted_after_expiry, earlier_than, on_one_link};
use crate::history::History;
use crate::id::{EventId, SubjectId};
use crate::seal::read_sealed;
use serde::Serialize;
use std::collections::BTreeSet;

/// How much later than the block that anchors it an event may be signed, by its own clock, before
/// somebody's clock is worth a remark.
const CLOCK_TOLERANCE_MS: u64 = 60_000;

/// What is to be known. In the order of their names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FindingKind {
    /// An offer was accepted after it had expired.
    AcceptedAfterExpiry,
    /// Events of a lot that cannot all stand.
    Conflict,
    /// An event was corrected later.
    Corrected,
    /// One key signed two events on one link of its journal.
    JournalFork,
    /// The history of this lot, from which others were taken, is not shown whole.
    LeftOut,
    /// An opened value that does not have the form of its field.
    MalformedOpening,
    /// Somebody with a right to has warned of this lot or unit, and not ended the warning.
    Recalled,
    /// An event was signed earlier than one that it extends.
    TimeBackwards,
    /// An event was signed, by its own clock, before the block after which it was made.
    TimeBeforeAfter,
    /// An event was signed, by its own clock, after the block that anchors it.
    TimePastAnchor,
    /// Events of a subject that do not count there: the key's journal ended before, or a decision overrules them.
    Uncounted,
}

/// A finding.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Finding {
    /// What it is.
    pub finding: FindingKind,
    /// Whom it concerns.
    pub subject: Option<SubjectId>,
    /// What shows it; ascending.
    pub events: Vec<EventId>,
}

/// All findings, in their order.
pub(super) fn of(bundle: &Bundle, history: &History, scope: &Scope, moments: &[Moments]) -> Vec<Finding> {
    let mut found = Found(Vec::new());
    for subject in &scope.whole {
        if let Some(counted) = history.lot(subject).filter(|counted| !counted.in_conflict.is_empty()) {
            found.add(FindingKind::Conflict, Some(*subject), counted.in_conflict);
        }
    }
    for subject in &scope.whole {
        let uncounted: Vec<EventId> = history.uncounted(subject);
        if !uncounted.is_empty() {
            found.add(FindingKind::Uncounted, Some(*subject), uncounted);
        }
    }
    for (subject, recall) in recalls(history, &scope.whole) {
        found.add(FindingKind::Recalled, Some(subject), [recall]);
    }
    for lot in &scope.left_out {
        found.add(FindingKind::LeftOut, Some(*lot), []);
    }
    for (judged, moments) in history.events().iter().zip(moments) {
        times(&mut found, history, judged, moments);
        answers(&mut found, history, judged);
    }
    for (signer, events) in on_one_link(history.events().iter().map(|judged| &**judged)) {
        found.add(FindingKind::JournalFork, Some(signer), events);
    }
    for opened in &bundle.openings {
        let judged = history.get(&opened.event);
        let field = judged.and_then(|judged| openings::field(history, judged, &opened.path));
        let form_holds = field.is_some_and(|(kind, path)| read_sealed(kind, path, &opened.value).is_some());
        if !form_holds {
            found.add(FindingKind::MalformedOpening, None, [opened.event]);
        }
    }
    let mut findings = found.0;
    findings.sort_unstable();
    findings.dedup();
    findings
}

struct Found(Vec<Finding>);

impl Found {
    fn add(&mut self, finding: FindingKind, subject: Option<SubjectId>, events: impl IntoIterator<Item = EventId>) {
        let mut events: Vec<EventId> = events.into_iter().collect();
        events.sort_unstable();
        self.0.push(Finding { finding, subject, events });
    }
}

/// The recalls that stand, with each of these subjects that they warn of.
fn recalls(history: &History, whole: &BTreeSet<SubjectId>) -> BTreeSet<(SubjectId, EventId)> {
    let mut standing = BTreeSet::new();
    let mut ended = BTreeSet::new();
    for judged in history.events() {
        let (recall, of) = match &judged.event.payload().body {
            Body::RecallIssued(_) => (judged.event.id(), &mut standing),
            Body::RecallEnded(body) => (body.recall, &mut ended),
            _ => continue,
        };
        let seen = history.look(&judged.event.id()).expect("it is an event of this history");
        let subjects = (0..judged.event.payload().touches.len()).filter(|at| seen.counts(*at));
        let subjects = subjects.filter_map(|at| judged.event.subject(at));
        of.extend(subjects.filter(|subject| whole.contains(subject)).map(|subject| (subject, recall)));
    }
    &standing - &ended
}

fn times(found: &mut Found, history: &History, judged: &Judged, moments: &Moments) {
    let (id, payload) = (judged.event.id(), judged.event.payload());
    for prev in earlier_than(payload, |id| history.get(id).map(|judged| judged.event.payload())) {
        found.add(FindingKind::TimeBackwards, None, [id, prev]);
    }
    let signed_ms = payload.time.ms();
    if moments.after.is_some_and(|block| signed_ms < block.timestamp_s.saturating_mul(1000)) {
        found.add(FindingKind::TimeBeforeAfter, None, [id]);
    }
    let past = |timestamp_s: u64| signed_ms > timestamp_s.saturating_mul(1000).saturating_add(CLOCK_TOLERANCE_MS);
    if moments.before.is_some_and(|block| past(block.timestamp_s)) {
        found.add(FindingKind::TimePastAnchor, None, [id]);
    }
}

fn answers(found: &mut Found, history: &History, judged: &Judged) {
    let (id, payload) = (judged.event.id(), judged.event.payload());
    if let Body::EventCorrected(correction) = &payload.body {
        found.add(FindingKind::Corrected, None, [id, correction.target]);
    }
    if let Some(offer) = accepted_after_expiry(payload, |id| history.get(id).map(|judged| judged.event.payload())) {
        found.add(FindingKind::AcceptedAfterExpiry, None, [id, offer]);
    }
}
