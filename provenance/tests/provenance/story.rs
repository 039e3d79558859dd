//! Actors with keys who sign events, for tests to tell stories with.

use ed25519_dalek::{Signer, SigningKey};
use minicbor::bytes::ByteArray;
use provenance::body::*;
use provenance::event::SignedEvent;
use provenance::id::{EventId, NetworkId, PublicKey, SubjectId};
use provenance::network::Network;
use provenance::payload::{Lane, Payload, Touch};
use provenance::value::*;

/// Somebody who signs: the key, the actor, and the line of what was signed.
#[derive(Clone)]
pub struct Signatory {
    pub key: SigningKey,
    pub actor: SubjectId,
    pub key_event: EventId,
    pub journal: EventId,
    pub network: NetworkId,
    pub time_ms: u64,
}

pub fn public(key: &SigningKey) -> PublicKey {
    PublicKey::from_bytes(key.verifying_key().to_bytes())
}

pub fn key(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

pub fn network() -> Network {
    Network::new(Text::new("test").unwrap(), [9; 16], vec![public(&key(1)), public(&key(2))]).unwrap()
}

pub fn kg(decimal: &str) -> Quantity {
    Quantity::parse(decimal, Unit::new("KGM").unwrap(), None).unwrap()
}

pub fn touch(subject: SubjectId, prev: &[EventId]) -> Touch {
    let mut prev = prev.to_vec();
    prev.sort_unstable();
    Touch { subject: Some(subject), lane: Lane::Main, prev }
}

pub fn new_subject() -> Touch {
    Touch { subject: None, lane: Lane::Main, prev: vec![] }
}

impl Signatory {
    pub fn founder(network: &Network, index: u8) -> Self {
        let id = network.id();
        Self {
            key: key(index + 1),
            actor: id.founder(u32::from(index)),
            key_event: id.as_event(),
            journal: id.as_event(),
            network: id,
            time_ms: 1_790_000_000_000,
        }
    }

    /// A payload that only lacks what the caller changes.
    pub fn payload(&self, touches: Vec<Touch>, basis: &[EventId], body: Body) -> Payload {
        let mut basis: Vec<_> = basis.iter().copied().chain([self.key_event]).collect();
        basis.sort_unstable();
        basis.dedup();
        Payload {
            network: self.network,
            time: Timestamp::new(self.time_ms).unwrap(),
            occurred: None,
            journal: self.journal,
            touches,
            basis,
            body,
            on_behalf_of: None,
            captured_by: None,
            refs: None,
            after: None,
            extensions: None,
        }
    }

    /// Signs and goes on in the journal.
    pub fn sign(&mut self, payload: Payload) -> SignedEvent {
        let event = SignedEvent::sign(payload, &self.key).unwrap();
        self.journal = event.id();
        self.time_ms += 1000;
        event
    }

    pub fn says(&mut self, touches: Vec<Touch>, basis: &[EventId], body: Body) -> SignedEvent {
        let payload = self.payload(touches, basis, body);
        self.sign(payload)
    }

    pub fn enrolment(&self, new: &SigningKey, roles: Vec<Role>, may_give: Vec<Role>) -> ActorEnrolled {
        let mut body = ActorEnrolled {
            key: public(new),
            custody: Custody::Own,
            roles,
            may_give,
            display_name: Text::new("somebody").unwrap(),
            personal_name: None,
            gln: None,
            gs1_prefixes: None,
            node: None,
            countersignature: ByteArray::from([0; 64]),
        };
        let bytes = body.countersigned_bytes(&self.network, &self.actor);
        body.countersignature = ByteArray::from(new.sign(&bytes).to_bytes());
        body
    }

    /// Enrols a new key, and gives back the event and who it made.
    pub fn enrols(&mut self, seed: u8, roles: Vec<Role>, may_give: Vec<Role>) -> (SignedEvent, Signatory) {
        let new = key(seed);
        let body = self.enrolment(&new, roles, may_give);
        let event = self.says(vec![new_subject()], &[], Body::ActorEnrolled(body));
        let signatory = Signatory {
            key: new,
            actor: event.subject(0).unwrap(),
            key_event: event.id(),
            journal: event.id(),
            network: self.network,
            time_ms: self.time_ms,
        };
        (event, signatory)
    }

    pub fn registers_place(&mut self) -> SignedEvent {
        let body = PlaceRegistered {
            place_type: Text::new("farm").unwrap(),
            name: LangText::single("en", "Hill farm").unwrap(),
            gln: None,
            point: Some(Coordinates::from_degrees(44.8381, -0.5792).unwrap().to_open()),
            exact_point: None,
            outline: None,
            area_m2: Some(12_000),
            parent: None,
            country: Some(Text::new("FR").unwrap()),
        };
        self.says(vec![new_subject()], &[], Body::PlaceRegistered(body))
    }

    pub fn registers(&mut self, quantity: &str, place: Option<&SignedEvent>) -> SignedEvent {
        let body = ProduceRegistered {
            commodity: Commodity { scheme: Text::new("HS").unwrap(), code: Text::new("0808.10").unwrap() },
            name: LangText::single("en", "Apples").unwrap(),
            variety: None,
            places: place.iter().filter_map(|place| place.subject(0)).collect(),
            harvested: None,
            quantity: kg(quantity),
            grade: Some(Grade::standard("A").unwrap()),
            codes: None,
            claims: None,
            harvester: None,
            price: None,
        };
        let basis: Vec<_> = place.iter().map(|place| place.id()).collect();
        self.says(vec![new_subject()], &basis, Body::ProduceRegistered(Box::new(body)))
    }

    pub fn grades(&mut self, lot: SubjectId, prev: &[EventId], value: &str) -> SignedEvent {
        let body = QualityUpdated { grade: Grade::standard(value).unwrap(), reason: None };
        self.says(vec![touch(lot, prev)], &[], Body::ProduceQualityUpdated(body))
    }

    /// Offers a lot to an actor; a `part` creates a part-lot.
    pub fn offers(
        &mut self,
        lot: SubjectId,
        prev: &[EventId],
        quantity: &str,
        part: bool,
        to: &Signatory,
    ) -> SignedEvent {
        let body = TransferOffered {
            lines: vec![OfferedLine { lot, quantity: kg(quantity) }],
            to: Recipient::Actor(to.actor),
            moves: Moves::Both,
            carrier: None,
            from_place: None,
            to_place: None,
            temperature: None,
            price: None,
            expires: None,
            returns: None,
        };
        let mut touches = vec![touch(lot, prev)];
        touches.extend(part.then(new_subject));
        self.says(touches, &[to.key_event], Body::TransferOffered(Box::new(body)))
    }

    pub fn accepts(&mut self, item: SubjectId, offer: &SignedEvent, line: AcceptedLine) -> SignedEvent {
        let split = !line.received.is_zero() && line.rejected.is_some();
        let body = TransferAccepted { offer: offer.id(), lines: vec![line] };
        let mut touches = vec![touch(item, &[offer.id()])];
        touches.extend(split.then(new_subject));
        self.says(touches, &[], Body::TransferAccepted(body))
    }

    pub fn accepts_all(&mut self, item: SubjectId, offer: &SignedEvent, quantity: &str) -> SignedEvent {
        self.accepts(item, offer, received(quantity))
    }

    pub fn cancels(&mut self, item: SubjectId, offer: &SignedEvent) -> SignedEvent {
        let body = TransferClosed { offer: offer.id(), reason: None };
        self.says(vec![touch(item, &[offer.id()])], &[], Body::TransferCancelled(body))
    }
}

pub fn received(quantity: &str) -> AcceptedLine {
    AcceptedLine { received: kg(quantity), rejected: None, lost: None, reason: None }
}

/// A cooperative with a farmer, and two buyers; the events that made them.
pub struct Cast {
    pub founder: Signatory,
    pub farmer: Signatory,
    pub buyer: Signatory,
    pub rival: Signatory,
    pub events: Vec<SignedEvent>,
}

pub fn cast() -> Cast {
    let mut founder = Signatory::founder(&network(), 0);
    let (a, farmer) = founder.enrols(10, vec![Role::Farmer], vec![]);
    let (b, buyer) = founder.enrols(11, vec![Role::Trader], vec![]);
    let (c, rival) = founder.enrols(12, vec![Role::Trader], vec![]);
    Cast { founder, farmer, buyer, rival, events: vec![a, b, c] }
}
