//! An event that is being put together: what it touches, on what it rests, what it seals.

use super::error::AuthorError;
use super::sealed::FieldOpening;
use super::submission::{Desk, Link, Signer};
use super::{Context, To};
use crate::reader::Stored;
use provenance::admission::{Ancestry, Judged, OfferedItem, offered_items};
use provenance::body::{Body, Recipient, Role};
use provenance::cbor;
use provenance::counting::CountedLot;
use provenance::custody::LotState;
use provenance::id::{EventId, SubjectId};
use provenance::payload::{Lane, Payload, Touch};
use provenance::seal::{self, Commitment, Opening, Sealable, SealedField};
use provenance::value::{Price, Timestamp};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Something that can become the body of an event.
pub(super) trait Command: Send + Sync + 'static {
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
            basis: BTreeSet::from([signer.key_event]),
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

    /// Which roles the signer may give to others.
    pub fn may_give(&self) -> Result<Vec<Role>, AuthorError> {
        let enrolment = self.desk.stored(&self.signer.key_event)?;
        Ok(match enrolment.as_ref().map(|stored| &stored.judged.event.payload().body) {
            Some(Body::ActorEnrolled(body)) => body.may_give.clone(),
            // A founder's key event is the network.
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

    /// The event goes on with a lot, whose present state is returned.
    pub fn extends_lot(&mut self, field: &'static str, lot: SubjectId) -> Result<LotState, AuthorError> {
        let counted = self.counted(field, lot)?;
        if counted.disputed {
            return Err(AuthorError::Disputed { lot });
        }
        let tips = self.tips_that_count(&counted)?;
        self.expects(&counted.tips)?;
        self.touches.push(Touch { subject: Some(lot), lane: Lane::Main, prev: tips });
        Ok(counted.state)
    }

    /// The event answers an offer: it goes on with each item that was offered, in order.
    pub fn answers(&mut self, offer: EventId) -> Result<Vec<OfferedItem>, AuthorError> {
        let stored = self.desk.stored(&offer)?.filter(|stored| stored.index.is_some());
        let items = stored.and_then(|stored| offered_items(&stored.judged));
        let items = items.ok_or(AuthorError::NoSuchOffer { offer })?;
        for item in &items {
            let counted = self.counted("offer", item.item)?;
            // An addressee's answer is what settles a lot that was offered twice, so it follows the
            // branch of its own offer, whatever stands beside it.
            let tips = if counted.disputed {
                let branch = self.tips_of_offer(&counted, &item.item, offer)?;
                if branch.is_empty() {
                    return Err(AuthorError::Disputed { lot: item.item });
                }
                branch
            } else {
                self.tips_that_count(&counted)?
            };
            self.expects(&counted.tips)?;
            self.touches.push(Touch { subject: Some(item.item), lane: Lane::Main, prev: tips });
        }
        Ok(items)
    }

    /// The event names an actor, whose enrolment belongs to its basis.
    pub fn names_actor(&mut self, field: &'static str, actor: &SubjectId) -> Result<(), AuthorError> {
        let found = self.desk.key_of(actor)?.ok_or(AuthorError::UnknownActor { field, actor: *actor })?;
        self.basis.insert(found.key_event);
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

    fn counted(&self, field: &'static str, lot: SubjectId) -> Result<CountedLot, AuthorError> {
        self.desk.ledger.reader().lot(&lot)?.ok_or(AuthorError::UnknownLot { field, lot })
    }

    /// The tips to extend: without those that an accepted handover left beside it, which tell
    /// nothing of the lot any more. Where the signer itself told something there, all tips are
    /// named if they can be joined, because a key must not leave behind what it signed.
    fn tips_that_count(&self, counted: &CountedLot) -> Result<Vec<EventId>, AuthorError> {
        let mut own_beside = false;
        for id in &counted.beside {
            own_beside |= self.desk.stored(id)?.is_some_and(|stored| stored.judged.event.key() == self.signer.key);
        }
        let joinable = counted.in_conflict.is_empty();
        let named = |tip: &&EventId| (own_beside && joinable) || !counted.beside.contains(*tip);
        Ok(counted.tips.iter().filter(named).copied().collect())
    }

    /// The tips at which, as seen from their own ancestors, this offer is open.
    fn tips_of_offer(
        &self,
        counted: &CountedLot,
        lot: &SubjectId,
        offer: EventId,
    ) -> Result<Vec<EventId>, AuthorError> {
        let mut tips = Vec::new();
        for tip in &counted.tips {
            let Some(stored) = self.desk.stored(tip)? else { continue };
            let open = lot_at(&stored.judged, lot).and_then(|state| state.open);
            tips.extend(open.filter(|open| open.offer == offer).map(|_| *tip));
        }
        Ok(tips)
    }
}

/// The lot after an event of its main lane.
fn lot_at<'a>(judged: &'a Arc<Judged>, lot: &SubjectId) -> Option<&'a LotState> {
    let touches = judged.event.payload().touches.iter().enumerate();
    let mut on_lane = touches.filter(|(_, touch)| touch.lane == Lane::Main).map(|(index, _)| index);
    let index = on_lane.find(|index| judged.event.subject(*index) == Some(*lot))?;
    judged.judgement.lines.get(index)?.lot.as_ref()
}
