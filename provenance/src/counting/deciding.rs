//! The events that decide which others count: amendments, keys and their ends, decisions.

use super::keys::Journal;
use crate::admission::{Judged, given_key};
use crate::body::Body;
use crate::id::{EventId, PublicKey, SubjectId};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What the arrival of an event can change for others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Nothing: it decides about no other event.
    Nothing,
    /// Nothing yet: it gives a key with which nobody can have signed before.
    NewKey,
    /// Which of the events that were there before count.
    Others,
}

/// What the arrival of this event can change for others.
pub fn reach(judged: &Judged) -> Reach {
    match &judged.event.payload().body {
        Body::ActorEnrolled(_) | Body::ActorKeyAdded(_) => Reach::NewKey,
        Body::NetworkAmended(_)
        | Body::NetworkApproved(_)
        | Body::ActorKeyRotated(_)
        | Body::ActorKeyReplaced(_)
        | Body::ActorRevoked(_)
        | Body::DisputeResolved(_) => Reach::Others,
        _ => Reach::Nothing,
    }
}

/// The admitted events that decide about others. One for each actor, and few beside.
#[derive(Debug, Clone, Default)]
pub struct Deciding {
    events: BTreeMap<EventId, Arc<Judged>>,
    /// By enrolment: the actor.
    enrolments: BTreeMap<EventId, SubjectId>,
    /// How many enrolments stand between an actor and a founder.
    depths: BTreeMap<SubjectId, usize>,
    /// Key events and cuts of an actor that were signed above it.
    from_above: BTreeMap<SubjectId, BTreeSet<EventId>>,
    /// Key events of an actor that it signed itself.
    by_itself: BTreeMap<SubjectId, BTreeSet<EventId>>,
    network: BTreeSet<EventId>,
    decisions: BTreeMap<SubjectId, BTreeSet<EventId>>,
    /// By the journal in which they stand.
    signed_in: BTreeMap<Journal, BTreeSet<EventId>>,
}

impl Deciding {
    /// Adds an admitted event, after those on which it rests. Events that decide nothing are left out.
    pub fn add(&mut self, judged: &Arc<Judged>) {
        let (id, subject) = (judged.event.id(), judged.event.subject(0));
        let (Some(subject), true) = (subject, reach(judged) != Reach::Nothing) else { return };
        match &judged.event.payload().body {
            Body::ActorEnrolled(_) => {
                let above = self.depths.get(&judged.judgement.actor).copied().unwrap_or_default();
                self.depths.insert(subject, above + 1);
                self.enrolments.insert(id, subject);
                self.from_above.entry(subject).or_default().insert(id);
            }
            Body::ActorKeyReplaced(_) | Body::ActorRevoked(_) => {
                self.from_above.entry(subject).or_default().insert(id);
            }
            Body::ActorKeyAdded(_) | Body::ActorKeyRotated(_) => {
                self.by_itself.entry(subject).or_default().insert(id);
            }
            Body::DisputeResolved(_) => {
                self.decisions.entry(subject).or_default().insert(id);
            }
            _ => {
                self.network.insert(id);
            }
        }
        let journal = (judged.judgement.key_event, judged.event.key());
        self.signed_in.entry(journal).or_default().insert(id);
        self.events.insert(id, judged.clone());
    }

    /// Every event of the network's own lane.
    pub(super) fn network(&self) -> impl Iterator<Item = &Arc<Judged>> {
        self.network.iter().filter_map(|id| self.events.get(id))
    }

    /// Every decision over a lot.
    pub(super) fn decisions(&self) -> impl Iterator<Item = (&SubjectId, impl Iterator<Item = &Arc<Judged>>)> {
        self.decisions.iter().map(|(lot, ids)| (lot, ids.iter().filter_map(|id| self.events.get(id))))
    }

    pub(super) fn get(&self, id: &EventId) -> Option<&Arc<Judged>> {
        self.events.get(id)
    }

    pub(super) fn body(&self, id: &EventId) -> Option<&Body> {
        self.events.get(id).map(|judged| &judged.event.payload().body)
    }

    pub(super) fn enrolments(&self) -> &BTreeMap<EventId, SubjectId> {
        &self.enrolments
    }

    /// Enrolled actors, those that founders enrolled first, then those whom these enrolled, and so on.
    pub(super) fn by_depth(&self) -> Vec<Vec<SubjectId>> {
        let mut levels: BTreeMap<usize, Vec<SubjectId>> = BTreeMap::new();
        for (actor, depth) in &self.depths {
            levels.entry(*depth).or_default().push(*actor);
        }
        levels.into_values().collect()
    }

    pub(super) fn signed_above(&self, actor: &SubjectId) -> impl Iterator<Item = &Arc<Judged>> {
        self.from_above.get(actor).into_iter().flatten().filter_map(|id| self.events.get(id))
    }

    pub(super) fn signed_itself(&self, actor: &SubjectId) -> impl Iterator<Item = &Arc<Judged>> {
        self.by_itself.get(actor).into_iter().flatten().filter_map(|id| self.events.get(id))
    }

    /// Those of one journal.
    pub(super) fn signed_in(&self, journal: &Journal) -> impl Iterator<Item = &Arc<Judged>> {
        self.signed_in.get(journal).into_iter().flatten().filter_map(|id| self.events.get(id))
    }

    pub(super) fn given_key(&self, key_event: &EventId) -> Option<PublicKey> {
        given_key(&self.events.get(key_event)?.event).map(|(key, _)| key)
    }
}
