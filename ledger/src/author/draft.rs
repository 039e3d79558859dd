//! An event that is being put together: what it touches, on what it rests, what it seals.

mod lots;

use super::error::AuthorError;
use super::sealed::FieldOpening;
use super::submission::{Desk, Link, Signer};
use super::{Context, To};
use crate::reader::Stored;
use provenance::admission::Ancestry;
use provenance::body::{Body, Recipient, Role};
use provenance::cbor;
use provenance::id::{EventId, PublicKey, SubjectId};
use provenance::payload::{Lane, Payload, Touch};
use provenance::seal::{self, Commitment, Opening, Sealable, SealedField};
use provenance::value::{Price, Timestamp};
use std::collections::BTreeSet;

/// Something that can become the body of an event.
pub(super) trait Command: Send + Sync + 'static {
    /// The key that signs, where it is not the newest live one that is kept here.
    fn signing_key(&self) -> Option<PublicKey> {
        None
    }

    /// Makes the body, and tells the draft what the event touches, names and seals.
    fn compose(&self, draft: &mut Draft<'_>) -> Result<Body, AuthorError>;
}

/// The event before it is signed.
pub(super) struct Draft<'a> {
    desk: &'a Desk,
    signer: &'a Signer,
    journal: EventId,
    time: Timestamp,
    touches: Vec<Touch>,
    basis: BTreeSet<EventId>,
    openings: Vec<FieldOpening>,
    /// The precondition, until it was looked at.
    expected_tips: Option<&'a BTreeSet<EventId>>,
}

impl<'a> Draft<'a> {
    /// An event of `signer` that follows `link` in its journal.
    pub fn new(desk: &'a Desk, signer: &'a Signer, link: &Link, context: &'a Context) -> Result<Self, AuthorError> {
        let now = Timestamp::new(desk.means.clock.now_ms())?;
        let mut draft = Self {
            desk,
            signer,
            journal: link.event,
            // A clock that was set back must not make the journal run backwards.
            time: link.time.map_or(now, |previous| previous.max(now)),
            touches: Vec::new(),
            basis: BTreeSet::from([signer.key_event, signer.enrolment]),
            openings: Vec::new(),
            expected_tips: context.expected_tips.as_ref(),
        };
        if let Some(member) = &context.on_behalf_of {
            draft.names_actor("on_behalf_of", member)?;
        }
        if let Some(typist) = &context.captured_by {
            draft.names_actor("captured_by", typist)?;
        }
        Ok(draft)
    }

    /// The payload to sign, and what opens its sealed fields.
    pub fn finish(self, context: &Context, body: Body) -> (Payload, Vec<FieldOpening>) {
        let payload = Payload {
            network: self.desk.network_id,
            time: self.time,
            occurred: context.occurred,
            journal: self.journal,
            touches: self.touches,
            basis: self.basis.into_iter().collect(),
            body,
            on_behalf_of: context.on_behalf_of,
            captured_by: context.captured_by,
            refs: (!context.refs.is_empty()).then(|| context.refs.clone()),
            after: self.desk.means.anchors.newest(),
            extensions: context.extensions.clone(),
        };
        (payload, self.openings)
    }

    pub fn desk(&self) -> &Desk {
        self.desk
    }

    /// The actor whose key signs.
    pub fn signer(&self) -> SubjectId {
        self.signer.actor
    }

    /// The event before this one in the signer's journal, which no other event of it follows.
    pub fn journal(&self) -> EventId {
        self.journal
    }

    /// The event that gave the key which signs; the network id for founders.
    pub fn key_event(&self) -> EventId {
        self.signer.key_event
    }

    /// Which roles the signer may give to others.
    pub fn may_give(&self) -> Result<Vec<Role>, AuthorError> {
        let enrolment = self.desk.stored(&self.signer.enrolment)?;
        Ok(match enrolment.as_ref().map(|stored| &stored.judged.event.payload().body) {
            Some(Body::ActorEnrolled(body)) => body.may_give.clone(),
            // A founder's is the network.
            _ => Role::ALL.to_vec(),
        })
    }

    /// The event creates a subject.
    pub fn creates(&mut self) {
        self.touches.push(Touch { subject: None, lane: Lane::Main, prev: Vec::new() });
    }

    /// The event goes on with the signer's own main lane, which for a founder begins at the network.
    pub fn extends_own_lane(&mut self) -> Result<(), AuthorError> {
        let subject = self.signer.actor;
        let mut tips = self.desk.ledger.reader().lane_tips(&subject, Lane::Main)?;
        if tips.is_empty() {
            tips.push(self.desk.network_id.as_event());
        }
        self.extends(subject, Lane::Main, tips)
    }

    /// The event goes on with what the signer attests about a subject.
    pub fn attests(&mut self, subject: SubjectId) -> Result<(), AuthorError> {
        let lane = Lane::Attester(self.signer.actor);
        let tips = self.desk.ledger.reader().lane_tips(&subject, lane)?;
        self.extends(subject, lane, tips)
    }

    /// The event goes on with a place, which belongs to its basis.
    pub fn extends_place(&mut self, field: &'static str, place: SubjectId) -> Result<(), AuthorError> {
        self.names_place(field, &place)?;
        let tips = self.desk.ledger.reader().counted_tips(&place, Lane::Main)?;
        self.extends(place, Lane::Main, tips.into_iter().collect())
    }

    /// The event goes on with the main lane of what is no lot: an actor, a certificate or the network.
    pub fn extends_lane_of(&mut self, subject: SubjectId) -> Result<(), AuthorError> {
        let mut tips = self.desk.ledger.reader().lane_tips(&subject, Lane::Main)?;
        if tips.is_empty() {
            tips.push(self.desk.network_id.as_event());
        }
        self.extends(subject, Lane::Main, tips)
    }

    /// The event rests on another one.
    pub fn names_event(&mut self, event: impl IntoIterator<Item = EventId>) {
        self.basis.extend(event);
    }

    /// The event tells of a subject, whose creation belongs to its basis.
    pub fn names_subject(&mut self, field: &'static str, subject: &SubjectId) -> Result<EventId, AuthorError> {
        let origin = self.desk.ledger.reader().origin(subject)?;
        let (creation, _) = origin.ok_or(AuthorError::UnknownSubject { field, subject: *subject })?;
        self.basis.insert(creation);
        Ok(creation)
    }

    /// The event names an actor, whose enrolment belongs to its basis.
    pub fn names_actor(&mut self, field: &'static str, actor: &SubjectId) -> Result<(), AuthorError> {
        let enrolment = self.desk.enrolment_of(actor)?.ok_or(AuthorError::UnknownActor { field, actor: *actor })?;
        self.basis.insert(enrolment);
        Ok(())
    }

    /// The event names a place, whose registration belongs to its basis.
    pub fn names_place(&mut self, field: &'static str, place: &SubjectId) -> Result<(), AuthorError> {
        let unknown = AuthorError::UnknownPlace { field, place: *place };
        let Some((registration, _)) = self.desk.ledger.reader().origin(place)? else { return Err(unknown) };
        let is_place = |stored: &Stored| matches!(stored.judged.event.payload().body, Body::PlaceRegistered(_));
        if !self.desk.stored(&registration)?.as_ref().is_some_and(is_place) {
            return Err(unknown);
        }
        self.basis.insert(registration);
        Ok(())
    }

    /// The recipient of an offer, named or sealed.
    pub fn recipient(&mut self, to: &To) -> Result<Recipient, AuthorError> {
        Ok(match to {
            To::Actor(actor) => {
                self.names_actor("to", actor)?;
                Recipient::Actor(*actor)
            }
            To::OutsideGln(gln) => Recipient::OutsideGln(gln.clone()),
            To::OutsideName(name) => Recipient::OutsideName(self.seals(seal::OUTSIDE_NAME, name)),
        })
    }

    /// Seals a value in the field at `path`.
    pub fn seals<T: minicbor::Encode<()>>(&mut self, path: &[u8], value: &T) -> Sealable<T> {
        Sealable::Sealed(self.commits_to(path, value))
    }

    /// The commitment to a value in the field at `path`.
    pub fn commits_to(&mut self, path: &[u8], value: &impl minicbor::Encode<()>) -> Commitment {
        let opening = Opening { salt: self.desk.means.salts.salt(), value: cbor::to_vec(value) };
        let field = SealedField { signer: &self.signer.key, journal: &self.journal, path };
        let commitment = opening.commitment(field);
        self.openings.push((path.to_vec(), opening));
        commitment
    }

    /// A price, sealed where that is asked for.
    pub fn price(&mut self, path: &[u8], price: Price, sealed: bool) -> Sealable<Price> {
        if sealed { self.seals(path, &price) } else { Sealable::Open(price) }
    }

    fn extends(&mut self, subject: SubjectId, lane: Lane, mut tips: Vec<EventId>) -> Result<(), AuthorError> {
        tips.sort_unstable();
        self.expects(&tips.iter().copied().collect())?;
        self.touches.push(Touch { subject: Some(subject), lane, prev: tips });
        Ok(())
    }

    /// The precondition holds for the first subject that is changed.
    fn expects(&mut self, present: &BTreeSet<EventId>) -> Result<(), AuthorError> {
        match self.expected_tips.take() {
            Some(expected) if expected != present => Err(AuthorError::Stale { present: present.clone() }),
            _ => Ok(()),
        }
    }
}
