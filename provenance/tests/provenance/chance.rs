//! Histories told by chance: what the rules allow is admitted, what they forbid is kept as an example of that.

use crate::deeds::{Lot, made, output, recall_updated, recalled, text, title};
use crate::maker::{Wish, make};
use crate::story::*;
use crate::tales::{Village, altered, village};
use provenance::admission::{Ancestry, Replay};
use provenance::body::*;
use provenance::cbor::Any;
use provenance::event::SignedEvent;
use provenance::id::{EventId, SubjectId};
use provenance::kind::Kind;
use provenance::payload::{Lane, Touch};
use provenance::value::*;
use provenance::verification::{Overall, Policy, verify};
use std::collections::BTreeSet;

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

/// How many histories are told and verified.
const SEEDS: u64 = 40;

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
    let lot_of_prev = (lot, prev.clone());
    match chance.below(20) {
        12 | 13 => transforms(chance, &mut who, told, lot_of_prev, part),
        14 | 15 => packs(chance, &mut who, told, lot_of_prev, part),
        16 => unpacks(chance, &mut who, told, &lot),
        17 | 18 => divides(chance, &mut who, told, &lot_of_prev, &to),
        19 => warns(chance, &mut who, told, &lot),
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

/// A lot with the tips of its main lane.
fn tips(told: &Told, lot: &SubjectId) -> Lot {
    (*lot, told.village.world.honest.lot(lot).unwrap().tips.into_iter().collect())
}

/// Tips of a title lane; none where there is no title apart.
fn title_tips(told: &Told, lot: &SubjectId) -> Vec<EventId> {
    let Ok(tips) = told.village.world.honest.lane_tips(lot, Lane::Title);
    tips
}

/// One lot or two go in, all or a part of them; at times the title is named, where there is one.
fn transforms(chance: &mut Chance, who: &mut Signatory, told: &Told, lot: Lot, part: &str) -> SignedEvent {
    let other = tips(told, chance.one(&told.lots));
    let mut inputs = vec![(lot, balance(told, chance, part))];
    if chance.below(2) == 0 && other.0 != inputs[0].0.0 {
        inputs.push((other, balance(told, chance, part)));
    }
    let named: Vec<_> = inputs.iter().map(|(lot, quantity)| (lot.clone(), quantity.as_str())).collect();
    let template = who.clone().transforms(&named, &["2", "1"]);
    altered(who, &template, |payload| {
        let Body::ProduceTransformed(body) = &mut payload.body else { unreachable!("it transforms") };
        for (at, input) in body.inputs.iter_mut().enumerate() {
            if chance.below(2) == 0 {
                input.quantity = told.village.world.honest.lot(&input.lot).unwrap().state.balance;
            }
            let tips = title_tips(told, &input.lot);
            if !tips.is_empty() && chance.below(3) > 0 && at == 0 {
                payload.touches.insert(1, title(input.lot, &tips));
            }
        }
        if chance.below(8) == 0 {
            body.outputs = vec![output("0"), output("1")];
        }
    })
}

/// Some amount, and now and then what is left of some lot.
fn balance(told: &Told, chance: &mut Chance, part: &str) -> String {
    let lot = *chance.one(&told.lots);
    if chance.below(2) == 0 {
        part.to_owned()
    } else {
        told.village.world.honest.lot(&lot).unwrap().state.balance.decimal()
    }
}

/// One lot or two are packed, into a new unit or one that is there.
fn packs(chance: &mut Chance, who: &mut Signatory, told: &Told, lot: Lot, part: &str) -> SignedEvent {
    let state = |lot: &SubjectId| told.village.world.honest.lot(lot).unwrap().state;
    let units: Vec<SubjectId> = told.lots.iter().copied().filter(|lot| state(lot).contents.is_some()).collect();
    let unit = (!units.is_empty() && chance.below(2) == 0).then(|| tips(told, chance.one(&units)));
    let mut contents = vec![lot];
    let other = tips(told, chance.one(&told.lots));
    if chance.below(2) == 0 && other.0 != contents[0].0 {
        contents.push(other);
    }
    contents.retain(|(lot, _)| unit.as_ref().is_none_or(|(unit, _)| unit != lot));
    let (mut parts, mut lines) = (0, Vec::new());
    for content in contents {
        let all = state(&content.0).balance;
        let quantity = if chance.below(3) == 0 { kg(part) } else { all };
        parts += usize::from(quantity.decimal() != all.decimal());
        lines.push((content, quantity));
    }
    who.packs(unit.as_ref(), &lines, if chance.below(10) == 0 { 1 } else { parts })
}

/// Somebody takes a lot out of the unit in which it lies, or out of one in which it does not.
fn unpacks(chance: &mut Chance, who: &mut Signatory, told: &Told, lot: &SubjectId) -> SignedEvent {
    let state = |lot: &SubjectId| told.village.world.honest.lot(lot).unwrap().state;
    let packed: Vec<SubjectId> = told.lots.iter().copied().filter(|lot| state(lot).inside.is_some()).collect();
    let content = if packed.is_empty() { *lot } else { *chance.one(&packed) };
    let elsewhere = told.lots.iter().copied().find(|lot| *lot != content);
    let Some(unit) = state(&content).inside.or(elsewhere) else { return who.registers("3", None) };
    let holder = state(&unit).holder;
    let people = [&told.village.farmer, &told.village.buyer, &told.village.rival];
    if chance.below(5) > 0 {
        let time_ms = who.time_ms;
        *who = Signatory { time_ms, ..(*people.iter().find(|one| one.actor == holder).unwrap_or(&people[0])).clone() };
    }
    who.unpacks(&tips(told, &unit), &[tips(told, &content)])
}

/// Possession or title alone is offered, or both with the title where that is apart.
fn divides(chance: &mut Chance, who: &mut Signatory, told: &Told, lot: &Lot, to: &Signatory) -> SignedEvent {
    let quantity = told.village.world.honest.lot(&lot.0).unwrap().state.balance;
    let of_title = title(lot.0, &title_tips(told, &lot.0));
    let main = touch(lot.0, &lot.1);
    let apart = !of_title.prev.is_empty();
    let (moves, touches) = match (chance.below(3), apart) {
        (0, false) => (Moves::Possession, vec![main, of_title]),
        (0, true) => (Moves::Possession, vec![main]),
        (1, false) => (Moves::Title, vec![main, of_title]),
        (1, true) => (Moves::Title, vec![of_title]),
        _ => (Moves::Both, vec![main, of_title]),
    };
    if moves == Moves::Title && apart {
        let owner = told.village.world.honest.look(&touches[0].prev[0]);
        let owner = owner.and_then(|seen| Some(seen.lot(seen.lane_index(&lot.0, Lane::Title)?)?.holder));
        let people = [&told.village.farmer, &told.village.buyer, &told.village.rival];
        let time_ms = who.time_ms;
        if let Some(owner) = people.iter().find(|one| Some(one.actor) == owner) {
            *who = Signatory { time_ms, ..(*owner).clone() };
        }
    }
    who.offers_by(moves, quantity, touches, to)
}

/// Somebody recalls a lot, updates a recall, or says that an event was as it says.
fn warns(chance: &mut Chance, who: &mut Signatory, told: &Told, lot: &SubjectId) -> SignedEvent {
    let recalls = |event: &&SignedEvent| matches!(event.payload().body, Body::RecallIssued(_));
    let recalls: Vec<&SignedEvent> = told.events.iter().filter(recalls).collect();
    let target = chance.one(&told.events);
    match chance.below(3) {
        0 if !recalls.is_empty() => {
            let recall = *chance.one(&recalls);
            let touches = vec![who.attester(recall.subject(0).unwrap(), &[recall.id()])];
            who.says(touches, &[], Body::RecallUpdated(recall_updated(recall.id())))
        }
        1 => {
            let body = EventConfirmed { target: target.id(), method: text("paper"), evidence: None };
            who.attests(made(target).0, &[], Body::EventConfirmed(body))
        }
        _ => {
            let lane = told.village.world.honest.main_lane(lot);
            let basis = chance.one(&lane).event.id();
            who.attests(*lot, &[lane[0].event.id(), basis], Body::RecallIssued(recalled()))
        }
    }
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
    let items = provenance::admission::offered_items(judged).unwrap();
    let late = chance.below(4) == 0;
    let touches: Vec<Touch> = items
        .iter()
        .flat_map(|item| item.lanes.iter().map(|lane| (item.item, *lane)))
        .map(|(item, lane)| {
            let Ok(tips) = told.village.world.honest.lane_tips(&item, lane);
            let prev = if late { tips } else { vec![offer.id()] };
            if lane == Lane::Title { title(item, &prev) } else { touch(item, &prev) }
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

#[test]
fn bundles_of_chance_hold() {
    let mut kinds = BTreeSet::new();
    for seed in 0..SEEDS {
        let told = tell(&mut Chance(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1), None);
        for (at, bytes) in of_lots(&told).iter().enumerate() {
            let verdict = verify(bytes, &Policy::default());
            assert_eq!(crate::bundles::failed(&verdict), None, "bundle {at} of seed {seed}");
            assert_eq!(verdict.verdict, Overall::Incomplete);
        }
        kinds.extend(told.events.iter().filter_map(|event| event.payload().body.kind()));
    }
    let told =
        [Kind::ProduceTransformed, Kind::UnitPacked, Kind::UnitUnpacked, Kind::RecallUpdated, Kind::EventConfirmed];
    assert!(told.iter().all(|kind| kinds.contains(kind)), "chance told only {kinds:?}");
}
