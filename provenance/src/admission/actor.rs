//! Rules of actor.enrolled and actor.updated.

use super::{Case, Outcome, Rule};
use crate::body::{ActorEnrolled, ActorUpdated, Role};
use crate::payload::Lane;
use crate::signature::verify_detached;
use crate::value::Gs1Prefix;

/// Longest list of company prefixes.
const MAX_PREFIXES: usize = 16;

pub(super) fn enrolled(case: &Case<'_>, body: &ActorEnrolled) -> Result<Outcome, Rule> {
    case.creates_one()?;
    let given = &case.authority.may_give;
    let ascending = |roles: &[Role]| roles.windows(2).all(|pair| pair[0] < pair[1]);
    let subset = |roles: &[Role]| roles.iter().all(|role| given.contains(role));
    let roles_fit = !body.roles.is_empty() && ascending(&body.roles) && subset(&body.roles);
    if !roles_fit || !ascending(&body.may_give) || !subset(&body.may_give) {
        return Err(Rule::RolesGiven);
    }
    if body.roles.contains(&Role::Node) != body.node.is_some() {
        return Err(Rule::NodeDetails);
    }
    prefixes(body.gs1_prefixes.as_deref())?;
    // Its journal would go on with the old actor, so the new one could never act.
    if body.key == case.event.key() {
        return Err(Rule::OwnKey);
    }
    let signed = body.countersigned_bytes(&case.event.payload().network, &case.authority.actor);
    verify_detached(&body.key, &signed, &body.countersignature).map_err(|_| Rule::Countersignature)?;
    Ok(vec![Ok(None)])
}

pub(super) fn updated(case: &Case<'_>, body: &ActorUpdated) -> Result<Outcome, Rule> {
    let [touch] = case.event.payload().touches.as_slice() else { return Err(Rule::Touches) };
    if touch.subject != Some(case.authority.actor) || touch.lane != Lane::Main {
        return Err(Rule::OwnLane);
    }
    let ActorUpdated { display_name, gln, gs1_prefixes, node } = body;
    if display_name.is_none() && gln.is_none() && gs1_prefixes.is_none() && node.is_none() {
        return Err(Rule::Empty);
    }
    if node.is_some() && !case.authority.roles.contains(&Role::Node) {
        return Err(Rule::NodeDetails);
    }
    prefixes(gs1_prefixes.as_deref())?;
    Ok(vec![Ok(None)])
}

fn prefixes(list: Option<&[Gs1Prefix]>) -> Result<(), Rule> {
    let list = list.unwrap_or_default();
    let good = list.len() <= MAX_PREFIXES && list.windows(2).all(|pair| pair[0] < pair[1]);
    if good { Ok(()) } else { Err(Rule::ListOrder) }
}
