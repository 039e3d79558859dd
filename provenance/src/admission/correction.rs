//! Rules of event.corrected.

use super::{Ancestry, Case, Outcome, Rule, Stop, authority, place, produce};
use crate::body::{Body, EventCorrected};
use crate::id::SubjectId;
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
    let corrected = body.apply(&target.event.payload().body).map_err(|_| Rule::Correction)?;
    check_values(case, body, &target.event.payload().body, &corrected)?;
    Ok(vec![Ok(None)])
}

/// The corrected event must keep the rules of its kind that concern what is told. What is named anew
/// must stand in the basis of the correction; what stays was judged with the target.
fn check_values(case: &Case<'_>, correction: &EventCorrected, target: &Body, corrected: &Body) -> Result<(), Rule> {
    let anew = |field: u8| correction.replacement.contains_key(&field);
    let place_known = |place: &SubjectId| authority::known_place(place, case.basis).map(|_| ());
    match corrected {
        Body::PlaceRegistered(body) => place::check_values(body),
        Body::ProduceRegistered(body) => {
            if body.quantity.is_zero() {
                return Err(Rule::ZeroQuantity);
            }
            // Who took some of it over counts in the unit in which it was registered.
            if matches!(target, Body::ProduceRegistered(target) if target.quantity.unit() != body.quantity.unit()) {
                return Err(Rule::Unit);
            }
            produce::check_lists(body)?;
            if anew(4) { body.places.iter().try_for_each(place_known) } else { Ok(()) }
        }
        Body::ProduceCollected(body) => produce::check_claims(body.claims.as_deref()),
        Body::ProduceMoved(body) => place_known(&body.place),
        Body::ProduceHandled(body) => produce::check_handling(case, body),
        Body::ProduceCodesAssigned(body) => produce::check_codes(body),
        Body::TransferOffered(body) => {
            produce::check_temperature(body.temperature)?;
            let carrier = body.carrier.iter().filter(|_| anew(4));
            carrier.into_iter().try_for_each(|carrier| case.authority.known_actor(carrier, case.basis))?;
            let from = body.from_place.iter().filter(|_| anew(5));
            let to = body.to_place.iter().filter(|_| anew(6));
            from.chain(to).try_for_each(place_known)
        }
        _ => Ok(()),
    }
}
