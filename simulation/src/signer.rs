//! Whoever signs: a key, the journal that it believes to continue, and what it has not heard of yet.

use crate::chance::Chance;
use ed25519_dalek::SigningKey;
use provenance::event::SignedEvent;
use provenance::id::{EventId, NetworkId, PublicKey, SubjectId};
use provenance::payload::Payload;
use provenance::value::Timestamp;

use crate::deed::Draft;

/// How somebody keeps the journal of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Habit {
    /// One thing after the other.
    Honest,
    /// At times two things after the same one, told to different nodes.
    Equivocates,
    /// With the copy of a key that belongs to somebody else.
    Thief,
}

/// Somebody with a key. A thief is one more, with the same key.
#[derive(Debug, Clone)]
pub(crate) struct Signer {
    pub key: SigningKey,
    pub actor: SubjectId,
    /// The event that created the actor; the network id for a founder.
    pub enrolment: EventId,
    /// The event that gave the actor this key; the network id for a founder.
    pub key_event: EventId,
    pub habit: Habit,
    /// The machine to which it is connected.
    pub home: usize,
    /// Who stands above the actor, the nearest first.
    pub above: Vec<SubjectId>,
    /// Whether the actor stands, or may stand, above others.
    pub oversees: bool,
    /// Whether the key was changed for another one and is seldom used since.
    pub is_weary: bool,
    /// The amendment on which the journal rests.
    pub amendment: Option<EventId>,
    /// What it signed last.
    pub journal: EventId,
    /// All that it signed in this journal, oldest first.
    pub line: Vec<EventId>,
    /// What it signed and has not seen in a log yet, oldest first: a device sends it again until it has.
    pub trail: Vec<SignedEvent>,
    /// Places that it registered, with their events.
    pub places: Vec<(SubjectId, EventId)>,
}

impl Signer {
    /// Somebody with the key that came with the enrolment.
    pub fn new(key: SigningKey, actor: SubjectId, enrolment: EventId, home: usize) -> Self {
        Self {
            key,
            actor,
            enrolment,
            key_event: enrolment,
            habit: Habit::Honest,
            home,
            above: Vec::new(),
            oversees: false,
            is_weary: false,
            amendment: None,
            journal: enrolment,
            line: Vec::new(),
            trail: Vec::new(),
            places: Vec::new(),
        }
    }

    /// The same actor with another key.
    pub fn with_key(&self, key: SigningKey, key_event: EventId, home: usize) -> Self {
        Self {
            key_event,
            above: self.above.clone(),
            oversees: self.oversees,
            journal: key_event,
            places: self.places.clone(),
            ..Self::new(key, self.actor, self.enrolment, home)
        }
    }

    /// Whether nobody stands above.
    pub fn is_founder(&self) -> bool {
        self.above.is_empty()
    }

    pub fn public_key(&self) -> PublicKey {
        public(&self.key)
    }

    /// Signs after what it signed last. Its journal goes on only with [`Signer::goes_on_with`].
    pub fn sign(&self, network: NetworkId, now_ms: u64, draft: Draft) -> SignedEvent {
        let mut basis = draft.basis;
        basis.extend([self.enrolment, self.key_event]);
        basis.extend(self.amendment);
        basis.sort_unstable();
        basis.dedup();
        let payload = Payload {
            network,
            time: Timestamp::new(now_ms).expect("simulated time is a time"),
            occurred: None,
            journal: self.journal,
            touches: draft.touches,
            basis,
            body: draft.body,
            on_behalf_of: None,
            captured_by: None,
            refs: None,
            after: None,
            extensions: None,
        };
        SignedEvent::sign(payload, &self.key).expect("drafts are well-formed")
    }

    /// What it signs next comes after this one.
    pub fn goes_on_with(&mut self, event: SignedEvent) {
        self.journal = event.id();
        self.line.push(event.id());
        self.trail.push(event);
    }

    /// Signs again from before this one, if nothing came after it.
    pub fn forget_last(&mut self, id: &EventId) {
        if let Some(last) = self.trail.pop_if(|last| last.id() == *id) {
            self.journal = last.payload().journal;
            self.line.pop();
        }
    }

    /// What it signed up to this one is in a log.
    pub fn has_seen(&mut self, id: &EventId) {
        if let Some(at) = self.trail.iter().position(|event| event.id() == *id) {
            self.trail.drain(..=at);
        }
    }
}

pub(crate) fn public(key: &SigningKey) -> PublicKey {
    PublicKey::from_bytes(key.verifying_key().to_bytes())
}

pub(crate) fn new_key(chance: &mut Chance) -> SigningKey {
    SigningKey::from_bytes(&chance.bytes())
}
