//! Somebody who holds a key outside all nodes, and signs what no node would.

use crate::scene::Scene;
use ed25519_dalek::SigningKey;
use provenance::body::{
    AcceptedLine, Body, Commodity, Moves, OfferedLine, PlaceRegistered, ProduceMoved, ProduceRegistered,
    QualityUpdated, Recipient, TransferAccepted, TransferOffered,
};
use provenance::event::SignedEvent;
use provenance::id::{EventId, NetworkId, PublicKey, SubjectId};
use provenance::payload::{Lane, Payload, Touch};
use provenance::value::{Coordinates, Grade, LangText, Quantity, Text, Timestamp, Unit};

/// When the first event of each signer is signed; each further one comes a second later.
const START_MS: u64 = 1_790_000_000_000;

/// A key with its journal. A copy forks the journal, as a copied key does.
#[derive(Debug, Clone)]
pub struct Signer {
    key: SigningKey,
    network: NetworkId,
    actor: SubjectId,
    journal: EventId,
    /// On which events the signer's right rests.
    right: Vec<EventId>,
    now_ms: u64,
}

/// The public half of the key that [`Signer::founder`] makes of a seed.
pub fn public(seed: u8) -> PublicKey {
    PublicKey::from_bytes(SigningKey::from_bytes(&[seed; 32]).verifying_key().to_bytes())
}

/// The touch of a lot's main lane after these events.
pub fn on(lot: SubjectId, prev: &[EventId]) -> Touch {
    Touch { subject: Some(lot), lane: Lane::Main, prev: prev.to_vec() }
}

/// The touch that creates a subject.
pub fn new_subject() -> Touch {
    Touch { subject: None, lane: Lane::Main, prev: Vec::new() }
}

/// A text that is valid.
pub fn text<const MAX: usize>(text: &str) -> Text<MAX> {
    Text::new(text).expect("a valid text")
}

/// A quantity in kilograms.
pub fn kg(decimal: &str) -> Quantity {
    Quantity::parse(decimal, Unit::new("KGM").expect("a unit"), None).expect("a decimal number")
}

impl Signer {
    /// The founder with the key of this seed, who stands at this place among the scene's founders that are no nodes.
    pub fn founder(scene: &Scene, seed: u8, index: u32) -> Self {
        let network = scene.network();
        Self {
            key: SigningKey::from_bytes(&[seed; 32]),
            network,
            actor: scene.founder(index),
            journal: network.as_event(),
            right: vec![network.as_event()],
            now_ms: START_MS,
        }
    }

    /// An actor with the key of this seed, which `key_event` gave it; `enrolment` brought it in.
    pub fn with_key(scene: &Scene, seed: u8, actor: SubjectId, enrolment: EventId, key_event: EventId) -> Self {
        let network = scene.network();
        Self {
            key: SigningKey::from_bytes(&[seed; 32]),
            network,
            actor,
            journal: key_event,
            // The network too, so that founders can be named.
            right: vec![network.as_event(), enrolment, key_event],
            now_ms: START_MS,
        }
    }

    /// The actor.
    pub fn actor(&self) -> SubjectId {
        self.actor
    }

    /// The secret key.
    pub fn key(&self) -> &SigningKey {
        &self.key
    }

    /// What this signer would say next; nothing is signed yet.
    pub fn payload(&self, touches: Vec<Touch>, more_basis: &[EventId], body: Body) -> Payload {
        let mut basis = more_basis.to_vec();
        // A founder's right rests on the network itself, and so does that of other founders to be named.
        basis.extend_from_slice(&self.right);
        basis.sort_unstable();
        basis.dedup();
        Payload {
            network: self.network,
            time: Timestamp::new(self.now_ms).expect("a time of this century"),
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

    /// Signs a payload and takes it for the last of the journal.
    pub fn sign(&mut self, payload: Payload) -> SignedEvent {
        let event = SignedEvent::sign(payload, &self.key).expect("the payload is well built");
        self.journal = event.id();
        self.now_ms += 1000;
        event
    }

    fn tell(&mut self, touches: Vec<Touch>, more_basis: &[EventId], body: Body) -> SignedEvent {
        let payload = self.payload(touches, more_basis, body);
        self.sign(payload)
    }

    /// Registers a farm.
    pub fn farm(&mut self, name: &str) -> SignedEvent {
        let point = Coordinates::from_degrees(46.55, 11.19).expect("on Earth").to_open();
        let body = PlaceRegistered {
            place_type: text("farm"),
            name: LangText::single("en", name).expect("a name"),
            gln: None,
            point: Some(point),
            exact_point: None,
            outline: None,
            area_m2: None,
            parent: None,
            country: Some(text("IT")),
        };
        self.tell(vec![new_subject()], &[], Body::PlaceRegistered(body))
    }

    /// Registers a lot of pears that was grown at a farm.
    pub fn lot(&mut self, farm: &SignedEvent, kilograms: &str) -> SignedEvent {
        let body = ProduceRegistered {
            commodity: Commodity { scheme: text("HS"), code: text("0808.30") },
            name: LangText::single("en", "Pears").expect("a name"),
            variety: Some(text("Conference")),
            places: vec![farm.id().subject(0)],
            harvested: None,
            quantity: kg(kilograms),
            grade: None,
            codes: None,
            claims: None,
            harvester: None,
            price: None,
        };
        self.tell(vec![new_subject()], &[farm.id()], Body::ProduceRegistered(Box::new(body)))
    }

    /// Grades a lot after these events.
    pub fn grade(&mut self, lot: SubjectId, prev: &[EventId], grade: &str) -> SignedEvent {
        let body = QualityUpdated { grade: Grade::standard(grade).expect("a grade"), reason: None };
        self.tell(vec![on(lot, prev)], &[], Body::ProduceQualityUpdated(body))
    }

    /// Brings a lot to a place.
    pub fn bring(&mut self, lot: SubjectId, prev: &[EventId], place: &SignedEvent) -> SignedEvent {
        let body = ProduceMoved { place: place.id().subject(0) };
        self.tell(vec![on(lot, prev)], &[place.id()], Body::ProduceMoved(body))
    }

    /// Offers all of a lot to another founder.
    pub fn offer(&mut self, lot: SubjectId, prev: &[EventId], kilograms: &str, to: SubjectId) -> SignedEvent {
        self.tell(vec![on(lot, prev)], &[], offered(lot, kilograms, to))
    }

    /// Offers a part of a lot to another founder. The part-lot is subject 1 of the offer.
    pub fn offer_part(&mut self, lot: SubjectId, prev: &[EventId], kilograms: &str, to: SubjectId) -> SignedEvent {
        self.tell(vec![on(lot, prev), new_subject()], &[], offered(lot, kilograms, to))
    }

    /// Accepts all of an offer of one line, which put `item` at this actor's disposal.
    pub fn accept(&mut self, offer: &SignedEvent, item: SubjectId, kilograms: &str) -> SignedEvent {
        let line = AcceptedLine { received: kg(kilograms), rejected: None, lost: None, reason: None };
        let body = TransferAccepted { offer: offer.id(), lines: vec![line] };
        self.tell(vec![on(item, &[offer.id()])], &[], Body::TransferAccepted(body))
    }
}

fn offered(lot: SubjectId, kilograms: &str, to: SubjectId) -> Body {
    Body::TransferOffered(Box::new(TransferOffered {
        lines: vec![OfferedLine { lot, quantity: kg(kilograms) }],
        to: Recipient::Actor(to),
        moves: Moves::Both,
        carrier: None,
        from_place: None,
        to_place: None,
        temperature: None,
        price: None,
        expires: None,
        returns: None,
    }))
}
