//! Who signed, by which right, and where in the journal of the key.

use super::{Ancestry, Judged, Rule, Seen, Stop};
use crate::body::{ActorEnrolled, Body, Role};
use crate::event::{SignedEvent, VerifiedEvent};
use crate::id::{EventId, PublicKey, SubjectId};
use crate::network::Network;
use crate::payload::Payload;
use std::sync::Arc;

/// Whose key signed an event.
pub(super) struct Signer {
    pub actor: SubjectId,
    /// The event that gave the actor the key; the network id for founders.
    pub key_event: EventId,
}

/// Where an event stands in its key's journal.
pub(super) struct JournalLink {
    pub signer: Signer,
    pub height: u64,
    /// The newest amendment under which an event before it in the journal was judged.
    pub amendment: Option<EventId>,
}

/// The signer's actor and its rights.
pub(crate) struct Authority {
    /// The actor whose key signed.
    pub actor: SubjectId,
    /// What it may do.
    pub roles: Vec<Role>,
    /// Which roles it may give.
    pub may_give: Vec<Role>,
    /// Whether it is a founder.
    pub is_founder: bool,
    /// All founders' actor ids, where the basis names the network itself.
    founders_known: Vec<SubjectId>,
}

/// The enrolment that an event is, if it is one.
pub(super) fn enrolment(event: &SignedEvent) -> Option<&ActorEnrolled> {
    match &event.payload().body {
        Body::ActorEnrolled(body) => Some(body),
        _ => None,
    }
}

/// The key that an event gives to an actor, and the actor, if it is a key event.
pub fn given_key(event: &SignedEvent) -> Option<(PublicKey, SubjectId)> {
    let key = match &event.payload().body {
        Body::ActorEnrolled(body) => body.key,
        Body::ActorKeyAdded(body) => body.key,
        Body::ActorKeyRotated(body) => body.key,
        Body::ActorKeyReplaced(body) => body.key,
        _ => return None,
    };
    Some((key, event.subject(0)?))
}

/// Follows the journal link of an event.
pub(super) fn journal<A: Ancestry>(
    network: &Network,
    event: &VerifiedEvent,
    ancestry: &A,
) -> Result<JournalLink, Stop<A::Error>> {
    let link = event.payload().journal;
    // Only events of this network come here, and reading its id spares hashing its definition.
    if link == event.payload().network.as_event() {
        let actor = network.founder(&event.key()).ok_or(Rule::Journal)?;
        return Ok(JournalLink { signer: Signer { actor, key_event: link }, height: 1, amendment: None });
    }
    let previous = ancestry.judged(&link).map_err(Stop::Read)?.ok_or(Rule::Journal)?;
    // The unlinked are no part of any journal, so nothing can follow them.
    if previous.event.key() == event.key() && previous.judgement.journal_height > 0 {
        let judgement = &previous.judgement;
        let signer = Signer { actor: judgement.actor, key_event: judgement.key_event };
        return Ok(JournalLink { signer, height: judgement.journal_height + 1, amendment: judgement.amendment });
    }
    match given_key(&previous.event) {
        Some((key, actor)) if key == event.key() && previous.judgement.is_admitted() => {
            Ok(JournalLink { signer: Signer { actor, key_event: link }, height: 1, amendment: None })
        }
        _ => Err(Rule::Journal.into()),
    }
}

/// Who signed, as far as the basis tells: a founder of the network that it names, or the actor to whom
/// the one key event in it gave the key.
pub(super) fn signer<A: Ancestry>(
    network: &Network,
    event: &VerifiedEvent,
    ancestry: &A,
) -> Result<Signer, Stop<A::Error>> {
    let (basis, network_event) = (&event.payload().basis, event.payload().network.as_event());
    if basis.contains(&network_event)
        && let Some(actor) = network.founder(&event.key())
    {
        return Ok(Signer { actor, key_event: network_event });
    }
    let mut given = Vec::new();
    for id in basis.iter().filter(|id| **id != network_event) {
        let judged = ancestry.judged(id).map_err(Stop::Read)?;
        let actor = judged.and_then(|judged| given_key(&judged.event)).filter(|(key, _)| *key == event.key());
        given.extend(actor.map(|(_, actor)| Signer { actor, key_event: *id }));
    }
    let (Some(signer), true) = (given.pop(), given.is_empty()) else { return Err(Rule::Signer.into()) };
    Ok(signer)
}

impl Authority {
    /// The signer's rights, by the one key event and the enrolment that its basis names.
    pub(super) fn of(network: &Network, event: &SignedEvent, basis: &[Seen], signer: &Signer) -> Result<Self, Rule> {
        let network_event = event.payload().network.as_event();
        let names_network = event.payload().basis.contains(&network_event);
        let founders_known = if names_network { founders(network) } else { Vec::new() };
        if signer.key_event == network_event {
            if !names_network {
                return Err(Rule::Signer);
            }
            let (roles, may_give) = (Role::ALL.to_vec(), Role::ALL.to_vec());
            return Ok(Self { actor: signer.actor, roles, may_give, is_founder: true, founders_known });
        }
        let gives_key =
            |seen: &&Seen| seen.counts(0) && given_key(&seen.judged.event).is_some_and(|(key, _)| key == event.key());
        let mut key_events = basis.iter().filter(gives_key);
        let (Some(key_event), None) = (key_events.next(), key_events.next()) else { return Err(Rule::Signer) };
        if key_event.id() != signer.key_event {
            return Err(Rule::Signer);
        }
        let body = enrolment_of(&signer.actor, basis).and_then(|seen| enrolment(&seen.judged.event));
        let ActorEnrolled { roles, may_give, .. } = body.ok_or(Rule::Signer)?;
        let (roles, may_give) = (roles.clone(), may_give.clone());
        Ok(Self { actor: signer.actor, roles, may_give, is_founder: false, founders_known })
    }

    /// The actor for whom the event is told.
    pub(super) fn acting(&self, payload: &Payload, basis: &[Seen]) -> Result<SubjectId, Rule> {
        let Some(member) = payload.on_behalf_of else { return Ok(self.actor) };
        let recordable = matches!(
            payload.body,
            Body::PlaceRegistered(_)
                | Body::ProduceRegistered(_)
                | Body::ProduceMoved(_)
                | Body::ProduceHandled(_)
                | Body::ProduceQualityUpdated(_)
                | Body::ProducePriceUpdated(_)
                | Body::ProduceCodesAssigned(_)
        );
        let enrolled_here = enrolment_of(&member, basis).is_some_and(|seen| seen.judged.judgement.actor == self.actor);
        if recordable && enrolled_here { Ok(member) } else { Err(Rule::OnBehalf) }
    }

    /// The rights of the actor on whose account the event stands: where a cooperative records for a
    /// member, the member's own.
    pub(super) fn roles_of(&self, acting: &SubjectId, basis: &[Seen]) -> Vec<Role> {
        if *acting == self.actor {
            return self.roles.clone();
        }
        let body = enrolment_of(acting, basis).and_then(|seen| enrolment(&seen.judged.event));
        body.map(|body| body.roles.clone()).unwrap_or_default()
    }

    /// Demands that the basis holds the enrolment of `actor`, or names the network for a founder.
    pub(super) fn known_actor(&self, actor: &SubjectId, basis: &[Seen]) -> Result<(), Rule> {
        let known = *actor == self.actor || self.founders_known.contains(actor) || enrolment_of(actor, basis).is_some();
        if known { Ok(()) } else { Err(Rule::UnknownActor) }
    }
}

/// The enrolment of `actor` in a basis.
pub(super) fn enrolment_of<'a>(actor: &SubjectId, basis: &'a [Seen]) -> Option<&'a Seen> {
    basis.iter().find(|seen| enrolment(&seen.judged.event).is_some() && seen.creates(actor))
}

/// The registration of `place` in a basis, which must be there.
pub(super) fn known_place<'a>(place: &SubjectId, basis: &'a [Seen]) -> Result<&'a Seen, Rule> {
    let registers = |seen: &&Seen| matches!(seen.payload().body, Body::PlaceRegistered(_)) && seen.creates(place);
    basis.iter().find(registers).ok_or(Rule::UnknownPlace)
}

/// The event in a basis that created `subject`, which must be there.
pub(super) fn known_subject<'a>(subject: &SubjectId, basis: &'a [Seen]) -> Result<&'a Seen, Rule> {
    basis.iter().find(|seen| seen.creates(subject)).ok_or(Rule::UnknownSubject)
}

/// The basis must hold the event that created `subject`, whether that counts or not.
pub(super) fn named_subject(subject: &SubjectId, basis: &[Seen]) -> Result<(), Rule> {
    let creates = |seen: &Seen| {
        let touches = &seen.payload().touches;
        (0..touches.len()).any(|at| touches[at].subject.is_none() && seen.judged.event.subject(at) == Some(*subject))
    };
    if basis.iter().any(creates) { Ok(()) } else { Err(Rule::UnknownSubject) }
}

/// The actors that stand above the signer of an event in the tree of enrolments, the nearest first.
pub(crate) fn above<A: Ancestry>(judged: &Arc<Judged>, ancestry: &A) -> Result<Vec<SubjectId>, A::Error> {
    let (mut lower, mut upper) = (judged.clone(), Vec::new());
    // The basis of every event has the enrolment of its signer, and a founder has none: the top of the tree.
    while let Some(enrolled) = enrolment_named(&lower, ancestry)? {
        upper.push(enrolled.judgement.actor);
        lower = enrolled;
    }
    Ok(upper)
}

/// Whether `actor` signed the event or stands above its signer.
pub(super) fn is_at_or_above<A: Ancestry>(
    actor: &SubjectId,
    judged: &Arc<Judged>,
    ancestry: &A,
) -> Result<bool, A::Error> {
    Ok(judged.judgement.actor == *actor || above(judged, ancestry)?.contains(actor))
}

/// The enrolment of an event's signer; nothing for a founder.
pub(crate) fn enrolment_named<A: Ancestry>(judged: &Judged, ancestry: &A) -> Result<Option<Arc<Judged>>, A::Error> {
    for id in &judged.event.payload().basis {
        if let Some(named) = ancestry.judged(id)?
            && enrolment(&named.event).is_some()
            && named.event.subject(0) == Some(judged.judgement.actor)
        {
            return Ok(Some(named));
        }
    }
    Ok(None)
}

fn founders(network: &Network) -> Vec<SubjectId> {
    let count = u32::try_from(network.founders().len()).expect("there are at most 64 founders");
    (0..count).map(|index| network.id().founder(index)).collect()
}
