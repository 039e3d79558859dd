//! Who signs: farms, cooperatives and traders, each with a key and a place.

use ed25519_dalek::{Signer, SigningKey};
use provenance::body::{ActorEnrolled, Body, Custody, PlaceRegistered, Role};
use provenance::event::SignedEvent;
use provenance::id::{EventId, NetworkId, PublicKey, SubjectId, sha256};
use provenance::payload::{Lane, Payload, Touch};
use provenance::value::{Coordinates, LangText, Text, Timestamp};

/// Somebody with a key.
pub struct Actor {
    pub key: SigningKey,
    pub id: SubjectId,
    /// The event that gave the key.
    pub enrolment: EventId,
    /// The last event that the key signed.
    pub journal: EventId,
    /// Where goods lie at this actor's, and the event that registered it.
    pub place: (SubjectId, EventId),
}

/// The key of actor `number`; 0 is the founder.
pub fn key(number: usize) -> SigningKey {
    SigningKey::from_bytes(&sha256(&[b"furrow/bench/key", &number.to_be_bytes()]))
}

pub fn public(key: &SigningKey) -> PublicKey {
    PublicKey::from_bytes(key.verifying_key().to_bytes())
}

/// A text of the corpus.
pub fn text<const MAX: usize>(text: &str) -> Text<MAX> {
    Text::new(text).expect("all texts of the corpus can be shown")
}

/// What an event has beside what it says.
pub struct Frame {
    pub network: NetworkId,
    pub time_ms: u64,
    pub journal: EventId,
    pub enrolment: EventId,
}

impl Frame {
    /// Signs an event in this frame.
    pub fn sign(
        self,
        key: &SigningKey,
        touches: Vec<Touch>,
        basis: &[EventId],
        body: Body,
    ) -> anyhow::Result<SignedEvent> {
        let mut basis = basis.to_vec();
        basis.push(self.enrolment);
        basis.sort_unstable();
        basis.dedup();
        let payload = Payload {
            network: self.network,
            time: Timestamp::new(self.time_ms)?,
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
        };
        Ok(SignedEvent::sign(payload, key)?)
    }
}

/// A touch that creates a subject.
pub fn new_subject() -> Touch {
    Touch { subject: None, lane: Lane::Main, prev: Vec::new() }
}

/// A touch of a subject's main lane after its tip.
pub fn after(subject: SubjectId, tip: EventId) -> Touch {
    Touch { subject: Some(subject), lane: Lane::Main, prev: vec![tip] }
}

/// The founder's enrolment of actor `number`.
pub fn enrolment(number: usize, network: &NetworkId, founder: &SubjectId) -> Body {
    let key = key(number);
    let mut body = ActorEnrolled {
        key: public(&key),
        custody: Custody::Own,
        roles: vec![Role::Farmer, Role::Trader],
        may_give: Vec::new(),
        display_name: text(&format!("Farm {number}")),
        personal_name: None,
        gln: None,
        gs1_prefixes: None,
        node: None,
        countersignature: [0; 64].into(),
    };
    body.countersignature = key.sign(&body.countersigned_bytes(network, founder)).to_bytes().into();
    Body::ActorEnrolled(body)
}

/// The place of actor `number`.
pub fn place(number: usize) -> anyhow::Result<Body> {
    #[allow(clippy::cast_precision_loss)] // There are a thousand actors.
    let east = (number % 1_000) as f64 / 100.0;
    Ok(Body::PlaceRegistered(PlaceRegistered {
        place_type: text("farm"),
        name: LangText::single("en", &format!("Orchard {number}"))?,
        gln: None,
        point: Some(Coordinates::from_degrees(44.12, east)?.to_open()),
        exact_point: None,
        outline: None,
        area_m2: Some(12_000),
        parent: None,
        country: Some(text("FR")),
    }))
}
