//! Builds signed events for tests: actors with keys, their journals, and the tips of what they know.

#![allow(dead_code)] // Each test file uses another part of it.

pub mod goods;
pub mod grown;

use ed25519_dalek::{Signer, SigningKey};
use provenance::body::{
    AcceptedLine, ActorEnrolled, ActorRevoked, ActorUpdated, Body, Codes, Commodity, Custody, Cut, EventCorrected,
    KeyAdded, Moves, OfferedLine, PlaceRegistered, PriceUpdated, ProduceMoved, ProduceRegistered, ProduceRetired,
    QualityUpdated, Recipient, Role, TransferAccepted, TransferClosed, TransferOffered,
};
use provenance::cbor::Any;
use provenance::event::SignedEvent;
use provenance::id::{EventId, PublicKey, SubjectId};
use provenance::merkle::{Frontier, leaf_hash};
use provenance::network::Network;
use provenance::payload::{Lane, Payload, Touch};
use provenance::seal::Sealable;
use provenance::value::{
    Coordinates, Currency, Date, DateRange, Gln, Grade, Gtin, LangText, Money, Price, Quantity, Text, Timestamp, Unit,
};
use std::collections::{BTreeMap, HashMap};

pub struct Actor {
    pub key: SigningKey,
    pub id: SubjectId,
    /// The enrolment; the network id for founders.
    pub enrolment: EventId,
    /// The event that gave the present key: the enrolment, until another key comes.
    pub key_event: EventId,
    /// The last event that this key signed.
    pub journal: EventId,
}

pub struct Story {
    pub network: Network,
    pub actors: Vec<Actor>,
    pub events: Vec<SignedEvent>,
    tips: HashMap<(SubjectId, Lane), Vec<EventId>>,
    places: HashMap<SubjectId, EventId>,
    now_ms: u64,
}

/// Names an actor by its number in the story; 0 is the founder.
pub type Who = usize;

pub fn text<const MAX: usize>(text: &str) -> Text<MAX> {
    Text::new(text).unwrap()
}

pub fn kg(decimal: &str) -> Quantity {
    Quantity::parse(decimal, Unit::new("KGM").unwrap(), None).unwrap()
}

pub fn euro_cents(amount: i128) -> Price {
    Price { money: Money::new(amount, Currency::new("EUR").unwrap()).unwrap(), per: Some(Unit::new("KGM").unwrap()) }
}

fn key(number: usize) -> SigningKey {
    SigningKey::from_bytes(&[u8::try_from(number).unwrap() + 1; 32])
}

fn public(key: &SigningKey) -> PublicKey {
    PublicKey::from_bytes(key.verifying_key().to_bytes())
}

impl Story {
    pub fn new() -> Self {
        let founder = key(0);
        let network = Network::new(text("test"), [7; 16], vec![public(&founder)]).unwrap();
        let (id, enrolment) = (network.id().founder(0), network.id().as_event());
        let actors = vec![Actor { key: founder, id, enrolment, key_event: enrolment, journal: enrolment }];
        let tips = HashMap::from([((id, Lane::Main), vec![enrolment])]);
        Self { network, actors, events: Vec::new(), tips, places: HashMap::new(), now_ms: 1_760_000_000_000 }
    }

    /// Twenty lots of a farmer, some of them graded.
    pub fn harvest() -> Self {
        let mut story = Self::new();
        let farmer = story.enrol(0, &[Role::Farmer], &[]);
        let farm = story.place(farmer, "Hillside");
        for number in 0..20 {
            let lot = story.lot(farmer, farm, "100");
            if number % 3 == 0 {
                story.grade(farmer, lot, "A");
            }
        }
        story
    }

    pub fn bytes(&self) -> Vec<Vec<u8>> {
        self.events.iter().map(|event| event.bytes().to_vec()).collect()
    }

    pub fn id(&self, who: Who) -> SubjectId {
        self.actors[who].id
    }

    pub fn tips(&self, subject: SubjectId, lane: Lane) -> Vec<EventId> {
        self.tips.get(&(subject, lane)).cloned().unwrap_or_default()
    }

    /// Touches the main lane of a subject at its present tips.
    pub fn on(&self, subject: SubjectId) -> Touch {
        self.on_lane(subject, Lane::Main)
    }

    pub fn on_lane(&self, subject: SubjectId, lane: Lane) -> Touch {
        Touch { subject: Some(subject), lane, prev: self.tips(subject, lane) }
    }

    pub fn new_subject() -> Touch {
        Touch { subject: None, lane: Lane::Main, prev: Vec::new() }
    }

    /// Signs, advances the journal and the tips, and keeps the event.
    pub fn tell(&mut self, who: Who, touches: Vec<Touch>, more_basis: &[EventId], body: Body) -> SignedEvent {
        self.tell_for(who, None, touches, more_basis, body)
    }

    pub fn tell_for(
        &mut self,
        who: Who,
        on_behalf_of: Option<SubjectId>,
        touches: Vec<Touch>,
        more_basis: &[EventId],
        body: Body,
    ) -> SignedEvent {
        self.now_ms += 1_000;
        let actor = &mut self.actors[who];
        let mut basis = more_basis.to_vec();
        basis.extend([actor.enrolment, actor.key_event]);
        basis.sort_unstable();
        basis.dedup();
        let payload = Payload {
            network: self.network.id(),
            time: Timestamp::new(self.now_ms).unwrap(),
            occurred: None,
            journal: actor.journal,
            touches,
            basis,
            body,
            on_behalf_of,
            captured_by: None,
            refs: None,
            after: None,
            extensions: None,
        };
        let event = SignedEvent::sign(payload, &actor.key).unwrap();
        actor.journal = event.id();
        for (index, touch) in event.payload().touches.iter().enumerate() {
            let tips = self.tips.entry((event.subject(index).unwrap(), touch.lane)).or_default();
            tips.retain(|tip| !touch.prev.contains(tip));
            tips.push(event.id());
            tips.sort_unstable();
        }
        self.events.push(event.clone());
        event
    }

    pub fn enrol(&mut self, by: Who, roles: &[Role], may_give: &[Role]) -> Who {
        let number = self.actors.len();
        let key = key(number);
        let mut body = ActorEnrolled {
            key: public(&key),
            custody: Custody::Own,
            roles: roles.to_vec(),
            may_give: may_give.to_vec(),
            display_name: text(&format!("Actor {number}")),
            personal_name: None,
            gln: None,
            gs1_prefixes: None,
            node: None,
            countersignature: [0; 64].into(),
        };
        let message = body.countersigned_bytes(&self.network.id(), &self.actors[by].id);
        body.countersignature = key.sign(&message).to_bytes().into();
        let event = self.tell(by, vec![Self::new_subject()], &[], Body::ActorEnrolled(body));
        let (id, enrolment) = (event.id().subject(0), event.id());
        self.actors.push(Actor { key, id, enrolment, key_event: enrolment, journal: enrolment });
        number
    }

    /// Gives an actor a further key, which signs from now on; gives back the event.
    pub fn add_key(&mut self, who: Who, key: SigningKey) -> SignedEvent {
        let (touch, actor) = (self.on(self.id(who)), self.id(who));
        let mut body =
            KeyAdded { key: public(&key), custody: Custody::Own, name: None, countersignature: [0; 64].into() };
        let message = body.countersigned_bytes(&self.network.id(), &actor);
        body.countersignature = key.sign(&message).to_bytes().into();
        let event = self.tell(who, vec![touch], &[], Body::ActorKeyAdded(body));
        let actor = &mut self.actors[who];
        (actor.key, actor.key_event, actor.journal) = (key, event.id(), event.id());
        event
    }

    /// Ends the journal of an actor's present key at one of its events.
    pub fn revoke(&mut self, by: Who, who: Who, last: EventId) -> SignedEvent {
        let (key_event, touch) = (self.actors[who].key_event, self.on(self.id(who)));
        let links: HashMap<EventId, EventId> = self.events.iter().map(|it| (it.id(), it.payload().journal)).collect();
        let mut ids = Vec::new();
        let mut next = last;
        while next != key_event {
            ids.push(next);
            next = links[&next];
        }
        let mut frontier = Frontier::default();
        for id in ids.iter().rev() {
            frontier.append(leaf_hash(id.as_bytes()), |_, _, _| {});
        }
        let cut = Cut { key_event, last, count: ids.len() as u64, root: frontier.root(), stands: Vec::new() };
        let basis = [self.actors[who].enrolment];
        let body = ActorRevoked { reason: text("stolen"), cuts: vec![cut] };
        self.tell(by, vec![touch], &basis, Body::ActorRevoked(body))
    }

    pub fn rename(&mut self, who: Who, name: &str) -> SignedEvent {
        let touch = self.on(self.id(who));
        let body = ActorUpdated { display_name: Some(text(name)), gln: None, gs1_prefixes: None, node: None };
        self.tell(who, vec![touch], &[], Body::ActorUpdated(body))
    }

    pub fn place(&mut self, who: Who, name: &str) -> SubjectId {
        let body = PlaceRegistered {
            place_type: text("farm"),
            name: LangText::single("en", name).unwrap(),
            gln: Some(Gln::new("6291041500213").unwrap()),
            point: Some(Coordinates::from_degrees(44.12, -0.99).unwrap().to_open()),
            exact_point: None,
            outline: None,
            area_m2: Some(12_000),
            parent: None,
            country: Some(text("FR")),
        };
        let event = self.tell(who, vec![Self::new_subject()], &[], Body::PlaceRegistered(body));
        self.places.insert(event.id().subject(0), event.id());
        event.id().subject(0)
    }

    pub fn lot(&mut self, who: Who, place: SubjectId, quantity: &str) -> SubjectId {
        let body = ProduceRegistered {
            commodity: Commodity { scheme: text("HS"), code: text("0808.10") },
            name: LangText::single("en", "Apples").unwrap(),
            variety: Some(text("Gala")),
            places: vec![place],
            harvested: Some(
                DateRange::new(Date::parse("2026-09-30").unwrap(), Date::parse("2026-10-01").unwrap()).unwrap(),
            ),
            quantity: kg(quantity),
            grade: Some(Grade::standard("B").unwrap()),
            codes: Some(Codes {
                gtin: Some(Gtin::new("6291041500213").unwrap()),
                lot: Some(text("L1")),
                traceability_lot_code: None,
            }),
            claims: None,
            harvester: None,
            price: Some(Sealable::Open(euro_cents(120))),
        };
        let basis = [self.places[&place]];
        let event = self.tell(who, vec![Self::new_subject()], &basis, Body::ProduceRegistered(Box::new(body)));
        event.id().subject(0)
    }

    pub fn grade(&mut self, who: Who, lot: SubjectId, grade: &str) -> SignedEvent {
        let touch = self.on(lot);
        self.tell(who, vec![touch], &[], Self::graded(grade))
    }

    pub fn graded(grade: &str) -> Body {
        Body::ProduceQualityUpdated(QualityUpdated { grade: Grade::standard(grade).unwrap(), reason: None })
    }

    pub fn price(&mut self, who: Who, lot: SubjectId, cents: i128) -> SignedEvent {
        let touch = self.on(lot);
        let body = PriceUpdated { price: Sealable::Open(euro_cents(cents)), reason: None };
        self.tell(who, vec![touch], &[], Body::ProducePriceUpdated(body))
    }

    pub fn move_to(&mut self, who: Who, lot: SubjectId, place: SubjectId) -> SignedEvent {
        let (touch, basis) = (self.on(lot), [self.places[&place]]);
        self.tell(who, vec![touch], &basis, Body::ProduceMoved(ProduceMoved { place }))
    }

    pub fn retire(&mut self, who: Who, lot: SubjectId, quantity: &str) -> SignedEvent {
        let touch = self.on(lot);
        let body = ProduceRetired { quantity: kg(quantity), outcome: provenance::body::Outcome::Sold };
        self.tell(who, vec![touch], &[], Body::ProduceRetired(body))
    }

    pub fn offer_body(lot: SubjectId, quantity: &str, to: Recipient, to_place: Option<SubjectId>) -> Body {
        Body::TransferOffered(Box::new(TransferOffered {
            lines: vec![OfferedLine { lot, quantity: kg(quantity) }],
            to,
            moves: Moves::Both,
            carrier: None,
            from_place: None,
            to_place,
            temperature: None,
            price: None,
            expires: None,
            returns: None,
        }))
    }

    /// Offers all of a lot, or a part of it as a new lot.
    pub fn offer(&mut self, who: Who, lot: SubjectId, quantity: &str, part: bool, to: Who) -> SignedEvent {
        let mut touches = vec![self.on(lot)];
        touches.extend(part.then(Self::new_subject));
        let basis = [self.actors[to].enrolment];
        let body = Self::offer_body(lot, quantity, Recipient::Actor(self.id(to)), None);
        self.tell(who, touches, &basis, body)
    }

    /// Offers the whole lot to an actor, to be brought to a place.
    pub fn offer_to_place(
        &mut self,
        who: Who,
        lot: SubjectId,
        quantity: &str,
        to: Who,
        place: SubjectId,
    ) -> SignedEvent {
        let basis = [self.actors[to].enrolment, self.places[&place]];
        let body = Self::offer_body(lot, quantity, Recipient::Actor(self.id(to)), Some(place));
        let touch = self.on(lot);
        self.tell(who, vec![touch], &basis, body)
    }

    /// Hands a part to a party outside the network.
    pub fn hand_out(&mut self, who: Who, lot: SubjectId, quantity: &str) -> SignedEvent {
        let to = Recipient::OutsideGln(Gln::new("6291041500213").unwrap());
        let touches = vec![self.on(lot), Self::new_subject()];
        self.tell(who, touches, &[], Self::offer_body(lot, quantity, to, None))
    }

    pub fn accept(
        &mut self,
        who: Who,
        offer: EventId,
        item: SubjectId,
        received: &str,
        rejected: Option<&str>,
    ) -> SignedEvent {
        let line = AcceptedLine {
            received: kg(received),
            rejected: rejected.map(kg),
            lost: None,
            reason: rejected.map(|_| text("bruised")),
        };
        let mut touches = vec![self.on(item)];
        touches.extend(rejected.map(|_| Self::new_subject()));
        self.tell(who, touches, &[], Body::TransferAccepted(TransferAccepted { offer, lines: vec![line] }))
    }

    pub fn decline(&mut self, who: Who, offer: EventId, item: SubjectId) -> SignedEvent {
        let touch = self.on(item);
        self.tell(who, vec![touch], &[], Body::TransferDeclined(TransferClosed { offer, reason: None }))
    }

    pub fn cancel(&mut self, who: Who, offer: EventId, item: SubjectId) -> SignedEvent {
        let touch = self.on(item);
        self.tell(who, vec![touch], &[], Body::TransferCancelled(TransferClosed { offer, reason: None }))
    }

    /// Corrects one field of an event's body.
    pub fn correct(&mut self, who: Who, target: &SignedEvent, field: u8, value: Any) -> SignedEvent {
        let touch = self.on_lane(target.subject(0).unwrap(), Lane::Attester(self.id(who)));
        let body = EventCorrected {
            target: target.id(),
            reason: text("typing error"),
            replacement: BTreeMap::from([(field, value)]),
        };
        self.tell(who, vec![touch], &[target.id()], Body::EventCorrected(body))
    }

    /// Runs `telling`; what is signed afterwards does not know of it until all [`Story::meet`].
    pub fn beside<T>(&mut self, telling: impl FnOnce(&mut Self) -> T) -> T {
        let known = self.tips.clone();
        let result = telling(self);
        let told = std::mem::replace(&mut self.tips, known);
        for (lane, tips) in told {
            // New subjects stay known, so that they can be named.
            self.tips.entry(lane).or_insert(tips);
        }
        result
    }

    /// As `beside`, but with a copy of the signer's key: what it signs afterwards forks its journal.
    pub fn with_copied_key<T>(&mut self, who: Who, telling: impl FnOnce(&mut Self) -> T) -> T {
        let journal = self.actors[who].journal;
        let result = self.beside(telling);
        self.actors[who].journal = journal;
        result
    }

    /// From here on everybody knows everything.
    pub fn meet(&mut self) {
        let mut tips: HashMap<(SubjectId, Lane), Vec<EventId>> = HashMap::new();
        for actor in self.actors.iter().filter(|actor| actor.enrolment == self.network.id().as_event()) {
            tips.insert((actor.id, Lane::Main), vec![actor.enrolment]);
        }
        for event in &self.events {
            for (index, touch) in event.payload().touches.iter().enumerate() {
                let lane = tips.entry((event.subject(index).unwrap(), touch.lane)).or_default();
                lane.retain(|tip| !touch.prev.contains(tip));
                lane.push(event.id());
                lane.sort_unstable();
            }
        }
        self.tips = tips;
    }
}
