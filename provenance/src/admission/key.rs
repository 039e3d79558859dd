//! Rules of the kinds that change an actor's keys.

use super::{Ancestry, Case, Outcome, Rule, Stop, authority, cut};
use crate::body::{ActorRevoked, Cut, KeyAdded, KeyReplaced, KeyRotated};
use crate::id::{PublicKey, SubjectId};
use crate::payload::Lane;
use crate::signature::verify_detached;

pub(super) fn added(case: &Case<'_>, body: &KeyAdded) -> Result<Outcome, Rule> {
    let actor = own_lane(case)?;
    let signed = body.countersigned_bytes(&case.event.payload().network, &actor);
    countersigned(case, &body.key, &signed, &body.countersignature)?;
    Ok(vec![Ok(None)])
}

pub(super) fn rotated(case: &Case<'_>, body: &KeyRotated) -> Result<Outcome, Rule> {
    let actor = own_lane(case)?;
    let signed = body.countersigned_bytes(&case.event.payload().network, &actor);
    countersigned(case, &body.key, &signed, &body.countersignature)?;
    Ok(vec![Ok(None)])
}

pub(super) fn replaced<A: Ancestry>(
    case: &Case<'_>,
    body: &KeyReplaced,
    ancestry: &A,
) -> Result<Outcome, Stop<A::Error>> {
    let actor = lower_lane(case, ancestry)?;
    let signed = body.countersigned_bytes(&case.event.payload().network, &actor);
    countersigned(case, &body.key, &signed, &body.countersignature)?;
    ends(&actor, &body.cuts, ancestry)
}

pub(super) fn revoked<A: Ancestry>(
    case: &Case<'_>,
    body: &ActorRevoked,
    ancestry: &A,
) -> Result<Outcome, Stop<A::Error>> {
    let actor = lower_lane(case, ancestry)?;
    ends(&actor, &body.cuts, ancestry)
}

fn ends<A: Ancestry>(actor: &SubjectId, cuts: &[Cut], ancestry: &A) -> Result<Outcome, Stop<A::Error>> {
    cut::of_actor(cuts, actor, ancestry)?;
    Ok(vec![Ok(None)])
}

/// The signer's own lane; its keys are its own to change, unless it is a founder.
fn own_lane(case: &Case<'_>) -> Result<SubjectId, Rule> {
    let actor = case.authority.actor;
    match case.event.payload().touches.as_slice() {
        [touch] if touch.lane == Lane::Main && touch.subject == Some(actor) => {}
        _ => return Err(Rule::OwnLane),
    }
    if case.authority.is_founder { Err(Rule::FounderKey) } else { Ok(actor) }
}

/// The lane of an actor below the signer.
fn lower_lane<A: Ancestry>(case: &Case<'_>, ancestry: &A) -> Result<SubjectId, Stop<A::Error>> {
    let [touch] = case.event.payload().touches.as_slice() else { return Err(Rule::Touches.into()) };
    let (Some(actor), Lane::Main) = (touch.subject, touch.lane) else { return Err(Rule::Touches.into()) };
    let enrolment = authority::enrolment_of(&actor, case.basis).ok_or(Rule::UnknownActor)?;
    let above = authority::is_at_or_above(&case.authority.actor, &enrolment.judged, ancestry).map_err(Stop::Read)?;
    if above { Ok(actor) } else { Err(Rule::NotAbove.into()) }
}

/// The new key is another one, and its holder consents.
fn countersigned(case: &Case<'_>, key: &PublicKey, signed: &[u8], signature: &[u8; 64]) -> Result<(), Rule> {
    if *key == case.event.key() {
        return Err(Rule::OwnKey);
    }
    verify_detached(key, signed, signature).map_err(|_| Rule::Countersignature)
}
