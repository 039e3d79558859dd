//! Rules of place.registered and place.updated.

use super::{Ancestry, Case, Outcome, Rule, Stop, authority};
use crate::body::{PlaceRegistered, PlaceUpdated};
use crate::id::SubjectId;
use crate::seal::Sealable;
use crate::value::{Coordinates, Text};

pub(super) fn registered(case: &Case<'_>, body: &PlaceRegistered) -> Result<Outcome, Rule> {
    case.creates_one()?;
    check_values(body)?;
    known_parent(case, body.parent.as_ref())?;
    Ok(vec![Ok(None)])
}

pub(super) fn updated<A: Ancestry>(
    case: &Case<'_>,
    body: &PlaceUpdated,
    ancestry: &A,
) -> Result<Outcome, Stop<A::Error>> {
    let place = authority::known_place(&case.only_main()?, case.basis)?;
    if !authority::is_at_or_above(&case.authority.actor, &place.judged, ancestry).map_err(Stop::Read)? {
        return Err(Rule::NotAbove.into());
    }
    if *body == PlaceUpdated::default() {
        return Err(Rule::Empty.into());
    }
    check_points(body.point.as_ref(), body.exact_point.as_ref())?;
    check_country(body.country.as_ref())?;
    known_parent(case, body.parent.as_ref())?;
    Ok(vec![Ok(None)])
}

/// Only the rounded point stands open; a country is a code.
pub(super) fn check_values(body: &PlaceRegistered) -> Result<(), Rule> {
    check_points(body.point.as_ref(), body.exact_point.as_ref())?;
    check_country(body.country.as_ref())
}

fn check_points(point: Option<&Coordinates>, exact: Option<&Sealable<Coordinates>>) -> Result<(), Rule> {
    // An exact point that stands open would expose what the 0.01° of the other protects.
    let exposed = point.is_some_and(|point| !point.is_open()) || exact.is_some_and(|exact| exact.open().is_some());
    if exposed { Err(Rule::OpenPoint) } else { Ok(()) }
}

fn check_country(country: Option<&Text<2>>) -> Result<(), Rule> {
    let is_code = |text: &str| text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_uppercase());
    if country.is_none_or(|country| is_code(country.as_str())) { Ok(()) } else { Err(Rule::Country) }
}

fn known_parent(case: &Case<'_>, parent: Option<&SubjectId>) -> Result<(), Rule> {
    parent.map_or(Ok(()), |parent| authority::known_place(parent, case.basis).map(|_| ()))
}
