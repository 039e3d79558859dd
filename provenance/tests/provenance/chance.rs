//! Histories told by chance: what the rules allow is admitted, what they forbid is kept as an example of that.

use crate::maker::{Wish, make};
use crate::story::*;
use crate::tales::{Village, altered, village};
use provenance::admission::Replay;
use provenance::body::*;
use provenance::cbor::Any;
use provenance::event::SignedEvent;
use provenance::id::{EventId, SubjectId};
use provenance::payload::{Lane, Touch};
use provenance::value::*;

/// Numbers that look random and are the same each time (xorshift64).
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % limit as u64).unwrap()
    }

    fn one<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }
}

/// How many events are tried in a history.
const TRIES: usize = 40;

/// Bundles of one history: one of each lot, and one for each event that the rules forbid.
pub fn bundles(seed: u64) -> Vec<Vec<u8>> {
    let mut chance = Chance(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let told = tell(&mut chance, None);
    let mut bundles = of_lots(&told);
    for unruly in 0..told.forbidden.len().min(12) {
        // The same history once more, up to the forbidden event, which is logged.
        let mut chance = Chance(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        let again = tell(&mut chance, Some(told.forbidden[unruly].id()));
        let event = &told.forbidden[unruly];
        let wish = Wish { besides: vec![event.id()], ..Wish::of(again.lots[0], &again.village.keeper_a) };
        bundles.push(make(&again.village.world, &wish).to_vec());
    }
    bundles
}

/// What became of the tries.
struct Told {
    village: Village,
    lots: Vec<SubjectId>,
    events: Vec<SignedEvent>,
    forbidden: Vec<SignedEvent>,
}

fn of_lots(told: &Told) -> Vec<Vec<u8>> {
    let mut bundles = Vec::new();
    for lot in &told.lots {
        for shallow in [false, true] {
            let wish = Wish { shallow, ..Wish::of(*lot, &told.village.keeper_a) };
            let bundle = make(&told.village.world, &wish);
            if bundle.left_out.as_ref().is_none_or(|lots| !lots.is_empty()) {
                bundles.push(bundle.to_vec());
            }
        }
    }
    bundles
}

fn tell(chance: &mut Chance, until: Option<EventId>) -> Told {
    let mut told = Told { village: village(), lots: vec![], events: vec![], forbidden: vec![] };
    let registered = told.village.farmer.registers("100", None);
    take(&mut told, registered);
    for _ in 0..TRIES {
        let event = try_one(chance, &mut told);
        let stop = until == Some(event.id());
        take(&mut told, event);
        if stop {
            let event = told.forbidden.last().unwrap();
            told.village.world.log_unruly(event, told.village.farmer.actor);
            break;
        }
    }
    told
}

fn take(told: &mut Told, event: SignedEvent) {
    if told.village.world.honest.get(&event.id()).is_some() {
        return;
    }
    if !matches!(told.village.world.judge(&event), Replay::Stands(_)) {
        told.forbidden.push(event);
        return;
    }
    told.village.world.admit(&event);
    let is_lot = |subject: &SubjectId| told.village.world.honest.lot(subject).is_some();
    let created: Vec<SubjectId> =
        event.payload().created().map(|index| event.id().subject(index)).filter(|subject| is_lot(subject)).collect();
    told.lots.extend(created);
    told.events.push(event);
}

/// Somebody does something to some lot, mostly where it ends, at times in the middle.
fn try_one(chance: &mut Chance, told: &mut Told) -> SignedEvent {
    let lot = *chance.one(&told.lots);
    let counted = told.village.world.honest.lot(&lot).unwrap();
    let lane: Vec<EventId> = told.village.world.honest.main_lane(&lot).iter().map(|judged| judged.event.id()).collect();
    let prev: Vec<EventId> = match chance.below(5) {
        0 => vec![*chance.one(&lane)],
        1 => vec![*counted.tips.first().unwrap()],
        _ => counted.tips.iter().copied().collect(),
    };
    let Village { farmer, buyer, rival, world, .. } = &mut told.village;
    let people = [farmer.clone(), buyer.clone(), rival.clone()];
    let holder = people.iter().find(|one| one.actor == counted.state.holder);
    let mut who = if chance.below(6) > 0 { holder.unwrap_or(&people[0]).clone() } else { chance.one(&people).clone() };
    who.time_ms = 1_790_000_000_000 + 1000 * world.size() + 7 * chance.below(500) as u64;
    let to = chance.one(&people).clone();
    let balance = counted.state.balance.decimal();
    let amounts = ["0.5", "1", "3", "7.25", "20", "100"];
    let part = *chance.one(&amounts);
    let offers: Vec<SignedEvent> =
        told.events.iter().filter(|event| matches!(event.payload().body, Body::TransferOffered(_))).cloned().collect();
    match chance.below(12) {
        0 => who.registers(part, None),
        1 => who.grades(lot, &prev, ["A", "B", "C"][chance.below(3)]),
        2 => {
            let quantity = if chance.below(2) == 0 { kg(part) } else { counted.state.balance };
            let body = ProduceRetired { quantity, outcome: Outcome::Sold };
            who.says(vec![touch(lot, &prev)], &[], Body::ProduceRetired(body))
        }
        3 => who.offers(lot, &prev, &balance, false, &to),
        4 | 5 => who.offers(lot, &prev, part, true, &to),
        6 => {
            let other = *chance.one(&told.lots);
            let tips: Vec<EventId> = world.honest.lot(&other).unwrap().tips.into_iter().collect();
            let template = who.clone().offers(lot, &prev, &balance, false, &to);
            altered(&mut who, &template, |payload| {
                let Body::TransferOffered(body) = &mut payload.body else { unreachable!("it offers") };
                body.lines.push(OfferedLine { lot: other, quantity: kg(part) });
                if other != lot {
                    payload.touches.push(touch(other, &tips));
                }
                payload.touches.push(new_subject());
            })
        }
        7 => corrects(chance, who, told),
        _ if offers.is_empty() => who.registers("12", None),
        _ => {
            let offer = chance.one(&offers).clone();
            answers(chance, told, &offer, &people)
        }
    }
}

fn corrects(chance: &mut Chance, mut who: Signatory, told: &Told) -> SignedEvent {
    let target = chance.one(&told.events);
    let (field, value) = match chance.below(4) {
        0 => (1, Any::Text("x".into())),
        1 => (3, Any::Text("Gala".into())),
        2 => (2, Any::Null),
        _ => (7, Any::Array(vec![Any::Text("furrow".into()), Any::Text("C".into())])),
    };
    let body = EventCorrected {
        target: target.id(),
        reason: Text::new("typing error").unwrap(),
        replacement: [(field, value)].into(),
    };
    let touch = Touch { subject: target.subject(0), lane: Lane::Attester(who.actor), prev: vec![] };
    who.says(vec![touch], &[], Body::EventCorrected(body))
}

/// An answer to an offer: accepted in part or whole, declined, or cancelled.
fn answers(chance: &mut Chance, told: &Told, offer: &SignedEvent, people: &[Signatory]) -> SignedEvent {
    let Body::TransferOffered(body) = &offer.payload().body else { unreachable!("it offers") };
    let party = |actor: SubjectId| people.iter().find(|one| one.actor == actor).unwrap_or(&people[0]).clone();
    let offerer = told.village.world.honest.get(&offer.id()).map_or(people[0].actor, |judged| judged.judgement.acting);
    let mut addressee = match body.to {
        Recipient::Actor(actor) => party(actor),
        _ => people[0].clone(),
    };
    // The items are the lots themselves, or the parts that the offer made, in their order.
    let judged = told.village.world.honest.get(&offer.id()).unwrap();
    let items: Vec<SubjectId> =
        provenance::admission::offered_items(judged).unwrap().into_iter().map(|item| item.item).collect();
    let late = chance.below(4) == 0;
    let touches: Vec<Touch> = items
        .iter()
        .map(|item| {
            let tips: Vec<EventId> = told.village.world.honest.lot(item).unwrap().tips.into_iter().collect();
            if late { touch(*item, &tips) } else { touch(*item, &[offer.id()]) }
        })
        .collect();
    let closed = TransferClosed { offer: offer.id(), reason: None };
    match chance.below(6) {
        0 => addressee.says(touches, &[], Body::TransferDeclined(closed)),
        1 => party(offerer).says(touches, &[], Body::TransferCancelled(closed)),
        how => {
            let mut touches = touches;
            let lines = body.lines.iter().map(|line| accepted_line(chance, line.quantity, how, &mut touches)).collect();
            let body = TransferAccepted { offer: offer.id(), lines };
            addressee.says(touches, &[], Body::TransferAccepted(body))
        }
    }
}

fn accepted_line(chance: &mut Chance, all: Quantity, how: usize, touches: &mut Vec<Touch>) -> AcceptedLine {
    let some = kg(["0.25", "0.5", "1"][chance.below(3)]);
    let whole = AcceptedLine { received: all, rejected: None, lost: None, reason: None };
    let Ok(rest) = all.minus(&some) else { return whole };
    match how {
        2 => {
            if !rest.is_zero() {
                touches.push(new_subject());
            }
            AcceptedLine { received: rest, rejected: Some(some), ..whole }
        }
        3 => AcceptedLine { received: rest, lost: Some(some), ..whole },
        4 if chance.below(3) == 0 => AcceptedLine { received: all.zero(), rejected: Some(all), ..whole },
        5 if chance.below(3) == 0 => AcceptedLine { received: all.zero(), lost: Some(all), ..whole },
        _ => whole,
    }
}
