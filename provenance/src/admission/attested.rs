//! Rules of what devices, inspectors and laboratories attest of a subject: condition.measured and
//! produce.inspected.

use super::{Case, Outcome, Rule, authority};
use crate::body::{ConditionMeasured, ProduceInspected, Role};
use std::cmp::Ordering;

/// Analytes of one inspection: a page of a laboratory's report; a longer one is named by its hash.
const MAX_ANALYTES: usize = 32;

pub(super) fn measured(case: &Case<'_>, body: &ConditionMeasured) -> Result<Outcome, Rule> {
    if !case.authority.roles.contains(&Role::Device) {
        return Err(Rule::Role);
    }
    case.attests()?;
    if body.period.end < body.period.start {
        return Err(Rule::Period);
    }
    let mean = body.mean.as_ref().unwrap_or(&body.lowest);
    let ascend = [body.lowest.compare(mean), mean.compare(&body.highest)];
    if body.readings == 0 || ascend.iter().any(|order| order.is_none_or(Ordering::is_gt)) {
        return Err(Rule::Measures);
    }
    if let Some(place) = &body.place {
        authority::known_place(place, case.basis)?;
    }
    Ok(vec![Ok(None)])
}

pub(super) fn inspected(case: &Case<'_>, body: &ProduceInspected) -> Result<Outcome, Rule> {
    let roles = &case.authority.roles;
    if ![Role::Inspector, Role::Laboratory, Role::Authority].iter().any(|role| roles.contains(role)) {
        return Err(Rule::Role);
    }
    case.attests()?;
    if body.analytes.len() > MAX_ANALYTES {
        return Err(Rule::Lines);
    }
    if let Some(place) = &body.place {
        authority::known_place(place, case.basis)?;
    }
    Ok(vec![Ok(None)])
}
