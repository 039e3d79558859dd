//! Rules of the handover: offered, accepted, declined, cancelled.

use super::lines::{LineDone, Lines};
use super::produce::draw;
use super::{Case, Judged, Outcome, Rule, authority};
use crate::body::{AcceptedLine, Body, Recipient, TemperatureLimits, TransferAccepted, TransferOffered};
use crate::custody::{Closed, Effect, LotState, OpenOffer};
use crate::id::SubjectId;
use crate::payload::Payload;
use crate::value::Quantity;
use std::cmp::Ordering;

/// Lines of an offer: half of the touches, so that each can be rejected in part.
const MAX_LINES: usize = Payload::MAX_TOUCHES / 2;

pub(super) fn offered(case: &Case<'_>, body: &TransferOffered, returns: Option<&Judged>) -> Result<Outcome, Rule> {
    if body.lines.is_empty() || body.lines.len() > MAX_LINES {
        return Err(Rule::Lines);
    }
    check_values(body)?;
    if returns.is_some_and(|earlier| !matches!(earlier.event.payload().body, Body::TransferOffered(_))) {
        return Err(Rule::NotAnOffer);
    }
    let to = recipient(case, body)?;
    for place in body.from_place.iter().chain(&body.to_place) {
        authority::known_place(place, case.basis)?;
    }
    if let Some(carrier) = &body.carrier {
        case.authority.known_actor(carrier, case.basis)?;
    }
    names_then_creates(case, body.lines.iter().map(|line| line.lot))?;
    let open = to.map(|to| OpenOffer { offer: case.event.id(), to });
    let mut lines = Lines::new(case);
    for line in &body.lines {
        let touch = lines.next();
        lines.push(1, case.drew(touch), offered_line(case, touch, &line.quantity, open));
    }
    lines.finish()
}

/// What is offered of one lot: a part of it, or all.
fn offered_line(
    case: &Case<'_>,
    touch: usize,
    quantity: &Quantity,
    open: Option<OpenOffer>,
) -> Result<LineDone, Rule> {
    let lot = case.held_lot(touch)?;
    let (effect, part) = match (draw(lot, quantity)?, open) {
        (Ordering::Less, open) => {
            let part = LotState { open, ..LotState::new(case.acting, *quantity) };
            (Effect::Draw(*quantity), Some(if open.is_some() { part } else { handed_out(&part) }))
        }
        (_, Some(open)) => (Effect::Offer(open, *quantity), None),
        (_, None) => (Effect::Close(Closed::HandedOut, *quantity), None),
    };
    let after = lot.apply(&effect, case.acting).map_err(|_| Rule::Balance)?;
    Ok(LineDone { named: vec![(effect, after)], part })
}

/// Temperature limits are the right way round.
pub(super) fn check_values(body: &TransferOffered) -> Result<(), Rule> {
    let upside_down = |limits: TemperatureLimits| limits.min_centicelsius > limits.max_centicelsius;
    if body.temperature.is_some_and(upside_down) { Err(Rule::Temperature) } else { Ok(()) }
}

pub(super) fn accepted(case: &Case<'_>, body: &TransferAccepted, offer: &Judged) -> Result<Outcome, Rule> {
    if Some(case.acting) != addressee(offer) {
        return Err(Rule::NotAddressee);
    }
    let items = offered_items(offer).ok_or(Rule::NotAnOffer)?;
    if body.lines.len() != items.len() {
        return Err(Rule::Lines);
    }
    names_then_creates(case, items.iter().map(|item| item.item))?;
    let mut lines = Lines::new(case);
    for (line, item) in body.lines.iter().zip(&items) {
        let touch = lines.next();
        lines.push(1, case.admitted.map(|_| is_split(line)), accepted_line(case, touch, line, item, offer));
    }
    lines.finish()
}

fn accepted_line(
    case: &Case<'_>,
    touch: usize,
    line: &AcceptedLine,
    item: &OfferedItem,
    offer: &Judged,
) -> Result<LineDone, Rule> {
    let lot = awaiting(case, touch, offer)?;
    let (effect, given_back) = answer(line, &item.quantity, offer)?;
    let after = lot.apply(&effect, case.acting).map_err(|_| Rule::NoOpenOffer)?;
    let part = given_back.map(|quantity| LotState::new(offer.judgement.acting, quantity));
    Ok(LineDone { named: vec![(effect, after)], part })
}

/// Whether a line was received in part and rejected in part.
fn is_split(line: &AcceptedLine) -> bool {
    !line.received.is_zero() && line.rejected.is_some_and(|rejected| !rejected.is_zero())
}

pub(super) fn declined(case: &Case<'_>, offer: &Judged) -> Result<Outcome, Rule> {
    if Some(case.acting) != addressee(offer) {
        return Err(Rule::NotAddressee);
    }
    given_back(case, offer)
}

pub(super) fn cancelled(case: &Case<'_>, offer: &Judged) -> Result<Outcome, Rule> {
    if addressee(offer).is_none() || case.acting != offer.judgement.acting {
        return Err(Rule::NotOfferer);
    }
    given_back(case, offer)
}

/// A lot or part-lot that an offer puts at the addressee's disposal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfferedItem {
    /// The lot that was named.
    pub lot: SubjectId,
    /// What the addressee gets: the same, or the part-lot that was minted from it.
    pub item: SubjectId,
    /// How much.
    pub quantity: Quantity,
}

/// What an admitted offer offers, line by line; nothing if the event is no offer.
pub fn offered_items(offer: &Judged) -> Option<Vec<OfferedItem>> {
    let Body::TransferOffered(body) = &offer.event.payload().body else { return None };
    let mut next_part = body.lines.len();
    let lines = body.lines.iter().zip(&offer.judgement.lines);
    let items = lines.map(|(line, judged)| {
        let item = if matches!(judged.effect, Some(Effect::Draw(_))) {
            next_part += 1;
            offer.event.subject(next_part - 1)?
        } else {
            line.lot
        };
        Some(OfferedItem { lot: line.lot, item, quantity: line.quantity })
    });
    items.collect()
}

/// Part-lots that an admitted acceptance gave back to the offerer: the item from which each was
/// taken, and the part-lot.
pub fn returned_parts(acceptance: &Judged) -> Vec<(SubjectId, SubjectId)> {
    let Body::TransferAccepted(body) = &acceptance.event.payload().body else { return Vec::new() };
    let taken_from = body.lines.iter().enumerate().filter(|(_, line)| is_split(line)).map(|(index, _)| index);
    let pairs = taken_from.zip(body.lines.len()..);
    pairs.filter_map(|(from, part)| Some((acceptance.event.subject(from)?, acceptance.event.subject(part)?))).collect()
}

/// The actor to whom an offer goes; nobody inside the network, where it goes outside.
fn recipient(case: &Case<'_>, body: &TransferOffered) -> Result<Option<SubjectId>, Rule> {
    match &body.to {
        Recipient::Actor(to) if *to == case.acting => Err(Rule::ToSelf),
        Recipient::Actor(to) => case.authority.known_actor(to, case.basis).map(|()| Some(*to)),
        Recipient::OutsideGln(_) | Recipient::OutsideName(_) => Ok(None),
    }
}

fn addressee(offer: &Judged) -> Option<SubjectId> {
    match &offer.event.payload().body {
        Body::TransferOffered(body) => match &body.to {
            Recipient::Actor(to) => Some(*to),
            _ => None,
        },
        _ => None,
    }
}

fn handed_out(part: &LotState) -> LotState {
    LotState { balance: part.balance.zero(), closed: Some(Closed::HandedOut), ..part.clone() }
}

/// The touches must be these lots, in order, followed only by new part-lots: what stood there beside
/// them would be taken for a part that the event mints, and change its holder.
fn names_then_creates(case: &Case<'_>, lots: impl ExactSizeIterator<Item = SubjectId>) -> Result<(), Rule> {
    let (named, rest) = case.event.payload().touches.split_at_checked(lots.len()).ok_or(Rule::Touches)?;
    let fit = named.iter().zip(lots).all(|(touch, lot)| touch.subject == Some(lot));
    if fit && rest.iter().all(|touch| touch.subject.is_none()) { Ok(()) } else { Err(Rule::Touches) }
}

/// The lot of touch `index`, on which this offer is open.
fn awaiting<'a>(case: &'a Case<'_>, index: usize, offer: &Judged) -> Result<&'a LotState, Rule> {
    let lot = case.lot(index)?;
    match lot.open {
        Some(open) if open.offer == offer.event.id() => Ok(lot),
        _ => Err(Rule::NoOpenOffer),
    }
}

/// The effect of one answered line, and what goes back to the offerer as a part-lot.
fn answer(line: &AcceptedLine, offered: &Quantity, offer: &Judged) -> Result<(Effect, Option<Quantity>), Rule> {
    let id = offer.event.id();
    let nothing = || line.received.zero();
    let rejected = line.rejected.unwrap_or_else(nothing);
    let lost = line.lost.unwrap_or_else(nothing);
    let total = line.received.plus(&rejected).and_then(|sum| sum.plus(&lost)).map_err(|_| Rule::Lines)?;
    if total.compare(offered) != Ok(Ordering::Equal) || total.packages() != offered.packages() {
        return Err(Rule::Lines);
    }
    let absent_is_absent = line.rejected.is_none_or(|q| !q.is_zero()) && line.lost.is_none_or(|q| !q.is_zero());
    if !absent_is_absent {
        return Err(Rule::ZeroQuantity);
    }
    Ok(match (line.received.is_zero(), rejected.is_zero()) {
        (false, true) => (Effect::Receive(id, line.received), None),
        (false, false) => (Effect::Receive(id, line.received), Some(rejected)),
        (true, false) => (Effect::Reject(id, rejected), None),
        (true, true) => (Effect::LoseAll(id), None),
    })
}

fn given_back(case: &Case<'_>, offer: &Judged) -> Result<Outcome, Rule> {
    let items = offered_items(offer).ok_or(Rule::NotAnOffer)?;
    names_then_creates(case, items.iter().map(|item| item.item))?;
    if case.before.len() != items.len() {
        return Err(Rule::Touches);
    }
    let mut lines = Lines::new(case);
    for _ in &items {
        let touch = lines.next();
        lines.push(1, None, given_back_line(case, touch, offer));
    }
    lines.finish()
}

fn given_back_line(case: &Case<'_>, touch: usize, offer: &Judged) -> Result<LineDone, Rule> {
    let effect = Effect::GiveBack(offer.event.id());
    let after = awaiting(case, touch, offer)?.apply(&effect, case.acting).map_err(|_| Rule::NoOpenOffer)?;
    Ok(LineDone { named: vec![(effect, after)], part: None })
}
