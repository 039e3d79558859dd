//! Rules of device.attached and device.detached.

use super::{Ancestry, Case, Outcome, Rule, Stop, authority};
use crate::body::{DeviceAttached, DeviceDetached, Role};
use crate::id::SubjectId;

pub(super) fn attached<A: Ancestry>(
    case: &Case<'_>,
    body: &DeviceAttached,
    ancestry: &A,
) -> Result<Outcome, Stop<A::Error>> {
    answers_for_device(case, &body.to, ancestry)?;
    if body.until.is_some_and(|until| until < body.from) {
        return Err(Rule::Period.into());
    }
    Ok(vec![Ok(None)])
}

pub(super) fn detached<A: Ancestry>(
    case: &Case<'_>,
    body: &DeviceDetached,
    ancestry: &A,
) -> Result<Outcome, Stop<A::Error>> {
    answers_for_device(case, &body.from, ancestry)?;
    Ok(vec![Ok(None)])
}

/// The event touches a device for which the signer answers, and tells of a subject that the basis knows.
fn answers_for_device<A: Ancestry>(case: &Case<'_>, subject: &SubjectId, ancestry: &A) -> Result<(), Stop<A::Error>> {
    let device = case.only_main()?;
    let enrolled = authority::enrolment_of(&device, case.basis).ok_or(Rule::UnknownActor)?;
    if !case.authority.roles_of(&device, case.basis).contains(&Role::Device) {
        return Err(Rule::Role.into());
    }
    let signer = &case.authority.actor;
    if *signer != device && !authority::is_at_or_above(signer, &enrolled.judged, ancestry).map_err(Stop::Read)? {
        return Err(Rule::NotAbove.into());
    }
    authority::named_subject(subject, case.basis)?;
    Ok(())
}
