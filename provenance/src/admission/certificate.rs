//! Rules of certificate.issued and certificate.status.

use super::produce::ascending;
use super::{Ancestry, Case, Outcome, Rule, Stop, authority};
use crate::body::{Body, CertificateIssued, Role};

/// Most operators, places and commodities of one certificate.
const MAX_LIST: usize = 16;

pub(super) fn issued(case: &Case<'_>, body: &CertificateIssued) -> Result<Outcome, Rule> {
    case.creates_one()?;
    if !case.authority.roles.contains(&Role::Certifier) {
        return Err(Rule::Role);
    }
    let places = body.places.as_deref().unwrap_or_default();
    if body.operators.is_empty() {
        return Err(Rule::ListOrder);
    }
    ascending(&body.operators, MAX_LIST)?;
    ascending(places, MAX_LIST)?;
    ascending(body.commodities.as_deref().unwrap_or_default(), MAX_LIST)?;
    if body.volume_cap.is_some_and(|cap| cap.is_zero()) {
        return Err(Rule::ZeroQuantity);
    }
    for operator in &body.operators {
        case.authority.known_actor(operator, case.basis)?;
    }
    for place in places {
        authority::known_place(place, case.basis)?;
    }
    Ok(vec![Ok(None)])
}

pub(super) fn status<A: Ancestry>(case: &Case<'_>, ancestry: &A) -> Result<Outcome, Stop<A::Error>> {
    let certificate = case.only_main()?;
    let issued = authority::known_subject(&certificate, case.basis)?;
    if !matches!(issued.payload().body, Body::CertificateIssued(_)) {
        return Err(Rule::UnknownSubject.into());
    }
    if !authority::is_at_or_above(&case.authority.actor, &issued.judged, ancestry).map_err(Stop::Read)? {
        return Err(Rule::NotAbove.into());
    }
    Ok(vec![Ok(None)])
}
