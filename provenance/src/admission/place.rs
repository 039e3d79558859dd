//! Rules of place.registered.

use super::{Case, Outcome, Rule, authority};
use crate::body::PlaceRegistered;

pub(super) fn registered(case: &Case<'_>, body: &PlaceRegistered) -> Result<Outcome, Rule> {
    case.creates_one()?;
    if body.point.is_some_and(|point| !point.is_open()) {
        return Err(Rule::OpenPoint);
    }
    // An exact point that stands open would expose what the 0.01° of the other protects.
    if body.exact_point.as_ref().is_some_and(|point| point.open().is_some()) {
        return Err(Rule::OpenPoint);
    }
    if let Some(parent) = &body.parent {
        authority::known_place(parent, case.basis)?;
    }
    Ok(vec![None])
}
