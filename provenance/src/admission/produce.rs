//! Rules of the kinds that tell of a lot: registered, moved, graded, priced, retired.

use super::{Case, Outcome, Rule, authority};
use crate::body::{ProduceMoved, ProduceRegistered, ProduceRetired, Role};
use crate::custody::{Closed, Effect, LotState};
use crate::payload::Lane;
use crate::value::Quantity;
use std::cmp::Ordering;

/// Longest list of places or claims.
const MAX_LIST: usize = 16;

impl Case<'_> {
    /// Demands that the event creates exactly one subject and touches nothing else.
    pub(super) fn creates_one(&self) -> Result<(), Rule> {
        match self.event.payload().touches.as_slice() {
            [touch] if touch.subject.is_none() => Ok(()),
            _ => Err(Rule::Touches),
        }
    }

    /// The lot of touch `index`, which the acting actor holds and nobody else waits for.
    pub(super) fn held_lot(&self, index: usize) -> Result<&LotState, Rule> {
        let lot = self.lot(index)?;
        if lot.closed.is_some() {
            return Err(Rule::LotClosed);
        }
        if lot.holder != self.acting {
            return Err(Rule::NotHolder);
        }
        if lot.open.is_some() {
            return Err(Rule::OfferOpen);
        }
        Ok(lot)
    }

    /// The lot of touch `index`, on its main lane.
    pub(super) fn lot(&self, index: usize) -> Result<&LotState, Rule> {
        let touch = self.event.payload().touches.get(index).ok_or(Rule::Touches)?;
        if touch.lane != Lane::Main {
            return Err(Rule::Touches);
        }
        self.before[index].as_ref().map_err(|rule| *rule)?.as_ref().ok_or(Rule::Touches)
    }

    fn only_lot(&self) -> Result<&LotState, Rule> {
        if self.before.len() == 1 { self.held_lot(0) } else { Err(Rule::Touches) }
    }
}

/// Compares a draw with the balance, in net quantity and in packages. Packages can go uncounted from
/// a lot whose packages are counted, never the other way round.
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
    if order == Ordering::Greater || !packages_fit { Err(Rule::Balance) } else { Ok(order) }
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
    let claims = body.claims.as_deref().unwrap_or_default();
    let ordered =
        body.places.windows(2).all(|pair| pair[0] < pair[1]) && claims.windows(2).all(|pair| pair[0] < pair[1]);
    if !ordered || body.places.len() > MAX_LIST || claims.len() > MAX_LIST {
        return Err(Rule::ListOrder);
    }
    Ok(())
}

pub(super) fn moved(case: &Case<'_>, body: &ProduceMoved) -> Result<Outcome, Rule> {
    authority::known_place(&body.place, case.basis)?;
    told(case)
}

pub(super) fn told(case: &Case<'_>) -> Result<Outcome, Rule> {
    let lot = case.only_lot()?;
    Ok(vec![Ok(Some((Effect::Tell, lot.clone())))])
}

pub(super) fn retired(case: &Case<'_>, body: &ProduceRetired) -> Result<Outcome, Rule> {
    let lot = case.only_lot()?;
    let effect = match draw(lot, &body.quantity)? {
        Ordering::Less => Effect::Draw(body.quantity),
        _ => Effect::Close(Closed::Retired, body.quantity),
    };
    let after = lot.apply(&effect, case.acting).map_err(|_| Rule::Balance)?;
    Ok(vec![Ok(Some((effect, after)))])
}
