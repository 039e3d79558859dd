//! Rules of place.registered.

use super::{Case, Outcome, Rule, authority};
use crate::body::PlaceRegistered;

pub(super) fn registered(case: &Case<'_>, body: &PlaceRegistered) -> Result<Outcome, Rule> {
    case.creates_one()?;
    check_values(body)?;
    if let Some(parent) = &body.parent {
        authority::known_place(parent, case.basis)?;
    }
    Ok(vec![Ok(None)])
}

/// Only the rounded point stands open; a country is a code.
pub(super) fn check_values(body: &PlaceRegistered) -> Result<(), Rule> {
    if body.point.is_some_and(|point| !point.is_open()) {
        return Err(Rule::OpenPoint);
    }
    // An exact point that stands open would expose what the 0.01° of the other protects.
    if body.exact_point.as_ref().is_some_and(|point| point.open().is_some()) {
        return Err(Rule::OpenPoint);
    }
    let is_code = |text: &str| text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_uppercase());
    if body.country.as_ref().is_some_and(|country| !is_code(country.as_str())) {
        return Err(Rule::Country);
    }
    Ok(())
}
