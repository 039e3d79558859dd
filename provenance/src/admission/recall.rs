//! Rules of recall.issued, recall.updated and recall.ended.

use super::{Ancestry, Case, Outcome, Rule, Seen, Stop, authority};
use crate::body::{Body, RecallUpdated, Role};
use crate::id::{EventId, SubjectId};
use crate::payload::Lane;

/// Most lots of one recall; what comes of them downstream is found by tracing.
const MAX_LOTS: usize = 32;

/// Each lot is a line of its own.
pub(super) fn issued(case: &Case<'_>) -> Result<Outcome, Rule> {
    let lots = attested(case).filter(|lots| lots.len() <= MAX_LOTS).ok_or(Rule::Touches)?;
    let known = |lot: &SubjectId| authority::known_subject(lot, case.basis).map(|_| ());
    if case.admitted.is_none() {
        // That all are known is looked at before who may warn of them.
        lots.iter().try_for_each(known)?;
    }
    let is_authority = case.authority.roles.contains(&Role::Authority);
    let mut outcome = Vec::with_capacity(lots.len());
    for lot in &lots {
        let party = || if is_authority || has_held(case, lot) { Ok(None) } else { Err(Rule::NotParty) };
        outcome.push(known(lot).and_then(|()| party()));
    }
    admitted_whole(case, outcome)
}

pub(super) fn updated<A: Ancestry>(
    case: &Case<'_>,
    body: &RecallUpdated,
    ancestry: &A,
) -> Result<Outcome, Stop<A::Error>> {
    let outcome = of_recall(case, &body.recall, ancestry)?;
    let RecallUpdated { recall: _, level, hazard, scope, action, contact } = body;
    let texts = [hazard, scope, contact];
    if level.is_none() && action.is_none() && texts.iter().all(|text| text.is_none()) {
        return Err(Rule::Empty.into());
    }
    Ok(outcome)
}

pub(super) fn ended<A: Ancestry>(case: &Case<'_>, recall: &EventId, ancestry: &A) -> Result<Outcome, Stop<A::Error>> {
    of_recall(case, recall, ancestry)
}

/// The event concerns a recall of the signer, or of somebody above whom it stands, and touches all its lots.
fn of_recall<A: Ancestry>(case: &Case<'_>, recall: &EventId, ancestry: &A) -> Result<Outcome, Stop<A::Error>> {
    let issued = ancestry.seen(recall).map_err(Stop::Read)?.ok_or(Rule::Recall)?;
    if !matches!(issued.payload().body, Body::RecallIssued(_)) {
        return Err(Rule::Recall.into());
    }
    let lots = attested(case).ok_or(Rule::Touches)?;
    if !lots.iter().copied().map(Some).eq(issued.payload().touches.iter().map(|touch| touch.subject)) {
        return Err(Rule::Touches.into());
    }
    if !authority::is_at_or_above(&case.authority.actor, &issued.judged, ancestry).map_err(Stop::Read)? {
        return Err(Rule::NotAbove.into());
    }
    let touches = 0..lots.len();
    Ok(touches.map(|touch| if issued.counts(touch) { Ok(None) } else { Err(Rule::Recall) }).collect())
}

/// The subjects of all touches, if these are of lanes of the signer as an attester.
fn attested(case: &Case<'_>) -> Option<Vec<SubjectId>> {
    let lane = Lane::Attester(case.authority.actor);
    let touches = case.event.payload().touches.iter();
    touches.map(|touch| touch.subject.filter(|_| touch.lane == lane)).collect()
}

/// Whether the basis shows that the signer once held the lot.
fn has_held(case: &Case<'_>, lot: &SubjectId) -> bool {
    let holds_after = |seen: &Seen| {
        let touch = seen.lane_index(lot, Lane::Main).filter(|touch| seen.counts(*touch))?;
        Some(seen.lot(touch)?.holder == case.authority.actor)
    };
    case.basis.iter().any(|seen| holds_after(seen) == Some(true))
}

/// Admission takes all touches or none.
fn admitted_whole(case: &Case<'_>, outcome: Outcome) -> Result<Outcome, Rule> {
    match outcome.iter().find_map(|done| done.as_ref().err()) {
        Some(rule) if case.admitted.is_none() => Err(*rule),
        _ => Ok(outcome),
    }
}
