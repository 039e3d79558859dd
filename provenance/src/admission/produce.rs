//! Rules of the kinds that tell of a lot: registered, collected, moved, handled, graded, priced, labelled, retired.

use super::touches::{LineTouches, line_touches};
use super::{Case, Outcome, Rule, authority};
use crate::body::{
    Codes, CodesAssigned, Delivery, ProduceCollected, ProduceHandled, ProduceMoved, ProduceRegistered, ProduceRetired,
    Role, TemperatureLimits,
};
use crate::custody::{Closed, Effect, LotState};
use crate::payload::Lane;
use crate::value::{Quantity, Text};
use std::cmp::Ordering;

/// Longest list of places or claims.
const MAX_LIST: usize = 16;

/// Deliveries of one lot: a morning at the collecting point, and what fits an event with all members in its basis.
const MAX_DELIVERIES: usize = 32;

/// Compares a draw with the balance, in net quantity and in packages. Packages can go uncounted from
/// a lot whose packages are counted, never the other way round. Parts come only from lots whose title is not
/// apart, and which are no logistic units.
pub(super) fn draw(lot: &LotState, quantity: &Quantity) -> Result<Ordering, Rule> {
    if quantity.is_zero() {
        return Err(Rule::ZeroQuantity);
    }
    let order = quantity.compare(&lot.balance).map_err(|_| Rule::Unit)?;
    let packages_fit = match (quantity.packages(), lot.balance.packages()) {
        (Some(draw), Some(balance)) if order == Ordering::Equal => draw == balance,
        (Some(draw), Some(balance)) => draw <= balance,
        (Some(_), None) => return Err(Rule::Packages),
        (None, _) => true,
    };
    if order == Ordering::Greater || !packages_fit {
        return Err(Rule::Balance);
    }
    match order {
        Ordering::Less if lot.divided => Err(Rule::Divided),
        Ordering::Less if lot.contents.is_some() => Err(Rule::Packed),
        order => Ok(order),
    }
}

/// Takes a quantity of the lot of a line out of the chain: a part of it, or all with its title.
pub(super) fn take_out(
    case: &Case<'_>,
    line: LineTouches,
    quantity: &Quantity,
    closed: Closed,
) -> Result<Vec<(Effect, LotState)>, Rule> {
    let (lot, title) = case.whole_lot(line)?;
    if lot.contents.is_some_and(|contents| contents > 0) {
        return Err(Rule::Packed);
    }
    if draw(lot, quantity)? == Ordering::Less {
        return Ok(vec![case.applied(lot, Effect::Draw(*quantity))?]);
    }
    let mut done = vec![case.applied(lot, Effect::Close(closed, *quantity))?];
    if let Some(title) = title {
        done.push(case.applied(title, Effect::Close(closed, title.balance))?);
    }
    Ok(done)
}

impl Case<'_> {
    /// The effect, and the lot after it; an error where the lot does not allow it.
    pub(super) fn applied(&self, lot: &LotState, effect: Effect) -> Result<(Effect, LotState), Rule> {
        let after = lot.apply(&effect, self.acting).map_err(|_| Rule::Balance)?;
        Ok((effect, after))
    }
}

pub(super) fn registered(case: &Case<'_>, body: &ProduceRegistered) -> Result<Outcome, Rule> {
    case.creates_one()?;
    let roles = case.authority.roles_of(&case.acting, case.basis);
    if !roles.contains(&Role::Farmer) && !roles.contains(&Role::Cooperative) {
        return Err(Rule::Role);
    }
    if body.quantity.is_zero() {
        return Err(Rule::ZeroQuantity);
    }
    check_lists(body)?;
    for place in &body.places {
        authority::known_place(place, case.basis)?;
    }
    Ok(vec![Ok(Some((Effect::Create, LotState::new(case.acting, body.quantity))))])
}

/// Lists are ascending and short.
pub(super) fn check_lists(body: &ProduceRegistered) -> Result<(), Rule> {
    ascending(&body.places, MAX_LIST)?;
    check_claims(body.claims.as_deref())
}

/// Claims are ascending and few.
pub(super) fn check_claims(claims: Option<&[Text<128>]>) -> Result<(), Rule> {
    ascending(claims.unwrap_or_default(), MAX_LIST)
}

/// A list is ascending, without repetition, and has at most `max` entries.
pub(super) fn ascending<T: Ord>(list: &[T], max: usize) -> Result<(), Rule> {
    if list.len() <= max && list.windows(2).all(|pair| pair[0] < pair[1]) { Ok(()) } else { Err(Rule::ListOrder) }
}

pub(super) fn collected(case: &Case<'_>, body: &ProduceCollected) -> Result<Outcome, Rule> {
    case.creates_one()?;
    if !case.authority.roles_of(&case.acting, case.basis).contains(&Role::Cooperative) {
        return Err(Rule::Role);
    }
    let sum = total(&body.deliveries).ok_or(Rule::Lines)?;
    if sum.compare(&body.quantity) != Ok(Ordering::Equal) {
        return Err(Rule::Lines);
    }
    check_claims(body.claims.as_deref())?;
    for delivery in &body.deliveries {
        case.authority.known_actor(&delivery.member, case.basis)?;
        if let Some(place) = &delivery.place {
            authority::known_place(place, case.basis)?;
        }
    }
    Ok(vec![Ok(Some((Effect::Create, LotState::new(case.acting, body.quantity))))])
}

/// What the deliveries make together; nothing where there are none or too many, or one of nothing.
fn total(deliveries: &[Delivery]) -> Option<Quantity> {
    let (first, rest) = deliveries.split_first()?;
    let all_there = deliveries.len() <= MAX_DELIVERIES && deliveries.iter().all(|each| !each.quantity.is_zero());
    let sum = || rest.iter().try_fold(first.quantity, |sum, each| sum.plus(&each.quantity)).ok();
    all_there.then(sum)?
}

pub(super) fn moved(case: &Case<'_>, body: &ProduceMoved) -> Result<Outcome, Rule> {
    authority::known_place(&body.place, case.basis)?;
    told(case)
}

pub(super) fn handled(case: &Case<'_>, body: &ProduceHandled) -> Result<Outcome, Rule> {
    check_handling(case, body)?;
    told(case)
}

/// The place is known, and the temperatures are the right way round.
pub(super) fn check_handling(case: &Case<'_>, body: &ProduceHandled) -> Result<(), Rule> {
    if let Some(place) = &body.place {
        authority::known_place(place, case.basis)?;
    }
    check_temperature(body.temperature)
}

/// Temperature limits are the right way round.
pub(super) fn check_temperature(limits: Option<TemperatureLimits>) -> Result<(), Rule> {
    let upside_down = limits.is_some_and(|limits| limits.min_centicelsius > limits.max_centicelsius);
    if upside_down { Err(Rule::Temperature) } else { Ok(()) }
}

pub(super) fn codes_assigned(case: &Case<'_>, body: &CodesAssigned) -> Result<Outcome, Rule> {
    check_codes(body)?;
    told(case)
}

/// There is at least one code.
pub(super) fn check_codes(body: &CodesAssigned) -> Result<(), Rule> {
    if body.codes == Codes::default() { Err(Rule::Empty) } else { Ok(()) }
}

/// Something is told of a lot by its holder, and nothing changes.
pub(super) fn told(case: &Case<'_>) -> Result<Outcome, Rule> {
    case.only_touch()?;
    Ok(vec![Ok(Some(case.applied(case.held_lot(0)?, Effect::Tell)?))])
}

/// Prices are told by the owner.
pub(super) fn priced(case: &Case<'_>) -> Result<Outcome, Rule> {
    let lot = match case.only_touch()?.lane {
        Lane::Title => case.owned_lot(0)?,
        _ => case.held_lot(0)?,
    };
    if lot.divided {
        return Err(Rule::Divided);
    }
    Ok(vec![Ok(Some(case.applied(lot, Effect::Tell)?))])
}

pub(super) fn retired(case: &Case<'_>, body: &ProduceRetired) -> Result<Outcome, Rule> {
    let payload = case.event.payload();
    let lines = line_touches(payload, payload.touches[0].subject, false).ok_or(Rule::Touches)?;
    let [line] = lines.as_slice() else { return Err(Rule::Touches) };
    if line.len() != payload.touches.len() {
        return Err(Rule::Touches);
    }
    let done = take_out(case, *line, &body.quantity, Closed::Retired)?;
    Ok(done.into_iter().map(|done| Ok(Some(done))).collect())
}
