//! Rules of the handover: offered, accepted, declined, cancelled.

use super::lines::{LineDone, Lines};
use super::produce::{check_temperature, draw};
use super::touches::{LineTouches, line_touches, names_then_creates};
use super::{Case, Judged, Outcome, Rule, authority};
use crate::body::{AcceptedLine, Body, Moves, Recipient, TransferAccepted, TransferOffered};
use crate::custody::{Closed, Effect, LotState, OpenOffer};
use crate::id::SubjectId;
use crate::payload::{Lane, Payload};
use crate::value::Quantity;
use std::cmp::Ordering;

/// Lines of an offer: half of the touches, so that each can be rejected in part.
const MAX_LINES: usize = Payload::MAX_TOUCHES / 2;

pub(super) fn offered(case: &Case<'_>, body: &TransferOffered, returns: Option<&Judged>) -> Result<Outcome, Rule> {
    if body.lines.is_empty() || body.lines.len() > MAX_LINES {
        return Err(Rule::Lines);
    }
    let to_actor = matches!(body.to, Recipient::Actor(_));
    if body.moves != Moves::Both && !to_actor {
        return Err(Rule::Outside);
    }
    check_temperature(body.temperature)?;
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
    let touches = touches_of(case.event.payload(), body).ok_or(Rule::Touches)?;
    let open = to.map(|to| OpenOffer { offer: case.event.id(), to });
    let mut lines = Lines::new(case);
    for (line, at) in body.lines.iter().zip(touches) {
        let done = match (body.moves, open) {
            (Moves::Possession, Some(open)) => possession_line(case, at, &line.quantity, open),
            (Moves::Title, Some(open)) => title_line(case, at, &line.quantity, open),
            (_, open) => whole_line(case, at, &line.quantity, open),
        };
        lines.push(at.len(), at.main.and_then(|main| case.drew(main)), done);
    }
    lines.finish()
}

/// The touches of an offer's lines. Title alone can be offered by those who hold nothing.
fn touches_of(payload: &Payload, body: &TransferOffered) -> Option<Vec<LineTouches>> {
    line_touches(payload, body.lines.iter().map(|line| line.lot), body.moves == Moves::Title)
}

/// A part of one lot is offered, or all of it with its title.
fn whole_line(
    case: &Case<'_>,
    at: LineTouches,
    quantity: &Quantity,
    open: Option<OpenOffer>,
) -> Result<LineDone, Rule> {
    let (lot, title) = case.whole_lot(at)?;
    if draw(lot, quantity)? == Ordering::Less {
        let part = LotState { open, ..LotState::new(case.acting, *quantity) };
        let part = if open.is_some() { part } else { handed_out(&part) };
        return Ok(LineDone { named: vec![case.applied(lot, Effect::Draw(*quantity))?], part: Some(part) });
    }
    let goes = |quantity| match open {
        Some(open) => Effect::Offer(open, quantity),
        None => Effect::Close(Closed::HandedOut, quantity),
    };
    let mut named = vec![case.applied(lot, goes(*quantity))?];
    if let Some(title) = title {
        named.push(case.applied(title, goes(title.balance))?);
    }
    Ok(LineDone { named, part: None })
}

/// Possession of all of one lot is offered; its title stays with the owner.
fn possession_line(case: &Case<'_>, at: LineTouches, quantity: &Quantity, open: OpenOffer) -> Result<LineDone, Rule> {
    let lot = case.held_lot(at.main.ok_or(Rule::Touches)?)?;
    all_of(lot, quantity)?;
    if lot.divided {
        if at.title.is_some() {
            return Err(Rule::Divided);
        }
        return Ok(LineDone { named: vec![case.applied(lot, Effect::Offer(open, *quantity))?], part: None });
    }
    let title = begins_title(case, lot, at)?;
    let named = vec![case.applied(lot, Effect::DivideOffer(open, *quantity))?, (Effect::Create, title)];
    Ok(LineDone { named, part: None })
}

/// Title to all of one lot is offered; whoever holds it goes on to.
fn title_line(case: &Case<'_>, at: LineTouches, quantity: &Quantity, open: OpenOffer) -> Result<LineDone, Rule> {
    let Some(main) = at.main else {
        let title = case.owned_lot(at.title.ok_or(Rule::Touches)?)?;
        all_of(title, quantity)?;
        return Ok(LineDone { named: vec![case.applied(title, Effect::Offer(open, *quantity))?], part: None });
    };
    let lot = case.held_lot(main)?;
    if lot.divided {
        return Err(Rule::Divided);
    }
    let title = LotState { open: Some(open), ..begins_title(case, lot, at)? };
    all_of(lot, quantity)?;
    let named = vec![case.applied(lot, Effect::Divide(*quantity))?, (Effect::Create, title)];
    Ok(LineDone { named, part: None })
}

/// The title of a lot whose holder owns it: from here on it has a lane of its own, which this line begins.
fn begins_title(case: &Case<'_>, lot: &LotState, at: LineTouches) -> Result<LotState, Rule> {
    let begins = at.title.is_some_and(|title| case.event.payload().touches[title].prev.is_empty());
    if begins { Ok(LotState::new(case.acting, lot.balance)) } else { Err(Rule::Divided) }
}

/// Demands that a quantity is all of a lot.
fn all_of(lot: &LotState, quantity: &Quantity) -> Result<(), Rule> {
    if draw(lot, quantity)? == Ordering::Less { Err(Rule::Divided) } else { Ok(()) }
}

pub(super) fn accepted(case: &Case<'_>, body: &TransferAccepted, offer: &Judged) -> Result<Outcome, Rule> {
    if Some(case.acting) != addressee(offer) {
        return Err(Rule::NotAddressee);
    }
    let items = offered_items(offer).ok_or(Rule::NotAnOffer)?;
    if body.lines.len() != items.len() {
        return Err(Rule::Lines);
    }
    names_items(case, &items)?;
    let mut lines = Lines::new(case);
    for (line, item) in body.lines.iter().zip(&items) {
        let done = accepted_line(case, lines.next(), line, item, offer);
        lines.push(item.lanes.len(), case.admitted.map(|_| is_split(line)), done);
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
    let lots = awaiting(case, touch, item, offer)?;
    let (effect, given_back) = answer(line, &item.quantity, offer)?;
    // What is apart from its title cannot be taken in part, and nothing of what title alone has can be lost.
    let apart = item.lanes.contains(&Lane::Title) || lots.iter().any(|lot| lot.divided);
    if (apart && given_back.is_some()) || (item.lanes == TITLE && line.lost.is_some()) {
        return Err(Rule::Divided);
    }
    let part = given_back.map(|quantity| LotState::new(offer.judgement.acting, quantity));
    Ok(LineDone { named: answered(case, &lots, &effect)?, part })
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
    /// The lanes of the item on which the offer is open, main before title.
    pub lanes: &'static [Lane],
}

/// Possession moves, or the item is not divided.
const MAIN: &[Lane] = &[Lane::Main];
/// Title moves.
const TITLE: &[Lane] = &[Lane::Title];
/// Both move, and they are apart.
const MAIN_AND_TITLE: &[Lane] = &[Lane::Main, Lane::Title];

/// What an admitted offer offers, line by line; nothing if the event is no offer.
pub fn offered_items(offer: &Judged) -> Option<Vec<OfferedItem>> {
    let Body::TransferOffered(body) = &offer.event.payload().body else { return None };
    let touches = touches_of(offer.event.payload(), body)?;
    let mut next_part: usize = touches.iter().map(|line| line.len()).sum();
    let items = body.lines.iter().zip(touches).map(|(line, at)| {
        let effect = at.main.and_then(|main| offer.judgement.lines.get(main)?.effect.as_ref());
        if matches!(effect, Some(Effect::Draw(_))) {
            next_part += 1;
            let item = offer.event.subject(next_part - 1)?;
            return Some(OfferedItem { lot: line.lot, item, quantity: line.quantity, lanes: MAIN });
        }
        let lanes = match body.moves {
            Moves::Both if at.title.is_some() => MAIN_AND_TITLE,
            Moves::Both | Moves::Possession => MAIN,
            Moves::Title => TITLE,
        };
        Some(OfferedItem { lot: line.lot, item: line.lot, quantity: line.quantity, lanes })
    });
    items.collect()
}

/// Part-lots that an admitted acceptance gave back to the offerer: the item from which each was
/// taken, and the part-lot.
pub fn returned_parts(acceptance: &Judged) -> Vec<(SubjectId, SubjectId)> {
    let Body::TransferAccepted(body) = &acceptance.event.payload().body else { return Vec::new() };
    let touches = &acceptance.event.payload().touches;
    let mut items: Vec<SubjectId> = touches.iter().map_while(|touch| touch.subject).collect();
    let named = items.len();
    // An item whose title is apart is touched twice, in succession.
    items.dedup();
    let split = items.into_iter().zip(&body.lines).filter(|(_, line)| is_split(line)).map(|(item, _)| item);
    split.zip(named..).filter_map(|(from, part)| Some((from, acceptance.event.subject(part)?))).collect()
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

/// The touches must be the lanes of these items, in order, followed only by new part-lots.
fn names_items(case: &Case<'_>, items: &[OfferedItem]) -> Result<(), Rule> {
    let lanes = items.iter().flat_map(|item| item.lanes.iter().map(|lane| (item.item, *lane)));
    names_then_creates(&case.event.payload().touches, lanes.collect::<Vec<_>>().into_iter())
}

/// The lots of an item's touches, which begin at `touch`; on each this offer is open.
fn awaiting<'a>(
    case: &'a Case<'_>,
    touch: usize,
    item: &OfferedItem,
    offer: &Judged,
) -> Result<Vec<&'a LotState>, Rule> {
    let lots = item.lanes.iter().zip(touch..).map(|(lane, at)| {
        let lot = case.lot(at, *lane)?;
        match lot.open {
            Some(open) if open.offer == offer.event.id() => Ok(lot),
            _ => Err(Rule::NoOpenOffer),
        }
    });
    lots.collect()
}

/// The effect of an answer, on each of these lots.
fn answered(case: &Case<'_>, lots: &[&LotState], effect: &Effect) -> Result<Vec<(Effect, LotState)>, Rule> {
    let done = lots.iter().map(|lot| {
        let after = lot.apply(effect, case.acting).map_err(|_| Rule::NoOpenOffer)?;
        Ok((effect.clone(), after))
    });
    done.collect()
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
    names_items(case, &items)?;
    if case.event.payload().touches.iter().any(|touch| touch.subject.is_none()) {
        return Err(Rule::Touches);
    }
    let effect = Effect::GiveBack(offer.event.id());
    let mut lines = Lines::new(case);
    for item in &items {
        let lots = awaiting(case, lines.next(), item, offer);
        let done = lots.and_then(|lots| Ok(LineDone { named: answered(case, &lots, &effect)?, part: None }));
        lines.push(item.lanes.len(), None, done);
    }
    lines.finish()
}
