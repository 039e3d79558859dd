//! Goods that are collected, worked on, packed in units and owned by others than hold them.

use super::{Story, Who, kg, text};
use provenance::body::{
    AcceptedLine, Body, Codes, CodesAssigned, Commodity, Content, Delivery, EventConfirmed, Input, Moves, OfferedLine,
    Output, PlaceUpdated, ProduceCollected, ProduceHandled, ProduceTransformed, Recipient, TransferAccepted,
    TransferOffered, UnitPacked, UnitUnpacked,
};
use provenance::event::SignedEvent;
use provenance::id::{EventId, SubjectId};
use provenance::payload::{Lane, Touch};
use provenance::value::{LangText, Quantity, Sscc, Unit};

/// All of a unit.
pub fn one_unit() -> Quantity {
    Quantity::parse("1", Unit::new("EA").unwrap(), None).unwrap()
}

fn commodity() -> Commodity {
    Commodity { scheme: text("HS"), code: text("2009.71") }
}

pub fn output(kilograms: &str) -> Output {
    Output {
        commodity: commodity(),
        name: LangText::single("en", "Apple juice").unwrap(),
        variety: None,
        quantity: kg(kilograms),
        grade: None,
        codes: Some(Codes { gtin: None, lot: Some(text("J1")), traceability_lot_code: None }),
        claims: Some(vec![text("BIO-1")]),
    }
}

impl Story {
    /// Deliveries of members, each from a place, become one lot of the cooperative.
    pub fn collect(&mut self, who: Who, deliveries: &[(Who, SubjectId, &str)], sum: &str) -> SubjectId {
        let basis: Vec<EventId> = deliveries
            .iter()
            .flat_map(|(member, place, _)| [self.actors[*member].enrolment, self.places[place]])
            .collect();
        let deliveries = deliveries.iter().map(|(member, place, kilograms)| Delivery {
            member: self.id(*member),
            place: Some(*place),
            quantity: kg(kilograms),
            grade: None,
            slip: None,
        });
        let body = ProduceCollected {
            commodity: Commodity { scheme: text("HS"), code: text("0808.10") },
            name: LangText::single("en", "Apples").unwrap(),
            variety: None,
            deliveries: deliveries.collect(),
            harvested: None,
            quantity: kg(sum),
            grade: None,
            codes: None,
            claims: None,
        };
        let event = self.tell(who, vec![Self::new_subject()], &basis, Body::ProduceCollected(Box::new(body)));
        event.id().subject(0)
    }

    pub fn transform(&mut self, who: Who, inputs: &[(SubjectId, &str)], outputs: &[&str]) -> SignedEvent {
        let mut touches: Vec<Touch> = inputs.iter().map(|(lot, _)| self.on(*lot)).collect();
        touches.extend(outputs.iter().map(|_| Self::new_subject()));
        let body = ProduceTransformed {
            run: text("run 1"),
            process: text("press"),
            inputs: inputs.iter().map(|(lot, kilograms)| Input { lot: *lot, quantity: kg(kilograms) }).collect(),
            outputs: outputs.iter().map(|kilograms| output(kilograms)).collect(),
            loss: None,
            place: None,
        };
        self.tell(who, touches, &[], Body::ProduceTransformed(Box::new(body)))
    }

    /// Packs into a new unit, or into one that is there. Each content with whether it is a part.
    pub fn pack(
        &mut self,
        who: Who,
        unit: Option<SubjectId>,
        contents: &[(SubjectId, Quantity, bool)],
        place: Option<SubjectId>,
    ) -> SignedEvent {
        let mut touches = vec![unit.map_or_else(Self::new_subject, |unit| self.on(unit))];
        touches.extend(contents.iter().map(|(lot, ..)| self.on(*lot)));
        touches.extend(contents.iter().filter(|(.., part)| *part).map(|_| Self::new_subject()));
        let body = UnitPacked {
            sscc: unit.is_none().then(|| Sscc::new("106141411234567897").unwrap()),
            contents: contents.iter().map(|(lot, quantity, _)| Content { lot: *lot, quantity: *quantity }).collect(),
            place,
        };
        let basis: Vec<EventId> = place.iter().map(|place| self.places[place]).collect();
        self.tell(who, touches, &basis, Body::UnitPacked(body))
    }

    pub fn unpack(&mut self, who: Who, unit: SubjectId, contents: &[SubjectId]) -> SignedEvent {
        let touches = std::iter::once(unit).chain(contents.iter().copied()).map(|lot| self.on(lot)).collect();
        self.tell(who, touches, &[], Body::UnitUnpacked(UnitUnpacked { contents: contents.to_vec(), place: None }))
    }

    /// All of a lot or unit is offered and taken, as far as `moves` says, which for title and possession alone is the
    /// first such offer of it.
    pub fn hand_over(
        &mut self,
        who: Who,
        lot: SubjectId,
        quantity: Quantity,
        moves: Moves,
        to: Who,
        place: Option<SubjectId>,
    ) -> (EventId, SignedEvent) {
        let mut touches = vec![self.on(lot)];
        if moves != Moves::Both {
            touches.push(Touch { subject: Some(lot), lane: Lane::Title, prev: Vec::new() });
        }
        let body = TransferOffered {
            lines: vec![OfferedLine { lot, quantity }],
            to: Recipient::Actor(self.id(to)),
            moves,
            carrier: None,
            from_place: None,
            to_place: place,
            temperature: None,
            price: None,
            expires: None,
            returns: None,
        };
        let mut basis = vec![self.actors[to].enrolment];
        basis.extend(place.iter().map(|place| self.places[place]));
        let offer = self.tell(who, touches, &basis, Body::TransferOffered(Box::new(body))).id();
        let lane = if moves == Moves::Title { Lane::Title } else { Lane::Main };
        let touch = self.on_lane(lot, lane);
        let line = AcceptedLine { received: quantity, rejected: None, lost: None, reason: None };
        let body = Body::TransferAccepted(TransferAccepted { offer, lines: vec![line] });
        (offer, self.tell(to, vec![touch], &[], body))
    }

    pub fn handle(&mut self, who: Who, lot: SubjectId, step: &str) -> SignedEvent {
        let touch = self.on(lot);
        let body = ProduceHandled { step: text(step), place: None, temperature: None, remark: None };
        self.tell(who, vec![touch], &[], Body::ProduceHandled(body))
    }

    pub fn label(&mut self, who: Who, lot: SubjectId, number: &str) -> SignedEvent {
        let touch = self.on(lot);
        let codes = Codes { gtin: None, lot: Some(text(number)), traceability_lot_code: None };
        self.tell(who, vec![touch], &[], Body::ProduceCodesAssigned(CodesAssigned { codes }))
    }

    pub fn rename_place(&mut self, who: Who, place: SubjectId, name: &str) -> SignedEvent {
        let (touch, basis) = (self.on(place), [self.places[&place]]);
        let body = PlaceUpdated { name: Some(LangText::single("en", name).unwrap()), ..PlaceUpdated::default() };
        self.tell(who, vec![touch], &basis, Body::PlaceUpdated(Box::new(body)))
    }

    /// Confirms what is about a lot, knowing of a correction.
    pub fn confirm(&mut self, who: Who, target: EventId, about: SubjectId, correction: EventId) -> SignedEvent {
        let touch = self.on_lane(about, Lane::Attester(self.id(who)));
        let body = EventConfirmed { target, method: text("by telephone"), evidence: None };
        self.tell(who, vec![touch], &[correction], Body::EventConfirmed(body))
    }
}

/// Something that somebody has.
#[derive(Clone)]
struct Good {
    id: SubjectId,
    who: Who,
    kilograms: u32,
    is_unit: bool,
    inside: Option<usize>,
    /// Used up, or owned by somebody else than its holder, or in conflict: only packed and unpacked any more, if that.
    done: bool,
}

impl Good {
    fn quantity(&self) -> Quantity {
        if self.is_unit { one_unit() } else { kg(&self.kilograms.to_string()) }
    }
}

impl Story {
    /// One thing happens for each choice, among a cooperative, its member and two buyers.
    pub fn grow_goods(&mut self, choices: &[u8]) {
        use provenance::body::Role;
        let coop = self.enrol(0, &[Role::Cooperative, Role::Farmer], &[]);
        let member = self.enrol(0, &[Role::Farmer], &[]);
        let buyers = [self.enrol(0, &[Role::Trader], &[]), self.enrol(0, &[Role::Retailer], &[])];
        let farm = self.place(member, "Hillside");
        let shop = self.place(buyers[0], "Shop");
        let mut goods: Vec<Good> = Vec::new();
        let good = |id, who, kilograms| Good { id, who, kilograms, is_unit: false, inside: None, done: false };
        for choice in choices {
            let (what, at) = (choice % 9, usize::from(choice / 9));
            let free: Vec<usize> =
                (0..goods.len()).filter(|it| goods[*it].inside.is_none() && !goods[*it].done).collect();
            if free.is_empty() || what == 0 {
                let id = self.collect(coop, &[(member, farm, "60"), (member, farm, "40")], "100");
                goods.push(good(id, coop, 100));
                continue;
            }
            let at = free[at % free.len()];
            let Good { id, who, kilograms, is_unit, .. } = goods[at].clone();
            let quantity = goods[at].quantity();
            let to = if who == buyers[0] { buyers[1] } else { buyers[0] };
            match what {
                1 if !is_unit => {
                    // All of it, and a part of another of the same holder, become two lots.
                    let fits = |it: &&usize| **it != at && goods[**it].who == who && goods[**it].kilograms > 10;
                    let other = free.iter().find(|it| fits(it) && !goods[**it].is_unit).copied();
                    let balance = kilograms.to_string();
                    let mut inputs = vec![(id, balance.as_str())];
                    inputs.extend(other.map(|other| (goods[other].id, "10")));
                    let event = self.transform(who, &inputs, &["30", "5"]);
                    goods[at].done = true;
                    if let Some(other) = other {
                        goods[other].kilograms -= 10;
                    }
                    let first = u32::try_from(inputs.len()).unwrap();
                    goods.push(good(event.id().subject(first), who, 30));
                    goods.push(good(event.id().subject(first + 1), who, 5));
                }
                2 => {
                    let part = !is_unit && kilograms > 7 && choice % 2 == 1;
                    let packed = if part { kg("7") } else { quantity };
                    let event = self.pack(who, None, &[(id, packed, part)], part.then_some(shop));
                    let unit = goods.len();
                    goods.push(Good { is_unit: true, ..good(event.id().subject(0), who, 0) });
                    if part {
                        goods[at].kilograms -= 7;
                        goods.push(Good { inside: Some(unit), ..good(event.id().subject(2), who, 7) });
                    } else {
                        goods[at].inside = Some(unit);
                    }
                }
                3 => {
                    let unit = free.iter().find(|it| **it != at && goods[**it].is_unit && goods[**it].who == who);
                    if let Some(unit) = unit {
                        self.pack(who, Some(goods[*unit].id), &[(id, quantity, false)], None);
                        goods[at].inside = Some(*unit);
                    }
                }
                4 => {
                    self.hand_over(who, id, quantity, Moves::Both, to, Some(shop));
                    goods[at].who = to;
                }
                5 if is_unit => {
                    if let Some(content) = (0..goods.len()).find(|it| goods[*it].inside == Some(at)) {
                        self.unpack(who, id, &[goods[content].id]);
                        (goods[content].inside, goods[content].who) = (None, who);
                    }
                }
                6 => {
                    let moves = if choice % 2 == 0 { Moves::Title } else { Moves::Possession };
                    self.hand_over(who, id, quantity, moves, to, None);
                    goods[at].done = true;
                }
                7 => drop(if choice % 2 == 0 { self.handle(who, id, "cooled") } else { self.label(who, id, "L9") }),
                _ if !is_unit => {
                    // It is sold with a copied key, and transformed.
                    self.with_copied_key(who, |story| story.offer(who, id, &kilograms.to_string(), false, to));
                    self.transform(who, &[(id, &kilograms.to_string())], &["9"]);
                    self.meet();
                    goods[at].done = true;
                }
                _ => drop(self.rename_place(buyers[0], shop, "Corner shop")),
            }
        }
    }
}
