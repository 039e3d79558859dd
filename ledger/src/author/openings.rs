//! Openings after signing: who may know them, taking in those of others, passing them on, and erasing them.
//!
//! **Invariant:** an opening is kept only if it opens the commitment in its event, and never again once it was erased.
//!
//! **Invariant:** before an opening is handed out for a peer, the disk knows that the peer was given it.

use super::entitlement::{NodeActor, Party, is_entitled};
use super::sealed::{self, FieldOpening};
use super::submission::Desk;
use provenance::admission::Judged;
use provenance::body::{Body, Custody, Recipient};
use provenance::id::{EventId, SubjectId};
use provenance::kind::Kind;
use provenance::seal::{self, Commitment, SealedField, SealedValue};
use std::sync::{Arc, PoisonError};
use store::{OpeningNotes, Openings, Range, StoreError};

/// In the place of a peer's id, the note that an opening was erased here.
const ERASED: &str = "";

/// A sealed field of an event, and what this node knows of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedFieldState {
    /// Field numbers from the body downwards.
    pub path: Vec<u8>,
    /// Its name in JSON; of a correction, the name of the field that is replaced.
    pub name: &'static str,
    /// What stands in the event.
    pub commitment: Commitment,
    /// What is known of the value.
    pub value: Knowledge,
    /// To which peers this node has passed the opening, and when, in milliseconds since 1970.
    pub passed: Vec<(String, u64)>,
}

/// What a node knows of a sealed value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Knowledge {
    /// The opening is not here.
    Unknown,
    /// It was erased here, at this time in milliseconds since 1970.
    Erased(u64),
    /// The value.
    Opened(SealedValue),
    /// It is opened, and what was sealed does not have the form of the field.
    Malformed,
}

/// A sealed field as it stands in an event.
struct Field {
    path: Vec<u8>,
    commitment: Commitment,
    name: &'static str,
    /// The kind and path by which the value is read: those of the target, where the event is a correction.
    form: (Kind, Vec<u8>),
}

/// To whom an opening was passed and when, in milliseconds; and when it was erased.
type Notes = (Vec<(String, u64)>, Option<u64>);

impl Desk {
    /// What opens the sealed fields of an event, as far as it is here.
    pub fn openings(&self, event: &EventId) -> Result<Vec<FieldOpening>, StoreError> {
        let store = self.ledger.reader().store();
        let paths = store.scan::<Openings>(Range::prefix(event)).map(|row| row.map(|((_, path), _)| path));
        let mut openings = Vec::new();
        for path in paths {
            let path = path?;
            // One that was erased in this moment is gone.
            openings.extend(sealed::read(self, event, &path)?.map(|opening| (path, opening)));
        }
        Ok(openings)
    }

    /// The sealed fields of an event; nothing if there is no such event.
    pub fn sealed_fields(&self, event: &EventId) -> Result<Option<Vec<SealedFieldState>>, StoreError> {
        let Some(judged) = self.admitted(event)? else { return Ok(None) };
        let mut states = Vec::new();
        for Field { path, commitment, name, form: (kind, at) } in self.fields(&judged)? {
            let (passed, erased) = self.notes(event, &path)?;
            let value = match sealed::read(self, event, &path)? {
                Some(opening) => {
                    seal::read_sealed(kind, &at, &opening.value).map_or(Knowledge::Malformed, Knowledge::Opened)
                }
                None => erased.map_or(Knowledge::Unknown, Knowledge::Erased),
            };
            states.push(SealedFieldState { path, name, commitment, value, passed });
        }
        Ok(Some(states))
    }

    /// Whether a node of one of these actors may know an event's sealed fields and lacks an opening that was not erased.
    pub fn lacks_openings(&self, event: &EventId, nodes: &[SubjectId]) -> Result<bool, StoreError> {
        let Some(judged) = self.admitted(event)? else { return Ok(false) };
        if seal::sealed_fields(&judged.event.payload().body).is_empty() || !self.entitles(&judged, nodes)? {
            return Ok(false);
        }
        for field in self.fields(&judged)? {
            let key = (*event, field.path.clone());
            if !self.ledger.reader().store().contains::<Openings>(&key)? && !self.is_erased(event, &field.path)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Openings of an event for a peer whose node is of one of these actors; nothing if it may not know them.
    pub fn pass(&self, event: &EventId, nodes: &[SubjectId], peer: &str) -> Result<Vec<FieldOpening>, StoreError> {
        let Some(judged) = self.admitted(event)? else { return Ok(Vec::new()) };
        if seal::sealed_fields(&judged.event.payload().body).is_empty() || !self.entitles(&judged, nodes)? {
            return Ok(Vec::new());
        }
        let _turn = self.openings.lock().unwrap_or_else(PoisonError::into_inner);
        let openings = self.openings(event)?;
        let store = self.ledger.reader().store();
        let mut batch = store.batch();
        for (path, _) in &openings {
            let note = (*event, path.clone(), peer.to_owned());
            if !store.contains::<OpeningNotes>(&note)? {
                batch.put::<OpeningNotes>(&note, &self.means.clock.now_ms());
            }
        }
        if !batch.is_empty() {
            batch.commit_synced()?;
        }
        Ok(openings)
    }

    /// Keeps openings that came from elsewhere; returns how many of them do not open anything.
    pub fn take(&self, event: &EventId, openings: Vec<FieldOpening>) -> Result<usize, StoreError> {
        let Some(judged) = self.admitted(event)? else { return Ok(openings.len()) };
        let (signer, journal) = (judged.event.key(), judged.event.payload().journal);
        let fields = seal::sealed_fields(&judged.event.payload().body);
        let _turn = self.openings.lock().unwrap_or_else(PoisonError::into_inner);
        let mut batch = self.ledger.reader().store().batch();
        let mut wrong = 0;
        for (path, opening) in openings {
            let field = SealedField { signer: &signer, journal: &journal, path: &path };
            let commitment = opening.commitment(field);
            if !fields.contains(&(path.clone(), commitment)) {
                wrong += 1;
            } else if !self.is_erased(event, &path)? {
                sealed::put(self, &mut batch, event, &path, &opening);
            }
        }
        if !batch.is_empty() {
            batch.commit_synced()?;
        }
        Ok(wrong)
    }

    /// Erases the openings of these fields, and notes it so that they are never taken in again.
    pub fn erase(&self, event: &EventId, paths: &[Vec<u8>]) -> Result<(), StoreError> {
        let store = self.ledger.reader().store();
        let keys: Vec<_> = paths.iter().map(|path| (*event, path.clone())).collect();
        let turn = self.openings.lock().unwrap_or_else(PoisonError::into_inner);
        let mut batch = store.batch();
        for path in paths {
            if !self.is_erased(event, path)? {
                batch.put::<OpeningNotes>(&(*event, path.clone(), ERASED.to_owned()), &self.means.clock.now_ms());
            }
        }
        for key in &keys {
            batch.delete::<Openings>(key);
        }
        batch.commit_synced()?;
        drop(turn);
        // From now on nobody can read them. To have their bytes off the disk takes long, and who asks for openings does
        // not wait for it; a crash meanwhile leaves bytes that another erasure of the same fields removes.
        let _erasing = self.erasing.lock().unwrap_or_else(PoisonError::into_inner);
        store.erase::<Openings>(&keys)
    }

    fn admitted(&self, event: &EventId) -> Result<Option<Arc<Judged>>, StoreError> {
        Ok(self.stored(event)?.filter(|stored| stored.index.is_some()).map(|stored| stored.judged))
    }

    /// The fields that stand sealed, those that replace an open id by another left out.
    fn fields(&self, judged: &Judged) -> Result<Vec<Field>, StoreError> {
        let body = &judged.event.payload().body;
        let target = match body {
            Body::EventCorrected(correction) => {
                self.stored(&correction.target)?.and_then(|stored| stored.judged.event.payload().body.kind())
            }
            _ => None,
        };
        let fields = seal::sealed_fields(body).into_iter().filter_map(|(path, commitment)| {
            let form = match body {
                Body::EventCorrected(_) => (target?, path.get(1..)?.to_vec()),
                _ => (body.kind()?, path.clone()),
            };
            let name = seal::sealable_name(form.0, &form.1)?;
            Some(Field { path, commitment, name, form })
        });
        Ok(fields.collect())
    }

    fn entitles(&self, judged: &Judged, nodes: &[SubjectId]) -> Result<bool, StoreError> {
        let mut parties = Vec::new();
        for actor in self.party_actors(judged)? {
            parties.push(Party {
                actor,
                keeper: self.enroller(&actor)?.and_then(|(enroller, kept)| kept.then_some(enroller)),
            });
        }
        for actor in nodes {
            let enroller = self.enroller(actor)?.map(|(enroller, _)| enroller);
            if is_entitled(&NodeActor { actor: *actor, enroller }, &parties) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whom an event concerns: who signed it, for whom, who typed it, to whom it offers, and whom it enrols. What
    /// concerns somebody in an event also does so in its correction.
    fn party_actors(&self, judged: &Judged) -> Result<Vec<SubjectId>, StoreError> {
        let mut actors = named_parties(judged);
        if let Body::EventCorrected(correction) = &judged.event.payload().body
            && let Some(target) = self.stored(&correction.target)?
        {
            actors.extend(named_parties(&target.judged));
        }
        actors.sort_unstable();
        actors.dedup();
        Ok(actors)
    }

    /// Who enrolled an actor, and whether it keeps the actor's key; nothing for founders.
    fn enroller(&self, actor: &SubjectId) -> Result<Option<(SubjectId, bool)>, StoreError> {
        let Some((enrolment, _)) = self.ledger.reader().origin(actor)? else { return Ok(None) };
        Ok(self.stored(&enrolment)?.and_then(|stored| match &stored.judged.event.payload().body {
            Body::ActorEnrolled(body) => Some((stored.judged.judgement.actor, body.custody == Custody::Kept)),
            _ => None,
        }))
    }

    fn is_erased(&self, event: &EventId, path: &[u8]) -> Result<bool, StoreError> {
        self.ledger.reader().store().contains::<OpeningNotes>(&(*event, path.to_vec(), ERASED.to_owned()))
    }

    /// To whom an opening was passed, and when it was erased.
    fn notes(&self, event: &EventId, path: &[u8]) -> Result<Notes, StoreError> {
        let (mut passed, mut erased) = (Vec::new(), None);
        for row in self.ledger.reader().store().scan::<OpeningNotes>(Range::prefix(&(*event, path.to_vec()))) {
            match row? {
                ((_, _, peer), time) if peer == ERASED => erased = Some(time),
                ((_, _, peer), time) => passed.push((peer, time)),
            }
        }
        Ok((passed, erased))
    }
}

fn named_parties(judged: &Judged) -> Vec<SubjectId> {
    let payload = judged.event.payload();
    let mut actors = vec![judged.judgement.actor];
    actors.extend(payload.on_behalf_of);
    actors.extend(payload.captured_by);
    match &payload.body {
        Body::TransferOffered(offer) => {
            if let Recipient::Actor(to) = &offer.to {
                actors.push(*to);
            }
        }
        Body::ActorEnrolled(_) => actors.extend(judged.event.subject(0)),
        _ => {}
    }
    actors
}
