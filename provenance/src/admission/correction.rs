//! Rules of event.corrected.

use super::{Ancestry, Case, Outcome, Rule, Stop, authority};
use crate::body::EventCorrected;
use crate::payload::Lane;

pub(super) fn corrected<A: Ancestry>(
    case: &Case<'_>,
    body: &EventCorrected,
    ancestry: &A,
) -> Result<Outcome, Stop<A::Error>> {
    let target = ancestry.judged(&body.target).map_err(Stop::Read)?.ok_or(Rule::Correction)?;
    let [touch] = case.event.payload().touches.as_slice() else { return Err(Rule::Touches.into()) };
    if touch.lane != Lane::Attester(case.authority.actor) || touch.subject != target.event.subject(0) {
        return Err(Rule::Touches.into());
    }
    if !authority::is_at_or_above(&case.authority.actor, &target, ancestry).map_err(Stop::Read)? {
        return Err(Rule::NotAbove.into());
    }
    if body.replacement.is_empty() {
        return Err(Rule::Empty.into());
    }
    body.apply(&target.event.payload().body).map_err(|_| Rule::Correction)?;
    Ok(vec![None])
}
