//! Rules of dispute.resolved: who decides, and about what.

use super::{Ancestry, Case, Judged, Outcome, Rule, Stop, authority, statement};
use crate::body::{Body, DisputeResolved};
use crate::custody::Effect;
use crate::id::{EventId, SubjectId};
use crate::payload::Lane;
use std::collections::HashSet;
use std::sync::Arc;

/// Most branches of one decision: as many tips as one touch can join.
const MAX_BRANCHES: usize = 16;

pub(super) fn resolved<A: Ancestry>(
    case: &Case<'_>,
    body: &DisputeResolved,
    ancestry: &A,
) -> Result<Outcome, Stop<A::Error>> {
    let [touch] = case.event.payload().touches.as_slice() else { return Err(Rule::Touches.into()) };
    let (Some(lot), true) = (touch.subject, touch.lane == Lane::Attester(case.authority.actor)) else {
        return Err(Rule::Touches.into());
    };
    let branches = branches(&lot, &body.branches, &body.stands, ancestry)?;
    if resolver(&branches, ancestry).map_err(Stop::Read)? != Some(case.authority.actor) {
        return Err(Rule::NotResolver.into());
    }
    if let Some(replaced) = &body.replaces {
        let replaced = ancestry.judged(replaced).map_err(Stop::Read)?;
        let decides = |judged: &Arc<Judged>| {
            matches!(judged.event.payload().body, Body::DisputeResolved(_)) && judged.event.subject(0) == Some(lot)
        };
        replaced.filter(decides).ok_or(Rule::Decision)?;
    }
    Ok(vec![Ok(None)])
}

/// The branches of a decision over a lot: events that change who holds, or owns, how much of it.
pub(super) fn branches<A: Ancestry>(
    lot: &SubjectId,
    branches: &[EventId],
    stands: &[EventId],
    ancestry: &A,
) -> Result<Vec<Arc<Judged>>, Stop<A::Error>> {
    let ascending = |ids: &[EventId]| ids.windows(2).all(|pair| pair[0] < pair[1]);
    let in_order = ascending(branches) && ascending(stands) && (2..=MAX_BRANCHES).contains(&branches.len());
    if !in_order || stands.len() >= branches.len() || !stands.iter().all(|id| branches.contains(id)) {
        return Err(Rule::Decision.into());
    }
    let mut found = Vec::with_capacity(branches.len());
    for id in branches {
        let judged = ancestry.judged(id).map_err(Stop::Read)?.ok_or(Rule::Decision)?;
        let changes = |lane| {
            let effect = judged.lane_index(lot, lane).and_then(|at| judged.judgement.lines[at].effect.as_ref());
            effect.is_some_and(|effect| !matches!(effect, Effect::Create | Effect::Tell))
        };
        if !changes(Lane::Main) && !changes(Lane::Title) {
            return Err(Rule::Decision.into());
        }
        found.push(judged);
    }
    Ok(found)
}

/// Who decides between these events: the nearest actor above all their signers that is party to none of them.
pub fn resolver<A: Ancestry>(branches: &[Arc<Judged>], ancestry: &A) -> Result<Option<SubjectId>, A::Error> {
    let mut candidates: Option<Vec<SubjectId>> = None;
    for branch in branches {
        let above = authority::above(branch, ancestry)?;
        candidates = Some(match candidates {
            None => above,
            Some(candidates) => candidates.into_iter().filter(|actor| above.contains(actor)).collect(),
        });
    }
    let mut parties = HashSet::new();
    for branch in branches {
        parties.extend(statement::parties(branch, ancestry)?);
    }
    Ok(candidates.unwrap_or_default().into_iter().find(|actor| !parties.contains(actor)))
}
